//! The times of a scenario: spans since its start.

use std::time::Duration;

use crate::command::grammar::split;

/// The longest time in a scenario: a day.
const SPAN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// When a line happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// This long after the start: `5s`.
    At(Duration),
    /// This long after the line before: `+2s`.
    After(Duration),
    /// Together with the line before.
    Together,
}

/// Splits a line into its time and the rest.
pub(super) fn split_time(line: &str) -> Result<(When, &str), String> {
    let (first, rest) = split(line);
    match first.strip_prefix('+') {
        Some(span) => Ok((When::After(span_of(span)?), rest)),
        // No command begins like this; a negative time is an error.
        None if first.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) => {
            Ok((When::At(span_of(first)?), rest))
        }
        None => Ok((When::Together, line)),
    }
}

/// A span such as `500ms`, `13s` or `1m30s`, in one word.
pub(super) fn span_of(word: &str) -> Result<Duration, String> {
    let expected = || format!("'{word}' is no time: expected a number with a unit, such as 500ms, 13s or 1m30s");
    match humantime::parse_duration(word) {
        Ok(span) if span <= SPAN_MAX => Ok(span),
        Ok(_) => Err(format!("{word} is too long: expected at most a day")),
        Err(_) => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stands_in_front_or_not_at_all() {
        let five = Duration::from_secs(5);
        assert_eq!(split_time("5s kill p3"), Ok((When::At(five), "kill p3")));
        assert_eq!(split_time("+5s  kill  p3"), Ok((When::After(five), "kill  p3")));
        assert_eq!(split_time("kill p3"), Ok((When::Together, "kill p3")));
        assert!(split_time("5 kill p3").unwrap_err().starts_with("'5' is no time"));
        assert!(split_time("+soon kill p3").unwrap_err().starts_with("'soon' is no time"));
        assert!(split_time("2days kill p3").unwrap_err().starts_with("2days is too long"));
    }

    #[test]
    fn a_span_reads_back_as_it_is_written() {
        for millis in [0, 1, 500, 13_000, 90_000, 3_600_500] {
            let span = Duration::from_millis(millis);
            assert_eq!(span_of(&crate::proto::fault::span_word(span)), Ok(span));
        }
    }
}
