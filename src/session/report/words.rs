//! Times and spans as the report writes them.

use std::time::Duration;

use crate::model::words::{clock_text, span_text};
use crate::proto::time::Time;

/// `03:12:07.3`: a tenth of a second is as exact as the overlay is watched.
pub(super) fn moment(at: Time, utc_offset_s: i32) -> String {
    let mut text = clock_text(at, utc_offset_s);
    text.truncate("HH:MM:SS.m".len());
    text
}

/// `2 min 55 s`, `1 h 20 min`: as `span_text`, which is enough below two minutes.
pub(super) fn exact_span(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..120 => span_text(span),
        120..3_600 if s.is_multiple_of(60) => format!("{} min", s / 60),
        120..3_600 => format!("{} min {} s", s / 60, s % 60),
        _ if s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        _ => format!("{} h {} min", s / 3_600, s / 60 % 60),
    }
}

/// `98.7%`, rounded down, so that only all are 100%.
pub(super) fn share_text(have: u64, of: u64) -> String {
    let tenths = u128::from(have) * 1_000 / u128::from(of.max(1));
    if tenths % 10 == 0 { format!("{}%", tenths / 10) } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}
