//! A moment of a session, as a person writes it: `03:12`, `03:12:07.250`, `2026-11-22 03:12`, `+90s`,
//! `-10s`.
//!
//! A clock time is one of the session's own zone. In a session of several days it is the first of that
//! name, unless a date stands before it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::words::clock_text;
use crate::proto::time::Time;

const EXPECTED: &str = "expected a time such as 03:12, 03:12:07.250, 2026-11-22 03:12, +90s or -10s";

/// A moment as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenMoment {
    /// What a clock of the session showed.
    Clock {
        day: Option<NaiveDate>,
        time: NaiveTime,
        /// How long that clock shows the same, written so: a minute for `03:12`.
        within: Duration,
    },
    Later(Duration),
    Earlier(Duration),
}

/// What `+90s` and `-10s` count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The beginning of the session, and its end.
    Ends,
    /// The moment that is shown.
    Shown(Time),
}

/// When a session happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSpan {
    pub first: Time,
    pub last: Time,
    /// Seconds that its clock was ahead of UTC.
    pub utc_offset_s: i32,
}

/// The text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no time: {EXPECTED}")]
pub struct NoMoment(pub String);

/// The time is not in the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{written} is not in this session, which lasted from {from} to {to}")]
pub struct NotThen {
    pub written: WrittenMoment,
    pub from: String,
    pub to: String,
}

impl FromStr for WrittenMoment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let text = text.trim();
        let span = |span: &str| humantime::parse_duration(span).ok();
        let read = match text.as_bytes().first() {
            Some(b'+') => span(&text[1..]).map(Self::Later),
            Some(b'-') => span(&text[1..]).map(Self::Earlier),
            Some(_) | None => clock(text),
        };
        read.ok_or_else(|| NoMoment(text.to_owned()))
    }
}

fn clock(text: &str) -> Option<WrittenMoment> {
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (Some(day.parse().ok()?), time.trim_start()),
        None => (None, text),
    };
    let (format, within) = match time.split_once('.') {
        Some((_, digits)) => ("%H:%M:%S%.f", Duration::from_micros(10_u64.pow(6_u32.checked_sub(len(digits)?)?))),
        None if time.matches(':').count() == 1 => ("%H:%M", Duration::from_secs(60)),
        None => ("%H:%M:%S", Duration::from_secs(1)),
    };
    let time = NaiveTime::parse_from_str(time, format).ok()?;
    Some(WrittenMoment::Clock { day, time, within })
}

fn len(digits: &str) -> Option<u32> {
    u32::try_from(digits.len()).ok().filter(|len| *len > 0)
}

impl WrittenMoment {
    /// The moment that is meant: of a clock time without seconds the first in that minute that the
    /// session has.
    pub fn resolve(self, session: SessionSpan, anchor: Anchor) -> Result<Time, NotThen> {
        let SessionSpan { first, last, .. } = session;
        let found = match (self, anchor) {
            (Self::Clock { day, time, within }, _) => session.find_clock(day, time, within),
            (Self::Later(span), Anchor::Ends) => Some(first + span),
            (Self::Earlier(span), Anchor::Ends) => Some(last - span),
            // From what is shown one may step as far as there is something.
            (Self::Later(span), Anchor::Shown(shown)) => return Ok((shown + span).clamp(first, last)),
            (Self::Earlier(span), Anchor::Shown(shown)) => return Ok((shown - span).clamp(first, last)),
        };
        found.filter(|at| (first..=last).contains(at)).ok_or_else(|| self.not_in(session))
    }

    fn not_in(self, session: SessionSpan) -> NotThen {
        NotThen { written: self, from: session.text_of(session.first), to: session.text_of(session.last) }
    }
}

impl SessionSpan {
    /// A moment of the session in words: with its date if the session has several.
    pub fn text_of(&self, at: Time) -> String {
        let clock = clock_text(at, self.utc_offset_s);
        if self.day_of(self.first) == self.day_of(self.last) {
            return clock;
        }
        self.day_of(at).map_or_else(|| clock.clone(), |day| format!("{day} {clock}"))
    }

    fn local(&self, at: Time) -> Option<NaiveDateTime> {
        let utc = chrono::DateTime::from_timestamp_micros(i64::try_from(at.as_micros()).ok()?)?;
        utc.naive_utc().checked_add_signed(TimeDelta::seconds(i64::from(self.utc_offset_s)))
    }

