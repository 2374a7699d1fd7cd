//! How a probe reads: the [`Host`] that it is given, and [`Reading`], which notes every source and keeps the budget.

#[cfg(test)]
pub(crate) mod captured;
mod host;
mod recorder;

pub use host::{Command, Entry, Host, Interface, Inventory, Kind, Output, Stat, Unread};
pub use recorder::Reading;
