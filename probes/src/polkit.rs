//! # What
//! By which rules programs of the system let users act without being root: rules files of polkit, older authority files,
//! actions that need no password by default, and whether polkit runs.
//!
//! # Source
//! polkit(8), polkitd(8), pklocalauthority(8) and `.policy` files (polkit(8), *Declaring actions*).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for `/etc/polkit-1/rules.d` and `/etc/polkit-1/localauthority`.
//!
//! # Bears on
//! A.5.15 (access control), A.5.18 (access rights), A.8.2 (privileged access rights), A.8.18 (use of privileged utility
//! programs).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod actions;
mod authority;
mod collect;
mod facts;
mod rules;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PolkitProbe;

impl Probe for PolkitProbe {
    const SPEC: Spec = Spec {
        id: "polkit",
        version: 1,
        title: "Rules of polkit, and actions that it allows without a password",
        reads: &[
            "/etc/polkit-1/rules.d/",
            "/run/polkit-1/rules.d/",
            "/usr/local/share/polkit-1/rules.d/",
            "/usr/share/polkit-1/rules.d/",
            "/etc/polkit-1/localauthority/",
            "/var/lib/polkit-1/localauthority/",
            "/etc/polkit-1/actions/",
            "/run/polkit-1/actions/",
            "/usr/local/share/polkit-1/actions/",
            "/usr/share/polkit-1/actions/",
            "unit files of systemd",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/polkit-1/rules.d/",
            "/usr/share/polkit-1/rules.d/",
            "/usr/share/polkit-1/actions/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "What rules decide: they are programs, which are searched for words and not run.",
            "Whether older authority files are read: polkit 0.106 and later does so with polkit-pkla-compat alone.",
            "Which names of people and groups stand in rules, but for the usual groups of administrators.",
        ],
    };

    type Facts = Polkit;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Polkit, NoNames>, ProbeError> {
        collect::collect(reading).map(Collected::facts)
    }
}

#[cfg(test)]
mod tests;
