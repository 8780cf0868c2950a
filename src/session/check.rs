//! The checker: what must hold whatever happens, as a fold over the events of a session.
//!
//! It is told every event, in order, and answers with the breaches: who, when, and which rule. It is
//! for runs in which nothing is skipped: in virtual time and in tests. It judges nodes of which it
//! was told everything, which are those of this process; what runs elsewhere may do what it likes.
//!
//! | rule | as it is judged |
//! |---|---|
//! | every live, connected peer gets every message | a way of links that stood from before the message began until [`SPREAD_TIME`] after it, over peers that ran as long, led to it |
//! | no message is delivered twice to a user | within [`REMEMBERED`], as far as memory for messages goes; in one life of a node |
//! | nobody alive and reachable is removed under `verify` | it ran, and its registration with that seed had stood for [`SETTLE_TIME`], by both ends |
//! | views are symmetric once settled | a link is known at both of its ends, or at none, but for [`SETTLE_TIME`] |
//! | everything is within its bound | neighbors, peer lists, referrals: what events show of it; queues and caches: what whoever runs the nodes finds in them |
//!
//! The first two say nothing of a message that began in two lives of its origin: the classic dialect cannot tell these apart
//! within one second.
//!
//! While the user keeps messages from arriving (a cut, a delay, a loss, a slow reader), and for a while after that, the
//! first, the third and the fourth rule say nothing: what does not arrive is not reachable. A lie is no such fault.

mod breach;
mod delivery;
mod disturbance;
mod lives;

pub use breach::{Breach, Invariant};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::event::{DelistReason, Event, EventKind};
use crate::model::Model;
use crate::model::node::{Life, NodeRecord};
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, LINKS_MAX, LIST_LEN_MAX, REFERRAL_LEN};
use crate::proto::machine::Gauge;
use crate::proto::message::Dialect;
use crate::proto::time::Time;

/// A message has come to everyone so long after it began: a hundred hops of 20 ms. In the classic dialect, where a link takes
/// one message after the other, it has the time besides that all those before it need.
pub const SPREAD_TIME: Duration = Duration::from_secs(2);
/// One end of a link knows no later than this what the other one knows.
pub const SETTLE_TIME: Duration = Duration::from_secs(5);
/// For so long no message may come twice: what a seen-cache remembers at least, as shipped.
pub const REMEMBERED: Duration = Duration::from_secs(300);
/// How often what had its time is judged.
const PASS_EVERY: Duration = Duration::from_millis(100);
/// Breaches that are kept; the rest are counted.
pub const BREACHES_MAX: usize = 100;

/// The checker.
#[derive(Debug)]
pub struct Checker {
    model: Model,
    policy: DeadPolicy,
    deliveries: delivery::Deliveries,
    disturbance: disturbance::Disturbance,
    /// Links that one end knows and the other does not, and since when.
    lopsided: BTreeMap<(Addr, Addr), Time>,
    /// Of those, the ones that were told already.
    told: BTreeSet<(Addr, Addr)>,
    /// What was told to be over its bound, and where.
    over: BTreeSet<(Addr, &'static str)>,
    breaches: Vec<Breach>,
    more: u64,
    /// When what had its time is judged next.
    next_pass: Time,
}

impl Checker {
    /// A checker of a network whose seeds treat reports by this policy.
    pub fn new(policy: DeadPolicy) -> Self {
        Self {
            model: Model::new(),
            policy,
            deliveries: delivery::Deliveries::default(),
            disturbance: disturbance::Disturbance::default(),
            lopsided: BTreeMap::new(),
            told: BTreeSet::new(),
            over: BTreeSet::new(),
            breaches: Vec::new(),
            more: 0,
            next_pass: Time::from_micros(0),
        }
    }

    /// Takes one event in. Events come in order of time.
    pub fn apply(&mut self, event: &Event) {
        // What a node had in one life is judged before it begins another one.
        let is_turn = matches!(event.kind, EventKind::Started { .. } | EventKind::Stopped { .. } | EventKind::Hung);
        if is_turn || event.at >= self.next_pass {
            self.pass(event.at);
            self.next_pass = event.at + PASS_EVERY;
        }
        self.disturbance.take(event);
        // A removal is judged by what was so before it.
        if let EventKind::PeerDelisted { peer, reason } = event.kind {
            self.removed(event, peer, reason);
        }
        if shapes(&event.kind) {
            self.model.apply(event);
        }
        let double = self.deliveries.take(event);
        self.note(double);
        let over = self.over_bounds(event);
        self.note(over);
        self.watch_link(event);
    }

    /// A node holds so much of something: each kind is told once of each node.
    pub fn weigh_gauge(&mut self, at: Time, node: Addr, gauge: Gauge) {
        let Gauge { what, count, limit } = gauge;
        if gauge.is_over() && self.over.insert((node, what)) {
            self.note([Breach { at, node, rule: Invariant::OverBound { what, count, limit } }]);
        }
    }

    /// All that was found, when no more events come. `now`: the time at which the run ended.
    pub fn finish(mut self, now: Time) -> (Vec<Breach>, u64) {
        self.pass(now);
        (self.breaches, self.more)
    }

