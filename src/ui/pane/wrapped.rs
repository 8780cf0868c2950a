//! Lines of sentences: while there are free rows below, a long one continues in the next row
//! instead of being cut.
//!
//! ```text
//! 03:00:41 ! p8#3 did not reach p1, p2, p3 and 2 more, and 11 more of
//!            the last 20 messages did not reach everybody
//! 03:00:44 ! p4 has no live neighbor
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Focus, Parts, fit, mark, plain_text};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// A line: what stands before its sentence, and the sentence.
pub(super) struct Sentence {
    pub(super) head: Parts,
    pub(super) tail: Parts,
}

impl Sentence {
    /// All of it.
    pub(super) fn parts(mut self) -> Parts {
        self.head.append(&mut self.tail);
        self.head
    }

    /// All of it, in as many rows as needed, indented under the sentence.
    fn wrapped(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let indent = text::width(&plain_text(&self.head));
        let tone = self.tail.first().map_or(Tone::Plain, |(tone, _)| *tone);
        let sentence = text::plain(plain_text(&self.tail), view.theme.glyphs);
        let rows = text::wrap(&sentence, columns.saturating_sub(indent).max(1)).into_iter().enumerate();
        let line = |(row, text): (usize, String)| {
            let mut head = if row == 0 { self.head.clone() } else { vec![(Tone::Plain, " ".repeat(indent))] };
            head.push((tone, text));
            fit(&head, columns, view)
        };
        rows.map(line).collect()
    }

    /// All of it in one row, or as much as fits.
    fn cut(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        vec![fit(&[self.head.as_slice(), self.tail.as_slice()].concat(), columns, view)]
    }
}

/// Draws these; returns the line in each row.
pub(super) fn render(
    sentences: &[Sentence],
    selected: Option<usize>,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    focus: Focus,
) -> Vec<usize> {
    let columns = usize::from(area.width);
    let mut free = usize::from(area.height).saturating_sub(sentences.len());
    let (mut lines, mut shown) = (Vec::new(), Vec::new());
    for (number, sentence) in sentences.iter().enumerate() {
        let whole = sentence.wrapped(columns, view);
        let rows = if whole.len() <= free + 1 { whole } else { sentence.cut(columns, view) };
        free -= rows.len() - 1;
        shown.resize(shown.len() + rows.len(), number);
        lines
            .extend(rows.into_iter().map(|row| if selected == Some(number) { mark(row, columns, focus) } else { row }));
    }
    frame.render_widget(Paragraph::new(lines), area);
    shown
}
