//! A tile of level 0, with the root of each beginning of it: hosts swear to the log at any size.

use evidence::Digest;
use evidence::tree::Frontier;

/// Leaf hashes, each beside the root of the leaves up to it: one place in memory has both.
pub(super) struct Leaves(Box<[(Digest, Digest)]>);

impl Leaves {
    /// Of the bytes of a tile.
    pub(super) fn of(tile: &[u8]) -> Self {
        let (hashes, _) = tile.as_chunks::<{ Digest::LEN }>();
        let mut frontier = Frontier::new();
        let leaves = hashes.iter().map(|hash| {
            let leaf = Digest::from_bytes(*hash);
            frontier.push(leaf);
            (leaf, frontier.root())
        });
        Self(leaves.collect())
    }

    /// The hash at `place`.
    pub(super) fn get(&self, place: usize) -> Option<Digest> {
        self.0.get(place).map(|(leaf, _)| *leaf)
    }

    /// The root of the first `count` leaves, of which there is at least one.
    pub(super) fn root_of_first(&self, count: usize) -> Option<Digest> {
        self.0.get(count.checked_sub(1)?).map(|(_, root)| *root)
    }
}
