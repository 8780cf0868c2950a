//! A session in figures: how long it lasted, how many nodes, messages and deaths it had.
//!
//! Counted as events come, or from the lines of a journal, most of which are not parsed in full.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::model::Model;
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
}

/// The line that counts missing events.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MissedEvents {
    pub(super) skipped: u64,
}

/// Counts as events come.
#[derive(Debug)]
pub(super) struct Tally {
    started: Time,
    newest: Time,
    events: u64,
    skipped: u64,
    generated: u64,
    /// The nodes of this process, and how many messages each saw, its own included; a node sees
    /// each once.
    seen: IndexMap<Addr, u64>,
    /// A fold over lives and deaths alone: enough to tell one death from the next.
    lives: Model,
}

impl Tally {
    /// Nothing has happened since the start.
    pub(super) fn new(started: Time) -> Self {
        let (seen, lives) = (IndexMap::new(), Model::new());
        Self { started, newest: started, events: 0, skipped: 0, generated: 0, seen, lives }
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        let name = event.kind.name();
        self.glance(event.at, event.node, name);
        if is_about_life(name) {
            self.lives.apply(event);
        }
    }

    /// This many events are missing.
    pub(super) fn skip(&mut self, events: u64) {
        self.skipped += events;
    }

    /// The figures so far.
    pub(super) fn overview(&self) -> Overview {
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

    fn glance(&mut self, at: Time, node: Addr, event: &str) {
        self.events += 1;
        self.newest = self.newest.max(at);
        self.generated += u64::from(event == "generated");
        // A node that could not be started does not count, and a fault may be everywhere.
        if !matches!(event, "failed" | "fault_set" | "fault_cleared") {
            *self.seen.entry(node).or_insert(0) += u64::from(matches!(event, "generated" | "received"));
        }
    }

    /// Takes a line of a journal; most are not parsed in full. A line that is no event does not
    /// count.
    pub(super) fn line(&mut self, line: &[u8]) {
        match Glance::at(line) {
            Some(seen) if !is_about_life(seen.event) => self.glance(seen.at, seen.node, seen.event),
            Some(_) | None => self.whole_line(line),
        }
    }

    fn whole_line(&mut self, line: &[u8]) {
        if let Ok(event) = serde_json::from_slice::<Event>(line) {
            self.take(&event);
        } else if let Ok(MissedEvents { skipped }) = serde_json::from_slice(line) {
            self.skip(skipped);
        }
    }
}

/// The event is about a node's life or death.
fn is_about_life(event: &str) -> bool {
    matches!(
        event,
        "started"
            | "stopped"
            | "hung"
            | "was_away"
            | "link_up"
            | "link_down"
            | "neighbor_died"
            | "lied"
            | "dead_report_sent"
            | "dead_report_received"
            | "peer_listed"
            | "peer_delisted"
            | "report_disputed"
    )
}

/// The beginning of an event's line.
struct Glance<'a> {
    at: Time,
    node: Addr,
    event: &'a str,
}

impl<'a> Glance<'a> {
    /// `{"at":1,"node":"127.0.0.1:1","event":"hung"`, and whatever follows in a complete line.
    fn at(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"{\"at\":")?;
        let (at, rest) = until(rest, b',')?;
        let (node, rest) = until(rest.strip_prefix(b"\"node\":\"")?, b'"')?;
        let (event, _) = until(rest.strip_prefix(b",\"event\":\"")?, b'"')?;
        line.ends_with(b"}\n").then_some(())?;
        Some(Self { at: Time::from_micros(at.parse().ok()?), node: node.parse().ok()?, event })
    }
}

/// The text up to this byte, and what follows it. Everything needed is near the beginning.
fn until(bytes: &[u8], end: u8) -> Option<(&str, &[u8])> {
    let at = bytes.iter().take(64).position(|byte| *byte == end)?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + 1..]))
}

#[cfg(test)]
mod tests;
