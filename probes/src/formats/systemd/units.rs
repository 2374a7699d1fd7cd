//! The state of units, from the files that systemd keeps: what starts at boot (systemd.unit(5), systemctl(1) `is-enabled`)
//! and what runs now (`/run/systemd/units`, where systemd keeps a link `invocation:UNIT` for each unit that is active).

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;
use schemars::JsonSchema;
use serde::Serialize;

use super::syntax;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};

/// Where unit files lie, by precedence (systemd.unit(5), *System Unit Search Path*).
const FOLDERS: [&str; 9] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
];
/// Before usr-merge; where `/lib` is a link this is a folder above once more.
const OLD_FOLDER: &str = "/lib/systemd/system";
const ACTIVE: &str = "/run/systemd/units";

/// Whether a unit starts with the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtBoot {
    /// A link in a `.wants`, `.requires` or `.upholds` folder of another unit pulls it in.
    Pulled,
    /// Nothing pulls it in; it may still be started by hand, by a socket, timer or D-Bus.
    NotPulled,
    /// A link to `/dev/null` or an empty file: it cannot be started.
    Masked,
}

/// A unit as its files tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnitState {
    /// The unit's name, for instance `auditd.service`.
    pub unit: String,
    /// Whether it starts with the machine.
    pub at_boot: AtBoot,
    /// Whether it is active now; not known where systemd does not run.
    pub active: Known<bool>,
}

/// All units of a host, read once.
#[derive(Debug, Clone)]
pub struct Units {
    /// Unit files by name, the first by precedence.
    files: BTreeMap<String, UnitFile>,
    pulled: BTreeSet<String>,
    active: Known<BTreeSet<String>>,
}

#[derive(Debug, Clone)]
struct UnitFile {
    path: String,
    masked: bool,
}

impl Units {
    /// Reads the folders. `Ok(None)`: this host has no systemd.
    pub fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        let mut units = Self {
            files: BTreeMap::new(),
            pulled: BTreeSet::new(),
            active: active(reading),
        };
        let mut any = false;
        let merged = matches!(reading.stat_link("/lib")?, Some(stat) if stat.kind == Kind::Link);
        let old = (!merged).then_some(OLD_FOLDER);
        for folder in FOLDERS.into_iter().chain(old) {
            let Some(entries) = reading.list(folder)? else { continue };
            any |= folder.ends_with("lib/systemd/system") || folder == "/etc/systemd/system";
            for entry in entries {
                units.take(reading, folder, &entry.name, entry.kind)?;
            }
        }
        Ok(any.then_some(units))
    }

    fn take(&mut self, reading: &Reading<'_>, folder: &str, name: &str, kind: Kind) -> Result<(), Unread> {
        let path = format!("{folder}/{name}");
        let dependencies = matches!(name.rsplit_once('.'), Some((_, "wants" | "requires" | "upholds")));
        if dependencies && kind != Kind::File {
            let pulled = reading.list(&path)?.unwrap_or_default();
            self.pulled.extend(pulled.into_iter().map(|unit| unit.name));
        } else if is_unit(name) && matches!(kind, Kind::File | Kind::Link) && !self.files.contains_key(name) {
            let masked = match kind {
                Kind::Link => reading.link(&path)?.as_deref() == Some("/dev/null"),
                // An empty file masks too; the vendor ships none.
                _ => folder.starts_with("/etc/") && matches!(reading.stat(&path)?, Some(stat) if stat.size == 0),
            };
            self.files.insert(name.to_owned(), UnitFile { path, masked });
        }
        Ok(())
    }

    /// The state of a unit; `None` if there is no such unit. For an instance (`a@b.service`) the template counts.
    pub fn state(&self, unit: &str) -> Option<UnitState> {
        let file = self.file(unit)?;
        let at_boot = if file.masked {
            AtBoot::Masked
        } else if self.pulled.contains(unit) {
            AtBoot::Pulled
        } else {
            AtBoot::NotPulled
        };
        let active = match &self.active {
            Known::Observed(active) => Known::Observed(active.contains(unit)),
            Known::Not(why) => Known::Not(why.clone()),
        };
        Some(UnitState {
            unit: unit.to_owned(),
            at_boot,
            active,
        })
    }

    /// The states of those among `units` that there are.
    pub fn states<'a>(&self, units: impl IntoIterator<Item = &'a str>) -> Vec<UnitState> {
        units.into_iter().filter_map(|unit| self.state(unit)).collect()
    }

    /// The names of all units that have a file, and of those that are active without one (mounts, scopes).
    pub fn names(&self) -> BTreeSet<&str> {
        let files = self.files.keys().map(String::as_str);
        let active = self.active.value().into_iter().flatten().map(String::as_str);
        files.chain(active).collect()
    }

    /// Where the file of a unit lies; `None` if there is none.
    pub fn path(&self, unit: &str) -> Option<&str> {
        self.file(unit).map(|file| file.path.as_str())
    }

    /// The assignments of a unit's file and drop-ins, in the order in which systemd applies them. `Ok(None)`: no such unit,
    /// or it is masked.
    pub fn assignments(&self, reading: &Reading<'_>, unit: &str) -> Result<Option<Vec<syntax::Assignment>>, Unread> {
        let Some(file) = self.file(unit).filter(|file| !file.masked) else {
            return Ok(None);
        };
        let mut drop_ins = BTreeMap::new();
        let template = template(unit);
        for name in [Some(unit), template.as_deref()].into_iter().flatten() {
            for folder in FOLDERS {
                let folder = format!("{folder}/{name}.d");
                for entry in reading.list(&folder)?.unwrap_or_default() {
                    if entry.name.ends_with(".conf") {
                        let path = format!("{folder}/{}", entry.name);
                        drop_ins.entry(entry.name).or_insert(path);
                    }
                }
            }
        }
        let mut assignments = Vec::new();
        for path in std::iter::once(file.path.clone()).chain(drop_ins.into_values()) {
            let text = reading.text(&path)?.unwrap_or_default();
            let parsed = syntax::parse(&text).map_err(|error| Unread::Malformed {
                place: path,
                reason: error.to_string(),
            })?;
            assignments.extend(parsed);
        }
        Ok(Some(assignments))
    }

    fn file(&self, unit: &str) -> Option<&UnitFile> {
        self.files.get(unit).or_else(|| self.files.get(&template(unit)?))
    }
}

