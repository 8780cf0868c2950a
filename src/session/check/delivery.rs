//! Who got which message, and who should have.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::disturbance::Disturbance;
use super::{Breach, Invariant, REMEMBERED, SETTLE_TIME, SPREAD_TIME};
use crate::event::{Event, EventKind};
use crate::model::Model;
use crate::model::graph::Graph;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// The messages of the last [`REMEMBERED`], and who has them.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    holders: BTreeMap<MessageId, BTreeSet<Addr>>,
    /// When each of them was first seen.
    order: VecDeque<(Time, MessageId)>,
    /// Messages that have not had their time yet.
    open: VecDeque<(Time, MessageId)>,
    /// The overlay that was judged by last, while it stays the same.
    last: Option<(u64, Arc<Graph>)>,
}

impl Deliveries {
    /// Takes an event in; a breach if it is a second delivery.
    pub(super) fn take(&mut self, event: &Event) -> Option<Breach> {
        if let EventKind::Generated { id, .. } | EventKind::Received { id, .. } = event.kind {
            if matches!(event.kind, EventKind::Generated { .. }) {
                self.open.push_back((event.at, id));
            }
            return self.deliver(event, id);
        }
        if matches!(event.kind, EventKind::Started { .. }) {
            // A new life remembers nothing.
            for holders in self.holders.values_mut() {
                holders.remove(&event.node);
            }
        }
        None
    }

    fn deliver(&mut self, event: &Event, id: MessageId) -> Option<Breach> {
        if !self.holders.contains_key(&id) {
            self.order.push_back((event.at, id));
        }
        let is_first = self.holders.entry(id).or_default().insert(event.node);
        (!is_first).then_some(Breach { at: event.at, node: event.node, rule: Invariant::DeliveredTwice { id } })
    }

    /// Judges the messages whose time is over.
    pub(super) fn judge(&mut self, model: &Model, disturbance: &Disturbance, now: Time) -> Vec<Breach> {
        let mut found = Vec::new();
        while let Some((began, id)) = self.open.front().copied().filter(|(began, _)| now.since(*began) > SPREAD_TIME) {
            self.open.pop_front();
            if !disturbance.was_since(began, SETTLE_TIME) {
                found.extend(self.undelivered(model, began, id));
            }
        }
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > REMEMBERED) {
            if let Some((_, id)) = self.order.pop_front() {
                self.holders.remove(&id);
            }
        }
        found
    }

    fn undelivered(&mut self, model: &Model, began: Time, id: MessageId) -> Vec<Breach> {
        let overlay = self.overlay(model, began);
        let reached = overlay.distances(id.origin);
        let holders = self.holders.get(&id);
        let lacks = |node: &Addr| holders.is_none_or(|holders| !holders.contains(node));
        let lacking = reached.into_iter().map(|(node, _)| node).filter(lacks);
        lacking.map(|node| Breach { at: began, node, rule: Invariant::Undelivered { id } }).collect()
    }

    /// The links between nodes told of here that stood while a message spread. While nothing changes, it
    /// is the same for one message after the other.
    fn overlay(&mut self, model: &Model, began: Time) -> Arc<Graph> {
        let version = model.changes().version();
        let latest = model.changes().log().last().map(|(_, change)| change.at);
        let is_quiet = latest.is_none_or(|latest| latest < began);
        if let Some((judged, graph)) = &self.last
            && is_quiet
            && *judged == version
        {
            return Arc::clone(graph);
        }
        let overlay = model.overlay_throughout(began, began + SPREAD_TIME);
        let graph = Arc::new(overlay.graph.only(|node| !overlay.elsewhere.contains(&node), |_, _| true));
        if is_quiet {
            self.last = Some((version, Arc::clone(&graph)));
        }
        graph
    }
}
