//! Dialogs: a stack; the top one gets the keys.

pub(crate) mod add;
pub(crate) mod confirm;
pub(crate) mod faults;
pub(crate) mod form;
pub(crate) mod help;
pub(crate) mod path;
pub(crate) mod say;
pub(crate) mod start;
pub(crate) mod wave;
pub(crate) mod why;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding};

use self::add::Add;
use self::confirm::Confirm;
use self::faults::FaultMenu;
use self::help::Help;
use self::path::PathPrompt;
use self::say::Say;
use self::start::Start;
use self::wave::WaveTable;
use self::why::WhyDialog;
use super::action::Move;
use super::decode::Paste;
use super::explain::Subject;
use super::host::ToHost;
use super::keys::{Key, KeyMap, Pressed};
use super::theme::Tone;
use super::view::View;

#[derive(Debug)]
pub(crate) enum Modal {
    /// The start screen.
    Start(Start),
    Add(Add),
    /// A message of the user.
    Say(Say),
    /// A file to write or to read.
    Path(PathPrompt),
    Confirm(Confirm),
    /// The faults of a node or a link.
    Faults(FaultMenu),
    Help(Help),
    Why(WhyDialog),
    /// The table of a message.
    Wave(WaveTable),
}

/// What a key did in a dialog.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Nothing outside of the dialog.
    Stay,
    /// The dialog is over.
    Close,
    /// The dialog is over, and this is wanted.
    Done(Vec<ToHost>),
    /// Another dialog opens on top.
    Open(Box<Modal>),
    /// The dialog is over, and this command goes to the command line, where the user can change it.
    Type(String),
    /// An explanation opens on top.
    Explain(Subject),
    /// The text goes to the clipboard.
    Copy(String),
    /// The console ends.
    Quit,
}

impl Modal {
    pub(crate) fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match self {
            Self::Start(modal) => modal.press(key, keys),
            Self::Add(modal) => modal.press(key),
            Self::Say(modal) => modal.press(key),
            Self::Path(modal) => modal.press(key),
            Self::Confirm(modal) => modal.press(key, keys),
            Self::Faults(modal) => modal.press(key, keys),
            Self::Help(modal) => modal.press(key, keys),
            Self::Why(modal) => modal.press(key, keys),
            Self::Wave(modal) => modal.press(key, keys),
        }
    }

    /// Scrolls a dialog for reading; a form stays as it is.
    pub(crate) fn scroll(&mut self, wanted: Move) {
        match self {
            Self::Faults(modal) => modal.act(wanted),
            Self::Help(modal) => modal.scroll.act(wanted),
            Self::Why(modal) => modal.scroll.act(wanted),
            Self::Wave(modal) => modal.act(wanted),
            Self::Start(_) | Self::Add(_) | Self::Say(_) | Self::Path(_) | Self::Confirm(_) => {}
        }
    }

    /// Pastes text into the dialog.
    pub(crate) fn paste(&mut self, text: &Paste) {
        match self {
            Self::Add(modal) => modal.form.paste(text),
            Self::Say(modal) => modal.form.paste(text),
            Self::Path(modal) => modal.form.paste(text),
            Self::Start(_) | Self::Confirm(_) | Self::Faults(_) | Self::Help(_) | Self::Why(_) | Self::Wave(_) => {}
        }
    }

    /// Draws the dialog over what is there.
    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        match self {
            Self::Start(modal) => modal.render(frame, area, view),
            Self::Add(modal) => modal.render(frame, area, view),
            Self::Say(modal) => modal.form.render(frame, area, view),
            Self::Path(modal) => modal.form.render(frame, area, view),
            Self::Confirm(modal) => modal.render(frame, area, view),
            Self::Faults(modal) => modal.render(frame, area, view),
            Self::Help(modal) => modal.render(frame, area, view),
            Self::Why(modal) => modal.render(frame, area, view),
            Self::Wave(modal) => modal.render(frame, area, view),
        }
    }
}

/// What a key means in a dialog for reading, if it moves.
fn movement(key: Key, begun: &mut Option<Key>, keys: &KeyMap) -> Option<super::action::Action> {
    let pressed = keys.press(*begun, key);
    *begun = None;
    match pressed {
        Pressed::Action(action) => Some(action),
        Pressed::Begun(key) => {
            *begun = Some(key);
            None
        }
        Pressed::Nothing => None,
    }
}

/// A frame of this size in the middle; returns the area inside.
fn framed(title: &str, size: (u16, u16), frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Rect {
    let (width, height) = (size.0.min(area.width), size.1.min(area.height));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let outside = Rect { x, y, width, height };
    let title = Line::from(view.span(Tone::Strong, format!(" {title} ")));
    let block = Block::bordered()
        .border_set(view.theme.border())
        .border_style(view.style(Tone::Strong))
        .title(title)
        .padding(Padding::horizontal(1));
    let inside = block.inner(outside);
    frame.render_widget(Clear, outside);
    frame.render_widget(block, outside);
    inside
}

/// A scrolled text.
#[derive(Debug, Default)]
pub(crate) struct Scroll {
    top: usize,
    rows: usize,
    lines: usize,
}

impl Scroll {
    fn act(&mut self, wanted: Move) {
        let (last, page) = (self.lines.saturating_sub(self.rows), self.rows.max(2) - 1);
        self.top = match wanted {
            Move::Up => self.top.saturating_sub(1),
            Move::Down => self.top + 1,
            Move::PageUp => self.top.saturating_sub(page),
            Move::PageDown => self.top + page,
            Move::Top => 0,
            Move::Bottom => last,
            Move::Left
            | Move::Right
            | Move::Follow
            | Move::NextMatch
            | Move::PreviousMatch
            | Move::Sort
            | Move::Row(_) => self.top,
        }
        .min(last);
    }

    /// The lines in view.
    fn window(&mut self, lines: usize, rows: usize) -> std::ops::Range<usize> {
        (self.lines, self.rows) = (lines, rows);
        self.top = self.top.min(lines.saturating_sub(rows));
        self.top..lines.min(self.top + rows)
    }

    /// How much there is below.
    fn note(&self) -> String {
        let below = self.lines.saturating_sub(self.top + self.rows);
        if below == 0 { String::new() } else { format!("{below} more below") }
    }
}
