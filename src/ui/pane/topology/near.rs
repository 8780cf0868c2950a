//! The selected node in the middle, its neighbors around it, and theirs around them: what fits of
//! an overlay that is too large to be drawn whole.

use std::f64::consts::TAU;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::Scenery;
use super::graph::{Tie, TieKind};
use super::map;
use crate::model::Map;
use crate::ui::view::View;

/// The distance of each ring from the middle, as a share of half the pane.
const RINGS: [f64; 3] = [0.0, 0.5, 0.97];

/// Draws nothing without a selected node.
pub(super) fn render(scenery: &Scenery<'_>, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let Some(middle) = scenery.selected.filter(|_| !area.is_empty()) else { return };
    let shown = around(scenery, middle, area);
    let placed: Vec<(usize, Position)> = shown.iter().map(|(node, spot)| (*node, spot.at)).collect();
    let is_inner = |node: usize| shown.get(&node).is_some_and(|spot| spot.ring < 2);
    let is_drawn = |tie: &Tie| tie.kind == TieKind::Neighbor && (is_inner(tie.a) || is_inner(tie.b));
    map::draw(scenery, &placed, is_inner, is_drawn, frame, area, view);
}

#[derive(Debug, Clone, Copy)]
struct Spot {
    at: Position,
    ring: usize,
}

/// The neighbors evenly around, the neighbors of each beyond it.
#[expect(clippy::cast_precision_loss, reason = "a count of neighbors")]
fn around(scenery: &Scenery<'_>, middle: usize, area: Rect) -> Map<usize, Spot> {
    let mut shown = Map::default();
    shown.insert(middle, Spot { at: on_ring(area, 0, 0.0), ring: 0 });
    let near: Vec<usize> = scenery.graph.neighbors(middle).collect();
    for (order, node) in near.iter().enumerate() {
        let angle = TAU * order as f64 / near.len() as f64;
        shown.insert(*node, Spot { at: on_ring(area, 1, angle), ring: 1 });
    }
    let sector = TAU / near.len().max(1) as f64;
    for (order, node) in near.iter().enumerate() {
        let beyond: Vec<usize> = scenery.graph.neighbors(*node).filter(|far| !shown.contains_key(far)).collect();
        for (place, far) in beyond.iter().enumerate() {
            let share = (place as f64 + 0.5) / beyond.len() as f64 - 0.5;
            let angle = sector * (order as f64 + share * 0.9);
            shown.insert(*far, Spot { at: on_ring(area, 2, angle), ring: 2 });
        }
    }
    shown
}

/// A cell on a ring, the first one to the right.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cells of a screen")]
fn on_ring(area: Rect, ring: usize, angle: f64) -> Position {
    let (half_width, half_height) = (f64::from(area.width - 1) / 2.0, f64::from(area.height - 1) / 2.0);
    // Names stand beside the nodes, so there is a margin at the sides; a ring may be half as wide
    // again as high.
    let across = (half_width - 1.0).min(half_height * 2.0 * 1.5).max(0.0) * RINGS[ring];
    let down = half_height * RINGS[ring];
    let x = (half_width + across * angle.cos()).round() as u16;
    let y = (half_height + down * angle.sin()).round() as u16;
    Position { x: area.x + x.min(area.width - 1), y: area.y + y.min(area.height - 1) }
}
