//! How a probe reads: the [`Host`] that it is given, and [`Reading`], which notes every source and keeps the budget.

#[cfg(test)]
pub(crate) mod captured;
pub(crate) mod globs;
mod host;
mod recorder;
mod shelf;

pub use host::{
    Attributes, Command, Entry, Found, Host, Interface, Inventory, Kind, Listener, OldTls, Output, Protocol, Stat,
    TlsPeer, Unread, Walk, Walked, is_below,
};
pub use recorder::Reading;
pub use shelf::Shelf;

/// A reading of `host` for tests of what is read, without a probe: it may read anything, and run nothing.
#[cfg(test)]
pub(crate) fn testing(host: &dyn Host) -> Reading<'_> {
    use crate::probe::{Budget, Cadence, Privilege, Spec};
    static SPEC: Spec = Spec {
        id: "test",
        version: 1,
        title: "",
        reads: &[],
        runs: &[],
        privilege: Privilege::None,
        cadence: Cadence::EveryRound,
        watch: &[],
        budget: Budget {
            millis: 1_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[],
    };
    Reading::new(host, &SPEC)
}
