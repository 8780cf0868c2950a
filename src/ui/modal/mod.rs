//! Dialogs: a stack; the top one gets the keys.
//!
//! A dialog is a file here that implements [`Modal`]. Forms are made with [`form`], texts to read
//! with [`reader`].

pub(crate) mod add;
mod alone;
pub(crate) mod confirm;
pub(crate) mod differences;
pub(crate) mod faults;
pub(crate) mod form;
pub(crate) mod help;
pub(crate) mod networks;
pub(crate) mod path;
mod proof;
pub(crate) mod reader;
pub(crate) mod recordings;
pub(crate) mod rerun;
pub(crate) mod say;
pub(crate) mod start;
pub(crate) mod wave;
pub(crate) mod why;

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding};

use super::action::{Action, Move};
use super::decode::Paste;
use super::explain::Subject;
use super::host::{LoneQuestion, NetworkRow, ProofTold, ToHost};
use super::keys::{Key, KeyMap, Pressed};
use super::line::mark;
use super::theme::Tone;
use super::view::View;
use crate::model::Model;
use crate::model::why::AskedAnswer;
use crate::proto::time::Time;

/// A dialog that lies on the panes.
pub(crate) trait Modal {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply;

    /// Draws the dialog over what is there.
    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>);

    /// Scrolls a dialog for reading; a form stays as it is.
    fn scroll(&mut self, _wanted: Move) {}

    /// Pastes text into a form.
    fn paste(&mut self, _text: &Paste) {}

    /// Shows these networks now, if it is the list of them; returns whether it is.
    fn hear_networks(&mut self, _rows: &[NetworkRow]) -> bool {
        false
    }

    /// The answer that is to be proven, while the dialog waits for that.
    fn unproven(&self) -> Option<&AskedAnswer> {
        None
    }

    /// A proof; of another answer than the one that is shown it is stale.
    fn hear_proof(&mut self, _answer: &AskedAnswer, _told: &ProofTold) {}

    /// What the dialog waits to know of one node alone.
    fn unread(&self) -> Option<LoneQuestion> {
        None
    }

    /// What one node alone knew; of another moment than the one that is waited for it is stale.
    fn hear_alone(&mut self, _question: LoneQuestion, _answer: &Result<Arc<Model>, String>) {}

    fn covers(&self) -> Covers {
        Covers::Panes
    }
}

/// What a dialog may cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    Panes,
    /// The header, too.
    Header,
    /// Everything: it is there until something is started, and gives way to what it opens.
    Screen,
}

/// What a key did in a dialog.
pub(crate) enum Reply {
    /// Nothing outside of the dialog.
    Stay,
    /// The dialog is over.
    Close,
    /// The dialog is over, and this is wanted.
    Done(Vec<ToHost>),
    /// Another dialog opens on top.
    Open(Box<dyn Modal>),
    /// The host is asked for something, and the dialog waits.
    Ask(ToHost),
    /// The dialog is over, and this command goes to the command line, where the user can change it.
    Type(String),
    /// An explanation opens on top.
    Explain(Subject),
    /// This moment of the session is shown, and the answer about it gives way.
    GoTo(Time),
    /// The text goes to the clipboard.
    Copy(String),
    /// The console ends.
    Quit,
}

/// What a key means in a dialog for reading; `begun`: the first key of a chord.
fn action(key: Key, begun: &mut Option<Key>, keys: &KeyMap) -> Option<Action> {
    match keys.press(begun.take(), key) {
        Pressed::Action(action) => Some(action),
        Pressed::Begun(key) => {
            *begun = Some(key);
            None
        }
        Pressed::Nothing => None,
    }
}

/// Columns of text in a frame of at most this width.
fn columns(width_max: u16, area: Rect) -> usize {
    usize::from(width_max.min(area.width).saturating_sub(4))
}

/// A frame around this many columns and lines, in the middle; returns the area inside.
fn framed(title: &str, (columns, lines): (usize, usize), frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Rect {
    let cells =
        |inside: usize, around, most: u16| u16::try_from(inside.saturating_add(around)).unwrap_or(u16::MAX).min(most);
    let (width, height) = (cells(columns, 4, area.width), cells(lines, 2, area.height));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let outside = Rect { x, y, width, height };
    let block = Block::bordered()
        .border_set(view.theme.border())
        .border_style(view.style(Tone::Strong))
        .title(Line::from(view.span(Tone::Strong, format!(" {title} "))))
        .padding(Padding::horizontal(1));
    let inside = block.inner(outside);
    frame.render_widget(Clear, outside);
    frame.render_widget(block, outside);
    inside
}

/// Notes on the lower edge of a frame, such as keys and what they do.
fn foot(notes: &[String], frame: &mut Frame<'_>, inside: Rect, view: &View<'_>) {
    let notes: Vec<&str> = notes.iter().map(String::as_str).filter(|note| !note.is_empty()).collect();
    if !notes.is_empty() && inside.height > 0 {
        let line = Line::from(view.span(Tone::Strong, format!(" {} ", notes.join("  ")))).right_aligned();
        frame.render_widget(line, Rect { y: inside.bottom(), height: 1, ..inside });
    }
}

/// Keys and what they do, in a line.
fn key_line<'a>(keys: impl IntoIterator<Item = (String, &'a str)>, view: &View<'_>) -> Line<'static> {
    let spans = keys
        .into_iter()
        .flat_map(|(key, what)| [view.span(Tone::Strong, key), view.span(Tone::Plain, format!(" {what}   "))]);
    Line::from(spans.collect::<Vec<_>>())
}

/// Items of a page.
const PAGE: usize = 10;

/// Which of some items is chosen.
#[derive(Debug)]
struct ChosenItem {
    items: usize,
    chosen: usize,
}

impl ChosenItem {
    const fn of(items: usize) -> Self {
        Self { items, chosen: 0 }
    }

    /// Does what a key asks; returns whether it was about choosing.
    fn press(&mut self, action: Action) -> bool {
        match action {
            Action::PreviousPane => self.act(Move::Up),
            Action::NextPane => self.act(Move::Down),
            Action::Move(wanted) => self.act(wanted),
            _ => return false,
        }
        true
    }

    /// The first item to show, where so many fit: the chosen one is among them.
    fn first_shown(&self, fit: usize) -> usize {
        self.chosen.saturating_sub(fit / 2).min(self.items.saturating_sub(fit))
    }

    /// The line of the item at this place, which is marked if it is the chosen one.
    fn line(&self, index: usize, text: &str, columns: usize, view: &View<'_>) -> Line<'static> {
        if index != self.chosen {
            return Line::from(view.span(Tone::Plain, format!("  {text}")));
        }
        let mut line = Line::from(view.span(Tone::Strong, format!("> {text}")));
        mark(&mut line, columns);
        line
    }

    /// The one after the last is the first.
    fn act(&mut self, wanted: Move) {
        let len = self.items.max(1);
        self.chosen = match wanted {
            Move::Up => (self.chosen + len - 1) % len,
            Move::Down => (self.chosen + 1) % len,
            Move::Top => 0,
            Move::Bottom => len - 1,
            Move::PageUp => self.chosen.saturating_sub(PAGE),
            Move::PageDown => (self.chosen + PAGE).min(len - 1),
            Move::Left
            | Move::Right
            | Move::Follow
            | Move::NextMatch
            | Move::PreviousMatch
            | Move::Sort
            | Move::Reverse
            | Move::ZoomIn
            | Move::ZoomOut => self.chosen,
        };
    }
}
