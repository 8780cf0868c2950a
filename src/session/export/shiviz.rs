//! A session as a log for `ShiViz` (<https://bestchai.bitbucket.io/shiviz/>), which draws what could
//! have caused what.
//!
//! The first line is the expression by which `ShiViz` reads the rest, the second is empty: it would
//! divide several runs. Each event then has two lines: its node with the node's vector clock, and what
//! happened. A node's own entry counts its events from 1. A receipt takes over the clock that the
//! sender had when it sent ("Timestamps in message-passing systems that preserve the partial
//! ordering", Fidge, 1988): of a copy of a message, when the sender itself began or first got it,
//! because a node forwards at once; of a probe, its answer and a dead report, when they were sent.
//! Links and lists carry no clock.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Arc;

use indexmap::IndexMap;

use super::EventWriter;
use super::recent::Recent;
use crate::event::{
    DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent,
};
use crate::model::words::{clock_text, sentence};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, ProbeSeq};
use crate::proto::text::printable;
use crate::proto::time::ClockTime;
use crate::session::journal::Header;
use crate::session::names::NodeNames;
use crate::session::text::printed_json;

/// The first line, as `ShiViz` expects it.
const PARSER: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";
/// Nodes of one log: the clock of each event names them all, and nobody sees more columns.
const HOSTS_MAX: usize = 1_024;
/// Entries of all clocks that are kept for what is on its way: 64 MB. A lab of 50 peers sends no more
/// in an hour, one of a thousand in some seconds, and nothing is on its way longer.
const ENTRIES_MAX: usize = 16 * 1024 * 1024;

/// How many events of each node came before, by the node's place among the hosts.
type VectorClock = Vec<u32>;

/// Something that leaves a node and arrives at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sending {
    Message { id: MessageId, by: Addr },
    Probe { by: Addr, to: Addr, seq: ProbeSeq },
    Answer { by: Addr, to: Addr, seq: ProbeSeq },
    Report { dead: Addr, clock: ClockTime, by: Addr },
}

/// What an event does to the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// It concerns its node alone.
    Local,
    Sends(Sending),
    Receives(Sending),
    /// It receives one thing and sends another at the same moment.
    PassesOn(Sending, Sending),
}

#[derive(Debug)]
struct ClockedHost {
    name: String,
    clock: VectorClock,
}

/// The events of a session on their way into such a log.
#[derive(Debug)]
pub(super) struct ShivizLog {
    names: NodeNames,
    hosts: IndexMap<Addr, ClockedHost>,
    sent: Recent<Sending, Arc<VectorClock>>,
    utc_offset_s: i32,
}

impl ShivizLog {
    pub(super) fn begin(header: &Header, out: &mut Vec<u8>) -> io::Result<Self> {
        writeln!(out, "{PARSER}\n")?;
        let (names, hosts, sent) = (NodeNames::new(), IndexMap::new(), Recent::new(ENTRIES_MAX));
        Ok(Self { names, hosts, sent, utc_offset_s: header.utc_offset_s })
    }

    /// The place of this node among the hosts. It keeps its name: `ShiViz` knows it by nothing else.
    fn host(&mut self, node: Addr) -> io::Result<usize> {
        if let Some(place) = self.hosts.get_index_of(&node) {
            return Ok(place);
        }
        if self.hosts.len() == HOSTS_MAX {
            let too_many =
                format!("the session has more than {HOSTS_MAX} nodes, and ShiViz needs them all in each clock");
            return Err(io::Error::other(too_many));
        }
        let name = self.free_name(node);
        let (place, _) = self.hosts.insert_full(node, ClockedHost { name, clock: VectorClock::new() });
        self.sent.keep_at_most(ENTRIES_MAX / self.hosts.len());
        Ok(place)
    }

    /// Without blanks, which end a host's name; a name that another node has is its address.
    fn free_name(&self, node: Addr) -> String {
        let name = printable(&self.names.name(node)).replace(char::is_whitespace, "_");
        if self.hosts.values().any(|host| host.name == name) { node.to_string() } else { name }
    }

    /// One more event of this host, which takes over what the sender knew.
    fn tick(&mut self, host: usize, passing: Passing) {
        let received = passing.received().and_then(|sending| self.sent.get(&sending)).cloned();
        let Some((_, ClockedHost { clock, .. })) = self.hosts.get_index_mut(host) else { return };
        if let Some(received) = received {
            merge(clock, &received);
        }
        clock.resize(clock.len().max(host + 1), 0);
        clock[host] = clock[host].saturating_add(1);
        if let Some(sending) = passing.sent() {
            let clock = Arc::new(clock.clone());
            self.sent.insert(sending, clock);
        }
    }

    /// The clock as JSON, without the nodes of which nothing is known.
    fn clock_json(&self, clock: &[u32]) -> io::Result<String> {
        let known = clock.iter().enumerate().filter(|(_, count)| **count > 0);
        let named = known.map(|(place, count)| (self.hosts[place].name.as_str(), *count));
        Ok(printed_json(&named.collect::<BTreeMap<&str, u32>>())?)
    }
}

