//! A question before something that is not easily undone; the default answer is Cancel.

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Reply, framed};
use crate::ui::action::{Action, Move};
use crate::ui::host::ToHost;
use crate::ui::keys::{Key, KeyMap, Pressed};
use crate::ui::text;
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

    pub(crate) fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        let is_move = matches!(
            keys.press(None, key),
            Pressed::Action(Action::Move(Move::Left | Move::Right) | Action::NextPane | Action::PreviousPane)
        );
        match (key.code(), self.answer) {
            (KeyCode::Enter, ConfirmChoice::Do) => Reply::Done(std::mem::take(&mut self.wanted)),
            (KeyCode::Enter, ConfirmChoice::Cancel) | (KeyCode::Esc, _) => Reply::Close,
            (_, answer) if is_move => {
                self.answer = if answer == ConfirmChoice::Do { ConfirmChoice::Cancel } else { ConfirmChoice::Do };
                Reply::Stay
            }
            _ => Reply::Stay,
        }
    }

    pub(crate) fn render(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let width = WIDTH_MAX.min(area.width);
        let columns = usize::from(width.saturating_sub(4));
        let question = text::wrap(&self.question, columns).into_iter();
        let mut lines: Vec<Line<'_>> = question.map(|line| Line::from(view.span(Tone::Plain, line))).collect();
        lines.push(Line::default());
        lines.push(self.answers(view));
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        let inside = framed(self.word, (width, height), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
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
