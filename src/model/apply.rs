//! Takes an event in: which part of the model learns what from it.

mod gossip;

use std::time::Duration;

use super::Model;
use super::death::Evidence;
use super::fault::{Lie, Swallowed};
use super::gossip::{BOTH_ENDS, Folded, GossipEntry};
use super::link::{LinkHistory, LinkKey, Miss, WATCHED_NODES_MAX};
use super::liveness::{ProbeEntry, ProbeOutcome};
use super::loss::LostProbe;
use super::node::{NodeRecord, RecordIx, Suspicion};
use super::notice::Notice;
use super::overlay::ChangeKind;
use super::partial_view::NamedBy;
use super::words;
use crate::event::{
    Absence, DeathEvent, DelistReason, Event, EventKind, FaultEvent, LinkEnd, LinkEvent, NodeEvent, NodeState,
    ProbeEvent, ProbePart, Purpose, SeedEvent, Side,
};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, GoodbyeReason, Role};
use crate::proto::time::Time;

/// When and where something happened.
#[derive(Clone, Copy)]
struct HappenedAt {
    at: Time,
    node: Addr,
    /// The node's record: found once for an event.
    ix: RecordIx,
}

/// Saturates: a recording can name any number.
const fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

impl HappenedAt {
    fn link(self, peer: Addr) -> LinkKey {
        LinkKey { node: self.node, peer }
    }
}

pub(super) fn apply(model: &mut Model, event: &Event) {
    model.look_until(event.at);
    model.totals.events += 1;
    model.started.get_or_insert(event.at);
    model.now = model.now.max(event.at);
    let readers = words::readers(&event.kind);
    if let Some(severity) = readers.notice.filter(|_| !model.is_harmless(&event.kind)) {
        model.notices.push(Notice { at: event.at, severity, event: event.clone() });
    }
    match &event.kind {
        // What failed may be the start of a node, which then is no node; a fault may be everywhere.
        EventKind::Node(NodeEvent::Failed { .. }) => {}
        EventKind::Fault(FaultEvent::Set { id, fault }) => {
            model.rates.fault(event.at);
            model.faults.set(*id, fault, event.at);
        }
        EventKind::Fault(FaultEvent::Cleared { fault, .. }) => model.faults.cleared(fault, event.at),
        EventKind::Node(_)
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_)
        | EventKind::Fault(FaultEvent::Lied { .. }) => model.take_at_node(event),
    }
    if readers.gossip_log {
        model.log_event(event);
    }
}

impl Model {
    /// A seed of ours tolerates a peer that comes back; a neighbor elsewhere may not, and then the
    /// user is told.
    fn is_harmless(&self, kind: &EventKind) -> bool {
        let EventKind::Seed(SeedEvent::ListedAlready { seed }) = kind else { return false };
        self.nodes.get(*seed).is_some_and(NodeRecord::is_ours)
    }

    fn take_at_node(&mut self, event: &Event) {
        let (ix, life) = self.nodes.at_work(event.node, event.at);
        let here = HappenedAt { at: event.at, node: event.node, ix };
        self.links.are_watched = self.nodes.ours() <= WATCHED_NODES_MAX;
        match &event.kind {
            EventKind::Node(kind) => self.take_node(here, kind),
            EventKind::Link(kind) => self.take_link(here, kind),
            EventKind::Gossip(kind) => self.take_gossip(here, kind),
            EventKind::Probe(kind) => self.take_probe(here, kind, event),
            EventKind::Death(kind) => self.take_death(here, kind, event),
            EventKind::Seed(kind) => self.take_seed(here, kind, event),
            EventKind::Fault(FaultEvent::Lied { about }) => {
                self.faults.lied(Lie { at: here.at, liar: here.node, about: *about });
            }
            EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => {}
        }
        if self.nodes.at(ix).life() != life {
            self.changes.note(event.at, event.node, ChangeKind::Life(life));
        }
    }

    fn take_node(&mut self, here: HappenedAt, event: &NodeEvent) {
        match *event {
            NodeEvent::Started { ref name, role, dialect, pace, methods } => {
                self.started_node(here, name, role);
                let node = self.nodes.at_mut(here.ix);
                (node.dialect, node.pace, node.methods) = (Some(dialect), Some(pace), methods);
            }
            NodeEvent::Stopped { how } => {
                self.nodes.set_life(here.ix, here.at, how.into(), |_| {});
                self.clear_links(here);
            }
            NodeEvent::Hung => self.nodes.set_life(here.ix, here.at, NodeState::Hangs, |_| {}),
            NodeEvent::WasAway { why, span_us } => self.was_away(here, why, Duration::from_micros(span_us)),
            NodeEvent::Exposed { .. } | NodeEvent::Failed { .. } => {}
        }
    }

