//! Sorting lists of facts, with one body of code for all of them.
//!
//! The standard sorts are fast for a million numbers and cost about 6 kB of code for each type and each comparison. Facts are
//! some hundred entries of a hundred types: what is sorted here is their positions, so that only the comparison and the
//! moving are there once for each type. It keeps 300 kB out of the agent.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sorts in place; entries that compare equal stay as they were.
pub(crate) trait Order<T> {
    /// As [`slice::sort`].
    fn order(&mut self)
    where
        T: Ord;

    /// As [`slice::sort_by`].
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering);

    /// As [`slice::sort_by_key`].
    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K);
}

impl<T> Order<T> for Vec<T> {
    fn order(&mut self)
    where
        T: Ord,
    {
        self.order_by(T::cmp);
    }

    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let positions = positions(self.len(), &|one, other| match (self.get(one), self.get(other)) {
            (Some(one), Some(other)) => compare(one, other),
            _ => Ordering::Equal,
        });
        let mut entries: Vec<_> = self.drain(..).map(Some).collect();
        self.extend(
            positions
                .into_iter()
                .filter_map(|position| entries.get_mut(position)?.take()),
        );
    }

    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.order_by(|one, other| key(one).cmp(&key(other)));
    }
}

/// The positions from 0 to `length`, in the order of what stands there.
fn positions(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut positions: Vec<_> = (0..length).collect();
    positions.sort_by(|one, other| compare(*one, *other));
    positions
}

/// Pairs into a map; of two with the same key the last counts.
pub(crate) trait IntoMap<K, V> {
    /// As [`Iterator::collect`], which sorts the pairs first.
    fn into_map(self) -> BTreeMap<K, V>;
}

impl<K: Ord, V, I: Iterator<Item = (K, V)>> IntoMap<K, V> for I {
    fn into_map(self) -> BTreeMap<K, V> {
        let mut map = BTreeMap::new();
        for (key, value) in self {
            map.insert(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{IntoMap as _, Order as _};

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(entries: Vec<(u8, String)>) {
            let (mut ours, mut theirs) = (entries.clone(), entries.clone());
            ours.order();
            theirs.sort();
            prop_assert_eq!(&ours, &theirs);

            let (mut ours, mut theirs) = (entries.clone(), entries.clone());
            ours.order_by_key(|entry| entry.0);
            theirs.sort_by_key(|entry| entry.0);
            prop_assert_eq!(ours, theirs);

            let theirs: BTreeMap<_, _> = entries.iter().cloned().collect();
            prop_assert_eq!(entries.into_iter().into_map(), theirs);
        }
    }
}
