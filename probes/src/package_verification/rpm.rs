//! Files of packages of rpm.

use super::checksum::{Checksum, Kind};
use super::facts::PackageVerification;
use super::tally::{Recorded, Tally};
use super::{MORE, is_program};
use crate::formats::rpm_database::{self, Location};
use crate::formats::rpm_header::hash;
use crate::probe::{Known, ProbeError};
use crate::reading::Reading;

/// Packages without which a host is none, of the distributions of the family: rpm itself has no priorities.
const BASE: [&str; 56] = [
    "aaa_base",
    "audit",
    "bash",
    "coreutils",
    "coreutils-common",
    "coreutils-single",
    "coreutils-systemd",
    "cronie",
    "cryptsetup",
    "dbus-1",
    "dbus-broker",
    "dbus-common",
    "dbus-daemon",
    "dnf",
    "dnf5",
    "e2fsprogs",
    "filesystem",
    "findutils",
    "firewalld",
    "gawk",
    "glibc",
    "glibc-common",
    "grep",
    "gzip",
    "initscripts",
    "iproute",
    "iproute2",
    "iptables",
    "iptables-nft",
    "kmod",
    "libpwquality",
    "login",
    "microdnf",
    "nftables",
    "pam",
    "pam-config",
    "passwd",
    "permissions",
    "polkit",
    "procps",
    "procps-ng",
    "python3-dnf",
    "rpm",
    "rpm-libs",
    "sed",
    "shadow",
    "shadow-utils",
    "systemd",
    "systemd-pam",
    "systemd-udev",
    "tar",
    "util-linux",
    "util-linux-core",
    "util-linux-systemd",
    "yum",
    "zypper",
];

pub(super) fn compared(reading: &Reading<'_>, location: &Location) -> Result<PackageVerification, ProbeError> {
    let is_base = |package: &str| BASE.contains(&package) || MORE.contains(&package);
    let packages = rpm_database::files(reading, location, &|package, path, is_configuration| {
        is_configuration || (is_base(package) && is_program(path))
    })?;
    let (mut programs, mut configuration) = (Tally::of_programs(), Tally::of_configuration());
    for (package, files) in packages {
        let (of_configuration, of_programs): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.is_configuration);
        for (tally, files) in [(&mut configuration, of_configuration), (&mut programs, of_programs)] {
            tally.compared.packages += u64::from(!files.is_empty());
            if !files.is_empty() && files.iter().all(|file| file.digest.is_empty()) {
                tally.compared.without_checksums.push(package.clone());
                continue;
            }
            for file in files {
                let checksum = Checksum {
                    kind: match file.algorithm {
                        hash::MD5 => Kind::Md5,
                        hash::SHA_256 => Kind::Sha256,
                        _ => Kind::Other,
                    },
                    digits: file.digest,
                };
                let recorded = Recorded {
                    path: file.path,
                    checksum,
                    package: package.clone(),
                };
                tally.compare(reading, recorded, file.may_be_missing);
            }
        }
    }
    Ok(PackageVerification {
        programs: Known::Observed(programs.ended()),
        configuration: configuration.ended(),
    })
}
