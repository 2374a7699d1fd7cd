//! Tiles of one level, found by index.

/// What is known of each tile of a level. A pack has nearly always every tile from some index on to the end of the log, and
/// a few before it.
pub(super) struct Tiles<T>(Vec<(u64, T)>);

impl<T> Tiles<T> {
    /// Of tiles in any order, each with its index.
    pub(super) fn of(mut tiles: Vec<(u64, T)>) -> Self {
        tiles.sort_unstable_by_key(|(index, _)| *index);
        Self(tiles)
    }

    /// The tile at `index`.
    pub(super) fn get(&self, index: u64) -> Option<&T> {
        let from_the_end = || {
            let back = usize::try_from(self.0.last()?.0.checked_sub(index)?).ok()?;
            self.0.get(self.0.len().checked_sub(1)?.checked_sub(back)?)
        };
        if let Some((found, tile)) = from_the_end()
            && *found == index
        {
            return Some(tile);
        }
        let place = self.0.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.0.get(place).map(|(_, tile)| tile)
    }

    /// Every tile with its index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().map(|(index, tile)| (*index, tile))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_found_with_gaps_before_them() {
        let there = [7, 0, 9, 8, 3, u64::MAX];
        let tiles = Tiles::of(there.iter().map(|index| (*index, index.to_string())).collect());
        for index in (0..20).chain([u64::MAX - 1, u64::MAX]) {
            let wanted = there.contains(&index).then(|| index.to_string());
            assert_eq!(tiles.get(index), wanted.as_ref(), "{index}");
        }
        assert_eq!(tiles.len(), there.len());
        assert_eq!(Tiles::<()>::of(Vec::new()).get(0), None);
    }
}
