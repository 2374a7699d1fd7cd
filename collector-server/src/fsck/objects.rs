//! Manifests, facts documents and files: their bytes have their digests, and what is named is there.

use std::collections::HashSet;

use evidence::Digest;
use evidence::facts::FactsDocument;
use evidence::manifest::Manifest;

use super::Report;
use super::chain::Chain;
use crate::store::{Store, StoreError};

/// Digests listed at once.
const PAGE: usize = 1000;

pub(super) fn check(store: &dyn Store, chain: &Chain, report: &mut Report) -> Result<(), StoreError> {
    let mut named = HashSet::new();
    manifests(store, chain, &mut named, report)?;
    facts(store, report)?;
    for (probe, digest) in named {
        let place = format!("facts {digest}");
        match report.read(&place, store.facts_probe(&digest))? {
            Some(Some(found)) if found.as_str() == probe => {}
            Some(Some(found)) => report.add(place, format!("is a document of {found}, a manifest says {probe}")),
            Some(None) => report.add(place, format!("is named by a manifest (as {probe}) and not stored")),
            None => {}
        }
    }
    for digest in chain.files() {
        let place = format!("file {digest}");
        match report.read(&place, store.file(digest))? {
            Some(Some(bytes)) if Digest::of(&bytes) == *digest => {}
            Some(Some(bytes)) => report.add(place, format!("has the digest {}", Digest::of(&bytes))),
            Some(None) => report.add(place, "is named by a rule set and not stored"),
            None => {}
        }
    }
    Ok(())
}

fn manifests(
    store: &dyn Store,
    chain: &Chain,
    named: &mut HashSet<(String, Digest)>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut after = None;
    let mut stored = HashSet::new();
    loop {
        let page = store.manifest_digests(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        for digest in page {
            let place = format!("manifest {digest}");
            report.manifests += 1;
            let Some(Some(bytes)) = report.read(&place, store.manifest(&digest))? else {
                continue;
            };
            stored.insert(digest);
            if Digest::of(&bytes) != digest {
                report.add(place, format!("has the digest {}", Digest::of(&bytes)));
                continue;
            }
            match Manifest::from_bytes(&bytes) {
                Err(error) => report.add(place, error),
                // A manifest that no statement names yet may wait for its facts.
                Ok(manifest) if chain.manifests().contains(&digest) => {
                    let documents = manifest.documents().iter();
                    named.extend(documents.map(|(probe, digest)| (probe.as_str().to_owned(), *digest)));
                }
                Ok(_) => {}
            }
        }
    }
    for digest in chain.manifests().difference(&stored) {
        report.add(format!("manifest {digest}"), "is named by a statement and not stored");
    }
    Ok(())
}

fn facts(store: &dyn Store, report: &mut Report) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store.facts_digests(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for digest in page {
            let place = format!("facts {digest}");
            report.facts += 1;
            let Some(Some(facts)) = report.read(&place, store.facts(&digest))? else {
                continue;
            };
            if Digest::of(&facts.bytes) != digest {
                report.add(place, format!("has the digest {}", Digest::of(&facts.bytes)));
                continue;
            }
            match FactsDocument::from_bytes(&facts.bytes) {
                Err(error) => report.add(place, error),
                Ok(document) if document.probe != facts.probe => {
                    report.add(place, format!("is of {}, stored as {}", document.probe, facts.probe));
                }
                Ok(_) => {}
            }
        }
    }
}
