//! A bounded cache of things that never change.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps between `capacity` and twice as many of the things used last: when one generation is full it becomes the old
/// one, and what is then still used moves over to the young one. Only for values that a key determines for ever: nothing
/// is ever invalidated.
#[derive(Debug)]
pub struct Generations<K, V> {
    capacity: usize,
    maps: Mutex<(HashMap<K, V>, HashMap<K, V>)>,
}

impl<K: Eq + Hash + Clone, V: Clone> Generations<K, V> {
    /// An empty cache; `capacity` is that of one generation.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            maps: Mutex::new((HashMap::new(), HashMap::new())),
        }
    }

    /// A panic cannot leave a map in a state that matters.
    fn maps(&self) -> MutexGuard<'_, (HashMap<K, V>, HashMap<K, V>)> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept for `key`.
    pub fn get(&self, key: &K) -> Option<V> {
        let mut maps = self.maps();
        if let Some(value) = maps.0.get(key) {
            return Some(value.clone());
        }
        let value = maps.1.remove(key)?;
        Self::put(&mut maps, self.capacity, key.clone(), value.clone());
        Some(value)
    }

    /// Keeps `value` for `key`.
    pub fn insert(&self, key: K, value: V) {
        Self::put(&mut self.maps(), self.capacity, key, value);
    }

    fn put(maps: &mut (HashMap<K, V>, HashMap<K, V>), capacity: usize, key: K, value: V) {
        if maps.0.len() >= capacity {
            maps.1 = mem::take(&mut maps.0);
        }
        maps.0.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_used_and_stays_bounded() {
        let cache = Generations::new(10);
        cache.insert(0, "used");
        for key in 1..100 {
            cache.insert(key, "");
            assert_eq!(cache.get(&0), Some("used"));
            let (young, old) = &*cache.maps();
            assert!(young.len() + old.len() <= 20);
        }
        assert_eq!(cache.get(&1), None);
    }
}
