//! What the pane in front shows, and what the keys and the commands do: made from their tables, with
//! a search.

use std::cell::RefCell;
use std::rc::Rc;

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::reader::{Reader, Scroll};
use super::{Covers, Modal, Reply, foot};
use crate::ui::action::{Action, Move, PaneId};
use crate::ui::bindings::KEYS;
use crate::ui::command_line::commands;
use crate::ui::field::TextField;
use crate::ui::filter::Filter;
use crate::ui::glossary::{ENTRIES, Entry, entry_of};
use crate::ui::keys::{Key, KeyMap, Pressed};
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

const WIDTH_MAX: u16 = 100;
/// Columns of the keys, the signs and the commands.
const LEFT: usize = 24;

/// The help, and what is looked for in it.
pub(crate) struct Help {
    reader: Reader,
    sought: Rc<RefCell<String>>,
    /// The text while it is typed.
    field: Option<TextField>,
    jump: Option<Jump>,
}

/// Where the next picture begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jump {
    /// At the first match from here on.
    Here,
    Next,
    Previous,
}

/// The help, which begins with this pane.
pub(crate) fn help(pane: Option<PaneId>) -> Help {
    let sought = Rc::<RefCell<String>>::default();
    let wanted = Rc::clone(&sought);
    let reader = Reader {
        title: "Help: Esc closes".to_owned(),
        width_max: WIDTH_MAX,
        lines_min: usize::MAX,
        covers: Covers::Header,
        opened_by: Action::Help,
        copied: None,
        text: Box::new(move |columns, view| {
            lines(pane, columns, view).into_iter().map(|line| lit(line, &wanted.borrow())).collect()
        }),
        scroll: Scroll::default(),
    };
    Help { reader, sought, field: None, jump: None }
}

impl Help {
    fn type_key(&mut self, key: Key, mut field: TextField) {
        match key.code() {
            KeyCode::Enter => return,
            KeyCode::Esc => field = TextField::default(),
            _ => {
                field.press(key);
                self.field = Some(field.clone());
            }
        }
        self.sought.replace(field.text().to_owned());
        self.jump = Some(Jump::Here);
    }

    /// Scrolls to a match; the last one is followed by the first.
    fn scroll_to_match(&mut self, jump: Jump, found: &[usize]) {
        let top = &mut self.reader.scroll.top;
        let to = match jump {
            Jump::Here => found.iter().find(|line| **line >= *top).or(found.first()),
            Jump::Next => found.iter().find(|line| **line > *top).or(found.first()),
            Jump::Previous => found.iter().rev().find(|line| **line < *top).or(found.last()),
        };
        *top = to.copied().unwrap_or(*top);
    }
}

impl Modal for Help {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        if let Some(field) = self.field.take() {
            self.type_key(key, field);
            return Reply::Stay;
        }
        match keys.press(self.reader.scroll.begun, key) {
            Pressed::Action(Action::Filter) => self.field = Some(TextField::default()),
            Pressed::Action(Action::Move(Move::NextMatch)) => self.jump = Some(Jump::Next),
            Pressed::Action(Action::Move(Move::PreviousMatch)) => self.jump = Some(Jump::Previous),
            Pressed::Action(_) | Pressed::Begun(_) | Pressed::Nothing => return self.reader.press(key, keys),
        }
        Reply::Stay
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = super::columns(WIDTH_MAX, area);
        let filter = Filter::new(self.sought.borrow().trim_start_matches('!'));
        let found: Vec<usize> = if filter.is_all() {
            Vec::new()
        } else {
            let lines = (self.reader.text)(columns, view).into_iter().enumerate();
            lines.filter(|(_, line)| filter.matches(&line.to_string())).map(|(number, _)| number).collect()
        };
        if let Some(jump) = self.jump.take() {
            self.scroll_to_match(jump, &found);
        }
        self.reader.render(frame, area, view);
        let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: area.height - 1, ..area };
        let Scroll { top, rows, lines, .. } = self.reader.scroll;
        let below = lines.saturating_sub(top + rows);
        let more = if below > 0 { format!("{below} more below") } else { String::new() };
        foot(&[self.note(found.len(), view), more], frame, inside, view);
    }

    fn scroll(&mut self, wanted: Move) {
        self.reader.scroll(wanted);
    }

    fn covers(&self) -> Covers {
        self.reader.covers()
    }
}

