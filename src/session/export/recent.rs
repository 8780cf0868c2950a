//! What was sent lately, to be found again when it arrives.

use std::collections::VecDeque;
use std::hash::Hash;

use indexmap::IndexMap;

/// The latest values by key, at most a fixed number of them: the oldest makes room.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    held: IndexMap<K, (u64, V)>,
    /// The keys in the order in which they came, each with its number: one that came again later is
    /// held under its later number.
    order: VecDeque<(u64, K)>,
    next: u64,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { held: IndexMap::new(), order: VecDeque::new(), next: 0, most }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.held.insert(key.clone(), (self.next, value));
        self.order.push_back((self.next, key));
        self.next += 1;
        self.keep_at_most(self.most);
    }

    /// From now on, at most this many are held.
    pub(super) fn keep_at_most(&mut self, most: usize) {
        self.most = most;
        while self.order.len() > most {
            self.forget_oldest();
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.held.get(key).map(|(_, value)| value)
    }

    fn forget_oldest(&mut self) {
        let Some((number, key)) = self.order.pop_front() else { return };
        if self.held.get(&key).is_some_and(|(held, _)| *held == number) {
            self.held.swap_remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_unless_it_came_again() {
        let mut recent = Recent::new(3);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            recent.insert(key, value);
        }
        assert_eq!((recent.get(&"a"), recent.get(&"b"), recent.get(&"c")), (Some(&3), Some(&2), Some(&4)));
        recent.insert("d", 5);
        assert_eq!((recent.get(&"a"), recent.get(&"b"), recent.get(&"d")), (Some(&3), None, Some(&5)));
        recent.insert("e", 6);
        assert_eq!(recent.get(&"a"), None);
    }
}
