//! Patches that the running kernel took while it ran (kernel `Documentation/ABI/testing/sysfs-kernel-livepatch`).

use super::facts::LivePatch;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/sys/kernel/livepatch";
/// Each replaces the one before as a rule, so that there is one.
const MAX_PATCHES: usize = 100;

pub(super) fn read(reading: &Reading<'_>) -> Known<Vec<LivePatch>> {
    let entries = match reading.entries(FOLDER) {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            return Known::absent(format!(
                "{FOLDER} is not there: this kernel takes no patches while it runs"
            ));
        }
        Err(unread) => return Known::unread(&unread),
    };
    let patch = |name: String| -> Result<LivePatch, Unread> {
        let flag = |attribute: &str| {
            let path = format!("{FOLDER}/{name}/{attribute}");
            match reading.attribute(&path)?.as_deref().map(str::trim) {
                Some("1") => Ok(true),
                Some("0") => Ok(false),
                _ => Err(Unread::Malformed {
                    place: path,
                    reason: "neither 0 nor 1".to_owned(),
                }),
            }
        };
        Ok(LivePatch {
            enabled: flag("enabled")?,
            in_transition: flag("transition")?,
            name: name.clone(),
        })
    };
    let patches = entries.into_iter().take(MAX_PATCHES).map(|entry| patch(entry.name));
    Known::read(patches.collect())
}
