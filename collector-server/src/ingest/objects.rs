//! Manifests and facts documents: stored under their digest, and only if they are what they must be.

use std::sync::Arc;

use evidence::Digest;
use evidence::facts::{FactsDocument, FactsError};
use evidence::manifest::{Manifest, ManifestError};
use thiserror::Error;

use crate::app::App;
use crate::log::LogError;
use crate::store::{StoreError, StoredFacts};

/// Why a manifest or a facts document was not stored.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// The bytes have another digest than the request names.
    #[error("the bytes have the digest {found}, the address names {named}")]
    Digest {
        /// Of the bytes.
        found: Digest,
        /// In the address.
        named: Digest,
    },
    /// Not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Not a facts document.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The store or the log.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<StoreError> for ObjectError {
    fn from(error: StoreError) -> Self {
        Self::Log(LogError::Store(error.into()))
    }
}

fn check(named: Digest, bytes: &[u8]) -> Result<(), ObjectError> {
    let found = Digest::of(bytes);
    if found == named {
        Ok(())
    } else {
        Err(ObjectError::Digest { found, named })
    }
}

/// Stores a manifest; returns the digests of facts documents in it that are not stored.
pub async fn put_manifest(app: &Arc<App>, named: Digest, bytes: Vec<u8>) -> Result<Vec<Digest>, ObjectError> {
    check(named, &bytes)?;
    let manifest = Manifest::from_bytes(&bytes)?;
    if app.store.manifest(&named)?.is_none() {
        app.log
            .write(move |batch| batch.store().put_manifest(&named, &bytes))
            .await?;
    }
    let facts: Vec<_> = manifest.documents().values().copied().collect();
    Ok(app.store.missing(&facts)?)
}

/// Stores a facts document.
pub async fn put_facts(app: &Arc<App>, named: Digest, bytes: Vec<u8>) -> Result<(), ObjectError> {
    check(named, &bytes)?;
    // Parsing a large document takes a while, and so does compressing it in the writer.
    let parsed = tokio::task::spawn_blocking(move || FactsDocument::from_bytes(&bytes).map(|read| (read.probe, bytes)));
    let (probe, bytes) = parsed.await.map_err(|_| LogError::Stopped)??;
    if app.store.facts_probe(&named)?.is_none() {
        let facts = StoredFacts { probe, bytes };
        app.log
            .write(move |batch| batch.store().put_facts(&named, &facts))
            .await?;
    }
    Ok(())
}
