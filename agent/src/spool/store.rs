//! Facts documents and manifests that statements name, by digest.

use std::collections::BTreeSet;
use std::sync::Arc;

use evidence::Digest;
use evidence::manifest::{self, Manifest};

use super::SpoolError;
use crate::folder::{Durability, Folder, FolderError};

/// Facts and manifests on disk. Clones are the same store.
#[derive(Debug, Clone)]
pub struct FactsStore {
    facts: Arc<Folder>,
    manifests: Arc<Folder>,
}

impl FactsStore {
    /// Opens the store in the spool's folder, and removes what a crash left unfinished.
    pub fn open(spool: &Folder) -> Result<Self, FolderError> {
        let part = |name| {
            let folder = spool.sub(name)?;
            folder.remove_unfinished()?;
            Ok(Arc::new(folder))
        };
        Ok(Self {
            facts: part("facts")?,
            manifests: part("manifests")?,
        })
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> Result<u64, FolderError> {
        let total = |folder: &Folder| Ok::<u64, FolderError>(folder.files()?.iter().map(|(_, size)| size).sum());
        Ok(total(&self.facts)? + total(&self.manifests)?)
    }

    /// Keeps a facts document; durable. Nothing is written if it is there.
    pub fn put_facts(&self, digest: &Digest, bytes: &[u8]) -> Result<(), FolderError> {
        put(&self.facts, digest, bytes)
    }

    /// Keeps a manifest; durable. Nothing is written if it is there.
    pub fn put_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), FolderError> {
        put(&self.manifests, digest, bytes)
    }

    /// A facts document; `None` if it is not there or not what its name says.
    pub fn facts(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, FolderError> {
        get(&self.facts, digest, limit)
    }

    /// A manifest; `None` if it is not there or not what its name says.
    pub fn manifest(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, FolderError> {
        get(&self.manifests, digest, limit)
    }

    /// Removes everything that these manifests do not name.
    pub fn retain(&self, manifests: &[Digest]) -> Result<(), SpoolError> {
        let names: BTreeSet<_> = manifests.iter().map(ToString::to_string).collect();
        let mut facts = BTreeSet::new();
        for digest in manifests {
            if let Some(bytes) = self.manifest(digest, manifest::MAX_BYTES as u64)?
                && let Ok(manifest) = Manifest::from_bytes(&bytes)
            {
                facts.extend(manifest.documents().values().map(ToString::to_string));
            }
        }
        for (folder, kept) in [(&self.manifests, &names), (&self.facts, &facts)] {
            for (name, _) in folder.files()? {
                if !kept.contains(&name) {
                    folder.remove(&name)?;
                }
            }
        }
        Ok(())
    }
}

fn put(folder: &Folder, digest: &Digest, bytes: &[u8]) -> Result<(), FolderError> {
    let name = digest.to_string();
    let there = folder.open_file(&name, rustix::fs::OFlags::RDONLY)?;
    let whole = there
        .and_then(|file| file.metadata().ok())
        .is_some_and(|file| file.len() == bytes.len() as u64);
    if whole {
        return Ok(());
    }
    folder.write(&name, bytes, Durability::Synced)
}

fn get(folder: &Folder, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, FolderError> {
    let bytes = folder.read(&digest.to_string(), limit)?;
    Ok(bytes.filter(|bytes| Digest::of(bytes) == *digest))
}
