//! The state of units, from the files that systemd keeps: what starts at boot (systemd.unit(5)) and what runs now.

mod active;
mod boot;
mod files;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::syntax;
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use active::Active;
use boot::Boot;
use files::Files;

/// Asked for the state of timers, sockets, paths, mounts and targets, which no file tells, by probes that declare it.
pub const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// Whether a unit starts with the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtBoot {
    /// `default.target` pulls it in, itself or through other units, by links in `.wants`, `.requires` and `.upholds` folders
    /// or by what is written in unit files. Conditions may still keep it from starting.
    Pulled,
    /// Nothing that starts with the machine pulls it in; it may still be started by hand, by a socket, timer, device or
    /// D-Bus.
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
    /// Whether it is active now; not known where systemd does not run, and for other units than services where
    /// systemctl is not asked.
    pub active: Known<bool>,
}

/// All units of a host, read once.
#[derive(Debug, Clone)]
pub struct Units {
    told: Arc<Told>,
    active: Active,
}

/// What the files tell, the same for every probe.
#[derive(Debug)]
struct Told {
    files: Files,
    boot: Boot,
}

impl Told {
    fn read(reading: &Reading<'_>) -> Result<Option<Arc<Self>>, Unread> {
        let Some(files) = Files::read(reading)? else {
            return Ok(None);
        };
        let boot = Boot::read(reading, &files)?;
        Ok(Some(Arc::new(Self { files, boot })))
    }
}

impl Units {
    /// Reads the folders. `Ok(None)`: this host has no systemd.
    pub fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        let told = reading.shared("systemd units", Told::read);
        let Some(told) = told.as_ref().clone()? else {
            return Ok(None);
        };
        let active = Active::read(reading);
        Ok(Some(Self { told, active }))
    }

    /// The state of a unit; `None` if there is no such unit. For an instance (`a@b.service`) the template counts, and for
    /// an alias the unit that it means.
    pub fn state(&self, unit: &str) -> Option<UnitState> {
        let file = self.told.files.file(unit)?;
        let canonical = self.told.files.canonical(unit);
        let at_boot = if file.masked {
            AtBoot::Masked
        } else if self.told.boot.pulled.contains(canonical) {
            AtBoot::Pulled
        } else {
            AtBoot::NotPulled
        };
        Some(UnitState {
            unit: unit.to_owned(),
            at_boot,
            active: self
                .active
                .of(canonical, self.told.boot.without_program.contains(canonical)),
        })
    }

    /// The states of those among `units` that there are.
    pub fn states<'a>(&self, units: impl IntoIterator<Item = &'a str>) -> Vec<UnitState> {
        units.into_iter().filter_map(|unit| self.state(unit)).collect()
    }

    /// The names of all units that have a file, of those that start with the machine (instances of templates) and of
    /// those that are active without a file (mounts, scopes).
    pub fn names(&self) -> BTreeSet<&str> {
        let files = self.told.files.by_name.keys().map(String::as_str);
        let pulled = self.told.boot.pulled.iter().map(String::as_str);
        files.chain(pulled).chain(self.active.names()).collect()
    }

    /// The units that failed, sorted; only systemctl tells.
    pub fn failed(&self) -> Known<Vec<&str>> {
        match &self.active.failed {
            Known::Observed(failed) => Known::Observed(failed.iter().map(String::as_str).collect()),
            Known::Not(why) => Known::Not(why.clone()),
        }
    }

    /// The name that a unit goes by: another than `unit` if that is an alias.
    pub fn canonical<'a>(&'a self, unit: &'a str) -> &'a str {
        self.told.files.canonical(unit)
    }

    /// Where the file of a unit lies; `None` if there is none.
    pub fn path(&self, unit: &str) -> Option<&str> {
        self.told.files.file(unit).map(|file| file.path.as_str())
    }

    /// Which of `files`, that a service reads when it starts, were changed since (the last change of content, name, mode or
    /// owner, to the second), sorted. Absent if it does not run.
    pub fn changed_since_start<'a>(
        units: &Result<Option<Self>, Unread>,
        reading: &Reading<'_>,
        unit: &str,
        files: impl IntoIterator<Item = &'a String>,
    ) -> Known<Vec<String>> {
        match units {
            Ok(Some(units)) => active::changed_since_start(reading, units.canonical(unit), files),
            Ok(None) => Known::absent("this host has no systemd"),
            Err(unread) => Known::unread(unread),
        }
    }

    /// The same of the unit's own file and drop-ins: what runs was started by other settings than they have.
    pub fn settings_changed_since_start(&self, reading: &Reading<'_>, unit: &str) -> Known<Vec<String>> {
        let own = self.told.files.file(unit).map(|file| file.path.clone());
        match self.told.files.drop_ins(reading, self.canonical(unit)) {
            Ok(drop_ins) => {
                let files = own.iter().chain(&drop_ins);
                active::changed_since_start(reading, self.canonical(unit), files)
            }
            Err(unread) => Known::unread(&unread),
        }
    }

    /// The assignments of a unit's file and drop-ins, in the order in which systemd applies them; of a drop-in that it stops
    /// reading those before. `Ok(None)`: no such unit, or it is masked.
    pub fn assignments(&self, reading: &Reading<'_>, unit: &str) -> Result<Option<Vec<syntax::Assignment>>, Unread> {
        let Some(file) = self.told.files.file(unit).filter(|file| !file.masked) else {
            return Ok(None);
        };
        let drop_ins = self.told.files.drop_ins(reading, self.told.files.canonical(unit))?;
        let mut assignments = Vec::new();
        for path in std::iter::once(file.path.clone()).chain(drop_ins) {
            let bytes = reading.file(&path)?.unwrap_or_default();
            let (parsed, stop) = syntax::parse(&bytes);
            if let Some(stop) = stop.filter(|_| path == file.path) {
                return Err(reading.malformed(path, stop.to_string()));
            }
            assignments.extend(parsed);
        }
        Ok(Some(assignments))
    }
}

/// `a@.service` for `a@b.service`.
fn template(unit: &str) -> Option<String> {
    let (prefix, rest) = unit.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

#[cfg(test)]
mod tests;
