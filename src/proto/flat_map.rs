//! A map for the few things of a kind that a node keeps: in the order of the keys.
//!
//! A B-tree's smallest node has room for eleven entries, and a vector that doubles wastes half of itself. In a network of
//! a hundred thousand peers that is more than all the entries together.

/// Places that are added when all are taken.
const PLACES_ADDED: usize = 2;

/// Makes room for one more, and for hardly more than that.
pub(super) fn grow_by_few<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(PLACES_ADDED);
    }
}

/// Above this, halving beats looking at one after the other. Below, the processor fetches all of them at once, where
/// each halving waits for the one before.
const SCANNED_MAX: usize = 32;

/// Values by their keys. A look-up takes O(log n), an insertion or removal O(n).
#[derive(Debug, Clone)]
pub(super) struct FlatMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for FlatMap<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Copy + Ord, V> FlatMap<K, V> {
    fn place(&self, key: K) -> Result<usize, usize> {
        if self.entries.len() > SCANNED_MAX {
            return self.entries.binary_search_by_key(&key, |(own, _)| *own);
        }
        let at = self.entries.iter().position(|(own, _)| *own >= key).unwrap_or(self.entries.len());
        if self.entries.get(at).is_some_and(|(own, _)| *own == key) { Ok(at) } else { Err(at) }
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.place(key).ok().map(|at| &self.entries[at].1)
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.place(key).ok().map(|at| &mut self.entries[at].1)
    }

    pub(super) fn contains_key(&self, key: K) -> bool {
        self.place(key).is_ok()
    }

    /// The value of this key, which is made if there is none.
    pub(super) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = self.place(key).unwrap_or_else(|at| {
            grow_by_few(&mut self.entries);
            self.entries.insert(at, (key, make()));
            at
        });
        &mut self.entries[at].1
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(key);
        self.get_or_insert_with(key, || value);
    }

    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        self.place(key).ok().map(|at| self.entries.remove(at).1)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(*key, value));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    pub(super) fn last_key(&self) -> Option<K> {
        self.entries.last().map(|(key, _)| *key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn into_entries(self) -> Vec<(K, V)> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_flat_map_does_what_a_tree_does(steps in proptest::collection::vec((0_u8..50, 0_u8..4, any::<u32>()), 0..400)) {
            let (mut flat, mut tree) = (FlatMap::default(), BTreeMap::new());
            for (key, step, value) in steps {
                match step {
                    0 => prop_assert_eq!(flat.remove(key), tree.remove(&key)),
                    1 => prop_assert_eq!(flat.get_or_insert_with(key, || value), tree.entry(key).or_insert(value)),
                    _ => {
                        flat.insert(key, value);
                        tree.insert(key, value);
                    }
                }
                prop_assert_eq!(flat.get(key), tree.get(&key));
                prop_assert_eq!((flat.len(), flat.last_key()), (tree.len(), tree.keys().copied().last()));
            }
            flat.retain(|key, _| key % 3 == 0);
            tree.retain(|key, _| key % 3 == 0);
            prop_assert_eq!(flat.into_entries(), tree.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_flat_map_has_hardly_more_room_than_entries() {
        let mut map = FlatMap::default();
        (0..100).for_each(|key| map.insert(key, key));
        assert!(map.entries.capacity() < 100 + PLACES_ADDED);
    }
}
