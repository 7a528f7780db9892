//! A bounded map: whatever comes, it holds no more than so many entries. When it is full, the
//! lighter half goes, and is counted.

use std::collections::HashMap;
use std::hash::Hash;

/// How much an entry matters.
pub(super) trait Weight {
    /// The more, the longer it stays.
    fn weight(&self) -> u64;
}

/// Entries by key, the heavier ones if there are too many.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    most: usize,
    entries: HashMap<K, V>,
    dropped: u64,
}

impl<K: Clone + Ord + Hash, V: Weight> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: HashMap::new(), dropped: 0 }
    }

    /// The entry of that key, made where there is none.
    pub(super) fn entry(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        if self.entries.len() >= self.most && !self.entries.contains_key(key) {
            self.halve();
        }
        self.entries.entry(key.clone()).or_insert_with(make)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }

    /// All of them by key, and how many there was no room for.
    pub(super) fn take(self) -> (Vec<(K, V)>, u64) {
        let mut all: Vec<_> = self.entries.into_iter().collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        (all, self.dropped)
    }

    /// Half at a time: each new entry pays for little of it.
    fn halve(&mut self) {
        let mut order: Vec<_> =
            self.entries.iter().map(|(key, value)| (value.weight(), key.clone())).collect();
        // The same entries go in every run, whatever the order of the map.
        order.sort_unstable();
        for (_, key) in order.into_iter().take(self.most.div_ceil(2)) {
            self.entries.remove(&key);
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for u64 {
        fn weight(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn the_heavy_ones_stay_whatever_comes() {
        let mut map = Bounded::new(4);
        *map.entry(&"heavy".to_owned(), || 0) += 100;
        for name in 0..1_000 {
            *map.entry(&name.to_string(), || 0) += 1;
        }
        let (all, dropped) = map.take();
        assert!(
            all.len() <= 4 && all.iter().any(|(name, count)| name == "heavy" && *count == 100),
            "{all:?}"
        );
        assert_eq!(all.len() as u64 + dropped, 1_001);
    }
}
