//! The log: its checkpoint, and the tiles that lead from the entries to its root.

mod subtrees;

use std::collections::BTreeMap;

use evidence::Digest;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::note::VerifierKey;
use evidence::pack;
use evidence::tile::{self, Resource, Tile};
use evidence::tree::{self, HashReader};

use super::Context;
use crate::archive::Role;
use crate::failure::Failure;
use crate::signatures::Dalek;
use subtrees::Subtrees;

/// Tiles are kept in memory, 32 bytes for each entry of the log and as much for the subtrees in them: this many bytes of
/// tiles at most, enough for 30 million entries.
const MAX_TILE_BYTES: u64 = 1 << 30;

/// The log as far as the pack shows it, every hash of which has been traced to the signed root.
pub(super) struct Log {
    head: Checkpoint,
    tiles: BTreeMap<(u8, u64), Subtrees>,
}

impl Log {
    /// Verifies the checkpoint under `key` and every tile.
    pub(super) fn read(context: &mut Context, key: &VerifierKey) -> Result<Self, Failure> {
        let note = context.text(pack::CHECKPOINT)?;
        let wrong = |error| Failure::wrong(error, pack::CHECKPOINT);
        let signed = SignedCheckpoint::verify(&note, key, &Dalek).map_err(wrong)?;
        let head = signed.checkpoint().clone();
        context.report.passed("the checkpoint is signed by the log's key", 1);

        let mut tiles = BTreeMap::new();
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
            tiles.insert((tile.level, tile.index), Subtrees::of(&bytes));
        }
        let log = Self { head, tiles };
        log.check_tiles()?;
        context
            .report
            .passed("tiles lead to the root of the checkpoint", log.tiles.len() as u64);
        Ok(log)
    }

    /// Each full tile is one hash of the tile above it; what is above no tile makes up the root.
    fn check_tiles(&self) -> Result<(), Failure> {
        for ((level, index), subtrees) in &self.tiles {
            let Some(tile) = tile::tile_at(self.head.size, *level, *index).filter(Tile::is_full) else {
                continue;
            };
            let place = Resource::Hashes(tile);
            let above = self.hash_in_tile(level + 1, *index);
            let above =
                above.ok_or_else(|| Failure::wrong("the tile above it is missing", format!("{}{place}", pack::LOG)))?;
            if subtrees.root() != Some(above) {
                return Err(Failure::wrong(
                    "does not lead to the tile above it",
                    format!("{}{place}", pack::LOG),
                ));
            }
        }
        let computed = tree::root(self, self.head.size);
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

    fn hash_in_tile(&self, level: u8, index: u64) -> Option<Digest> {
        let place = usize::try_from(index % tile::WIDTH).ok()?;
        self.tiles.get(&(level, index / tile::WIDTH))?.get(0, place)
    }

    /// The tree head.
    pub(super) fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// The hash that the leaf at `index` has.
    pub(super) fn leaf(&self, index: u64) -> Option<Digest> {
        self.hash_in_tile(0, index)
    }

    /// The root that the log had at `size`, if the pack's tiles are enough to compute it.
    pub(super) fn root_at(&self, size: u64) -> Option<Digest> {
        (size <= self.head.size).then(|| tree::root(self, size).ok()).flatten()
    }

    /// Checks that the tree of `old` entries with root `root` is a beginning of this log.
    pub(super) fn extends(&self, old: u64, root: Digest) -> Result<(), String> {
        if old > self.head.size {
            return Err(format!("it has {old} entries, this pack shows {}", self.head.size));
        }
        match self.root_at(old) {
            Some(found) if found == root => Ok(()),
            Some(found) => Err(format!("at {old} entries this log has root {found}, not {root}")),
            None => Err(format!("the tiles in this pack do not show the root at {old} entries")),
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

fn tile_name(size: u64, level: u8, index: u64) -> String {
    let tile = tile::tile_at(size, level, index);
    tile.map_or_else(
        || format!("{index} of level {level}"),
        |tile| Resource::Hashes(tile).to_string(),
    )
}

impl HashReader for Log {
    type Error = MissingTile;

    fn hash(&self, level: u8, index: u64) -> Result<Digest, MissingTile> {
        let (tile_level, height) = (level / 8, level % 8);
        // Subtrees of a tree of at most 2^63 entries: nothing is shifted out.
        let begin = index << height;
        let tile = begin / tile::WIDTH;
        let place = usize::try_from((begin % tile::WIDTH) >> height).ok();
        let subtrees = self.tiles.get(&(tile_level, tile));
        let hash = subtrees
            .zip(place)
            .and_then(|(subtrees, place)| subtrees.get(height, place));
        hash.ok_or(MissingTile {
            size: self.head.size,
            level: tile_level,
            index: tile,
        })
    }
}
