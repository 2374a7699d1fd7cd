//! The evidence format: facts, manifest, statement, log proofs, pack. Pure: no I/O, no clock, no randomness, no HTTP.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub mod digest;
pub mod envelope;
pub mod facts;
pub mod json;
pub mod key;
pub mod manifest;
pub mod pack;
#[cfg(feature = "schemars")]
mod schema;
pub mod statement;
pub mod time;
pub mod wire;

pub use digest::Digest;
pub use time::Timestamp;
