//! # What
//! The distribution's release and the end of its support; the running kernel against the installed ones; whether a
//! reboot is asked for.
//!
//! # Source
//! os-release(5); `/etc/debian_version`; `/usr/share/distro-info/*.csv` (debian-distro-info(1)); proc_sys_kernel(5),
//! proc_version(5); `/proc/version_signature` of Ubuntu; `/var/lib/dpkg/status`; `/run/reboot-required` (Debian Policy
//! 9.3.4 and unattended-upgrades); `/run/systemd/container`, `/.dockerenv`, `/run/.containerenv`.
//!
//! # Privilege
//! None.
//!
//! # Bears on
//! A.8.8 (technical vulnerabilities), A.5.9 (inventory of assets), A.8.9 (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::probe::{Budget, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct KernelAndReleaseProbe;

impl Probe for KernelAndReleaseProbe {
    const SPEC: Spec = Spec {
        id: "kernel-and-release",
        version: 1,
        title: "Which release of which distribution, until when it is supported, and whether a newer kernel waits for a reboot",
        reads: &[
            "/etc/os-release",
            "/usr/lib/os-release",
            "/etc/debian_version",
            "/usr/share/distro-info/",
            "/proc/sys/kernel/osrelease",
            "/proc/sys/kernel/version",
            "/proc/version_signature",
            "/var/lib/dpkg/status",
            "/run/reboot-required",
            "/run/reboot-required.pkgs",
            "/run/systemd/container",
            "/.dockerenv",
            "/run/.containerenv",
        ],
        runs: &[],
        privilege: Privilege::None,
        watch: &["/etc/os-release", "/usr/share/distro-info", "/var/lib/dpkg/status", "/run/reboot-required"],
        budget: Budget {
            millis: 1_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether the running kernel was patched while running (livepatch).",
            "Whether services still run libraries that were replaced since they started.",
            "Whether this host has subscribed to extended support.",
            "In a container: anything about the kernel's packages, which are those of the machine around it.",
        ],
    };

    type Facts = KernelAndRelease;
    type Names = NoNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<KernelAndRelease, NoNames>, ProbeError> {
        Err(ProbeError::unsupported("the release is not read yet"))
    }
}
