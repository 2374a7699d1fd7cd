//! Software that is known by files and units rather than by a package: agents and tools that come in many ways.

use evidence::facts::Outcome;

use crate::formats::systemd::{UnitState, Units};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// By what something is known.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Its name.
    pub name: &'static str,
    /// Files or folders; one of them is enough.
    pub paths: &'static [&'static str],
    /// Units; one of them is enough too.
    pub units: &'static [&'static str],
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The first of its paths that is there.
    pub found_at: Option<String>,
    /// Those of its units that there are; absent without systemd.
    pub units: Known<Vec<UnitState>>,
}

/// Looks for it; `None` if there is no mark of it.
pub fn find(
    reading: &Reading<'_>,
    units: &Result<Option<Units>, Unread>,
    marks: &Marks,
) -> Result<Option<Installed>, Unread> {
    let mut found_at = None;
    for path in marks.paths {
        if found_at.is_none() && reading.stat(path)?.is_some() {
            found_at = Some((*path).to_owned());
        }
    }
    let units = match units {
        Ok(Some(units)) => Known::Observed(units.states(marks.units.iter().copied())),
        Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
        Err(unread) => Known::unread(unread),
    };
    if found_at.is_none() && units.value().is_none_or(Vec::is_empty) {
        return Ok(None);
    }
    Ok(Some(Installed { found_at, units }))
}

/// The day of a file's last change, seconds since 1970 at its beginning in UTC.
pub fn day(reading: &Reading<'_>, path: &str) -> Known<i64> {
    const DAY: i64 = 86_400;
    let stat = reading.stat(path);
    Known::of(
        stat.map(|stat| stat.map(|stat| stat.mtime - stat.mtime.rem_euclid(DAY))),
        path,
    )
}
