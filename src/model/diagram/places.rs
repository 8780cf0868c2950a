//! Which nodes get a column, and which items are drawn in them.

use super::item::{DiagramItem, ItemKind, ItemRoute};
use super::subject::DiagramSubject;
use super::{COLUMNS_MAX, COLUMNS_MIN, Diagram, DiagramColumn, DiagramSpec, LeftOut, LifeLine};
use crate::event::NodeState;
use crate::model::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// The diagram of these items, which are in order.
pub(super) fn place(spec: &DiagramSpec, model: &Model, mut items: Vec<DiagramItem>, left_out: LeftOut) -> Diagram {
    items.retain(|item| is_asked_for(spec, item));
    let left_out = LeftOut { answers: drop_answers(spec, &mut items), ..left_out };
    let taking_part = taking_part(spec, model, &items);
    let meets = |item: &DiagramItem| {
        let nodes = item.route.nodes();
        nodes.is_empty() || nodes.iter().any(|node| taking_part.contains(node))
    };
    items.retain(meets);
    let (from, to) = trim(spec, &mut items);
    let (columns, folded) = columns(spec, &taking_part, &items);
    let numbered = columns.iter().enumerate().map(|(place, node)| (*node, place));
    let places = numbered.chain(folded.iter().map(|node| (*node, columns.len()))).collect();
    let standing = model.faults().ever().filter(|record| record.was_at(from) && record.since < from);
    let name = |node: Addr| model.name_of(node).into_owned();
    let changes = ColumnLives { spec, model, items: &items, from };
    Diagram {
        title: spec.subject.title(model),
        subject: spec.subject.clone(),
        from,
        to,
        utc_offset_s: spec.utc_offset_s,
        columns: columns.iter().map(|node| changes.column(*node)).collect(),
        folded: folded.iter().map(|node| name(*node)).collect(),
        standing: standing.map(|record| record.fault.text(&name)).collect(),
        items,
        left_out,
        doubt: model.doubt(),
        places,
        order: [columns, folded].concat(),
    }
}

/// Of a link, and of a window with chosen nodes: what they did, and what went between them.
fn is_asked_for(spec: &DiagramSpec, item: &DiagramItem) -> bool {
    let nodes = match &spec.subject {
        DiagramSubject::Link(..) => spec.subject.nodes(),
        DiagramSubject::Window(nodes) if !nodes.is_empty() => nodes.clone(),
        DiagramSubject::Message(_)
        | DiagramSubject::Death { .. }
        | DiagramSubject::Node(_)
        | DiagramSubject::Window(_) => return true,
    };
    match &item.route {
        ItemRoute::Between { .. } | ItemRoute::At(_) => item.route.nodes().iter().all(|node| nodes.contains(node)),
        ItemRoute::Across(_) | ItemRoute::Everywhere => true,
    }
}

/// Of the probes that the dead node answered, each asker's last says when it was alive; what it asked itself says
/// nothing. Returns how many are dropped.
fn drop_answers(spec: &DiagramSpec, items: &mut Vec<DiagramItem>) -> u64 {
    let DiagramSubject::Death { dead, .. } = spec.subject else { return 0 };
    let (before, mut answered) = (items.len(), Set::default());
    let mut is_kept: Vec<bool> = items
        .iter()
        .rev()
        .map(|item| match item.route {
            ItemRoute::Between { from, to, .. } if item.kind == ItemKind::Probe => to == dead && answered.insert(from),
            ItemRoute::Between { .. } | ItemRoute::At(_) | ItemRoute::Across(_) | ItemRoute::Everywhere => true,
        })
        .collect();
    items.retain(|_| is_kept.pop().unwrap_or(true));
    (before - items.len()) as u64
}

/// It stands beside what is asked for, and adds no node to it.
const fn is_context(subject: &DiagramSubject, kind: ItemKind) -> bool {
    let is_life = matches!(kind, ItemKind::Start | ItemKind::Stop | ItemKind::Hang | ItemKind::Away);
    let is_link = matches!(kind, ItemKind::LinkUp | ItemKind::LinkDown | ItemKind::NoLink | ItemKind::Note);
    matches!(kind, ItemKind::Fault | ItemKind::FaultCleared)
        || is_life && !matches!(subject, DiagramSubject::Window(_))
        || is_link && matches!(subject, DiagramSubject::Message(_))
}

