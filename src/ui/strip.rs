//! The scenario that is played: its comment, and its latest lines with what came of them.
//!
//! ```text
//!  # The wire is mended. The peers ask the seeds again, find the other side, and dial.
//!  v met      7s expect not connected for 2s
//!  . done     heal
//!  ? waiting  expect connected within 8s
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::text;
use super::theme::Tone;
use super::view::View;
use crate::scenario::{LineOutcome, ScenarioLine, ScenarioView};

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
    let told = scenario.lines.len().min(if rows < 5 { 2 } else { 3 });
    let mut lines = comment(&scenario.comment, columns, rows - told, view);
    lines.resize(rows - told, Line::default());
    lines.extend(scenario.lines[scenario.lines.len() - told..].iter().map(|line| outcome(line, columns, view)));
    frame.render_widget(Paragraph::new(lines), inside);
}

/// The comment in this many rows; what does not fit is left out, and a sign says so.
fn comment(comment: &str, columns: usize, rows: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let mut wrapped = text::wrap(&format!("# {comment}"), columns);
    if wrapped.len() > rows {
        let rest = wrapped.split_off(rows.saturating_sub(1)).join(" ");
        wrapped.push(text::truncate(&rest, columns, view.theme.glyphs).into_owned());
    }
    wrapped.into_iter().map(|line| Line::from(view.span(Tone::Strong, line))).collect()
}

fn outcome(line: &ScenarioLine, columns: usize, view: &View<'_>) -> Line<'static> {
    let (tone, sign, word) = match line.outcome {
        LineOutcome::Done => (Tone::Stale, view.theme.sign("·", "."), "done"),
        LineOutcome::Skipped => (Tone::Suspect, "!", "not done"),
        LineOutcome::Waiting => (Tone::Suspect, "?", "waiting"),
        LineOutcome::Met => (Tone::Up, view.theme.sign("✓", "v"), "met"),
        LineOutcome::Failed => (Tone::Dead, view.theme.sign("✗", "x"), "failed"),
    };
    let head = format!("{sign} {word:<8} ");
    let told = text::truncate(&line.text, columns.saturating_sub(text::width(&head)), view.theme.glyphs).into_owned();
    Line::from(vec![view.span(tone, head), view.span(Tone::Plain, told)])
}
