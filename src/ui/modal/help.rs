//! What the keys and the commands do, made from their tables.

use ratatui::text::Line;

use super::Covers;
use super::reader::{Reader, Scroll};
use crate::ui::action::Action;
use crate::ui::bindings::KEYS;
use crate::ui::command_line::commands;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 100;
/// Columns of the keys and of the commands.
const LEFT: usize = 24;

/// All keys and commands.
pub(crate) fn help() -> Reader {
    Reader {
        title: "Help: Esc closes".to_owned(),
        width_max: WIDTH_MAX,
        lines_min: usize::MAX,
        covers: Covers::Header,
        opened_by: Action::Help,
        copied: None,
        text: Box::new(lines),
        scroll: Scroll::default(),
    }
}

fn lines(columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let keys = KEYS.iter().map(|binding| (view.keys.keys_of(binding.action).join(" or "), binding.help));
    let commands = commands().map(|command| (command.usage.to_owned(), command.help));
    let names = "do what the key of that name does, such as freeze or next-pane";
    let commands = commands.chain([("any of the above".to_owned(), names)]);
    let title = |text: String| Line::from(view.span(Tone::Strong, text));
    let mut lines = vec![title("Keys".to_owned())];
    lines.extend(keys.flat_map(|(keys, help)| entry(&keys, help, columns, view)));
    lines.push(Line::default());
    lines.push(title(format!("Commands, after {}", view.keys.key_of(Action::CommandLine))));
    lines.extend(commands.flat_map(|(usage, help)| entry(&usage, help, columns, view)));
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
