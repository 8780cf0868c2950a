//! What a command that is being typed can become: each candidate with a line about it, above the line
//! at the bottom.
//!
//! ```text
//! +---------------------------------------------------------+
//! | cut A B ..         break the links between two nodes     |
//! | p4                 peer, up                              |
//! | p5                 peer, suspect 2/3                     |
//! +---------------------------------------------------------+
//! :cut p1 p
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::action::PaneId;
use super::bindings::KEYS;
use super::command_line::commands;
use super::line::{fit, mark};
use super::prompt::{Prompt, PromptPurpose};
use super::text;
use super::theme::Tone;
use super::view::{View, state_word};

/// Candidates that are shown at once: a glance.
const ROWS_MAX: usize = 8;
const WIDTH_MAX: u16 = 100;
/// Columns of the candidates.
const LEFT: usize = 22;

/// Draws the candidates above `foot`, the line that is typed into.
pub(crate) fn render(prompt: &Prompt, frame: &mut Frame<'_>, foot: Rect, view: &View<'_>) {
    if prompt.purpose != PromptPurpose::Command {
        return;
    }
    let room = usize::from(foot.y).saturating_sub(3);
    let width = foot.width.min(WIDTH_MAX);
    let lines = lines(prompt, ROWS_MAX.min(room), usize::from(width.saturating_sub(2)), view);
    if lines.is_empty() || room == 0 {
        return;
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(foot.y);
    let area = Rect { x: foot.x, y: foot.y - height, width, height };
    let block = Block::bordered().border_set(view.theme.border()).border_style(view.style(Tone::Strong));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The usage of the command, once it has a name, then the candidates.
fn lines(prompt: &Prompt, rows: usize, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let offers = prompt.offers(view.model);
    let typed = prompt.field.text();
    let usage = typed.split_once(' ').and_then(|(name, _)| commands().find(|command| command.name == name));
    let mut lines: Vec<Line<'static>> =
        usage.iter().map(|command| row(command.usage, command.help, columns, view)).collect();
    let room = rows.saturating_sub(lines.len());
    // The last row says how many more there are.
    let shown = if offers.len() > room { room.saturating_sub(1) } else { offers.len() };
    let chosen = prompt.chosen();
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(shown));
    for (number, offer) in offers.iter().enumerate().skip(first).take(shown) {
        let mut line = row(last_word(offer), &about(offer, view), columns, view);
        if chosen == Some(number) {
            mark(&mut line, columns);
        }
        lines.push(line);
    }
    let more = offers.len() - shown;
    if more > 0 && room > 0 {
        lines.push(Line::from(view.span(Tone::Stale, format!("{more} more; Tab goes through them"))));
    }
    lines
}

fn row(left: &str, right: &str, columns: usize, view: &View<'_>) -> Line<'static> {
    let fill = LEFT.saturating_sub(text::width(left));
    let parts = [(Tone::Strong, format!("{left}{:fill$} ", "")), (Tone::Plain, right.to_owned())];
    fit(&parts, columns, view)
}

fn last_word(line: &str) -> &str {
    line.rsplit(' ').next().unwrap_or(line)
}

/// What the last word of this line is.
fn about(line: &str, view: &View<'_>) -> String {
    let word = last_word(line);
    if word.len() == line.len() {
        let command = commands().find(|command| command.name == word).map(|command| command.help);
        let key = || KEYS.iter().find(|binding| binding.name == word).map(|binding| binding.help);
        let pane = || PaneId::named(word).map(|pane| pane.info().help);
        return command.or_else(key).or_else(pane).unwrap_or_default().to_owned();
    }
    let model = view.model;
    if let Some(node) = model.nodes().find(word) {
        let role = node.role.map_or_else(String::new, |role| format!("{role}, "));
        return format!("{role}{}", state_word(node.state()));
    }
    let named = |rumor: &&crate::model::rumor::Rumor| model.message_name(rumor.id) == word;
    if let Some(rumor) = model.rumors().ring().iter().rev().map(|(_, rumor)| rumor).find(named) {
        return format!("\"{}\"", rumor.body);
    }
    match word {
        "off" => "end this fault",
        "all" => "every node",
        "partition" => "the partition that is set",
        _ => "",
    }
    .to_owned()
}
