//! samhain and Tripwire.

use super::facts::{Baseline, Tripwire};
use crate::reading::{Reading, Unread};
use crate::software::{day, day_of};

const SAMHAIN: [&str; 2] = ["/etc/samhain/samhainrc", "/etc/samhainrc"];
const SAMHAIN_DATABASE: &str = "/var/lib/samhain/samhain_file";
const TRIPWIRE_DATABASES: &str = "/var/lib/tripwire";
const TRIPWIRE_PLAIN: [&str; 2] = ["/etc/tripwire/twpol.txt", "/etc/tripwire/twcfg.txt"];

pub(super) fn samhain(reading: &Reading<'_>) -> Result<Option<Baseline>, Unread> {
    for path in SAMHAIN {
        let Some(bytes) = reading.private(path, path)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let assignments = text.lines().filter_map(|line| line.trim().split_once('='));
        let mut named = assignments.filter(|(name, _)| name.trim().eq_ignore_ascii_case("SetDatabasePath"));
        let database = named
            .next_back()
            .map(|(_, value)| value.trim())
            .filter(|value| value.starts_with('/'));
        let database = database.unwrap_or(SAMHAIN_DATABASE).to_owned();
        return Ok(Some(Baseline {
            database_day: day_of(reading, &database),
            database,
        }));
    }
    Ok(None)
}

pub(super) fn tripwire(reading: &Reading<'_>) -> Result<Option<Tripwire>, Unread> {
    let mut newest = None;
    for entry in reading.list(TRIPWIRE_DATABASES)?.unwrap_or_default() {
        if entry.name.strip_suffix(".twd").is_some() {
            let stat = reading.stat(&format!("{TRIPWIRE_DATABASES}/{}", entry.name))?;
            newest = newest.max(stat.map(|stat| stat.mtime));
        }
    }
    let mut plain_text = false;
    for path in TRIPWIRE_PLAIN {
        plain_text |= reading.stat(path)?.is_some();
    }
    Ok(Some(Tripwire {
        database_day: newest.and_then(day),
        plain_text,
    }))
}
