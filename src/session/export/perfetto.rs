//! A session as a trace that <https://ui.perfetto.dev> opens.
//!
//! Each node is a track. Its lives and hangs are slices, and in them stands what it did: a slice for
//! each copy of a message, with an arrow from where the sender had the message; an instant for each
//! death and whatever else a log tells. Links and probes, which overlap, are slices beside it. The
//! faults have the first track, and a line across all others where they are set and cleared.
//!
//! The trace is written while the session is read. What is held is bounded: what is open now, and the
//! latest sendings to which an arrow may still lead.

mod trace;

use std::borrow::Cow;
use std::io;

use indexmap::IndexMap;

use self::trace::{Args, InstantScope, Phase, TraceEntry, TraceWriter, TrackId};
use super::EventWriter;
use super::recent::Recent;
use crate::event::{DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LinkEvent, LinkId, NodeEvent, ProbeEvent};
use crate::event::{Purpose, SeedEvent};
use crate::model::words::{clock_text, sentence};
use crate::proto::addr::Addr;
use crate::proto::fault::Fault;
use crate::proto::message::{MessageId, ProbeSeq};
use crate::proto::text::printable;
use crate::proto::time::{ClockTime, Time};
use crate::session::journal::Header;
use crate::session::lines::iso_stamp;
use crate::session::names::NodeNames;

/// Sendings to which arrows can still lead: those of the last minute of a lab of 50 peers; 20 MB.
const SENDINGS_MAX: usize = 262_144;
/// Links and probes of one node that are open at once; more than a node can have, but a damaged
/// recording may lack their ends.
const OPEN_MAX: usize = 4_096;
/// Faults that are set at once, for the same reason.
const FAULTS_MAX: usize = 1_000;

/// The track of the faults; nodes follow.
const FAULTS: TrackId = TrackId(1);

/// A slice with a number that has not ended.
#[derive(Debug)]
struct OpenSlice {
    id: u64,
    name: String,
    category: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum OpenKey {
    Link(LinkId),
    Probe(Addr, ProbeSeq),
}

#[derive(Debug)]
struct NodeTrack {
    id: TrackId,
    /// The slices of its life that are open, by name: it runs, and in that it may hang.
    lives: Vec<String>,
    open: IndexMap<OpenKey, OpenSlice>,
}

/// Something that leaves a node and arrives at others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ArrowOrigin {
    Message { id: MessageId, by: Addr },
    Report { dead: Addr, clock: ClockTime, by: Addr },
}

/// The events of a session on their way into a trace.
#[derive(Debug)]
pub(super) struct PerfettoTrace {
    trace: TraceWriter,
    utc_offset_s: i32,
    names: NodeNames,
    tracks: IndexMap<Addr, NodeTrack>,
    faults: Vec<(Fault, OpenSlice)>,
    sendings: Recent<ArrowOrigin, (TrackId, Time)>,
    next_id: u64,
    last: Time,
}

/// What is being told of one event.
struct Telling<'a> {
    event: &'a Event,
    track: TrackId,
    time: &'a str,
    /// The event in words.
    what: &'a str,
}

impl Telling<'_> {
    fn entry<'a>(&'a self, phase: Phase, name: &'a str, category: &'static str) -> TraceEntry<'a> {
        let args = Some(Args { time: self.time, what: self.what });
        TraceEntry { track: self.track, at: self.event.at, phase, name, category, args }
    }
}

impl PerfettoTrace {
    pub(super) fn begin(header: &Header, out: &mut Vec<u8>) -> io::Result<Self> {
        let mut trace = TraceWriter::default();
        TraceWriter::begin(&header.gossipctl, &iso_stamp(header.started, header.utc_offset_s), out)?;
        trace.name_track(out, FAULTS, "faults", "what the user broke")?;
        Ok(Self {
            trace,
            utc_offset_s: header.utc_offset_s,
            names: NodeNames::new(),
            tracks: IndexMap::new(),
            faults: Vec::new(),
            sendings: Recent::new(SENDINGS_MAX),
            next_id: 1,
            last: header.started,
        })
    }

    fn name(&self, addr: Addr) -> String {
        printable(&self.names.name(addr)).into_owned()
    }

