//! The agent: probes a host, signs what it saw, delivers it. The only crate that reads a machine; it states and never
//! judges.

pub mod cli;
pub mod clock;
pub mod collection;
pub mod delivery;
pub mod enrolment;
pub mod folder;
pub mod machine;
pub mod process;
pub mod schedule;
pub mod seal;
pub mod service;
pub mod spool;
pub mod state;
#[cfg(test)]
mod testing;
pub mod watch;
