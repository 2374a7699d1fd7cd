//! One batch: send the envelopes, supply what the collector lacks, send them again.

use evidence::Digest;
use evidence::facts;
use evidence::manifest;
use evidence::wire::{DeliverResponse, Delivered, Pace};
use thiserror::Error;

use super::client::Client;
use super::trouble::Trouble;
use crate::folder::FolderError;
use crate::spool::{FactsStore, Record};

/// Attempts to supply what is missing before the collector's answer is taken as it is.
const ROUNDS: usize = 4;

/// Why a batch led to nothing.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// The request failed.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The collector asks for something that this host does not have any more.
    #[error("the collector lacks {digest}, and this host has lost it: statement {sequence} cannot be delivered")]
    Gone {
        /// What.
        digest: Digest,
        /// Which statement names it.
        sequence: u64,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] FolderError),
}

/// Delivers a batch (its first record first); `known` is the size of the tree that the consistency proof starts from, `pace`
/// what this host goes by.
pub async fn exchange(
    client: &Client,
    batch: &[Record],
    known: u64,
    pace: Pace,
    store: &FactsStore,
) -> Result<DeliverResponse, ExchangeError> {
    let envelopes: Vec<_> = batch.iter().map(|record| record.envelope.as_slice()).collect();
    let mut rounds = 0;
    loop {
        let answer = client.deliver(&envelopes, known, pace).await?;
        rounds += 1;
        match (answer.results.first(), batch.first()) {
            (Some(Delivered::Missing { manifest, facts }), Some(record)) if rounds < ROUNDS => {
                supply(client, record.sequence, *manifest, facts, store).await?;
            }
            _ => return Ok(answer),
        }
    }
}

async fn supply(
    client: &Client,
    sequence: u64,
    manifest: Option<Digest>,
    facts: &[Digest],
    store: &FactsStore,
) -> Result<(), ExchangeError> {
    let mut missing = facts.to_vec();
    if let Some(digest) = manifest {
        let bytes = store.manifest(&digest, manifest::MAX_BYTES as u64)?;
        let bytes = bytes.ok_or(ExchangeError::Gone { digest, sequence })?;
        missing.extend(client.put_manifest(&digest, bytes).await?.missing);
    }
    missing.sort_unstable();
    missing.dedup();
    for digest in missing {
        let bytes = store.facts(&digest, facts::MAX_BYTES as u64)?;
        let bytes = bytes.ok_or(ExchangeError::Gone { digest, sequence })?;
        client.put_facts(&digest, bytes).await?;
    }
    Ok(())
}
