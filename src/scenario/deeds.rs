//! What was done in a session, found in its events: the commands that the user gave.
//!
//! [`Deeds`] is a fold. Commands leave marks: a node that starts, stops or hangs, a fault that is
//! set, a text of the user. What left none, because it was refused or did nothing, is not repeated.

mod gather;

use std::time::Duration;

use self::gather::gathered;
use super::leaving::LeavingWatch;
use super::record::{DEEDS_MAX, Precision, RecordedLine, SessionRecord};
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::event::{Event, EventKind, FaultEvent, GossipEvent, NodeEvent, NodeState, Stop};
use crate::model::Map;
use crate::proto::addr::Addr;
use crate::proto::fault::Fault;
use crate::proto::message::Role;
use crate::proto::name::NodeName;
use crate::proto::time::Time;

/// A command's marks on sockets are this close together: a node that hangs is ended and started by
/// one `restart`.
const TOGETHER: Duration = Duration::from_millis(100);

/// What was done in a session, as its events tell it so far.
#[derive(Debug, Default)]
pub struct Deeds {
    /// Seeds and peers of the lab, if the recording says so.
    lab: Option<(usize, usize)>,
    precision: Precision,
    began: Option<Time>,
    /// Nodes of the session, in the order of their first start.
    nodes: Map<Addr, KnownNode>,
    seeds: u32,
    peers: u32,
    /// Nodes that started with the first one.
    first: usize,
    done: Vec<RecordedDeed>,
    /// Commands over the limit.
    more: usize,
    leaving: LeavingWatch,
    newest: Option<Time>,
    /// The start of the first peer.
    peer: Option<NodeEvent>,
}

#[derive(Debug)]
struct KnownNode {
    role: Role,
    /// Counted from 1 among the nodes of its role.
    number: u32,
    state: NodeState,
}

/// A command that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneCommand {
    pub at: Time,
    pub command: Command,
    /// The node that it was done to, if it was one node.
    pub node: Option<Addr>,
}

#[derive(Debug, PartialEq, Eq)]
struct RecordedDeed {
    done: DoneCommand,
    /// It ends a node that hung.
    ends_hung: bool,
    /// The fault that it ends.
    cleared: Option<Fault>,
}

/// Why no scenario can be made of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoScenario {
    #[error("nothing was started in it")]
    Empty,
    #[error("it did not begin with a lab")]
    NoLab,
}

impl Deeds {
    /// Of a session that began with a lab of so many seeds and peers, if its recording says so.
    /// `precision`: of its times, which are exact in virtual time.
    pub fn new(lab: Option<(usize, usize)>, precision: Precision) -> Self {
        Self { lab, precision, leaving: LeavingWatch::new(precision), ..Self::default() }
    }

    /// Takes an event; they come in order of time.
    pub fn take(&mut self, event: &Event) {
        self.leaving.take(event);
        self.newest = self.newest.max(Some(event.at));
        match &event.kind {
            EventKind::Node(told) => self.node(event.at, event.node, told),
            EventKind::Fault(FaultEvent::Set { fault, .. }) => self.fault_set(event.at, fault),
            EventKind::Fault(FaultEvent::Cleared { fault, .. }) => {
                self.push_deed(RecordedDeed::clears(event.at, fault));
            }
            EventKind::Fault(FaultEvent::Lied { about }) => {
                let lie = FaultCommand::Lie { liar: event.node, about: *about };
                self.push(event.at, Command::Fault(lie), Some(event.node));
            }
            EventKind::Gossip(GossipEvent::Generated { id, body, .. }) if id.number().is_none() => {
                self.push(event.at, Command::Say { node: event.node, body: body.clone() }, Some(event.node));
            }
            EventKind::Gossip(_)
            | EventKind::Link(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_) => {}
        }
    }

    fn node(&mut self, at: Time, node: Addr, told: &NodeEvent) {
        match told {
            NodeEvent::Started { name, role, .. } => self.started(at, node, *role, name, told),
            NodeEvent::Stopped { how } => {
                if let Some(hung) = self.turn(node, (*how).into()).map(|before| before == NodeState::Hangs)
                    && *how == Stop::Killed
                {
                    let done = DoneCommand { at, command: Command::Kill(node), node: Some(node) };
                    self.push_deed(RecordedDeed { done, ends_hung: hung, cleared: None });
                }
            }
            NodeEvent::Hung => {
                if self.turn(node, NodeState::Hangs).is_some() {
                    self.push(at, Command::Hang(node), Some(node));
                }
            }
            NodeEvent::Exposed { .. } | NodeEvent::WasAway { .. } | NodeEvent::Failed { .. } => {}
        }
    }

    fn started(&mut self, at: Time, node: Addr, role: Role, name: &str, told: &NodeEvent) {
        if self.turn(node, NodeState::Runs).is_some() {
            let ended = |deed: &RecordedDeed| deed.ends_hung && deed.done.command == Command::Kill(node);
            if self.done.last().is_some_and(|deed| ended(deed) && at.since(deed.done.at) <= self.together()) {
                self.done.pop();
            }
            return self.push(at, Command::Restart(node), Some(node));
        }
        let began = *self.began.get_or_insert(at);
        let is_first = match self.lab {
            Some((seeds, peers)) => self.nodes.len() < seeds.saturating_add(peers),
            // The nodes of a lab are told of at once, and named by their numbers.
            None => at == began && matches!(name.parse(), Ok(NodeName::Numbered { .. })),
        };
        let numbers = match role {
            Role::Seed => &mut self.seeds,
            Role::Peer => &mut self.peers,
        };
        *numbers = numbers.saturating_add(1);
        let number = *numbers;
        self.nodes.insert(node, KnownNode { role, number, state: NodeState::Runs });
        if role == Role::Peer && self.peer.is_none() {
            self.peer = Some(told.clone());
        }
        if is_first {
            self.first = self.nodes.len();
        } else {
            self.push(at, Command::Start(NodeSpec { role, listen: Placement::Auto }), Some(node));
        }
    }

