//! The configuration files (sshd_config(5)): what is written before the first `Match`, and the `Match` blocks.

use std::collections::{BTreeMap, BTreeSet};

use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};
use evidence::facts::Outcome;

use super::options::Options;
use super::patterns;
use super::words::words;

/// Where sshd looks unless told otherwise.
pub(super) const MAIN: &str = "/etc/ssh/sshd_config";
/// Where SUSE's sshd looks if that is not there.
const VENDOR_MAIN: &str = "/usr/etc/ssh/sshd_config";
/// Folder of relative paths in `Include`.
const FOLDER: &str = "/etc/ssh";
/// `SERVCONF_MAX_DEPTH` of OpenSSH.
const MAX_DEPTH: u8 = 16;
/// More files than a configuration has; bounds includes that include each other many times over.
const MAX_FILES: usize = 500;
/// More `Match` blocks than a configuration has; each costs a run of sshd.
const MAX_BLOCKS: usize = 1_000;

/// The configuration as it is written.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Paths in the order of reading; a file that is included twice is listed once.
    pub(super) files: Vec<String>,
    /// Folders in which included files were looked for.
    pub(super) folders: BTreeSet<String>,
    /// Before the first `Match`: values of all lines by keyword.
    pub(super) settings: BTreeMap<String, Vec<String>>,
    /// `Match` blocks in the order of reading.
    pub(super) blocks: Vec<Block>,
    /// Files read, repetitions included.
    reads: usize,
}

/// A `Match` block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) path: String,
    pub(super) line: u32,
    /// What follows `Match`.
    pub(super) text: String,
    /// All must be met. Those of the block that includes this block's file come first.
    pub(super) criteria: Vec<Criterion>,
    /// Keywords set in the block.
    pub(super) sets: BTreeSet<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Criterion {
    /// Lower case; `all` needs nothing.
    pub(super) kind: String,
    /// Patterns; empty for kinds without.
    pub(super) patterns: String,
}

/// Why the configuration is not known.
pub(super) enum ConfigError {
    Unread(Unread),
    Absent(String),
    Malformed { path: String, line: u32, reason: String },
}

impl From<Unread> for ConfigError {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl ConfigError {
    pub(super) fn known<T>(&self) -> Known<T> {
        let (outcome, detail) = match self {
            Self::Unread(unread) => return Known::unread(unread),
            Self::Absent(path) => (Outcome::Absent, format!("{path} is not there")),
            Self::Malformed { path, line, reason } => (Outcome::Malformed, format!("{path}:{line}: {reason}")),
        };
        Known::Not(NotKnown { outcome, detail })
    }
}

/// Reads the configuration from its main file on, with the lines that the service's options hold before it.
pub(super) fn read(reading: &Reading<'_>, options: &Options) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    for line in &options.lines {
        // One that sshd does not take keeps it from telling anything.
        if let Ok(Some((keyword, arguments))) = words(line) {
            config.settings.entry(keyword).or_default().push(arguments.join(" "));
        }
    }
    let main = options.main.as_deref();
    let found = config.file(reading, main.unwrap_or(MAIN), None, MAX_DEPTH)?
        || (main.is_none() && config.file(reading, VENDOR_MAIN, None, MAX_DEPTH)?);
    if !found {
        return Err(ConfigError::Absent(main.unwrap_or(MAIN).to_owned()));
    }
    Ok(config)
}

