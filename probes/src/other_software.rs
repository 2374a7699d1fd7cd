//! # What
//! Software that no package manager of the distribution brought: snaps, flatpaks, and packages of Python, npm and Ruby that were
//! installed for all users.
//!
//! # Source
//! snapd's `state.json` (`overlord/snapstate` in its source); flatpak(1) and the folders of its system installation, remotes as
//! ostree.repo-config(5) has them; the Python packaging specification *Recording installed projects*; `package.json` (npm-folders(7));
//! specifications of gems (`gem help`).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: snapd's state is closed to others.
//!
//! # Bears on
//! A.8.19 (installation of software), A.5.9 (inventory of assets), A.8.8 (technical vulnerabilities), A.5.21 (supply chain).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod flatpak;
mod gems;
mod npm;
mod python;
mod snap;

pub use facts::*;

use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// More of a kind are counted, not told.
const MAX_ENTRIES: usize = 5_000;
/// A longer name or version is cut.
const MAX_TEXT: usize = 300;

/// The probe.
pub struct OtherSoftwareProbe;

impl Probe for OtherSoftwareProbe {
    const SPEC: Spec = Spec {
        id: "other-software",
        version: 2,
        title: "Which software came by other ways than the distribution's packages: snap, flatpak, pip, npm, gem",
        reads: &[
            "/var/lib/snapd/state.json",
            "/var/lib/flatpak/app/, /var/lib/flatpak/runtime/, /var/lib/flatpak/repo/config",
            "/usr/local/lib/python3*/ and /usr/local/lib64/python3*/: dist-packages, site-packages",
            "/usr/local/lib/node_modules/, /usr/lib/node_modules/",
            "/var/lib/gems/, /usr/local/lib/ruby/gems/, /usr/local/share/gems/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::Daily,
        watch: &[],
        budget: Budget {
            millis: 10_000,
            bytes: 128 * 1024 * 1024,
        },
        does_not_show: &[
            "What users installed for themselves, in virtual environments, in projects and in containers.",
            "Programs that were built on the host or copied to it, those of cargo and go among them, and modules of Perl.",
            "Which modules of npm in /usr/lib are a distribution's own, since it puts them there too; gems that Ruby itself brings.",
            "Whether what is installed was changed since, and whether it has known weaknesses.",
        ],
    };

    type Facts = OtherSoftware;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<OtherSoftware, NoNames>, ProbeError> {
        Ok(Collected::facts(OtherSoftware {
            snaps: Known::of(snap::read(reading), snap::STATE),
            flatpak: Known::of(flatpak::read(reading), flatpak::FOLDER),
            python: Known::of(python::read(reading), python::WHERE),
            npm: Known::of(npm::read(reading), npm::WHERE),
            gems: Known::of(gems::read(reading), gems::WHERE),
        }))
    }
}

/// Sorted, and no more than are told.
fn listed<T: Ord>(mut found: Vec<T>) -> SoftwareList<T> {
    found.order();
    found.dedup();
    let more = found.len().saturating_sub(MAX_ENTRIES) as u64;
    found.truncate(MAX_ENTRIES);
    SoftwareList { entries: found, more }
}

fn text(written: &str) -> String {
    written.trim().chars().take(MAX_TEXT).collect()
}

fn wrong(reading: &Reading<'_>, place: &str, reason: impl Into<String>) -> Unread {
    reading.malformed(place.to_owned(), reason.into())
}

#[cfg(test)]
mod tests;
