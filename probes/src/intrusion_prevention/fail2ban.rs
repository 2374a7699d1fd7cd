//! fail2ban: jail.conf(5). What stands in filters and actions is not read.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::facts::{Fail2ban, FailureSource, Jail};
use super::ini::{self, Sections};
use super::seconds;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread, globs};

const FOLDER: &str = "/etc/fail2ban";
const MAX_FILES: usize = 200;
const MAX_DEPTH: usize = 20;
const MAX_JAILS: usize = 1_000;
/// What a pattern of log files stands for beyond this is not looked at.
const MAX_LOGS: usize = 100;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Fail2ban>, Unread> {
    let mut reader = Reader {
        reading,
        files: vec![],
        sections: Sections::default(),
    };
    for file in files(reading)? {
        reader.file(&file, &mut vec![])?;
    }
    if reader.files.is_empty() {
        return Ok(None);
    }
    let sections = &reader.sections;
    let names = sections.named.keys().filter(|name| *name != "INCLUDES").take(MAX_JAILS);
    let (mut jails, mut not_enabled) = (vec![], 0);
    for name in names {
        // fail2ban wants these of each jail, and starts with none if a value refers to nothing.
        let of = |option| of(sections, name, option);
        let (enabled, _, _) = (of("enabled")?, of("backend")?, of("filter")?);
        if enabled.is_some_and(|value| is_true(&value)) {
            jails.push(jail(reading, sections, name)?);
        } else {
            not_enabled += 1;
        }
    }
    Ok(Some(Fail2ban {
        files: reader.files,
        jails,
        not_enabled,
    }))
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "on" | "true" | "yes")
}

/// Those that are there or may be, in the order in which the later counts.
fn files(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let entries = reading.list(&format!("{FOLDER}/jail.d"))?.unwrap_or_default();
    let of = |ending: &'static str| {
        let named = entries.iter().filter(move |entry| {
            matches!(entry.kind, Kind::File | Kind::Link)
                && entry.name.ends_with(ending)
                && !entry.name.starts_with('.')
        });
        named
            .map(|entry| format!("{FOLDER}/jail.d/{}", entry.name))
            .take(MAX_FILES)
    };
    let mut files = vec![format!("{FOLDER}/jail.conf")];
    files.extend(of(".conf"));
    files.push(format!("{FOLDER}/jail.local"));
    files.extend(of(".local"));
    Ok(files)
}

struct Reader<'r, 'h> {
    reading: &'r Reading<'h>,
    files: Vec<String>,
    sections: Sections,
}

impl Reader<'_, '_> {
    /// A file, with those that it has read before and after itself; `above` are those that include it.
    fn file(&mut self, path: &str, above: &mut Vec<String>) -> Result<(), Unread> {
        if above.len() >= MAX_DEPTH || self.files.len() >= MAX_FILES {
            return Err(Unread::Failed {
                place: path.to_owned(),
                reason: "too many files include each other".to_owned(),
            });
        }
        // It can hold keys of reporting services: its digest stays here.
        let Some(bytes) = self.reading.private(path, path)? else {
            return Ok(());
        };
        let malformed = |reason: String| self.reading.malformed(path.to_owned(), reason);
        let text = String::from_utf8(bytes).map_err(|_| malformed("not UTF-8".to_owned()))?;
        let read =
            ini::parse(&text).map_err(|refused| malformed(format!("line {}: {}", refused.line, refused.reason)))?;
        let included = |name: &str| {
            read.value("INCLUDES", name)
                .map_err(|reason| malformed(reason.to_owned()))
        };
        let (before, after) = (included("before")?, included("after")?);
        above.push(path.to_owned());
        self.included(path, before.as_deref(), above)?;
        self.files.push(path.to_owned());
        self.sections.add(read);
        self.included(path, after.as_deref(), above)?;
        above.pop();
        Ok(())
    }

    /// Each of the names, and its file of local changes after it.
    fn included(&mut self, by: &str, names: Option<&str>, above: &mut Vec<String>) -> Result<(), Unread> {
        let folder = by.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in names.unwrap_or_default().split('\n').filter(|name| !name.is_empty()) {
            let path = crate::formats::included::below(folder, name);
            if above.contains(&path) {
                continue;
            }
            self.file(&path, above)?;
            let local = path.rsplit_once('.').map(|(stem, _)| format!("{stem}.local"));
            if let Some(local) = local.filter(|local| *local != path && !above.contains(local)) {
                self.file(&local, above)?;
            }
        }
        Ok(())
    }
}

