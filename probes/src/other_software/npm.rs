//! Modules that `npm install -g` put where all users have them.

use serde_json::Value;

use super::facts::{NpmModule, SoftwareList};
use super::{listed, text, wrong};
use crate::reading::{Kind, Reading, Unread};

pub(super) const FOLDER: &str = "/usr/local/lib/node_modules";

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SoftwareList<NpmModule>>, Unread> {
    let Some(entries) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut found = vec![];
    for entry in entries {
        if entry.name.starts_with('@') {
            for inner in reading
                .entries(&format!("{FOLDER}/{}", entry.name))?
                .unwrap_or_default()
            {
                found.extend(module(reading, &format!("{}/{}", entry.name, inner.name), inner.kind)?);
            }
        } else {
            found.extend(module(reading, &entry.name, entry.kind)?);
        }
    }
    Ok(Some(listed(found)))
}

/// npm goes by the folder's name, and takes from the file the version.
fn module(reading: &Reading<'_>, name: &str, kind: Kind) -> Result<Option<NpmModule>, Unread> {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.starts_with('.') || !matches!(kind, Kind::Folder | Kind::Link) {
        return Ok(None);
    }
    let shown = format!("{FOLDER}/*/package.json");
    let Some(bytes) = reading.private(&format!("{FOLDER}/{name}/package.json"), &shown)? else {
        return Ok(None);
    };
    let json: Value = serde_json::from_slice(&bytes).map_err(|_| wrong(reading, &shown, "no JSON"))?;
    let version = json.get("version").and_then(Value::as_str).unwrap_or_default();
    Ok(Some(NpmModule {
        name: text(name),
        version: text(version),
        linked: kind == Kind::Link,
    }))
}
