//! A question before something that is not easily undone; the default answer is Cancel.

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Modal, Reply, columns, framed};
use crate::ui::action::{Action, Move};
use crate::ui::host::ToHost;
use crate::ui::keys::{Key, KeyMap, Pressed};
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

const WIDTH_MAX: u16 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConfirmChoice {
    Cancel,
    Do,
}

#[derive(Debug)]
pub(crate) struct Confirm {
    question: String,
    word: &'static str,
    answer: ConfirmChoice,
    wanted: Vec<ToHost>,
}

impl Confirm {
    /// `word` is the answer that does it.
    pub(crate) fn new(question: impl Into<String>, word: &'static str, wanted: Vec<ToHost>) -> Self {
        Self { question: question.into(), word, answer: ConfirmChoice::Cancel, wanted }
    }

    fn answers(&self, view: &View<'_>) -> Line<'static> {
        let span = |answer, word: &str| {
            if answer == self.answer {
                Span::styled(format!("[{word}]"), selected(view.style(Tone::Strong)))
            } else {
                view.span(Tone::Plain, format!(" {word} "))
            }
        };
        Line::from(vec![span(ConfirmChoice::Cancel, "Cancel"), Span::raw("  "), span(ConfirmChoice::Do, self.word)])
    }
}

impl Modal for Confirm {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        let pressed = keys.press(None, key);
        let is_move = matches!(
            pressed,
            Pressed::Action(Action::Move(Move::Left | Move::Right) | Action::NextPane | Action::PreviousPane)
        );
        match (key.code(), self.answer) {
            _ if matches!(pressed, Pressed::Action(Action::Back | Action::Quit)) => return Reply::Close,
            (KeyCode::Enter, ConfirmChoice::Do) => return Reply::Done(std::mem::take(&mut self.wanted)),
            (KeyCode::Enter, ConfirmChoice::Cancel) | (KeyCode::Esc, _) => return Reply::Close,
            (_, ConfirmChoice::Cancel) if is_move => self.answer = ConfirmChoice::Do,
            (_, ConfirmChoice::Do) if is_move => self.answer = ConfirmChoice::Cancel,
            _ => {}
        }
        Reply::Stay
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let mut lines = view.wrapped(&self.question, Tone::Plain, columns);
        lines.extend([Line::default(), self.answers(view)]);
        let inside = framed(self.word, (columns, lines.len()), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
    }
}
