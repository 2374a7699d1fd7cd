//! The two ways not to end with "verified".

use thiserror::Error;

/// Why a pack is not verified.
#[derive(Debug, Error)]
pub enum Failure {
    /// Something in the pack is not as it must be. Exit status 1.
    #[error("{what}, in {place}")]
    NotVerified {
        /// What is wrong.
        what: String,
        /// Where: the file in the pack, with line, host and log index where they are known.
        place: String,
    },
    /// The check could not be made. Exit status 2.
    #[error("{what}")]
    CouldNotTell {
        /// What is in the way.
        what: String,
    },
}

impl Failure {
    /// Something in `place` is not as it must be.
    pub fn wrong(what: impl std::fmt::Display, place: impl std::fmt::Display) -> Self {
        Self::NotVerified {
            what: what.to_string(),
            place: place.to_string(),
        }
    }

    /// Something keeps the check from being made.
    pub fn unable(what: impl std::fmt::Display) -> Self {
        Self::CouldNotTell { what: what.to_string() }
    }

    /// The exit status that says it.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::NotVerified { .. } => 1,
            Self::CouldNotTell { .. } => 2,
        }
    }
}
