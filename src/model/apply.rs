//! Takes an event in: which part of the model learns what from it.

mod gossip;

use std::time::Duration;

use super::Model;
use super::death::Evidence;
use super::fault::Lie;
use super::gossip::GossipEntry;
use super::link::{LinkKey, Miss};
use super::node::{Belief, NodeRecord, Suspicion};
use super::notice::Notice;
use super::overlay::ChangeKind;
use super::words::{self, Receipt};
use crate::event::{
    Absence, DeathEvent, DelistReason, Event, EventKind, FaultEvent, LinkEnd, LinkEvent, NodeEvent, NodeState,
    ProbeEvent, Purpose, SeedEvent, Side,
};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, GoodbyeReason, Role};
use crate::proto::time::Time;

#[derive(Clone, std::marker::Copy)]
struct At {
    at: Time,
    node: Addr,
}

/// Saturates: a recording can name any number.
const fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

impl At {
    fn link(self, peer: Addr) -> LinkKey {
        LinkKey { node: self.node, peer }
    }
}

pub(super) fn apply(model: &mut Model, event: &Event) {
    let here = At { at: event.at, node: event.node };
    let place = model.nodes.place_of(event.node);
    let life = place.and_then(|place| model.nodes.life_at(place));
    model.totals.events += 1;
    model.started.get_or_insert(event.at);
    model.now = model.now.max(event.at);
    // What failed may be the start of a node, which then is no node; a fault may be everywhere.
    let is_nobody = matches!(
        event.kind,
        EventKind::Node(NodeEvent::Failed { .. })
            | EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. })
    );
    if !is_nobody {
        model.nodes.at_work(event.node, event.at);
    }
    // A seed of ours tolerates a peer that comes back, and a neighbor elsewhere that asks for a
    // restart is told.
    let is_harmless = matches!(event.kind, EventKind::Seed(SeedEvent::ListedAlready { seed }) if model.nodes.get(seed).is_some_and(NodeRecord::is_ours));
    let readers = words::readers(&event.kind);
    if let Some(severity) = readers.notice.filter(|_| !is_harmless) {
        model.notices.push(Notice { at: event.at, severity, event: event.clone() });
    }
    model.take(here, event);
    // A message's line says more than its event: see `take_gossip`.
    if readers.gossip_log && !matches!(event.kind, EventKind::Gossip(_)) {
        model.log(here, event.kind.clone(), Receipt::default());
    }
    let place = place.or_else(|| model.nodes.place_of(event.node));
    if place.is_some_and(|place| model.nodes.life_at(place) != life) {
        model.changes.note(event.at, event.node, ChangeKind::Life(life));
    }
}

impl Model {
    fn take(&mut self, here: At, event: &Event) {
        match &event.kind {
            EventKind::Node(kind) => self.take_node(here, kind),
            EventKind::Link(kind) => self.take_link(here, kind),
            EventKind::Gossip(kind) => self.take_gossip(here, kind),
            EventKind::Probe(kind) => self.take_probe(here, kind, event),
            EventKind::Death(kind) => self.take_death(here, kind, event),
            EventKind::Seed(kind) => self.take_seed(here, kind, event),
            EventKind::Fault(kind) => self.take_fault(here, kind),
        }
    }

    fn take_node(&mut self, here: At, event: &NodeEvent) {
        match *event {
            NodeEvent::Started { ref name, role, dialect, pace } => {
                self.started_node(here, name, role);
                let node = self.nodes.at_work(here.node, here.at);
                (node.dialect, node.pace) = (Some(dialect), Some(pace));
            }
            NodeEvent::Stopped { how } => {
                self.nodes.stopped(here.node, here.at, how);
                self.clear_links(here);
            }
            NodeEvent::Hung => self.nodes.hung(here.node, here.at),
            NodeEvent::WasAway { why, span_us } => self.was_away(here, why, Duration::from_micros(span_us)),
            NodeEvent::Exposed { .. } | NodeEvent::Failed { .. } => {}
        }
    }

