//! A session in figures: how long it lasted, how many nodes, messages and deaths it had.
//!
//! Counted as events come, or as they are read from a journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, FaultEvent, GossipEvent, NodeEvent};
use crate::model::words::count_text;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Bytes: more than the footer of a journal takes.
pub(super) const FOOTER_LEN_MAX: usize = 512;
/// A session in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// From its start to its last event, in microseconds.
    pub lasted_us: u64,
    /// Nodes of its process.
    pub nodes: u64,
    /// Messages that its nodes generated or, in a process with few of the network's nodes, that one
    /// of them saw.
    pub messages: u64,
    /// Deaths that were declared or reported. Several reports of one death count once; disputed
    /// reports, and lies that no seed acted on, do not count.
    pub deaths: u64,
    /// Reports of a death that did not happen; absent in journals of earlier versions, which
    /// counted them as deaths.
    #[serde(default)]
    pub disputed: u64,
    pub events: u64,
    /// Events that are missing in the journal.
    pub skipped: u64,
}

impl Overview {
    /// From its start to its last event.
    pub fn lasted(&self) -> Duration {
        Duration::from_micros(self.lasted_us)
    }
}

/// The last line of a closed journal.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Footer {
    pub(super) closed: Overview,
    /// Absent in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<SessionEnd>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The user left, or nobody read on.
    Left,
    /// Its time was over, or its scenario.
    Over,
    /// A signal ended it.
    Interrupted,
    /// This many expectations of its scenario failed.
    Failed(usize),
}

impl SessionEnd {
    /// How it ended, if so many expectations failed: that is what matters then.
    #[must_use]
    pub const fn after(self, failed: usize) -> Self {
        if failed == 0 { self } else { Self::Failed(failed) }
    }

    /// `left`, `2 expectations failed`.
    pub fn text(self) -> String {
        match self {
            Self::Left => "left".to_owned(),
            Self::Over => "over".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Failed(count) => format!("{} failed", count_text(count as u64, "expectation")),
        }
    }
}

/// The line that counts missing events.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MissedEvents {
    /// The number of the first of them.
    pub(super) n: Option<u64>,
    pub(super) skipped: u64,
}

/// Counts as events come.
#[derive(Debug)]
pub struct Tally {
    started: Time,
    newest: Time,
    events: u64,
    skipped: u64,
    generated: u64,
    /// The nodes of this process, and how many messages each saw, its own included; a node sees
    /// each once.
    seen: Map<Addr, u64>,
    /// A fold over lives and deaths alone: enough to tell one death from the next.
    lives: Model,
}

impl Tally {
    /// Nothing has happened since the start.
    pub fn new(started: Time) -> Self {
        let (seen, lives) = (Map::default(), Model::new().without_warnings());
        Self { started, newest: started, events: 0, skipped: 0, generated: 0, seen, lives }
    }

    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        self.events += 1;
        self.newest = self.newest.max(event.at);
        match &event.kind {
            // A node that could not be started does not count, and a fault may be everywhere.
            EventKind::Node(NodeEvent::Failed { .. })
            | EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => return,
            EventKind::Gossip(_) | EventKind::Probe(_) => {}
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(FaultEvent::Lied { .. }) => self.lives.apply(event),
        }
        let is_own = matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
        let is_new = is_own || matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. }));
        self.generated += u64::from(is_own);
        *self.seen.entry(event.node).or_insert(0) += u64::from(is_new);
    }

    /// This many events are missing.
    pub(super) fn skip(&mut self, events: u64) {
        self.skipped += events;
    }

    /// The figures so far.
    pub fn overview(&self) -> Overview {
        let seen = self.seen.values().copied().max().unwrap_or(0);
        let deaths = self.lives.deaths().counts();
        let lasted = self.newest.since(self.started).as_micros();
        Overview {
            lasted_us: u64::try_from(lasted).unwrap_or(u64::MAX),
            nodes: self.seen.len() as u64,
            messages: self.generated.max(seen),
            deaths: deaths.deaths,
            disputed: deaths.unfounded,
            events: self.events,
            skipped: self.skipped,
        }
    }
}

#[cfg(test)]
mod tests;
