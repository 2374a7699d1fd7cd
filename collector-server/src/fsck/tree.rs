//! The tree's hashes, computed once more from the entries.

use evidence::Digest;
use evidence::tile::WIDTH;
use evidence::tree::{Frontier, leaf_hash};

use super::Report;
use crate::store::{Store, StoreError};

/// The tree as the entries make it, with the hashes that tiles must hold: 32 bytes an entry.
#[derive(Default)]
pub(super) struct Recomputed {
    pub(super) frontier: Frontier,
    /// By tile level.
    hashes: Vec<Vec<Digest>>,
}

impl Recomputed {
    pub(super) fn push(&mut self, entry: &[u8]) {
        let hashes = &mut self.hashes;
        self.frontier.push_noting(leaf_hash(entry), |level, _, hash| {
            if level % 8 == 0 {
                let level = usize::from(level / 8);
                if hashes.len() <= level {
                    hashes.resize_with(level + 1, Vec::new);
                }
                if let Some(row) = hashes.get_mut(level) {
                    row.push(hash);
                }
            }
        });
    }

    pub(super) fn compare(&self, store: &dyn Store, report: &mut Report) -> Result<(), StoreError> {
        let width = usize::try_from(WIDTH).unwrap_or(256);
        for (level, row) in (0_u8..).zip(&self.hashes) {
            for (index, expected) in (0_u64..).zip(row.chunks(width)) {
                // Leaf hashes are stored for full tiles only.
                if level == 0 && expected.len() < width {
                    continue;
                }
                let place = format!("tile {index} of level {level}");
                let Some(stored) = report.read(&place, store.hashes(level, index))? else {
                    continue;
                };
                let stored = stored.unwrap_or_default();
                // A writer may have gone on meanwhile, so that a tile is wider by now.
                let differs = expected
                    .iter()
                    .zip(&stored)
                    .position(|(expected, stored)| expected != stored);
                if let Some(position) = differs {
                    report.add(place, format!("hash {position} is not that of the entries"));
                } else if stored.len() < expected.len() {
                    report.add(
                        place,
                        format!("has {} hashes, {} expected", stored.len(), expected.len()),
                    );
                }
            }
        }
        Ok(())
    }
}
