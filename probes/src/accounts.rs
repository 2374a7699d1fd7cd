//! # What
//! Users and groups by number, the state and ageing of their passwords (never the hashes), shells and homes.
//!
//! # Source
//! passwd(5), shadow(5), group(5), gshadow(5), login.defs(5), shells(5), nsswitch.conf(5) and crypt(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for `/etc/shadow`, `/etc/gshadow` and homes.
//!
//! # Bears on
//! A.5.16 (identity management), A.5.17 (authentication information), A.5.18 (access rights), A.8.2 (privileged access
//! rights), A.8.3 (information access restriction), A.8.5 (secure authentication).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod collect;
pub(crate) mod directory;
mod facts;
pub(crate) mod group;
pub(crate) mod home;
mod home_files;
pub(crate) mod local;
pub(crate) mod login_defs;
pub(crate) mod name_services;
pub(crate) mod passwd;
mod password;
pub(crate) mod records;
mod shadow;
mod shells;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct AccountsProbe;

impl Probe for AccountsProbe {
    const SPEC: Spec = Spec {
        id: "accounts",
        version: 4,
        title: "Users, groups and the state of their passwords",
        reads: &[
            "/etc/passwd",
            "/etc/shadow",
            "/etc/group",
            "/etc/gshadow",
            "/etc/login.defs, /usr/etc/login.defs and its drop-ins",
            "/etc/shells",
            "/etc/nsswitch.conf or /usr/etc/nsswitch.conf",
            "names of records in /etc/userdb/, /run/userdb/, /usr/lib/userdb/ and of homes in /var/lib/systemd/home/",
            "/proc/self/mountinfo",
            "mode and owner of home folders, and of some files directly in them",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/"],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Accounts and groups of directories (LDAP, Active Directory, NIS): `other_sources` tells that there are such.",
            "Members of local groups that directories add.",
            "What PAM demands of a password or of a login: that is the probe `pam`.",
            "What stands in files of homes.",
            "Keys, tickets and tokens by which an account can be used while it has no password.",
            "Who may act as root by other ways than a uid: sudo, polkit, setuid programs, capabilities.",
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
