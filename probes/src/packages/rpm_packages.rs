//! The packages of rpm.

use std::collections::BTreeMap;

use evidence::Timestamp;

use super::facts::{Manager, Package, Packages, Signatures, SigningKey, Vendor};
use crate::formats::rpm_database::{self, Database, Location, Signature};
use crate::formats::rpm_version;
use crate::order::Order as _;
use crate::probe::ProbeError;
use crate::reading::Reading;

pub(super) fn collect(reading: &Reading<'_>, location: &Location) -> Result<Packages, ProbeError> {
    let database = Database::of_host(reading, location)?;
    let mut facts = Packages::of(Manager::Rpm);
    let architecture = database.native_architecture().map(str::to_owned);
    facts.unparsed.clone_from(&database.unparsed);
    let nothing = "neither rpm, glibc, bash nor filesystem is there to tell the host's architecture";
    facts.set_architecture(architecture.as_deref(), &format!("{}: {nothing}", location.path));
    let mut vendors: BTreeMap<String, u64> = BTreeMap::new();
    let mut keys: BTreeMap<String, u64> = BTreeMap::new();
    let (mut unsigned, mut unclear) = (vec![], vec![]);
    for installed in &database.packages {
        *vendors.entry(installed.vendor.clone()).or_default() += 1;
        let package = told(installed);
        match &installed.signature {
            Signature::Unsigned => unsigned.push(package.id()),
            Signature::Unclear => unclear.push(package.id()),
            Signature::Key(key) => *keys.entry(key.clone()).or_default() += 1,
        }
        facts.packages.push(package);
    }
    facts.installed = facts.packages.len() as u64;
    facts.packages.order_by(|a, b| {
        (&a.name, &a.architecture)
            .cmp(&(&b.name, &b.architecture))
            .then_with(|| rpm_version::compare(&a.version, &b.version))
            .then_with(|| a.version.cmp(&b.version))
    });
    unsigned.order();
    unclear.order();
    let mut trusted_keys: Vec<_> = database.trusted_keys.iter().map(|key| key.id.clone()).collect();
    trusted_keys.order();
    trusted_keys.dedup();
    let vendor = |(vendor, packages)| Vendor { vendor, packages };
    let key = |(key_id, packages)| SigningKey { key_id, packages };
    facts.vendors = Some(vendors.into_iter().map(vendor).collect());
    facts.signatures = Some(Signatures {
        unsigned,
        unclear,
        keys: keys.into_iter().map(key).collect(),
        trusted_keys,
    });
    Ok(facts)
}

fn told(package: &rpm_database::Package) -> Package {
    let (_, unversioned) = package.version.split_once(':').unwrap_or(("", &package.version));
    let source_version = package.source_version.clone().filter(|source| source != unversioned);
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Package {
        source: package.source.clone().filter(|source| *source != package.name),
        source_version,
        name: package.name.clone(),
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        state: None,
        held: false,
        installed_at: package
            .installed_at
            .and_then(|seconds| Timestamp::from_unix(i64::from(seconds)).ok()),
        vendor: given(&package.vendor),
        signed_by: match &package.signature {
            Signature::Key(key) => Some(key.clone()),
            Signature::Unsigned | Signature::Unclear => None,
        },
        module: given(&package.module),
    }
}
