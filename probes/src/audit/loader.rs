//! What loads rules when auditd starts, and from which files: augenrules(8) or auditctl(8) with `-R`, as auditd.service or
//! audit-rules.service says.

use evidence::facts::Outcome;

use super::facts::{Loader, RuleSet};
use super::{UNITS, rules};
use crate::formats::systemd::Units;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/etc/audit/rules.d";
const COMPILED: &str = "/etc/audit/audit.rules";
const MAX_FILES: usize = 500;

/// By the units' commands. Without systemd, or where its units cannot be read, it is not known.
pub(super) fn loader(reading: &Reading<'_>, units: &Result<Option<Units>, Unread>) -> Known<Loader> {
    let units = match units {
        Ok(Some(units)) => units,
        Ok(None) => return Known::not(Outcome::Absent, "this host has no systemd"),
        Err(unread) => return Known::unread(unread),
    };
    let mut found = Loader::Nothing;
    for unit in UNITS {
        let own = match units.assignments(reading, unit) {
            Ok(own) => own.unwrap_or_default(),
            Err(unread) => return Known::unread(&unread),
        };
        let mut commands: Vec<&str> = vec![];
        let starting = own.iter().filter(|one| {
            one.section == "Service" && matches!(one.name.as_str(), "ExecStart" | "ExecStartPre" | "ExecStartPost")
        });
        for name in ["ExecStartPre", "ExecStart", "ExecStartPost"] {
            let from = commands.len();
            for one in starting.clone().filter(|one| one.name == name) {
                if one.value.is_empty() {
                    commands.truncate(from);
                } else {
                    commands.push(&one.value);
                }
            }
        }
        // The last that loads has the last word: it begins with -D as a rule.
        if let Some(loads) = commands.into_iter().rev().find_map(by_command) {
            found = loads;
        }
    }
    Known::Observed(found)
}

fn by_command(command: &str) -> Option<Loader> {
    let mut words = command
        .split_ascii_whitespace()
        .map(|word| word.trim_matches(['"', '\'']));
    let program = words.next()?.trim_start_matches(['-', '@', ':', '+', '!']);
    match program.rsplit('/').next()? {
        "augenrules" => words.any(|word| word == "--load").then_some(Loader::Augenrules),
        "auditctl" => {
            words.find(|word| *word == "-R")?;
            Some(Loader::Auditctl {
                file: words.next()?.to_owned(),
            })
        }
        _ => None,
    }
}

/// The rules that it loads.
pub(super) fn configured(reading: &Reading<'_>, loader: &Known<Loader>) -> Known<RuleSet> {
    let (one, merge) = match loader {
        Known::Observed(Loader::Nothing) => {
            return Known::not(Outcome::Absent, format!("neither {} loads rules", UNITS.join(" nor ")));
        }
        Known::Observed(Loader::Auditctl { file }) => (file.as_str(), false),
        Known::Observed(Loader::Augenrules) | Known::Not(_) => (COMPILED, true),
    };
    let read = || -> Result<Option<RuleSet>, Unread> {
        // With the folder augenrules writes the file anew, and empty if there is nothing in the folder.
        if merge && let Some(files) = merged(reading)? {
            return Ok(Some(rules::parse(&files, true)));
        }
        let text = reading.text(one)?;
        Ok(text.map(|text| rules::parse(&[(one.to_owned(), text)], false)))
    };
    match read() {
        Ok(Some(rules)) => Known::Observed(rules),
        Ok(None) if merge => Known::not(Outcome::Absent, format!("neither {FOLDER} nor {COMPILED} is there")),
        Ok(None) => Known::absent(format!("{one} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

/// As augenrules does: all `*.rules` in natural order; `None` without the folder.
fn merged(reading: &Reading<'_>) -> Result<Option<Vec<(String, String)>>, Unread> {
    let Some(entries) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut names: Vec<String> = entries
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.strip_suffix(".rules").is_some() && !name.starts_with('.'))
        .collect();
    if names.len() > MAX_FILES {
        return Err(Unread::Failed {
            place: FOLDER.to_owned(),
            reason: format!("more than {MAX_FILES} files"),
        });
    }
    names.sort_by_cached_key(|name| natural(name));
    let mut files = vec![];
    for name in names {
        let path = format!("{FOLDER}/{name}");
        if let Some(text) = reading.text(&path)? {
            files.push((path, text));
        }
    }
    Ok(Some(files))
}

/// A key that sorts as `ls -v` does, for names of digits, letters and dashes: runs of digits by their value.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut in_number = false;
    for letter in name.chars() {
        let digit = letter.to_digit(10).map(u64::from);
        if digit.is_none() && in_number {
            parts.push((String::new(), 0));
        }
        in_number = digit.is_some();
        if let Some((text, number)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(digit),
                None => text.push(letter),
            }
        }
    }
    parts
}
