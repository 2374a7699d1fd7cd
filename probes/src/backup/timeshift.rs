//! Timeshift: `timeshift.json`, in which every value is a string.

use std::collections::BTreeMap;

use serde_json::Value;

use super::configuration;
use super::facts::{Configuration, Encryption, Place, Repository, Settings};
use crate::reading::{Reading, Unread};

const FILES: [&str; 2] = ["/etc/timeshift/timeshift.json", "/etc/timeshift.json"];

#[expect(clippy::unnecessary_wraps, reason = "readers have one form")]
pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    for file in FILES {
        match settings(reading, file) {
            Ok(None) => {}
            Ok(Some(settings)) => return Ok(vec![configuration("timeshift", file, Ok(settings))]),
            Err(unread) => return Ok(vec![configuration("timeshift", file, Err(unread))]),
        }
    }
    Ok(vec![])
}

fn settings(reading: &Reading<'_>, file: &str) -> Result<Option<Settings>, Unread> {
    let Some(text) = reading.text(file)? else {
        return Ok(None);
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| Unread::Malformed {
        place: file.to_owned(),
        reason: error.to_string(),
    })?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let mut retention = BTreeMap::new();
    for level in ["hourly", "daily", "weekly", "monthly", "boot"] {
        if text(&format!("schedule_{level}")) == Some("true") {
            let count = text(&format!("count_{level}")).unwrap_or_default();
            retention.insert(level.to_owned(), count.chars().take(20).collect());
        }
    }
    let btrfs = text("btrfs_mode") == Some("true");
    Ok(Some(Settings {
        paths: vec![],
        repositories: vec![Repository {
            place: Place::Local,
            scheme: if btrfs { "snapshot" } else { "file" }.to_owned(),
        }],
        retention,
        encryption: Encryption::NotTold,
        last_success: None,
    }))
}