impl Config {
    /// Reads one file; false if it is not there. `within` is the block that includes it. A `Match` in the file ends
    /// with the file.
    fn file(
        &mut self,
        reading: &Reading<'_>,
        path: &str,
        within: Option<usize>,
        depth: u8,
    ) -> Result<bool, ConfigError> {
        let malformed = |line, reason: &str| ConfigError::Malformed {
            path: path.to_owned(),
            line,
            reason: reason.to_owned(),
        };
        self.reads += 1;
        if self.reads > MAX_FILES {
            return Err(malformed(0, "too many included files"));
        }
        let Some(text) = reading.text(path)? else {
            return Ok(false);
        };
        if !self.files.iter().any(|file| file == path) {
            self.files.push(path.to_owned());
        }
        let mut block = within;
        for (number, line) in (1..).zip(text.lines()) {
            let Some((keyword, arguments)) = words(line).map_err(|reason| malformed(number, reason))? else {
                continue;
            };
            match keyword.as_str() {
                "match" => {
                    if self.blocks.len() == MAX_BLOCKS {
                        return Err(malformed(number, "too many Match blocks"));
                    }
                    let mut criteria = within
                        .and_then(|outer| self.blocks.get(outer))
                        .map(|outer| outer.criteria.clone())
                        .unwrap_or_default();
                    criteria.extend(parse_criteria(&arguments).map_err(|reason| malformed(number, reason))?);
                    self.blocks.push(Block {
                        path: path.to_owned(),
                        line: number,
                        text: arguments.join(" "),
                        criteria,
                        sets: BTreeSet::new(),
                    });
                    block = Some(self.blocks.len() - 1);
                }
                "include" => {
                    if depth == 0 {
                        return Err(malformed(number, "includes are nested too deeply"));
                    }
                    for pattern in &arguments {
                        for included in self.expand(reading, pattern)? {
                            self.file(reading, &included, block, depth - 1)?;
                        }
                    }
                }
                _ => match block.map(|block| self.blocks.get_mut(block)) {
                    Some(Some(block)) => {
                        block.sets.insert(keyword);
                    }
                    _ => self.settings.entry(keyword).or_default().push(arguments.join(" ")),
                },
            }
        }
        Ok(true)
    }

    /// Paths that a pattern of `Include` names, sorted, as glob(3) gives them.
    fn expand(&mut self, reading: &Reading<'_>, pattern: &str) -> Result<Vec<String>, Unread> {
        let pattern = if pattern.starts_with('/') {
            pattern.to_owned()
        } else {
            format!("{FOLDER}/{pattern}")
        };
        let mut paths = vec![String::new()];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut next = vec![];
            for path in &paths {
                if !part.contains(['*', '?', '[']) {
                    next.push(format!("{path}/{part}"));
                    continue;
                }
                let folder = if path.is_empty() { "/" } else { path };
                let entries = reading.list(folder)?.unwrap_or_default();
                self.folders.insert(folder.to_owned());
                let hidden = part.starts_with('.');
                let names = entries
                    .iter()
                    .map(|entry| &entry.name)
                    .filter(|name| hidden || !name.starts_with('.'));
                next.extend(
                    names
                        .filter(|name| glob(name, part))
                        .map(|name| format!("{path}/{name}")),
                );
                if next.len() > MAX_FILES {
                    break;
                }
            }
            paths = next;
        }
        let mut files = vec![];
        for path in paths {
            // A folder that the pattern finds is a file that cannot be read, for sshd too; then its own word counts.
            if reading.stat(&path)?.is_some_and(|stat| stat.kind != Kind::Folder) {
                files.push(path);
            }
        }
        files.order();
        Ok(files)
    }
}

/// Criteria that stand alone.
const WITHOUT_PATTERNS: [&str; 3] = ["all", "canonical", "final"];

/// `kind patterns kind patterns …` or, in newer versions, `kind=patterns`.
fn parse_criteria(arguments: &[String]) -> Result<Vec<Criterion>, &'static str> {
    let mut criteria = vec![];
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (kind, patterns) = match word.split_once('=') {
            Some((kind, patterns)) => (kind, Some(patterns)),
            None => (word.as_str(), None),
        };
        let kind = kind.to_ascii_lowercase();
        let patterns = match patterns {
            Some(patterns) => patterns.to_owned(),
            // `invalid-user` of OpenSSH 9.9 stands alone as well; sshd -C knows no such connection.
            None if WITHOUT_PATTERNS.contains(&kind.as_str()) || kind == "invalid-user" => String::new(),
            None => words.next().ok_or("a criterion of Match has no patterns")?.clone(),
        };
        criteria.push(Criterion { kind, patterns });
    }
    if criteria.is_empty() {
        return Err("Match has no criteria");
    }
    Ok(criteria)
}

/// glob(7) for one component: `*`, `?` and sets in brackets.
fn glob(name: &str, pattern: &str) -> bool {
    let Some((before, set)) = pattern.split_once('[') else {
        return patterns::matches(name, pattern);
    };
    let Some((set, after)) = set.split_once(']') else {
        return patterns::matches(name, pattern);
    };
    // A set is rare: every way to cut the name at one character of the set is tried.
    let (negated, set) = match set.strip_prefix(['!', '^']) {
        Some(set) => (true, set),
        None => (false, set),
    };
    name.char_indices().any(|(at, c)| {
        let rest = name.get(at + c.len_utf8()..).unwrap_or_default();
        let start = name.get(..at).unwrap_or_default();
        in_set(c, set) != negated && patterns::matches(start, before) && glob(rest, after)
    })
}