impl Help {
    /// What the search found, and its keys.
    fn note(&self, found: usize, view: &View<'_>) -> String {
        let key = |action| view.keys.key_of(action);
        let (next, previous) = (key(Action::Move(Move::NextMatch)), key(Action::Move(Move::PreviousMatch)));
        let found = if found == 1 { "1 line".to_owned() } else { format!("{found} lines") };
        match (&self.field, self.sought.borrow().as_str()) {
            (Some(field), _) => format!("/{}_  {found}  Enter keeps, Esc drops", field.text()),
            (None, "") => format!("{} searches  {} closes", key(Action::Filter), key(Action::Back)),
            (None, sought) => format!("'{sought}' in {found}: {next} next, {previous} previous"),
        }
    }
}

fn lines(pane: Option<PaneId>, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let title = |text: String| Line::from(view.span(Tone::Strong, text));
    let here = pane.and_then(|pane| entry_of(pane.info().word));
    let mut lines = Vec::new();
    if let (Some(pane), Some(entry)) = (pane, here) {
        lines.push(title(format!("{} {}", pane.number(), pane.info().title)));
        lines.extend(terms(entry, columns, view));
        lines.push(Line::default());
        lines.push(title(format!("Keys in {}", pane.info().title)));
        let keys = KEYS.iter().filter(|binding| entry.keys.contains(&binding.action));
        lines.extend(keys.flat_map(|binding| key(binding.action, binding.help, columns, view)));
        lines.push(Line::default());
    }
    lines.push(title("Keys".to_owned()));
    lines.extend(KEYS.iter().flat_map(|binding| key(binding.action, binding.help, columns, view)));
    lines.push(Line::default());
    lines.push(title(format!("Commands, after {}", view.keys.key_of(Action::CommandLine))));
    let names = "do what the key of that name does, such as freeze or next-pane";
    let commands = commands().map(|command| (command.usage, command.help)).chain([("any of the above", names)]);
    lines.extend(commands.flat_map(|(usage, help)| entry(usage, help, columns, view)));
    for other in ENTRIES.iter().filter(|entry| here.is_none_or(|here| here.pane != entry.pane)) {
        let pane = PaneId::all().find(|pane| pane.info().word == other.pane);
        let name =
            pane.map_or_else(|| "Everywhere".to_owned(), |pane| format!("{} {}", pane.number(), pane.info().title));
        lines.push(Line::default());
        lines.push(title(name));
        lines.extend(terms(other, columns, view));
    }
    lines
}

fn terms(of: &Entry, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    of.terms.iter().flat_map(|term| entry(term.text(view.theme), term.meaning, columns, view)).collect()
}

fn key(action: Action, help: &str, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    entry(&view.keys.keys_of(action).join(" or "), help, columns, view)
}

/// Keys on the left and what they do on the right, on as many lines as needed.
fn entry(left: &str, right: &str, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let right = text::wrap(right, columns.saturating_sub(LEFT).max(10));
    let lefts = std::iter::once(left).chain(std::iter::repeat(""));
    let line = |(left, right): (&str, String)| {
        let left = text::left(left, LEFT - 1, view.theme.glyphs);
        Line::from(vec![view.span(Tone::Seed, format!("{left} ")), view.span(Tone::Plain, right)])
    };
    lefts.zip(right).map(line).collect()
}

/// The line with what is looked for reversed.
fn lit(line: Line<'static>, sought: &str) -> Line<'static> {
    if sought.is_empty() {
        return line;
    }
    let sought = sought.to_ascii_lowercase();
    let mut spans = Vec::new();
    for span in line.spans {
        let (text, lower) = (span.content.as_ref(), span.content.to_ascii_lowercase());
        let mut from = 0;
        for (at, found) in lower.match_indices(&sought) {
            spans.push(Span::styled(text[from..at].to_owned(), span.style));
            from = at + found.len();
            spans.push(Span::styled(text[at..from].to_owned(), selected(span.style)));
        }
        spans.push(Span::styled(text[from..].to_owned(), span.style));
    }
    Line::from(spans)
}
