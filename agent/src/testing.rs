//! For unit tests: a log in memory that can be honest or not.

use std::convert::Infallible;

use evidence::Digest;
use evidence::aws_lc::Ed25519Signer;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::key::Signer as _;
use evidence::note::VerifierKey;
use evidence::proof::hashes_to_text;
use evidence::tree::{self, HashReader, consistency_proof, inclusion_proof, leaf_hash, node_hash};
use evidence::wire::{DeliverResponse, Delivered};

/// All logs have the same key and origin: so two of them are a fork.
const ORIGIN: &str = "log.example";

pub(crate) struct Log {
    signer: Ed25519Signer,
    pub(crate) entries: Vec<Vec<u8>>,
}

/// Hashes are computed from the leaves each time.
struct Leaves(Vec<Digest>);

impl HashReader for Leaves {
    type Error = Infallible;

    fn hash(&self, level: u8, index: u64) -> Result<Digest, Infallible> {
        if level == 0 {
            return Ok(self.0[usize::try_from(index).unwrap()]);
        }
        let (left, right) = (self.hash(level - 1, index * 2)?, self.hash(level - 1, index * 2 + 1)?);
        Ok(node_hash(&left, &right))
    }
}

impl Log {
    /// A log of `size` entries `<name> <index>`.
    pub(crate) fn new(name: &str, size: usize) -> Self {
        Self {
            signer: Ed25519Signer::from_seed(&[1; 32]).unwrap(),
            entries: (0..size).map(|index| format!("{name} {index}").into_bytes()).collect(),
        }
    }

    fn leaves(&self) -> Leaves {
        Leaves(self.entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    pub(crate) fn key(&self) -> VerifierKey {
        VerifierKey::new(ORIGIN, self.signer.public_key().clone()).unwrap()
    }

    /// The checkpoint of the first `size` entries.
    pub(crate) fn checkpoint(&self, size: usize) -> SignedCheckpoint {
        let mut frontier = tree::Frontier::new();
        self.entries[..size]
            .iter()
            .for_each(|entry| frontier.push(leaf_hash(entry)));
        let head = Checkpoint {
            origin: ORIGIN.into(),
            size: size as u64,
            root: frontier.root(),
        };
        SignedCheckpoint::sign(head, &self.signer).unwrap()
    }

    pub(crate) fn accepted(&self, index: usize) -> Delivered {
        let proof = inclusion_proof(&self.leaves(), index as u64, self.entries.len() as u64).unwrap();
        Delivered::Accepted {
            index: index as u64,
            proof: hashes_to_text(&proof),
        }
    }

    pub(crate) fn answer(&self, known: usize, results: Vec<Delivered>) -> DeliverResponse {
        let consistency = if known <= self.entries.len() {
            consistency_proof(&self.leaves(), known as u64, self.entries.len() as u64).unwrap()
        } else {
            vec![]
        };
        DeliverResponse {
            results,
            checkpoint: Some(self.checkpoint(self.entries.len()).note().to_owned()),
            consistency: hashes_to_text(&consistency),
            pace: None,
        }
    }
}
