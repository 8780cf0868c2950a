//! The line at the bottom into which `:` and `/` type.

use crossterm::event::KeyCode;

use super::action::PaneId;
use super::command_line::complete;
use super::field::Field;
use super::filter::Filter;
use super::input::Paste;
use super::keys::Key;
use crate::model::Model;

/// Commands that are remembered.
const HISTORY_MAX: usize = 100;

/// What the line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A command.
    Command,
    /// What a pane shows; it showed `before` when the line was opened.
    Filter {
        /// Which pane.
        pane: PaneId,
        /// Comes back on Esc.
        before: Filter,
    },
}

/// The line.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    pub(crate) field: Field,
    completion: Option<Completion>,
    /// How far back in the history.
    back: usize,
}

/// Ways to complete the line, and which one stands there.
#[derive(Debug)]
struct Completion {
    lines: Vec<String>,
    chosen: usize,
}

/// What a key did in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stay,
    Submit,
    Cancel,
}

/// The commands typed so far.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<String>);

impl History {
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.last().is_some_and(|last| last == line) {
            return;
        }
        if self.0.len() == HISTORY_MAX {
            self.0.remove(0);
        }
        self.0.push(line.to_owned());
    }

    fn back(&self, steps: usize) -> Option<&str> {
        self.0.get(self.0.len().checked_sub(steps)?).map(String::as_str)
    }
}

impl Prompt {
    /// A command, of which this much stands there already.
    pub(crate) fn command(begun: &str) -> Self {
        Self { purpose: Purpose::Command, field: Field::new(begun), completion: None, back: 0 }
    }

    pub(crate) fn filter(pane: PaneId, before: Filter) -> Self {
        let field = Field::new(before.typed());
        Self { purpose: Purpose::Filter { pane, before }, field, completion: None, back: 0 }
    }

    /// The character that opened the line.
    pub(crate) const fn sign(&self) -> char {
        match self.purpose {
            Purpose::Command => ':',
            Purpose::Filter { .. } => '/',
        }
    }

    pub(crate) fn press(&mut self, key: Key, history: &History, model: &Model) -> Outcome {
        let is_command = self.purpose == Purpose::Command;
        match key.code() {
            KeyCode::Enter => return Outcome::Submit,
            KeyCode::Esc => return Outcome::Cancel,
            KeyCode::Backspace if self.field.text().is_empty() => return Outcome::Cancel,
            KeyCode::Up if is_command => self.recall(history, self.back + 1),
            KeyCode::Down if is_command => self.recall(history, self.back.saturating_sub(1)),
            KeyCode::Tab if is_command => self.complete(model, |chosen, len| (chosen + 1) % len),
            KeyCode::BackTab if is_command => self.complete(model, |chosen, len| (chosen + len - 1) % len),
            _ => {
                self.completion = None;
                self.field.press(key);
            }
        }
        Outcome::Stay
    }

    fn recall(&mut self, history: &History, back: usize) {
        match history.back(back) {
            _ if back == 0 => self.field = Field::default(),
            Some(line) => self.field = Field::new(line),
            None => return,
        }
        self.back = back;
    }

    fn complete(&mut self, model: &Model, next: impl Fn(usize, usize) -> usize) {
        if let Some(completion) = &mut self.completion {
            completion.chosen = next(completion.chosen, completion.lines.len());
        } else {
            let lines = complete(self.field.text(), model);
            if lines.is_empty() {
                return;
            }
            self.completion = Some(Completion { lines, chosen: 0 });
        }
        if let Some(line) = self.completion.as_ref().and_then(|completion| completion.lines.get(completion.chosen)) {
            self.field = Field::new(line.as_str());
        }
    }

    pub(crate) fn paste(&mut self, paste: &Paste) {
        self.completion = None;
        self.field.paste(paste);
    }

    /// What Tab would offer: the ways to go on from here.
    pub(crate) fn offers(&self, model: &Model) -> Vec<String> {
        match (&self.purpose, &self.completion) {
            (Purpose::Command, Some(completion)) => completion.lines.clone(),
            (Purpose::Command, None) => complete(self.field.text(), model),
            (Purpose::Filter { .. }, _) => Vec::new(),
        }
    }
}
