//! Tree hashes, tiles and proofs of committed entries.

use std::sync::Arc;

use evidence::Digest;
use evidence::tile::{Tile, WIDTH, encode_bundle, tile_at};
use evidence::tree::{self, Frontier, HashReader, leaf_hash};

use crate::cache::Generations;
use crate::store::{Store, StoreError, Transaction};

/// Hashes of the newest subtrees: those that proofs of fresh entries are made of.
const RECENT: usize = 16_384;
/// Full tiles with the subtrees inside them, 16 KiB each: 16 to 32 MiB.
const FULL: usize = 1024;

/// Reads the committed tree. What it caches never changes.
pub struct Tiles {
    store: Arc<dyn Store>,
    recent: Generations<(u8, u64), Digest>,
    full: Generations<(u8, u64), Arc<Subtrees>>,
}

/// The tree of one size.
#[derive(Debug)]
pub struct At<'a> {
    tiles: &'a Tiles,
    size: u64,
}

/// A full tile's hashes and every subtree below its root: heights 0 to 7, one after the other.
struct Subtrees(Vec<Digest>);

impl Subtrees {
    fn of(hashes: Vec<Digest>) -> Self {
        let mut all = hashes;
        let (mut begin, mut count) = (0, all.len());
        while count > 2 {
            let row: Vec<_> = all
                .get(begin..begin + count)
                .unwrap_or_default()
                .as_chunks()
                .0
                .iter()
                .map(|[left, right]| tree::node_hash(left, right))
                .collect();
            begin += count;
            count = row.len();
            all.extend(row);
        }
        Self(all)
    }

    fn get(&self, height: u8, place: usize) -> Option<Digest> {
        self.0.get((512 - (512 >> height)) + place).copied()
    }
}

/// Where entries and stored tiles are read from: a reader's snapshot or a transaction.
pub(super) trait Source {
    fn entries(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;
    fn hashes(&mut self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError>;
}

impl Source for &dyn Store {
    fn entries(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        Store::entries(*self, from, limit)
    }
    fn hashes(&mut self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        Store::hashes(*self, level, index)
    }
}

impl Source for dyn Transaction + '_ {
    fn entries(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        Transaction::entries(self, from, limit)
    }
    fn hashes(&mut self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        Transaction::hashes(self, level, index)
    }
}

/// The hashes of a tile: stored ones, or leaf hashes of the entries where the tile of leaves is not full.
pub(super) fn known_hashes<S: Source + ?Sized>(tile: Tile, source: &mut S) -> Result<Vec<Digest>, StoreError> {
    let width = usize::from(tile.width);
    let mut hashes = if tile.level == 0 && !tile.is_full() {
        let entries = source.entries(tile.index * WIDTH, width)?;
        entries.iter().map(|(_, entry)| leaf_hash(entry)).collect()
    } else {
        source.hashes(tile.level, tile.index)?.unwrap_or_default()
    };
    hashes.truncate(width);
    if hashes.len() < width {
        return Err(StoreError::damaged(format_args!(
            "tile {} of level {} has {} hashes, {width} expected",
            tile.index,
            tile.level,
            hashes.len()
        )));
    }
    Ok(hashes)
}

fn outside(size: u64, level: u8, index: u64) -> StoreError {
    StoreError::Misuse {
        what: format!("the subtree {index} of level {level} of a tree of {size} entries"),
    }
}

/// The tile that holds a subtree of the tree of `size` entries, the subtree's height in it, and its place in its row.
fn place(size: u64, level: u8, index: u64) -> Option<(Tile, u8, usize)> {
    let height = level % 8;
    let begin = index.checked_mul(1 << height)?;
    let tile = tile_at(size, level / 8, begin / WIDTH)?;
    let first = usize::try_from(begin % WIDTH).ok()?;
    (first + (1 << height) <= usize::from(tile.width)).then_some((tile, height, first >> height))
}

/// The hash of a subtree out of its tile's hashes.
pub(super) fn subtree_hash(
    size: u64,
    level: u8,
    index: u64,
    hashes: impl FnOnce(Tile) -> Result<Vec<Digest>, StoreError>,
) -> Result<Digest, StoreError> {
    let (tile, height, place) = place(size, level, index).ok_or_else(|| outside(size, level, index))?;
    let mut frontier = Frontier::new();
    let hashes = hashes(tile)?;
    hashes
        .iter()
        .skip(place << height)
        .take(1 << height)
        .for_each(|hash| frontier.push(*hash));
    Ok(frontier.root())
}

impl Tiles {
    /// Reads the tree that `store` has committed.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            recent: Generations::new(RECENT),
            full: Generations::new(FULL),
        }
    }

    /// Remembers hashes of committed subtrees.
    pub(super) fn remember(&self, completed: impl IntoIterator<Item = ((u8, u64), Digest)>) {
        for (place, hash) in completed {
            self.recent.insert(place, hash);
        }
    }

    /// The tree of the first `size` entries, which must be committed.
    pub fn at(&self, size: u64) -> At<'_> {
        At { tiles: self, size }
    }

    /// The inclusion proof of the entry at `index` in the tree of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, StoreError> {
        tree::inclusion_proof(&self.at(size), index, size)
    }

    /// The consistency proof from the tree of `old` entries to that of `new`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, StoreError> {
        tree::consistency_proof(&self.at(new), old, new)
    }

    /// The bytes of a tile of the committed tree; `None` if the tree does not have it, or not that wide.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let there = tile_at(self.store.size()?, tile.level, tile.index);
        if there.is_none_or(|there| there.width < tile.width) {
            return Ok(None);
        }
        // A narrower tile than there is now: the stored hashes are those of the wider one.
        let widest = there.filter(Tile::is_full).unwrap_or(tile);
        let mut hashes = known_hashes(widest, &mut self.store.as_ref())?;
        hashes.truncate(usize::from(tile.width));
        Ok(Some(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()))
    }

    /// The bytes of an entry bundle of `width` entries; `None` if the log does not have them all.
    pub fn bundle(&self, index: u64, width: u16) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(from) = index.checked_mul(WIDTH) else {
            return Ok(None);
        };
        if from.saturating_add(u64::from(width)) > self.store.size()? {
            return Ok(None);
        }
        let entries = self.store.entries(from, usize::from(width))?;
        encode_bundle(entries.into_iter().map(|(_, bytes)| bytes))
            .map(Some)
            .map_err(StoreError::damaged)
    }
}

impl std::fmt::Debug for Tiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tiles")
    }
}

impl HashReader for At<'_> {
    type Error = StoreError;

    fn hash(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        let Tiles { store, recent, full } = self.tiles;
        if let Some(hash) = recent.get(&(level, index)) {
            return Ok(hash);
        }
        let missing = || outside(self.size, level, index);
        let (tile, height, place) = place(self.size, level, index).ok_or_else(missing)?;
        if !tile.is_full() {
            let hash = subtree_hash(self.size, level, index, |tile| known_hashes(tile, &mut store.as_ref()))?;
            recent.insert((level, index), hash);
            return Ok(hash);
        }
        let key = (tile.level, tile.index);
        let subtrees = if let Some(subtrees) = full.get(&key) {
            subtrees
        } else {
            let subtrees = Arc::new(Subtrees::of(known_hashes(tile, &mut store.as_ref())?));
            full.insert(key, Arc::clone(&subtrees));
            subtrees
        };
        subtrees.get(height, place).ok_or_else(missing)
    }
}
