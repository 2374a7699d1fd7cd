//! The log: its checkpoint, and the tiles that lead from the entries to its root.

mod leaves;
mod subtrees;
mod tiles;

use evidence::Digest;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::note::VerifierKey;
use evidence::pack;
use evidence::tile::{self, Resource, Tile};
use evidence::tree;

use super::Context;
use crate::archive::Role;
use crate::failure::Failure;
use crate::signatures::Dalek;
use leaves::Leaves;
use subtrees::Subtrees;
use tiles::Tiles;

/// Tiles are kept in memory, 32 bytes for each entry of the log and as much for what is computed from them: this many bytes
/// of tiles at most, enough for 30 million entries.
const MAX_TILE_BYTES: u64 = 1 << 30;

/// Levels of the tree in one level of tiles.
const HEIGHT: u8 = 8;
/// Levels of tiles in the largest log.
const LEVELS: u8 = 64 / HEIGHT;

/// The log as far as the pack shows it, every hash of which has been traced to the signed root.
pub(super) struct Log {
    head: Checkpoint,
    /// The tiles of level 0.
    leaves: Tiles<Leaves>,
    /// Those of level 1 and above, by level less 1.
    above: Vec<Tiles<Subtrees>>,
}

impl Log {
    /// Verifies the checkpoint under `key` and every tile.
    pub(super) fn read(context: &mut Context, key: &VerifierKey) -> Result<Self, Failure> {
        let note = context.text(pack::CHECKPOINT)?;
        let wrong = |error| Failure::wrong(error, pack::CHECKPOINT);
        let signed = SignedCheckpoint::verify(&note, key, &Dalek).map_err(wrong)?;
        let head = signed.checkpoint().clone();
        context.report.passed("the checkpoint is signed by the log's key", 1);

        let mut leaves = Vec::new();
        let mut above: Vec<Vec<_>> = (1..LEVELS).map(|_| Vec::new()).collect();
        let mut bytes_kept = 0;
        for name in context.archive.of_role(|role| matches!(role, Role::Tile(_))) {
            let Some(Role::Tile(tile)) = context.archive.role(&name).cloned() else {
                continue;
            };
            if tile::tile_at(head.size, tile.level, tile.index) != Some(tile) {
                return Err(Failure::wrong(
                    format!("a log of {} entries has no such tile", head.size),
                    name,
                ));
            }
            let bytes = context.bytes(&name)?;
            if bytes.len() != tile.byte_length() {
                return Err(Failure::wrong(
                    format!("has {} bytes, {} expected", bytes.len(), tile.byte_length()),
                    name,
                ));
            }
            bytes_kept += bytes.len() as u64;
            if bytes_kept > MAX_TILE_BYTES {
                return Err(Failure::unable(format!(
                    "the pack's tiles have more than {MAX_TILE_BYTES} bytes"
                )));
            }
            match usize::from(tile.level).checked_sub(1) {
                None => leaves.push((tile.index, Leaves::of(&bytes))),
                Some(level) => {
                    let tiles = above.get_mut(level);
                    let tiles = tiles.ok_or_else(|| Failure::wrong("a log has no tile of this level", name))?;
                    tiles.push((tile.index, Subtrees::of(&bytes)));
                }
            }
        }
        let (leaves, above) = (Tiles::of(leaves), above.into_iter().map(Tiles::of).collect());
        let log = Self { head, leaves, above };
        log.check_tiles()?;
        let count = log.leaves.len() + log.above.iter().map(Tiles::len).sum::<usize>();
        context
            .report
            .passed("tiles lead to the root of the checkpoint", count as u64);
        Ok(log)
    }

    /// Each full tile is one hash of the tile above it; what is above no tile makes up the root.
    fn check_tiles(&self) -> Result<(), Failure> {
        let whole = usize::try_from(tile::WIDTH).unwrap_or(usize::MAX);
        let leaves = self
            .leaves
            .iter()
            .map(|(index, tile)| (0, index, tile.root_of_first(whole)));
        let above = (1..).zip(&self.above).flat_map(|(level, tiles)| {
            let tiles = tiles.iter();
            tiles.map(move |(index, subtrees)| (level, index, subtrees.root()))
        });
        for (level, index, root) in leaves.chain(above) {
            let Some(tile) = tile::tile_at(self.head.size, level, index).filter(Tile::is_full) else {
                continue;
            };
            let wrong = |what| Failure::wrong(what, format!("{}{}", pack::LOG, Resource::Hashes(tile)));
            let above = self.subtree(HEIGHT * (level + 1), index);
            let above = above.map_err(|_| wrong("the tile above it is missing"))?;
            if root != Some(above) {
                return Err(wrong("does not lead to the tile above it"));
            }
        }
        let computed = self.root_at(self.head.size);
        let computed = computed.map_err(|error| Failure::wrong(error, pack::LOG))?;
        if computed == self.head.root {
            Ok(())
        } else {
            let what = format!(
                "the tiles lead to root {computed}, the checkpoint says {}",
                self.head.root
            );
            Err(Failure::wrong(what, pack::CHECKPOINT))
        }
    }

