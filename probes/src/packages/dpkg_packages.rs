//! The packages of dpkg.

use super::facts::{Manager, Package, PackageState, Packages};
use crate::formats::dpkg::{self, Entry, State};
use crate::order::Order as _;
use crate::probe::ProbeError;
use crate::reading::Reading;

pub(super) fn collect(reading: &Reading<'_>) -> Result<Packages, ProbeError> {
    let (_, database) = dpkg::of_host(reading)?;
    let entries = database.entries();
    let mut facts = Packages::of(if database.folder {
        Manager::DpkgStatusFolder
    } else {
        Manager::Dpkg
    });
    for entry in &entries.packages {
        add(&mut facts, entry);
    }
    facts
        .packages
        .order_by(|a, b| (&a.name, &a.architecture).cmp(&(&b.name, &b.architecture)));
    let architecture = entries.native_architecture().map(str::to_owned);
    facts.unparsed = entries.unparsed;
    let nothing = "neither dpkg nor base-files is there to tell the host's architecture";
    facts.set_architecture(architecture.as_deref(), &format!("{}: {nothing}", dpkg::STATUS));
    Ok(facts)
}

fn add(facts: &mut Packages, entry: &Entry<'_>) {
    let Some(state) = state_of(entry.state) else {
        facts.config_files += 1;
        return;
    };
    let package = Package {
        name: entry.name.to_owned(),
        version: entry.version.to_owned(),
        architecture: entry.architecture.to_owned(),
        source: entry.source.map(str::to_owned),
        source_version: entry.source_version.map(str::to_owned),
        state: (state != PackageState::Installed).then_some(state),
        held: entry.held,
        installed_at: None,
        vendor: None,
        signed_by: None,
        module: None,
    };
    if entry.held {
        facts.held.push(package.id());
    }
    facts.installed += u64::from(state == PackageState::Installed);
    if state != PackageState::Installed || entry.reinstall_required {
        facts.not_installed_fully.push(package.id());
    }
    facts.packages.push(package);
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
