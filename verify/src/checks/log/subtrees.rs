//! A tile above level 0 with every complete subtree in it: what roots at any size are made of.

use evidence::Digest;
use evidence::tree::node_hash;

/// The hashes of a tile, then of the pairs of them, then of the pairs of those, as far as they go.
pub(super) struct Subtrees {
    width: usize,
    hashes: Vec<Digest>,
}

impl Subtrees {
    /// Of the bytes of a tile.
    pub(super) fn of(tile: &[u8]) -> Self {
        let (hashes, _) = tile.as_chunks::<{ Digest::LEN }>();
        let mut hashes: Vec<Digest> = hashes.iter().copied().map(Digest::from_bytes).collect();
        let width = hashes.len();
        let (mut begin, mut count) = (0, width);
        while count > 1 {
            let (pairs, _) = hashes.get(begin..begin + count).unwrap_or_default().as_chunks();
            let above: Vec<Digest> = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            begin += count;
            count = above.len();
            hashes.extend(above);
        }
        Self { width, hashes }
    }

    /// The hash of the subtree of `2^height` of the tile's hashes that begins at `place * 2^height`.
    pub(super) fn get(&self, height: u8, place: usize) -> Option<Digest> {
        let row: usize = (0..height).map(|below| self.width >> below).sum();
        (place < self.width >> height)
            .then(|| self.hashes.get(row + place).copied())
            .flatten()
    }

    /// The hash of the whole tile, if it is full.
    pub(super) fn root(&self) -> Option<Digest> {
        self.get(8, 0)
    }
}

#[cfg(test)]
mod tests {
    use evidence::tree::Frontier;

    use super::*;

    #[test]
    fn each_complete_subtree_is_there_and_no_other() {
        for width in [1_usize, 2, 3, 7, 44, 255, 256] {
            let leaves: Vec<Digest> = (0..width).map(|leaf| Digest::of(&leaf.to_be_bytes())).collect();
            let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
            let subtrees = Subtrees::of(&bytes);
            for height in 0..=8_u8 {
                let step = 1 << height;
                for (place, part) in leaves.chunks_exact(step).enumerate() {
                    let mut frontier = Frontier::new();
                    for leaf in part {
                        frontier.push(*leaf);
                    }
                    assert_eq!(
                        subtrees.get(height, place),
                        Some(frontier.root()),
                        "{width} {height} {place}"
                    );
                }
                assert_eq!(subtrees.get(height, width / step), None, "{width} {height}");
            }
            assert_eq!(subtrees.root().is_some(), width == 256);
        }
    }
}
