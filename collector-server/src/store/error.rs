//! Why the store did not do what it was asked.

use thiserror::Error;

/// A failure of the store. A refusal of what a client wants is never one.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The disk is full. Nothing was written; the same may work when there is room again.
    #[error("the disk is full: {doing} was not done")]
    Full {
        /// What was asked.
        doing: &'static str,
    },
    /// Another process kept the store to itself for longer than we wait.
    #[error("the store is busy: {doing} was not done")]
    Busy {
        /// What was asked.
        doing: &'static str,
    },
    /// The engine failed in another way: I/O, permissions, a damaged file.
    #[error("{doing} failed")]
    Engine {
        /// What was asked.
        doing: &'static str,
        /// What the engine says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine failed while it committed: the transaction may be on the disk or not. Nobody may go on from here but by
    /// opening the store again.
    #[error("committing failed, and whether it was persisted is not known")]
    Uncertain {
        /// What the engine says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something is stored that cannot have been written as it is; `fsck` finds out more.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What is wrong, and where.
        what: String,
    },
    /// A caller broke a rule of the store: a fault of this program.
    #[error("the store was asked for what it must not do: {what}")]
    Misuse {
        /// What was asked.
        what: String,
    },
    /// The file was written by a newer version of this program.
    #[error("{file} has schema version {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// Which file.
        file: String,
        /// In the file.
        found: i64,
        /// The newest known here.
        known: i64,
    },
}

impl StoreError {
    /// Whether the same request may work later without anybody repairing anything but the free space.
    pub const fn may_pass_later(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Busy { .. })
    }

    /// Something stored that does not read back as what it must be.
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}
