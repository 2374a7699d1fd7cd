//! The index against what `controls` makes of the log.

mod boundaries;
mod equality;
pub(crate) mod ground;
mod rebuild;
mod scale;
