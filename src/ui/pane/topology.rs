//! Topology: the overlay, and the path of a message through it.
//!
//! ```text
//! 1 Topology wave p5#6, hop 2, 7/8 have it
//!          ■ s1        ■ s2
//!     ❷ p3 ⠉⠉⠒⠒⠤⠤ ❶ p1
//!        ⠑⠢⢄     ⡠⠊    ⠉⠒⠢ ○ p7
//!           [◆]p5 ⠒⠒⠒⠒ ✗ p4
//! ■ seed  ◆ begins  ❶❷ has it, by hop  ○ not yet  ✗ dead
//! ```
//!
//! Up to 25 nodes all have names and all links are drawn; up to 80, and on the whole screen further,
//! the nodes are signs, and the links those of the selected node and the way of the message. Above
//! that there are the neighbors of the selected node and a grid with a cell a node.

mod graph;
mod grid;
mod layout;
mod look;
mod map;
mod near;
mod places;
mod sketch;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};

use self::graph::{DrawnGraph, Harm, Tie, TieKind};
use self::look::{Arrival, Lacking, Look, legend, look};
use self::places::{Delivered, Positions};
use self::sketch::{Mark, Rank};
use super::{Moved, Pane, PaneInfo, PanePlace, PaneSize, Selection, Selects, Surface};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::rumor::{Counting, DELIVERY_TIME, ForeignCopy};
use crate::model::words::{count_text, state_word};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::ui::action::{Action, Move};
use crate::ui::filter::{Filter, Search};
use crate::ui::keys::Hint;
use crate::ui::seek::EventScope;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::{Target, View};
use crate::ui::wave::{MessagePath, WaveKind, WaveView};
use crate::ui::worker::{Made, Work};

/// Nodes up to which the overlay is drawn whole in a pane.
const MAP_MAX: usize = 80;
/// Cells per node that the overlay needs to be drawn whole above that: with fewer it is a blot.
const CELLS_A_NODE: usize = 18;
/// Columns of the neighborhood beside the grid; with fewer there is the grid alone.
const NEAR_WIDTH_MIN: u16 = 24;
/// Columns of a label; a longer name is cut.
const LABEL_WIDTH_MAX: usize = 21;

/// Columns around a node within which a click means it: the reach of a short name.
const CLICK_REACH: u16 = 4;

/// How long after its death a node's name stands out.
const FADE_TIME: Duration = Duration::from_secs(10);

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 1,
    title: "Topology",
    word: "topology",
    help: "topology: the overlay, and the path of a message through it",
    wide: PanePlace { strip: 0, size: PaneSize::Rest },
    narrow: Some(PanePlace { strip: 0, size: PaneSize::Percent(41) }),
    selects: Selects::Node,
    scope: || EventScope::Overlay,
    count: Some(|view| (view.model.nodes().len(), Tone::Plain)),
    ..PaneInfo::new(|| Box::new(Topology::default()))
};

/// Whether the links between peers and seeds are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Registrations {
    /// Those of the selected node.
    #[default]
    OfSelected,
    /// All of them.
    Shown,
}

/// The state of the pane.
#[derive(Default)]
struct Topology {
    search: Search,
    /// The node that was selected here; `None`: the one that other panes share.
    selected: Option<Addr>,
    registrations: Registrations,
    places: Positions,
    /// Where the nodes were last drawn, for `left` and `right`.
    drawn: Vec<(Addr, Position)>,
}

/// Everything that a drawing is made from.
struct Scenery<'a> {
    graph: DrawnGraph<'a>,
    selected: Option<usize>,
    wave: Option<(WaveView, MessagePath)>,
    registrations: Registrations,
    filter: &'a Filter,
}

