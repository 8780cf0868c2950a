//! The line at the bottom into which `:` and `/` type.

use crossterm::event::KeyCode;

use super::action::PaneId;
use super::command_line::complete;
use super::decode::Paste;
use super::field::TextField;
use super::filter::Filter;
use super::keys::Key;
use crate::model::Model;

/// Commands that are remembered.
const HISTORY_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PromptPurpose {
    Command,
    /// A filter; `before` is the one when the line was opened.
    Filter {
        pane: PaneId,
        /// Comes back on Esc.
        before: Filter,
    },
}

#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: PromptPurpose,
    pub(crate) field: TextField,
    completion: Option<Completion>,
    /// How far back in the history.
    back: usize,
}

/// Ways to complete the line, and which one is shown.
#[derive(Debug)]
struct Completion {
    lines: Vec<String>,
    chosen: usize,
}

/// What a key did in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptOutcome {
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
    /// A command that begins like this.
    pub(crate) fn command(begun: &str) -> Self {
        Self { purpose: PromptPurpose::Command, field: TextField::new(begun), completion: None, back: 0 }
    }

    pub(crate) fn filter(pane: PaneId, before: Filter) -> Self {
        let field = TextField::new(before.typed());
        Self { purpose: PromptPurpose::Filter { pane, before }, field, completion: None, back: 0 }
    }

    /// The character that opened the line.
    pub(crate) const fn sign(&self) -> char {
        match self.purpose {
            PromptPurpose::Command => ':',
            PromptPurpose::Filter { .. } => '/',
        }
    }

    pub(crate) fn press(&mut self, key: Key, history: &History, model: &Model) -> PromptOutcome {
        let is_command = self.purpose == PromptPurpose::Command;
        match key.code() {
            KeyCode::Enter => return PromptOutcome::Submit,
            KeyCode::Esc => return PromptOutcome::Cancel,
            KeyCode::Backspace if self.field.text().is_empty() => return PromptOutcome::Cancel,
            KeyCode::Up if is_command => self.recall(history, self.back + 1),
            KeyCode::Down if is_command => self.recall(history, self.back.saturating_sub(1)),
            KeyCode::Tab if is_command => self.complete(model, |chosen, len| (chosen + 1) % len),
            KeyCode::BackTab if is_command => self.complete(model, |chosen, len| (chosen + len - 1) % len),
            _ => {
                self.completion = None;
                self.field.press(key);
            }
        }
        PromptOutcome::Stay
    }

    fn recall(&mut self, history: &History, back: usize) {
        match history.back(back) {
            _ if back == 0 => self.field = TextField::default(),
            Some(line) => self.field = TextField::new(line),
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
            self.field = TextField::new(line.as_str());
        }
    }

    pub(crate) fn paste(&mut self, paste: &Paste) {
        self.completion = None;
        self.field.paste(paste);
    }

    /// Which of the offers Tab has put into the line.
    pub(crate) fn chosen(&self) -> Option<usize> {
        self.completion.as_ref().map(|completion| completion.chosen)
    }

    /// What Tab would offer.
    pub(crate) fn offers(&self, model: &Model) -> Vec<String> {
        match (&self.purpose, &self.completion) {
            (PromptPurpose::Command, Some(completion)) => completion.lines.clone(),
            (PromptPurpose::Command, None) => complete(self.field.text(), model),
            (PromptPurpose::Filter { .. }, _) => Vec::new(),
        }
    }
}
