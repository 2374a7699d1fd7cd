//! Rules as auditctl(8) takes and prints them.

use std::collections::{BTreeMap, BTreeSet};

use super::coverage;
use super::facts::{Enabled, Failure, RuleSet};

/// The kernel takes fewer.
const MAX_RULES: usize = 10_000;
const MAX_UNPARSED: usize = 100;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    /// `always` or `never`; empty for a watch.
    pub(super) action: String,
    /// `exit`, `user`, `exclude`, …; `exit` for a watch.
    pub(super) list: String,
    /// Names or numbers; empty is all.
    pub(super) calls: BTreeSet<String>,
    /// `name=value` with its operator, without keys.
    pub(super) fields: BTreeSet<String>,
    /// By which events are found.
    keys: BTreeSet<String>,
}

impl Rule {
    /// The value of a field that must be equal.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }

    /// The path that it watches, and the permissions. Only what a watch has may be in it: a path alone is none.
    pub(super) fn watch(&self) -> Option<(&str, &str)> {
        let path = self.field("path").or_else(|| self.field("dir"))?;
        let perm = self.field("perm")?;
        (self.list == "exit" && self.action == "always").then_some((path, perm))
    }

    /// Whether it keeps events from being made whatever else is true, for system calls of that width.
    pub(super) fn silences(&self, width: &str) -> bool {
        self.action == "never"
            && self.list == "exit"
            && self.fields.iter().all(|field| field == &format!("arch={width}"))
    }

    fn canonical(&self) -> String {
        let mut text = format!("-a {},{}", self.action, self.list);
        for field in &self.fields {
            text += " -F ";
            text += field;
        }
        if !self.calls.is_empty() {
            text += " -S ";
            text += &self.calls.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        }
        text
    }
}

/// Reads files in the order in which they are loaded; each with its path, which is empty for the kernel's own list.
/// `merged`: augenrules makes one file of them, in which `-D` comes first and so takes nothing away, and `-e` last; a last
/// line without its end goes on with the first of the next file.
pub(super) fn parse(files: &[(String, String)], merged: bool) -> RuleSet {
    let mut set = RuleSet {
        files: files
            .iter()
            .map(|(path, _)| path.clone())
            .filter(|path| !path.is_empty())
            .collect(),
        enabled: None,
        failure: None,
        backlog_limit: None,
        loginuid_immutable: false,
        rules: vec![],
        watched: BTreeMap::new(),
        coverage: BTreeMap::new(),
        exclusions: 0,
        keys: BTreeMap::new(),
        without_key: 0,
        unparsed: vec![],
    };
    let mut rules: Vec<Rule> = vec![];
    let mut begun = String::new();
    for (place, (path, text)) in files.iter().enumerate() {
        let more = || files.iter().skip(place + 1).any(|(_, text)| !text.is_empty());
        let goes_on = merged && !text.ends_with('\n') && more();
        let count = text.lines().count();
        for (index, line) in text.lines().enumerate() {
            if goes_on && index + 1 == count {
                begun += line;
                continue;
            }
            let joined = std::mem::take(&mut begun) + line;
            let line = joined.trim();
            if line.is_empty() || line.starts_with('#') || line == "No rules" {
                continue;
            }
            if !merged && set.enabled == Some(Enabled::Locked) {
                if set.unparsed.len() < MAX_UNPARSED {
                    set.unparsed.push(format!("{path}:{}", index + 1));
                }
                continue;
            }
            if line == "-D" {
                if !merged {
                    rules.clear();
                }
                continue;
            }
            if (take(&mut set, &mut rules, line).is_none() || rules.len() > MAX_RULES)
                && set.unparsed.len() < MAX_UNPARSED
            {
                set.unparsed.push(format!("{path}:{}", index + 1));
            }
            rules.truncate(MAX_RULES);
        }
    }
    for rule in &rules {
        for key in &rule.keys {
            *set.keys.entry(key.clone()).or_default() += 1;
        }
        set.without_key += u64::from(rule.keys.is_empty());
        if rule.action == "never" || rule.list == "exclude" {
            set.exclusions += 1;
        }
        if let Some((path, perm)) = rule.watch() {
            let known = set.watched.entry(path.to_owned()).or_default();
            *known = permissions(&format!("{known}{perm}"));
        }
    }
    set.coverage = coverage::of(&rules);
    set.rules = rules.iter().map(Rule::canonical).collect();
    set
}