    /// What was found so far.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// Breaches that were not kept because there were too many.
    pub fn more(&self) -> u64 {
        self.more
    }

    fn note(&mut self, found: impl IntoIterator<Item = Breach>) {
        for breach in found {
            if self.breaches.len() < BREACHES_MAX {
                self.breaches.push(breach);
            } else {
                self.more += 1;
            }
        }
    }

    /// Time passes: what had its time is judged.
    fn pass(&mut self, now: Time) {
        let undelivered = self.deliveries.judge(&self.model, &self.disturbance, now);
        self.note(undelivered);
        if self.disturbance.was_since(now, SETTLE_TIME) {
            return;
        }
        let overdue = self.lopsided.iter().filter(|(_, since)| now.since(**since) > SETTLE_TIME);
        let overdue: Vec<_> = overdue.map(|(pair, since)| (*pair, *since)).collect();
        for ((node, peer), since) in overdue {
            if self.told.insert((node, peer)) {
                self.note([Breach { at: since, node, rule: Invariant::Lopsided { peer } }]);
            }
        }
    }

    fn runs(&self, node: Addr) -> bool {
        self.model.nodes().get(node).is_some_and(|node| node.life == Life::Running)
    }

    fn is_up(&self, node: Addr, peer: Addr) -> bool {
        self.model.links().get(node, peer).is_some_and(crate::model::link::LinkHistory::is_up)
    }

    /// A seed took a peer off its list because it was reported dead.
    fn removed(&mut self, event: &Event, peer: Addr, reason: DelistReason) {
        let (DelistReason::Reported { reporter } | DelistReason::Unanswered { reporter }) = reason else { return };
        let seed = self.model.nodes().get(event.node);
        // A probe that a fault swallowed is found to be unanswered an interval later.
        let interval = seed.and_then(|seed| seed.pace).map_or(0, |pace| pace.liveness_interval_us);
        if self.disturbance.was_since(event.at, SETTLE_TIME + Duration::from_micros(interval)) {
            return;
        }
        let dialect = seed.and_then(|seed: &NodeRecord| seed.dialect);
        // The classic dialect cannot ask: there a seed always trusts.
        let verifies = self.policy == DeadPolicy::Verify && dialect != Some(Dialect::Classic);
        // Right after a restart the seed may know of the life before alone, and that one did end.
        let stands = |node, peer| {
            let link = self.model.links().get(node, peer).filter(|link| link.is_up());
            link.is_some_and(|link| event.at.since(link.since) >= SETTLE_TIME)
        };
        let reachable = stands(event.node, peer) && stands(peer, event.node);
        if verifies && reachable && self.runs(peer) {
            self.note([Breach { at: event.at, node: event.node, rule: Invariant::RemovedAlive { peer, reporter } }]);
        }
    }

    /// After an event at either end: is the link known at both?
    fn watch_link(&mut self, event: &Event) {
        let mut pairs: BTreeSet<(Addr, Addr)> = BTreeSet::new();
        if let EventKind::LinkUp { peer, .. } | EventKind::LinkDown { peer, .. } = event.kind {
            pairs.insert((event.node, peer));
        }
        if matches!(event.kind, EventKind::Started { .. } | EventKind::Stopped { .. } | EventKind::Hung) {
            let rows = self.model.links().touching(event.node);
            pairs.extend(rows.map(|link| (link.key.node, link.key.peer)));
        }
        for (node, peer) in pairs {
            self.weigh(node, peer, event.at);
            self.weigh(peer, node, event.at);
        }
    }

    fn weigh(&mut self, node: Addr, peer: Addr, at: Time) {
        let is_lopsided = self.is_up(node, peer) && !self.is_up(peer, node) && self.runs(node) && self.runs(peer);
        if is_lopsided {
            self.lopsided.entry((node, peer)).or_insert(at);
        } else {
            self.lopsided.remove(&(node, peer));
            self.told.remove(&(node, peer));
        }
    }

    fn over_bounds(&self, event: &Event) -> Option<Breach> {
        let (what, count, limit) =
            if let EventKind::PeerListSent { peers, .. } | EventKind::PeerListReceived { peers, .. } = &event.kind {
                ("addresses in a peer list", peers.len(), LIST_LEN_MAX)
            } else if let EventKind::LinkRefused { referral, .. } = &event.kind {
                ("addresses in a referral", referral.len(), REFERRAL_LEN)
            } else {
                let neighbors = self.model.nodes().get(event.node).map_or(0, |node| node.neighbors);
                ("neighbors", neighbors as usize, LINKS_MAX)
            };
        let rule = Invariant::OverBound { what, count, limit };
        (count > limit).then_some(Breach { at: event.at, node: event.node, rule })
    }
}

/// Does it say anything about who lives and who is linked to whom? Of what is said and probed there is
/// a hundred times more.
fn shapes(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Generated { .. }
            | EventKind::Received { .. }
            | EventKind::Duplicate { .. }
            | EventKind::ProbeSent { .. }
            | EventKind::ProbeReceived { .. }
            | EventKind::ProbeAnswered { .. }
            | EventKind::ProbeMissed { .. }
    )
}

#[cfg(test)]
mod tests;
