//! The evidence format: facts, manifest, statement, log proofs, pack. Pure: no I/O, no clock, no randomness, no HTTP.

pub mod digest;

pub use digest::Digest;
