//! Manifests and facts: that what statements name is there, is what it is named, and that nothing else is there.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Digest;
use evidence::facts::{FactsDocument, ProbeId};
use evidence::manifest::Manifest;
use evidence::pack;

use super::Context;
use super::chains::Statements;
use crate::archive::Role;
use crate::failure::Failure;

/// The manifests of the pack by digest.
pub(super) type Manifests = BTreeMap<Digest, BTreeMap<ProbeId, Digest>>;

/// Checks every manifest; gives them, and the facts documents that they name with the probe that each must be of.
pub(super) fn manifests(context: &mut Context, statements: &Statements) -> Result<Manifests, Failure> {
    let mut wanted: BTreeSet<Digest> = statements.values().flatten().map(|stated| stated.manifest).collect();
    let mut manifests = Manifests::new();
    for name in context.archive.of_role(|role| matches!(role, Role::Manifest(_))) {
        let Some(Role::Manifest(digest)) = context.archive.files().get(&name).cloned() else {
            continue;
        };
        let bytes = context.named(&name, digest)?;
        if !wanted.remove(&digest) {
            return Err(Failure::wrong("no statement in the pack names this manifest", name));
        }
        let manifest = Manifest::from_bytes(&bytes).map_err(|error| Failure::wrong(error, &name))?;
        manifests.insert(digest, manifest.documents().clone());
    }
    if let Some(missing) = wanted.first() {
        return Err(Failure::wrong(
            "a statement names it and it is missing",
            pack::manifest(missing),
        ));
    }
    context
        .report
        .passed("manifests are those that the statements name", manifests.len() as u64);
    Ok(manifests)
}

/// Checks every facts document and hands it to `take`, one at a time: they are not kept.
pub(super) fn facts(
    context: &mut Context,
    manifests: &Manifests,
    mut take: impl FnMut(Digest, FactsDocument) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut probes: BTreeMap<Digest, BTreeSet<&ProbeId>> = BTreeMap::new();
    for (probe, digest) in manifests.values().flatten() {
        probes.entry(*digest).or_default().insert(probe);
    }
    let mut withheld = probes.clone();
    let mut count = 0;
    for name in context.archive.of_role(|role| matches!(role, Role::Facts(_))) {
        let Some(Role::Facts(digest)) = context.archive.files().get(&name).cloned() else {
            continue;
        };
        let bytes = context.named(&name, digest)?;
        withheld.remove(&digest);
        let named = probes
            .get(&digest)
            .ok_or_else(|| Failure::wrong("no manifest in the pack names these facts", &name))?;
        let document = FactsDocument::from_bytes(&bytes).map_err(|error| Failure::wrong(error, &name))?;
        if named.iter().any(|probe| **probe != document.probe) {
            let named: Vec<_> = named.iter().map(|probe| probe.as_str()).collect();
            let what = format!(
                "is a document of {}, manifests name it as {}",
                document.probe,
                named.join(", ")
            );
            return Err(Failure::wrong(what, name));
        }
        take(digest, document)?;
        count += 1;
    }
    // Personal data may be withheld; whatever a rule can read may not.
    let mut names = 0;
    for (digest, probes) in withheld {
        if probes.iter().any(|probe| !probe.is_names()) {
            return Err(Failure::wrong(
                "a manifest names it and it is missing",
                pack::facts(&digest),
            ));
        }
        names += 1;
    }
    if names > 0 {
        context.report.warn(format!(
            "{names} documents with names are withheld; their digests are in the manifests"
        ));
    }
    context
        .report
        .passed("facts documents are those that the manifests name", count);
    Ok(())
}