impl Pane for Topology {
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>) {
        let scenery = self.scenery(view);
        let inside = surface.framed(&note(&scenery, view), scenery.filter, view);
        if scenery.graph.nodes.is_empty() {
            return surface.hint(&view.none_yet("nodes", "one"), inside, view);
        }
        let is_whole_screen = surface.area.width == surface.frame.area().width;
        let frame = &mut *surface.frame;
        let inside = render_legend(&scenery, frame, inside, view);
        let marks = match shape(scenery.graph.nodes.len(), inside, is_whole_screen) {
            DrawingStyle::Map => map::render(&scenery, &self.places.points(&scenery.graph), frame, inside, view),
            DrawingStyle::Grid => split(&scenery, frame, inside, view),
        };
        self.drawn = marks.into_iter().map(|mark| (mark.addr, mark.at)).collect();
    }

    fn act(&mut self, wanted: Move, view: &View<'_>) -> Moved {
        let from = self.node(view);
        let to = match wanted {
            Move::Up => self.nearest(from, 0, -1),
            Move::Down => self.nearest(from, 0, 1),
            Move::Left => self.nearest(from, -1, 0),
            Move::Right => self.nearest(from, 1, 0),
            Move::Top => self.drawn.first().map(|(addr, _)| *addr),
            Move::Bottom => self.drawn.last().map(|(addr, _)| *addr),
            Move::NextMatch => self.seek(from, view, SearchDirection::Forward),
            Move::PreviousMatch => self.seek(from, view, SearchDirection::Back),
            Move::Sort => {
                self.registrations = match self.registrations {
                    Registrations::OfSelected => Registrations::Shown,
                    Registrations::Shown => Registrations::OfSelected,
                };
                None
            }
            Move::Follow => return Moved::Newest,
            Move::PageUp | Move::PageDown | Move::Reverse | Move::ZoomIn | Move::ZoomOut => None,
        };
        self.selected = to.or(self.selected);
        self.selected_here(view).map_or(Moved::Here, |addr| Moved::Selected(Some(addr)))
    }

    fn click(&mut self, at: Position, _area: Rect, _view: &View<'_>) -> Moved {
        let Some(addr) = self.node_at(at) else { return Moved::Here };
        self.selected = Some(addr);
        Moved::Selected(Some(addr))
    }

    fn hints(&self, _view: &View<'_>) -> Vec<(Action, Hint)> {
        let word = match self.registrations {
            Registrations::OfSelected => "seed links",
            Registrations::Shown => "hide seed links",
        };
        let lay_out = (Action::Layout, Hint { word: "lay out", rank: 9 });
        vec![(Action::Move(Move::Sort), Hint { word, rank: 9 }), lay_out]
    }

    fn filter(&self) -> &Filter {
        &self.search.filter
    }

    fn set_filter(&mut self, filter: Filter) {
        self.search.set(filter);
    }

    fn sought(&self) -> &Filter {
        &self.search.sought
    }

    fn selection(&self, view: &View<'_>) -> Selection {
        self.node(view).map(Selection::of_node).unwrap_or_default()
    }

    fn line(&self, _view: &View<'_>) -> Option<String> {
        None
    }

    fn select(&mut self, node: Option<Addr>, _view: &View<'_>) {
        self.selected = node;
    }

    fn lay_out(&mut self) {
        self.places.shake();
    }

    fn update(&mut self, view: &View<'_>, now: Time) -> Option<Work> {
        let order = self.places.update(&DrawnGraph::of(view), now)?;
        Some(Box::new(move || Box::new(order.carry_out())))
    }

    fn take(&mut self, made: Made) {
        if let Ok(delivered) = made.downcast::<Delivered>() {
            self.places.take(&delivered);
        }
    }

    #[cfg(test)]
    fn spots(&self) -> &[(Addr, Position)] {
        &self.drawn
    }
}

impl Topology {
    /// The same as in the other panes, unless only this one shows it.
    fn node(&self, view: &View<'_>) -> Option<Addr> {
        self.selected_here(view).or_else(|| view.selected.map(Target::node))
    }

    /// The node that was selected here.
    fn selected_here(&self, view: &View<'_>) -> Option<Addr> {
        self.selected.filter(|addr| view.model.nodes().get(*addr).is_some())
    }

    /// The node here or close by: a sign is one cell, which is hard to hit.
    fn node_at(&self, at: Position) -> Option<Addr> {
        let apart = |from: Position| at.x.abs_diff(from.x).max(2 * at.y.abs_diff(from.y));
        let near = self.drawn.iter().map(|(addr, from)| (apart(*from), *addr));
        near.filter(|(apart, _)| *apart <= CLICK_REACH).min().map(|(_, addr)| addr)
    }

    /// The nearest node in this direction on the screen.
    fn nearest(&self, from: Option<Addr>, across: i32, down: i32) -> Option<Addr> {
        let at = |addr| self.drawn.iter().find(|(other, _)| *other == addr).map(|(_, at)| *at);
        let Some(from) = from.and_then(at) else { return self.drawn.first().map(|(addr, _)| *addr) };
        let ahead = self.drawn.iter().filter_map(|(addr, at)| {
            // A row is as high as two columns are wide.
            let (dx, dy) = (i32::from(at.x) - i32::from(from.x), 2 * (i32::from(at.y) - i32::from(from.y)));
            let (along, aside) = (dx * across + dy * down, (dx * down).abs() + (dy * across).abs());
            (along > 0 && aside <= 3 * along).then_some((along + 2 * aside, *at, *addr))
        });
        ahead.min_by_key(|(cost, at, _)| (*cost, *at)).map(|(.., addr)| addr)
    }

