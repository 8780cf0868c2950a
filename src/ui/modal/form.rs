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

use super::{Modal, Reply, columns, framed, key_line};
use crate::ui::decode::Paste;
use crate::ui::field::TextField;
use crate::ui::host::ToHost;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

const WIDTH_MAX: u16 = 72;

#[derive(Debug, Clone)]
struct FormField {
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

/// What was filled in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(Vec<FormField>);

impl Values {
    /// The text in this field.
    pub(crate) fn typed(&self, field: usize) -> &str {
        match self.0.get(field).map(|entry| &entry.value) {
            Some(FieldValue::Text(text)) => text.text().trim(),
            Some(FieldValue::Choice { .. }) | None => "",
        }
    }

    /// The index of the chosen option in this field.
    pub(crate) fn chosen(&self, field: usize) -> usize {
        match self.0.get(field).map(|entry| &entry.value) {
            Some(FieldValue::Choice { chosen, .. }) => *chosen,
            Some(FieldValue::Text(_)) | None => 0,
        }
    }
}

/// What a filled in form asks for, or which field is wrong and why.
type Submit = Box<dyn Fn(&Values) -> Result<Vec<ToHost>, (usize, String)>>;

pub(crate) struct Form {
    title: &'static str,
    /// What Enter does, in a word.
    word: &'static str,
    submit: Submit,
    /// The form in place of this one when another option is chosen.
    on_choice: Option<Box<dyn Fn(usize) -> Form>>,
    values: Values,
    focus: usize,
    /// A hint below the fields.
    note: String,
}

impl Form {
    pub(crate) fn new(
        title: &'static str,
        word: &'static str,
        submit: impl Fn(&Values) -> Result<Vec<ToHost>, (usize, String)> + 'static,
    ) -> Self {
        let (values, note) = (Values::default(), String::new());
        Self { title, word, submit: Box::new(submit), on_choice: None, values, focus: 0, note }
    }

    fn with(mut self, label: &'static str, value: FieldValue) -> Self {
        self.values.0.push(FormField { label, value, fault: None });
        self
    }

    /// A field to type into.
    pub(crate) fn text(self, label: &'static str, text: impl Into<String>) -> Self {
        self.with(label, FieldValue::Text(TextField::new(text)))
    }

    /// A field to choose in with left and right.
    pub(crate) fn choice(self, label: &'static str, options: Vec<String>, chosen: usize) -> Self {
        self.with(label, FieldValue::Choice { options, chosen })
    }

    /// Another form for each option.
    pub(crate) fn on_choice(self, make: impl Fn(usize) -> Self + 'static) -> Self {
        Self { on_choice: Some(Box::new(make)), ..self }
    }

    /// Adds a hint below the fields.
    pub(crate) fn noted(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Puts the cursor on this field.
    pub(crate) fn focused(self, focus: usize) -> Self {
        Self { focus, ..self }
    }

    fn submitted(&mut self) -> Reply {
        self.values.0.iter_mut().for_each(|entry| entry.fault = None);
        match (self.submit)(&self.values) {
            Ok(wanted) => Reply::Done(wanted),
            Err((field, fault)) => {
                if let Some(entry) = self.values.0.get_mut(field) {
                    entry.fault = Some(fault);
                    self.focus = field;
                }
                Reply::Stay
            }
        }
    }

    fn edit(&mut self, key: Key) {
        let Some(entry) = self.values.0.get_mut(self.focus) else { return };
        entry.fault = None;
        match &mut entry.value {
            FieldValue::Text(field) => field.press(key),
            FieldValue::Choice { options, chosen } => {
                let len = options.len().max(1);
                *chosen = match (key.code(), key.typed()) {
                    (KeyCode::Right, _) | (_, Some('l' | ' ')) => (*chosen + 1) % len,
                    (KeyCode::Left, _) | (_, Some('h')) => (*chosen + len - 1) % len,
                    _ => return,
                };
                if let Some(make) = &self.on_choice {
                    *self = make(*chosen);
                }
            }
        }
    }
}

impl Modal for Form {
    fn press(&mut self, key: Key, _keys: &KeyMap) -> Reply {
        let len = self.values.0.len().max(1);
        match key.code() {
            KeyCode::Esc => return Reply::Close,
            KeyCode::Enter => return self.submitted(),
            KeyCode::Tab | KeyCode::Down => self.focus = (self.focus + 1) % len,
            KeyCode::BackTab | KeyCode::Up => self.focus = (self.focus + len - 1) % len,
            _ => self.edit(key),
        }
        Reply::Stay
    }

    fn paste(&mut self, text: &Paste) {
        if let Some(FormField { value: FieldValue::Text(field), fault, .. }) = self.values.0.get_mut(self.focus) {
            field.paste(text);
            *fault = None;
        }
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let label = self.values.0.iter().map(|entry| text::width(entry.label)).max().unwrap_or(0) + 2;
        let mut cursor = None;
        let mut lines = Vec::new();
        for (index, entry) in self.values.0.iter().enumerate() {
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
        let inside = framed(self.title, (columns, lines.len()), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
        set_cursor(cursor, inside, frame);
    }
}

impl Form {
    fn foot(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if !self.note.is_empty() {
            lines.extend(view.wrapped(&self.note, Tone::Stale, columns));
            lines.push(Line::default());
        }
        let next = (self.values.0.len() > 1).then_some(("Tab", "next field"));
        let keys = [Some(("Enter", self.word)), next, Some(("Esc", "cancel"))].into_iter().flatten();
        lines.push(key_line(keys.map(|(key, what)| (key.to_owned(), what)), view));
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
