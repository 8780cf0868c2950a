//! What a session came to: how long, how many nodes, messages and deaths.
//!
//! A journal that was closed ends with it. One that was not, because its process was killed or still
//! runs, is read from its beginning: most lines are only looked at, not taken apart.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::fields::event_name;
use super::journal::{JournalError, LINE_LEN_MAX, MissedEvents, read};
use crate::event::Event;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// More than the last line of a journal that was closed.
pub(super) const FOOTER_LEN_MAX: usize = 512;
/// Bytes that are read at a time.
const CHUNK_LEN: usize = 256 * 1024;

/// What a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// From its start to its last event, in microseconds.
    pub lasted_us: u64,
    /// Nodes of its process.
    pub nodes: u64,
    /// Messages that its nodes generated or, in a process with few of the network's nodes, that one of them saw.
    pub messages: u64,
    /// Deaths that were declared or reported; several who say so of one death count once, and a report that was
    /// disputed, or a lie that no seed acted on, is none.
    pub deaths: u64,
    /// Reports of a death that was none; absent in journals of earlier versions, which counted them as deaths.
    #[serde(default)]
    pub disputed: u64,
    /// Events that happened.
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

/// The last line of a journal that was closed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Footer {
    pub(super) closed: Overview,
}

/// Counts as events come.
#[derive(Debug)]
pub(super) struct Tally {
    started: Time,
    newest: Time,
    events: u64,
    skipped: u64,
    generated: u64,
    /// The nodes to which something happened, and how many messages each saw, its own included; a node
    /// sees each once.
    seen: IndexMap<Addr, u64>,
    /// What is told of lives and deaths alone: enough to tell one death from the next.
    lives: Model,
}

impl Tally {
    /// Nothing has happened since the start.
    pub(super) fn new(started: Time) -> Self {
        let (seen, lives) = (IndexMap::new(), Model::new());
        Self { started, newest: started, events: 0, skipped: 0, generated: 0, seen, lives }
    }

    /// Something happened.
    pub(super) fn take(&mut self, event: &Event) {
        let name = event_name(&event.kind);
        self.glance(event.at, event.node, name);
        if is_about_life(name) {
            self.lives.apply(event);
        }
    }

    /// So many events are missing.
    pub(super) fn skip(&mut self, events: u64) {
        self.skipped += events;
    }

    /// What it came to so far.
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
        // A node that could not be started is none, and a fault may be everywhere.
        if !matches!(event, "failed" | "fault_set" | "fault_cleared") {
            *self.seen.entry(node).or_insert(0) += u64::from(matches!(event, "generated" | "received"));
        }
    }

    /// Takes in a line of a journal: a glance is enough for most. A line that is none counts for nothing.
    fn line(&mut self, line: &[u8]) {
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

/// An event that tells of somebody's life or death.
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

/// What stands at the beginning of every event's line.
struct Glance<'a> {
    at: Time,
    node: Addr,
    event: &'a str,
}

impl<'a> Glance<'a> {
    /// `{"at":1,"node":"127.0.0.1:1","event":"hung"`, and whatever follows in a line that has its end.
    fn at(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"{\"at\":")?;
        let (at, rest) = until(rest, b',')?;
        let (node, rest) = until(rest.strip_prefix(b"\"node\":\"")?, b'"')?;
        let (event, _) = until(rest.strip_prefix(b",\"event\":\"")?, b'"')?;
        line.ends_with(b"}\n").then_some(())?;
        Some(Self { at: Time::from_micros(at.parse().ok()?), node: node.parse().ok()?, event })
    }
}

/// The text up to this byte, and what follows it. All that is looked for stands near the beginning.
fn until(bytes: &[u8], end: u8) -> Option<(&str, &[u8])> {
    let at = bytes.iter().take(64).position(|byte| *byte == end)?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + 1..]))
}

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalEnd {
    /// With its last words: the session was ended.
    Closed,
    /// With an event: the session still runs, or its process was killed.
    Open,
}

/// What the session of this journal came to.
pub fn overview(path: &Path) -> Result<(Overview, JournalEnd), JournalError> {
    let started = read(path)?.header().started;
    let counted = match footer(path) {
        Ok(Some(overview)) => return Ok((overview, JournalEnd::Closed)),
        Ok(None) => count(path, started),
        Err(error) => Err(error),
    };
    counted
        .map(|overview| (overview, JournalEnd::Open))
        .map_err(|reason| JournalError::Read { path: path.to_owned(), reason })
}

fn footer(path: &Path) -> std::io::Result<Option<Overview>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(FOOTER_LEN_MAX as u64)))?;
    let mut end = Vec::with_capacity(FOOTER_LEN_MAX);
    file.take(FOOTER_LEN_MAX as u64).read_to_end(&mut end)?;
    let last = end.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
    Ok(last.and_then(|line| serde_json::from_slice::<Footer>(line).ok()).map(|footer| footer.closed))
}

fn count(path: &Path, started: Time) -> std::io::Result<Overview> {
    let mut lines = BufReader::with_capacity(CHUNK_LEN, File::open(path)?);
    let mut tally = Tally::new(started);
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.by_ref().take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(tally.overview());
        }
        tally.line(&line);
    }
}

#[cfg(test)]
mod tests;
