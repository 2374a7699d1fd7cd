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

pub(super) const BLANKS: [char; 2] = [' ', '\t'];

/// The jobs of a crontab, and whether there were more. Assignments of variables and lines that are none are left out. A
/// command goes to the end of its line as it is, blanks and a carriage return included: so cron gives it to the shell.
pub(super) fn parse(text: &str, with_user: bool) -> (Vec<Job>, bool) {
    let jobs = text
        .split('\n')
        .filter_map(|line| job(line.trim_start_matches(BLANKS), with_user));
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
    let (field, rest) = text.split_once(BLANKS)?;
    Some((field, rest.trim_start_matches(BLANKS)))
}

/// `PERIOD DELAY NAME COMMAND`, in days and minutes; a line that ends in a backslash goes on. Other lines anacron leaves
/// out, the rest of the file it takes.
pub(super) fn anacron(text: &str) -> Vec<(String, String, String)> {
    let joined = text.replace("\\\n", "");
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let jobs = joined.lines().filter_map(|line| {
        let (period, rest) = next(line.trim())?;
        let (delay, rest) = next(rest)?;
        let (name, command) = next(rest)?;
        let is_job = (is_number(period) || period.len() > 1 && period.starts_with('@'))
            && is_number(delay)
            && !name.contains('/');
        is_job.then(|| (period.to_owned(), name.to_owned(), command.to_owned()))
    });
    jobs.take(MAX_JOBS).collect()
}

pub(super) fn digest(command: &str) -> String {
    Digest::of(command.as_bytes()).to_string()
}
