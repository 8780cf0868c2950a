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
mod network;

pub use breach::{Breach, Invariant};

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use hashbrown::hash_map::Entry;

use self::network::{NodePlace, NodeStatus};
use crate::event::{DelistReason, Event, EventKind};
use crate::model::FastHashMap;
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
    network: network::NetworkState,
    policy: DeadPolicy,
    deliveries: delivery::Deliveries,
    disturbance: disturbance::Disturbance,
    /// Links that the first knows and the second does not, and since when; `None`: that was told.
    lopsided: FastHashMap<(NodePlace, NodePlace), Option<Time>>,
    /// Links that became so and have not had their time yet, in that order. Some were mended since.
    settling: VecDeque<(Time, (NodePlace, NodePlace))>,
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
            network: network::NetworkState::default(),
            policy,
            deliveries: delivery::Deliveries::default(),
            disturbance: disturbance::Disturbance::default(),
            lopsided: FastHashMap::default(),
            settling: VecDeque::new(),
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
        if is_turn || event.at >= self.next_pass || self.deliveries.are_due(event.at) {
            self.pass(event.at);
            self.next_pass = event.at + PASS_EVERY;
        }
        self.disturbance.take(event);
        // A removal is judged by what was so before it.
        if let EventKind::PeerDelisted { peer, reason } = event.kind {
            self.removed(event, peer, reason);
        }
        let touched = self.network.take(event);
        let double = self.deliveries.take(event);
        self.note(double);
        let over = self.over_bounds(event);
        self.note(over);
        for (node, peer) in touched {
            self.weigh(node, peer, event.at);
            self.weigh(peer, node, event.at);
        }
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
        let undelivered = self.deliveries.judge(&self.network, &self.disturbance, now);
        self.note(undelivered);
        let is_disturbed = self.disturbance.was_since(now, SETTLE_TIME);
        while let Some((since, pair)) = self.settling.front().copied() {
            let stands = self.lopsided.get(&pair) == Some(&Some(since));
            if stands && (is_disturbed || now.since(since) <= SETTLE_TIME) {
                return;
            }
            self.settling.pop_front();
            if stands {
                self.lopsided.insert(pair, None);
                let (node, peer) = (self.network.addr(pair.0), self.network.addr(pair.1));
                self.note([Breach { at: since, node, rule: Invariant::Lopsided { peer } }]);
            }
        }
    }

    /// A seed took a peer off its list because it was reported dead.
    fn removed(&mut self, event: &Event, peer: Addr, reason: DelistReason) {
        let (DelistReason::Reported { reporter } | DelistReason::Unanswered { reporter }) = reason else { return };
        let seed = self.network.get(event.node);
        // A probe that a fault swallowed is found to be unanswered an interval later.
        let interval = seed.map_or(Duration::ZERO, NodeStatus::liveness_interval);
        if self.disturbance.was_since(event.at, SETTLE_TIME + interval) {
            return;
        }
        // The classic dialect cannot ask: there a seed always trusts.
        let is_classic = seed.is_some_and(|seed| seed.dialect() == Some(Dialect::Classic));
        // Right after a restart the seed may know of the life before alone, and that one did end.
        let is_reachable = self.network.stood_for(event.node, peer, SETTLE_TIME, event.at);
        if self.policy == DeadPolicy::Verify && !is_classic && is_reachable {
            self.note([Breach { at: event.at, node: event.node, rule: Invariant::RemovedAlive { peer, reporter } }]);
        }
    }

    /// After an event at either end: is the link known at both?
    fn weigh(&mut self, node: NodePlace, peer: NodePlace, at: Time) {
        if !self.network.is_lopsided(node, peer) {
            self.lopsided.remove(&(node, peer));
        } else if let Entry::Vacant(place) = self.lopsided.entry((node, peer)) {
            place.insert(Some(at));
            self.settling.push_back((at, (node, peer)));
        }
    }

    fn over_bounds(&self, event: &Event) -> Option<Breach> {
        let (what, count, limit) =
            if let EventKind::PeerListSent { peers, .. } | EventKind::PeerListReceived { peers, .. } = &event.kind {
                ("addresses in a peer list", peers.len(), LIST_LEN_MAX)
            } else if let EventKind::LinkRefused { referral, .. } = &event.kind {
                ("addresses in a referral", referral.len(), REFERRAL_LEN)
            } else if let EventKind::LinkUp { .. } = &event.kind {
                ("neighbors", self.network.neighbors(event.node), LINKS_MAX)
            } else {
                return None;
            };
        let rule = Invariant::OverBound { what, count, limit };
        (count > limit).then_some(Breach { at: event.at, node: event.node, rule })
    }
}

#[cfg(test)]
mod tests;