    fn take_link(&mut self, here: At, event: &LinkEvent) {
        match *event {
            LinkEvent::Dialing { peer, purpose } => {
                self.mention_for(peer, purpose, here.at);
                self.links.dialing(here.link(peer), purpose, here.at, event);
            }
            LinkEvent::DialFailed { peer, purpose, .. } => {
                self.links.failed(here.link(peer), purpose, here.at, event);
            }
            LinkEvent::Refused { peer, .. } => {
                self.links.failed(here.link(peer), Purpose::Neighbor, here.at, event);
            }
            LinkEvent::NotAccepted { peer } => self.links.parked(here.link(peer), here.at, event),
            LinkEvent::Up { peer, purpose, .. } => {
                self.mention_for(peer, purpose, here.at);
                if self.links.came_up(here.node, here.at, event) {
                    self.count_link(here, peer, purpose, 1);
                }
                self.heard(here, peer);
            }
            LinkEvent::Down { peer, purpose, end, .. } => {
                if self.links.went_down(here.node, here.at, event) {
                    self.count_link(here, peer, purpose, -1);
                    self.nodes.unwatched(peer, here.node, here.at);
                    self.dropped_while_hung(here, peer);
                }
                if end == (LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Leaving }) {
                    self.nodes.believe(peer, Belief::Left, here.at);
                }
            }
            LinkEvent::Violation { peer, ref remote, .. } => {
                self.violations(here, 1);
                self.dial_ended(here, peer, remote, event);
            }
            LinkEvent::MoreOffenses { count, .. } => self.violations(here, count),
            LinkEvent::EclipseSuspected { ref joiners } => {
                self.joiners.insert(here.node, joiners.clone());
            }
            LinkEvent::OtherDialect { ref remote, peer, .. } | LinkEvent::HandshakeFailed { peer, ref remote } => {
                self.dial_ended(here, peer, remote, event);
            }
            LinkEvent::Flooding { .. } | LinkEvent::Omitted { .. } | LinkEvent::Repairing { .. } => {}
        }
    }

    fn violations(&mut self, here: At, count: u64) {
        add(&mut self.totals.violations, count);
        add(&mut self.nodes.at_work(here.node, here.at).counters.violations, count);
    }

    fn take_probe(&mut self, here: At, kind: &ProbeEvent, event: &Event) {
        match *kind {
            ProbeEvent::Sent { peer, seq, .. } => {
                self.nodes.at_work(here.node, here.at).counters.probes_sent += 1;
                self.links.probed(here.link(peer), seq, here.at);
                self.with_contact(peer, |contact| contact.probes_to_it += 1);
            }
            ProbeEvent::Received { peer, .. } => {
                self.links.heard(here.link(peer), here.at);
                self.contact(peer, here.node, here.at, |contact| contact.probes_from_it += 1);
            }
            ProbeEvent::Answered { peer, seq, rtt_us, .. } => {
                self.nodes.at_work(here.node, here.at).counters.probes_answered += 1;
                self.probes.answered.count(here.at);
                self.links.answered(here.link(peer), seq, rtt_us, here.at);
                self.contact(peer, here.node, here.at, |contact| contact.answered += 1);
                self.heard(here, peer);
            }
            ProbeEvent::Lost { .. } => {}
            ProbeEvent::Missed { peer, seq, misses, limit, last_heard, .. } => {
                let missed_at = here.at;
                self.nodes.at_work(here.node, here.at).counters.probes_missed += 1;
                self.probes.missed.count(here.at);
                self.links.missed(here.link(peer), Miss { seq, sent_at: None, missed_at, misses, limit, last_heard });
                self.with_contact(peer, |contact| contact.missed += 1);
                // A seed probes to check a report: a missing answer is a step of the case, not a suspicion.
                if self.nodes.get(here.node).is_none_or(|node| node.role != Some(Role::Seed)) {
                    self.nodes.suspected(peer, Suspicion { by: here.node, misses, limit }, here.at);
                } else if misses >= limit {
                    self.deaths.acted(peer, event);
                }
            }
        }
    }

    fn take_death(&mut self, here: At, kind: &DeathEvent, event: &Event) {
        match *kind {
            DeathEvent::NeighborDied { peer, cause, last_heard, .. } => {
                let mut evidence = Evidence::of(here.node);
                evidence.declared_at = Some(here.at);
                evidence.cause = Some(cause);
                evidence.last_heard = Some(last_heard);
                self.died(here, peer, evidence);
            }
            DeathEvent::DeadReportSent { dead, ref seeds, cause, .. } => {
                self.nodes.mention(dead, here.at);
                // A liar names a made-up cause.
                let is_lie = self.faults.is_lie(Lie { at: here.at, liar: here.node, about: dead });
                let cause = if is_lie { DeathCause::Lie } else { cause };
                self.deaths.reported(dead, here.node, seeds, cause, here.at);
            }
            DeathEvent::DeadReportReceived { dead, reporter, cause, .. } => {
                self.nodes.mention(dead, here.at);
                self.nodes.mention(reporter, here.at);
                self.seeds.got_report(here.node);
                self.contact(reporter, here.node, here.at, |_| {});
                self.deaths.received(dead, event, reporter, cause);
            }
            DeathEvent::ReportLost { .. } => {}
            DeathEvent::ReportDisputed { dead, reporter, disputes, .. } => {
                self.totals.disputes += 1;
                self.seeds.disputed(here.node, reporter, disputes, here.at);
                self.deaths.acted(dead, event);
                self.heard(here, dead);
            }
        }
    }

    fn take_seed(&mut self, here: At, kind: &SeedEvent, event: &Event) {
        match *kind {
            SeedEvent::PeerListReceived { seed, ref peers, listed } => {
                self.nodes.mention_as(seed, Role::Seed, here.at);
                for peer in peers {
                    self.nodes.mention_as(*peer, Role::Peer, here.at);
                }
                let is_ours = self.nodes.get(seed).is_some_and(NodeRecord::is_ours);
                if !is_ours {
                    self.seeds.sent_list(seed, listed_len(listed, peers), here.at);
                }
                self.links.heard(here.link(seed), here.at);
                self.contact(seed, here.node, here.at, |_| {});
            }
            SeedEvent::PeerListSent { ref peers, listed, .. } => {
                self.seeds.sent_list(here.node, listed_len(listed, peers), here.at);
            }
            SeedEvent::PeerListed { peer, .. } => {
                self.nodes.mention_as(peer, Role::Peer, here.at);
                self.seeds.listed(here.node, peer, here.at);
                self.deaths.acted(peer, event);
            }
            SeedEvent::PeerDelisted { peer, reason } => {
                self.seeds.delisted(here.node, peer, here.at);
                self.delisted(here, peer, reason, event);
            }
            SeedEvent::TooFewSeeds { .. } | SeedEvent::ListedAlready { .. } | SeedEvent::EnoughSeeds { .. } => {}
        }
    }

    fn take_fault(&mut self, here: At, event: &FaultEvent) {
        match *event {
            FaultEvent::Set { ref fault, .. } => self.faults.set(fault, here.at),
            FaultEvent::Cleared { ref fault, .. } => self.faults.cleared(fault, here.at),
            FaultEvent::Lied { about } => self.faults.lied(Lie { at: here.at, liar: here.node, about }),
        }
    }

    /// A node that was away is not a dead node, whatever the others made of its silence.
    fn was_away(&mut self, here: At, why: Absence, span: Duration) {
        match why {
            Absence::Stopped => self.deaths.was_away(here.node, here.at, span),
            Absence::ReadsLate => {}
        }
    }

    fn log(&mut self, here: At, kind: EventKind, receipt: Receipt) -> u64 {
        self.gossip.push(GossipEntry { at: here.at, node: here.node, kind, receipt }).0
    }

    fn started_node(&mut self, here: At, name: &str, role: Role) {
        self.clear_links(here);
        self.joiners.swap_remove(&here.node);
        self.nodes.started(here.node, here.at, name, role);
        self.deaths.back(here.node, here.at);
        if role == Role::Seed {
            self.seeds.started(here.node);
        }
    }

    /// When a node goes, its links and its suspicions go with it.
    fn clear_links(&mut self, here: At) {
        for LinkKey { peer, .. } in self.links.cleared(here.node, here.at) {
            if self.links.get(here.node, peer).is_some_and(|link| link.purpose == Purpose::Neighbor) {
                self.changes.note(here.at, here.node, ChangeKind::Down(peer));
            }
            self.nodes.linked(peer, here.at, -1);
            self.nodes.unwatched(peer, here.node, here.at);
        }
        let node = self.nodes.at_work(here.node, here.at);
        (node.neighbors, node.registrations) = (0, 0);
    }

    /// A seed's registrations are with peers, a peer's with seeds.
    fn mention_for(&mut self, peer: Addr, purpose: Purpose, at: Time) {
        match purpose {
            Purpose::Registration => {
                self.nodes.mention(peer, at);
            }
            Purpose::Neighbor => self.nodes.mention_as(peer, Role::Peer, at),
        }
    }

    fn count_link(&mut self, here: At, peer: Addr, purpose: Purpose, by: i32) {
        if purpose == Purpose::Neighbor {
            let what = if by > 0 { ChangeKind::Up(peer) } else { ChangeKind::Down(peer) };
            self.changes.note(here.at, here.node, what);
        }
        self.nodes.linked(peer, here.at, by);
        let node = self.nodes.at_work(here.node, here.at);
        let count = match purpose {
            Purpose::Registration => &mut node.registrations,
            Purpose::Neighbor => &mut node.neighbors,
        };
        *count = count.saturating_add_signed(by);
        let role = node.role;
        match (purpose, role) {
            (Purpose::Registration, Some(Role::Peer)) => self.nodes.mention_as(peer, Role::Seed, here.at),
            (Purpose::Registration, Some(Role::Seed)) => self.nodes.mention_as(peer, Role::Peer, here.at),
            (Purpose::Registration, None) | (Purpose::Neighbor, _) => {}
        }
    }

    /// A connection failed before it came up. If only the remote end is known, that is the dialed
    /// address if we dialed.
    fn dial_ended(&mut self, here: At, peer: Option<Addr>, remote: &str, event: &LinkEvent) {
        if let Some(peer) = peer.or_else(|| remote.parse().ok()) {
            self.links.dial_ended(here.link(peer), here.at, event);
        }
    }

    /// A hung node of ours emits nothing when `here` drops it, but the link is gone all the same.
    fn dropped_while_hung(&mut self, here: At, hung: Addr) {
        if self.nodes.get(hung).is_none_or(|node| node.life != Some(NodeState::Hangs)) {
            return;
        }
        let there = At { at: here.at, node: hung };
        if let Some(purpose) = self.links.dropped(there.link(here.node), here.at) {
            self.count_link(there, here.node, purpose, -1);
            self.nodes.unwatched(here.node, hung, here.at);
        }
    }

    /// `here` heard from this node, which may have been declared dead.
    fn heard(&mut self, here: At, peer: Addr) {
        let was_dead = self.nodes.heard(peer, here.node, here.at);
        if self.is_back(here, peer, was_dead) {
            self.nodes.came_back(peer, here.at);
            self.deaths.back(peer, here.at);
        }
    }

    /// Whether the node is back, now that `here` has heard from it. Only those that declared it
    /// dead can tell, whatever is believed by now: a node that heard from it all the while, or
    /// found it on its own side of a partition, disagrees with them and does not bring it back for
    /// them. If none of our nodes declared it dead, any node that had no link to it can tell.
    fn is_back(&self, here: At, peer: Addr, was_dead: bool) -> bool {
        let Some(case) = self.deaths.latest_of(peer) else { return was_dead };
        if case.is_open_and_declared() {
            // The last messages of a node of ours that is gone bring nobody back.
            let is_gone = |node: &NodeRecord| matches!(node.life, Some(NodeState::Killed | NodeState::Left));
            return case.is_declared_by(here.node, here.at) && !self.nodes.get(peer).is_some_and(is_gone);
        }
        let stood = self.links.get(here.node, peer).is_some_and(|link| link.is_up() && link.since <= case.at);
        was_dead && !stood
    }

    fn delisted(&mut self, here: At, peer: Addr, reason: DelistReason, event: &Event) {
        match reason {
            DelistReason::Silent => {
                // Perhaps nobody is left to report it.
                self.deaths.found_silent(peer, event);
                self.nodes.presume_dead(peer, here.at);
            }
            DelistReason::Reported { .. } | DelistReason::Unanswered { .. } => {
                self.deaths.acted(peer, event);
                self.nodes.presume_dead(peer, here.at);
            }
            DelistReason::Departed => self.deaths.acted(peer, event),
            DelistReason::Left => self.nodes.believe(peer, Belief::Left, here.at),
        }
    }

    fn died(&mut self, here: At, peer: Addr, mut evidence: Evidence) {
        self.totals.deaths_declared += 1;
        if let Some(link) = self.links.get(here.node, peer) {
            evidence.missed.clone_from(&link.missed);
        }
        self.deaths.declared(peer, evidence, here.at);
        self.nodes.unwatched(peer, here.node, here.at);
        self.nodes.believe(peer, Belief::Dead, here.at);
    }
}

/// The length of a list of which these addresses were named.
fn listed_len(listed: Option<u32>, named: &[Addr]) -> usize {
    listed.map_or(named.len(), |listed| usize::try_from(listed).unwrap_or(usize::MAX))
}
