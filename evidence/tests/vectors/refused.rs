//! What a reader must refuse, and why. A reason is a class: what else an implementation says is its own.

mod cases;
mod reasons;

pub(crate) use cases::all;
pub(crate) use reasons::read;
