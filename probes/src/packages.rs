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

use crate::formats::dpkg::{self, Entry, State};
use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
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
        cadence: Cadence::EveryRound,
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

    fn collect(reading: &Reading<'_>) -> Result<Collected<Packages, NoNames>, ProbeError> {
        let (distribution, database) = dpkg::of_host(reading)?;
        let entries = database.entries();
        let manager = if database.folder {
            Manager::DpkgStatusFolder
        } else {
            Manager::Dpkg
        };
        let architecture = entries.native_architecture().unwrap_or_default().to_owned();
        let mut unparsed = entries.unparsed;
        if architecture.is_empty() {
            unparsed.push(format!(
                "{}: neither dpkg nor base-files is there to tell the host's architecture",
                dpkg::STATUS
            ));
        }
        let mut facts = Packages {
            manager,
            distribution,
            architecture,
            packages: vec![],
            installed: 0,
            not_installed_fully: vec![],
            held: vec![],
            config_files: 0,
            complete: unparsed.is_empty(),
            unparsed,
        };
        for entry in &entries.packages {
            add(&mut facts, entry);
        }
        facts
            .packages
            .sort_by(|a, b| (&a.name, &a.architecture).cmp(&(&b.name, &b.architecture)));
        facts.not_installed_fully.sort();
        facts.held.sort();
        Ok(Collected::facts(facts))
    }
}

fn add(facts: &mut Packages, entry: &Entry<'_>) {
    let Some(state) = state_of(entry.state) else {
        facts.config_files += 1;
        return;
    };
    let id = || format!("{}:{}", entry.name, entry.architecture);
    if entry.held {
        facts.held.push(id());
    }
    facts.installed += u64::from(state == PackageState::Installed);
    if state != PackageState::Installed || entry.reinstall_required {
        facts.not_installed_fully.push(id());
    }
    facts.packages.push(Package {
        name: entry.name.to_owned(),
        version: entry.version.to_owned(),
        architecture: entry.architecture.to_owned(),
        source: entry.source.map(str::to_owned),
        source_version: entry.source_version.map(str::to_owned),
        state: (state != PackageState::Installed).then_some(state),
        held: entry.held,
    });
}

fn state_of(state: State) -> Option<PackageState> {
    Some(match state {
        State::ConfigFiles => return None,
        State::HalfInstalled => PackageState::HalfInstalled,
        State::Unpacked => PackageState::Unpacked,
        State::HalfConfigured => PackageState::HalfConfigured,
        State::TriggersAwaited => PackageState::TriggersAwaited,
        State::TriggersPending => PackageState::TriggersPending,
        State::Installed => PackageState::Installed,
    })
}

#[cfg(test)]
mod tests;
