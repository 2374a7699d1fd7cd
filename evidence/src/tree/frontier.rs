//! The right edge of a growing tree.

use super::{MAX_SIZE, fold, node_hash};
use crate::digest::Digest;

/// A tree that only grows, kept as its complete subtrees: at most 63 hashes, whatever its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of `size` entries from the hashes of its complete subtrees, largest first; `None` if their number is not
    /// that of the bits set in `size`, or if `size` exceeds [`MAX_SIZE`].
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (size <= MAX_SIZE && peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Appends the hash of a leaf.
    pub fn push(&mut self, leaf: Digest) {
        self.push_noting(leaf, |_, _, _| {});
    }

    /// As [`Self::push`], telling `note` of each subtree `(level, index, hash)` that this leaf completes, itself first.
    pub fn push_noting(&mut self, leaf: Digest, mut note: impl FnMut(u8, u64, Digest)) {
        note(0, self.size, leaf);
        let mut hash = leaf;
        let mut level = 0;
        let mut at = self.size;
        while at & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            level += 1;
            at >>= 1;
            note(level, at, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> Digest {
        fold(&self.peaks)
    }
}
