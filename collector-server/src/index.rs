//! The index: a follower of the log. What it keeps is derived from the log's entries, the manifests and the facts
//! documents, and can be deleted: it is then made again with the same result.
//!
//! It keeps, in `index.sqlite`:
//! - hosts, and where each of their statements is in the log;
//! - per host the *stretches* over which it stated one manifest without a gap, so that any past instant or period is a range
//!   query;
//! - who has, and had, which facts document;
//! - what each rule said about each facts document, so that ten thousand identical hosts are judged once;
//! - what the rules in force said about each manifest that was the newest of a host, so that all hosts at a past instant are
//!   rows to read and not documents to judge;
//! - per host its verdicts at present, and totals over all hosts, so that no page counts hosts.
//!
//! "At present" is an instant, `as_of`: the state is exactly what `controls` gives for the first `position` entries at that
//! instant, and stays so until the next *due* instant, at which a statement ceases to speak or a verdict changes with time
//! alone. Due instants are kept sorted; nothing is scanned to find them.
//!
//! One process writes at a time (the one that holds the data directory's lock), in one transaction per group of entries
//! together with the position. A kill between two of them loses nothing; another process may read at any time.

pub(crate) mod database;
mod entry;
mod error;
mod follower;
mod host;
pub(crate) mod judgements;
mod manifests;
mod moment;
mod places;
mod rules;
mod schema;
mod snapshot;
mod standing;
mod told;
mod totals;
mod writer;

pub use error::IndexError;
pub use follower::{Follower, FollowerStatus};
pub use places::Places;
pub use rules::InForce;
pub use snapshot::{Enrolled, Head, Index, Snapshot};
pub use totals::{Tally, Totals};
pub use writer::{Step, Writer};

pub(crate) use moment::{HostAt, Said};
pub(crate) use places::{standing_from_letter, standing_letter, verdict_from_letter, verdict_letter};
pub(crate) use standing::HostStanding;
pub(crate) use told::StatementRow;

/// The name of the file in the data directory.
pub const FILE: &str = "index.sqlite";

#[cfg(test)]
pub(crate) mod tests;
