//! Manifests and facts: that what statements name is there, is what it is named, and that nothing else is there.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evidence::Digest;
use evidence::facts::{FactsDocument, ProbeId};
use evidence::manifest::Manifest;
use evidence::pack;

use super::Context;
use crate::archive::Role;
use crate::failure::Failure;

/// The manifests of the pack by digest, and which of them a statement has named.
pub(super) struct Manifests(BTreeMap<Digest, (Arc<Manifest>, Cell<bool>)>);

impl Manifests {
    /// Reads every manifest.
    pub(super) fn read(context: &mut Context) -> Result<Self, Failure> {
        let mut manifests = BTreeMap::new();
        for name in context.archive.of_role(|role| matches!(role, Role::Manifest(_))) {
            let Some(Role::Manifest(digest)) = context.archive.role(&name).cloned() else {
                continue;
            };
            let bytes = context.named(&name, digest)?;
            let manifest = Manifest::from_bytes(&bytes).map_err(|error| Failure::wrong(error, &name))?;
            manifests.insert(digest, (Arc::new(manifest), Cell::new(false)));
        }
        context
            .report
            .passed("manifests are what they are named", manifests.len() as u64);
        Ok(Self(manifests))
    }

    /// The manifest that a statement names.
    pub(super) fn named(&self, digest: &Digest) -> Result<Arc<Manifest>, Failure> {
        let (manifest, named) = self
            .0
            .get(digest)
            .ok_or_else(|| Failure::wrong("a statement names it and it is missing", pack::manifest(digest)))?;
        named.set(true);
        Ok(Arc::clone(manifest))
    }

    /// Once all statements were read: no manifest is there that none names.
    pub(super) fn check_all_named(&self) -> Result<(), Failure> {
        match self.0.iter().find(|(_, (_, named))| !named.get()) {
            Some((digest, _)) => Err(Failure::wrong(
                "no statement in the pack names this manifest",
                pack::manifest(digest),
            )),
            None => Ok(()),
        }
    }

    fn documents(&self) -> impl Iterator<Item = (&ProbeId, &Digest)> {
        self.0.values().flat_map(|(manifest, _)| manifest.documents())
    }
}

/// Checks every facts document and hands it to `take`, one at a time: they are not kept.
pub(super) fn facts(
    context: &mut Context,
    manifests: &Manifests,
    mut take: impl FnMut(Digest, FactsDocument) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut probes: BTreeMap<Digest, BTreeSet<&ProbeId>> = BTreeMap::new();
    for (probe, digest) in manifests.documents() {
        probes.entry(*digest).or_default().insert(probe);
    }
    let mut withheld = probes.clone();
    let mut count = 0;
    for name in context.archive.of_role(|role| matches!(role, Role::Facts(_))) {
        let Some(Role::Facts(digest)) = context.archive.role(&name).cloned() else {
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
