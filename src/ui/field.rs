//! A line of text that the user types.

use crossterm::event::Event;
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};

use super::decode::Paste;
use super::keys::Key;
use super::text;

/// Bytes that a field takes: more than any address, path or command needs.
const LEN_MAX: usize = 4_096;

/// A line of text with a cursor.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextField {
    input: Input,
    /// Bytes that did not fit since the last other edit.
    left_out: usize,
}

impl TextField {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), left_out: 0 }
    }

    pub(crate) fn text(&self) -> &str {
        self.input.value()
    }

    /// Handles a key in a line of text.
    pub(crate) fn press(&mut self, key: Key) {
        if let Some(request) = to_input_request(&Event::Key(key.into())) {
            if !matches!(request, InputRequest::InsertChar(_)) {
                self.left_out = 0;
            }
            self.ask(request);
        }
    }

    /// Inserts text at the cursor, as one line.
    pub(crate) fn paste(&mut self, paste: &Paste) {
        self.left_out = 0;
        for letter in one_line(&paste.text).chars() {
            self.ask(InputRequest::InsertChar(letter));
        }
        self.left_out += paste.len.saturating_sub(paste.text.len());
    }

    /// What did not fit, if anything: `full: 4,096 of 5,003 bytes`.
    pub(crate) fn overflow(&self) -> Option<String> {
        let len = self.text().len();
        let [held, all] = [len, len + self.left_out].map(|bytes| text::grouped(bytes, ','));
        (self.left_out > 0).then(|| format!("full: {held} of {all} bytes"))
    }

    fn ask(&mut self, request: InputRequest) {
        match request {
            // Typing stops at the first letter that does not fit: a later, smaller one would stand
            // in its place.
            InputRequest::InsertChar(letter)
                if self.left_out > 0 || self.text().len() + letter.len_utf8() > LEN_MAX =>
            {
                self.left_out += letter.len_utf8();
            }
            request => drop(self.input.handle(request)),
        }
    }

    /// The part of the text that fits into `columns` and contains the cursor, and the cursor's
    /// column.
    pub(crate) fn window(&self, columns: usize) -> (String, usize) {
        // The cursor needs a column of its own behind the last character.
        let skip = self.input.visual_scroll(columns.saturating_sub(1));
        let mut passed = 0;
        let mut shown = String::new();
        for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(self.text(), true) {
            let wide = text::width(grapheme);
            if passed >= skip && passed + wide <= skip + columns {
                shown.push_str(grapheme);
            }
            passed += wide;
        }
        (shown, self.input.visual_cursor().saturating_sub(skip))
    }
}

/// Lines are joined with a space; other control characters are left out.
fn one_line(text: &str) -> String {
    let words = text.split(['\r', '\n', '\t']).filter(|line| !line.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(text: &str) -> TextField {
        let mut field = TextField::default();
        field.paste(&Paste { text: text.to_owned(), len: text.len() });
        field
    }

    #[test]
    fn the_cursor_stays_in_view_of_a_long_text() {
        let field = TextField::new("abcdefghij");
        assert_eq!(field.window(20), ("abcdefghij".to_owned(), 10));
        assert_eq!(field.window(5), ("ghij".to_owned(), 4));
    }

    #[test]
    fn a_paste_brings_no_control_characters_and_is_one_line() {
        assert_eq!(pasted("a\x1b[31mb").text(), "a[31mb");
        assert_eq!(pasted("first line\r\nsecond\tline\n\nthird\n").text(), "first line second line third");
    }

    #[test]
    fn a_field_that_is_full_says_how_much_of_a_paste_it_holds() {
        let mut field = pasted(&"x".repeat(5_003));
        assert_eq!((field.text().len(), field.overflow().as_deref()), (4_096, Some("full: 4,096 of 5,003 bytes")));
        field.press("left".parse().unwrap());
        assert_eq!(field.overflow(), None);
        field.press("y".parse().unwrap());
        assert_eq!(field.overflow().as_deref(), Some("full: 4,096 of 4,097 bytes"));
        let wide = pasted(&"\u{4f60}".repeat(2_000));
        assert_eq!(wide.overflow().as_deref(), Some("full: 4,095 of 6,000 bytes"), "no character is cut");
        let mut long = TextField::default();
        long.paste(&Paste { text: "x".repeat(65_536), len: 1_000_000 });
        assert_eq!(long.overflow().as_deref(), Some("full: 4,096 of 1,000,000 bytes"));
        assert_eq!(pasted(&"x".repeat(4_096)).overflow(), None);
    }
}
