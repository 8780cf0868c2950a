//! A token bucket: a burst at once, then a steady rate.

use std::time::Duration;

use super::time::Time;

/// How much a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Tokens that it holds at most; at least 1.
    pub(super) burst: u32,
    /// Time between two tokens.
    pub(super) every: Duration,
}

/// A bucket, of whatever rate it is asked with: always the same.
#[derive(Debug)]
pub(super) struct TokenBucket {
    /// When it is full again.
    full_at: Time,
}

impl Default for TokenBucket {
    /// A full one.
    fn default() -> Self {
        Self { full_at: Time::from_micros(0) }
    }
}

impl TokenBucket {
    /// When there is a token; in the past if there is one now.
    pub(super) fn ready_at(&self, rate: Rate) -> Time {
        self.full_at - rate.every * rate.burst.saturating_sub(1)
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Time, rate: Rate) -> bool {
        let is_there = self.ready_at(rate) <= now;
        if is_there {
            self.full_at = self.full_at.max(now) + rate.every;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_one_each_interval() {
        let (mut bucket, second) = (TokenBucket::default(), Duration::from_secs(1));
        let rate = Rate { burst: 3, every: second };
        let start = Time::from_micros(1_000_000_000);
        let taken = |bucket: &mut TokenBucket, now: Time| (0..100).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(bucket.ready_at(rate), start + second);
        assert_eq!(taken(&mut bucket, start + second / 2), 0);
        assert_eq!(taken(&mut bucket, start + second * 2), 2);
        assert_eq!(taken(&mut bucket, start + second * 1_000), 3, "it holds no more than its burst");
    }
}
