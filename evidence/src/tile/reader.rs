//! Hashes of subtrees out of tiles, and tiles out of new leaves.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{MAX_BYTES, Tile, WIDTH, complete_root, hashes, tile_at};
use crate::digest::Digest;
use crate::tree::HashReader;

/// Why a hash could not be had from tiles.
#[derive(Debug, Error)]
pub enum TileError<E> {
    /// The tree is too small to have it.
    #[error("a tree of {size} entries has no subtree {index} of level {level}")]
    OutsideTree {
        /// Height of the subtree above the leaves.
        level: u8,
        /// Which of that height.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// A tile that is too short, longer than a full one, or ends inside a hash.
    #[error("tile {} has {found} bytes; from {} to {MAX_BYTES} in steps of 32 expected", super::Resource::Hashes(*tile), tile.byte_length())]
    Length {
        /// Which one.
        tile: Tile,
        /// Its length.
        found: usize,
    },
    /// Fetching the tile failed.
    #[error(transparent)]
    Fetch(E),
}

/// Reads subtrees of the tree of `size` entries from tiles that `fetch` gets; `fetch` may give a wider tile than it was
/// asked for. Nothing is kept: a tile is fetched again for each hash that is read from it, so a source for which that is
/// dear keeps the tiles itself.
pub struct TileReader<F> {
    size: u64,
    fetch: F,
}

impl<B: AsRef<[u8]>, E, F: Fn(Tile) -> Result<B, E>> TileReader<F> {
    /// Over the tree of `size` entries.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }
}

/// Cuts the bytes of a tile, or of a wider one at its place, to its width.
fn cut<E>(tile: Tile, bytes: &[u8]) -> Result<&[u8], TileError<E>> {
    let whole = bytes.len().is_multiple_of(Digest::LEN) && bytes.len() <= MAX_BYTES;
    bytes
        .get(..tile.byte_length())
        .filter(|_| whole)
        .ok_or(TileError::Length {
            tile,
            found: bytes.len(),
        })
}

impl<B: AsRef<[u8]>, E, F: Fn(Tile) -> Result<B, E>> HashReader for TileReader<F> {
    type Error = TileError<E>;

    fn hash(&self, level: u8, index: u64) -> Result<Digest, TileError<E>> {
        let outside = || TileError::OutsideTree {
            level,
            index,
            size: self.size,
        };
        let (tile_level, height) = (level / 8, level % 8);
        let begin = index.checked_mul(1 << height).ok_or_else(outside)?;
        let (skip, count) = (
            usize::try_from(begin % WIDTH).map_err(|_| outside())?,
            1_usize << height,
        );
        let tile = tile_at(self.size, tile_level, begin / WIDTH).ok_or_else(outside)?;
        if skip + count > usize::from(tile.width) {
            return Err(outside());
        }
        let bytes = (self.fetch)(tile).map_err(TileError::Fetch)?;
        let bytes = cut(tile, bytes.as_ref())?;
        Ok(complete_root(hashes(bytes).skip(skip).take(count)))
    }
}

/// Bytes of tiles by level and index.
pub type TileBytes = BTreeMap<(u8, u64), Vec<u8>>;

/// The tiles that change when `leaves` are appended to the tree of `size` entries, as they then are. `fetch` gets the
/// unfinished tile at the right edge of each level; a finished one is never asked for.
pub fn grow<B: AsRef<[u8]>, E>(
    size: u64,
    leaves: &[Digest],
    fetch: impl Fn(Tile) -> Result<B, E>,
) -> Result<TileBytes, TileError<E>> {
    let mut changed = BTreeMap::new();
    let mut level = 0;
    let mut before = size;
    let mut added = leaves.to_vec();
    while !added.is_empty() {
        let mut index = before / WIDTH;
        let mut bytes = match u16::try_from(before % WIDTH).ok().filter(|width| *width > 0) {
            Some(width) => {
                let tile = Tile { level, index, width };
                let bytes = fetch(tile).map_err(TileError::Fetch)?;
                cut(tile, bytes.as_ref())?.to_vec()
            }
            None => Vec::new(),
        };
        let mut completed = Vec::new();
        for hash in &added {
            bytes.extend_from_slice(hash.as_bytes());
            if bytes.len() == MAX_BYTES {
                completed.push(complete_root(hashes(&bytes)));
                changed.insert((level, index), std::mem::take(&mut bytes));
                index += 1;
            }
        }
        if !bytes.is_empty() {
            changed.insert((level, index), bytes);
        }
        before /= WIDTH;
        added = completed;
        level += 1;
    }
    Ok(changed)
}
