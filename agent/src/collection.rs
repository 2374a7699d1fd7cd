//! One round over all probes: the facts documents and their manifest.

mod document;
mod runner;

use std::collections::BTreeMap;

use evidence::facts::ProbeId;
use evidence::manifest::Manifest;

pub use document::Document;
pub use runner::Runner;

/// What one round brought home.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    documents: BTreeMap<ProbeId, Document>,
}

impl Collection {
    /// The documents, sorted by id.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// The list of them.
    pub fn manifest(&self) -> Manifest {
        let named = |document: &Document| (document.facts().probe.clone(), document.digest());
        Manifest::new(self.documents.values().map(named))
    }

    fn add(&mut self, document: Document) {
        self.documents.insert(document.facts().probe.clone(), document);
    }
}