    fn message_name(&self, id: MessageId) -> String {
        format!("{}{id}", self.name(id.origin))
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The track of this node, which a viewer shows by its name and address.
    fn track(&mut self, out: &mut Vec<u8>, node: Addr) -> io::Result<TrackId> {
        if let Some(track) = self.tracks.get(&node) {
            return Ok(track.id);
        }
        let id = TrackId(FAULTS.0 + 1 + self.tracks.len() as u64);
        self.tracks.insert(node, NodeTrack { id, lives: Vec::new(), open: IndexMap::new() });
        let name = self.name(node);
        self.trace.name_track(out, id, &name, &node.to_string())?;
        Ok(id)
    }

    fn node(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &NodeEvent) -> io::Result<()> {
        let node = telling.event.node;
        match event {
            NodeEvent::Started { .. } => {
                self.end_life(out, node, telling.event.at)?;
                self.begin_life(out, telling, "runs")
            }
            NodeEvent::Hung => self.begin_life(out, telling, "hangs"),
            NodeEvent::Stopped { .. } => {
                self.trace.push(out, telling.entry(Phase::Instant(InstantScope::Track), "stopped", "node"))?;
                self.end_life(out, node, telling.event.at)
            }
            NodeEvent::WasAway { .. } => self.instant(out, telling, "was away", "node"),
            NodeEvent::Failed { .. } => self.instant(out, telling, "not done", "node"),
            NodeEvent::Exposed { .. } => self.instant(out, telling, "listens to other machines", "node"),
        }
    }

    fn begin_life(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, name: &str) -> io::Result<()> {
        self.trace.push(out, telling.entry(Phase::Begin, name, "node"))?;
        if let Some(track) = self.tracks.get_mut(&telling.event.node) {
            track.lives.push(name.to_owned());
        }
        Ok(())
    }

    /// Ends whatever is open on a node's track.
    fn end_life(&mut self, out: &mut Vec<u8>, node: Addr, at: Time) -> io::Result<()> {
        let Some(track) = self.tracks.get_mut(&node) else { return Ok(()) };
        let (id, lives, open) = (track.id, std::mem::take(&mut track.lives), std::mem::take(&mut track.open));
        open.into_values().try_for_each(|slice| end_slice(&mut self.trace, out, id, at, &slice))?;
        // The developer tools of Chromium want the end to have the name of its beginning.
        let end = |name| TraceEntry { track: id, at, phase: Phase::End, name, category: "node", args: None };
        lives.iter().rev().try_for_each(|name| self.trace.push(out, end(name)))
    }

    fn instant(
        &mut self,
        out: &mut Vec<u8>,
        telling: &Telling<'_>,
        name: &str,
        category: &'static str,
    ) -> io::Result<()> {
        self.trace.push(out, telling.entry(Phase::Instant(InstantScope::Track), name, category))
    }

    fn open(
        &mut self,
        out: &mut Vec<u8>,
        telling: &Telling<'_>,
        key: OpenKey,
        (name, category): (String, &'static str),
    ) -> io::Result<()> {
        let id = self.new_id();
        self.trace.push(out, telling.entry(Phase::AsyncBegin(id), &name, category))?;
        let Some(track) = self.tracks.get_mut(&telling.event.node) else { return Ok(()) };
        let at = telling.event.at;
        let again = track.open.insert(key, OpenSlice { id, name, category });
        let oldest = (track.open.len() > OPEN_MAX).then(|| track.open.swap_remove_index(0)).flatten();
        let ended = again.into_iter().chain(oldest.map(|(_, slice)| slice));
        ended.into_iter().try_for_each(|slice| end_slice(&mut self.trace, out, telling.track, at, &slice))
    }

    fn close(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, key: OpenKey) -> io::Result<()> {
        let track = self.tracks.get_mut(&telling.event.node);
        let Some(slice) = track.and_then(|track| track.open.swap_remove(&key)) else { return Ok(()) };
        self.trace.push(out, telling.entry(Phase::AsyncEnd(slice.id), &slice.name, slice.category))
    }

    fn link(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &LinkEvent) -> io::Result<()> {
        let name = match event {
            LinkEvent::Up { link, peer, purpose, .. } => {
                let what = match purpose {
                    Purpose::Neighbor => "link to",
                    Purpose::Registration => "registration,",
                };
                let name = format!("{what} {}", self.name(*peer));
                return self.open(out, telling, OpenKey::Link(*link), (name, "link"));
            }
            LinkEvent::Down { link, .. } => return self.close(out, telling, OpenKey::Link(*link)),
            LinkEvent::Dialing { .. } => "dials",
            LinkEvent::DialFailed { .. } => "dial failed",
            LinkEvent::Refused { .. } => "refused",
            LinkEvent::NotAccepted { .. } => "not accepted",
            LinkEvent::Violation { .. } | LinkEvent::MoreOffenses { .. } => "violation",
            LinkEvent::Flooding { .. } => "flooded",
            LinkEvent::Omitted { .. } => "strangers",
            LinkEvent::OtherDialect { .. } => "other dialect",
            LinkEvent::HandshakeFailed { .. } => "handshake failed",
            LinkEvent::EclipseSuspected { .. } => "may be cut off",
            LinkEvent::Repairing { .. } => "repairs",
        };
        self.instant(out, telling, name, "link")
    }

    fn gossip(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &GossipEvent) -> io::Result<()> {
        let node = telling.event.node;
        match event {
            GossipEvent::Generated { id, .. } => {
                let name = format!("{} begins", self.message_name(*id));
                self.moment(out, telling, &name, "message")?;
                self.leaves(telling, ArrowOrigin::Message { id: *id, by: node });
                Ok(())
            }
            GossipEvent::Received { id, from, .. } => {
                let name = self.message_name(*id);
                self.moment(out, telling, &name, "message")?;
                self.arrives(out, telling, &ArrowOrigin::Message { id: *id, by: *from })?;
                self.leaves(telling, ArrowOrigin::Message { id: *id, by: node });
                Ok(())
            }
            GossipEvent::Duplicate { id, from, .. } => {
                let name = format!("{} again", self.message_name(*id));
                self.moment(out, telling, &name, "duplicate")?;
                self.arrives(out, telling, &ArrowOrigin::Message { id: *id, by: *from })
            }
            GossipEvent::Lost { id, loss } => {
                let name = format!("{} lost", self.message_name(*id));
                self.moment(out, telling, &name, "loss")?;
                if loss.to == node {
                    self.arrives(out, telling, &ArrowOrigin::Message { id: *id, by: loss.from })?;
                }
                Ok(())
            }
            GossipEvent::Forged { .. } => self.instant(out, telling, "forged", "message"),
        }
    }

    fn moment(
        &mut self,
        out: &mut Vec<u8>,
        telling: &Telling<'_>,
        name: &str,
        category: &'static str,
    ) -> io::Result<()> {
        self.trace.push(out, telling.entry(Phase::Moment, name, category))
    }

    /// The node sends this on now.
    fn leaves(&mut self, telling: &Telling<'_>, sending: ArrowOrigin) {
        self.sendings.insert(sending, (telling.track, telling.event.at));
    }

    /// An arrow from where this was sent to the slice that was just written.
    fn arrives(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, sending: &ArrowOrigin) -> io::Result<()> {
        let Some((track, at)) = self.sendings.get(sending).copied() else { return Ok(()) };
        let (id, (name, category)) = (self.new_id(), arrow(sending));
        let start = TraceEntry { track, at, phase: Phase::FlowStart(id), name, category, args: None };
        self.trace.push(out, start)?;
        let (track, at) = (telling.track, telling.event.at);
        self.trace.push(out, TraceEntry { track, at, phase: Phase::FlowEnd(id), name, category, args: None })
    }

    fn probe(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &ProbeEvent) -> io::Result<()> {
        match event {
            ProbeEvent::Sent { peer, seq, .. } => {
                let name = format!("probe of {}", self.name(*peer));
                self.open(out, telling, OpenKey::Probe(*peer, *seq), (name, "probe"))
            }
            // The asker's slice tells it.
            ProbeEvent::Received { .. } => Ok(()),
            ProbeEvent::Answered { peer, seq, .. } => self.close(out, telling, OpenKey::Probe(*peer, *seq)),
            ProbeEvent::Missed { peer, seq, misses, limit, .. } => {
                self.close(out, telling, OpenKey::Probe(*peer, *seq))?;
                let name = format!("no answer from {} ({misses}/{limit})", self.name(*peer));
                self.instant(out, telling, &name, "probe")
            }
            ProbeEvent::Lost { .. } => self.instant(out, telling, "probe lost", "loss"),
        }
    }

    fn death(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &DeathEvent) -> io::Result<()> {
        match event {
            DeathEvent::NeighborDied { peer, .. } => {
                let name = format!("takes {} for dead", self.name(*peer));
                self.instant(out, telling, &name, "death")
            }
            DeathEvent::DeadReportSent { dead, clock, .. } => {
                let name = format!("reports {} dead", self.name(*dead));
                self.moment(out, telling, &name, "report")?;
                self.leaves(telling, ArrowOrigin::Report { dead: *dead, clock: *clock, by: telling.event.node });
                Ok(())
            }
            DeathEvent::DeadReportReceived { dead, clock, reporter, .. } => {
                let name = format!("report: {} dead", self.name(*dead));
                self.moment(out, telling, &name, "report")?;
                self.arrives(out, telling, &ArrowOrigin::Report { dead: *dead, clock: *clock, by: *reporter })
            }
            DeathEvent::ReportLost { .. } => self.instant(out, telling, "report lost", "loss"),
            DeathEvent::ReportDisputed { dead, .. } => {
                let name = format!("report disputed: {} is alive", self.name(*dead));
                self.instant(out, telling, &name, "report")
            }
        }
    }

    fn seed(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &SeedEvent) -> io::Result<()> {
        let name = match event {
            SeedEvent::TooFewSeeds { .. } => Cow::Borrowed("too few seeds"),
            SeedEvent::EnoughSeeds { .. } => Cow::Borrowed("enough seeds"),
            SeedEvent::ListedAlready { .. } => Cow::Borrowed("listed already"),
            SeedEvent::PeerListReceived { .. } => Cow::Borrowed("got a list"),
            SeedEvent::PeerListSent { .. } => Cow::Borrowed("sent a list"),
            SeedEvent::PeerListed { peer, .. } => format!("{} on the list", self.name(*peer)).into(),
            SeedEvent::PeerDelisted { peer, .. } => format!("{} off the list", self.name(*peer)).into(),
        };
        self.instant(out, telling, &name, "seed")
    }

    fn fault(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, event: &FaultEvent) -> io::Result<()> {
        match event {
            FaultEvent::Set { fault, .. } => {
                let name = fault.text(&|addr| self.name(addr));
                self.instant_everywhere(out, telling, &name)?;
                let slice = OpenSlice { id: self.new_id(), name, category: "fault" };
                self.trace.push(out, telling.entry(Phase::AsyncBegin(slice.id), &slice.name, slice.category))?;
                if self.faults.len() == FAULTS_MAX {
                    let (_, oldest) = self.faults.remove(0);
                    end_slice(&mut self.trace, out, FAULTS, telling.event.at, &oldest)?;
                }
                self.faults.push((fault.clone(), slice));
                Ok(())
            }
            FaultEvent::Cleared { fault, .. } => {
                let name = format!("no longer: {}", fault.text(&|addr| self.name(addr)));
                self.instant_everywhere(out, telling, &name)?;
                let Some(place) = self.faults.iter().position(|(set, _)| set == fault) else { return Ok(()) };
                let (_, slice) = self.faults.remove(place);
                self.trace.push(out, telling.entry(Phase::AsyncEnd(slice.id), &slice.name, slice.category))
            }
            FaultEvent::Lied { about } => {
                let name = format!("lies that {} is dead", self.name(*about));
                self.instant(out, telling, &name, "fault")
            }
        }
    }

    fn instant_everywhere(&mut self, out: &mut Vec<u8>, telling: &Telling<'_>, name: &str) -> io::Result<()> {
        self.trace.push(out, telling.entry(Phase::Instant(InstantScope::Everywhere), name, "fault"))
    }

    /// The track on which an event stands: faults have one of their own, wherever they are.
    fn track_of(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<TrackId> {
        match &event.kind {
            EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => Ok(FAULTS),
            EventKind::Fault(FaultEvent::Lied { .. })
            | EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_) => self.track(out, event.node),
        }
    }
}

impl EventWriter for PerfettoTrace {
    fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        self.last = self.last.max(event.at);
        let track = self.track_of(out, event)?;
        let time = clock_text(event.at, self.utc_offset_s);
        let what = sentence(&event.kind, &|addr| self.name(addr));
        let telling = Telling { event, track, time: &time, what: &what };
        match &event.kind {
            EventKind::Node(kind) => self.node(out, &telling, kind),
            EventKind::Link(kind) => self.link(out, &telling, kind),
            EventKind::Gossip(kind) => self.gossip(out, &telling, kind),
            EventKind::Probe(kind) => self.probe(out, &telling, kind),
            EventKind::Death(kind) => self.death(out, &telling, kind),
            EventKind::Seed(kind) => self.seed(out, &telling, kind),
            EventKind::Fault(kind) => self.fault(out, &telling, kind),
        }
    }

    fn push_missing(&mut self, out: &mut Vec<u8>, _events: u64, words: &str) -> io::Result<()> {
        let (at, time) = (self.last, clock_text(self.last, self.utc_offset_s));
        let (phase, args) = (Phase::Instant(InstantScope::Everywhere), Some(Args { time: &time, what: words }));
        self.trace.push(out, TraceEntry { track: FAULTS, at, phase, name: words, category: "missing", args })
    }

    /// Whatever is still open lasted to the end.
    fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let nodes: Vec<Addr> = self.tracks.keys().copied().collect();
        nodes.into_iter().try_for_each(|node| self.end_life(out, node, self.last))?;
        for (_, slice) in std::mem::take(&mut self.faults) {
            end_slice(&mut self.trace, out, FAULTS, self.last, &slice)?;
        }
        TraceWriter::end(out);
        Ok(())
    }
}

/// The name and the category of the arrow.
const fn arrow(sending: &ArrowOrigin) -> (&'static str, &'static str) {
    match sending {
        ArrowOrigin::Message { .. } => ("copy", "message"),
        ArrowOrigin::Report { .. } => ("report", "report"),
    }
}

fn end_slice(trace: &mut TraceWriter, out: &mut Vec<u8>, on: TrackId, at: Time, slice: &OpenSlice) -> io::Result<()> {
    let OpenSlice { id, name, category } = slice;
    trace.push(out, TraceEntry { track: on, at, phase: Phase::AsyncEnd(*id), name, category, args: None })
}