/// `a@.service` for `a@b.service`.
fn template(unit: &str) -> Option<String> {
    let (prefix, rest) = unit.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

fn is_unit(name: &str) -> bool {
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

fn active(reading: &Reading<'_>) -> Known<BTreeSet<String>> {
    match reading.list(ACTIVE) {
        Ok(Some(entries)) => {
            let names = entries
                .iter()
                .filter_map(|entry| entry.name.strip_prefix("invocation:"));
            Known::Observed(names.map(str::to_owned).collect())
        }
        Ok(None) => Known::Not(NotKnown {
            outcome: Outcome::Absent,
            detail: format!("{ACTIVE} is not there: systemd does not run"),
        }),
        Err(unread) => Known::unread(&unread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn units(host: &Captured) -> Units {
        Units::read(&testing(host)).unwrap().unwrap()
    }

    fn host() -> Captured {
        Captured::default()
            .link("/lib", "usr/lib")
            .file(
                "/usr/lib/systemd/system/a.service",
                "[Service]\nUser=a\n[Install]\nWantedBy=multi-user.target\n",
            )
            .file("/usr/lib/systemd/system/b.service", "[Service]\n")
            .file("/usr/lib/systemd/system/t@.service", "[Service]\n")
            .link(
                "/etc/systemd/system/multi-user.target.wants/a.service",
                "/lib/systemd/system/a.service",
            )
            .link(
                "/etc/systemd/system/multi-user.target.wants/t@1.service",
                "/lib/systemd/system/t@.service",
            )
            .link("/etc/systemd/system/b.service", "/dev/null")
    }

    #[test]
    fn at_boot_and_now() {
        let running = host().link("/run/systemd/units/invocation:a.service", "0123");
        let units = units(&running);
        let a = units.state("a.service").unwrap();
        assert_eq!((a.at_boot, a.active), (AtBoot::Pulled, Known::Observed(true)));
        let b = units.state("b.service").unwrap();
        assert_eq!((b.at_boot, b.active), (AtBoot::Masked, Known::Observed(false)));
        assert_eq!(units.state("t@1.service").unwrap().at_boot, AtBoot::Pulled);
        assert_eq!(units.state("t@2.service").unwrap().at_boot, AtBoot::NotPulled);
        assert_eq!(units.state("c.service"), None);
    }

    #[test]
    fn without_a_running_systemd_nothing_is_said_about_now() {
        let state = units(&host()).state("a.service").unwrap();
        assert!(matches!(
            state.active,
            Known::Not(NotKnown {
                outcome: Outcome::Absent,
                ..
            })
        ));
        let denied = host().denied("/run/systemd/units");
        let state = units(&denied).state("a.service").unwrap();
        assert!(matches!(
            state.active,
            Known::Not(NotKnown {
                outcome: Outcome::Denied,
                ..
            })
        ));
    }

    #[test]
    fn no_systemd_is_none_and_denied_is_an_error() {
        assert!(Units::read(&testing(&Captured::default())).unwrap().is_none());
        let denied = host().denied("/etc/systemd/system");
        assert!(matches!(Units::read(&testing(&denied)), Err(Unread::Denied { .. })));
    }

    #[test]
    fn assignments_come_with_drop_ins() {
        let host = host()
            .file("/etc/systemd/system/a.service.d/10.conf", "[Service]\nUser=b\n")
            .file("/usr/lib/systemd/system/a.service.d/10.conf", "[Service]\nUser=c\n");
        let reading = testing(&host);
        let units = Units::read(&reading).unwrap().unwrap();
        let assignments = units.assignments(&reading, "a.service").unwrap().unwrap();
        let users: Vec<_> = assignments
            .iter()
            .filter(|one| one.name == "User")
            .map(|one| one.value.as_str())
            .collect();
        assert_eq!(users, ["a", "b"]);
        assert!(units.assignments(&reading, "b.service").unwrap().is_none());
    }
}
