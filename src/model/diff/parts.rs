//! The parts of the overlay between which nothing passes, and when it was in several.
//!
//! A link on which a cut or a partition is set joins nothing, even while both ends still hold it: so
//! the overlay falls apart when the fault is set, not only when the ends notice.

use std::time::Duration;

use super::{DifferenceKind, MomentDifference, Sides};
use crate::event::{Event, EventKind, LinkEvent, NodeEvent, Stop};
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::why::named_faults;
use crate::model::words::link::ended_by;
use crate::proto::addr::Addr;
use crate::proto::fault::FaultKind;
use crate::proto::time::Time;

/// Nodes that are looked at, over all changes, to find when the overlay was in parts: some seconds.
const WORK_MAX: usize = 50_000_000;

/// A time in parts that is worth telling: a peer that starts has no link for some milliseconds.
const NOTABLE: Duration = Duration::from_secs(1);

/// The parts, largest first; a whole overlay has one.
pub type OverlayParts = Vec<Vec<Addr>>;

/// A time during which the overlay was in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// `None`: it was so at the first moment already.
    pub from: Option<Time>,
    /// When it was whole again; `None`: not by the second moment.
    pub until: Option<Time>,
    /// The most parts that it was in.
    pub parts: OverlayParts,
    /// The cuts and partitions that were set when it fell apart.
    pub faults: Vec<FaultRecord>,
    /// With what it fell apart, and with what it became whole, if that was between the moments.
    pub turns: [Option<Event>; 2],
}

/// The parts of the overlay. Peers elsewhere are one node: they may be linked to each other.
pub(super) fn parts(model: &Model) -> OverlayParts {
    let graph = model.overlay().with_one_elsewhere();
    let is_cut = model.faults().iter().any(|record| record.fault.what == FaultKind::Cut);
    if !is_cut {
        return graph.parts();
    }
    graph.only(|_| true, |one, other| !model.faults().is_cut(one, other)).parts()
}

/// Follows the overlay from one moment on.
#[derive(Debug)]
pub(super) struct PartsWatch {
    model: Model,
    /// The version of the overlay and the faults that were set when it was last looked at.
    seen: (u64, usize),
    work: usize,
    apart: Vec<Apart>,
}

impl PartsWatch {
    pub(super) fn from(model: &Model) -> Self {
        let mut watch = Self { model: model.clone(), seen: version(model), work: 0, apart: Vec::new() };
        watch.look(None);
        watch
    }

    pub(super) fn take(&mut self, event: &Event) {
        self.model.apply(event);
        let now = version(&self.model);
        if now != self.seen && self.work < WORK_MAX {
            self.seen = now;
            self.look(Some(event));
        }
    }

    pub(super) fn finish(self) -> Vec<Apart> {
        self.apart
    }

    fn look(&mut self, event: Option<&Event>) {
        let (parts, at) = (parts(&self.model), event.map(|event| event.at));
        self.work += parts.iter().map(Vec::len).sum::<usize>();
        let open = self.apart.last_mut().filter(|apart| apart.until.is_none());
        match (open, parts.len() > 1) {
            (Some(apart), true) if parts.len() > apart.parts.len() => apart.parts = parts,
            (Some(apart), false) => {
                apart.until = at;
                apart.turns[1] = event.cloned();
            }
            (None, true) => {
                let is_cut = |record: &&FaultRecord| record.fault.what == FaultKind::Cut;
                let faults = self.model.faults().iter().filter(is_cut).cloned().collect();
                self.apart.push(Apart { from: at, until: None, parts, faults, turns: [event.cloned(), None] });
            }
            (Some(_), true) | (None, false) => {}
        }
    }
}

fn version(model: &Model) -> (u64, usize) {
    (model.changes.version(), model.faults().iter().len())
}

/// The overlay at both moments if its parts differ, and the times between in which it was in parts.
pub(super) fn differences(comparison: Sides<'_>, apart: &[Apart]) -> Vec<MomentDifference> {
    let [before, after] = [comparison.before, comparison.after].map(|model| sorted(comparison, parts(model)));
    let is_changed = before != after;
    let overlay = is_changed.then(|| {
        let (at, why) = turn(comparison, apart, &after);
        MomentDifference { what: DifferenceKind::Overlay { before, after }, at, why }
    });
    let is_told = |apart: &&Apart| match (apart.from, apart.until) {
        (Some(from), Some(until)) => until.since(from) >= NOTABLE,
        (Some(_), None) | (None, Some(_)) => !is_changed,
        (None, None) => false,
    };
    let apart = apart.iter().filter(is_told).map(|apart| {
        let parts = sorted(comparison, apart.parts.clone());
        let why = why_apart(comparison, apart);
        MomentDifference { what: DifferenceKind::Apart(Apart { parts, ..apart.clone() }), at: apart.from, why }
    });
    overlay.into_iter().chain(apart).collect()
}

/// When and why the overlay became as it is at the later moment.
fn turn(comparison: Sides<'_>, apart: &[Apart], after: &OverlayParts) -> (Option<Time>, Option<String>) {
    let Some(last) = apart.last() else { return (None, None) };
    if after.len() > 1 {
        return (last.from, why_apart(comparison, last));
    }
    (last.until, last.turns[1].as_ref().map(|event| told(comparison, event)))
}

/// The faults that were set, or else what ended the last link between the parts.
fn why_apart(comparison: Sides<'_>, apart: &Apart) -> Option<String> {
    // As the later moment knows them: with their ends.
    let is_it =
        |record: &&FaultRecord| apart.faults.iter().any(|set| set.fault == record.fault && set.since == record.since);
    let faults: Vec<&FaultRecord> = comparison.after.faults().ever().filter(is_it).collect();
    let named = named_faults(comparison.after, &faults, comparison.utc_offset_s);
    named.or_else(|| apart.turns[0].as_ref().map(|event| told(comparison, event)))
}

/// As what it is the cause: `the new link p3 - p5`.
fn told(comparison: Sides<'_>, event: &Event) -> String {
    let name = |node| comparison.name(node);
    let here = name(event.node);
    match &event.kind {
        // It names its node.
        EventKind::Fault(_) => comparison.after.sentence(&event.kind),
        EventKind::Link(LinkEvent::Up { peer, .. }) => format!("the new link {here} - {}", name(*peer)),
        EventKind::Link(LinkEvent::Down { peer, end, .. }) => {
            let peer = name(*peer);
            format!("the end of the link {here} - {peer}: {}", ended_by(&here, &peer, *end))
        }
        EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }) => format!("{here} was killed"),
        EventKind::Node(NodeEvent::Stopped { how: Stop::Left }) => format!("{here} left"),
        EventKind::Node(NodeEvent::Started { .. }) => format!("{here} was started"),
        EventKind::Node(NodeEvent::Hung) => format!("{here} hangs"),
        EventKind::Node(NodeEvent::Exposed { .. } | NodeEvent::WasAway { .. } | NodeEvent::Failed { .. })
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_) => {
            format!("at {here}, '{}'", comparison.after.sentence(&event.kind))
        }
    }
}

/// Names in order within each part, so that equal parts are equal.
fn sorted(comparison: Sides<'_>, mut parts: OverlayParts) -> OverlayParts {
    for part in &mut parts {
        part.sort_by_cached_key(|node| comparison.after.nodes().order_of(*node));
    }
    parts.sort_by_cached_key(|part| {
        let first = part.first().map(|node| comparison.after.nodes().order_of(*node));
        (std::cmp::Reverse(part.len()), first)
    });
    parts
}
