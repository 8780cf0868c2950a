//! Recorded events in, what a reader of the screen should then see out.

use std::time::Duration;

use super::Model;
use super::link::LinkState;
use super::node::ObservedState;
use super::notice::Severity;
use super::rumor::Counting;
use super::why::{Explanation, about_message, about_node, why_dead, why_link};
use crate::event::samples::link_up;
use crate::event::{
    DeathEvent, DelistReason, Direction, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, Methods, NodeEvent,
    Pace, ProbeEvent, Purpose, ReportAction, SeedEvent, Side, Stop,
};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Dialect, GoodbyeReason, MessageId, Role, Trace};
use crate::proto::text::Body;
use crate::proto::time::{ClockTime, Time};

mod causes;
mod deaths;
mod depth;
mod elsewhere;
mod evidence;
mod figures;
mod lacking;
mod messages;
mod nodes;
mod past;
mod warnings;
mod words;

const SECOND: u64 = 1_000_000;
/// 03:13:00 on some day.
const START: u64 = (3 * 3600 + 13 * 60) * SECOND;

/// Tells a model a story, a second a line unless it says otherwise.
struct Story {
    model: Model,
    at: u64,
    links: u64,
}

fn s(n: u16) -> Addr {
    Addr::loopback(5000 + n)
}

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

fn clock() -> ClockTime {
    ClockTime::from_seconds(11_580).unwrap()
}

impl Story {
    fn new() -> Self {
        Self { model: Model::new(), at: START, links: 0 }
    }

