//! A line of a pane or a table: pieces of text, each with its tone.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text;
use super::theme::{Tone, selected};
use super::view::View;

/// Pieces of text, each with its tone.
pub(crate) type Parts = Vec<(Tone, String)>;

/// The pieces as one text, for filters and the clipboard.
pub(crate) fn plain_text(parts: &[(Tone, String)]) -> String {
    parts.iter().map(|(_, text)| text.as_str()).collect()
}

/// What a clause begins with. `:3000` begins with a colon, too, but is the name of a node.
const CLAUSES: [&str; 4] = [", ", ": ", "; ", " ("];

/// The pieces in at most `columns`. A clause (`, by p3`, ` (1/3)`) that does not fit is left out whole, with
/// everything after it: what matters comes first.
pub(crate) fn fit(parts: &[(Tone, String)], columns: usize, view: &View<'_>) -> Line<'static> {
    let mut room = columns;
    let mut spans = Vec::with_capacity(parts.len());
    for (tone, text) in parts {
        let text = text::plain(text.clone(), view.theme.glyphs);
        if CLAUSES.iter().any(|sign| text.starts_with(sign)) && text::width(&text) > room {
            break;
        }
        let cut = text::truncate(&text, room, view.theme.glyphs).into_owned();
        let is_cut = cut.len() < text.len();
        // Pieces side by side may be wider than each alone.
        room = if is_cut { 0 } else { room.saturating_sub(text::width(&cut)) };
        spans.push(Span::styled(cut, view.style(*tone)));
        if room == 0 {
            break;
        }
    }
    Line::from(spans)
}

/// Marks a selected line: reversed in its whole width, and in one color.
pub(crate) fn mark(line: &mut Line<'static>, columns: usize) {
    let fill = columns.saturating_sub(line.width());
    line.spans.push(Span::raw(" ".repeat(fill)));
    for span in &mut line.spans {
        span.style = selected(Style::new());
    }
}

/// A line with a sentence at its end, which may continue in further rows:
///
/// ```text
/// 03:00:41 ! p8#3 did not reach p1, p2, p3 and 2 more, and 11 more of
///            the last 20 messages did not reach everybody
/// ```
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    /// What stands before the sentence, or the whole line if it is never continued.
    pub(crate) head: Parts,
    pub(crate) tail: Parts,
}

impl From<Parts> for Sentence {
    fn from(head: Parts) -> Self {
        Self { head, tail: Parts::new() }
    }
}

impl Sentence {
    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        plain_text(&self.head) + &plain_text(&self.tail)
    }

    /// In at most `rows` rows, indented under the sentence; in one row, cut, if those are too few.
    pub(crate) fn lines(&self, columns: usize, rows: usize, view: &View<'_>) -> Vec<Line<'static>> {
        if let Some((tone, _)) = self.tail.first() {
            let whole = self.wrapped(*tone, columns, view);
            if whole.len() <= rows {
                return whole;
            }
        }
        vec![fit(&[self.head.as_slice(), self.tail.as_slice()].concat(), columns, view)]
    }

    fn wrapped(&self, tone: Tone, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let indent = text::width(&plain_text(&self.head));
        let sentence = text::plain(plain_text(&self.tail), view.theme.glyphs);
        let rows = text::wrap(&sentence, columns.saturating_sub(indent).max(1)).into_iter().enumerate();
        let line = |(row, text): (usize, String)| {
            let mut head = if row == 0 { self.head.clone() } else { vec![(Tone::Plain, " ".repeat(indent))] };
            head.push((tone, text));
            fit(&head, columns, view)
        };
        rows.map(line).collect()
    }
}
