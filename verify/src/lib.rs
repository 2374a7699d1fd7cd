//! Checks a pack offline, trusting neither the collector that wrote it nor its makers.
//!
//! It shares with the collector only what defines the answer: the format (`evidence`) and the rules (`controls`). The
//! signature arithmetic is its own.

pub mod archive;
mod checks;
pub mod failure;
pub mod report;
mod signatures;
pub mod trust;

pub use checks::{Options, verify};
pub use failure::Failure;
