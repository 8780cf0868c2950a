//! The seen-cache: which messages a node has seen, bounded by count and by age.
//!
//! Two generations of ids. New ids go into the young one; when it holds `max` ids or is `age` old
//! it becomes the old one, and what was old is forgotten. So at least the last `max` ids and those
//! of the last `age` are known, twice that at most, and forgetting costs nothing per message.

use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::message::MessageId;
use super::time::Time;

/// See the module.
#[derive(Debug, Clone)]
pub struct SeenCache {
    young: HashSet<MessageId, FixedState>,
    old: HashSet<MessageId, FixedState>,
    young_since: Time,
    max: usize,
    age: Duration,
}

impl SeenCache {
    /// A cache that remembers at least `max` ids and each for at least `age`. Ids are chosen by
    /// strangers, so the hash is keyed: `hash_seed` is the node's secret.
    pub fn new(max: usize, age: Duration, hash_seed: u64) -> Self {
        let set = || HashSet::with_hasher(FixedState::with_seed(hash_seed));
        Self { young: set(), old: set(), young_since: Time::from_micros(0), max: max.max(1), age }
    }

    /// Remembers an id; true when it was not known.
    pub fn insert(&mut self, now: Time, id: MessageId) -> bool {
        if self.young.len() >= self.max || now.since(self.young_since) >= self.age {
            self.turn(now);
        }
        if self.old.contains(&id) {
            return false;
        }
        self.young.insert(id)
    }

    fn turn(&mut self, now: Time) {
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.young_since = now;
    }

    /// Ids that are remembered: at most twice the `max` given.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Nothing was seen lately.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;

    fn id(seq: u64) -> MessageId {
        MessageId { origin: Addr::loopback(1), run: 0, seq }
    }

    #[test]
    fn the_last_ids_are_known_and_the_count_is_bounded() {
        let mut seen = SeenCache::new(10, Duration::from_secs(60), 7);
        let now = Time::from_micros(1);
        for seq in 0..1_000 {
            assert!(seen.insert(now, id(seq)));
            assert!(!seen.insert(now, id(seq)));
            assert!(seq < 9 || !seen.insert(now, id(seq - 9)));
            assert!(seen.len() <= 20);
        }
    }

    #[test]
    fn an_id_is_forgotten_after_its_age_and_not_before() {
        let mut seen = SeenCache::new(1_000, Duration::from_secs(60), 7);
        let at = |s: u64| Time::from_micros(s * 1_000_000);
        assert!(seen.insert(at(100), id(1)));
        assert!(!seen.insert(at(159), id(1)));
        assert!(!seen.insert(at(161), id(1)));
        assert!(seen.insert(at(300), id(2)));
        assert!(seen.insert(at(400), id(1)));
    }
}