    fn take_link(&mut self, here: HappenedAt, event: &LinkEvent) {
        match *event {
            LinkEvent::Dialing { peer, purpose, .. } => {
                self.mention_for(here, peer, purpose);
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
                self.mention_for(here, peer, purpose);
                if purpose == Purpose::Registration {
                    self.seeds.reached(here.node);
                }
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
                    self.nodes.believe(peer, NodeState::Left, here.at);
                }
            }
            LinkEvent::Violation { peer, remote, .. } => {
                self.violations(here, 1);
                self.dial_ended(here, peer, remote, event);
            }
            LinkEvent::MoreOffenses { count, .. } => self.violations(here, count),
            LinkEvent::EclipseSuspected { ref joiners } => {
                self.joiners.insert(here.node, joiners.clone());
            }
            LinkEvent::OtherDialect { remote, peer, .. } | LinkEvent::HandshakeFailed { peer, remote, .. } => {
                self.dial_ended(here, peer, remote, event);
            }
            LinkEvent::Flooding { .. } | LinkEvent::Omitted { .. } | LinkEvent::Repairing { .. } => {}
        }
        self.learn_of_link(here.node, here.at, event);
    }

    fn violations(&mut self, here: HappenedAt, count: u64) {
        add(&mut self.totals.violations, count);
        add(&mut self.nodes.at_mut(here.ix).counters.violations, count);
    }

    fn take_probe(&mut self, here: HappenedAt, kind: &ProbeEvent, event: &Event) {
        self.log_probe(here, kind);
        match *kind {
            ProbeEvent::Sent { peer, seq, .. } => {
                self.nodes.at_mut(here.ix).counters.probes_sent += 1;
                self.links.probed(here.link(peer), seq, here.at);
                self.nodes.contact(peer, |contact| contact.probes_to_it += 1);
            }
            ProbeEvent::Received { peer, .. } => {
                self.links.heard(here.link(peer), here.at);
                self.contact(peer, here.node, here.at, |contact| contact.probes_from_it += 1);
            }
            ProbeEvent::Answered { peer, seq, rtt_us, .. } => {
                self.nodes.at_mut(here.ix).counters.probes_answered += 1;
                self.probes.answered.count(here.at);
                self.rates.answered(here.at, rtt_us);
                self.links.answered(here.link(peer), seq, rtt_us, here.at);
                self.contact(peer, here.node, here.at, |contact| contact.answered += 1);
                self.heard(here, peer);
            }
            ProbeEvent::Lost { part, seq, loss } => {
                let (asker, target) = match part {
                    ProbePart::Question => (loss.from, loss.to),
                    ProbePart::Answer => (loss.to, loss.from),
                };
                self.faults.lost(loss.why, part.into());
                self.lost_probes.push(LostProbe { at: here.at, asker, target, seq, part, why: loss.why });
            }
            ProbeEvent::Missed { peer, seq, misses, limit, last_heard, .. } => {
                let missed_at = here.at;
                self.nodes.at_mut(here.ix).counters.probes_missed += 1;
                self.probes.missed.count(here.at);
                self.rates.missed(here.at);
                self.links.missed(here.link(peer), Miss { seq, sent_at: None, missed_at, misses, limit, last_heard });
                self.nodes.contact(peer, |contact| contact.missed += 1);
                // A seed probes to check a report: a missing answer is a step of the case, not a suspicion.
                if self.nodes.at(here.ix).role != Some(Role::Seed) {
                    self.nodes.suspected(peer, Suspicion { by: here.node, misses, limit }, here.at);
                } else if misses >= limit {
                    self.deaths.acted(peer, event);
                }
            }
        }
    }

    /// A probe between nodes of ours is told by the one that asked.
    fn log_probe(&mut self, here: HappenedAt, kind: &ProbeEvent) {
        let (asker, target, outcome) = match *kind {
            ProbeEvent::Answered { peer, rtt_us, .. } => (here.node, peer, ProbeOutcome::Answered { rtt_us }),
            ProbeEvent::Missed { peer, misses, limit, .. } => (here.node, peer, ProbeOutcome::Missed { misses, limit }),
            ProbeEvent::Received { peer, .. } if !self.nodes.get(peer).is_some_and(NodeRecord::is_ours) => {
                (peer, here.node, ProbeOutcome::Replied)
            }
            ProbeEvent::Received { .. } | ProbeEvent::Sent { .. } | ProbeEvent::Lost { .. } => return,
        };
        self.probe_log.push(ProbeEntry { at: here.at, asker, asked: target, outcome });
    }

    fn take_death(&mut self, here: HappenedAt, kind: &DeathEvent, event: &Event) {
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
            DeathEvent::ReportLost { loss, .. } => self.faults.lost(loss.why, Swallowed::Report),
            DeathEvent::ReportDisputed { dead, reporter, disputes, .. } => {
                self.totals.disputes += 1;
                self.seeds.disputed(here.node, reporter, disputes, here.at);
                self.deaths.acted(dead, event);
                self.heard(here, dead);
            }
        }
    }

    fn take_seed(&mut self, here: HappenedAt, kind: &SeedEvent, event: &Event) {
        match *kind {
            SeedEvent::PeerListReceived { seed, ref peers, listed } => {
                self.nodes.mention_as(seed, Role::Seed, here.at);
                for peer in peers {
                    self.nodes.mention_as(*peer, Role::Peer, here.at);
                }
                self.named_to(here.node, peers, here.at, NamedBy::Seed(seed));
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
            SeedEvent::PeerDelisted { peer, reason, .. } => {
                self.seeds.delisted(here.node, peer, here.at);
                self.delisted(here, peer, reason, event);
            }
            SeedEvent::TooFewSeeds { registered: 0, .. } => self.seeds.out_of_reach(here.node),
            SeedEvent::TooFewSeeds { .. } | SeedEvent::ListedAlready { .. } | SeedEvent::EnoughSeeds { .. } => {}
        }
    }

    /// A node that was away is not a dead node, whatever the others made of its silence.
    fn was_away(&mut self, here: HappenedAt, why: Absence, span: Duration) {
        match why {
            Absence::Stopped => self.deaths.was_away(here.node, here.at, span),
            Absence::ReadsLate => {}
        }
    }

    /// A line of the gossip log, or more in one that is there. Messages: see `take_gossip`.
    fn log_event(&mut self, event: &Event) {
        match (&event.kind, event.kind.subject().peer) {
            (EventKind::Gossip(_), _) => {}
            (EventKind::Death(_), Some(dead)) => self.log_death(dead, event),
            (EventKind::Link(_), Some(peer)) => self.log_link(LinkKey { node: event.node, peer }, event),
            (
                EventKind::Node(_)
                | EventKind::Link(_)
                | EventKind::Probe(_)
                | EventKind::Death(_)
                | EventKind::Seed(_)
                | EventKind::Fault(_),
                _,
            ) => drop(self.log(event.at, event.node, event.kind.clone(), Folded::Nothing)),
        }
    }

    /// All that is said about a death is one line.
    fn log_death(&mut self, dead: Addr, event: &Event) {
        let Some(case) = self.deaths.number_of(dead) else { return };
        if self.deaths.line_of(case).is_none_or(|line| self.gossip.get(line).is_none()) {
            let line = self.log(event.at, event.node, event.kind.clone(), Folded::Death(case));
            self.deaths.logged(case, line);
        }
    }

    /// Both ends tell of a link.
    fn log_link(&mut self, key: LinkKey, event: &Event) {
        let other = self.links.get(key.peer, key.node).and_then(|link| link.line);
        let line = other.and_then(|line| self.gossip.get_mut(line)).filter(|line| {
            line.kind.name() == event.kind.name()
                && line.folded == Folded::Nothing
                && event.at.since(line.at) <= BOTH_ENDS
        });
        if let Some(line) = line {
            line.folded = Folded::OtherEnd(Box::new(event.clone()));
        } else {
            let line = self.log(event.at, event.node, event.kind.clone(), Folded::Nothing);
            self.links.logged(key, line);
        }
    }

    fn log(&mut self, at: Time, node: Addr, kind: EventKind, folded: Folded) -> u64 {
        self.gossip.push(GossipEntry { at, node, kind, folded }).0
    }

    fn started_node(&mut self, here: HappenedAt, name: &str, role: Role) {
        self.clear_links(here);
        self.views.clear(here.node);
        self.joiners.swap_remove(&here.node);
        self.seeds.reached(here.node);
        self.nodes.started(here.ix, here.at, name, role);
        self.deaths.back(here.node, here.at);
        if role == Role::Seed {
            self.seeds.started(here.node);
        }
    }

    /// When a node goes, its links and its suspicions go with it.
    fn clear_links(&mut self, here: HappenedAt) {
        for LinkKey { peer, .. } in self.links.cleared(here.node, here.at) {
            if self.links.get(here.node, peer).is_some_and(|link| link.purpose == Purpose::Neighbor) {
                self.changes.note(here.at, here.node, ChangeKind::Down(peer));
            }
            self.nodes.linked(peer, here.at, -1);
            self.nodes.unwatched(peer, here.node, here.at);
        }
        let node = self.nodes.at_mut(here.ix);
        (node.neighbors, node.registrations) = (0, 0);
    }

    /// A seed's registrations are with peers, a peer's with seeds.
    fn mention_for(&mut self, here: HappenedAt, peer: Addr, purpose: Purpose) {
        match (purpose, self.nodes.at(here.ix).role) {
            (Purpose::Registration, None) => drop(self.nodes.mention(peer, here.at)),
            (Purpose::Registration, Some(Role::Peer)) => self.nodes.mention_as(peer, Role::Seed, here.at),
            (Purpose::Registration, Some(Role::Seed)) | (Purpose::Neighbor, _) => {
                self.nodes.mention_as(peer, Role::Peer, here.at);
            }
        }
    }

    fn count_link(&mut self, here: HappenedAt, peer: Addr, purpose: Purpose, by: i32) {
        if purpose == Purpose::Neighbor {
            let what = if by > 0 { ChangeKind::Up(peer) } else { ChangeKind::Down(peer) };
            self.changes.note(here.at, here.node, what);
        }
        self.nodes.linked(peer, here.at, by);
        let node = self.nodes.at_mut(here.ix);
        let count = match purpose {
            Purpose::Registration => &mut node.registrations,
            Purpose::Neighbor => &mut node.neighbors,
        };
        *count = count.saturating_add_signed(by);
    }

    /// A connection failed before it came up. If only the remote end is known, that is the dialed
    /// address if we dialed.
    fn dial_ended(&mut self, here: HappenedAt, peer: Option<Addr>, remote: Addr, event: &LinkEvent) {
        self.links.dial_ended(here.link(peer.unwrap_or(remote)), here.at, event);
    }

    /// A hung node of ours emits nothing when `here` drops it, but the link is gone all the same.
    fn dropped_while_hung(&mut self, here: HappenedAt, hung: Addr) {
        let Some(ix) = self.nodes.ix_of(hung).filter(|ix| self.nodes.at(*ix).life() == Some(NodeState::Hangs)) else {
            return;
        };
        let there = HappenedAt { at: here.at, node: hung, ix };
        if let Some(purpose) = self.links.dropped(there.link(here.node), here.at) {
            self.count_link(there, here.node, purpose, -1);
            self.nodes.unwatched(here.node, hung, here.at);
        }
    }

    /// `here` heard from this node, which may have been declared dead.
    fn heard(&mut self, here: HappenedAt, peer: Addr) {
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
    fn is_back(&self, here: HappenedAt, peer: Addr, was_dead: bool) -> bool {
        let Some(case) = self.deaths.latest_of(peer) else { return was_dead };
        if case.is_open_and_declared() {
            // The last messages of a node of ours that is gone bring nobody back.
            let is_gone = |node: &NodeRecord| matches!(node.life(), Some(NodeState::Killed | NodeState::Left));
            return case.is_declared_by(here.node, here.at) && !self.nodes.get(peer).is_some_and(is_gone);
        }
        let stood = self.links.get(here.node, peer).is_some_and(|link| link.is_up() && link.since <= case.at);
        was_dead && !stood
    }

    fn delisted(&mut self, here: HappenedAt, peer: Addr, reason: DelistReason, event: &Event) {
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
            DelistReason::Left => self.nodes.believe(peer, NodeState::Left, here.at),
        }
    }

    fn died(&mut self, here: HappenedAt, peer: Addr, mut evidence: Evidence) {
        self.totals.deaths_declared += 1;
        self.rates.death(here.at);
        evidence.missed = self.links.get(here.node, peer).and_then(LinkHistory::missed_row);
        self.deaths.declared(peer, evidence, here.at);
        self.nodes.unwatched(peer, here.node, here.at);
        self.nodes.believe(peer, NodeState::Killed, here.at);
    }
}

/// The length of a list of which these addresses were named.
fn listed_len(listed: Option<u32>, named: &[Addr]) -> usize {
    listed.map_or(named.len(), |listed| usize::try_from(listed).unwrap_or(usize::MAX))
}
