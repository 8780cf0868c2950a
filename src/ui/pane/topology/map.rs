//! The whole overlay, each node where it was placed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::graph::{Harm, Tie, TieKind};
use super::layout::{HEIGHT, Point, WIDTH};
use super::sketch::{self, Dash, Ground, Mark, Rank, Stroke};
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

/// Draws it; returns where each node is.
pub(super) fn render(
    scenery: &Scenery<'_>,
    points: &[Point],
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
) -> Vec<Mark> {
    let cells = cells(points, area);
    let labels = scenery.graph.nodes.len() <= LABELS_MAX;
    let marks: Vec<Mark> = (0..cells.len())
        .map(|node| {
            let rank = if scenery.selected == Some(node) { Rank::Selected } else { Rank::Other };
            let is_seed = scenery.graph.nodes[node].role == Some(Role::Seed);
            let label = (labels || is_seed || rank == Rank::Selected).then(|| scenery.label(node, view));
            let addr = scenery.graph.nodes[node].addr;
            Mark { addr, at: cells[node], look: scenery.look(node, view), label, rank }
        })
        .collect();
    let mut strokes = links(scenery, &cells, labels);
    strokes.extend(wave(scenery, &cells));
    sketch::draw(&strokes, &marks, frame, area, view);
    marks
}

/// The links: in a small overlay all, in a larger one those of the selected node and those in
/// trouble.
fn links(scenery: &Scenery<'_>, cells: &[Position], all: bool) -> Vec<Stroke> {
    let is_selected = |tie: &Tie| scenery.selected.is_some_and(|node| tie.touches(node));
    let is_shown = |tie: &&Tie| match tie.kind {
        TieKind::Neighbor => all || is_selected(tie) || tie.misses > 0 || tie.harm == Harm::Cut,
        TieKind::Registration => is_selected(tie) || scenery.registrations == Registrations::Shown,
    };
    let mut ties: Vec<&Tie> = scenery.graph.ties.iter().filter(is_shown).collect();
    // What matters more is drawn later, over the rest.
    ties.sort_by_key(|tie| (tie.kind, is_selected(tie), tie.misses, tie.harm));
    let stroke = |tie: &Tie| {
        let tone = match tie.kind {
            TieKind::Neighbor | TieKind::Registration if tie.harm == Harm::Cut => Tone::Dead,
            TieKind::Neighbor | TieKind::Registration if tie.misses > 0 || tie.harm == Harm::Faulty => Tone::Suspect,
            TieKind::Registration => Tone::Seed,
            TieKind::Neighbor if is_selected(tie) => Tone::Plain,
            TieKind::Neighbor => Tone::Stale,
        };
        let dash = match (tie.harm, tie.kind) {
            (Harm::Cut, _) => Dash::Cut,
            (Harm::Faulty, _) | (Harm::None, TieKind::Registration) => Dash::Dotted,
            (Harm::None, TieKind::Neighbor) => Dash::Solid,
        };
        Stroke { from: cells[tie.a], to: cells[tie.b], part: 1.0, tone, dash }
    };
    ties.into_iter().map(stroke).collect()
}

/// The tree by which the message came.
pub(super) fn wave(scenery: &Scenery<'_>, cells: &[Position]) -> Vec<Stroke> {
    let Some((wave, way)) = &scenery.wave else { return Vec::new() };
    let hops = way.hops(wave.so_far()).filter_map(|(from, to, part)| {
        let (from, to) = (scenery.graph.number(from)?, scenery.graph.number(to)?);
        Some(Stroke { from: cells[from], to: cells[to], part, tone: Tone::Wave, dash: Dash::Solid })
    });
    hops.collect()
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
