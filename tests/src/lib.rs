//! What the end-to-end tests share: the real programs, started, stopped and killed; and a collector in this process.

pub mod fleet;
pub mod programs;
pub mod rig;
