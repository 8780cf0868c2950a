//! What one node of a recorded session would have recorded in a process of its own.
//!
//! A lab knows all that happens in it. A node alone knows what comes to it: of other nodes it has what they
//! say, as in a session of one terminal.

use std::path::Path;

use super::journal::{Header, Journal, JournalError, JournalRecord};
use super::replay::{Damage, Recording};
use crate::event::{
    DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LossReason, MessageLoss, NodeEvent, ProbeEvent,
};
use crate::model::words::list_text;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::name::name_order;
use crate::proto::time::Time;

/// Names that an error lists.
const NAMES_TOLD: usize = 8;
/// Records between two looks at whether to stop: some milliseconds.
const LOOK_EVERY: usize = 1_024;

/// Why there is no such node.
#[derive(Debug, thiserror::Error)]
pub enum VantageError {
    #[error("there is no node '{name}' in this session: it has {there}")]
    NoNode { name: String, there: String },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A node of a recording, alone.
#[derive(Debug)]
pub struct LoneNode {
    node: Addr,
    name: String,
    /// The nodes of the whole recording.
    names: Map<String, Addr>,
}

impl LoneNode {
    /// The node of this name or address.
    pub fn find(source: &Path, name: &str) -> Result<Self, VantageError> {
        let mut names: Map<String, Addr> = Map::default();
        for event in Recording::open(source)?.filter_map(event_of) {
            if let EventKind::Node(NodeEvent::Started { name, .. }) = event.kind {
                names.insert(name, event.node);
            }
        }
        let by_addr = || Addr::by_name(name).and_then(|addr| names.iter().find(|(_, node)| **node == addr));
        if let Some((name, node)) = names.get_key_value(name).or_else(by_addr) {
            return Ok(Self { node: *node, name: name.clone(), names });
        }
        let mut there: Vec<&String> = names.keys().collect();
        there.sort_by_key(|name| name_order(name));
        Err(VantageError::NoNode { name: name.to_owned(), there: list_text(&there, NAMES_TOLD) })
    }

    pub const fn node(&self) -> Addr {
        self.node
    }

    /// What it is called in the whole recording.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node that has this name in the whole recording. Alone, the others are known by address.
    pub fn addr_of(&self, name: &str) -> Option<Addr> {
        self.names.get(name).copied()
    }

    /// Writes the events that the node's own process would have recorded as a journal to a new file. Events
    /// that are missing in the recording may have been among them, and stay missing.
    pub fn write(&self, source: &Path, dest: &Path) -> Result<Damage, JournalError> {
        let recording = Recording::open(source)?;
        let header = recording.header();
        let mut journal = Journal::create(dest, &Header::new(header.started, header.utc_offset_s), u64::MAX)?;
        let mut damage = Damage::default();
        for record in recording {
            match record {
                Ok(JournalRecord::Event { event, .. }) if knows(self.node, &event) => {
                    journal.append(std::slice::from_ref(&event))?;
                }
                Ok(JournalRecord::Skipped(events)) => journal.skipped(events)?,
                Ok(JournalRecord::Event { .. } | JournalRecord::Torn) => {}
                Err(error) => {
                    journal.skipped(error.missing())?;
                    damage.note(&error);
                }
            }
        }
        journal.close()?;
        Ok(damage)
    }
}

/// The network as this node of a recording alone knows it at this time; `None` if the reading was stopped.
pub fn alone_at(
    source: &Path,
    node: Addr,
    at: Time,
    goes_on: &impl Fn() -> bool,
) -> Result<Option<Model>, JournalError> {
    let mut model = Model::new();
    for (read, record) in Recording::open(source)?.enumerate() {
        if read.is_multiple_of(LOOK_EVERY) && !goes_on() {
            return Ok(None);
        }
        match record {
            Ok(JournalRecord::Event { event, .. }) if event.at > at => break,
            Ok(JournalRecord::Event { event, .. }) if knows(node, &event) => model.apply(&event),
            Ok(JournalRecord::Skipped(events)) => model.note_skipped(events),
            Ok(JournalRecord::Event { .. } | JournalRecord::Torn) => {}
            Err(error) => model.note_skipped(error.missing()),
        }
    }
    model.pass(at);
    Ok(Some(model))
}

/// It happened at the node, and the node could tell.
fn knows(node: Addr, event: &Event) -> bool {
    event.node == node
        && match &event.kind {
            // They are set in another process, whose user knows.
            EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => false,
            EventKind::Gossip(GossipEvent::Lost { loss, .. })
            | EventKind::Probe(ProbeEvent::Lost { loss, .. })
            | EventKind::Death(DeathEvent::ReportLost { loss, .. }) => knows_loss(node, *loss),
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(FaultEvent::Lied { .. }) => true,
        }
}

/// A node knows what it could not send; what was lost on its way, it never hears of.
fn knows_loss(node: Addr, loss: MessageLoss) -> bool {
    let could_not_send = match loss.why {
        LossReason::QueueFull | LossReason::LinkEnded => true,
        LossReason::Fault(_) | LossReason::Hung => false,
    };
    could_not_send && loss.from == node
}

fn event_of(record: Result<JournalRecord, JournalError>) -> Option<Event> {
    match record {
        Ok(JournalRecord::Event { event, .. }) => Some(event),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
