//! Time as the core sees it: an argument, never a clock.
//!
//! A driver reads its clock and passes the value; the simulator passes whatever it likes.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in microseconds since the Unix epoch. A driver guarantees that it never goes back
/// within a session.
///
/// Holds one more than that, so that an `Option` of it takes no more room: a peer keeps dozens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Time(NonZeroU64);

impl Time {
    /// A moment from microseconds since the Unix epoch; at most `u64::MAX - 1` of them.
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros_since(earlier))
    }

    /// The same in microseconds: to compare these takes a fraction of the work.
    pub const fn micros_since(self, earlier: Self) -> u64 {
        self.as_micros().saturating_sub(earlier.as_micros())
    }

    /// What a clock shows now that is this many microseconds ahead, or behind if negative.
    #[must_use]
    pub const fn skewed(self, ahead_us: i64) -> Self {
        Self::from_micros(self.as_micros().saturating_add_signed(ahead_us))
    }

    /// The time of day on a clock that is `utc_offset_s` seconds ahead of UTC.
    pub fn clock(self, utc_offset_s: i32) -> ClockTime {
        let seconds = i64::try_from(self.as_micros() / 1_000_000).unwrap_or(i64::MAX);
        let local = seconds.saturating_add(i64::from(utc_offset_s));
        let of_day = local.rem_euclid(i64::from(ClockTime::SECONDS_OF_DAY));
        ClockTime(u32::try_from(of_day).unwrap_or(0))
    }
}

impl From<u64> for Time {
    fn from(micros: u64) -> Self {
        Self::from_micros(micros)
    }
}

impl From<Time> for u64 {
    fn from(time: Time) -> Self {
        time.as_micros()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.as_micros()).finish()
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self::from_micros(self.as_micros().saturating_sub(micros(span)))
    }
}

/// A span in microseconds.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A time of day in whole seconds, written `HH.MM.SS`, as in the classic dialect and the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockTime(u32);

impl ClockTime {
    const SECONDS_OF_DAY: u32 = 86_400;

    /// Length in bytes of its text, `HH.MM.SS`.
    pub const TEXT_LEN: usize = 8;

    /// A time of day, or `None` past the last second of the day.
    pub const fn from_seconds(of_day: u32) -> Option<Self> {
        if of_day < Self::SECONDS_OF_DAY { Some(Self(of_day)) } else { None }
    }

    /// Seconds since midnight.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// Parses `HH.MM.SS`; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let [h1, h2, b'.', m1, m2, b'.', s1, s2] = *text else { return None };
        let two = |tens: u8, ones: u8| {
            (tens.is_ascii_digit() && ones.is_ascii_digit())
                .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
        };
        let (hours, minutes, seconds) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        (hours < 24 && minutes < 60 && seconds < 60).then_some(Self(hours * 3600 + minutes * 60 + seconds))
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}.{:02}.{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_reads_back_as_it_is_written() {
        let time = ClockTime::parse(b"03.05.31").unwrap();
        assert_eq!(time.to_string(), "03.05.31");
        assert_eq!(time.seconds(), 3 * 3600 + 5 * 60 + 31);
        for bad in [&b"24.00.00"[..], b"3.05.31", b"03:05:31", b"03.60.00", b"03.05.3x"] {
            assert_eq!(ClockTime::parse(bad), None);
        }
    }

    #[test]
    fn a_moment_that_may_be_missing_takes_no_more_room() {
        assert_eq!(size_of::<Option<Time>>(), size_of::<Time>());
        for micros in [0, 1, 1_767_225_600_000_000, u64::MAX - 1] {
            let time = Time::from_micros(micros);
            assert_eq!((time.as_micros(), format!("{time:?}")), (micros, format!("Time({micros})")));
            assert_eq!(serde_json::to_string(&time).unwrap(), micros.to_string());
            assert_eq!(serde_json::from_str::<Time>(&micros.to_string()).unwrap(), time);
        }
        assert_eq!(Time::from_micros(u64::MAX), Time::from_micros(u64::MAX - 1));
    }

    #[test]
    fn the_clock_follows_the_offset_across_midnight() {
        let noon_utc = Time::from_micros(12 * 3600 * 1_000_000);
        assert_eq!(noon_utc.clock(0).to_string(), "12.00.00");
        assert_eq!(noon_utc.clock(5 * 3600 + 1800).to_string(), "17.30.00");
        assert_eq!(noon_utc.clock(-13 * 3600).to_string(), "23.00.00");
    }
}
