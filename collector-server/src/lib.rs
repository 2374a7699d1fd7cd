//! The collector: log, index, web, API, packs.

pub mod clock;
pub mod store;
