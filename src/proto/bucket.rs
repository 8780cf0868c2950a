//! A token bucket: a burst at once, then a steady rate.

use std::time::Duration;

use super::time::Time;

/// Holds at most `burst` tokens and gains one every `every`.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    every: Duration,
    burst: u32,
    /// When it is full again.
    full_at: Time,
}

impl TokenBucket {
    pub(super) const fn new(burst: u32, every: Duration) -> Self {
        Self { every, burst, full_at: Time::from_micros(0) }
    }

    /// When there is a token; in the past if there is one now.
    pub(super) fn ready_at(&self) -> Time {
        self.full_at - self.every * self.burst.saturating_sub(1)
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let is_there = self.ready_at() <= now;
        if is_there {
            self.full_at = self.full_at.max(now) + self.every;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_one_each_interval() {
        let (mut bucket, second) = (TokenBucket::new(3, Duration::from_secs(1)), Duration::from_secs(1));
        let start = Time::from_micros(1_000_000_000);
        let taken = |bucket: &mut TokenBucket, now: Time| (0..100).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(bucket.ready_at(), start + second);
        assert_eq!(taken(&mut bucket, start + second / 2), 0);
        assert_eq!(taken(&mut bucket, start + second * 2), 2);
        assert_eq!(taken(&mut bucket, start + second * 1_000), 3, "it holds no more than its burst");
    }
}
