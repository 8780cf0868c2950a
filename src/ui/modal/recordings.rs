//! The list of recorded sessions, newest first: when, what, how long, and how it ended.
//!
//! ```text
//! + Open a recording 1 of 14 -----------------------------------+
//! | > 2026-11-28 12:27  lab of 2 seeds, 8 peers  13 min  left   |
//! |     10 nodes, 412 messages, 1 death, 1.2 MB                 |
//! |   2026-11-28 12:02  peer 127.0.0.1:3000      40 s    cut off|
//! |   another file                                              |
//! |                                                             |
//! | Up Down choose   Enter open   Esc back                      |
//! +-------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::path::open;
use super::{ChosenItem, Modal, Reply, action, columns, framed, key_line};
use crate::ui::action::{Action, Move};
use crate::ui::host::{RecordingRow, ToHost};
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 100;
/// Lines beside those of the list: the frame, what the chosen one holds, a blank line and the keys.
const LINES_AROUND: u16 = 5;

pub(crate) struct Recordings {
    rows: Vec<RecordingRow>,
    /// The one after the last recording is another file.
    items: ChosenItem,
}

/// The list, or the question for a file if nothing was recorded.
pub(crate) fn recordings(rows: Vec<RecordingRow>) -> Box<dyn Modal> {
    if rows.is_empty() {
        return Box::new(open());
    }
    Box::new(Recordings { items: ChosenItem::of(rows.len() + 1), rows })
}

impl Recordings {
    fn lines(&self, columns: usize, height: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let width = |cell: fn(&RecordingRow) -> &str| self.rows.iter().map(|row| text::width(cell(row))).max();
        let widths =
            [width(|row| &row.when), width(|row| &row.what), width(|row| &row.lasted)].map(Option::unwrap_or_default);
        let mut lines = Vec::new();
        for index in (self.items.first_shown(height)..=self.rows.len()).take(height) {
            let row = self.rows.get(index);
            let told = row.map_or_else(|| "another file".to_owned(), |row| told(row, widths, view));
            let told = text::truncate(&told, columns.saturating_sub(2), view.theme.glyphs).into_owned();
            lines.push(self.items.line(index, &told, columns, view));
            if index != self.items.chosen {
                continue;
            }
            lines.extend(row.map(|row| {
                let holds = format!("    {}", row.holds);
                Line::from(view.span(Tone::Stale, text::truncate(&holds, columns, view.theme.glyphs).into_owned()))
            }));
        }
        lines
    }
}

fn told(row: &RecordingRow, [when, what, lasted]: [usize; 3], view: &View<'_>) -> String {
    let cell = |text: &str, columns| text::left(text, columns, view.theme.glyphs);
    let cells = [cell(&row.when, when), cell(&row.what, what), cell(&row.lasted, lasted), row.ended.clone()];
    cells.join("  ")
}

impl Modal for Recordings {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut None, keys) {
            Some(Action::Details | Action::Move(Move::Right)) => match self.rows.get(self.items.chosen) {
                Some(row) => Reply::Done(vec![ToHost::OpenRecording(row.path.clone())]),
                None => Reply::Open(Box::new(open())),
            },
            Some(Action::Back | Action::Quit) => Reply::Close,
            Some(action) => {
                self.items.press(action);
                Reply::Stay
            }
            None => Reply::Stay,
        }
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let mut lines = self.lines(columns, usize::from(area.height.saturating_sub(LINES_AROUND)), view);
        let key = |action| view.keys.key_of(action);
        let keys = [("Up Down".to_owned(), "choose"), (key(Action::Details), "open"), (key(Action::Back), "back")];
        lines.extend([Line::default(), key_line(keys, view)]);
        let chosen = (self.items.chosen + 1).min(self.rows.len());
        let title = format!("Open a recording {chosen} of {}", self.rows.len());
        let inside = framed(&title, (columns, lines.len()), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
    }
}
