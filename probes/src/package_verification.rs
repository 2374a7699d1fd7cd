//! # What
//! Whether programs of the base system, and all configuration files of packages, are as their packages brought them.
//!
//! # Source
//! dpkg(1), *--verify*: `/var/lib/dpkg/info/*.md5sums` (deb-md5sums(5)), the `Conffiles` of `/var/lib/dpkg/status`, and
//! `/var/lib/dpkg/diversions` (dpkg-divert(1)).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: some programs and configuration files are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration), A.8.19 (installation of software), A.8.7 (malware), A.8.32 (change management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod database;
mod facts;

use std::fmt::Write;

use evidence::facts::Outcome;
use md5::{Digest, Md5};

use database::{Diversions, Packages, Recorded};
pub use facts::*;

use crate::formats::dpkg::STATUS;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Unread};

/// Bytes of programs that are compared at most; the base system of Debian 12 has 60 MB in the folders looked at.
const MAX_PROGRAM_BYTES: u64 = 160 * 1024 * 1024;
/// Bytes of configuration files that are compared at most.
const MAX_CONFFILE_BYTES: u64 = 32 * 1024 * 1024;
/// More differences are counted and not listed.
const MAX_LISTED: usize = 1_000;

/// The probe.
pub struct PackageVerificationProbe;

impl Probe for PackageVerificationProbe {
    const SPEC: Spec = Spec {
        id: "package-verification",
        version: 1,
        title: "Whether programs of the base system and configuration files are as their packages brought them",
        reads: &[
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/info/*.md5sums",
            "/var/lib/dpkg/diversions",
            "programs of packages that are essential, required or important, of OpenSSH and sudo",
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
            "A change by somebody who can change dpkg's records too: they lie on the same host and are not signed.",
            "A file made to have the same MD5, the only checksum that dpkg records.",
            "Programs of other packages, libraries, links, owners and modes of files, and what no package brought.",
            "What was changed in a configuration file, and whether that was meant.",
            "Files of packages of rpm, apk and pacman.",
        ],
    };

    type Facts = PackageVerification;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<PackageVerification, NoNames>, ProbeError> {
        let Some(status) = reading.file(STATUS)? else {
            return Err(ProbeError::unsupported(format!(
                "{STATUS} is not there: this probe compares packages of dpkg alone"
            )));
        };
        let packages = Packages::of(&status);
        let diversions = Diversions::read(reading)?;
        let facts = PackageVerification {
            programs: known(programs(reading, &packages, &diversions)),
            configuration: configuration(reading, &packages, &diversions),
        };
        Ok(Collected::facts(facts))
    }
}

fn known<T>(read: Result<T, Unread>) -> Known<T> {
    match read {
        Ok(value) => Known::Observed(value),
        Err(unread) => Known::unread(&unread),
    }
}

fn programs(reading: &Reading<'_>, packages: &Packages<'_>, diversions: &Diversions) -> Result<Compared, Unread> {
    let mut tally = Tally::new(MAX_PROGRAM_BYTES, "programs of packages");
    for package in packages.base() {
        let Some(recorded) = package.checksums(reading)? else {
            tally.compared.without_checksums.push(package.name.to_owned());
            continue;
        };
        tally.compared.packages += 1;
        for file in recorded {
            tally.compare(reading, diversions, &file);
        }
    }
    Ok(tally.ended())
}

fn configuration(reading: &Reading<'_>, packages: &Packages<'_>, diversions: &Diversions) -> Compared {
    let mut tally = Tally::new(MAX_CONFFILE_BYTES, "configuration files of packages");
    for package in packages.all() {
        let conffiles = package.conffiles();
        tally.compared.packages += u64::from(!conffiles.is_empty());
        for file in conffiles {
            tally.compare(reading, diversions, &file);
        }
    }
    tally.ended()
}

struct Tally {
    compared: Compared,
    left: u64,
    shown: &'static str,
}

impl Tally {
    fn new(left: u64, shown: &'static str) -> Self {
        Self {
            compared: Compared::default(),
            left,
            shown,
        }
    }

    fn compare(&mut self, reading: &Reading<'_>, diversions: &Diversions, file: &Recorded) {
        let path = diversions.place(&file.path, &file.package);
        let difference = || Difference {
            path: path.to_owned(),
            package: file.package.clone(),
        };
        match self.same(reading, path, &file.md5) {
            Ok(Some(true)) => self.compared.files += 1,
            Ok(Some(false)) => {
                self.compared.files += 1;
                self.compared.changed_count += 1;
                self.compared.changed.push(difference());
            }
            Ok(None) => {
                self.compared.missing_count += 1;
                self.compared.missing.push(difference());
            }
            Err(why) => {
                self.compared.not_compared_count += 1;
                self.compared.not_compared.push(NotCompared {
                    path: path.to_owned(),
                    outcome: why.outcome().as_str().to_owned(),
                });
            }
        }
    }

    /// Whether the file is as it was; `Ok(None)`: it is not there.
    fn same(&mut self, reading: &Reading<'_>, path: &str, md5: &str) -> Result<Option<bool>, Unread> {
        let Some(stat) = reading.stat(path)? else {
            return Ok(None);
        };
        if stat.kind != Kind::File {
            return Ok(Some(false));
        }
        let Some(left) = self.left.checked_sub(stat.size) else {
            return Err(Unread::Skipped {
                place: path.to_owned(),
                reason: "enough was compared".to_owned(),
            });
        };
        self.left = left;
        // One source for all: there are thousands.
        let Some(bytes) = reading.private(path, self.shown)? else {
            return Ok(None);
        };
        let mut found = String::with_capacity(32);
        for byte in Md5::digest(&bytes) {
            // Writing to a string does not fail.
            let _ = write!(found, "{byte:02x}");
        }
        Ok(Some(found == md5))
    }

    fn ended(mut self) -> Compared {
        let compared = &mut self.compared;
        compared.changed.order();
        compared.changed.truncate(MAX_LISTED);
        compared.missing.order();
        compared.missing.truncate(MAX_LISTED);
        compared.not_compared.order();
        compared.not_compared.truncate(MAX_LISTED);
        compared.without_checksums.order();
        compared.everything = if compared.not_compared_count > 0 {
            Known::not(
                Outcome::Failed,
                format!("{} files could not be compared", compared.not_compared_count),
            )
        } else {
            Known::Observed(Everything {})
        };
        self.compared
    }
}

#[cfg(test)]
mod tests;
