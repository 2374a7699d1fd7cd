//! Configurations that are plain lines: rsnapshot(1), duply and rclone.

use std::collections::BTreeMap;

use super::facts::{Configuration, Encryption, Place, Repository, Settings};
use super::{configuration, place};
use crate::formats::systemd::syntax;
use crate::order::{IntoMap as _, Order as _};
use crate::reading::{Kind, Reading, Unread};
use crate::software::day;

const RSNAPSHOT: &str = "/etc/rsnapshot.conf";
const DUPLY: &str = "/etc/duply";
const RCLONE: [&str; 2] = ["/etc/rclone.conf", "/root/.config/rclone/rclone.conf"];
const MAX_PROFILES: usize = 100;

/// Fields are parted by tabs; `retain` was called `interval`.
#[expect(clippy::unnecessary_wraps, reason = "readers have one form")]
pub(super) fn rsnapshot(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let text = match reading.text(RSNAPSHOT) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(vec![]),
        Err(unread) => return Ok(vec![configuration("rsnapshot", RSNAPSHOT, Err(unread))]),
    };
    let mut retention = BTreeMap::new();
    let mut paths = vec![];
    let mut root = None;
    let mut first = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut fields = line.split('\t').map(str::trim).filter(|field| !field.is_empty());
        match (fields.next(), fields.next(), fields.next()) {
            (Some("retain" | "interval"), Some(name), Some(count)) => {
                first.get_or_insert_with(|| name.to_owned());
                retention.insert(name.to_owned(), count.chars().take(20).collect());
            }
            (Some("snapshot_root"), Some(folder), _) => root = Some(folder.trim_end_matches('/').to_owned()),
            // Other hosts' files are no backup of this one, and may name users.
            (Some("backup"), Some(path), _) if path.starts_with('/') => paths.push(path),
            _ => {}
        }
    }
    // rsnapshot touches the newest snapshot of the lowest level when it is whole.
    let newest = root.as_deref().zip(first.as_deref());
    let stat = match newest {
        Some((root, level)) if root.starts_with('/') => reading.stat(&format!("{root}/{level}.0")),
        _ => Ok(None),
    };
    let settings = stat.map(|stat| Settings {
        paths: place::paths(paths),
        repositories: root.as_deref().map(place::of).into_iter().collect(),
        retention,
        encryption: Encryption::NotEncrypted,
        last_success: stat.and_then(|stat| day(stat.mtime)),
    });
    Ok(vec![configuration("rsnapshot", RSNAPSHOT, settings)])
}

/// One folder for each profile, `conf` in it being read by a shell.
pub(super) fn duply(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let mut found = vec![];
    for entry in reading.list(DUPLY)?.unwrap_or_default().into_iter().take(MAX_PROFILES) {
        if entry.kind != Kind::Folder {
            continue;
        }
        let file = format!("{DUPLY}/{}/conf", entry.name);
        let read = match reading.private(&file, &file) {
            Ok(Some(bytes)) => Ok(duply_settings(&String::from_utf8_lossy(&bytes))),
            Ok(None) => continue,
            Err(unread) => Err(unread),
        };
        found.push(configuration("duply", &file, read));
    }
    Ok(found)
}

fn duply_settings(text: &str) -> Settings {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let assignments: BTreeMap<&str, &str> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
        .into_map();
    let value = |name: &str| assignments.get(name).copied();
    let kept = ["MAX_AGE", "MAX_FULL_BACKUPS", "MAX_FULLBKP_AGE"];
    let retention = kept
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value(name)?.chars().take(20).collect())));
    Settings {
        paths: place::paths(value("SOURCE")),
        repositories: value("TARGET").map(place::of).into_iter().collect(),
        retention: retention.into_map(),
        encryption: match value("GPG_KEY") {
            Some("disabled") => Encryption::NotEncrypted,
            Some(_) => Encryption::Encrypted,
            None => Encryption::NotTold,
        },
        last_success: None,
    }
}

/// Remotes: their kinds, and not their names.
#[expect(clippy::unnecessary_wraps, reason = "readers have one form")]
pub(super) fn rclone(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let mut found = vec![];
    for file in RCLONE {
        let read = match reading.private(file, file) {
            Ok(Some(bytes)) => Ok(rclone_settings(&String::from_utf8_lossy(&bytes))),
            Ok(None) => continue,
            Err(unread) => Err(unread),
        };
        found.push(configuration("rclone", file, read));
    }
    Ok(found)
}

fn rclone_settings(text: &str) -> Settings {
    let kinds = syntax::lenient(text).into_iter().filter(|one| one.name == "type");
    let mut repositories: Vec<Repository> = kinds
        .map(|one| Repository {
            place: match one.value.as_str() {
                "local" => Place::Local,
                "crypt" | "alias" | "chunker" | "compress" | "combine" | "union" | "hasher" | "cache" => Place::NotTold,
                _ => Place::Remote,
            },
            scheme: one.value.chars().take(30).collect(),
        })
        .collect();
    repositories.order();
    repositories.dedup();
    Settings {
        repositories,
        ..Settings::default()
    }
}
