//! # What
//! Users and groups by number, the state and ageing of their passwords (never the hashes), shells, homes, and who may
//! act as root by sudo, with or without a password.
//!
//! # Source
//! passwd(5), shadow(5), group(5), gshadow(5), login.defs(5), shells(5), nsswitch.conf(5), crypt(5), sudoers(5) and
//! sudo.conf(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for `/etc/shadow`, `/etc/gshadow`, sudoers files and homes.
//!
//! # Bears on
//! A.5.16 (identity management), A.5.17 (authentication information), A.5.18 (access rights), A.8.2 (privileged access
//! rights), A.8.3 (information access restriction), A.8.5 (secure authentication).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod collect;
mod directory;
mod facts;
pub(crate) mod group;
pub(crate) mod home;
pub(crate) mod passwd;
mod password;
pub(crate) mod records;
mod settings;
mod shadow;
mod sudo;
mod sudo_facts;
mod sudoers;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct AccountsProbe;

impl Probe for AccountsProbe {
    const SPEC: Spec = Spec {
        id: "accounts",
        version: 1,
        title: "Users, groups, the state of their passwords, and rights by sudo",
        reads: &[
            "/etc/passwd",
            "/etc/shadow",
            "/etc/group",
            "/etc/gshadow",
            "/etc/login.defs",
            "/etc/shells",
            "/etc/nsswitch.conf",
            "/etc/sudoers and what it includes",
            "/etc/sudo.conf",
            "/proc/sys/kernel/hostname and /proc/self/mountinfo",
            "mode and owner of home folders",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/", "/etc/sudoers.d/"],
        budget: Budget {
            millis: 1_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Accounts and groups of directories (LDAP, Active Directory, NIS): `other_sources` tells that there are such.",
            "Members of local groups that directories add.",
            "What PAM demands of a password or of a login.",
            "Keys, tickets and tokens by which an account can be used while it has no password.",
            "sudo rights from LDAP or SSSD, and other ways to act as root: setuid programs, polkit, doas, capabilities.",
            "Whether a command granted by sudo lets its user run others.",
        ],
    };

    type Facts = Accounts;
    type Names = AccountNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Accounts, AccountNames>, ProbeError> {
        collect::collect(reading)
    }
}

#[cfg(test)]
mod tests;
