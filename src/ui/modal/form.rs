//! Forms: named fields, each with its error beside it.
//!
//! ```text
//! + Start a node --------------------------+
//! | What    seed  [peer]  lab              |
//! | Listen  127.0.0.1:3000_                |
//! |         'abc' is not an address: ..    |
//! |                                        |
//! | Enter start   Tab next   Esc cancel    |
//! +----------------------------------------+
//! ```

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::ui::decode::Paste;
use crate::ui::field::TextField;
use crate::ui::keys::Key;
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

const WIDTH_MAX: u16 = 72;

#[derive(Debug, Clone)]
pub(crate) struct FormField {
    label: &'static str,
    value: FieldValue,
    /// Its error.
    fault: Option<String>,
}

#[derive(Debug, Clone)]
enum FieldValue {
    Text(TextField),
    Choice { options: Vec<String>, chosen: usize },
}

/// What a key did in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormOutcome {
    /// Nothing outside of the form.
    Stay,
    /// Another option was chosen.
    Chosen,
    Submit,
    Cancel,
}

#[derive(Debug, Clone)]
pub(crate) struct Form {
    title: String,
    submit: &'static str,
    entries: Vec<FormField>,
    focus: usize,
    /// A hint below the fields.
    note: String,
}

impl Form {
    pub(crate) fn new(title: impl Into<String>, submit: &'static str) -> Self {
        Self { title: title.into(), submit, entries: Vec::new(), focus: 0, note: String::new() }
    }

    /// A field to type into.
    pub(crate) fn text(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.entries.push(FormField { label, value: FieldValue::Text(TextField::new(text)), fault: None });
        self
    }

    /// A field to choose in with left and right.
    pub(crate) fn choice(mut self, label: &'static str, options: Vec<String>, chosen: usize) -> Self {
        self.entries.push(FormField { label, value: FieldValue::Choice { options, chosen }, fault: None });
        self
    }

    /// Adds a hint below the fields.
    pub(crate) fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Puts the cursor on this field.
    pub(crate) fn focused(mut self, field: usize) -> Self {
        self.focus = field;
        self
    }

    /// The text in this field.
    pub(crate) fn typed(&self, field: usize) -> &str {
        match self.entries.get(field).map(|entry| &entry.value) {
            Some(FieldValue::Text(text)) => text.text().trim(),
            Some(FieldValue::Choice { .. }) | None => "",
        }
    }

    /// The index of the chosen option in this field.
    pub(crate) fn chosen(&self, field: usize) -> usize {
        match self.entries.get(field).map(|entry| &entry.value) {
            Some(FieldValue::Choice { chosen, .. }) => *chosen,
            Some(FieldValue::Text(_)) | None => 0,
        }
    }

    /// Shows an error at a field, and goes there.
    pub(crate) fn fault(&mut self, field: usize, fault: impl Into<String>) {
        if let Some(entry) = self.entries.get_mut(field) {
            entry.fault = Some(fault.into());
            self.focus = field;
        }
    }

    pub(crate) fn paste(&mut self, text: &Paste) {
        if let Some(FormField { value: FieldValue::Text(field), fault, .. }) = self.entries.get_mut(self.focus) {
            field.paste(text);
            *fault = None;
        }
    }

    pub(crate) fn press(&mut self, key: Key) -> FormOutcome {
        let len = self.entries.len().max(1);
        match key.code() {
            KeyCode::Esc => return FormOutcome::Cancel,
            KeyCode::Enter => {
                self.entries.iter_mut().for_each(|entry| entry.fault = None);
                return FormOutcome::Submit;
            }
            KeyCode::Tab | KeyCode::Down => self.focus = (self.focus + 1) % len,
            KeyCode::BackTab | KeyCode::Up => self.focus = (self.focus + len - 1) % len,
            _ => return self.edit(key),
        }
        FormOutcome::Stay
    }

    fn edit(&mut self, key: Key) -> FormOutcome {
        let Some(entry) = self.entries.get_mut(self.focus) else { return FormOutcome::Stay };
        entry.fault = None;
        match &mut entry.value {
            FieldValue::Text(field) => {
                field.press(key);
                FormOutcome::Stay
            }
            FieldValue::Choice { options, chosen } => {
                let len = options.len().max(1);
                match (key.code(), key.typed()) {
                    (KeyCode::Right, _) | (_, Some('l' | ' ')) => *chosen = (*chosen + 1) % len,
                    (KeyCode::Left, _) | (_, Some('h')) => *chosen = (*chosen + len - 1) % len,
                    _ => return FormOutcome::Stay,
                }
                FormOutcome::Chosen
            }
        }
    }