    fn seek(&self, from: Option<Addr>, view: &View<'_>, turn: SearchDirection) -> Option<Addr> {
        let graph = DrawnGraph::of(view);
        let count = graph.nodes.len();
        let from = from.and_then(|addr| graph.number(addr)).unwrap_or(0);
        let step = |by: usize| match turn {
            SearchDirection::Forward => (from + by) % count,
            SearchDirection::Back => (from + count - by) % count,
        };
        (1..count)
            .map(step)
            .map(|node| graph.nodes[node])
            .find(|node| self.search.sought.matches(&words(node, view)))
            .map(|node| node.addr)
    }

    fn scenery<'a>(&'a self, view: &View<'a>) -> Scenery<'a> {
        let graph = DrawnGraph::of(view);
        let selected = self.node(view).and_then(|addr| graph.number(addr));
        let way = |wave: WaveView| {
            view.model.rumors().get(wave.id).map(|rumor| (wave, MessagePath::of(rumor, view.model.nodes())))
        };
        let wave = view.wave.and_then(way);
        Scenery { graph, selected, wave, registrations: self.registrations, filter: &self.search.filter }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchDirection {
    Forward,
    Back,
}

/// How the overlay is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DrawingStyle {
    /// Each node where it was placed.
    Map,
    /// One cell per node.
    Grid,
}

/// Above the limit only the whole screen has room for a map.
fn shape(nodes: usize, area: Rect, is_whole_screen: bool) -> DrawingStyle {
    let cells = usize::from(area.width) * usize::from(area.height);
    let has_room = is_whole_screen && cells / nodes.max(1) >= CELLS_A_NODE;
    if nodes <= MAP_MAX || has_room { DrawingStyle::Map } else { DrawingStyle::Grid }
}

/// The grid, and the neighborhood of the selected node beside or below it if there is room.
fn split(scenery: &Scenery<'_>, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Vec<Mark> {
    let nodes = scenery.graph.nodes.len();
    let names = [0, nodes / 2, nodes.saturating_sub(1)].map(|node| text::width(&scenery.short_name(node, view)));
    let names = names.into_iter().max().unwrap_or(0);
    let fifths = |count: u32| u16::try_from(u32::from(area.width) * count / 5).unwrap_or(area.width);
    let near = Constraint::Min(fifths(2).max(NEAR_WIDTH_MIN));
    let [left, right] = Layout::horizontal([near, Constraint::Length(fifths(3))]).areas(area);
    let plan = grid::plan(nodes, names, right);
    if area.width < 2 * NEAR_WIDTH_MIN {
        return grid::render(scenery, grid::plan(nodes, names, area), frame, area, view);
    }
    // What the grid does not need goes to the neighborhood.
    let spare = right.width.saturating_sub(plan.width());
    let left = Rect { width: (left.width + spare).saturating_sub(1), ..left };
    let right = Rect { x: right.x + spare, width: right.width - spare, ..right };
    near::render(scenery, frame, left, view);
    grid::render(scenery, plan, frame, right, view)
}

impl Scenery<'_> {
    /// Whether it is a link of the selected node.
    fn is_selected(&self, tie: &Tie) -> bool {
        self.selected.is_some_and(|node| tie.touches(node))
    }

    /// A node on a cell.
    fn mark(&self, node: usize, at: Position, label: Option<(Tone, String)>, view: &View<'_>) -> Mark {
        let rank = if self.selected == Some(node) { Rank::Selected } else { Rank::Other };
        Mark { addr: self.graph.nodes[node].addr, at, look: self.look(node, view), label, rank }
    }

    /// The sign of a node.
    fn look(&self, node: usize, view: &View<'_>) -> Look {
        let node = self.graph.nodes[node];
        let mut look = look(node, self.arrival(node), view.theme);
        if !self.filter.is_all() && !self.filter.matches(&words(node, view)) {
            look.tone = Tone::Stale;
        }
        look
    }

    /// How far the wave came to a node. A seed takes no messages.
    fn arrival(&self, node: &NodeRecord) -> Arrival {
        match &self.wave {
            Some((wave, way)) if node.role != Some(Role::Seed) => match way.arrival(node.addr, wave.so_far()) {
                Some(arrival) => Arrival::Hop(arrival.hop),
                None if node.is_ours() => Arrival::NotYet,
                None => Arrival::NoWave,
            },
            Some(_) | None => Arrival::NoWave,
        }
    }

