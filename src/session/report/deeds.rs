//! What was done to the network, in time, in the words of the commands.

use std::time::Duration;

use crate::event::{Event, EventKind, FaultEvent, GossipEvent, NodeEvent, Stop};
use crate::model::words::list_text;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Deeds that are kept: more than anybody does in a day.
pub const DEEDS_MAX: usize = 1_000;
/// The same done to several nodes within this time is one deed.
const TOGETHER: Duration = Duration::from_secs(1);
/// Names in one deed.
const NAMES_MAX: usize = 24;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeedKind {
    Start,
    Restart,
    Kill,
    Hang,
    SetFault,
    ClearFault,
    Lie,
    Say,
    /// Something that was not done, or that a node could not do.
    Failure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedDeed {
    pub at: Time,
    pub kind: DeedKind,
    /// As a command: `kill p3`, `partition p1 p2`.
    pub text: String,
    pub nodes: Vec<Addr>,
}

#[derive(Debug, Default)]
pub(super) struct DeedFold {
    deeds: Vec<ReportedDeed>,
    started: Map<Addr, ()>,
    more: u64,
}

impl DeedFold {
    /// Takes an event that the model has taken.
    pub(super) fn take(&mut self, model: &Model, event: &Event) {
        let Some((kind, text)) = self.deed(model, event) else { return };
        let joins = matches!(kind, DeedKind::Start | DeedKind::Restart | DeedKind::Kill | DeedKind::Hang);
        let is_full = self.deeds.len() == DEEDS_MAX;
        let before = self.deeds.last_mut().filter(|deed| deed.kind == kind && event.at.since(deed.at) <= TOGETHER);
        match before.filter(|_| joins) {
            Some(deed) => deed.nodes.push(event.node),
            None if is_full => self.more += 1,
            None => self.deeds.push(ReportedDeed { at: event.at, kind, text, nodes: vec![event.node] }),
        }
    }

    /// The nodes begin to leave: those that hang cannot, and are ended. Nobody did that.
    pub(super) fn leaving(&mut self, at: Time) {
        let hung = |node: &Addr| {
            let of_node = |deed: &&ReportedDeed| deed.kind != DeedKind::Kill && deed.nodes.contains(node);
            self.deeds.iter().rev().find(of_node).is_some_and(|deed| deed.kind == DeedKind::Hang)
        };
        let is_end = |deed: &ReportedDeed| {
            deed.kind == DeedKind::Kill && at.since(deed.at) <= TOGETHER && deed.nodes.iter().all(hung)
        };
        let ends: Vec<bool> = self.deeds.iter().map(is_end).collect();
        let mut ends = ends.into_iter();
        self.deeds.retain(|_| !ends.next().unwrap_or(false));
    }

    /// All deeds, and how many were too many.
    pub(super) fn finish(mut self, model: &Model) -> (Vec<ReportedDeed>, u64) {
        // A hung node that is started again ends its life first.
        let restarts: Vec<(Time, Vec<Addr>)> = self
            .deeds
            .iter()
            .filter(|deed| deed.kind == DeedKind::Restart)
            .map(|deed| (deed.at, deed.nodes.clone()))
            .collect();
        let restarts_all = |deed: &ReportedDeed| {
            let has_all = |nodes: &Vec<Addr>| deed.nodes.iter().all(|node| nodes.contains(node));
            restarts.iter().any(|(at, nodes)| *at == deed.at && has_all(nodes))
        };
        self.deeds.retain(|deed| deed.kind != DeedKind::Kill || !restarts_all(deed));
        for deed in &mut self.deeds {
            let word = match deed.kind {
                DeedKind::Start => "start",
                DeedKind::Restart => "restart",
                DeedKind::Kill => "kill",
                DeedKind::Hang => "hang",
                DeedKind::SetFault | DeedKind::ClearFault | DeedKind::Lie | DeedKind::Say | DeedKind::Failure => {
                    continue;
                }
            };
            let names: Vec<_> = deed.nodes.iter().map(|node| model.name_of(*node)).collect();
            deed.text = format!("{word} {}", list_text(&names, NAMES_MAX));
        }
        (self.deeds, self.more)
    }

    fn deed(&mut self, model: &Model, event: &Event) -> Option<(DeedKind, String)> {
        let name = |addr: Addr| model.name_of(addr).into_owned();
        Some(match &event.kind {
            EventKind::Node(NodeEvent::Started { .. }) => {
                let is_first = self.started.insert(event.node, ()).is_none();
                (if is_first { DeedKind::Start } else { DeedKind::Restart }, String::new())
            }
            EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }) => (DeedKind::Kill, String::new()),
            EventKind::Node(NodeEvent::Hung) => (DeedKind::Hang, String::new()),
            EventKind::Node(NodeEvent::Failed { .. }) => {
                (DeedKind::Failure, format!("{}: {}", name(event.node), model.sentence(&event.kind)))
            }
            EventKind::Fault(FaultEvent::Set { fault, .. }) => (DeedKind::SetFault, fault.text(&name)),
            EventKind::Fault(FaultEvent::Cleared { fault, .. }) => (DeedKind::ClearFault, fault.end_text(&name)),
            EventKind::Fault(FaultEvent::Lied { about }) => {
                (DeedKind::Lie, format!("lie {} {}", name(event.node), name(*about)))
            }
            EventKind::Gossip(GossipEvent::Generated { id, body, .. }) if id.number().is_none() => {
                (DeedKind::Say, format!("say {} {}", name(event.node), super::messages::shortened(&body.to_string())))
            }
            EventKind::Node(
                NodeEvent::Stopped { how: Stop::Left } | NodeEvent::Exposed { .. } | NodeEvent::WasAway { .. },
            )
            | EventKind::Gossip(_)
            | EventKind::Link(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_) => return None,
        })
    }
}
