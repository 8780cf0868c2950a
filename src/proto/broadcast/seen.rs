//! The seen-cache: which messages a node has seen, bounded by count and by age.
//!
//! Two generations of ids. New ids go into the young one; when it holds `max` ids or is `age` old
//! it becomes the old one, and the former old one is forgotten. So at least the last `max` ids and
//! those of the last `age` are known, at most twice as many, and forgetting costs nothing per
//! message.
//!
//! A node numbers its messages one by one, so ids come in blocks: an entry stands for 64 numbers in
//! a row, one bit each. A busy node's ids then fit the processor's caches, where one entry per id
//! would cost a miss each time; an id that stands alone takes a third more than its own size.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::proto::message::MessageId;
use crate::proto::time::{Time, micros};

/// The cache: see the module.
#[derive(Debug, Clone)]
pub(super) struct SeenCache {
    young: Generation,
    old: Generation,
    hash: FixedState,
    young_since: Time,
    max: usize,
    age_us: u64,
}

/// Ids, in blocks.
#[derive(Debug, Clone, Default)]
struct Generation {
    blocks: HashTable<Block>,
    len: usize,
}

/// 64 messages in a row of one origin.
#[derive(Debug, Clone)]
struct Block {
    /// Their id, with the number of the block in place of theirs.
    id: MessageId,
    /// Which of them were seen.
    seen: u64,
}

/// The place of an id.
#[derive(Debug, Clone, Copy)]
struct SeenSlot {
    block: MessageId,
    hash: u64,
    bit: u64,
}

impl Generation {
    fn contains(&self, place: SeenSlot) -> bool {
        let block = self.blocks.find(place.hash, |block| block.id == place.block);
        block.is_some_and(|block| block.seen & place.bit != 0)
    }

    /// Remembers it unless it is known here or in the generation before; true if it is new.
    fn insert(&mut self, place: SeenSlot, before: &Self, hash: &FixedState) -> bool {
        let is_it = |block: &Block| block.id == place.block;
        let entry = self.blocks.entry(place.hash, is_it, |block| hash.hash_one(block.id));
        // Most of what is known is young.
        let is_known = matches!(&entry, Entry::Occupied(block) if block.get().seen & place.bit != 0);
        if is_known || before.contains(place) {
            return false;
        }
        entry.or_insert_with(|| Block { id: place.block, seen: 0 }).get_mut().seen |= place.bit;
        self.len += 1;
        true
    }

    fn clear(&mut self) {
        self.blocks.clear();
        self.len = 0;
    }
}

impl SeenCache {
    /// A cache that remembers at least `max` ids and each for at least `age`. Strangers choose ids,
    /// so the hash is keyed: `hash_seed` is the node's secret.
    pub(super) fn new(max: usize, age: Duration, hash_seed: u64) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            hash: FixedState::with_seed(hash_seed),
            young_since: Time::from_micros(0),
            max: max.max(1),
            age_us: micros(age),
        }
    }

    /// Remembers an id; true if it was not known.
    pub(super) fn insert(&mut self, now: Time, id: MessageId) -> bool {
        if self.young.len >= self.max || now.micros_since(self.young_since) >= self.age_us {
            self.turn(now);
        }
        let place = self.place(id);
        self.young.insert(place, &self.old, &self.hash)
    }

    pub(super) fn contains(&self, id: MessageId) -> bool {
        let place = self.place(id);
        self.young.contains(place) || self.old.contains(place)
    }

    fn place(&self, id: MessageId) -> SeenSlot {
        let block = MessageId { seq: id.seq / u64::from(u64::BITS), ..id };
        SeenSlot { block, hash: self.hash.hash_one(block), bit: 1 << (id.seq % u64::from(u64::BITS)) }
    }

    fn turn(&mut self, now: Time) {
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.young_since = now;
    }

    /// Ids that are remembered: at most twice `max`.
    pub(super) fn len(&self) -> usize {
        self.young.len + self.old.len
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
    fn ids_that_differ_in_anything_are_different_ids() {
        let mut seen = SeenCache::new(1_000, Duration::from_secs(60), 7);
        let one = MessageId { origin: Addr::loopback(1), run: 5, seq: 130 };
        let others = [
            MessageId { seq: 131, ..one },
            MessageId { seq: 130 + 64, ..one },
            MessageId { seq: MessageId::own_text(130), ..one },
            MessageId { run: 6, ..one },
            MessageId { origin: Addr::loopback(2), ..one },
        ];
        let now = Time::from_micros(1);
        assert!(seen.insert(now, one));
        assert!(others.iter().all(|other| seen.insert(now, *other)));
        assert!(others.iter().all(|other| !seen.insert(now, *other)));
        assert_eq!(seen.len(), 6);
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
