//! The service: collect, state, deliver, for as long as it runs.
//!
//! One thread runs everything but collections, which have a thread with low priority while they last. [`Keeper`] holds
//! what is on disk and decides; [`Worker`] holds the clockwork and the connection.

mod holding;
mod keeper;
#[cfg(test)]
mod keeper_tests;
mod notify;
mod report;
mod round;
mod worker;

use thiserror::Error;

use crate::clock::NoRandomness;
use crate::delivery::{AddressError, TlsError, Trouble};
use crate::folder::FolderError;
use crate::spool::SpoolError;
use crate::state::StateError;

pub use keeper::{Keeper, Settled, Stated};
pub use report::{Collected, Noted, Report, StatementRefused};
pub use worker::{Once, Worker};

/// Why the service cannot start or go on.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The spool cannot be used.
    #[error("the spool: {0}")]
    Spool(#[from] SpoolError),
    /// A folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The collector's address in the state.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Keys or certificates in the state.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// No random numbers.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The agent's own executable, whose digest goes into statements.
    #[error("cannot read the running executable: {0}")]
    Executable(#[source] std::io::Error),
    /// Signals or timers.
    #[error("cannot set up the service: {0}")]
    Setup(#[source] std::io::Error),
    /// `run --once`: not everything has a receipt.
    #[error("not delivered: {0}")]
    NotDelivered(String),
}
