//! The evidence format: facts, manifest, statement, log proofs, pack. Pure: no I/O, no clock, no randomness, no HTTP.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub mod digest;
pub mod facts;
pub mod json;
pub mod key;
#[cfg(feature = "schemars")]
mod schema;
pub mod time;

pub use digest::Digest;
pub use time::Timestamp;
