//! The checker of invariants: what must hold whatever happens, as a fold over the events of a
//! session.
//!
//! It takes every event, in order, and reports breaches: who, when, and which rule. It is for runs
//! in which no event is skipped: in virtual time and in tests. It judges only the nodes whose
//! events it gets, those of this process; nodes elsewhere may do what they like.
//!
//! | rule | how it is judged |
//! |---|---|
//! | every live, connected peer gets every message | a path led to the peer over links that were up from before the message began until [`SPREAD_TIME`] after it, and peers that ran as long |
//! | no message is delivered twice to a user | within [`REMEMBERED`], as far as memory for messages goes; in one life of a node |
//! | nobody alive and reachable is removed under `verify` | the node ran, and its registration with that seed had been up for [`SETTLE_TIME`], at both ends |
//! | views are symmetric once settled | both ends of a link know it, or neither does, except for [`SETTLE_TIME`] |
//! | everything is within its bound | neighbors, peer lists, referrals: as events show them; queues and caches: as whoever runs the nodes finds them |
//!
//! The first two do not apply to a message that began in two lives of its origin: the classic
//! dialect cannot tell these apart within one second.
//!
//! While the user keeps messages from arriving (a cut, a delay, a loss, a slow reader), and for a
//! while after that, the first, third and fourth rules do not apply: a node that messages do not
//! reach is not reachable. A lie is no such fault.

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
use crate::event::{DelistReason, Event, EventKind, LinkEvent, NodeEvent, SeedEvent};
use crate::model::FastHashMap;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, LINKS_MAX, LIST_LEN_MAX, REFERRAL_LEN};
use crate::proto::machine::Gauge;
use crate::proto::message::Dialect;
use crate::proto::time::Time;

/// How long after its beginning a message has reached everyone: a hundred hops of 20 ms. In the
/// classic dialect, where a link takes one message after the other, the messages before it add to
/// that.
pub const SPREAD_TIME: Duration = Duration::from_secs(2);
/// By when one end of a link knows what the other knows.
pub const SETTLE_TIME: Duration = Duration::from_secs(5);
/// For how long no message may be delivered twice: the shortest memory of a seen-cache by default.
pub const REMEMBERED: Duration = Duration::from_secs(300);
/// How often messages that have had their time are judged.
const PASS_EVERY: Duration = Duration::from_millis(100);
/// Breaches that are kept; the rest are counted.
pub const BREACHES_MAX: usize = 100;

/// Checks the rules above.
#[derive(Debug)]
pub struct Checker {
    network: network::NetworkState,
    policy: DeadPolicy,
    deliveries: delivery::Deliveries,
    disturbance: disturbance::Disturbance,
    /// Links that the first knows and the second does not, and since when; `None`: reported.
    lopsided: FastHashMap<(NodePlace, NodePlace), Option<Time>>,
    /// Links that became lopsided and have not had their time yet, in that order. Some have been
    /// mended since.
    settling: VecDeque<(Time, (NodePlace, NodePlace))>,
    /// What was reported to be over its bound, and where.
    over: BTreeSet<(Addr, &'static str)>,
    breaches: Vec<Breach>,
    more: u64,
    /// When messages are judged next.
    next_pass: Time,
}

impl Checker {
    /// A checker of a network whose seeds have this dead policy.
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

    /// Takes one event. Events come in order of time.
    pub fn apply(&mut self, event: &Event) {
        // A node's state in one life is judged before it begins another.
        let is_turn = matches!(
            event.kind,
            EventKind::Node(NodeEvent::Started { .. } | NodeEvent::Stopped { .. } | NodeEvent::Hung)
        );
        if is_turn || event.at >= self.next_pass || self.deliveries.are_due(event.at) {
            self.pass(event.at);
            self.next_pass = event.at + PASS_EVERY;
        }
        self.disturbance.take(event);
        // A removal is judged by the state before it.
        if let EventKind::Seed(SeedEvent::PeerDelisted { peer, reason, .. }) = event.kind {
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

    /// How much a node holds of something; each kind is reported once for each node.
    pub fn weigh_gauge(&mut self, at: Time, node: Addr, gauge: Gauge) {
        let Gauge { what, count, limit } = gauge;
        if gauge.is_over() && self.over.insert((node, what)) {
            self.note([Breach { at, node, rule: Invariant::OverBound { what, count, limit } }]);
        }
    }

    /// All breaches, when no more events come. `now`: the end of the run.
    pub fn finish(mut self, now: Time) -> (Vec<Breach>, u64) {
        self.pass(now);
        (self.breaches, self.more)
    }

    /// The breaches so far.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
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

    /// Time passes: messages that have had their time are judged.
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
        let (DelistReason::Reported { reporter, .. } | DelistReason::Unanswered { reporter, .. }) = reason else {
            return;
        };
        let seed = self.network.get(event.node);
        // A probe that a fault swallowed is found to be missed an interval later.
        let interval = seed.map_or(Duration::ZERO, NodeStatus::liveness_interval);
        if self.disturbance.was_since(event.at, SETTLE_TIME + interval) {
            return;
        }
        // The classic dialect cannot probe: a classic seed always trusts.
        let can_probe = seed.and_then(NodeStatus::dialect).is_none_or(Dialect::registrations_answer);
        // Right after a restart the seed may only know the earlier life, and that one did end.
        let is_reachable = self.network.stood_for(event.node, peer, SETTLE_TIME, event.at);
        if self.policy == DeadPolicy::Verify && can_probe && is_reachable {
            self.note([Breach { at: event.at, node: event.node, rule: Invariant::RemovedAlive { peer, reporter } }]);
        }
    }

    /// After an event at either end: whether both ends know the link.
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
            if let EventKind::Seed(SeedEvent::PeerListSent { peers, .. } | SeedEvent::PeerListReceived { peers, .. }) =
                &event.kind
            {
                ("addresses in a peer list", peers.len(), LIST_LEN_MAX)
            } else if let EventKind::Link(LinkEvent::Refused { referral, .. }) = &event.kind {
                ("addresses in a referral", referral.len(), REFERRAL_LEN)
            } else if let EventKind::Link(LinkEvent::Up { .. }) = &event.kind {
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
