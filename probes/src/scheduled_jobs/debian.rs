//! What Debian's cron (3.0) takes: it leaves out a whole table for one line that it does not understand.

use schemars::JsonSchema;
use serde::Serialize;

use super::crontab::BLANKS;
use crate::reading::{Kind, Stat};

/// Why Debian's cron leaves out a file of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Its name has other characters than letters, digits, dashes and underscores.
    Name,
    /// It is not the owner's alone: for the system root's, for a user its own or root's, with mode 0600.
    Mode,
    /// A line is no job, no assignment and no comment, or the last one does not end.
    Syntax,
}

const WORDS: [&str; 8] = [
    "annually", "daily", "hourly", "midnight", "monthly", "reboot", "weekly", "yearly",
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Lowest, highest, and names from the lowest on.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &MONTHS),
    (0, 7, &DAYS),
];

/// Names that cron reads in `/etc/cron.d` and run-parts(8) in its folders, if nobody asked for others (`-l`,
/// `--lsbsysinit`, `--regex`).
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// `/etc/crontab` and files of `/etc/cron.d`.
pub(super) fn system(path: &str, stat: Option<&Stat>, text: &str) -> Option<LeftOut> {
    let name = path.strip_prefix("/etc/cron.d/");
    if name.is_some_and(|name| !is_plain(name)) {
        Some(LeftOut::Name)
    } else if stat.is_some_and(|stat| !super::of_root(stat)) {
        Some(LeftOut::Mode)
    } else {
        (!takes(text, true)).then_some(LeftOut::Syntax)
    }
}

/// Crontabs of users.
pub(super) fn of_user(uid: Option<u32>, stat: Option<&Stat>, text: &str) -> Option<LeftOut> {
    let own = |stat: &Stat| {
        stat.kind == Kind::File && stat.mode == 0o600 && (stat.uid == 0 || uid.is_none_or(|uid| uid == stat.uid))
    };
    if stat.is_some_and(|stat| !own(stat)) {
        Some(LeftOut::Mode)
    } else {
        (!takes(text, false)).then_some(LeftOut::Syntax)
    }
}

fn takes(text: &str, with_user: bool) -> bool {
    let (whole, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let is_nothing = |line: &str| line.is_empty() || line.starts_with('#');
    let mut lines = whole.split('\n').map(|line| line.trim_start_matches(BLANKS));
    is_nothing(last.trim_start_matches(BLANKS))
        && lines.all(|line| is_nothing(line) || is_assignment(line) || is_job(line, with_user))
}

/// `NAME = VALUE`; both may be quoted, and nothing follows a quote. Only in quotes may the value be empty.
fn is_assignment(line: &str) -> bool {
    let end = |text: &str| text.find(|c: char| c.is_ascii_whitespace() || c == '=');
    let after = match line.chars().next() {
        Some(quote @ ('"' | '\'')) => line.get(1..).and_then(|rest| Some(rest.split_once(quote)?.1)),
        _ => end(line).and_then(|at| line.get(at..)),
    };
    let Some(value) = after.and_then(|after| after.trim_ascii_start().strip_prefix('=')) else {
        return false;
    };
    let value = value.trim_ascii_start();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let after = value.get(1..).and_then(|rest| rest.split_once(quote));
            after.is_some_and(|(_, after)| after.trim_ascii().is_empty())
        }
        first => first.is_some(),
    }
}

fn is_job(line: &str, with_user: bool) -> bool {
    let mut rest = line;
    if let Some(word) = line.strip_prefix('@') {
        let end = word.find(BLANKS).unwrap_or(word.len());
        let (word, after) = word.split_at_checked(end).unwrap_or((word, ""));
        if !WORDS.contains(&word) {
            return false;
        }
        rest = after.trim_start_matches(BLANKS);
    } else {
        for (low, high, names) in FIELDS {
            let Some(after) = list(rest, low, high, names) else {
                return false;
            };
            // What follows a field without a blank is passed over.
            rest = after
                .trim_start_matches(|c| !BLANKS.contains(&c))
                .trim_start_matches(BLANKS);
        }
    }
    !with_user || rest.split(BLANKS).next().is_some_and(|user| !user.is_empty())
}

/// What follows a list of ranges.
fn list<'a>(text: &'a str, low: u32, high: u32, names: &[&str]) -> Option<&'a str> {
    let mut rest = text;
    loop {
        rest = range(rest, low, high, names)?;
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Some(rest),
        }
    }
}

/// `*`, `A` or `A-B`; all but `A` with `/STEP`.
fn range<'a>(text: &'a str, low: u32, high: u32, names: &[&str]) -> Option<&'a str> {
    let (first, last, rest) = if let Some(rest) = text.strip_prefix('*') {
        (low, high, rest)
    } else {
        let (first, rest) = number(text, low, names)?;
        let Some(rest) = rest.strip_prefix('-') else {
            return (first >= low && first <= high && !rest.starts_with('/')).then_some(rest);
        };
        let (last, rest) = number(rest, low, names)?;
        (first, last, rest)
    };
    let mut rest = rest;
    let mut step = 1;
    if let Some(after) = rest.strip_prefix('/') {
        (step, rest) = number(after, 0, &[])?;
    }
    // A range that ends before it begins holds nothing, and is taken.
    let inside = [first, last].iter().all(|number| (low..=high).contains(number));
    (step > 0 && inside).then_some(rest)
}

fn number<'a>(text: &'a str, low: u32, names: &[&str]) -> Option<(u32, &'a str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    if let Ok(number) = word.parse() {
        return Some((number, rest));
    }
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(word))?;
    Some((u32::try_from(place).ok()? + low, rest))
}
