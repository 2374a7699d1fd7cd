//! What the end-to-end tests share: the real programs, started, stopped and killed.

pub mod programs;
pub mod rig;
