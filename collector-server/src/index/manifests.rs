//! Manifests and facts documents by small numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evidence::Digest;
use evidence::facts::ProbeId;
use evidence::manifest::Manifest;

use super::IndexError;
use super::database::Rows;
use super::told::{Table, digest_of};
use crate::store::Store;

/// Numbers kept in memory of each kind before all are forgotten: some 20 MB.
const KEPT: usize = 100_000;

/// A manifest's documents: by probe the number of the facts document.
pub(super) type Documents = BTreeMap<ProbeId, i64>;

/// Numbers manifests and facts documents as they are met.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    manifests: HashMap<Digest, i64>,
    facts: HashMap<Digest, i64>,
    documents: HashMap<i64, Arc<Documents>>,
}

/// Reads a manifest out of the store.
pub(crate) fn load(store: &dyn Store, digest: &Digest) -> Result<Manifest, IndexError> {
    let bytes = store.manifest(digest)?.ok_or(IndexError::NoManifest(*digest))?;
    Manifest::from_bytes(&bytes).map_err(|source| IndexError::Manifest {
        digest: *digest,
        source,
    })
}

impl Numbers {
    /// Forgets all: after a transaction that did not happen.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn manifest(&mut self, rows: Rows<'_>, digest: &Digest) -> Result<i64, IndexError> {
        let (select, insert) = (
            "SELECT id FROM manifest WHERE digest = ?1",
            "INSERT INTO manifest (digest) VALUES (?1)",
        );
        number(&mut self.manifests, rows, digest, select, insert)
    }

    pub(super) fn facts(&mut self, rows: Rows<'_>, digest: &Digest) -> Result<i64, IndexError> {
        let (select, insert) = (
            "SELECT id FROM facts WHERE digest = ?1",
            "INSERT INTO facts (digest) VALUES (?1)",
        );
        number(&mut self.facts, rows, digest, select, insert)
    }

    /// The documents of a manifest.
    pub(super) fn documents(
        &mut self,
        rows: Rows<'_>,
        store: &dyn Store,
        manifest: i64,
    ) -> Result<Arc<Documents>, IndexError> {
        if let Some(documents) = self.documents.get(&manifest) {
            return Ok(Arc::clone(documents));
        }
        let digest = digest_of(rows, Table::Manifest, manifest)?;
        let mut documents = Documents::new();
        for (probe, digest) in load(store, &digest)?.documents() {
            documents.insert(probe.clone(), self.facts(rows, digest)?);
        }
        let documents = Arc::new(documents);
        if self.documents.len() >= KEPT {
            self.documents.clear();
        }
        self.documents.insert(manifest, Arc::clone(&documents));
        Ok(documents)
    }
}

fn number(
    known: &mut HashMap<Digest, i64>,
    rows: Rows<'_>,
    digest: &Digest,
    select: &str,
    insert: &str,
) -> Result<i64, IndexError> {
    if let Some(number) = known.get(digest) {
        return Ok(*number);
    }
    let bytes = digest.as_bytes().as_slice();
    let number = match rows.one("reading digests", select, [bytes], |row| row.get(0))? {
        Some(number) => number,
        None => rows.insert("writing a digest", insert, [bytes])?,
    };
    if known.len() >= KEPT {
        known.clear();
    }
    known.insert(*digest, number);
    Ok(number)
}
