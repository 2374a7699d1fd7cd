//! Modules that `npm install -g` put where all users have them: below the folder that its `node` is in (npm-folders(5)), so in
//! `/usr/lib` for a Node.js from a package of its makers, and in `/usr/local/lib` by Debian's settings.

use serde_json::Value;

use super::facts::{NpmModule, SoftwareList};
use super::{listed, text, wrong};
use crate::reading::{Entry, Kind, Reading, Unread};

pub(super) const WHERE: &str = "/usr/local/lib/node_modules, /usr/lib/node_modules";
const FOLDERS: [&str; 2] = ["/usr/local/lib/node_modules", "/usr/lib/node_modules"];

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SoftwareList<NpmModule>>, Unread> {
    let mut found = None;
    for folder in FOLDERS {
        if let Some(entries) = reading.list(folder)? {
            below(reading, folder, entries, found.get_or_insert_default())?;
        }
    }
    Ok(found.map(listed))
}

fn below(reading: &Reading<'_>, folder: &str, entries: Vec<Entry>, found: &mut Vec<NpmModule>) -> Result<(), Unread> {
    for entry in entries {
        if entry.name.starts_with('@') {
            let scope = reading.entries(&format!("{folder}/{}", entry.name))?;
            for inner in scope.unwrap_or_default() {
                found.extend(module(
                    reading,
                    folder,
                    &format!("{}/{}", entry.name, inner.name),
                    inner.kind,
                )?);
            }
        } else {
            found.extend(module(reading, folder, &entry.name, entry.kind)?);
        }
    }
    Ok(())
}

/// npm goes by the folder's name, and takes from the file the version.
fn module(reading: &Reading<'_>, folder: &str, name: &str, kind: Kind) -> Result<Option<NpmModule>, Unread> {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.starts_with('.') || !matches!(kind, Kind::Folder | Kind::Link) {
        return Ok(None);
    }
    let shown = format!("{folder}/*/package.json");
    let Some(bytes) = reading.private(&format!("{folder}/{name}/package.json"), &shown)? else {
        return Ok(None);
    };
    let json: Value = serde_json::from_slice(&bytes).map_err(|_| wrong(reading, &shown, "no JSON"))?;
    let version = json.get("version").and_then(Value::as_str).unwrap_or_default();
    Ok(Some(NpmModule {
        name: text(name),
        version: text(version),
        linked: kind == Kind::Link,
        folder: folder.to_owned(),
    }))
}