    pub(crate) fn render(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let width = WIDTH_MAX.min(area.width);
        let columns = usize::from(width.saturating_sub(4));
        let label = self.entries.iter().map(|entry| text::width(entry.label)).max().unwrap_or(0) + 2;
        let mut cursor = None;
        let mut lines = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let focused = index == self.focus;
            let (line, column) = entry.line(label, columns, focused, view);
            if focused {
                cursor = column.map(|column| (label + column, lines.len()));
            }
            lines.push(line);
            lines.extend(entry.fault_lines(label, columns, view));
        }
        lines.push(Line::default());
        lines.extend(self.foot(columns, view));
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        let inside = super::framed(&self.title, (width, height), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
        set_cursor(cursor, inside, frame);
    }

    fn foot(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if !self.note.is_empty() {
            let note = text::wrap(&self.note, columns).into_iter();
            lines.extend(note.map(|line| Line::from(view.span(Tone::Stale, line))));
            lines.push(Line::default());
        }
        let next = (self.entries.len() > 1).then_some(("Tab", "next field"));
        let keys = [Some(("Enter", self.submit)), next, Some(("Esc", "cancel"))];
        let spans = keys
            .into_iter()
            .flatten()
            .flat_map(|(key, what)| [view.span(Tone::Strong, key), view.span(Tone::Plain, format!(" {what}   "))]);
        lines.push(Line::from(spans.collect::<Vec<_>>()));
        lines
    }
}

fn set_cursor(cursor: Option<(usize, usize)>, inside: Rect, frame: &mut Frame<'_>) {
    let Some((x, y)) = cursor else { return };
    let (x, y) = (u16::try_from(x).unwrap_or(u16::MAX), u16::try_from(y).unwrap_or(u16::MAX));
    if x < inside.width && y < inside.height {
        frame.set_cursor_position(Position { x: inside.x + x, y: inside.y + y });
    }
}

impl FormField {
    fn line(&self, label: usize, columns: usize, focused: bool, view: &View<'_>) -> (Line<'static>, Option<usize>) {
        let tone = if focused { Tone::Strong } else { Tone::Plain };
        let mut spans = vec![view.span(tone, format!("{:<label$}", self.label))];
        match &self.value {
            FieldValue::Text(field) => {
                let (shown, cursor) = field.window(columns.saturating_sub(label));
                spans.push(view.span(tone, shown));
                (Line::from(spans), Some(cursor))
            }
            FieldValue::Choice { options, chosen } => {
                spans.extend(choice_spans(options, *chosen, columns.saturating_sub(label), focused, view));
                (Line::from(spans), None)
            }
        }
    }

    fn fault_lines(&self, label: usize, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let overflow = match &self.value {
            FieldValue::Text(field) => field.overflow(),
            FieldValue::Choice { .. } => None,
        };
        let Some(fault) = self.fault.clone().or(overflow) else { return Vec::new() };
        let lines = text::wrap(&fault, columns.saturating_sub(label)).into_iter();
        lines.map(|line| Line::from(vec![Span::raw(" ".repeat(label)), view.span(Tone::Dead, line)])).collect()
    }
}

/// All options if they fit, otherwise the chosen one and how many there are.
fn choice_spans(
    options: &[String],
    chosen: usize,
    columns: usize,
    focused: bool,
    view: &View<'_>,
) -> Vec<Span<'static>> {
    let all: usize = options.iter().map(|option| text::width(option) + 3).sum();
    let chosen_span = |option: &str| {
        let span = view.span(Tone::Strong, format!("[{option}]"));
        if focused { Span::styled(span.content, selected(span.style)) } else { span }
    };
    if all > columns {
        let option = options.get(chosen).map_or("", String::as_str);
        let count = format!("  {} of {}", chosen + 1, options.len());
        return vec![chosen_span(option), view.span(Tone::Stale, count)];
    }
    let spans = options.iter().enumerate().map(|(index, option)| {
        if index == chosen { chosen_span(option) } else { view.span(Tone::Plain, format!(" {option} ")) }
    });
    spans.flat_map(|span| [span, Span::raw(" ")]).collect()
}