fn in_set(c: char, set: &str) -> bool {
    let set: Vec<char> = set.chars().collect();
    let ranges = set
        .windows(3)
        .any(|window| matches!(window, [low, '-', high] if (*low..=*high).contains(&c)));
    ranges || set.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Probe;
    use crate::reading::captured::Captured;
    use crate::sshd::SshdProbe;

    fn config(host: &Captured) -> Result<Config, String> {
        let reading = Reading::new(host, &SshdProbe::SPEC);
        read(&reading, &Options::default()).map_err(|error| match error.known::<()>() {
            Known::Not(why) => why.detail,
            Known::Observed(()) => unreachable!(),
        })
    }

    #[test]
    fn includes_are_read_where_they_stand_and_end_their_blocks() {
        let host = Captured::default()
            .file(
                MAIN,
                "Include /etc/ssh/sshd_config.d/*.conf\nPort 22\nMatch User bob\n  X11Forwarding no\n  Include more.conf\n\
                 Match all\nBanner none\n",
            )
            .file("/etc/ssh/sshd_config.d/10-a.conf", "PermitRootLogin no\nMatch Group wheel\nPermitTTY no\n")
            .file("/etc/ssh/sshd_config.d/20-b.conf", "Port 2222\n")
            .file("/etc/ssh/sshd_config.d/.hidden.conf", "Port 1\n")
            .file("/etc/ssh/sshd_config.d/off", "Port 2\n")
            .file("/etc/ssh/more.conf", "PermitTTY no\nMatch Address 10.0.0.0/8\nMaxSessions 1\n");
        let config = config(&host).unwrap();
        assert_eq!(config.settings["port"], ["2222", "22"]);
        assert_eq!(config.settings["permitrootlogin"], ["no"]);
        assert_eq!(config.files.len(), 4);
        let blocks: Vec<_> = config
            .blocks
            .iter()
            .map(|block| {
                let kinds: Vec<_> = block.criteria.iter().map(|criterion| criterion.kind.as_str()).collect();
                (
                    block.line,
                    kinds.join(" "),
                    block.sets.iter().cloned().collect::<Vec<_>>().join(" "),
                )
            })
            .collect();
        let block = |line, kinds: &str, sets: &str| (line, kinds.to_owned(), sets.to_owned());
        assert_eq!(
            blocks,
            [
                block(2, "group", "permittty"),
                block(3, "user", "permittty x11forwarding"),
                block(2, "user address", "maxsessions"),
                block(6, "all", "banner"),
            ]
        );
    }

    #[test]
    fn refusals_name_the_place() {
        let host = Captured::default();
        assert_eq!(config(&host).unwrap_err(), "/etc/ssh/sshd_config is not there");
        let host = Captured::default().file(MAIN, "Port 22\nBanner \"x\n");
        assert_eq!(
            config(&host).unwrap_err(),
            "/etc/ssh/sshd_config:2: a quote is not closed"
        );
        let host = Captured::default().file(MAIN, "Match User\n");
        assert_eq!(
            config(&host).unwrap_err(),
            "/etc/ssh/sshd_config:1: a criterion of Match has no patterns"
        );
        let host = Captured::default().file(MAIN, "Include /etc/ssh/sshd_config\n");
        assert!(config(&host).unwrap_err().contains("nested too deeply"));
        let twice = "Include /etc/ssh/sshd_config\nInclude /etc/ssh/sshd_config\n";
        let host = Captured::default().file(MAIN, twice);
        assert!(config(&host).is_err());
        let host = Captured::default()
            .file(MAIN, "Include sshd_config.d/*\n")
            .denied("/etc/ssh/sshd_config.d/a");
        assert_eq!(
            config(&host).unwrap_err(),
            "/etc/ssh/sshd_config.d/a: permission denied"
        );
    }

    #[test]
    fn globs() {
        assert!(glob("10-a.conf", "*.conf"));
        assert!(glob("10-a.conf", "[0-9]*.conf"));
        assert!(glob("x-a.conf", "[!0-9]-?.conf"));
        assert!(!glob("a.conf", "[0-9]*.conf"));
        assert!(glob("a[b", "a[b"));
    }
}
