//! Times in files, and the lines of log files: see [`crate::model::words`].

pub use crate::model::words::log_line;
use crate::proto::time::Time;

/// `2026-11-22 03:13:02.418`: day and time on a clock `utc_offset_s` seconds ahead of UTC.
pub fn stamp(at: Time, utc_offset_s: i32) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX).saturating_add(i64::from(utc_offset_s) * 1_000_000);
    match chrono::DateTime::from_timestamp_micros(micros) {
        Some(local) => local.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => format!("{} us", at.as_micros()),
    }
}

/// `2026-11-22T03:13:02.418123+05:30`: the same with its offset, for programs.
pub fn iso_stamp(at: Time, utc_offset_s: i32) -> String {
    let utc = chrono::DateTime::from_timestamp_micros(i64::try_from(at.as_micros()).unwrap_or(i64::MAX));
    match utc.zip(chrono::FixedOffset::east_opt(utc_offset_s)) {
        Some((utc, offset)) => utc.with_timezone(&offset).to_rfc3339_opts(chrono::SecondsFormat::Micros, false),
        None => at.as_micros().to_string(),
    }
}

#[cfg(test)]
mod tests;