    /// What it means when a node does not have the message of the wave.
    fn lacking(&self, view: &View<'_>) -> Lacking {
        let rumor = self.wave.as_ref().and_then(|(wave, _)| view.model.rumors().get(wave.id));
        let is_on_its_way = self.wave.as_ref().is_some_and(|(wave, _)| wave.so_far() < 1.0);
        match rumor {
            Some(_) if is_on_its_way => Lacking::NotYet,
            Some(rumor) if !view.model.is_complete(rumor) => Lacking::Unseen,
            Some(rumor) if view.is_older(rumor.began(), DELIVERY_TIME) => Lacking::ForGood,
            Some(_) | None => Lacking::NotYet,
        }
    }

    /// The name beside a node, in the color of its state.
    fn label(&self, node: usize, view: &View<'_>) -> (Tone, String) {
        let name = self.short_name(node, view);
        let node = self.graph.nodes[node];
        let is_dim = !self.filter.is_all() && !self.filter.matches(&words(node, view));
        let tone = if is_dim || has_faded(node, view) { Tone::Stale } else { view.node_tone(node.addr) };
        (tone, text::truncate(&name, LABEL_WIDTH_MAX, view.theme.glyphs).into_owned())
    }

    fn short_name(&self, node: usize, view: &View<'_>) -> String {
        view.name(self.graph.nodes[node].addr)
    }
}

/// The name of a node that died a while ago is dim; its sign stays as it is.
fn has_faded(node: &NodeRecord, view: &View<'_>) -> bool {
    matches!(node.state(), ObservedState::Dead | ObservedState::Killed) && view.is_older(node.since, FADE_TIME)
}

/// The text that a filter searches.
fn words(node: &NodeRecord, view: &View<'_>) -> String {
    let role = node.role.map_or_else(String::new, |role| role.to_string());
    let place = if node.is_ours() { "" } else { " elsewhere" };
    format!("{} {} {role} {}{place}", view.name(node.addr), node.addr, state_word(node.state()))
}

/// The title's notes: the wave first, while one is shown.
fn note(scenery: &Scenery<'_>, view: &View<'_>) -> String {
    let graph = &scenery.graph;
    let known = graph.nodes.iter().filter(|node| node.state() == ObservedState::Known).count();
    let links = graph.ties.iter().filter(|tie| tie.kind == TieKind::Neighbor).count();
    let mut items = wave_note(scenery, view);
    items.push(count_text((graph.nodes.len() - known) as u64, "node"));
    items.extend(view.links_text(links));
    if known + graph.more > 0 {
        items.push(format!("{} heard of", text::count(known + graph.more)));
    }
    items.join(", ")
}

/// Which message, how far it came, and who has it.
fn wave_note(scenery: &Scenery<'_>, view: &View<'_>) -> Vec<String> {
    let Some((wave, way)) = &scenery.wave else { return Vec::new() };
    let Some(rumor) = view.model.rumors().get(wave.id) else { return Vec::new() };
    let (reached, hop) = way.reached(rumor, wave.so_far());
    let about = if rumor.is_hop_uncertain { "~" } else { "" };
    let proven = |(node, _): &(Addr, ForeignCopy)| way.arrival(*node, wave.so_far()).is_some();
    let elsewhere = rumor.elsewhere(view.model.nodes()).filter(proven).count();
    let elsewhere = view.model.beyond_text(elsewhere, view.vantage);
    let again = if matches!(wave.kind, WaveKind::Again(_)) { " again" } else { "" };
    let least = if view.model.is_complete(rumor) { "" } else { "at least " };
    vec![
        format!("wave {}{again}", view.model.message_name(wave.id)),
        format!("hop {about}{hop}"),
        format!("{least}{reached}/{}{elsewhere} have it", rumor.coverage(view.model.nodes(), Counting::HadTime).of),
    ]
}

/// Draws the legend into the lower edge of the frame, and above it if it needs more room; returns
/// the area inside.
fn render_legend(scenery: &Scenery<'_>, frame: &mut Frame<'_>, inside: Rect, view: &View<'_>) -> Rect {
    let looks: Vec<Look> = (0..scenery.graph.nodes.len()).map(|node| scenery.look(node, view)).collect();
    let harms: Vec<Harm> = scenery.graph.ties.iter().map(|tie| tie.harm).collect();
    let room = inside.width.saturating_sub(2);
    let lines = legend(&looks, &harms, scenery.lacking(view), usize::from(room), view);
    let (above, mut y) =
        (u16::try_from(lines.len().saturating_sub(1)).unwrap_or(0).min(inside.height), inside.bottom());
    for mut line in lines.into_iter().rev().take(usize::from(above) + 1) {
        line.spans.insert(0, " ".into());
        line.push_span(" ");
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(inside.width);
        frame.render_widget(line, Rect { x: inside.x, y, width, height: 1 });
        y = y.saturating_sub(1);
    }
    Rect { height: inside.height - above, ..inside }
}