impl EventWriter for ShivizLog {
    fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        let Some(passing) = passing(event) else { return Ok(()) };
        let place = self.host(event.node)?;
        self.tick(place, passing);
        let host = &self.hosts[place];
        let what = sentence(&event.kind, &|addr| self.names.name(addr).into_owned());
        writeln!(out, "{} {}", host.name, self.clock_json(&host.clock)?)?;
        writeln!(out, "{} {}", clock_text(event.at, self.utc_offset_s), printable(&what))
    }

    /// `ShiViz` leaves out what its expression does not match.
    fn push_missing(&mut self, out: &mut Vec<u8>, _events: u64, words: &str) -> io::Result<()> {
        writeln!(out, "({words})")
    }

    fn end(&mut self, _out: &mut Vec<u8>) -> io::Result<()> {
        Ok(())
    }
}

impl Passing {
    const fn received(self) -> Option<Sending> {
        match self {
            Self::Receives(sending) | Self::PassesOn(sending, _) => Some(sending),
            Self::Local | Self::Sends(_) => None,
        }
    }

    const fn sent(self) -> Option<Sending> {
        match self {
            Self::Sends(sending) | Self::PassesOn(_, sending) => Some(sending),
            Self::Local | Self::Receives(_) => None,
        }
    }
}

fn merge(clock: &mut VectorClock, other: &[u32]) {
    clock.resize(clock.len().max(other.len()), 0);
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

/// `None`: the log does not tell it.
fn passing(event: &Event) -> Option<Passing> {
    let node = event.node;
    match &event.kind {
        EventKind::Gossip(event) => Some(gossip(node, event)),
        EventKind::Probe(event) => Some(probe(node, event)),
        EventKind::Death(event) => Some(death(node, event)),
        EventKind::Node(event) => node_event(event),
        EventKind::Link(event) => link(event),
        EventKind::Seed(event) => seed(event),
        EventKind::Fault(FaultEvent::Lied { .. }) => Some(Passing::Local),
        // They happen to the network, not to a node.
        EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => None,
    }
}

fn gossip(node: Addr, event: &GossipEvent) -> Passing {
    match event {
        GossipEvent::Generated { id, .. } => Passing::Sends(Sending::Message { id: *id, by: node }),
        GossipEvent::Received { id, from, .. } => {
            Passing::PassesOn(Sending::Message { id: *id, by: *from }, Sending::Message { id: *id, by: node })
        }
        GossipEvent::Duplicate { id, from, .. } => Passing::Receives(Sending::Message { id: *id, by: *from }),
        // Who made it is not known.
        GossipEvent::Forged { .. } | GossipEvent::Lost { .. } => Passing::Local,
    }
}

fn probe(node: Addr, event: &ProbeEvent) -> Passing {
    match *event {
        ProbeEvent::Sent { peer, seq, .. } => Passing::Sends(Sending::Probe { by: node, to: peer, seq }),
        ProbeEvent::Received { peer, seq, .. } => {
            Passing::PassesOn(Sending::Probe { by: peer, to: node, seq }, Sending::Answer { by: node, to: peer, seq })
        }
        ProbeEvent::Answered { peer, seq, .. } => Passing::Receives(Sending::Answer { by: peer, to: node, seq }),
        ProbeEvent::Missed { .. } | ProbeEvent::Lost { .. } => Passing::Local,
    }
}

fn death(node: Addr, event: &DeathEvent) -> Passing {
    match *event {
        DeathEvent::DeadReportSent { dead, clock, .. } => Passing::Sends(Sending::Report { dead, clock, by: node }),
        DeathEvent::DeadReportReceived { dead, clock, reporter, .. } => {
            Passing::Receives(Sending::Report { dead, clock, by: reporter })
        }
        DeathEvent::NeighborDied { .. } | DeathEvent::ReportLost { .. } | DeathEvent::ReportDisputed { .. } => {
            Passing::Local
        }
    }
}

fn node_event(event: &NodeEvent) -> Option<Passing> {
    match event {
        NodeEvent::Started { .. } | NodeEvent::Stopped { .. } | NodeEvent::Hung | NodeEvent::WasAway { .. } => {
            Some(Passing::Local)
        }
        NodeEvent::Exposed { .. } | NodeEvent::Failed { .. } => None,
    }
}

fn link(event: &LinkEvent) -> Option<Passing> {
    match event {
        LinkEvent::Up { .. } | LinkEvent::Down { .. } | LinkEvent::Violation { .. } => Some(Passing::Local),
        LinkEvent::Dialing { .. }
        | LinkEvent::DialFailed { .. }
        | LinkEvent::Refused { .. }
        | LinkEvent::NotAccepted { .. }
        | LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::OtherDialect { .. }
        | LinkEvent::HandshakeFailed { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::Repairing { .. } => None,
    }
}

fn seed(event: &SeedEvent) -> Option<Passing> {
    match event {
        SeedEvent::PeerListed { .. } | SeedEvent::PeerDelisted { .. } => Some(Passing::Local),
        SeedEvent::TooFewSeeds { .. }
        | SeedEvent::EnoughSeeds { .. }
        | SeedEvent::ListedAlready { .. }
        | SeedEvent::PeerListReceived { .. }
        | SeedEvent::PeerListSent { .. } => None,
    }
}
