//! A line of text that the user types.

use crossterm::event::Event;
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};

use super::keys::Key;

/// Characters that a field takes: more than any address, path or command needs.
const CHARS_MAX: usize = 4_096;

/// A line of text with a cursor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field(Input);

impl Field {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Input::new(text.into()))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.value()
    }

    /// Lets a key do what it does in a line of text.
    pub(crate) fn press(&mut self, key: Key) {
        if let Some(request) = to_input_request(&Event::Key(key.into())) {
            self.ask(request);
        }
    }

    /// Takes text in at the cursor; control characters of a paste are left out.
    pub(crate) fn paste(&mut self, text: &str) {
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            self.ask(InputRequest::InsertChar(letter));
        }
    }

    fn ask(&mut self, request: InputRequest) {
        let full = self.0.value().len() >= CHARS_MAX;
        if !(full && matches!(request, InputRequest::InsertChar(_))) {
            self.0.handle(request);
        }
    }

    /// The part of the text that fits into `columns` and holds the cursor, and the cursor's column.
    pub(crate) fn window(&self, columns: usize) -> (String, usize) {
        // The cursor needs a column of its own behind the last character.
        let skip = self.0.visual_scroll(columns.saturating_sub(1));
        let mut passed = 0;
        let mut shown = String::new();
        for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(self.text(), true) {
            let wide = super::text::width(grapheme);
            if passed >= skip && passed + wide <= skip + columns {
                shown.push_str(grapheme);
            }
            passed += wide;
        }
        (shown, self.0.visual_cursor().saturating_sub(skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_view_of_a_long_text() {
        let field = Field::new("abcdefghij");
        assert_eq!(field.window(20), ("abcdefghij".to_owned(), 10));
        assert_eq!(field.window(5), ("ghij".to_owned(), 4));
    }

    #[test]
    fn a_paste_brings_no_control_characters() {
        let mut field = Field::default();
        field.paste("a\x1b[31m\nb");
        assert_eq!(field.text(), "a[31mb");
    }
}
