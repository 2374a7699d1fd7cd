//! # What
//! Files that give rights to whoever runs them (setuid, setgid, file capabilities), files and folders that everybody may
//! change, and files whose owner or group does not exist, on every local filesystem.
//!
//! # Source
//! inode(7), capabilities(7), proc_pid_mountinfo(5), passwd(5), group(5), nsswitch.conf(5), subuid(5); dpkg's lists of
//! files and dpkg-statoverride(1); the databases of rpm, apk and pacman.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` to enter every folder.
//!
//! # Bears on
//! A.8.2 (privileged access rights), A.8.3 (information access restriction), A.8.9 (configuration management), A.8.18 (use
//! of privileged utility programs), A.8.19 (installation of software on operational systems).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

pub mod capability;
mod collect;
mod facts;
mod mounts;
mod owners;
mod packages;
mod tally;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct SetuidFilesProbe;

impl Probe for SetuidFilesProbe {
    const SPEC: Spec = Spec {
        id: "setuid-files",
        version: 3,
        title: "Files with setuid, setgid or capabilities, files that everybody may change, files without owner",
        reads: &[
            "mode, owner and security.capability of everything on local filesystems",
            "/proc/1/mountinfo and /proc/self/mountinfo",
            "/etc/passwd",
            "/etc/group",
            "/etc/nsswitch.conf, and names of records in /etc/userdb/ and the like",
            "/etc/subuid",
            "/etc/subgid",
            "/etc/os-release",
            "/var/lib/dpkg/info/*.list",
            "/var/lib/dpkg/statoverride",
            "/usr/lib/sysimage/rpm/",
            "/var/lib/rpm/",
            "/usr/share/rpm/",
            "/lib/apk/db/installed",
            "/usr/lib/apk/db/installed",
            "/var/lib/pacman/local/*/files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::Daily,
        watch: &[],
        budget: Budget {
            millis: 30 * 60 * 1_000,
            bytes: 512 * 1024 * 1024,
        },
        does_not_show: &[
            "Changes since the last run: it runs once a day, and until then its facts stand as they were.",
            "What lies on network filesystems, on FUSE, in the layers of running containers as they see them, on \
             filesystems that are mounted later, and under a mount point.",
            "Rights by POSIX ACLs.",
            "What a program with such rights lets its user do.",
            "Whether a file that a package brought is still the one that it brought.",
        ],
    };

    type Facts = SetuidFiles;
    type Names = SetuidFileNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<SetuidFiles, SetuidFileNames>, ProbeError> {
        collect::collect(reading)
    }
}

#[cfg(test)]
mod tests;