    /// Two seeds and some peers, each linked to the next one and to both seeds.
    fn network(peers: u16) -> Self {
        let mut story = Self::new();
        (1..=2).for_each(|n| story.start(s(n), &format!("s{n}"), Role::Seed));
        (1..=peers).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
        for n in 1..=peers {
            story.link(p(n), s(1), Purpose::Registration);
            story.link(p(n), s(2), Purpose::Registration);
            story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(n), again: false }));
            story.tell(s(2), EventKind::Seed(SeedEvent::PeerListed { peer: p(n), again: false }));
        }
        for n in 1..peers {
            story.link(p(n), p(n + 1), Purpose::Neighbor);
        }
        story
    }

    fn tell(&mut self, node: Addr, kind: EventKind) {
        self.model.apply(&Event { at: Time::from_micros(self.at), node, kind });
    }

    fn wait(&mut self, seconds: u64) {
        self.at += seconds * SECOND;
    }

    fn start(&mut self, node: Addr, name: &str, role: Role) {
        let pace = Pace { gossip_interval_us: 10 * SECOND, liveness_interval_us: 13 * SECOND, liveness_misses: 3 };
        self.tell(
            node,
            EventKind::Node(NodeEvent::Started {
                name: name.to_owned(),
                role,
                dialect: Dialect::Framed,
                pace,
                methods: Methods::default(),
            }),
        );
    }

    fn link(&mut self, from: Addr, to: Addr, purpose: Purpose) {
        self.links += 1;
        let link = LinkId(self.links);
        self.tell(from, EventKind::Link(LinkEvent::Dialing { peer: to, purpose, repair: None }));
        self.tell(from, link_up(link, to, Direction::Outbound, purpose));
        self.tell(to, link_up(link, from, Direction::Inbound, purpose));
    }

    fn probe(&mut self, node: Addr, peer: Addr, seq: u64) {
        self.tell(node, EventKind::Probe(ProbeEvent::Sent { probe: None, peer, seq }));
    }

    fn answer(&mut self, node: Addr, peer: Addr, seq: u64) {
        self.tell(node, EventKind::Probe(ProbeEvent::Answered { probe: None, peer, seq, clock: clock(), rtt_us: 400 }));
    }

    fn miss(&mut self, node: Addr, peer: Addr, seq: u64, misses: u32) {
        let last_heard = Time::from_micros(START);
        self.tell(node, EventKind::Probe(ProbeEvent::Missed { probe: None, peer, seq, misses, limit: 3, last_heard }));
    }

    /// `node` misses three probes in a row.
    fn three_misses(&mut self, node: Addr, peer: Addr) {
        for misses in 1..=3 {
            self.probe(node, peer, u64::from(misses));
            self.wait(2);
            self.miss(node, peer, u64::from(misses), misses);
        }
    }

    /// `node` declares `peer` dead and reports it to both seeds.
    fn declare(&mut self, node: Addr, peer: Addr, cause: DeathCause) {
        let last_heard = Time::from_micros(START);
        self.tell(node, EventKind::Death(DeathEvent::NeighborDied { missed: None, peer, cause, last_heard }));
        let end = LinkEnd::Dead { cause };
        self.tell(
            node,
            EventKind::Link(LinkEvent::Down { link: self.link_of(node, peer), peer, purpose: Purpose::Neighbor, end }),
        );
        self.tell(
            node,
            EventKind::Death(DeathEvent::DeadReportSent {
                report: None,
                dead: peer,
                clock: clock(),
                seeds: vec![s(1), s(2)],
                cause,
            }),
        );
    }

    fn link_of(&self, node: Addr, peer: Addr) -> LinkId {
        self.model.links().get(node, peer).and_then(|link| link.connections.first().copied()).unwrap_or(LinkId(0))
    }

    /// The node answered the seed after 900 us; it is the reporter's dispute of this number.
    fn dispute(&mut self, seed: Addr, dead: Addr, reporter: Addr, disputes: u32) {
        let rtt_us = 900;
        self.tell(
            seed,
            EventKind::Death(DeathEvent::ReportDisputed {
                report: None,
                verification: None,
                dead,
                reporter,
                disputes,
                rtt_us,
            }),
        );
    }

    fn report(&mut self, seed: Addr, dead: Addr, reporter: Addr, action: ReportAction) {
        self.tell(
            seed,
            EventKind::Death(DeathEvent::DeadReportReceived {
                report: None,
                verification: None,
                dead,
                clock: clock(),
                reporter,
                cause: None,
                action,
            }),
        );
    }

    fn state(&self, node: Addr) -> ObservedState {
        self.model.nodes().get(node).unwrap().state()
    }

    fn generate(&mut self, node: Addr, seq: u64) -> MessageId {
        let id = MessageId { origin: node, run: 1, seq };
        let trace = Some(Trace { sent: Time::from_micros(self.at), hop: 0 });
        self.tell(node, EventKind::Gossip(GossipEvent::Generated { id, body: "hello".into(), trace, forwarded: 1 }));
        id
    }

    fn receive(&mut self, node: Addr, from: Addr, id: MessageId, hop: Option<u16>) {
        let trace = hop.map(|hop| Trace { sent: Time::from_micros(self.at), hop });
        self.tell(
            node,
            EventKind::Gossip(GossipEvent::Received { id, from, body: "hello".into(), trace, forwarded: 1 }),
        );
    }
}

fn says(explanation: &Explanation, words: &str) -> bool {
    explanation.evidence.iter().any(|line| line.text.contains(words))
}

/// p2 hangs; p1 and p3 notice; s1 asks it, s2 believes the report.
fn a_death_of_missed_probes() -> Story {
    let mut story = Story::network(3);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.three_misses(p(1), p(2));
    story.three_misses(p(3), p(2));
    let cause = DeathCause::Misses { misses: 3 };
    story.declare(p(1), p(2), cause);
    story.declare(p(3), p(2), cause);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.report(s(2), p(2), p(1), ReportAction::Removed);
    let reporter = p(1);
    story.tell(
        s(2),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: p(2),
            verification: None,
            reason: DelistReason::Reported { report: None, reporter },
        }),
    );
    story.report(s(2), p(2), p(3), ReportAction::NotListed);
    story.wait(2);
    story.miss(s(1), p(2), 9, 3);
    story.tell(
        s(1),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: p(2),
            verification: None,
            reason: DelistReason::Unanswered { report: None, reporter },
        }),
    );
    story
}
