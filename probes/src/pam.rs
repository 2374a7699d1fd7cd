//! # What
//! The rules by which services let somebody in and change passwords: the stack of each service with its includes put in
//! place, and what it comes to: lockout after failures, quality and history of passwords, their hash, second factors, and
//! who may use su.
//!
//! # Source
//! pam.conf(5), pam.d(5), pam_unix(8), pam_faillock(8), faillock.conf(5), pam_pwquality(8), pwquality.conf(5),
//! pam_pwhistory(8), pwhistory.conf(5), pam_wheel(8), pam_faildelay(8), access.conf(5), time.conf(5) and login.defs(5).
//!
//! # Privilege
//! None on most hosts; `CAP_DAC_READ_SEARCH` where the files are kept from others.
//!
//! # Bears on
//! A.5.15 (access control), A.5.17 (authentication information), A.8.2 (privileged access rights), A.8.5 (secure
//! authentication).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod arguments;
mod collect;
mod conf;
mod control;
mod facts;
mod line;
mod modules;
mod quality;
mod stack;
mod summary;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PamProbe;

impl Probe for PamProbe {
    const SPEC: Spec = Spec {
        id: "pam",
        version: 2,
        title: "How services authenticate: the effective PAM stacks, lockout, and rules for passwords",
        reads: &[
            "/etc/pam.d/",
            "/usr/lib/pam.d/",
            "/usr/etc/pam.d/",
            "/usr/share/pam.d/",
            "/etc/pam.conf",
            "/etc/security/faillock.conf",
            "/etc/security/pwquality.conf",
            "/etc/security/pwquality.conf.d/",
            "/etc/security/pwhistory.conf",
            "/etc/security/access.conf",
            "/etc/security/access.d/",
            "/etc/security/time.conf",
            "/etc/login.defs",
            "names in the folders of PAM modules",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/",
            "/etc/pam.d/",
            "/etc/security/",
            "/etc/security/pwquality.conf.d/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "What a module decides: its rules are told, and of the common modules their settings.",
            "Configuration of modules in files of their own, such as that of RADIUS or Duo, and what directories demand.",
            "Services that are not in the list of those that matter, but for their names.",
            "Ways in that do not ask PAM, such as keys over SSH without UsePAM.",
            "Which users have a second factor set up.",
            "Names of users and values that may be secrets in arguments: they are written `*`.",
        ],
    };

    type Facts = Pam;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Pam, NoNames>, ProbeError> {
        collect::collect(reading).map(Collected::facts)
    }
}

#[cfg(test)]
mod tests;
