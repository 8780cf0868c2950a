//! When the model is looked at: a function of the events alone.
//!
//! Looks are at multiples of [`LOOK_EVERY`] of event time. While nothing happens they soon find the
//! same each time, so the longer a silence lasts, the fewer there are, and in the end none: hours of it
//! cost some hundreds.

use std::time::Duration;

use super::LOOK_EVERY;
use crate::proto::time::{Time, micros};

/// A silence in which every look is held: longer than any finding about the past counts.
const FINE_SILENCE: Duration = Duration::from_secs(180);
/// Looks, at least, while a longer silence doubles.
const LOOKS_PER_DOUBLING: u64 = 32;

#[expect(clippy::cast_possible_truncation, reason = "half a second")]
const STEP: u64 = LOOK_EVERY.as_micros() as u64;

/// The latest look that can be at this time or before it.
pub(super) fn grid(at: Time) -> u64 {
    at.as_micros() / STEP
}

/// Looks in a network in which nothing has happened since a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookTimes {
    pub(super) quiet_since: Time,
    /// How long a silence may change what is found.
    pub(super) settles_after: Duration,
}

impl LookTimes {
    /// The first look after this one; none: nothing that it could find would be new.
    pub(super) fn after(self, look: u64) -> Option<u64> {
        let mut spacing = self.spacing(look);
        let mut next = round_up(look.checked_add(1)?, spacing)?;
        // A longer silence has looks further apart.
        while self.spacing(next) > spacing {
            spacing = self.spacing(next);
            next = round_up(next, spacing)?;
        }
        (self.silence(next) <= micros(self.settles_after)).then_some(next)
    }

    /// How many steps lie between two looks around this one: a power of two.
    fn spacing(self, look: u64) -> u64 {
        let silence = self.silence(look);
        if silence < micros(FINE_SILENCE) {
            return 1;
        }
        1 << (silence / STEP / LOOKS_PER_DOUBLING).max(1).ilog2()
    }

    fn silence(self, look: u64) -> u64 {
        look.saturating_mul(STEP).saturating_sub(self.quiet_since.as_micros())
    }
}

/// When that look is.
pub(super) fn time_of(look: u64) -> Time {
    Time::from_micros(look.saturating_mul(STEP))
}

fn round_up(look: u64, spacing: u64) -> Option<u64> {
    look.checked_next_multiple_of(spacing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(silence: Duration) -> Vec<u64> {
        let since = Time::from_micros(1_700_000_000_123_456);
        let looks = LookTimes { quiet_since: since, settles_after: Duration::MAX };
        let all = std::iter::successors(looks.after(grid(since)), |look| looks.after(*look));
        all.take_while(|look| time_of(*look) <= since + silence).collect()
    }

    #[test]
    fn a_short_silence_is_looked_at_twice_a_second() {
        assert_eq!(looks(Duration::from_secs(100)).len(), 200);
    }

    #[test]
    fn hours_of_silence_cost_some_hundred_looks() {
        let hours = looks(Duration::from_secs(12 * 3_600)).len();
        assert!((360..1_000).contains(&hours), "{hours}");
        let ages = looks(Duration::from_secs(1_000 * 365 * 86_400)).len();
        assert!(ages < 2_000, "{ages}");
    }

    #[test]
    fn looks_are_the_same_from_wherever_they_are_counted() {
        let since = Time::from_micros(1_700_000_000_123_456);
        let rules = LookTimes { quiet_since: since, settles_after: Duration::MAX };
        let all = looks(Duration::from_secs(3_600));
        for from in grid(since)..grid(since + Duration::from_secs(3_000)) {
            let next = all.iter().copied().find(|look| *look > from);
            assert_eq!(rules.after(from), next, "after {from}");
        }
    }

    #[test]
    fn a_settled_network_is_not_looked_at() {
        let since = Time::from_micros(0);
        let looks = LookTimes { quiet_since: since, settles_after: Duration::from_secs(10) };
        assert_eq!(looks.after(19), Some(20));
        assert_eq!(looks.after(20), None);
    }

    #[test]
    fn the_end_of_time_has_no_look_after_it() {
        let looks = LookTimes { quiet_since: Time::from_micros(0), settles_after: Duration::MAX };
        assert_eq!(looks.after(u64::MAX), None);
    }
}
