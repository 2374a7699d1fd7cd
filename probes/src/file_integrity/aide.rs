//! AIDE's configuration (aide.conf(5)): enough of it to find the databases and to count the rules.

mod groups;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;
use regex_lite::RegexBuilder;

use groups::{ATTRIBUTES, Groups, expression};

use super::facts::{Aide, AideAttribute, AideMail, MailTo};
use crate::formats::shell;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};
use crate::software::day_of;

/// Debian's, and everybody else's.
const MAIN: [&str; 2] = ["/etc/aide/aide.conf", "/etc/aide.conf"];
/// What Debian's daily check reads.
const DEFAULTS: &str = "/etc/default/aide";
/// More places for reports, and more names that nothing defines, are not told.
const MAX_NAMES: usize = 20;
const MAX_FILES: u64 = 1_000;
const MAX_DEFINES: usize = 1_000;
/// Characters of a text with its variables put in.
const MAX_EXPANDED: usize = 4_096;
/// AIDE's own limit for files that include each other.
const MAX_DEPTH: usize = 16;
/// Conditions inside each other.
const MAX_CONDITIONS: usize = 100;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Aide>, Unread> {
    for path in MAIN {
        if let Some(text) = reading.text(path)? {
            let mut config = Config::new(reading);
            config.take(&text, 0)?;
            return Ok(Some(config.into_facts(path)));
        }
    }
    Ok(None)
}

/// What the lines said so far, read in AIDE's own order: a file that is included stands in the place of its line.
struct Config<'r, 'h> {
    reading: &'r Reading<'h>,
    hostname: OnceCell<Option<String>>,
    defines: BTreeMap<String, String>,
    included: u64,
    database_in: Option<String>,
    database_out: Option<String>,
    database_new: Option<String>,
    selections: u64,
    exclusions: u64,
    groups: Groups,
    /// Selections that compare each of [`ATTRIBUTES`].
    attributes: [u64; ATTRIBUTES.len()],
    undefined: BTreeSet<String>,
    reports: BTreeSet<String>,
}

impl<'r, 'h> Config<'r, 'h> {
    fn new(reading: &'r Reading<'h>) -> Self {
        Self {
            reading,
            hostname: OnceCell::new(),
            defines: BTreeMap::new(),
            included: 0,
            database_in: None,
            database_out: None,
            database_new: None,
            selections: 0,
            exclusions: 0,
            groups: Groups::default(),
            attributes: [0; ATTRIBUTES.len()],
            undefined: BTreeSet::new(),
            reports: BTreeSet::new(),
        }
    }

    fn into_facts(mut self, file: &str) -> Aide {
        if self.reports.is_empty() {
            self.reports.insert("stdout".to_owned());
        }
        let day = |url: Option<&str>, what: &str| match url {
            Some(url) => match path_of(url) {
                Some(path) => day_of(self.reading, path),
                None => Known::not(Outcome::Unsupported, format!("{what} is no file")),
            },
            None => Known::not(Outcome::Absent, format!("{file} sets no {what}")),
        };
        // AIDE writes to `database_out`; `database_new` is what `--compare` reads.
        let new = self.database_out.as_deref().or(self.database_new.as_deref());
        Aide {
            database_day: day(self.database_in.as_deref(), "database_in"),
            new_database_day: day(new, "database_out"),
            database: self.database_in.as_deref().map(place),
            file: file.to_owned(),
            included: self.included,
            selections: self.selections,
            exclusions: self.exclusions,
            attributes: ATTRIBUTES
                .iter()
                .zip(self.attributes)
                .filter(|(_, selections)| *selections > 0)
                .map(|(name, selections)| AideAttribute {
                    name: (*name).to_owned(),
                    selections,
                })
                .collect(),
            undefined_groups: self.undefined.into_iter().take(MAX_NAMES).collect(),
            reports: self.reports.into_iter().collect(),
            mail: mail(self.reading),
        }
    }

