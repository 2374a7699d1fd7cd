//! What an entry of the log tells the index.
//!
//! Signatures were verified before anything was appended, and `fsck` and packs verify them again; the index does not.

use evidence::envelope::Unverified;
use evidence::key::KeyId;
use evidence::statement::{Predicate, Statement};

use super::IndexError;

/// An entry, read.
pub(super) struct Entry {
    /// Its place.
    pub(super) index: u64,
    /// Who signed it.
    pub(super) keyid: KeyId,
    /// What it says.
    pub(super) statement: Statement,
}

impl Entry {
    pub(super) fn read(index: u64, bytes: &[u8]) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Entry { index, source };
        let envelope = Unverified::from_bytes(bytes).map_err(failed)?;
        Ok(Self {
            index,
            keyid: envelope.keyid(),
            statement: envelope.claimed().map_err(|error| failed(error.into()))?,
        })
    }

    /// Whether it says which rules are in force.
    pub(super) fn brings_rules(&self) -> bool {
        matches!(self.statement.predicate, Predicate::Rules(_))
    }
}
