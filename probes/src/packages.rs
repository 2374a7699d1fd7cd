//! # What
//! The packages that dpkg has on the host: versions, states, holds.
//!
//! # Source
//! `/var/lib/dpkg/status` (dpkg(1), deb-control(5), dpkg-query(1)); `/var/lib/dpkg/status.d` as distroless images have
//! it; os-release(5).
//!
//! # Privilege
//! None.
//!
//! # Bears on
//! A.5.9 (inventory of assets), A.8.8 (technical vulnerabilities), A.8.19 (installation of software), A.8.9
//! (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::probe::{Budget, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PackagesProbe;

impl Probe for PackagesProbe {
    const SPEC: Spec = Spec {
        id: "packages",
        version: 1,
        title: "Which packages are installed, in which version and state, and which are held",
        reads: &["/etc/os-release", "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/"],
        runs: &[],
        privilege: Privilege::None,
        watch: &["/var/lib/dpkg/status"],
        budget: Budget {
            millis: 2_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Software that no package brought: under /usr/local or /opt, in containers, from pip, npm, snap or flatpak.",
            "Whether installed files are as the package brought them.",
            "Which process still runs the code of an older version.",
        ],
    };

    type Facts = Packages;
    type Names = NoNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<Packages, NoNames>, ProbeError> {
        Err(ProbeError::unsupported("the package database is not read yet"))
    }
}
