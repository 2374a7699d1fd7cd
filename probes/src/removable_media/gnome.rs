//! dconf(7): settings for all users in `/etc/dconf/db/NAME.d`, and which of them are locked.

use std::collections::BTreeSet;

use super::facts::Gnome;
use crate::reading::{Kind, Reading, Unread};

const FOLDER: &str = "/etc/dconf/db";
const SECTION: &str = "org/gnome/desktop/media-handling";
const KEYS: [&str; 3] = ["automount", "automount-open", "autorun-never"];
/// Files that are looked at in each folder.
const MAX_FILES: usize = 500;

pub(super) fn read(reading: &Reading<'_>) -> Result<Gnome, Unread> {
    let mut values = [None; 3];
    let mut locked = BTreeSet::new();
    for database in reading.list(FOLDER)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        // Compiled databases have the same name without `.d`.
        if database.kind != Kind::Folder || database.name.strip_suffix(".d").is_none() {
            continue;
        }
        let folder = format!("{FOLDER}/{}", database.name);
        for text in texts(reading, &folder)? {
            let mut section = "";
            for line in text.lines().map(str::trim) {
                if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                    section = name;
                } else if let (SECTION, Some((key, value))) = (section, line.split_once('=')) {
                    for (name, slot) in KEYS.iter().zip(values.iter_mut()) {
                        if key.trim() == *name {
                            *slot = value.trim().parse().ok();
                        }
                    }
                }
            }
        }
        for text in texts(reading, &format!("{folder}/locks"))? {
            let keys = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix('/')?.strip_prefix(SECTION));
            locked.extend(keys.filter_map(|key| KEYS.into_iter().find(|name| key.strip_prefix('/') == Some(name))));
        }
    }
    let [automount, automount_open, autorun_never] = values;
    Ok(Gnome {
        automount,
        automount_open,
        autorun_never,
        locked: locked.into_iter().map(str::to_owned).collect(),
    })
}

fn texts(reading: &Reading<'_>, folder: &str) -> Result<Vec<String>, Unread> {
    let mut texts = Vec::new();
    for entry in reading.list(folder)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        if entry.kind == Kind::File {
            let bytes = reading.file(&format!("{folder}/{}", entry.name))?;
            texts.extend(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(texts)
}
