//! Liveness: which nodes are probed, which probes are missed, and when each node was last heard.
//! Problems come first.
//!
//! ```text
//! 4 Liveness every 13 s, 97% answered
//! ? p5 2/3 missed, silent 4.1 s, by p3 and p7
//! ● p4 310us, watched by 4
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::list::{Lines, ListPane, filter_note};
use super::{PaneInfo, PanePlace, PaneSize, Selection, Selects};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::span_text;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::ui::filter::Filter;
use crate::ui::line::{Parts, Sentence, plain_text};
use crate::ui::list_view::{ListView, Untouched};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::{View, nodes_shown, state_sign, state_tone, state_word};

/// Watchers that a line names.
const WATCHERS_SHOWN: usize = 3;

pub(super) const PANE: PaneInfo = PaneInfo {
    title: "Liveness",
    word: "liveness",
    help: "liveness: which nodes answer probes and which do not",
    wide: PanePlace { strip: 1, size: PaneSize::Wanted { least: 12, most: 25 } },
    rank: 3,
    selects: Selects::Node,
    // Those that are not heard from.
    count: |view| (view.model.nodes().counts().suspect, Tone::Suspect),
    wanted: |view| nodes_shown(view).filter(|node| node.role != Some(Role::Seed)).count() + 2,
    ..PaneInfo::new(ListPane::<LivenessPane>::boxed)
};

/// A line is a node.
#[derive(Default)]
struct LivenessPane;

/// What is known of each node that is probed.
type ProbeViews = BTreeMap<Addr, ProbeView>;

/// What the nodes that probe a node know of it.
#[derive(Debug, Clone, Copy, Default)]
struct ProbeView {
    last: Option<Time>,
    answer: Option<(Time, u64)>,
    watchers: usize,
}

impl Lines for LivenessPane {
    type Key = Addr;
    type Rows = Vec<Addr>;
    type Facts = ProbeViews;
    const UNTOUCHED: Untouched = Untouched::First;

    fn rows(&self, filter: &Filter, view: &View<'_>) -> Vec<Addr> {
        let heard = heard(view);
        let mut nodes: Vec<&NodeRecord> = view.model.nodes().iter().filter(|node| is_watched(node, &heard)).collect();
        nodes.sort_by_cached_key(|node| (Reverse(trouble(node)), view.by_name(node.addr)));
        let rows = nodes.into_iter().map(|node| node.addr);
        rows.filter(|addr| filter.is_all() || filter.matches(&plain_text(&parts(*addr, &heard, view)))).collect()
    }

    fn facts(&self, _rows: &[Addr], _selected: Option<Addr>, view: &View<'_>) -> ProbeViews {
        heard(view)
    }

    fn line(&self, addr: Addr, heard: &ProbeViews, _columns: usize, view: &View<'_>) -> Sentence {
        parts(addr, heard, view).into()
    }

    fn note(&self, list: &ListView<Addr>, _rows: &Vec<Addr>, view: &View<'_>) -> String {
        let paces = view.model.nodes().iter().filter(|node| node.role == Some(Role::Peer)).filter_map(|node| node.pace);
        let every = paces.map(|pace| pace.liveness_interval_us).max().map(std::time::Duration::from_micros);
        let every = every.map(|every| format!("every {}", span_text(every)));
        let answered = view.model.liveness().answered_percent(view.now).map(|share| format!("{share}% answered"));
        [every, answered, filter_note(list)].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn hint(&self, _view: &View<'_>) -> String {
        "Nobody is probed yet. Peers probe the neighbors that they have.".to_owned()
    }

    fn selection(&self, addr: Addr, _view: &View<'_>) -> Selection {
        Selection::of_node(addr)
    }
}

fn is_watched(node: &NodeRecord, heard: &ProbeViews) -> bool {
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
fn heard(view: &View<'_>) -> ProbeViews {
    let mut all = ProbeViews::new();
    let neighbors = |link: &&crate::model::link::LinkHistory| link.purpose == crate::event::Purpose::Neighbor;
    for link in view.model.links().up().filter(neighbors) {
        let heard = all.entry(link.key.peer).or_default();
        heard.watchers += 1;
        heard.last = heard.last.max(link.last_heard);
        heard.answer = heard.answer.max(link.answer());
    }
    all
}

fn parts(addr: Addr, heard: &ProbeViews, view: &View<'_>) -> Parts {
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
            parts.push((
                Tone::Stale,
                heard.answer.map_or_else(|| "no probe yet".to_owned(), |(_, rtt_us)| text::rtt(rtt_us)),
            ));
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
    let names: Vec<_> = node.suspicions().iter().map(|suspicion| view.model.name_of(suspicion.by)).collect();
    list_text(&names, WATCHERS_SHOWN)
}
