//! The index against what `controls` makes of the log.

mod boundaries;
mod equality;
mod ground;
mod rebuild;
mod scale;
