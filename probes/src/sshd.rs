//! # What
//! The settings of the OpenSSH server for every kind of connection that its configuration tells apart, its host keys,
//! and how it is started.
//!
//! # Source
//! `sshd -T` and `sshd -T -C` (sshd(8)), which is the authority; sshd_config(5) for `Match` and `Include`; RFC 4253 6.6,
//! RFC 5656 and RFC 8709 for public keys; systemd.unit(5) for unit links.
//!
//! # Privilege
//! Root: sshd refuses to tell its settings unless it can load its host keys.
//!
//! # Bears on
//! A.8.5 (secure authentication), A.8.24 (use of cryptography), A.8.20 (networks security), A.8.2 (privileged access),
//! A.8.9 (configuration management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod settings;

pub use facts::*;

use crate::probe::{Budget, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The server; where every distribution puts it.
const SSHD: &str = "/usr/sbin/sshd";

/// The probe.
pub struct SshdProbe;

impl Probe for SshdProbe {
    const SPEC: Spec = Spec {
        id: "sshd",
        version: 1,
        title: "Effective settings of the OpenSSH server, for each of its Match blocks too, and its host keys",
        reads: &[
            "/etc/ssh/sshd_config and what it includes",
            "/etc/ssh/ssh_host_*_key.pub",
            "/etc/default/ssh",
            "/etc/sysconfig/sshd",
            "/etc/systemd/system/",
            "/etc/passwd and /etc/group, for members of groups in Match blocks",
            "sshd -T",
        ],
        runs: &[SSHD],
        privilege: Privilege::Root,
        watch: &[
            "/etc/ssh/",
            "/etc/ssh/sshd_config.d/",
            "/etc/default/",
            "/etc/sysconfig/",
        ],
        budget: Budget {
            millis: 3_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether the running sshd was started before the last change of its configuration.",
            "Options given to sshd elsewhere than in its configuration and its service's options file.",
            "Other SSH servers, and sshd under another path.",
            "What PAM, authorized_keys files and key commands allow beyond the settings.",
        ],
    };

    type Facts = Sshd;
    type Names = SshdNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<Sshd, SshdNames>, ProbeError> {
        Err(ProbeError::unsupported("the server's settings are not read yet"))
    }
}