    fn day_of(&self, at: Time) -> Option<NaiveDate> {
        self.local(at).map(|local| local.date())
    }

    fn at(&self, local: NaiveDateTime) -> Option<Time> {
        let micros = local.and_utc().timestamp_micros().checked_sub(i64::from(self.utc_offset_s) * 1_000_000)?;
        u64::try_from(micros).ok().map(Time::from_micros)
    }

    fn find_clock(&self, day: Option<NaiveDate>, time: NaiveTime, within: Duration) -> Option<Time> {
        let begin = |day: NaiveDate| self.at(day.and_time(time));
        let reaches = |at: &Time| *at <= self.last && *at + within > self.first;
        let found = match day {
            Some(day) => begin(day).filter(reaches),
            // The first, or the second if that is over before the session begins.
            None => self.day_of(self.first)?.iter_days().take(2).filter_map(begin).find(reaches),
        };
        found.map(|at| at.max(self.first))
    }
}

impl fmt::Display for WrittenMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock { day, time, within } => {
                if let Some(day) = day {
                    write!(f, "{day} ")?;
                }
                let format = match *within {
                    minute if minute >= Duration::from_secs(60) => "%H:%M",
                    second if second >= Duration::from_secs(1) => "%H:%M:%S",
                    _ => "%H:%M:%S%.3f",
                };
                write!(f, "{}", time.format(format))
            }
            Self::Later(span) => write!(f, "+{}", humantime::format_duration(*span)),
            Self::Earlier(span) => write!(f, "-{}", humantime::format_duration(*span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 23:50:00.5 on the first day to 01:00 on the next, in a zone an hour ahead of UTC.
    fn night() -> SessionSpan {
        let micros = |hours: u64, minutes: u64| (hours * 60 + minutes) * 60 * 1_000_000;
        SessionSpan {
            first: Time::from_micros(micros(22, 50) + 500_000),
            last: Time::from_micros(micros(24, 0)),
            utc_offset_s: 3_600,
        }
    }

    fn told(written: &str, anchor: Anchor) -> String {
        let moment: WrittenMoment = written.parse().unwrap();
        match moment.resolve(night(), anchor) {
            Ok(at) => night().text_of(at),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_clock_time_is_the_first_of_that_name_in_the_session() {
        assert_eq!(told("23:55", Anchor::Ends), "1970-01-01 23:55:00.000");
        assert_eq!(told("00:10:07.25", Anchor::Ends), "1970-01-02 00:10:07.250");
        assert_eq!(told("1970-01-02 00:30", Anchor::Ends), "1970-01-02 00:30:00.000");
        assert_eq!(told("1970-01-02T00:30:01", Anchor::Ends), "1970-01-02 00:30:01.000");
    }

    #[test]
    fn a_minute_that_began_before_the_session_is_its_beginning() {
        assert_eq!(told("23:50", Anchor::Ends), "1970-01-01 23:50:00.500");
        let bounds = "which lasted from 1970-01-01 23:50:00.500 to 1970-01-02 01:00:00.000";
        assert_eq!(told("23:49", Anchor::Ends), format!("23:49 is not in this session, {bounds}"));
        assert_eq!(told("23:50:00", Anchor::Ends), "1970-01-01 23:50:00.500");
        assert_eq!(told("23:50:00.100", Anchor::Ends), format!("23:50:00.100 is not in this session, {bounds}"));
    }

    #[test]
    fn spans_count_from_the_ends_or_from_what_is_shown() {
        assert_eq!(told("+90s", Anchor::Ends), "1970-01-01 23:51:30.500");
        assert_eq!(told("-10s", Anchor::Ends), "1970-01-02 00:59:50.000");
        assert!(told("+3h", Anchor::Ends).starts_with("+3h is not in this session"));
        let shown = Anchor::Shown(night().last - Duration::from_secs(5));
        assert_eq!(told("-10s", shown), "1970-01-02 00:59:45.000");
        assert_eq!(told("+10s", shown), "1970-01-02 01:00:00.000");
    }

    #[test]
    fn what_is_no_time_is_said_to_be_none() {
        for text in
            ["", "soon", "3", "25:00", "03:61", "03:12:07.", "03:12:07.1234567", "+", "+x", "--5s", "1970-13-01 03:12"]
        {
            let error = text.parse::<WrittenMoment>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("'{text}' is no time: expected")), "{error}");
        }
    }
}
