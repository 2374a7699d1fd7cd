//! AIDE's configuration (aide.conf(5)): enough of it to find the databases and to count the rules.

use std::collections::{BTreeMap, VecDeque};

use super::facts::Aide;
use crate::reading::{Kind, Reading, Unread};
use crate::software::day_of;

/// Debian's, and everybody else's.
const MAIN: [&str; 2] = ["/etc/aide/aide.conf", "/etc/aide.conf"];
/// What AIDE takes if nothing is set.
const DATABASE: &str = "/var/lib/aide/aide.db";
const NEW_DATABASE: &str = "/var/lib/aide/aide.db.new";
const MAX_FILES: u64 = 1_000;
const MAX_DEFINES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Aide>, Unread> {
    let mut config = Config::default();
    let mut main = None;
    for path in MAIN {
        if let Some(text) = reading.text(path)? {
            main = Some((path, text));
            break;
        }
    }
    let Some((path, text)) = main else { return Ok(None) };
    config.take(&text);
    while let Some(path) = config.waiting.pop_front() {
        if config.included >= MAX_FILES {
            return Err(Unread::Failed {
                place: path,
                reason: format!("more than {MAX_FILES} files"),
            });
        }
        if let Some(text) = included(reading, &mut config, &path)? {
            config.included += 1;
            config.take(&text);
        }
    }
    let database = config.database.unwrap_or_else(|| DATABASE.to_owned());
    let new = config.new_database.unwrap_or_else(|| NEW_DATABASE.to_owned());
    Ok(Some(Aide {
        database_day: day_of(reading, &database),
        new_database_day: day_of(reading, &new),
        database,
        file: path.to_owned(),
        included: config.included,
        selections: config.selections,
        exclusions: config.exclusions,
    }))
}

/// A file's text, or the files of a folder put into the queue. Of a folder Debian's `@@x_include` runs what may be
/// executed: what that would print is not known, and it is left out.
fn included(reading: &Reading<'_>, config: &mut Config, path: &str) -> Result<Option<String>, Unread> {
    match reading.stat(path)? {
        Some(stat) if stat.kind == Kind::Folder => {
            for entry in reading.list(path)?.unwrap_or_default() {
                if matches!(entry.kind, Kind::File | Kind::Link) && !entry.name.contains(['.', '~', '#']) {
                    config.waiting.push_back(format!("{path}/{}", entry.name));
                }
            }
            Ok(None)
        }
        Some(stat) if stat.mode & 0o111 != 0 => Ok(None),
        // Debian has hundreds: one source for each folder.
        Some(_) => {
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            let bytes = reading.private(path, folder)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }
        None => Ok(None),
    }
}

#[derive(Default)]
struct Config {
    defines: BTreeMap<String, String>,
    waiting: VecDeque<String>,
    included: u64,
    database: Option<String>,
    new_database: Option<String>,
    selections: u64,
    exclusions: u64,
}

impl Config {
    fn take(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            if let Some(macro_line) = line.strip_prefix("@@") {
                self.macro_line(macro_line);
            } else if line.starts_with(['/', '=']) {
                self.selections += 1;
            } else if line.starts_with(['!', '-']) {
                self.exclusions += 1;
            } else if let Some((name, value)) = line.split_once('=') {
                let file = || self.expanded(value.trim()).strip_prefix("file:").map(str::to_owned);
                match name.trim() {
                    "database" | "database_in" => self.database = file(),
                    "database_new" => self.new_database = file(),
                    // AIDE writes there; without `database_new` it is also what takes the old one's place.
                    "database_out" if self.new_database.is_none() => self.new_database = file(),
                    _ => {}
                }
            }
        }
    }

    fn macro_line(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("define"), Some(name), value) if self.defines.len() < MAX_DEFINES => {
                let value = self.expanded(value.unwrap_or_default());
                self.defines.insert(name.to_owned(), value);
            }
            // A rule may begin with a variable: `@@{RUN}/x Full`.
            (Some(word), ..) if word.starts_with('{') => self.selections += 1,
            // A second word is a pattern for the names in a folder.
            (Some("include" | "x_include"), Some(path), _) => {
                let path = self.expanded(path);
                self.waiting.push_back(path);
            }
            _ => {}
        }
    }

    /// `@@{NAME}` put in.
    fn expanded(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("@@{") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                rest = after;
                break;
            };
            out.push_str(self.defines.get(name).map_or("", String::as_str));
            rest = after;
        }
        out.push_str(rest);
        out.chars().take(4_096).collect()
    }
}
