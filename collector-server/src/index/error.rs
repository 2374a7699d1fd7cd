//! Why the index cannot be read or brought up to date.

use evidence::Digest;
use evidence::envelope::EnvelopeError;
use evidence::manifest::ManifestError;
use thiserror::Error;

use crate::store::StoreError;

/// Why the index cannot be read or brought up to date.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The store that it follows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index file.
    #[error("{doing} in the index failed; if the file is damaged, `affiant-collector reindex` makes it again")]
    File {
        /// What was asked.
        doing: &'static str,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The index file cannot be removed to make it again.
    #[error("removing {path} failed", path = path.display())]
    Remove {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// An entry of the log cannot be read.
    #[error("entry {index} of the log cannot be read; `affiant-collector fsck` finds out more")]
    Entry {
        /// Which one.
        index: u64,
        /// What is wrong.
        #[source]
        source: EnvelopeError,
    },
    /// A statement names a manifest that the store does not have.
    #[error("the manifest {0} is not stored; `affiant-collector fsck` finds out more")]
    NoManifest(Digest),
    /// A stored manifest cannot be read.
    #[error("the manifest {digest}; `affiant-collector fsck` finds out more")]
    Manifest {
        /// Which one.
        digest: Digest,
        /// What is wrong.
        #[source]
        source: ManifestError,
    },
    /// The rules that the log says are in force do not load.
    #[error("the rules that entry {index} of the log brought into force do not load: {problem}")]
    Rules {
        /// The entry.
        index: u64,
        /// What is wrong.
        problem: String,
    },
    /// Something is in the index that cannot have been written as it is.
    #[error("the index is damaged: {what}; `affiant-collector reindex` makes it again")]
    Damaged {
        /// What is wrong, and where.
        what: String,
    },
    /// There is no index yet.
    #[error("there is no index yet: start the collector, or run `affiant-collector reindex`")]
    NotThere,
}

impl IndexError {
    /// Something stored that does not read back as what it must be.
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}
