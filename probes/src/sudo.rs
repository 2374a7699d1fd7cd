//! # What
//! Who may act as root or as somebody else by sudo, with or without a password, what sudo logs and how long it remembers
//! a password; and the rules of doas.
//!
//! # Source
//! sudoers(5), sudo.conf(5), nsswitch.conf(5), passwd(5), group(5) and doas.conf(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for sudoers files and `/etc/doas.conf`.
//!
//! # Bears on
//! A.5.15 (access control), A.5.18 (access rights), A.8.2 (privileged access rights), A.8.5 (secure authentication),
//! A.8.15 (logging), A.8.18 (use of privileged utility programs).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod collect;
mod conf;
mod doas;
mod facts;
mod installed;
mod settings;
mod sudoers;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct SudoProbe;

impl Probe for SudoProbe {
    const SPEC: Spec = Spec {
        id: "sudo",
        version: 2,
        title: "Who may act as root or as others by sudo and doas, and under which settings",
        reads: &[
            "/etc/sudoers, /usr/etc/sudoers or, for sudo-rs, /etc/sudoers-rs, and what it includes",
            "/etc/sudo.conf or /usr/etc/sudo.conf",
            "where /usr/bin/sudo leads",
            "/etc/doas.conf",
            "/etc/passwd",
            "/etc/group",
            "/etc/nsswitch.conf, and names of records in /etc/userdb/ and the like",
            "/proc/sys/kernel/hostname",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/", "/etc/sudoers.d/"],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Rights from LDAP or SSSD: `files_decide` tells whether there may be any.",
            "Other ways to act as root: setuid programs, polkit, capabilities, membership of groups such as `docker`.",
            "Whether a command that is granted lets its user run others.",
            "Defaults that are built into sudo: a setting that no file names is not there.",
        ],
    };

    type Facts = Sudo;
    type Names = SudoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Sudo, SudoNames>, ProbeError> {
        collect::collect(reading)
    }
}

#[cfg(test)]
mod tests;
