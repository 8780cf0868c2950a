//! Liveness: which nodes are probed, which probes are missed, and when each node was last heard.
//! Problems come first.
//!
//! ```text
//! 3 Liveness every 13 s, 97% answered
//! ? p5 2/3 missed, silent 4.1 s, by p3 and p7
//! ● p4 310us, watched by 4
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Focus, Parts, filter_note, fit, framed, mark, plain_text, render_empty};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::span_text;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::ui::action::{Move, PaneId};
use crate::ui::list_view::ListView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::{View, state_sign, state_tone, state_word};

/// Watchers that a line names.
const WATCHERS_SHOWN: usize = 3;

/// The state of the pane.
#[derive(Debug, Default)]
pub(crate) struct LivenessPane {
    pub(crate) list: ListView<Addr>,
}

/// What the nodes that probe a node know of it.
#[derive(Debug, Clone, Copy, Default)]
struct ProbeView {
    last: Option<Time>,
    rtt: Option<u64>,
    watchers: usize,
}

impl LivenessPane {
    /// The node of the selected line.
    pub(crate) fn selected(&self, view: &View<'_>) -> Option<Addr> {
        self.list.selected(&self.rows(view))
    }

    pub(crate) fn act(&mut self, wanted: Move, view: &View<'_>) {
        let rows = self.rows(view);
        self.list.act(&rows, wanted, |addr| plain(addr, view));
    }

    fn rows(&self, view: &View<'_>) -> Vec<Addr> {
        let heard = heard(view);
        let mut nodes: Vec<&NodeRecord> = view.model.nodes().iter().filter(|node| is_watched(node, &heard)).collect();
        nodes.sort_by_cached_key(|node| (Reverse(trouble(node)), view.by_name(node.addr)));
        let rows = nodes.into_iter().map(|node| node.addr);
        if self.list.filter().is_all() {
            rows.collect()
        } else {
            rows.filter(|addr| self.list.filter().matches(&plain(*addr, view))).collect()
        }
    }

    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) {
        let rows = self.rows(view);
        let inside = framed(PaneId::Liveness, &self.note(view), frame, area, view, focus);
        if rows.is_empty() {
            render_empty("Nobody is probed yet. Peers probe the neighbors that they have.", frame, inside, view);
            return;
        }
        let columns = usize::from(inside.width);
        let window = self.list.window(&rows, usize::from(inside.height));
        let selected = self.list.selected(&rows);
        let heard = heard(view);
        let lines = rows[window].iter().map(|addr| {
            let line = fit(&parts(*addr, &heard, view), columns, view);
            if selected == Some(*addr) { mark(line, columns, focus) } else { line }
        });
        frame.render_widget(Paragraph::new(lines.collect::<Vec<Line<'_>>>()), inside);
    }

    fn note(&self, view: &View<'_>) -> String {
        let paces = view.model.nodes().iter().filter(|node| node.role == Some(Role::Peer)).filter_map(|node| node.pace);
        let every = paces.map(|pace| pace.liveness_interval_us).max().map(std::time::Duration::from_micros);
        let every = every.map(|every| format!("every {}", span_text(every)));
        let answered = view.model.liveness().answered_percent(view.now).map(|share| format!("{share}% answered"));
        let filter = (!self.list.filter().is_all()).then(|| filter_note(self.list.filter()));
        [every, answered, filter].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The line as text.
pub(crate) fn plain(addr: Addr, view: &View<'_>) -> String {
    plain_text(&parts(addr, &heard(view), &view.in_full()))
}

fn is_watched(node: &NodeRecord, heard: &BTreeMap<Addr, ProbeView>) -> bool {
    match node.state() {
        ObservedState::Known | ObservedState::Left => false,
        ObservedState::Dead | ObservedState::Killed | ObservedState::Hung | ObservedState::Suspect { .. } => true,
        ObservedState::Up => heard.contains_key(&node.addr),
    }
}

fn trouble(node: &NodeRecord) -> u32 {
    match node.state() {
        ObservedState::Suspect { misses, .. } => misses.saturating_add(10),
        ObservedState::Hung => 10,
        ObservedState::Dead | ObservedState::Killed => 5,
        ObservedState::Up | ObservedState::Left | ObservedState::Known => 0,
    }
}

/// One walk through the links between neighbors.
fn heard(view: &View<'_>) -> BTreeMap<Addr, ProbeView> {
    let mut all: BTreeMap<Addr, ProbeView> = BTreeMap::new();
    let neighbors = |link: &&crate::model::link::LinkHistory| link.purpose == crate::event::Purpose::Neighbor;
    for link in view.model.links().up().filter(neighbors) {
        let heard = all.entry(link.key.peer).or_default();
        heard.watchers += 1;
        heard.last = heard.last.max(link.last_heard);
        heard.rtt = heard.rtt.max(link.rtt_us);
    }
    all
}

fn parts(addr: Addr, heard: &BTreeMap<Addr, ProbeView>, view: &View<'_>) -> Parts {
    let Some(node) = view.model.nodes().get(addr) else { return Parts::new() };
    let state = node.state();
    let heard = heard.get(&addr).copied().unwrap_or_default();
    let tone = state_tone(state);
    let mut parts = vec![
        (tone, format!("{} ", state_sign(view.theme, state))),
        (view.node_tone(addr), format!("{} ", view.padded_name(addr))),
    ];
    match state {
        ObservedState::Suspect { misses, limit } => {
            parts.push((tone, format!("{misses}/{limit} missed")));
            parts.extend(silent(heard, view));
            parts.push((Tone::Stale, format!(", by {}", suspecting(node, view))));
        }
        ObservedState::Up => {
            parts.push((Tone::Stale, heard.rtt.map_or_else(|| "no probe yet".to_owned(), text::rtt)));
            parts.push((Tone::Stale, format!(", watched by {}", heard.watchers)));
        }
        ObservedState::Hung => {
            parts.push((tone, "hung".to_owned()));
            parts.push((tone, ", not noticed yet".to_owned()));
            parts.extend(silent(heard, view));
        }
        ObservedState::Dead | ObservedState::Killed | ObservedState::Left | ObservedState::Known => {
            parts.push((tone, format!("{} {} ago", state_word(state), view.ago(node.since))));
        }
    }
    parts
}

fn silent(heard: ProbeView, view: &View<'_>) -> Option<(Tone, String)> {
    heard.last.map(|last| (Tone::Plain, format!(", silent {}", view.ago(last))))
}

fn suspecting(node: &NodeRecord, view: &View<'_>) -> String {
    let names: Vec<_> = node.suspicions().iter().map(|suspicion| view.short_name(suspicion.by)).collect();
    list_text(&names, WATCHERS_SHOWN)
}
