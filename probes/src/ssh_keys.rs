//! # What
//! Keys by which local accounts can be entered over SSH (authorized_keys), with kind, size, fingerprint and options; and
//! private keys in the `.ssh` folders of local accounts: form, whether a passphrase protects them, mode and owner.
//!
//! # Source
//! passwd(5); sshd_config(5) for `AuthorizedKeysFile`; sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4253 6.6, RFC 5656 and
//! RFC 8709 for public keys; `PROTOCOL.key` of OpenSSH, RFC 7468 and RFC 1421 for private ones.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: homes and `.ssh` folders are closed to others than their owners.
//!
//! # Bears on
//! A.8.5 (secure authentication), A.5.17 (authentication information), A.5.18 (access rights), A.8.2 (privileged access
//! rights), A.8.24 (use of cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod authorized;
mod collect;
mod facts;
mod private;
#[cfg(test)]
mod tests;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct SshKeysProbe;

impl Probe for SshKeysProbe {
    const SPEC: Spec = Spec {
        id: "ssh-keys",
        version: 2,
        title: "Authorized SSH keys of local accounts, and the private keys in their homes",
        reads: &[
            "/etc/passwd",
            "/etc/ssh/sshd_config and what it includes, for AuthorizedKeysFile and TrustedUserCAKeys, and the service's options",
            "the file that TrustedUserCAKeys names",
            "authorized_keys files of all accounts",
            "heads of private keys in .ssh folders",
            "/proc/self/mountinfo",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/ssh/", "/root/.ssh/"],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Keys in homes on other machines or mounted on demand, and keys of accounts from directories: such homes are `skipped`.",
            "Keys behind symbolic links in homes: they are not followed, since they may lead anywhere.",
            "Keys from `AuthorizedKeysCommand`, and files that only a `Match` block names: that there are such is said.",
            "Whether sshd accepts a key: `PubkeyAcceptedAlgorithms`, `StrictModes`, `AllowUsers` and PAM decide; see `sshd`.",
            "Private keys outside `.ssh`, in agents, and who else has a copy of one.",
            "Addresses, commands and principals in options: only which options there are.",
            "Which accounts certificates are made out for, and whom `AuthorizedPrincipalsFile` keeps out.",
        ],
    };

    type Facts = SshKeys;
    type Names = SshKeyNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<SshKeys, SshKeyNames>, ProbeError> {
        collect::collect(reading)
    }
}
