//! Times and spans in words.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::rumor::Rumor;
use crate::proto::time::Time;

/// `03:13:02.418`: the time of day on a clock that is `utc_offset_s` seconds ahead of UTC.
pub fn clock_text(at: Time, utc_offset_s: i32) -> String {
    let mut text = String::with_capacity("HH:MM:SS.mmm".len());
    let seconds = at.clock(utc_offset_s).seconds();
    let millis = at.as_micros() / 1_000 % 1_000;
    let _ = write!(text, "{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    text
}

/// `03:13:02`: as [`clock_text`], for tight places.
pub fn second_text(at: Time, utc_offset_s: i32) -> String {
    let mut text = clock_text(at, utc_offset_s);
    text.truncate("HH:MM:SS".len());
    text
}

/// `13 s`, `4.1 s`, `250 ms`, `840 us`, `2 min`, `3 h`: a span in a few digits, rounded down.
pub fn span_text(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{micros} us"),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..10_000_000 if micros.is_multiple_of(1_000_000) => format!("{} s", micros / 1_000_000),
        1_000_000..10_000_000 => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
        10_000_000..120_000_000 => format!("{} s", micros / 1_000_000),
        120_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        _ => format!("{} h", micros / 3_600_000_000),
    }
}

/// `1 probe`, `3 probes`.
pub fn count_text(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// `2 hops`; `~2 hops` if copies came over nodes elsewhere; `None` if no hop of theirs is known.
pub fn hops_text(rumor: &Rumor) -> Option<String> {
    let hops = count_text(u64::from(rumor.hop_max), "hop");
    match (rumor.is_hop_uncertain, rumor.hop_max) {
        (false, _) => Some(hops),
        (true, 1..) => Some(format!("~{hops}")),
        (true, 0) => None,
    }
}

/// `p1`, `p1 and p4`, `p1, p4 and p7`; at most `most` of them, then `p1, p4 and 5 more`.
pub fn list_text<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown = if names.len() > most { most.saturating_sub(1).max(1) } else { names.len() };
    let mut parts: Vec<String> = names.iter().take(shown).map(|name| name.as_ref().to_owned()).collect();
    if names.len() > shown {
        parts.push(format!("{} more", names.len() - shown));
    }
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// A size in bytes, in the largest unit that divides it: `500MB`, `1GiB`.
pub fn size_text(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const UNITS: [(u64, &str); 6] = [
        (KIB * KIB * KIB, "GiB"),
        (1_000_000_000, "GB"),
        (KIB * KIB, "MiB"),
        (1_000_000, "MB"),
        (KIB, "KiB"),
        (1_000, "kB"),
    ];
    match UNITS.iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_read_as_people_write_them() {
        let at = Time::from_micros(((3 * 3600 + 13 * 60 + 2) * 1_000 + 418) * 1_000 + 9);
        assert_eq!(clock_text(at, 0), "03:13:02.418");
        assert_eq!(clock_text(at, -4 * 3600), "23:13:02.418");
        assert_eq!(second_text(at, 0), "03:13:02");
        for (micros, text) in [
            (840, "840 us"),
            (5_250, "5.2 ms"),
            (250_000, "250 ms"),
            (4_100_000, "4.1 s"),
            (2_000_000, "2 s"),
            (13_000_000, "13 s"),
            (119_000_000, "119 s"),
            (150_000_000, "2 min"),
            (3 * 3_600_000_000, "3 h"),
        ] {
            assert_eq!(span_text(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn a_list_of_names_reads_as_a_sentence_does() {
        let none: [&str; 0] = [];
        assert_eq!(list_text(&none, 3), "");
        assert_eq!(list_text(&["p1"], 3), "p1");
        assert_eq!(list_text(&["p1", "p4"], 3), "p1 and p4");
        assert_eq!(list_text(&["p1", "p4", "p7"], 3), "p1, p4 and p7");
        assert_eq!(list_text(&["p1", "p4", "p7", "p8", "p9"], 3), "p1, p4 and 3 more");
    }
}