    fn take(&mut self, text: &str, depth: usize) -> Result<(), Unread> {
        // Of each condition that is open: whether its lines count. `None`: not known, so that neither part does.
        let mut open: Vec<Option<bool>> = vec![];
        for line in text.lines().map(str::trim) {
            let counts = open.iter().all(|holds| *holds == Some(true));
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default() {
                word @ ("@@if" | "@@ifdef" | "@@ifndef" | "@@ifhost" | "@@ifnhost") => {
                    if open.len() >= MAX_CONDITIONS {
                        return Err(Unread::Malformed {
                            place: "aide.conf".to_owned(),
                            reason: format!("more than {MAX_CONDITIONS} conditions inside each other"),
                        });
                    }
                    let words: Vec<&str> = words.collect();
                    open.push(self.holds(word, &words));
                }
                "@@else" => {
                    if let Some(last) = open.last_mut() {
                        *last = last.map(|holds| !holds);
                    }
                }
                "@@endif" => {
                    open.pop();
                }
                _ if !counts => {}
                word @ ("@@include" | "@@x_include") => {
                    let (path, pattern) = (words.next().unwrap_or_default(), words.next());
                    let path = self.expanded(path);
                    self.include(&path, pattern, word == "@@x_include", depth)?;
                }
                "@@define" => {
                    let (name, value) = (words.next(), self.expanded(words.next().unwrap_or_default()));
                    if let Some(name) = name.filter(|_| self.defines.len() < MAX_DEFINES) {
                        self.defines.insert(name.to_owned(), value);
                    }
                }
                "@@undef" => {
                    self.defines.remove(words.next().unwrap_or_default());
                }
                _ => self.line(line),
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        // Some versions take a rule that begins with a variable.
        if line.starts_with(['/', '=']) || line.starts_with("@@{") {
            self.selections += 1;
            let compared = self.groups.compared(&self.expanded(&expression(line)));
            for (selections, compares) in self.attributes.iter_mut().zip(compared.attributes.flags()) {
                *selections += u64::from(compares);
            }
            self.undefined.extend(compared.undefined);
            while self.undefined.len() > MAX_NAMES {
                self.undefined.pop_last();
            }
        } else if line.starts_with(['!', '-']) {
            self.exclusions += 1;
        } else if let Some((name, value)) = line.split_once('=') {
            let value = self.expanded(value.trim());
            let option = match name.trim() {
                "database" | "database_in" => &mut self.database_in,
                "database_out" => &mut self.database_out,
                "database_new" => &mut self.database_new,
                "report_url" => {
                    if self.reports.len() < MAX_NAMES {
                        self.reports.insert(place(&value));
                    }
                    return;
                }
                name => return self.groups.define(name, &value),
            };
            // "If there are multiple database lines then the first is used."
            option.get_or_insert(value);
        }
    }

    fn holds(&self, word: &str, words: &[&str]) -> Option<bool> {
        match (word, words) {
            ("@@ifdef", [name]) | ("@@if", ["defined", name]) => Some(self.value(name).is_some()),
            ("@@ifndef", [name]) => Some(self.value(name).is_none()),
            ("@@ifhost", [name]) => Some(self.hostname()? == *name),
            ("@@ifnhost", [name]) => Some(self.hostname()? != *name),
            ("@@if", ["not", rest @ ..]) => self.holds(word, rest).map(|holds| !holds),
            ("@@if", ["hostname", name]) => Some(self.hostname()? == self.expanded(name)),
            ("@@if", ["exists", path]) => Some(self.reading.stat(&self.expanded(path)).ok()?.is_some()),
            _ => None,
        }
    }

    /// A file's text, or that of the files of a folder whose names match. What may be executed `@@x_include` would run:
    /// what that would print is not known, and it is left out.
    fn include(&mut self, path: &str, pattern: Option<&str>, runs: bool, depth: usize) -> Result<(), Unread> {
        if depth >= MAX_DEPTH {
            return Err(Unread::Malformed {
                place: path.to_owned(),
                reason: format!("more than {MAX_DEPTH} files include each other"),
            });
        }
        let Some(pattern) = pattern else {
            return self.include_file(path, runs, depth);
        };
        let pattern = RegexBuilder::new(&self.expanded(pattern))
            .size_limit(1 << 20)
            .build()
            .map_err(|error| Unread::Malformed {
                place: path.to_owned(),
                reason: format!("the pattern of its names: {error}"),
            })?;
        for entry in self.reading.list(path)?.unwrap_or_default() {
            if matches!(entry.kind, Kind::File | Kind::Link) && pattern.is_match(&entry.name) {
                self.include_file(&format!("{path}/{}", entry.name), runs, depth)?;
            }
        }
        Ok(())
    }

    fn include_file(&mut self, path: &str, runs: bool, depth: usize) -> Result<(), Unread> {
        if self.included >= MAX_FILES {
            return Err(Unread::Failed {
                place: path.to_owned(),
                reason: format!("more than {MAX_FILES} files"),
            });
        }
        // Debian has hundreds: one source for each folder.
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        match self.reading.stat(path)? {
            Some(stat) if stat.kind == Kind::File && !(runs && stat.mode & 0o111 != 0) => {}
            _ => return Ok(()),
        }
        let Some(bytes) = self.reading.private(path, folder)? else {
            return Ok(());
        };
        self.included += 1;
        self.take(&String::from_utf8_lossy(&bytes), depth + 1)
    }

    /// The name of the host without its domain.
    fn hostname(&self) -> Option<&str> {
        let read = || {
            let name = self.reading.attribute("/proc/sys/kernel/hostname").ok()??;
            Some(name.trim().split('.').next().unwrap_or_default().to_owned())
        };
        self.hostname.get_or_init(read).as_deref()
    }

    fn value(&self, name: &str) -> Option<&str> {
        match self.defines.get(name) {
            Some(value) => Some(value),
            None if name == "HOSTNAME" => self.hostname(),
            None => None,
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
            out.push_str(self.value(name).unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        if let Some((end, _)) = out.char_indices().nth(MAX_EXPANDED) {
            out.truncate(end);
        }
        out
    }
}

/// What Debian's daily check mails (`dailyaidecheck`, which a shell runs after it has read the file). Addresses stay here.
fn mail(reading: &Reading<'_>) -> Known<AideMail> {
    let text = match reading.private(DEFAULTS, DEFAULTS) {
        Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(None) => return Known::absent(format!("{DEFAULTS} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let set = shell::assignments(&text);
    let value = |name: &str| shell::last(&set, name).unwrap_or_default();
    Known::Observed(AideMail {
        to: match value("MAILTO") {
            "" | "root" => MailTo::Root,
            to if to.contains('@') => MailTo::Address,
            _ => MailTo::LocalUser,
        },
        only_changes: value("QUIETREPORTS") == "yes",
        never: value("SILENTREPORTS") == "yes",
    })
}

/// The path of `file:PATH` or `file:///PATH`.
fn path_of(url: &str) -> Option<&str> {
    let path = url.strip_prefix("file:")?;
    Some(path.strip_prefix("//").unwrap_or(path)).filter(|path| path.starts_with('/'))
}

/// A path, or a URL without credentials.
fn place(url: &str) -> String {
    if let Some(path) = path_of(url) {
        return path.to_owned();
    }
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