/// One line; `None` if it is not understood.
fn take(set: &mut RuleSet, rules: &mut Vec<Rule>, line: &str) -> Option<()> {
    let mut words = line.split_ascii_whitespace();
    let mut rule = Rule::default();
    let mut is_rule = false;
    let mut first = false;
    while let Some(word) = words.next() {
        match word {
            "-e" => {
                set.enabled = Some(enabled(words.next()?)?);
                return Some(());
            }
            "-f" => {
                set.failure = Some(failure(words.next()?)?);
                return Some(());
            }
            "-b" => {
                set.backlog_limit = Some(words.next()?.parse().ok()?);
                return Some(());
            }
            "-r" | "--backlog_wait_time" | "-c" | "-i" | "--reset-lost" | "--reset_backlog_wait_time_actual" => {
                return Some(());
            }
            "--loginuid-immutable" => {
                set.loginuid_immutable = true;
                return Some(());
            }
            "-A" => (is_rule, first) = (true, true),
            "-a" | "-w" => is_rule = true,
            _ => {}
        }
        match word {
            "-a" | "-A" => list(&mut rule, words.next()?)?,
            "-w" => {
                list(&mut rule, "always,exit")?;
                let path = words.next()?;
                let path = if path.len() > 1 {
                    path.trim_end_matches('/')
                } else {
                    path
                };
                // Without -p it is all; the kernel's list has path and dir alike.
                rule.fields.insert(format!("path={path}"));
                rule.fields.insert("perm=rwxa".to_owned());
            }
            "-p" => {
                rule.fields.retain(|field| !field.starts_with("perm="));
                rule.fields.insert(format!("perm={}", permissions(words.next()?)));
            }
            "-k" => drop(rule.keys.insert(words.next()?.to_owned())),
            "-S" => rule.calls.extend(
                words
                    .next()?
                    .split(',')
                    .filter(|call| *call != "all")
                    .map(str::to_owned),
            ),
            "-F" => field(&mut rule, words.next()?),
            "-C" => comparison(&mut rule, words.next()?)?,
            _ => return None,
        }
    }
    if is_rule {
        rules.insert(if first { 0 } else { rules.len() }, rule);
    }
    is_rule.then_some(())
}

/// `always,exit` and `exit,always` are the same.
fn list(rule: &mut Rule, word: &str) -> Option<()> {
    let (one, other) = word.split_once(',')?;
    let is_action = |word: &str| matches!(word, "always" | "never" | "possible");
    let (action, list) = if is_action(one) { (one, other) } else { (other, one) };
    if !is_action(action) {
        return None;
    }
    action.clone_into(&mut rule.action);
    list.clone_into(&mut rule.list);
    Some(())
}

/// A comparison of two fields; the kernel tells its sides in an order of its own.
fn comparison(rule: &mut Rule, word: &str) -> Option<()> {
    let operator = if word.contains("!=") { "!=" } else { "=" };
    let (one, other) = word.split_once(operator)?;
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    rule.fields.insert(format!("{one}{operator}{other}"));
    Some(())
}

/// One field, in the form in which the kernel's list has it.
fn field(rule: &mut Rule, word: &str) {
    let at = word.find(['=', '!', '<', '>', '&']).unwrap_or(word.len());
    let (name, rest) = word.split_at(at);
    let value = rest.trim_start_matches(['=', '!', '<', '>', '&']);
    let operator = rest.strip_suffix(value).unwrap_or(rest);
    match name {
        "dir" if operator == "=" => {
            rule.fields.insert(format!("path={}", value.trim_end_matches('/')));
        }
        "perm" => {
            rule.fields.retain(|field| !field.starts_with("perm="));
            rule.fields.insert(format!("perm={}", permissions(value)));
        }
        "key" => drop(rule.keys.insert(value.to_owned())),
        _ => {
            rule.fields.insert(format!("{name}{operator}{}", plain(name, value)));
        }
    }
}

/// A value in one of the several ways to write it: numbers in decimal.
fn plain(name: &str, value: &str) -> String {
    let of_user = name.ends_with("uid") || name.ends_with("gid");
    match (name, value) {
        ("auid" | "loginuid", "-1" | "4294967295") => "unset".to_owned(),
        ("arch", "x86_64" | "aarch64" | "ppc64" | "ppc64le" | "s390x") => "b64".to_owned(),
        ("arch", "i386" | "i486" | "i586" | "i686" | "arm" | "armv7l" | "armv8l" | "ppc" | "s390") => "b32".to_owned(),
        ("exit", "-13") => "-EACCES".to_owned(),
        ("exit", "-1") => "-EPERM".to_owned(),
        ("exit", "-2") => "-ENOENT".to_owned(),
        ("filetype", _) => FILE_TYPES
            .iter()
            .find(|(word, _)| *word == value)
            .map_or_else(|| value.to_owned(), |(_, number)| (*number).to_owned()),
        (_, "root") if of_user => "0".to_owned(),
        _ => number(value).map_or_else(|| value.to_owned(), |number| number.to_string()),
    }
}

/// `S_IFMT` of stat(2), as the kernel's list has it.
const FILE_TYPES: [(&str, &str); 7] = [
    ("fifo", "4096"),
    ("character", "8192"),
    ("dir", "16384"),
    ("block", "24576"),
    ("file", "32768"),
    ("link", "40960"),
    ("socket", "49152"),
];

/// As strtoul(3) reads it: hexadecimal after `0x`, octal after `0`.
fn number(value: &str) -> Option<u64> {
    match value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if value.starts_with('0') => u64::from_str_radix(value, 8).ok(),
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => value.parse().ok(),
        None => None,
    }
}

/// In the order in which auditctl prints them.
fn permissions(text: &str) -> String {
    "rwxa".chars().filter(|one| text.contains(*one)).collect()
}

pub(super) fn enabled(word: &str) -> Option<Enabled> {
    Some(match word {
        "0" => Enabled::Off,
        "1" => Enabled::On,
        "2" => Enabled::Locked,
        _ => return None,
    })
}

pub(super) fn failure(word: &str) -> Option<Failure> {
    Some(match word {
        "0" => Failure::Silent,
        "1" => Failure::Printk,
        "2" => Failure::Panic,
        _ => return None,
    })
}
