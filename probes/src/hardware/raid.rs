//! RAID that the kernel makes (`Documentation/admin-guide/md.rst`), and mdadm's monitor.

use evidence::facts::Outcome;

use super::facts::{Raid, RaidMonitor};
use super::{entries, text};
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;

const CONFIGS: [&str; 2] = ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"];
const UNITS: [&str; 3] = ["mdmonitor.service", "mdmonitor-oneshot.timer", "mdadm.service"];

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Raid>, Unread> {
    let mut found = vec![];
    for entry in entries(reading, "/sys/block")? {
        let folder = format!("/sys/block/{}/md", entry.name);
        let value = |attribute: &str| text(reading, &format!("{folder}/{attribute}"));
        let Some(level) = entry
            .name
            .starts_with("md")
            .then(|| value("level"))
            .transpose()?
            .flatten()
        else {
            continue;
        };
        let number = |attribute: &str| Ok::<_, Unread>(value(attribute)?.and_then(|number| number.parse::<u64>().ok()));
        let missing = number("degraded")?;
        let action = value("sync_action")?.unwrap_or_default();
        found.push(Raid {
            // While it changes its shape, the old number follows in brackets.
            disks: value("raid_disks")?.and_then(|disks| disks.split(' ').next()?.parse().ok()),
            degraded: missing.map(|missing| missing > 0),
            missing,
            rebuilding: matches!(action.as_str(), "resync" | "recover" | "reshape"),
            level,
            name: entry.name,
        });
    }
    Ok(found)
}

pub(super) fn monitor(units: &LazyUnits<'_, '_>) -> RaidMonitor {
    let mut recipient_set = Known::not(Outcome::Absent, format!("{} is not there", CONFIGS.join(" or ")));
    for path in CONFIGS {
        match units.reading.text(path) {
            Ok(Some(text)) => {
                let mut words = text.lines().filter_map(|line| line.split_ascii_whitespace().next());
                let set = words.any(|word| {
                    // Three letters are enough (mdadm.conf(5)).
                    let word = word.to_ascii_lowercase();
                    word.len() >= 3 && ("mailaddr".starts_with(&word) || "program".starts_with(&word))
                });
                recipient_set = Known::Observed(set);
                break;
            }
            Ok(None) => {}
            Err(unread) => {
                recipient_set = Known::unread(&unread);
                break;
            }
        }
    }
    RaidMonitor {
        units: match &recipient_set {
            Known::Not(why) if why.outcome == Outcome::Absent => Known::Observed(vec![]),
            _ => units.states(&UNITS),
        },
        recipient_set,
    }
}
