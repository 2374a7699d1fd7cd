//! Tiles: how the log is cut into files (C2SP tlog-tiles, height 8).

mod bundle;
mod path;
mod reader;

pub use bundle::{BundleError, decode_bundle, encode_bundle};
pub use path::{PathError, Resource};
pub use reader::{TileBytes, TileError, TileReader, grow};

use crate::digest::Digest;
use crate::tree;

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// Bytes of a full tile.
pub const MAX_BYTES: usize = 256 * Digest::LEN;

/// A tile: `width` hashes of the given level, beginning with hash `index * 256`. A hash of level *l* is that of a
/// complete subtree of `256^l` entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0 for leaf hashes.
    pub level: u8,
    /// Which of the level.
    pub index: u64,
    /// 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Length of its bytes.
    pub fn byte_length(&self) -> usize {
        usize::from(self.width) * Digest::LEN
    }

    /// Whether it will never change again.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }
}

/// How many hashes of a level a tree of `size` entries has.
pub fn hashes_of_level(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * 8).unwrap_or(0)
}

/// The tile at a place in the tree of `size` entries, as wide as it is there; `None` if it is not there.
pub fn tile_at(size: u64, level: u8, index: u64) -> Option<Tile> {
    let begin = index.checked_mul(WIDTH)?;
    let width = hashes_of_level(size, level).checked_sub(begin)?.min(WIDTH);
    let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
    Some(Tile { level, index, width })
}

/// Every tile of the tree of `size` entries, by level and index.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    tiles_between(0, size)
}

/// The tiles of the tree of `new` entries that hold a hash which the tree of `old` entries has not.
pub fn tiles_between(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..8u8).flat_map(move |level| {
        let (before, after) = (hashes_of_level(old, level), hashes_of_level(new, level));
        let indexes = if after > before {
            before / WIDTH..after.div_ceil(WIDTH)
        } else {
            0..0
        };
        indexes.filter_map(move |index| tile_at(new, level, index))
    })
}

/// The hashes in the bytes of a tile.
fn hashes(bytes: &[u8]) -> impl Iterator<Item = Digest> {
    bytes
        .as_chunks::<{ Digest::LEN }>()
        .0
        .iter()
        .map(|hash| Digest::from_bytes(*hash))
}

/// The hash of a complete subtree over `hashes`, of which there are a power of two.
fn complete_root(hashes: impl Iterator<Item = Digest>) -> Digest {
    let mut frontier = tree::Frontier::new();
    hashes.for_each(|hash| frontier.push(hash));
    frontier.root()
}
