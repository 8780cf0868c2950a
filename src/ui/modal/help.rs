//! What the keys and the commands do, made from their tables.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Reply, Scroll, framed, movement};
use crate::ui::action::Action;
use crate::ui::bindings::KEYS;
use crate::ui::command_line::commands;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 100;
/// Columns of the keys and of the commands.
const LEFT: usize = 24;

/// The help, and its scroll position.
#[derive(Debug, Default)]
pub(crate) struct Help {
    pub(super) scroll: Scroll,
    begun: Option<Key>,
}

impl Help {
    pub(crate) fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match movement(key, &mut self.begun, keys) {
            Some(Action::Move(wanted)) => self.scroll.act(wanted),
            Some(Action::Back | Action::Help | Action::Quit | Action::Details) => return Reply::Close,
            Some(_) | None => {}
        }
        Reply::Stay
    }

    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let inside = framed("Help: Esc closes", (WIDTH_MAX, u16::MAX), frame, area, view);
        let lines = lines(usize::from(inside.width), view);
        let window = self.scroll.window(lines.len(), usize::from(inside.height));
        frame.render_widget(Paragraph::new(lines[window].to_vec()), inside);
        let note = self.scroll.note();
        if !note.is_empty() && inside.height > 0 {
            let note = Line::from(view.span(Tone::Strong, format!(" {note} "))).right_aligned();
            let foot = Rect { y: inside.bottom(), height: 1, ..inside };
            frame.render_widget(note, foot);
        }
    }
}

fn lines(columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(view.span(Tone::Strong, "Keys"))];
    for binding in KEYS.iter() {
        let keys = view.keys.keys_of(binding.action).join(" or ");
        lines.extend(entry(&keys, binding.help, columns, view));
    }
    lines.push(Line::default());
    lines.push(Line::from(
        view.span(Tone::Strong, format!("Commands, after {}", view.keys.key_of(Action::CommandLine))),
    ));
    for command in commands() {
        lines.extend(entry(command.usage, command.help, columns, view));
    }
    lines.extend(entry(
        "any of the above",
        "do what the key of that name does, such as freeze or next-pane",
        columns,
        view,
    ));
    lines
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
