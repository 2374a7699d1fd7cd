//! # What
//! The packages on the host: versions, states, holds, sources; for rpm who distributes and who signed them, and when they
//! were installed.
//!
//! # Source
//! `/var/lib/dpkg/status` (dpkg(1), deb-control(5), dpkg-query(1)); `/var/lib/dpkg/status.d` as distroless images have
//! it; rpm's database in the forms of SQLite and ndb (rpm(8)); apk's `installed` (apk-package(5)); pacman's
//! `local/*/desc`; os-release(5).
//!
//! # Privilege
//! None.
//!
//! # Bears on
//! A.5.9 (inventory of assets), A.8.8 (technical vulnerabilities), A.8.19 (installation of software), A.8.9
//! (configuration), A.5.21 (supply chain).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod dpkg_packages;
mod facts;
mod other_packages;
mod rpm_packages;

pub use facts::*;

use crate::formats::os_release::OsRelease;
use crate::formats::package_family::Family;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PackagesProbe;

impl Probe for PackagesProbe {
    const SPEC: Spec = Spec {
        id: "packages",
        version: 2,
        title: "Which packages are installed, in which version and state, from whom, and which are held",
        reads: &[
            "/etc/os-release",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/status.d/",
            "/usr/lib/sysimage/rpm/",
            "/var/lib/rpm/",
            "/usr/share/rpm/",
            "/lib/apk/db/installed",
            "/usr/lib/apk/db/installed",
            "/etc/apk/arch",
            "/var/lib/pacman/local/",
        ],
        runs: &[],
        privilege: Privilege::None,
        cadence: Cadence::OnChange,
        watch: &[
            "/var/lib/dpkg/status",
            "/usr/lib/sysimage/rpm",
            "/var/lib/rpm",
            "/lib/apk/db",
            "/usr/lib/apk/db",
            "/var/lib/pacman/local",
        ],
        // The database of rpm on a large host has 200 MB; it is read by windows, and twice if it changes meanwhile.
        budget: Budget {
            millis: 5_000,
            bytes: 512 * 1024 * 1024,
        },
        does_not_show: &[
            "Software that no package brought: under /usr/local or /opt, in containers; that of pip, npm, gem, snap and flatpak is in other-software.",
            "Whether installed files are as the package brought them.",
            "Which process still runs the code of an older version.",
            "Whether a signature is valid: it is told which key rpm saw when it installed the package.",
        ],
    };

    type Facts = Packages;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Packages, NoNames>, ProbeError> {
        let release = OsRelease::read(reading)?.unwrap_or_default();
        let mut facts = match Family::of_host(reading, &release)? {
            Family::Dpkg => dpkg_packages::collect(reading)?,
            Family::Rpm(location) => rpm_packages::collect(reading, &location)?,
            Family::Apk(path) => other_packages::apk(reading, path)?,
            Family::Pacman => other_packages::pacman(reading)?,
        };
        release.id().clone_into(&mut facts.distribution);
        facts.complete = facts.unparsed.is_empty();
        facts.not_installed_fully.order();
        facts.held.order();
        Ok(Collected::facts(facts))
    }
}

impl Packages {
    /// Nothing seen yet.
    fn of(manager: Manager) -> Self {
        Self {
            manager,
            distribution: String::new(),
            architecture: String::new(),
            packages: vec![],
            installed: 0,
            not_installed_fully: vec![],
            held: vec![],
            config_files: 0,
            vendors: None,
            signatures: None,
            unparsed: vec![],
            complete: false,
        }
    }

    /// Sets the host's architecture, if the database tells.
    fn set_architecture(&mut self, found: Option<&str>, otherwise: &str) {
        match found {
            Some(architecture) => architecture.clone_into(&mut self.architecture),
            None => self.unparsed.push(otherwise.to_owned()),
        }
    }
}

impl Package {
    /// `name:architecture`.
    fn id(&self) -> String {
        format!("{}:{}", self.name, self.architecture)
    }
}

#[cfg(test)]
mod tests;
