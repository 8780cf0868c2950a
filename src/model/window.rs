//! Counts recent events, by their own time.

use std::time::Duration;

use crate::proto::time::Time;

/// Counts in buckets of equal width; those older than the window are forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    buckets: Box<[u64]>,
    width_us: u64,
    newest: u64,
    oldest_ever: Option<u64>,
}

impl Window {
    /// A window of `buckets` buckets, each `width` wide; at least one, of at least a microsecond.
    pub fn new(buckets: usize, width: Duration) -> Self {
        let width_us = u64::try_from(width.as_micros()).unwrap_or(u64::MAX).max(1);
        // One more than the window: the newest bucket is still filling.
        let buckets = vec![0; buckets.max(1) + 1].into();
        Self { buckets, width_us, newest: 0, oldest_ever: None }
    }

    /// Counts one at this time, unless that is older than the window.
    pub fn count(&mut self, at: Time) {
        let bucket = self.bucket_of(at);
        self.oldest_ever.get_or_insert(bucket);
        self.move_to(bucket);
        if self.newest - bucket < self.len() {
            let slot = self.slot(bucket);
            self.buckets[slot] += 1;
        }
    }

    /// The count in the window that ends now, including the bucket that is still filling.
    pub fn sum(&self, now: Time) -> u64 {
        let end = self.bucket_of(now);
        self.between(end.saturating_sub(self.len() - 1), end)
    }

    /// Counts per second over the full buckets of this span, rounded up, or over those that there are
    /// so far.
    pub fn per_second(&self, now: Time, span: Duration) -> f64 {
        let (Some(oldest), Some(end)) = (self.oldest_ever, self.bucket_of(now).checked_sub(1)) else { return 0.0 };
        let buckets = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).div_ceil(self.width_us);
        let start = oldest.max((end + 1).saturating_sub(buckets.min(self.len() - 1)));
        if start > end {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let (count, micros) = (self.between(start, end) as f64, ((end - start + 1) * self.width_us) as f64);
        count * 1e6 / micros
    }

    fn between(&self, start: u64, end: u64) -> u64 {
        let start = start.max((self.newest + 1).saturating_sub(self.len()));
        (start..=end.min(self.newest)).map(|bucket| self.buckets[self.slot(bucket)]).sum()
    }

    fn move_to(&mut self, bucket: u64) {
        if bucket <= self.newest {
            return;
        }
        if bucket - self.newest >= self.len() {
            self.buckets.fill(0);
        } else {
            for passed in self.newest + 1..=bucket {
                let slot = self.slot(passed);
                self.buckets[slot] = 0;
            }
        }
        self.newest = bucket;
    }

    fn len(&self) -> u64 {
        self.buckets.len() as u64
    }

    fn bucket_of(&self, at: Time) -> u64 {
        at.as_micros() / self.width_us
    }

    #[expect(clippy::cast_possible_truncation, reason = "less than the length of a slice")]
    fn slot(&self, bucket: u64) -> usize {
        (bucket % self.len()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(3);

    fn second(s: u64) -> Time {
        Time::from_micros(s * 1_000_000)
    }

    #[test]
    fn what_is_older_than_the_window_no_longer_counts() {
        let mut window = Window::new(3, Duration::from_secs(1));
        for s in [100, 100, 101, 102] {
            window.count(second(s));
        }
        assert_eq!(window.sum(second(102)), 4);
        assert_eq!(window.sum(second(104)), 2);
        assert_eq!(window.sum(second(300)), 0);
        window.count(second(300));
        window.count(second(102));
        assert_eq!(window.sum(second(300)), 1);
    }

    #[test]
    fn a_rate_is_taken_over_whole_buckets_only() {
        let mut window = Window::new(3, Duration::from_secs(1));
        for s in [100, 100, 101, 101, 102] {
            window.count(second(s));
        }
        assert!((window.per_second(second(102), WINDOW) - 2.0).abs() < 1e-9);
        assert!((window.per_second(second(103), WINDOW) - 5.0 / 3.0).abs() < 1e-9);
        assert!(window.per_second(second(200), WINDOW).abs() < 1e-9);
        assert!(Window::new(3, Duration::from_secs(1)).per_second(second(5), WINDOW).abs() < 1e-9);
    }
}