    /// The tree head.
    pub(super) fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// The hash that the leaf at `index` has.
    pub(super) fn leaf(&self, index: u64) -> Option<Digest> {
        self.leaves.get(index / tile::WIDTH)?.get(place_in_tile(index))
    }

    /// The root that the log had at `size`, which is not more than it has now: from the beginning of the last tile, and the
    /// complete subtrees to the left of it.
    pub(super) fn root_at(&self, size: u64) -> Result<Digest, MissingTile> {
        let mut at = size - size % tile::WIDTH;
        let mut root = match place_in_tile(size) {
            0 => None,
            count => {
                let tile = self.leaves.get(size / tile::WIDTH);
                let root = tile.and_then(|tile| tile.root_of_first(count));
                Some(root.ok_or_else(|| self.missing(0, size / tile::WIDTH))?)
            }
        };
        while at > 0 {
            let level = at.trailing_zeros();
            at -= 1 << level;
            let left = self.subtree(u8::try_from(level).unwrap_or(u8::MAX), at >> level)?;
            root = Some(root.map_or(left, |right| tree::node_hash(&left, &right)));
        }
        Ok(root.unwrap_or_else(tree::empty_root))
    }

    /// The hash of the complete subtree of `2^level` leaves, at least a tile of them, that begins at leaf `index * 2^level`.
    fn subtree(&self, level: u8, index: u64) -> Result<Digest, MissingTile> {
        let (tile_level, height) = (level / HEIGHT, level % HEIGHT);
        // Subtrees of a tree of at most 2^63 entries: nothing is shifted out.
        let begin = index << height;
        let tiles = usize::from(tile_level)
            .checked_sub(1)
            .and_then(|above| self.above.get(above));
        let tile = tiles.and_then(|tiles| tiles.get(begin / tile::WIDTH));
        let hash = tile.and_then(|tile| tile.get(height, place_in_tile(begin) >> height));
        hash.ok_or_else(|| self.missing(tile_level, begin / tile::WIDTH))
    }

    fn missing(&self, level: u8, index: u64) -> MissingTile {
        let size = self.head.size;
        MissingTile { size, level, index }
    }

    /// Checks that the tree of `old` entries with root `root` is a beginning of this log.
    pub(super) fn extends(&self, old: u64, root: Digest) -> Result<(), String> {
        if old > self.head.size {
            return Err(format!("it has {old} entries, this pack shows {}", self.head.size));
        }
        match self.root_at(old) {
            Ok(found) if found == root => Ok(()),
            Ok(found) => Err(format!("at {old} entries this log has root {found}, not {root}")),
            Err(missing) => Err(format!("this pack does not show the root at {old} entries: {missing}")),
        }
    }
}

/// A subtree whose tile the pack lacks.
#[derive(Debug, thiserror::Error)]
#[error("the tile {} is missing", tile_name(*.size, *.level, *.index))]
pub(super) struct MissingTile {
    size: u64,
    level: u8,
    index: u64,
}

fn place_in_tile(index: u64) -> usize {
    // Less than 256.
    usize::try_from(index % tile::WIDTH).unwrap_or_default()
}

fn tile_name(size: u64, level: u8, index: u64) -> String {
    let tile = tile::tile_at(size, level, index);
    tile.map_or_else(
        || format!("{index} of level {level}"),
        |tile| Resource::Hashes(tile).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use evidence::tree::Frontier;

    use super::*;

    /// Three tiles of level 0 beyond what one tile of level 1 is over.
    const SIZE: u64 = tile::WIDTH * tile::WIDTH + 2 * tile::WIDTH + 7;

    #[test]
    fn roots_at_every_size_are_those_that_the_log_had() {
        let mut hashes = vec![Vec::new(); 3];
        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root()];
        for leaf in 0..SIZE {
            frontier.push_noting(Digest::of(&leaf.to_be_bytes()), |level, _, hash| {
                if level % HEIGHT == 0 {
                    hashes[usize::from(level / HEIGHT)].extend(hash.as_bytes());
                }
            });
            roots.push(frontier.root());
        }
        let mut levels = hashes.iter().map(|hashes| {
            let tiles = hashes.chunks(32 * 256).map(<[u8]>::to_vec);
            (0..).zip(tiles).collect::<Vec<(u64, _)>>()
        });
        let of_leaves = levels.next().unwrap().into_iter();
        let leaves = Tiles::of(of_leaves.map(|(index, tile)| (index, Leaves::of(&tile))).collect());
        let above = levels.map(|tiles| {
            let tiles = tiles.into_iter();
            Tiles::of(tiles.map(|(index, tile)| (index, Subtrees::of(&tile))).collect())
        });
        let head = Checkpoint {
            origin: "test".to_owned(),
            size: SIZE,
            root: frontier.root(),
        };
        let above = above.collect();
        let log = Log { head, leaves, above };
        log.check_tiles().unwrap();
        for (size, root) in (0..).zip(roots) {
            assert_eq!(log.root_at(size).ok(), Some(root), "{size}");
        }
        for size in [SIZE + 1, SIZE + tile::WIDTH, 2 * tile::WIDTH.pow(2), u64::MAX] {
            assert!(log.root_at(size).is_err(), "{size}");
        }
    }
}
