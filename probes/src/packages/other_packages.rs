//! The packages of apk and of pacman.

use evidence::Timestamp;

use super::facts::{Manager, Package, Packages, Signatures};
use crate::formats::{apk, pacman};
use crate::order::Order as _;
use crate::probe::ProbeError;
use crate::reading::Reading;

/// Where apk keeps the host's architecture.
const APK_ARCHITECTURE: &str = "/etc/apk/arch";

pub(super) fn apk(reading: &Reading<'_>, path: &str) -> Result<Packages, ProbeError> {
    let database = apk::Database::read(reading, path)?;
    let mut facts = Packages::of(Manager::Apk);
    facts.unparsed = database.unparsed;
    let configured = reading.text(APK_ARCHITECTURE)?;
    let configured = configured.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let by_package = database.packages.iter().find(|package| package.name == "apk-tools");
    let architecture = configured.or_else(|| by_package.map(|package| package.architecture.as_str()));
    let nothing = format!("{APK_ARCHITECTURE}: neither it nor apk-tools is there to tell the host's architecture");
    facts.set_architecture(architecture, &nothing);
    for package in database.packages {
        let told = plain(package.name, package.version, package.architecture, package.source);
        if package.broken {
            facts.not_installed_fully.push(told.id());
        }
        facts.packages.push(told);
    }
    finish(&mut facts);
    Ok(facts)
}

pub(super) fn pacman(reading: &Reading<'_>) -> Result<Packages, ProbeError> {
    let database = pacman::Database::read(reading)?;
    let mut facts = Packages::of(Manager::Pacman);
    facts.unparsed = database.unparsed;
    let native = |name: &str| {
        let mut packages = database.packages.iter();
        packages.find(|package| package.name == name && package.architecture != "any")
    };
    let architecture = ["pacman", "glibc", "bash"].into_iter().find_map(native);
    facts.set_architecture(
        architecture.map(|package| package.architecture.as_str()),
        &format!(
            "{}: neither pacman, glibc nor bash is there to tell the host's architecture",
            pacman::LOCAL
        ),
    );
    let mut unsigned = vec![];
    for package in database.packages {
        let mut told = plain(package.name, package.version, package.architecture, package.source);
        told.installed_at = package
            .installed_at
            .and_then(|seconds| Timestamp::from_unix(seconds).ok());
        if !package.signed {
            unsigned.push(told.id());
        }
        facts.packages.push(told);
    }
    unsigned.order();
    facts.signatures = Some(Signatures {
        unsigned,
        unclear: vec![],
        keys: vec![],
        trusted_keys: vec![],
    });
    finish(&mut facts);
    Ok(facts)
}

fn plain(name: String, version: String, architecture: String, source: Option<String>) -> Package {
    Package {
        source: source.filter(|source| *source != name),
        name,
        version,
        architecture,
        source_version: None,
        state: None,
        held: false,
        installed_at: None,
        vendor: None,
        signed_by: None,
        module: None,
    }
}

fn finish(facts: &mut Packages) {
    facts.installed = facts.packages.len() as u64;
    facts
        .packages
        .order_by(|a, b| (&a.name, &a.architecture, &a.version).cmp(&(&b.name, &b.architecture, &b.version)));
}
