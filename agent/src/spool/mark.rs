//! The last statement that has a receipt.

use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::{Head, Record};
use crate::folder::{Durability, Folder, FolderError};

const NAME: &str = "acknowledged";
const MAX_BYTES: u64 = 64 * 1024;

/// The last statement that has a receipt, and where it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its envelope.
    pub digest: Digest,
    /// The manifest that it names.
    pub manifest: Digest,
    /// When that manifest was complete.
    pub observed_at: Timestamp,
    /// Its place in the log.
    pub index: u64,
    /// Size of the tree in which its receipt holds.
    pub size: u64,
    /// When the receipt was verified, by this host's clock.
    pub at: Timestamp,
}

impl Acknowledged {
    /// `record` is entry `index` of the log; proven in its tree of `size` entries.
    pub fn new(record: &Record, index: u64, size: u64, at: Timestamp) -> Self {
        let head = record.head();
        Self {
            sequence: head.sequence,
            digest: head.digest,
            manifest: head.manifest,
            observed_at: head.observed_at,
            index,
            size,
            at,
        }
    }

    /// The mark in a spool's folder, which a service may be writing to.
    pub fn of(spool: &Folder) -> Result<Option<Self>, FolderError> {
        Self::read(spool)
    }

    /// The chain's end, if nothing newer is known.
    pub(super) fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            digest: self.digest,
            manifest: self.manifest,
            observed_at: self.observed_at,
        }
    }

    pub(super) fn read(folder: &Folder) -> Result<Option<Self>, FolderError> {
        let Some(bytes) = folder.read(NAME, MAX_BYTES)? else {
            return Ok(None);
        };
        // It is replaced as a whole, so this is no crash. Without it everything is sent again, which is harmless.
        let mark = serde_json::from_slice(&bytes);
        if let Err(error) = &mark {
            tracing::warn!(%error, "the mark of the last receipt is damaged; statements are sent again");
        }
        Ok(mark.ok())
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<(), FolderError> {
        let json = serde_json::to_vec(self).map_err(|error| folder.error("write", NAME, error.into()))?;
        folder.write(NAME, &json, Durability::Synced)
    }
}
