//! Text that fits: widths are columns of the terminal, cuts fall between graphemes.

use std::borrow::Cow;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::options::Glyphs;
use crate::model::span_text;

/// Columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns`, with a sign at the end if something was left out.
pub(crate) fn truncate(text: &str, columns: usize, glyphs: Glyphs) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let sign = ellipsis(glyphs);
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let next = used + width(grapheme);
        if next > room {
            break;
        }
        kept.push_str(grapheme);
        used = next;
    }
    kept.push(sign);
    Cow::Owned(kept)
}

const fn ellipsis(glyphs: Glyphs) -> char {
    match glyphs {
        Glyphs::Unicode => '…',
        Glyphs::Ascii => '~',
    }
}

/// `text` in exactly `columns`: cut or filled with spaces on the right.
pub(crate) fn left(text: &str, columns: usize, glyphs: Glyphs) -> String {
    let cut = truncate(text, columns, glyphs);
    let fill = columns.saturating_sub(width(&cut));
    format!("{cut}{:fill$}", "")
}

/// `text` broken into lines of at most `columns`, at spaces where there are any.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut wrapped = Wrapped { lines: vec![String::new()], used: 0, columns: columns.max(1) };
    for word in text.split_inclusive(' ') {
        if wrapped.used > 0 && wrapped.used + width(word.trim_end()) > columns {
            wrapped.begin_line();
        }
        wrapped.push_word(word);
    }
    for line in &mut wrapped.lines {
        line.truncate(line.trim_end().len());
    }
    wrapped.lines
}

/// Lines of a text that is being wrapped.
struct Wrapped {
    lines: Vec<String>,
    /// Columns of the last line that are taken.
    used: usize,
    columns: usize,
}

impl Wrapped {
    fn begin_line(&mut self) {
        self.lines.push(String::new());
        self.used = 0;
    }

    /// A word that is longer than a line is broken anywhere.
    fn push_word(&mut self, word: &str) {
        let columns = width(word);
        if self.used + columns <= self.columns {
            return self.push(word, columns);
        }
        for grapheme in word.graphemes(true) {
            let columns = width(grapheme);
            if self.used + columns > self.columns && grapheme != " " {
                self.begin_line();
            }
            self.push(grapheme, columns);
        }
    }

    fn push(&mut self, text: &str, columns: usize) {
        if let Some(line) = self.lines.last_mut() {
            line.push_str(text);
            self.used += columns;
        }
    }
}

/// What `--ascii` shows of text that is not ASCII: the escape of each such character.
pub(crate) fn plain(text: String, glyphs: Glyphs) -> String {
    match glyphs {
        Glyphs::Ascii if !text.is_ascii() => text
            .chars()
            .map(|c| if c.is_ascii() { Cow::Owned(c.to_string()) } else { Cow::Owned(c.escape_unicode().to_string()) })
            .collect(),
        Glyphs::Ascii | Glyphs::Unicode => text,
    }
}

/// `00:03:13`: how long the session has lasted.
pub(crate) fn uptime(span: Duration) -> String {
    let seconds = span.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `85us`, `4.1ms`, `12ms`, `1.2s`: a round-trip time.
pub(crate) fn rtt(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros}us"),
        1_000..10_000 => format!("{}.{}ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{}ms", micros / 1_000),
        1_000_000.. => format!("{}.{}s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

/// The same for figures that come anew all the time, where less than a tenth of a millisecond only
/// flickers: `0.7ms`.
pub(crate) fn rtt_coarse(micros: u64) -> String {
    if (100..1_000).contains(&micros) { format!("0.{}ms", micros / 100) } else { rtt(micros) }
}

/// `1 284`: a count with separated thousands.
pub(crate) fn count(number: usize) -> String {
    grouped(number, ' ')
}

/// A number with this sign between its thousands.
pub(crate) fn grouped(number: usize, sign: char) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(sign);
        }
        grouped.push(digit);
    }
    grouped
}

/// In whole minutes, or seconds.
pub(crate) fn rough_text(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds if seconds < 3_600 => format!("{} min", seconds / 60),
        seconds => span_text(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_wide_character_or_a_cluster() {
        assert_eq!(truncate("你好吗", 4, Glyphs::Unicode), "你…");
        assert_eq!(width(&left("你好吗", 4, Glyphs::Unicode)), 4);
        assert_eq!(truncate("👩‍👩‍👧x👩‍👩‍👧", 4, Glyphs::Unicode), "👩‍👩‍👧x…");
        assert_eq!(truncate("abc", 2, Glyphs::Ascii), "a~");
        assert_eq!(truncate("abc", 0, Glyphs::Ascii), "");
        assert_eq!(truncate("abc", 3, Glyphs::Ascii), "abc");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_break_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn times_are_short_and_say_their_unit() {
        assert_eq!(uptime(Duration::from_secs(193)), "00:03:13");
        assert_eq!([rtt_coarse(85), rtt_coarse(799), rtt_coarse(4_150)], ["85us", "0.7ms", "4.1ms"]);
        assert_eq!([rtt(85), rtt(4_150), rtt(12_000), rtt(1_250_000)], ["85us", "4.1ms", "12ms", "1.2s"]);
        assert_eq!([count(12), count(1_284), count(1_000_000)], ["12", "1 284", "1 000 000"]);
    }

    #[test]
    fn ascii_shows_other_characters_as_escapes() {
        assert_eq!(plain("né".to_owned(), Glyphs::Ascii), "n\\u{e9}");
        assert_eq!(plain("né".to_owned(), Glyphs::Unicode), "né");
    }
}
