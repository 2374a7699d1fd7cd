//! What is directly in a folder.

use super::facts::Contents;
use super::places::Look;
use crate::reading::{Kind, Reading, Unread};

/// Entries that are looked at; a folder with more is not taken for one of configuration.
const MAX_ENTRIES: usize = 2_000;
/// Names that are told.
const MAX_NAMES: usize = 100;

/// Looks at each entry, links not followed.
pub(super) fn contents(reading: &Reading<'_>, path: &str, look: Look) -> Result<Option<Contents>, Unread> {
    let Some(entries) = reading.list(path)? else {
        return Ok(None);
    };
    if entries.len() > MAX_ENTRIES {
        return Err(Unread::Skipped {
            place: path.to_owned(),
            reason: format!("more than {MAX_ENTRIES} entries"),
        });
    }
    let mut contents = Contents {
        entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        not_root: 0,
        group_writable: 0,
        others_writable: 0,
        others_readable: 0,
        remarkable: vec![],
    };
    for entry in entries.iter().filter(|entry| entry.kind != Kind::Link) {
        let place = format!("{path}/{}", entry.name);
        let stat = if look == Look::Numbers {
            let shown = format!("{path}/*");
            reading.private_stat(&place, &shown)?
        } else {
            reading.stat_link(&place)?
        };
        // Removed meanwhile.
        let Some(stat) = stat else { continue };
        let not_root = stat.uid != 0;
        let group_writable = stat.mode & 0o020 != 0 && stat.gid != 0;
        let others_writable = stat.mode & 0o002 != 0;
        contents.not_root += u32::from(not_root);
        contents.group_writable += u32::from(group_writable);
        contents.others_writable += u32::from(others_writable);
        contents.others_readable += u32::from(stat.mode & 0o004 != 0);
        let remarkable = not_root || group_writable || others_writable;
        if remarkable && look == Look::Names && contents.remarkable.len() < MAX_NAMES {
            contents.remarkable.push(entry.name.clone());
        }
    }
    Ok(Some(contents))
}
