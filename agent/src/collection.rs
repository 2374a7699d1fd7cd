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

#[cfg(test)]
impl Collection {
    /// A collection of one document that says `detail`.
    pub(crate) fn of_detail(detail: &str) -> Self {
        use evidence::facts::{FactsDocument, Outcome};
        let mut collection = Self::default();
        let facts = FactsDocument {
            probe: ProbeId::new("test").unwrap(),
            version: 1,
            outcome: Outcome::Absent,
            detail: detail.to_owned(),
            sources: vec![],
            facts: None,
        };
        collection.add(Document::new(facts).unwrap());
        collection
    }
}
