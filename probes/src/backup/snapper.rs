//! snapper (snapper-configs(5)): snapshots of a subvolume, in its own folder `.snapshots`.

use std::collections::BTreeMap;

use super::facts::{Configuration, Encryption, Place, Repository, Settings};
use super::{configuration, files_in, place};
use crate::order::IntoMap as _;
use crate::reading::{Reading, Unread};
use crate::software::day;

const FOLDER: &str = "/etc/snapper/configs";
const KEPT: [&str; 3] = ["TIMELINE_LIMIT_", "NUMBER_LIMIT", "EMPTY_PRE_POST_MIN_AGE"];

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let files = files_in(reading, FOLDER, &[""])?.into_iter();
    Ok(files
        .map(|file| configuration("snapper", &file, settings(reading, &file)))
        .collect())
}

fn settings(reading: &Reading<'_>, file: &str) -> Result<Settings, Unread> {
    let text = reading.text(file)?.unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let assignments: BTreeMap<&str, &str> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
        .into_map();
    let subvolume = assignments.get("SUBVOLUME").copied().unwrap_or_default();
    let mut retention: BTreeMap<String, String> = assignments
        .iter()
        .filter(|(name, _)| KEPT.iter().any(|kept| name.starts_with(kept)))
        .map(|(name, value)| ((*name).to_owned(), value.chars().take(20).collect()))
        .into_map();
    for name in ["TIMELINE_CREATE", "TIMELINE_CLEANUP", "NUMBER_CLEANUP"] {
        if let Some(value) = assignments.get(name) {
            retention.insert(name.to_owned(), value.chars().take(20).collect());
        }
    }
    Ok(Settings {
        last_success: if subvolume.starts_with('/') {
            newest(reading, subvolume)?.and_then(day)
        } else {
            None
        },
        paths: place::paths([subvolume]),
        repositories: vec![Repository {
            place: Place::Local,
            scheme: "snapshot".to_owned(),
        }],
        retention,
        encryption: Encryption::NotTold,
    })
}

/// When the snapshot with the highest number was described.
fn newest(reading: &Reading<'_>, subvolume: &str) -> Result<Option<i64>, Unread> {
    let folder = format!("{}/.snapshots", subvolume.trim_end_matches('/'));
    let entries = reading.list(&folder)?.unwrap_or_default();
    let number = entries.iter().filter_map(|entry| entry.name.parse::<u64>().ok()).max();
    let Some(number) = number else { return Ok(None) };
    Ok(reading
        .stat(&format!("{folder}/{number}/info.xml"))?
        .map(|stat| stat.mtime))
}