/// A value of a jail, references replaced.
fn of(sections: &Sections, jail: &str, option: &str) -> Result<Option<String>, Unread> {
    sections.value(jail, option).map_err(|reason| Unread::Malformed {
        place: FOLDER.to_owned(),
        reason: format!("{option} of [{}] is {reason}", short(jail)),
    })
}

fn jail(reading: &Reading<'_>, sections: &Sections, name: &str) -> Result<Jail, Unread> {
    let filter = of(sections, name, "filter")?.unwrap_or_default();
    let filter = before_options(&filter).to_owned();
    let has_filter = filter.is_empty() || there(reading, "filter.d", &filter).unwrap_or(true);
    // Of a jail without its filter fail2ban reads no more.
    let of = |option| of(sections, name, option).or_else(|unread| if has_filter { Err(unread) } else { Ok(None) });
    let number = |option: &'static str, read: fn(&str) -> Option<i64>| {
        of(option).map(|value| match value.as_deref().map(read) {
            None => Known::absent(format!("{option} is not set")),
            Some(Some(number)) => Known::Observed(number),
            Some(None) => Known::not(Outcome::Malformed, format!("{option} is no number or time")),
        })
    };
    let on = |option| of(option).map(|value| value.map(|value| is_true(&value)));
    let actions = actions(&of("action")?.unwrap_or_default());
    let ignoreip = of("ignoreip")?.unwrap_or_default();
    let ignored = ignoreip.split([' ', ',', '\n']).filter(|word| !word.trim().is_empty());
    Ok(Jail {
        name: short(name),
        complete: Known::read(complete(reading, &filter, &actions)),
        source: source(
            reading,
            &of("backend")?.unwrap_or_default(),
            &of("logpath")?.unwrap_or_default(),
        ),
        maxretry: number("maxretry", |value| value.trim().parse().ok())?,
        findtime: number("findtime", seconds::of)?,
        bantime: number("bantime", seconds::of)?,
        bantime_increment: on("bantime.increment")?.unwrap_or(false),
        port: of("port")?.map(|value| short(&value)),
        ignoreself: on("ignoreself")?.unwrap_or(true),
        ignoreip: ignored.count() as u64,
        ignorecommand: of("ignorecommand")?.is_some_and(|value| !value.is_empty()),
        filter: short(&filter),
        actions: actions.iter().map(|name| short(name)).collect(),
    })
}

/// Whether each has a file; actions in Python are not looked for by fail2ban either.
fn complete(reading: &Reading<'_>, filter: &str, actions: &[String]) -> Result<bool, Unread> {
    if !filter.is_empty() && !there(reading, "filter.d", filter)? {
        return Ok(false);
    }
    for action in actions.iter().filter(|action| action.strip_suffix(".py").is_none()) {
        if !there(reading, "action.d", action)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn there(reading: &Reading<'_>, folder: &str, name: &str) -> Result<bool, Unread> {
    let path = format!("{FOLDER}/{folder}/{name}");
    Ok(reading.stat(&format!("{path}.conf"))?.is_some() || reading.stat(&format!("{path}.local"))?.is_some())
}

fn before_options(value: &str) -> &str {
    value.split('[').next().unwrap_or_default().trim()
}

/// The names of actions: words outside of brackets, each once.
fn actions(value: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut word = String::new();
    let (mut quote, mut within) = (None, false);
    for character in value.chars().chain([' ']) {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if within => quote = Some(character),
            (None, '[') => within = true,
            (None, ']') => within = false,
            (None, _) if within => {}
            (None, _) if character.is_whitespace() => {
                if !word.is_empty() && names.len() < MAX_LOGS {
                    names.insert(std::mem::take(&mut word));
                }
                word.clear();
            }
            (None, _) => word.push(character),
        }
    }
    names.into_iter().collect()
}

fn source(reading: &Reading<'_>, backend: &str, logs: &str) -> Known<FailureSource> {
    if backend.starts_with("systemd") {
        return Known::Observed(FailureSource::Journal);
    }
    let mut unread = None;
    for line in logs.split('\n').take(MAX_LOGS) {
        let path = line.rsplit_once(' ').map_or(line, |(path, _)| path).trim();
        if !path.starts_with('/') {
            continue;
        }
        match globs::files(reading, path, MAX_LOGS) {
            Ok(files) if files.is_empty() => {}
            Ok(_) => return Known::Observed(FailureSource::Files),
            Err(error) => unread = Some(error),
        }
    }
    match unread {
        Some(unread) => Known::unread(&unread),
        None => Known::Observed(FailureSource::NoFile),
    }
}
