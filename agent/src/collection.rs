//! One round over all probes: the facts documents and their manifest.

mod daily;
mod document;
mod kept;
mod owed;
mod prober;
mod rounds;
mod runner;
mod unchanged;

use std::collections::BTreeMap;

use evidence::facts::ProbeId;
use evidence::manifest::Manifest;

pub use daily::Daily;
pub use document::Document;
pub use prober::{Prober, write};
pub use rounds::{Patience, Rounds};
pub use runner::{Ran, Runner, Step};
pub use unchanged::Unchanged;

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
        let named = |document: &Document| (document.id().clone(), document.digest());
        Manifest::new(self.documents.values().map(named))
    }

    fn extend(&mut self, documents: Vec<Document>) {
        let named = |document: Document| (document.id().clone(), document);
        self.documents.extend(documents.into_iter().map(named));
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
        collection.extend(vec![Document::new(facts).unwrap()]);
        collection
    }
}
