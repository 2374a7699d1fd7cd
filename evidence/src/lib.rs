//! The evidence format: facts, manifest, statement, log proofs, pack. Pure: no I/O, no clock, no randomness, no HTTP.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub mod checkpoint;
pub mod digest;
pub mod envelope;
pub mod facts;
pub mod json;
pub mod key;
pub mod manifest;
pub mod note;
pub mod pack;
pub mod proof;
#[cfg(feature = "schemars")]
mod schema;
pub mod statement;
pub mod tile;
pub mod time;
pub mod tree;
pub mod wire;
mod written;

pub use digest::Digest;
pub use time::Timestamp;
