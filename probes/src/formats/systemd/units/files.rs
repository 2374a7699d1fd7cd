//! Which unit files there are, which names mean the same unit, and what links pull in.

use std::collections::{BTreeMap, BTreeSet};

use super::template;
use crate::reading::{Kind, Reading, Unread};

/// Where unit files lie, by precedence (`systemd-analyze unit-paths --system`).
const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    OLD_FOLDER,
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
];
/// Before usr-merge; where `/lib` is a link this is the folder after it once more.
const OLD_FOLDER: &str = "/lib/systemd/system";
/// Links of links of unit files that are followed.
const MAX_ALIASES: usize = 8;

/// The folders of unit files, read once.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// Unit files by name, the first by precedence.
    pub(super) by_name: BTreeMap<String, UnitFile>,
    /// Names that mean another unit: the target's name by the link's.
    aliases: BTreeMap<String, String>,
    /// The same the other way round: the names of links by that of the unit that they mean in the end.
    linked: BTreeMap<String, Vec<String>>,
    /// Units that links in `NAME.wants`, `NAME.requires` and `NAME.upholds` pull in, by `NAME`.
    wanted: BTreeMap<String, BTreeSet<String>>,
    /// Folders of drop-ins, by the name that they apply to, by precedence.
    drop_ins: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone)]
pub(super) struct UnitFile {
    pub(super) path: String,
    pub(super) masked: bool,
}

impl Files {
    /// Reads the folders. `Ok(None)`: this host has no systemd.
    pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        let mut files = Self::default();
        let mut any = false;
        let merged = matches!(reading.stat_link("/lib")?, Some(stat) if stat.kind == Kind::Link);
        for folder in FOLDERS {
            if merged && folder == OLD_FOLDER {
                continue;
            }
            let Some(entries) = reading.list(folder)? else { continue };
            any |= folder.ends_with("lib/systemd/system") || folder == "/etc/systemd/system";
            for entry in entries {
                files.take(reading, folder, &entry.name, entry.kind)?;
            }
        }
        for alias in files.aliases.keys() {
            let unit = files.canonical(alias).to_owned();
            files.linked.entry(unit).or_default().push(alias.clone());
        }
        Ok(any.then_some(files))
    }

    fn take(&mut self, reading: &Reading<'_>, folder: &str, name: &str, kind: Kind) -> Result<(), Unread> {
        let path = format!("{folder}/{name}");
        match name.rsplit_once('.') {
            Some((unit, "wants" | "requires" | "upholds")) if kind != Kind::File => {
                for link in reading.entries(&path)?.unwrap_or_default() {
                    self.wanted.entry(unit.to_owned()).or_default().insert(link.name);
                }
            }
            Some((unit, "d")) if kind != Kind::File => {
                self.drop_ins.entry(unit.to_owned()).or_default().push(path);
            }
            _ if is_unit(name) && matches!(kind, Kind::File | Kind::Link) && !self.by_name.contains_key(name) => {
                let mut masked = false;
                if kind == Kind::Link {
                    let target = reading.link(&path)?.unwrap_or_default();
                    masked = target == "/dev/null";
                    let target = target.rsplit('/').next().unwrap_or_default();
                    if target != name && is_unit(target) && template(name).as_deref() != Some(target) {
                        self.aliases.insert(name.to_owned(), target.to_owned());
                    }
                } else if folder.starts_with("/etc/") {
                    // An empty file masks too; vendors ship none.
                    masked = matches!(reading.stat(&path)?, Some(stat) if stat.size == 0);
                }
                self.by_name.insert(name.to_owned(), UnitFile { path, masked });
            }
            _ => {}
        }
        Ok(())
    }

    /// The file of a unit; for an instance (`a@b.service`) without one that of the template.
    pub(super) fn file(&self, unit: &str) -> Option<&UnitFile> {
        let unit = self.canonical(unit);
        self.by_name
            .get(unit)
            .or_else(|| self.by_name.get(self.canonical(&template(unit)?)))
    }

    /// The name that a unit goes by.
    pub(super) fn canonical<'a>(&'a self, unit: &'a str) -> &'a str {
        let mut name = unit;
        for _ in 0..MAX_ALIASES {
            let Some(target) = self.aliases.get(name) else { break };
            name = target;
        }
        name
    }

    /// All names of a unit, given by its canonical one, and of its template: those that folders beside it may be named for.
    fn names(&self, unit: &str) -> Vec<String> {
        let mut names = vec![unit.to_owned()];
        names.extend(template(unit));
        names.extend(self.linked.get(unit).into_iter().flatten().cloned());
        names
    }

    /// Units that links beside a unit pull in, by the names in the links.
    pub(super) fn wanted(&self, unit: &str) -> BTreeSet<&str> {
        let names = self.names(unit);
        let wanted = names.iter().filter_map(|name| self.wanted.get(name));
        wanted.flatten().map(String::as_str).collect()
    }

    /// The paths of a unit's drop-ins in the order in which they apply (systemd.unit(5)): sorted by file name, and of two
    /// of the same name the one for the longer name of the unit, then the one of higher precedence.
    pub(super) fn drop_ins(&self, reading: &Reading<'_>, unit: &str) -> Result<Vec<String>, Unread> {
        let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut names = self.names(unit);
        names.extend(shorter(unit));
        for folder in names.iter().filter_map(|name| self.drop_ins.get(name)).flatten() {
            for entry in reading.entries(folder)?.unwrap_or_default() {
                if entry.name.strip_suffix(".conf").is_none() || found.contains_key(&entry.name) {
                    continue;
                }
                let path = format!("{folder}/{}", entry.name);
                let hides = entry.kind == Kind::Link && reading.link(&path)?.as_deref() == Some("/dev/null");
                found.insert(entry.name, (!hides).then_some(path));
            }
        }
        Ok(found.into_values().flatten().collect())
    }
}

/// `a-b-.service`, `a-.service` and `service` for `a-b-c.service`.
fn shorter(unit: &str) -> Vec<String> {
    let Some((name, kind)) = unit.rsplit_once('.') else {
        return vec![];
    };
    let dashes = name.rmatch_indices('-').filter(|(at, _)| at + 1 < name.len());
    let mut names: Vec<String> = dashes
        .filter_map(|(at, _)| Some(format!("{}.{kind}", name.get(..=at)?)))
        .collect();
    names.push(kind.to_owned());
    names
}

pub(super) fn is_unit(name: &str) -> bool {
    let kinds = [
        "service",
        "socket",
        "timer",
        "path",
        "mount",
        "automount",
        "swap",
        "target",
        "slice",
    ];
    name.rsplit_once('.').is_some_and(|(_, kind)| kinds.contains(&kind))
}
