//! The growing edge of the tree: what has to be known to append, and nothing else.

use std::collections::HashMap;

use evidence::Digest;
use evidence::key::KeyId;
use evidence::tile::{WIDTH, hashes_of_level};
use evidence::tree::{Frontier, HashReader as _, leaf_hash};

use super::tiles::{known_hashes, subtree_hash};
use crate::store::{Member, StoreError, Transaction};

/// The frontier, and of each tile level the hashes of the tile that is not full yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    pub(super) frontier: Frontier,
    /// By tile level.
    unfinished: Vec<Vec<Digest>>,
    /// Tiles that became full, by level and index, and are not written yet.
    finished: Vec<(u8, u64, Vec<Digest>)>,
    /// Subtrees that were completed since the last commit.
    pub(super) completed: Vec<((u8, u64), Digest)>,
    /// Members as they are at this edge: only entries change them, so whoever knows the edge knows them.
    pub(super) members: HashMap<KeyId, Member>,
}

/// Reads hashes inside a transaction.
struct Committed<'a> {
    transaction: std::cell::RefCell<&'a mut dyn Transaction>,
    size: u64,
}

impl evidence::tree::HashReader for Committed<'_> {
    type Error = StoreError;

    fn hash(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        subtree_hash(self.size, level, index, |tile| {
            let mut transaction = self.transaction.borrow_mut();
            known_hashes(tile, &mut **transaction)
        })
    }
}

impl Edge {
    /// The edge of the tree of `size` entries, read from the store.
    pub(super) fn load(size: u64, transaction: &mut dyn Transaction) -> Result<Self, StoreError> {
        let mut unfinished = Vec::new();
        for level in 0..8_u8 {
            let hashes = hashes_of_level(size, level);
            let tile = evidence::tile::tile_at(size, level, hashes / WIDTH);
            unfinished.push(match tile {
                Some(tile) => known_hashes(tile, transaction)?,
                None => Vec::new(),
            });
        }
        let reader = Committed {
            transaction: std::cell::RefCell::new(transaction),
            size,
        };
        let (mut peaks, mut at) = (Vec::new(), 0);
        for level in (0..64_u8).rev().filter(|level| size >> level & 1 == 1) {
            peaks.push(reader.hash(level, at >> level)?);
            at += 1 << level;
        }
        let wrong = || StoreError::damaged(format_args!("the edge of the tree of {size} entries"));
        Ok(Self {
            frontier: Frontier::from_peaks(size, peaks).ok_or_else(wrong)?,
            unfinished,
            finished: Vec::new(),
            completed: Vec::new(),
            members: HashMap::new(),
        })
    }

    /// Takes an entry in; returns its index.
    pub(super) fn push(&mut self, entry: &[u8]) -> u64 {
        let at = self.frontier.size();
        let Self {
            frontier,
            unfinished,
            finished,
            completed,
            ..
        } = self;
        frontier.push_noting(leaf_hash(entry), |level, index, hash| {
            completed.push(((level, index), hash));
            let (tile_level, height) = (level / 8, level % 8);
            if height != 0 {
                return;
            }
            let Some(tile) = unfinished.get_mut(usize::from(tile_level)) else {
                return;
            };
            tile.push(hash);
            if tile.len() as u64 == WIDTH {
                finished.push((tile_level, index / WIDTH, std::mem::take(tile)));
            }
        });
        at
    }

    /// Writes the tiles that changed since the last call.
    pub(super) fn store(&mut self, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
        let grew = self.finished.iter().any(|(level, ..)| *level == 0);
        for (level, index, hashes) in self.finished.drain(..) {
            transaction.put_hashes(level, index, &hashes)?;
        }
        // Hashes above the leaves come only with a full tile of leaves. Those of the unfinished tile of leaves follow
        // from its entries and are not kept.
        let size = self.frontier.size();
        for (level, hashes) in (0_u8..).zip(&self.unfinished).skip(1) {
            if grew && !hashes.is_empty() {
                transaction.put_hashes(level, hashes_of_level(size, level) / WIDTH, hashes)?;
            }
        }
        Ok(())
    }
}
