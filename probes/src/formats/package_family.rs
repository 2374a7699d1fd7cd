//! Whose packages a host has: by the databases that are there, not by the distribution's name.

use super::os_release::OsRelease;
use super::rpm_database::{self, Location};
use super::{apk, pacman};
use crate::probe::ProbeError;
use crate::reading::Reading;

/// A package manager's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Family {
    /// dpkg's, or what looks like it: see [`super::dpkg::of_host`].
    Dpkg,
    /// rpm's.
    Rpm(Location),
    /// apk's, at this path.
    Apk(&'static str),
    /// pacman's.
    Pacman,
}

impl Family {
    /// The family of this host. rpm can be installed on Debian, and dpkg on Fedora: the distribution's own counts.
    pub fn of_host(reading: &Reading<'_>, release: &OsRelease) -> Result<Self, ProbeError> {
        if release.is_debian_like() {
            return Ok(Self::Dpkg);
        }
        if let Some(location) = rpm_database::locate(reading)? {
            return Ok(Self::Rpm(location));
        }
        for path in apk::DATABASES {
            if reading.stat(path)?.is_some() {
                return Ok(Self::Apk(path));
            }
        }
        if reading.stat(pacman::LOCAL)?.is_some() {
            return Ok(Self::Pacman);
        }
        Ok(Self::Dpkg)
    }
}
