//! # What
//! Whether programs of the base system, and all configuration files of packages, are as their packages brought them.
//!
//! # Source
//! dpkg(1), *--verify*: `/var/lib/dpkg/info/*.md5sums` (deb-md5sums(5)), the `Conffiles` of `/var/lib/dpkg/status`, and
//! `/var/lib/dpkg/diversions` (dpkg-divert(1)). rpm(8), *--verify*: the checksums in the headers of rpm's database.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: some programs and configuration files are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration), A.8.19 (installation of software), A.8.7 (malware), A.8.32 (change management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod checksum;
mod dpkg;
mod facts;
mod rpm;
mod tally;

pub use facts::*;

use crate::formats::os_release::OsRelease;
use crate::formats::package_family::Family;
use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// Packages beside the base system whose programs are compared: those by which people come in.
const MORE: [&str; 7] = [
    "openssh",
    "openssh-client",
    "openssh-clients",
    "openssh-server",
    "openssh-sftp-server",
    "sudo",
    "sudo-ldap",
];
/// Where programs lie.
const FOLDERS: [&str; 8] = [
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/lib/systemd/",
    "/usr/lib/systemd/",
    "/usr/lib/openssh/",
    "/usr/libexec/openssh/",
];

/// Whether what lies at `path` is a program that matters: in a folder of programs, or a module of PAM.
fn is_program(path: &[u8]) -> bool {
    FOLDERS.iter().any(|folder| path.starts_with(folder.as_bytes()))
        || memchr::memmem::find(path, b"/security/pam_").is_some()
}

/// The probe.
pub struct PackageVerificationProbe;

impl Probe for PackageVerificationProbe {
    const SPEC: Spec = Spec {
        id: "package-verification",
        version: 2,
        title: "Whether programs of the base system and configuration files are as their packages brought them",
        reads: &[
            "/etc/os-release",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/info/*.md5sums",
            "/var/lib/dpkg/diversions",
            "/usr/lib/sysimage/rpm/",
            "/var/lib/rpm/",
            "programs of packages of the base system, of OpenSSH and sudo",
            "configuration files that packages brought",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::Daily,
        watch: &[],
        budget: Budget {
            millis: 20_000,
            bytes: 256 * 1024 * 1024,
        },
        does_not_show: &[
            "A change by somebody who can change the package manager's records too: they lie on the same host, and its \
             signatures are not checked again.",
            "A file made to have the same MD5, the only checksum that dpkg records.",
            "Programs of other packages, libraries, links, owners and modes of files, and what no package brought.",
            "What was changed in a configuration file, and whether that was meant.",
            "With rpm, files whose content their package excepts from verification (`%verify(not filedigest)`), and \
             checksums other than MD5 and SHA-256, which are counted as not compared.",
            "Files of packages of apk and pacman.",
        ],
    };

    type Facts = PackageVerification;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<PackageVerification, NoNames>, ProbeError> {
        let release = OsRelease::read(reading)?.unwrap_or_default();
        let facts = match Family::of_host(reading, &release)? {
            Family::Dpkg => dpkg::compared(reading)?,
            Family::Rpm(location) => rpm::compared(reading, &location)?,
            Family::Apk(_) | Family::Pacman => {
                return Err(ProbeError::unsupported(
                    "this probe compares files of packages of dpkg and rpm alone",
                ));
            }
        };
        Ok(Collected::facts(facts))
    }
}

#[cfg(test)]
mod tests;
