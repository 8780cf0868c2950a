//! One cell per node, in order of their names: who has the message, and what is wrong, among
//! hundreds.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::Scenery;
use super::sketch::{self, Mark};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// The widest name at the beginning of a row.
const NAME_WIDTH_MAX: usize = 8;

/// How the nodes stand in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GridPlan {
    per_row: usize,
    /// Columns per node.
    step: u16,
    /// Columns of the name before each row.
    margin: u16,
    rows: usize,
}

/// The widest step that fits, or as many rows as needed with the narrowest.
pub(super) fn plan(nodes: usize, names: usize, area: Rect) -> GridPlan {
    let margin = u16::try_from(names.min(NAME_WIDTH_MAX) + 1).unwrap_or(0);
    let plan = |step: u16| {
        let room = usize::from(area.width.saturating_sub(margin).max(step) / step);
        // Tens are easy to count.
        let per_row = if room >= 10 { room / 10 * 10 } else { room.max(1) };
        GridPlan { per_row, step, margin, rows: nodes.div_ceil(per_row) }
    };
    let wide = plan(2);
    if wide.rows <= usize::from(area.height) { wide } else { plan(1) }
}

impl GridPlan {
    /// Columns that are drawn on.
    pub(super) fn width(self) -> u16 {
        self.margin + u16::try_from(self.per_row).unwrap_or(u16::MAX).saturating_mul(self.step)
    }
}

/// Draws it; returns where each node is, and how many rows do not fit.
pub(super) fn render(
    scenery: &Scenery<'_>,
    plan: GridPlan,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
) -> Vec<Mark> {
    let rows = usize::from(area.height);
    let selected_row = scenery.selected.map_or(0, |node| node / plan.per_row);
    // The selected row is in the middle of a window that ends with the rows.
    let top = selected_row.saturating_sub(rows / 2).min(plan.rows.saturating_sub(rows));
    let mut marks = Vec::new();
    for (line, row) in (top..plan.rows).take(rows).enumerate() {
        let y = area.y + u16::try_from(line).unwrap_or(u16::MAX);
        let first = row * plan.per_row;
        let name = text::truncate(
            &scenery.short_name(first, view),
            usize::from(plan.margin.saturating_sub(1)),
            view.theme.glyphs,
        )
        .into_owned();
        frame.render_widget(Line::from(view.span(Tone::Stale, name)), Rect { y, height: 1, ..area });
        for (column, node) in (first..scenery.graph.nodes.len().min(first + plan.per_row)).enumerate() {
            let x = area.x + plan.margin + u16::try_from(column).unwrap_or(u16::MAX) * plan.step;
            marks.push(scenery.mark(node, Position { x, y }, None, view));
        }
    }
    marks.retain(|mark| area.contains(mark.at));
    sketch::draw(&[], &marks, frame, area, view);
    marks
}