/// The chosen nodes, then the subject's, then the others: in the order in which they take part, or, where the
/// diagram moves on with the clock, always in the same.
fn taking_part(spec: &DiagramSpec, model: &Model, items: &[DiagramItem]) -> Set<Addr> {
    let mut nodes: Set<Addr> = spec.picked.iter().copied().chain(spec.subject.nodes()).collect();
    let (is_open, moves_on) = match &spec.subject {
        DiagramSubject::Window(chosen) => (chosen.is_empty(), true),
        DiagramSubject::Link(..) => (false, false),
        DiagramSubject::Node(_) => (true, true),
        DiagramSubject::Message(_) | DiagramSubject::Death { .. } => (true, false),
    };
    if !is_open {
        return nodes;
    }
    let own = items.iter().filter(|item| !is_context(&spec.subject, item.kind));
    let mut others: Set<Addr> = own.flat_map(|item| item.route.nodes()).collect();
    if moves_on {
        let known = model.nodes().iter().map(|node| node.addr).filter(|node| others.contains(node));
        others = known.chain(others.iter().copied()).collect();
    }
    nodes.extend(others);
    nodes
}

/// The diagram of a message begins and ends with it.
fn trim(spec: &DiagramSpec, items: &mut Vec<DiagramItem>) -> (Time, Time) {
    let is_own = |item: &&DiagramItem| !is_context(&spec.subject, item.kind);
    match &spec.subject {
        DiagramSubject::Message(_) => {
            let Some(last) = items.iter().rfind(is_own).map(|item| item.at) else { return (spec.from, spec.to) };
            items.retain(|item| item.at <= last);
            let first = items.iter().find(is_own).map_or(spec.from, |item| item.at);
            (first.max(spec.from), last)
        }
        DiagramSubject::Death { .. }
        | DiagramSubject::Node(_)
        | DiagramSubject::Link(..)
        | DiagramSubject::Window(_) => (spec.from, spec.to),
    }
}

/// The nodes with a column each, and those that share the last. Chosen nodes come first, then those to
/// which something happened.
fn columns(spec: &DiagramSpec, taking_part: &Set<Addr>, items: &[DiagramItem]) -> (Vec<Addr>, Vec<Addr>) {
    let most = spec.columns_max.clamp(COLUMNS_MIN, COLUMNS_MAX);
    let room = match (spec.picked.len(), taking_part.len()) {
        (0, all) if all <= most => return (taking_part.iter().copied().collect(), Vec::new()),
        (0, _) => most - 1,
        (picked, _) => picked.min(most - 1),
    };
    let own = spec.picked.iter().copied().chain(spec.subject.nodes());
    let troubled = items.iter().filter(|item| is_trouble(item.kind)).flat_map(|item| item.route.nodes());
    let wanted = own.chain(troubled).chain(taking_part.iter().copied());
    let mut shown: Set<Addr> = Set::default();
    for node in wanted.filter(|node| taking_part.contains(node)) {
        if shown.len() < room {
            shown.insert(node);
        }
    }
    taking_part.iter().copied().partition(|node| shown.contains(node))
}

/// Whoever asks wants to see whom it met.
const fn is_trouble(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::LostCopy | ItemKind::LostReport | ItemKind::Stop | ItemKind::Hang | ItemKind::Death)
}

/// What a node is from an item on.
const TURNS: [(ItemKind, LifeLine); 3] =
    [(ItemKind::Start, LifeLine::Runs), (ItemKind::Hang, LifeLine::Hangs), (ItemKind::Stop, LifeLine::Gone)];

/// What tells the state of nodes in the course of a diagram.
struct ColumnLives<'a> {
    spec: &'a DiagramSpec,
    model: &'a Model,
    items: &'a [DiagramItem],
    from: Time,
}

impl ColumnLives<'_> {
    fn column(&self, node: Addr) -> DiagramColumn {
        let record = self.model.nodes().get(node);
        let is_ours = record.is_some_and(super::super::node::NodeRecord::is_ours);
        let first = match self.model.life_at(node, self.from) {
            Some(NodeState::Runs) => LifeLine::Runs,
            Some(NodeState::Hangs) => LifeLine::Hangs,
            Some(NodeState::Killed | NodeState::Left) => LifeLine::Gone,
            None if is_ours => LifeLine::Gone,
            None => LifeLine::Elsewhere,
        };
        let own = self.items.iter().filter(|item| item.route == ItemRoute::At(node));
        let turns = own.filter_map(|item| {
            let (_, line) = TURNS.into_iter().find(|(kind, _)| *kind == item.kind)?;
            Some((item.at, line))
        });
        DiagramColumn {
            node,
            name: self.model.name_of(node).into_owned(),
            role: record.and_then(|record| record.role),
            lives: std::iter::once((self.spec.from, first)).chain(turns).collect(),
        }
    }
}

impl DiagramColumn {
    /// What the node was at this moment.
    pub fn life_at(&self, at: Time) -> LifeLine {
        let turn = self.lives.iter().rfind(|(since, _)| *since <= at).or_else(|| self.lives.first());
        turn.map_or(LifeLine::Elsewhere, |(_, line)| *line)
    }
}
