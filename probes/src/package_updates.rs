//! # What
//! Which newer versions the host knows of and would install, which of them are security updates, which are kept away by
//! preferences, from which sources, how these are authenticated, and how old the knowledge is.
//!
//! # Source
//! `/var/lib/dpkg/status`; `/var/lib/apt/lists` (lists in plain text, gzip and LZ4 frames; `InRelease`, `Release`,
//! `Release.gpg`: the repository format of the Debian wiki); sources.list(5) in both styles; apt_preferences(5);
//! apt.conf(5); deb-version(7); Ubuntu's phased updates.
//!
//! # Privilege
//! None on a stock system; apt's configuration can be made unreadable, which is then said.
//!
//! # Bears on
//! A.8.8 (technical vulnerabilities), A.8.19 (installation of software), A.8.9 (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::probe::{Budget, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PackageUpdatesProbe;

impl Probe for PackageUpdatesProbe {
    const SPEC: Spec = Spec {
        id: "package-updates",
        version: 1,
        title: "Which package updates are pending, from which sources, and how old that knowledge is",
        reads: &[
            "/etc/os-release",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/arch",
            "/etc/apt/",
            "/var/lib/apt/lists/",
            "/var/lib/apt/periodic/",
        ],
        runs: &[],
        privilege: Privilege::None,
        watch: &[
            "/var/lib/dpkg/status",
            "/var/lib/apt/lists",
            "/etc/apt",
            "/etc/apt/apt.conf.d",
            "/etc/apt/preferences.d",
            "/etc/apt/sources.list.d",
        ],
        // Debian's main list has 50 MB, Ubuntu's universe 70 MB; several releases side by side are common.
        budget: Budget {
            millis: 5_000,
            bytes: 1024 * 1024 * 1024,
        },
        does_not_show: &[
            "Vulnerabilities for which the distribution has no update, or none yet.",
            "Updates that the archive has published since the lists were fetched.",
            "Whether apt could resolve the dependencies: an upgrade may be kept back.",
            "A rebuilt package with an unchanged version number.",
            "Whether a phased update is meant for this host already.",
            "Software that no package brought.",
        ],
    };

    type Facts = PackageUpdates;
    type Names = NoNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<PackageUpdates, NoNames>, ProbeError> {
        Err(ProbeError::unsupported("the lists of packages are not read yet"))
    }
}
