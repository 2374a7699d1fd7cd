//! A file of configuration, and who may read it.

use super::facts::ConfigFile;
use crate::disk_encryption::text;
use crate::reading::{Reading, Unread};

/// More files than a server's configuration has.
const MAX_FILES: usize = 200;

/// Files in the order in which they were read.
pub(super) struct Files<'r, 'h> {
    pub(super) reading: &'r Reading<'h>,
    pub(super) read: Vec<ConfigFile>,
}

impl<'r, 'h> Files<'r, 'h> {
    pub(super) const fn new(reading: &'r Reading<'h>) -> Self {
        Self { reading, read: vec![] }
    }

    /// What is in a file, which may hold passwords and names: its digest stays here. `Ok(None)`: it is not there.
    pub(super) fn bytes(&mut self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        if self.read.len() >= MAX_FILES {
            return Err(Unread::Failed {
                place: shown(path),
                reason: "one of too many files that include each other".to_owned(),
            });
        }
        let shown = shown(path);
        let Some(bytes) = self.reading.private(path, &shown)? else {
            return Ok(None);
        };
        if let Some(stat) = self.reading.private_stat(path, &shown)? {
            self.read.push(ConfigFile {
                file: shown,
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
        Ok(Some(bytes))
    }

    pub(super) fn malformed(&self, path: &str, reason: String) -> Unread {
        self.reading.malformed(shown(path), reason)
    }
}

/// A path as the facts show it: without the name of a person, and not longer than a path is.
pub(super) fn shown(path: &str) -> String {
    text::masked(path).chars().take(1_000).collect()
}

/// A value as the facts show it.
pub(super) fn value(text: &str) -> String {
    text.chars().take(300).collect()
}
