//! The small random number generator that each node owns.

use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// A node's own generator: the same seed gives the same run. Sixteen bytes.
#[derive(Debug, Clone)]
pub struct Random(Pcg32);

impl Random {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// A number below `end`; zero when `end` is zero.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.random()
    }

    /// A span between `least` and `most` of `span`, in hundredths.
    pub fn jitter(&mut self, span: Duration, percent: std::ops::RangeInclusive<u32>) -> Duration {
        span * self.0.random_range(percent) / 100
    }

    /// Puts a slice into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }

    /// Up to `count` of the items, in random order.
    pub fn sample<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut all = items.to_vec();
        let (chosen, _) = all.partial_shuffle(&mut self.0, count);
        chosen.to_vec()
    }
}
