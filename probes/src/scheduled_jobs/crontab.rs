//! crontab(5) and anacrontab(5).

use evidence::Digest;

/// More lines are not read.
const MAX_JOBS: usize = 10_000;

/// A job as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) schedule: String,
    /// In system crontabs.
    pub(super) user: Option<String>,
    pub(super) command: String,
}

/// The jobs of a crontab, and whether there were more. Assignments of variables and lines that are none are left out: cron
/// refuses a table with such lines.
pub(super) fn parse(text: &str, with_user: bool) -> (Vec<Job>, bool) {
    let jobs = text.lines().filter_map(|line| job(line.trim(), with_user));
    let mut jobs: Vec<Job> = jobs.take(MAX_JOBS + 1).collect();
    let more = jobs.len() > MAX_JOBS;
    jobs.truncate(MAX_JOBS);
    (jobs, more)
}

fn job(line: &str, with_user: bool) -> Option<Job> {
    // A leading dash keeps cron from logging the job (SUSE).
    let line = line.trim_start_matches('-');
    let first = line.chars().next()?;
    if !(first.is_ascii_digit() || first == '*' || first == '@') {
        return None;
    }
    let fields = if first == '@' { 1 } else { 5 };
    let mut schedule = vec![];
    let mut rest = line;
    for _ in 0..fields {
        let (field, after) = next(rest)?;
        schedule.push(field);
        rest = after;
    }
    let mut user = None;
    if with_user {
        let (name, after) = next(rest)?;
        // FreeBSD and SUSE allow NAME:GROUP/CLASS.
        user = Some(name.split([':', '/']).next().unwrap_or(name).to_owned());
        rest = after;
    }
    (!rest.is_empty()).then(|| Job {
        schedule: schedule.join(" "),
        user,
        command: rest.to_owned(),
    })
}

fn next(text: &str) -> Option<(&str, &str)> {
    let (field, rest) = text.split_once([' ', '\t'])?;
    Some((field, rest.trim_start()))
}

/// `PERIOD DELAY NAME COMMAND`, in days and minutes.
pub(super) fn anacron(text: &str) -> Vec<(String, String, String)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '@'));
    let jobs = lines.filter_map(|line| {
        let (period, rest) = next(line)?;
        let (_, rest) = next(rest)?;
        let (name, command) = next(rest)?;
        Some((period.to_owned(), name.to_owned(), command.to_owned()))
    });
    jobs.take(MAX_JOBS).collect()
}

pub(super) fn digest(command: &str) -> String {
    Digest::of(command.as_bytes()).to_string()
}
