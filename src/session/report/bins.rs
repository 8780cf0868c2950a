//! Counts over time in a bounded number of bins, however long a session turns out to be.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::proto::time::Time;

/// Bins from the first to the last: one for each few pixels of a plot.
const BINS_MAX: u64 = 240;
/// Widths in milliseconds that people count in, each a multiple of the one before.
const WIDTHS_MS: [u64; 14] = [
    100,
    500,
    1_000,
    5_000,
    10_000,
    30_000,
    60_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    4 * 3_600_000,
    24 * 3_600_000,
    7 * 24 * 3_600_000,
];

/// What a bin holds.
pub trait MergeBins {
    fn merge(&mut self, other: &Self);
}

/// Bins of one width, which grows with the time that they span. Bins in which nothing happened are
/// not kept.
#[derive(Debug, Clone)]
pub struct Bins<B> {
    width_ms: u64,
    by_number: BTreeMap<u64, B>,
}

impl<B: Default + MergeBins> Bins<B> {
    pub(super) fn new() -> Self {
        Self { width_ms: WIDTHS_MS[0], by_number: BTreeMap::new() }
    }

    /// The bin of this time.
    pub(super) fn at(&mut self, at: Time) -> &mut B {
        let number = |width_ms: u64| at.as_micros() / (width_ms * 1_000);
        while self.span_with(number(self.width_ms)) >= BINS_MAX {
            self.widen();
        }
        self.by_number.entry(number(self.width_ms)).or_default()
    }

    fn span_with(&self, number: u64) -> u64 {
        let first = self.by_number.keys().next().copied().unwrap_or(number).min(number);
        let last = self.by_number.keys().next_back().copied().unwrap_or(number).max(number);
        last - first
    }

    fn widen(&mut self) {
        let next = WIDTHS_MS.iter().copied().find(|width| *width > self.width_ms).unwrap_or(self.width_ms * 2);
        let times = next / self.width_ms;
        self.width_ms = next;
        for (number, bin) in std::mem::take(&mut self.by_number) {
            self.by_number.entry(number / times).or_default().merge(&bin);
        }
    }
}

impl<B> Bins<B> {
    pub fn width(&self) -> Duration {
        Duration::from_millis(self.width_ms)
    }

    /// Each bin in which something happened, with its beginning, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Time, &B)> {
        let begin = |number: &u64| Time::from_micros(number.saturating_mul(self.width_ms * 1_000));
        self.by_number.iter().map(move |(number, bin)| (begin(number), bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl MergeBins for u64 {
        fn merge(&mut self, other: &Self) {
            *self += other;
        }
    }

    #[test]
    fn bins_grow_so_that_their_number_stays_bounded() {
        let mut bins = Bins::<u64>::new();
        for second in 0..8 * 3_600 {
            *bins.at(Time::from_micros(second * 1_000_000)) += 1;
        }
        assert_eq!(bins.width(), Duration::from_secs(300));
        assert_eq!(bins.iter().count(), 96);
        assert!(bins.iter().all(|(_, count)| *count == 300));
    }

    #[test]
    fn times_that_go_back_or_far_ahead_lose_no_count() {
        let mut bins = Bins::<u64>::new();
        for at in [5_000_000_000, 1, u64::MAX / 2, 7, u64::MAX - 1] {
            *bins.at(Time::from_micros(at)) += 1;
        }
        assert_eq!(bins.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert!(bins.iter().count() as u64 <= BINS_MAX);
    }
}
