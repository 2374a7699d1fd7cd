//! Why a question has no answer.

use thiserror::Error;

use crate::index::IndexError;
use crate::store::StoreError;

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// There is no such thing.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// By which name.
        name: String,
    },
    /// A period that ends before it begins.
    #[error("the period ends at {to}, which is not after its begin, {from}")]
    Period {
        /// Begin.
        from: evidence::Timestamp,
        /// End.
        to: evidence::Timestamp,
    },
    /// An answer of a kind that there is for an instant only was asked for a period.
    #[error("{what} can be asked for an instant, not for a period")]
    InstantOnly {
        /// What.
        what: &'static str,
    },
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
