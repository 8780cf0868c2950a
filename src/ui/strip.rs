//! The scenario that is played: its comment, and its latest lines with what came of them.
//!
//! ```text
//!  # The wire is mended. The peers ask the seeds again, find the other side, and dial.
//!  . done     heal
//!  x failed   expect connected within 8s: after 8 s the overlay is in 2 parts
//!  ? waiting  expect coverage 100% within 1s
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::text;
use super::theme::Tone;
use super::view::View;
use crate::scenario::{LineOutcome, ScenarioLine, ScenarioView, most_telling};

/// Rows below which the panes need all of them, and the header tells of a scenario alone.
const ROWS_MIN: u16 = 20;
/// Rows of a screen from which on there is room for a longer comment and all lines.
const TALL: u16 = 30;

/// Rows that the strip takes on a screen of this height.
pub(super) fn height(scenario: Option<&ScenarioView>, rows: u16) -> u16 {
    match scenario {
        None => 0,
        Some(_) if rows < ROWS_MIN => 0,
        Some(_) if rows < TALL => 4,
        Some(_) => 5,
    }
}

pub(super) fn render(scenario: &ScenarioView, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let (columns, rows) = (usize::from(inside.width), usize::from(inside.height));
    let wrapped = text::wrap(&format!("# {}", scenario.comment), columns);
    let told = told(&scenario.lines, rows, wrapped.len(), columns, view);
    let room = rows.saturating_sub(told.len());
    let mut lines = comment(wrapped, columns, room, view);
    lines.resize(room, Line::default());
    lines.extend(told);
    frame.render_widget(Paragraph::new(lines), inside);
}

/// The latest lines. A long comment has its rows before the older ones, but not before the reason why
/// a line failed.
fn told(lines: &[ScenarioLine], rows: usize, comment: usize, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let outcomes: Vec<_> = lines.iter().map(|line| outcome(line, columns, view)).collect();
    let is_bad = |line: usize| lines[line].outcome.why().is_some();
    let of =
        |count: usize| most_telling(lines.len(), count, is_bad).into_iter().flat_map(|line| outcomes[line].clone());
    let has_bad = (0..lines.len()).any(is_bad);
    let needed = of(if has_bad { 2 } else { 1 }).count().min(rows.saturating_sub(1));
    let room = rows.saturating_sub(comment).min(if rows < 5 { 2 } else { 3 }).max(needed);
    let fits = (1..=lines.len()).rev().find(|count| of(*count).count() <= room);
    of(fits.unwrap_or(1)).collect()
}

/// The comment in this many rows; what does not fit is left out, and a sign says so.
fn comment(mut wrapped: Vec<String>, columns: usize, rows: usize, view: &View<'_>) -> Vec<Line<'static>> {
    if wrapped.len() > rows {
        let rest = wrapped.split_off(rows.saturating_sub(1)).join(" ");
        wrapped.push(text::truncate(&rest, columns, view.theme.glyphs).into_owned());
    }
    wrapped.into_iter().map(|line| Line::from(view.span(Tone::Strong, line))).collect()
}

/// A line of the scenario; with a reason, in two rows if one is too short.
fn outcome(line: &ScenarioLine, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let (tone, sign, word) = match line.outcome {
        LineOutcome::Done => (Tone::Stale, view.theme.sign("·", "."), "done"),
        LineOutcome::Skipped(_) => (Tone::Suspect, "!", "not done"),
        LineOutcome::Waiting => (Tone::Suspect, "?", "waiting"),
        LineOutcome::Met => (Tone::Up, view.theme.sign("✓", "v"), "met"),
        LineOutcome::Failed(_) => (Tone::Dead, view.theme.sign("✗", "x"), "failed"),
    };
    let head = format!("{sign} {word:<8} ");
    let room = columns.saturating_sub(text::width(&head));
    let cut = |text: &str| text::truncate(text, room, view.theme.glyphs).into_owned();
    let Some(why) = line.outcome.why() else {
        return vec![Line::from(vec![view.span(tone, head), view.span(Tone::Plain, cut(&line.text))])];
    };
    let wrapped = text::wrap(&format!("{}: {why}", line.text), room);
    let indent = " ".repeat(text::width(&head));
    let (first, rest) = (wrapped.first().cloned().unwrap_or_default(), wrapped.get(1..).unwrap_or_default().join(" "));
    let mut lines = vec![Line::from(vec![view.span(tone, head), view.span(tone, cut(&first))])];
    if !rest.is_empty() {
        lines.push(Line::from(vec![view.span(tone, indent), view.span(tone, cut(&rest))]));
    }
    lines
}
