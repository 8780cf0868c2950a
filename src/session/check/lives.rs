//! A small number for each life of a node, so that a set of nodes is a row of bits.

use std::collections::VecDeque;
use std::time::Duration;

use super::{PASS_EVERY, REMEMBERED};
use crate::model::FastHashMap;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// A number is reused when every message of the life that had it is forgotten, in the pass after
/// that.
const REST: Duration = REMEMBERED.saturating_add(PASS_EVERY);

/// The numbers of all nodes that had a message.
#[derive(Debug, Default)]
pub(super) struct LifeNumbers {
    numbers: FastHashMap<Addr, usize>,
    /// All numbers so far are below this.
    count: usize,
    /// Numbers of lives that are over, and since when.
    over: VecDeque<(Time, usize)>,
}

impl LifeNumbers {
    /// A node begins a life, which gets another number.
    pub(super) fn begin(&mut self, now: Time, node: Addr) {
        self.over.extend(self.numbers.remove(&node).map(|number| (now, number)));
    }

    /// The number of this node's life.
    pub(super) fn number(&mut self, now: Time, node: Addr) -> usize {
        if let Some(number) = self.numbers.get(&node) {
            return *number;
        }
        let has_rested = self.over.front().is_some_and(|(since, _)| now.since(*since) > REST);
        let rested = if has_rested { self.over.pop_front() } else { None };
        let number = rested.map_or(self.count, |(_, number)| number);
        self.count = self.count.max(number + 1);
        self.numbers.insert(node, number);
        number
    }

    /// One more than the highest number in use.
    #[cfg(test)]
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The number of this node's life, if it has one.
    pub(super) fn find(&self, node: Addr) -> Option<usize> {
        self.numbers.get(&node).copied()
    }
}

/// A set of lives.
#[derive(Debug, Default)]
pub(super) struct Holders(Vec<u64>);

impl Holders {
    /// Adds a life. Returns whether it is new.
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let (word, bit) = place(number);
        if word >= self.0.len() {
            self.0.reserve_exact(word + 1 - self.0.len());
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Memory in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.0.len() * size_of::<u64>()
    }
}

const fn place(number: usize) -> (usize, u64) {
    (number / 64, 1 << (number % 64))
}