    /// The node is in this state now; returns the one before. `None`: it is no node of the session.
    fn turn(&mut self, node: Addr, state: NodeState) -> Option<NodeState> {
        self.nodes.get_mut(&node).map(|known| std::mem::replace(&mut known.state, state))
    }

    /// A fault takes the place of another of its kind, which is then cleared at the same moment.
    fn fault_set(&mut self, at: Time, fault: &Fault) {
        let is_replaced = |deed: &RecordedDeed| deed.cleared.as_ref().is_some_and(|cleared| fault.replaces(cleared));
        if self.done.last().is_some_and(|deed| deed.done.at == at && is_replaced(deed)) {
            self.done.pop();
        }
        self.push(at, Command::Fault(FaultCommand::Set(fault.clone())), None);
    }

    fn push(&mut self, at: Time, command: Command, node: Option<Addr>) {
        self.push_deed(RecordedDeed { done: DoneCommand { at, command, node }, ends_hung: false, cleared: None });
    }

    fn push_deed(&mut self, deed: RecordedDeed) {
        if self.done.len() < DEEDS_MAX {
            self.done.push(deed);
        } else {
            self.more += 1;
        }
    }

    /// When the first node started.
    pub const fn began(&self) -> Option<Time> {
        self.began
    }

    /// From the first start to the moment when the nodes left, or to the latest event.
    pub fn lasted(&self) -> Duration {
        let end = self.leaving.began().or(self.newest);
        end.zip(self.began).map_or(Duration::ZERO, |(end, began)| end.since(began))
    }

    /// Settings that the nodes themselves tell, for recordings that say nothing of them: name and
    /// value, as flags have them.
    pub fn settings_told(&self) -> Vec<(String, String)> {
        let Some(NodeEvent::Started { dialect, pace, .. }) = &self.peer else { return Vec::new() };
        let told = [
            ("wire", dialect.to_string()),
            ("gossip-interval", format!("{}us", pace.gossip_interval_us)),
            ("liveness-interval", format!("{}us", pace.liveness_interval_us)),
            ("liveness-misses", pace.liveness_misses.to_string()),
        ];
        told.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The nodes with which it began: those of its lab, if it began with one.
    pub fn first_nodes(&self) -> impl Iterator<Item = Addr> {
        self.nodes.keys().take(self.first).copied()
    }

    /// What was done after the beginning, in order.
    pub fn commands(&self) -> Vec<DoneCommand> {
        gathered(self.kept(), self.together())
    }

    /// Commands over the limit, which are not among them.
    pub const fn more(&self) -> usize {
        self.more
    }

    /// How far apart the marks of one command may be.
    const fn together(&self) -> Duration {
        match self.precision {
            Precision::Milliseconds => TOGETHER,
            Precision::Microseconds => Duration::ZERO,
        }
    }

    /// The session as a record from which a scenario is written.
    pub fn record(&self, settings: Vec<(String, String)>) -> Result<SessionRecord, NoScenario> {
        let began = self.began.ok_or(NoScenario::Empty)?;
        let (seeds, peers) = self.lab_size().ok_or(NoScenario::NoLab)?;
        let name = |addr: Addr| self.name(addr);
        let done = self.commands();
        let deeds = done.iter().filter_map(|done| RecordedLine::done(done.at.since(began), &done.command, &name));
        Ok(SessionRecord {
            seeds,
            peers,
            settings,
            steps: Vec::new(),
            skipped: Vec::new(),
            deeds: deeds.collect(),
            more: self.more,
            lasted: self.lasted(),
            precision: self.precision,
        })
    }

    fn lab_size(&self) -> Option<(usize, usize)> {
        let count = |role| self.nodes.values().take(self.first).filter(|known| known.role == role).count();
        let (seeds, peers) = (count(Role::Seed), count(Role::Peer));
        (seeds > 0 && peers > 0 && self.lab.is_none_or(|lab| lab == (seeds, peers))).then_some((seeds, peers))
    }

    /// What was done before the nodes left: hung nodes are ended then only because the session is.
    fn kept(&self) -> &[RecordedDeed] {
        let is_before = |deed: &RecordedDeed| self.leaving.began().is_none_or(|began| deed.done.at < began);
        &self.done[..self.done.partition_point(is_before)]
    }

    /// The name that the node has in a lab, whatever the recording calls it.
    fn name(&self, addr: Addr) -> String {
        self.nodes.get(&addr).map_or_else(
            || addr.name(),
            |known| NodeName::Numbered { role: known.role, number: known.number }.to_string(),
        )
    }
}

/// The command that clears this fault.
fn clearing(fault: &Fault) -> Command {
    Command::Fault(if fault.is_partition() {
        FaultCommand::HealPartitions
    } else {
        FaultCommand::Clear { kind: fault.what.class(), on: fault.on.clone() }
    })
}

#[cfg(test)]
mod tests;
