//! Events by time, in buckets that double in width.

use std::time::Duration;

use crate::proto::time::{Time, micros};

/// Buckets that are kept: more than a wide terminal has columns, each a quarter second or more.
pub const BUCKETS_MAX: usize = 1_024;
/// The width of a bucket in the beginning.
const WIDTH_MIN: Duration = Duration::from_millis(250);

/// How many events there were when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Density {
    /// Where the first bucket begins, in microseconds.
    start: Option<u64>,
    /// In microseconds.
    width: u64,
    buckets: Vec<u64>,
}

impl Default for Density {
    fn default() -> Self {
        Self { start: None, width: micros(WIDTH_MIN), buckets: Vec::new() }
    }
}

impl Density {
    /// Counts events at this time; those before the first one are counted with it.
    pub(super) fn count(&mut self, at: Time, events: u64) {
        let at = at.as_micros();
        let since = at.saturating_sub(*self.start.get_or_insert(at));
        while since / self.width >= BUCKETS_MAX as u64 {
            self.double();
        }
        let place = usize::try_from(since / self.width).unwrap_or(BUCKETS_MAX - 1);
        if place >= self.buckets.len() {
            self.buckets.resize(place + 1, 0);
        }
        self.buckets[place] = self.buckets[place].saturating_add(events);
    }

    fn double(&mut self) {
        self.buckets = self.buckets.chunks(2).map(|pair| pair.iter().copied().fold(0, u64::saturating_add)).collect();
        self.width = self.width.saturating_mul(2);
    }

    /// The events in each of so many equal parts of a span, rounded up. A bucket that is in several parts counts in
    /// each as much as it is in it.
    pub(super) fn between(&self, from: Time, to: Time, parts: usize) -> Vec<u64> {
        let (begin, end) = (u128::from(from.as_micros()), u128::from(to.as_micros()) + 1);
        let mut shares = vec![0_u128; parts];
        let edge = |part: usize| begin + end.saturating_sub(begin) * part as u128 / parts.max(1) as u128;
        let mut first = 0;
        for (bucket, events) in self.buckets.iter().enumerate().filter(|(_, events)| **events > 0) {
            let low = u128::from(self.start.unwrap_or(0)) + bucket as u128 * u128::from(self.width);
            let high = low + u128::from(self.width);
            while first < parts && edge(first + 1) <= low {
                first += 1;
            }
            for part in (first..parts).take_while(|part| edge(*part) < high) {
                let inside = high.min(edge(part + 1)).saturating_sub(low.max(edge(part)));
                shares[part] += u128::from(*events) * inside;
            }
        }
        let events = |share: u128| u64::try_from(share.div_ceil(u128::from(self.width))).unwrap_or(u64::MAX);
        shares.into_iter().map(events).collect()
    }
}
