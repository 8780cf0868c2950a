//! The whole overlay, each node where it was placed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::graph::{Harm, Tie, TieKind};
use super::layout::{HEIGHT, Point, WIDTH};
use super::sketch::{self, Dash, Ground, Mark, Stroke};
use super::{Registrations, Scenery};
use crate::proto::message::Role;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Nodes up to which all have labels, and all links are drawn.
pub(super) const LABELS_MAX: usize = 25;
/// The most that the layout is stretched: a circle stays nearly round.
const STRETCH_MAX: f64 = 1.3;
/// Cells to each side that a node moves when another one has its cell.
const NUDGE_MAX: i32 = 3;

/// Draws the whole overlay; returns where each node is. In a larger one, the links are those of the
/// selected node and those in trouble.
pub(super) fn render(
    scenery: &Scenery<'_>,
    points: &[Point],
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
) -> Vec<Mark> {
    let placed: Vec<(usize, Position)> = cells(points, area).into_iter().enumerate().collect();
    let all = scenery.graph.nodes.len() <= LABELS_MAX;
    let has_label =
        |node: usize| all || scenery.graph.nodes[node].role == Some(Role::Seed) || scenery.selected == Some(node);
    let is_drawn = |tie: &Tie| match tie.kind {
        TieKind::Neighbor => all || scenery.is_selected(tie) || tie.misses > 0 || tie.harm == Harm::Cut,
        TieKind::Registration => scenery.is_selected(tie) || scenery.registrations == Registrations::Shown,
    };
    draw(scenery, &placed, has_label, is_drawn, frame, area, view)
}

/// Draws nodes at their cells, links between them, and the tree by which the message came.
pub(super) fn draw(
    scenery: &Scenery<'_>,
    placed: &[(usize, Position)],
    has_label: impl Fn(usize) -> bool,
    is_drawn: impl Fn(&Tie) -> bool,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
) -> Vec<Mark> {
    let mark = |(node, at): &(usize, Position)| {
        let label = has_label(*node).then(|| scenery.label(*node, view));
        scenery.mark(*node, *at, label, view)
    };
    let marks: Vec<Mark> = placed.iter().map(mark).collect();
    let mut cells = vec![None; scenery.graph.nodes.len()];
    for (node, at) in placed {
        cells[*node] = Some(*at);
    }
    let mut ties: Vec<&Tie> = scenery.graph.ties.iter().filter(|tie| is_drawn(tie)).collect();
    // What matters more is drawn later, over the rest.
    ties.sort_by_key(|tie| (tie.kind, scenery.is_selected(tie), tie.misses, tie.harm));
    let links = ties.into_iter().filter_map(|tie| {
        let (tone, dash) = tie_look(tie, scenery.is_selected(tie));
        Some(Stroke { from: cells[tie.a]?, to: cells[tie.b]?, part: 1.0, tone, dash })
    });
    let hops = scenery.wave.iter().flat_map(|(wave, way)| way.hops(wave.so_far()));
    let tree = hops.filter_map(|(from, to, part)| {
        let (from, to) = (cells[scenery.graph.number(from)?]?, cells[scenery.graph.number(to)?]?);
        Some(Stroke { from, to, part, tone: Tone::Wave, dash: Dash::Solid })
    });
    let strokes: Vec<Stroke> = links.chain(tree).collect();
    sketch::draw(&strokes, &marks, frame, area, view);
    marks
}

/// The color of a link, and how much of it is drawn.
fn tie_look(tie: &Tie, is_selected: bool) -> (Tone, Dash) {
    let tone = match tie.kind {
        TieKind::Neighbor | TieKind::Registration if tie.harm == Harm::Cut => Tone::Dead,
        TieKind::Neighbor | TieKind::Registration if tie.misses > 0 || tie.harm == Harm::Faulty => Tone::Suspect,
        TieKind::Registration => Tone::Seed,
        TieKind::Neighbor if is_selected => Tone::Plain,
        TieKind::Neighbor => Tone::Stale,
    };
    let dash = match (tie.harm, tie.kind) {
        (Harm::Cut, _) => Dash::Cut,
        (Harm::Faulty, _) | (Harm::None, TieKind::Registration) => Dash::Dotted,
        (Harm::None, TieKind::Neighbor) => Dash::Solid,
    };
    (tone, dash)
}

/// The cell of each node; no two share one as long as there is room nearby.
fn cells(points: &[Point], area: Rect) -> Vec<Position> {
    let mut ground = Ground::new(area, &[]);
    let frame = MapWindow::of(area);
    let place = |point: &Point| {
        let wanted = frame.cell(*point);
        let at = nearest_free(wanted, &ground).unwrap_or(wanted);
        ground.take(at);
        at
    };
    points.iter().map(place).collect()
}

/// The part of the pane that the layout takes: in proportion, a little stretched.
struct MapWindow {
    area: Rect,
    /// Offset from the left and the top, and size, in cells.
    left: f64,
    top: f64,
    across: f64,
    down: f64,
}

impl MapWindow {
    fn of(area: Rect) -> Self {
        let (columns, rows) = (f64::from(area.width.saturating_sub(1)), f64::from(area.height.saturating_sub(1)));
        // A cell is twice as high as it is wide.
        let scale = (columns / WIDTH).min(rows * 2.0 / HEIGHT);
        let across = columns.min(scale * WIDTH * STRETCH_MAX);
        let down = rows.min(scale * HEIGHT / 2.0 * STRETCH_MAX);
        Self { area, left: (columns - across) / 2.0, top: (rows - down) / 2.0, across, down }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cells of a screen")]
    fn cell(&self, point: Point) -> Position {
        let x = (self.left + point.x / WIDTH * self.across).round() as u16;
        let y = (self.top + point.y / HEIGHT * self.down).round() as u16;
        let (right, bottom) = (self.area.width.saturating_sub(1), self.area.height.saturating_sub(1));
        Position { x: self.area.x + x.min(right), y: self.area.y + y.min(bottom) }
    }
}

/// This cell, or the nearest free one, with a gap beside it if there is one.
fn nearest_free(wanted: Position, ground: &Ground) -> Option<Position> {
    let around = (-NUDGE_MAX..=NUDGE_MAX).flat_map(|dy| (-2 * NUDGE_MAX..=2 * NUDGE_MAX).map(move |dx| (dx, dy)));
    let free = around.filter_map(|(dx, dy)| {
        let shifted = |from: u16, by: i32| u16::try_from(i32::from(from) + by).ok();
        let at = Position { x: shifted(wanted.x, dx)?, y: shifted(wanted.y, dy)? };
        let beside = [at.x.checked_sub(1), at.x.checked_add(1)].into_iter().flatten();
        let crowded = beside.filter(|x| !ground.is_free(Position { x: *x, ..at })).count();
        let crowded = i32::try_from(crowded).unwrap_or(i32::MAX);
        ground.is_free(at).then_some((dx * dx + 4 * dy * dy + 2 * crowded, at))
    });
    free.min_by_key(|(cost, at)| (*cost, *at)).map(|(_, at)| at)
}
