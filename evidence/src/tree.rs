//! The Merkle tree of the log (RFC 6962 section 2.1), over hashes that somebody else keeps.
//!
//! The tree of `n` entries is a row of complete subtrees whose sizes are the bits of `n`, largest first. A complete
//! subtree of `2^level` leaves that begins at leaf `index * 2^level` never changes again: it is named `(level, index)`,
//! and [`HashReader`] fetches such hashes. Everything else is computed from them.
//!
//! A log keeps the subtrees as [`Frontier`] completes them, and proves from them:
//!
//! ```
//! use std::collections::BTreeMap;
//! use evidence::{Digest, tree::{self, Frontier, HashReader, ProofError, leaf_hash}};
//!
//! struct Log(BTreeMap<(u8, u64), Digest>);
//! impl HashReader for Log {
//!     type Error = String;
//!     fn hash(&self, level: u8, index: u64) -> Result<Digest, String> {
//!         self.0.get(&(level, index)).copied().ok_or_else(|| format!("subtree {level}/{index} is missing"))
//!     }
//! }
//!
//! let (mut log, mut frontier) = (Log(BTreeMap::new()), Frontier::new());
//! for entry in ["a", "b", "c"] {
//!     frontier.push_noting(leaf_hash(entry.as_bytes()), |level, index, hash| {
//!         log.0.insert((level, index), hash);
//!     });
//! }
//! let proof = tree::inclusion_proof(&log, 2, 3)?;
//! assert_eq!(tree::root_from_inclusion(leaf_hash(b"c"), 2, 3, &proof), Ok(frontier.root()));
//!
//! let proof = tree::consistency_proof(&log, 2, 3)?;
//! let old_root = tree::root(&log, 2)?;
//! assert_eq!(tree::verify_consistency(2, old_root, 3, frontier.root(), &proof), Ok(()));
//! let forged = leaf_hash(b"forged");
//! assert!(matches!(
//!     tree::verify_consistency(2, forged, 3, frontier.root(), &proof),
//!     Err(ProofError::OtherRoot { .. })
//! ));
//! # Ok::<(), String>(())
//! ```

mod consistency;
mod frontier;
mod inclusion;

pub use consistency::{consistency_proof, verify_consistency};
pub use frontier::Frontier;
pub use inclusion::{inclusion_proof, root_from_inclusion};

use thiserror::Error;

use crate::digest::Digest;

/// Most entries that a tree has here: 2^63 - 1, so that sizes and indexes fit the signed 64-bit integers that other
/// implementations and databases keep them in.
pub const MAX_SIZE: u64 = i64::MAX.unsigned_abs();

/// A proof has at most this many hashes: a path in a tree of 2^64 leaves, twice for consistency.
pub const MAX_PROOF: usize = 128;

/// The hash of an entry as a leaf.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of an inner node.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// Keeps the hashes of complete subtrees.
pub trait HashReader {
    /// Why a hash could not be fetched.
    type Error;

    /// The hash of the complete subtree of `2^level` leaves that begins at leaf `index * 2^level`.
    fn hash(&self, level: u8, index: u64) -> Result<Digest, Self::Error>;
}

/// A proof that does not prove.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// The entry's index is not below the tree's size.
    #[error("entry {index} is not in a tree of {size} entries")]
    OutsideTree {
        /// The entry.
        index: u64,
        /// The tree.
        size: u64,
    },
    /// The second tree is smaller than the first: it cannot extend it.
    #[error("a tree of {new} entries cannot extend one of {old}")]
    Shrunk {
        /// Size of the first tree.
        old: u64,
        /// Size of the second.
        new: u64,
    },
    /// More or fewer hashes than a proof between these sizes has.
    #[error("the proof has {found} hashes, which does not fit")]
    Length {
        /// Hashes given.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to root {computed}, not to {expected}")]
    OtherRoot {
        /// What the hashes give.
        computed: Digest,
        /// What they should give.
        expected: Digest,
    },
}

/// The root of the first `size` entries.
pub fn root<R: HashReader>(reader: &R, size: u64) -> Result<Digest, R::Error> {
    range_hash(reader, 0, size)
}

/// The hash of the entries from `begin` to `end` as a subtree of a larger tree: `begin` is a multiple of a power of two
/// that is at least `end - begin`, as it is for every node of a tree.
fn range_hash<R: HashReader>(reader: &R, begin: u64, end: u64) -> Result<Digest, R::Error> {
    let mut peaks = Vec::new();
    let mut at = begin;
    while at < end {
        let level = (end - at).ilog2();
        peaks.push(reader.hash(u8::try_from(level).unwrap_or(u8::MAX), at >> level)?);
        at += 1 << level;
    }
    Ok(fold(&peaks))
}

/// The root over complete subtrees, largest first.
fn fold(peaks: &[Digest]) -> Digest {
    let mut peaks = peaks.iter().rev();
    let Some(last) = peaks.next() else { return empty_root() };
    peaks.fold(*last, |right, left| node_hash(left, &right))
}

/// The largest power of two below `length`, which is at least 2: how many leaves the left child has.
fn left_width(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}
