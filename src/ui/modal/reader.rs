//! A dialog with a text to read, which is scrolled.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Covers, Modal, Reply, action, columns, foot, framed};
use crate::ui::action::{Action, Move};
use crate::ui::keys::{Key, KeyMap};
use crate::ui::view::View;

/// Makes the lines of a text, for this many columns.
pub(super) type Text = Box<dyn Fn(usize, &View<'_>) -> Vec<Line<'static>>>;

/// A text, and the reader's position.
pub(crate) struct Reader {
    pub(super) title: String,
    pub(super) width_max: u16,
    /// Lines that are shown even if the text is shorter.
    pub(super) lines_min: usize,
    pub(super) covers: Covers,
    /// The action that opened it closes it, too.
    pub(super) opened_by: Action,
    /// For the clipboard.
    pub(super) copied: Option<String>,
    pub(super) text: Text,
    pub(super) scroll: Scroll,
}

/// The part of a text that is shown.
#[derive(Debug, Default)]
pub(super) struct Scroll {
    pub(super) top: usize,
    pub(super) rows: usize,
    pub(super) lines: usize,
    pub(super) begun: Option<Key>,
}

impl Modal for Reader {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match (action(key, &mut self.scroll.begun, keys), &self.copied) {
            (Some(Action::Move(wanted)), _) => self.scroll(wanted),
            (Some(Action::Back | Action::Quit | Action::Details), _) => return Reply::Close,
            (Some(action), _) if action == self.opened_by => return Reply::Close,
            (Some(Action::Copy), Some(text)) => return Reply::Copy(text.clone()),
            (Some(_) | None, _) => {}
        }
        Reply::Stay
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(self.width_max, area);
        let lines = (self.text)(columns, view);
        let inside = framed(&self.title, (columns, lines.len().max(self.lines_min)), frame, area, view);
        let Scroll { top, rows, .. } = &mut self.scroll;
        *rows = usize::from(inside.height);
        *top = (*top).min(lines.len().saturating_sub(*rows));
        let below = lines.len().saturating_sub(*top + *rows);
        self.scroll.lines = lines.len();
        frame.render_widget(
            Paragraph::new(lines).scroll((u16::try_from(self.scroll.top).unwrap_or(u16::MAX), 0)),
            inside,
        );
        let key = |action, what| format!("{} {what}", view.keys.key_of(action));
        let keys = self.copied.iter().flat_map(|_| [key(Action::Back, "closes"), key(Action::Copy, "copies")]);
        let more = (below > 0).then(|| format!("{below} more below"));
        foot(&keys.chain(more).collect::<Vec<_>>(), frame, inside, view);
    }

    fn scroll(&mut self, wanted: Move) {
        let Scroll { top, rows, lines, .. } = self.scroll;
        let (last, page) = (lines.saturating_sub(rows), rows.max(2) - 1);
        self.scroll.top = match wanted {
            Move::Up => top.saturating_sub(1),
            Move::Down => top + 1,
            Move::PageUp => top.saturating_sub(page),
            Move::PageDown => top + page,
            Move::Top => 0,
            Move::Bottom => last,
            Move::Left
            | Move::Right
            | Move::Follow
            | Move::NextMatch
            | Move::PreviousMatch
            | Move::Sort
            | Move::Reverse
            | Move::ZoomIn
            | Move::ZoomOut => top,
        }
        .min(last);
    }

    fn covers(&self) -> Covers {
        self.covers
    }
}
