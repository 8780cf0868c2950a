//! Broadcast: generating messages, and spreading those of others (rules 5 and 6).
//!
//! Who gets a message is decided by a strategy, one a file; today there is one, [`flood`]. All of
//! them share the seen-cache ([`seen`]), and what is held back for nodes that may become neighbors
//! ([`held`]).
//!
//! A message in this node's name that it did not send is a forgery (see [`own_ids`]): reported, and
//! neither forwarded nor remembered. The link that brought it stays, because the neighbor may only
//! have forwarded it. In the classic dialect an id is a time of day and a text, and nobody can tell.

mod flood;
mod held;
mod own_ids;
mod seen;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use self::flood::Flood;
use self::held::HeldBack;
use self::own_ids::{OwnId, OwnIds};
use self::seen::SeenCache;
use super::addr::Addr;
use super::config::{PeerConfig, Strategy};
use super::cx::{Cx, NeighborOutput, next_turn};
use super::event::{Attempt, FailureReason, GossipEvent, NodeEvent};
use super::machine::{Gauge, Input, Touched};
use super::message::{GENERATED_PREFIX, Gossip, Message, MessageId, Trace};
use super::random::Topic;
use super::text::Body;
use super::time::Time;

/// The precision of the time in a classic message.
const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Forgeries are reported once in this time: each neighbor may bring a copy, and a forger can forge
/// many.
const FORGERY_TOLD_EVERY: Duration = Duration::from_secs(10);

/// Nobody could tell this message from an earlier one: a classic message is known by its origin,
/// its second and its text.
struct SaidAlready;

/// The strategy in use. All have the same methods: neighbors come up and go down, and `spread` takes
/// a message that is new here, with the neighbor that brought it unless it is our own, and returns to
/// how many neighbors it was sent.
#[derive(Debug)]
enum StrategyInUse {
    Flood(Flood),
}

impl From<Strategy> for StrategyInUse {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Flood => Self::Flood(Flood::default()),
        }
    }
}

/// Calls the strategy in use.
macro_rules! strategy {
    ($broadcast:expr, $strategy:ident => $call:expr) => {
        match &mut $broadcast.strategy {
            StrategyInUse::Flood($strategy) => $call,
        }
    };
}

/// The part: see the module.
#[derive(Debug)]
pub(super) struct Broadcast {
    seen: SeenCache,
    strategy: StrategyInUse,
    held: HeldBack,
    own_ids: OwnIds,
    /// When it generates the next message.
    next_at: Option<Time>,
    /// When a forgery was last reported.
    forgery_told: Option<Time>,
}

impl Broadcast {
    /// `hash_seed`: the node's secret.
    pub(super) fn new(config: &PeerConfig, hash_seed: u64) -> Self {
        Self {
            seen: SeenCache::new(config.seen_max, config.seen_age, hash_seed),
            strategy: config.methods.strategy.into(),
            held: HeldBack::default(),
            own_ids: OwnIds::default(),
            next_at: None,
            forgery_told: None,
        }
    }

    pub(super) fn start<O>(&mut self, cx: &mut Cx<O>) {
        self.own_ids.begin_run(cx.now.as_micros());
        let random = &mut cx.chance.next(Topic::FirstGossip);
        if cx.config.messages != Some(0) {
            // Nodes that start together do not send together.
            self.next_at = Some(cx.now + random.jitter(cx.config.gossip_interval, 50..=100));
        }
    }

    /// See [`Machine::touch`](super::machine::Machine::touch).
    pub(super) fn touch(&self, what: Touched<'_>) -> u64 {
        match what {
            Touched::Kept(Some(Input::Message { message: Message::Gossip(gossip), .. })) => {
                u64::from(self.seen.contains(gossip.id))
            }
            Touched::Itself | Touched::Kept(_) => self.seen.len() as u64 ^ self.own_ids.said(),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }

    /// Message ids that it remembers.
    pub(super) fn seen(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn gauge(&self, config: &PeerConfig) -> Gauge {
        // Two generations of ids, see the cache.
        Gauge::new("message ids", self.seen(), 2 * config.seen_max.max(1))
    }
}

/// The neighbors.
impl Broadcast {
    pub(super) fn neighbor_up(&mut self, peer: Addr) {
        strategy!(self, it => it.up(peer));
    }

    pub(super) fn neighbor_down(&mut self, peer: Addr) {
        strategy!(self, it => it.down(peer));
    }

    /// Holds messages back for a node that may become a neighbor.
    pub(super) fn hold_back_for(&mut self, peer: Addr) {
        self.held.begin(peer);
    }

    /// It has become one.
    pub(super) fn release(&mut self, cx: &mut Cx<impl NeighborOutput>, peer: Addr) {
        self.held.end(peer).iter().for_each(|message| cx.out.send(peer, message));
    }

    /// It will not, or has had them all.
    pub(super) fn discard_held(&mut self, peer: Addr) {
        self.held.end(peer);
    }
}

/// Messages.
impl Broadcast {
    pub(super) fn generate_if_due(&mut self, cx: &mut Cx<impl NeighborOutput>) {
        let Some(at) = self.next_at.filter(|at| *at <= cx.now) else { return };
        let number = self.own_ids.generated() + 1;
        let body = Body::from(format!("{GENERATED_PREFIX}{number}"));
        if self.originate(cx, number, body).is_err() {
            // An earlier life said the same in this second, or the user did: it is sent later.
            self.next_at = Some(cx.now + CLOCK_STEP);
            return;
        }
        self.own_ids.count_generated();
        let has_more = cx.config.messages.is_none_or(|messages| number < messages);
        self.next_at = has_more.then(|| next_turn(at, cx.now, cx.config.gossip_interval));
    }

    /// Sends a message of the user.
    pub(super) fn say(&mut self, cx: &mut Cx<impl NeighborOutput>, body: Body) {
        let seq = MessageId::own_text(self.own_ids.said() + 1);
        if self.originate(cx, seq, body).is_ok() {
            self.own_ids.count_said();
        } else {
            let node = cx.config.listen;
            cx.out.emit(|| NodeEvent::failed(Attempt::Say(node), FailureReason::SaidAlready));
        }
    }

    fn originate(&mut self, cx: &mut Cx<impl NeighborOutput>, seq: u64, body: Body) -> Result<(), SaidAlready> {
        let (origin, sent) = (cx.config.listen, cx.own_time());
        let (id, trace) = if cx.config.dialect.has_numbers() {
            let run = self.own_ids.run(cx.now.as_micros());
            (MessageId { origin, run, seq }, Some(Trace { sent, hop: 1 }))
        } else {
            (MessageId::classic(origin, cx.clock(), body.as_bytes()), None)
        };
        if !self.seen.insert(cx.now, id) {
            return Err(SaidAlready);
        }
        let message = Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }));
        let forwarded = strategy!(self, it => it.spread(cx, &message, None));
        self.held.add(&message, origin);
        cx.out.emit(|| GossipEvent::Generated { id, body, trace, forwarded });
        Ok(())
    }

    /// A neighbor brings a message. Returns whether it is new here.
    pub(super) fn on_gossip(&mut self, cx: &mut Cx<impl NeighborOutput>, from: Addr, mut gossip: Arc<Gossip>) -> bool {
        let (id, trace) = (gossip.id, gossip.trace);
        let is_known = match self.judge_own(cx, id) {
            Some(OwnId::Forged) => {
                self.tell_forgery(cx, id, from);
                return false;
            }
            Some(OwnId::Echo) => true,
            Some(OwnId::EarlierLife) | None => !self.seen.insert(cx.now, id),
        };
        if is_known {
            cx.out.emit(|| GossipEvent::Duplicate { id, from, trace });
            return false;
        }
        let body = gossip.body.clone();
        if let Some(trace) = &mut Arc::make_mut(&mut gossip).trace {
            trace.hop = trace.hop.saturating_add(1);
        }
        let message = Message::Gossip(gossip);
        let forwarded = strategy!(self, it => it.spread(cx, &message, Some(from)));
        self.held.add(&message, id.origin);
        cx.out.emit(|| GossipEvent::Received { id, from, body, trace, forwarded });
        true
    }

    /// What a message in our name is; `None` for the messages of others, and where nobody can tell.
    fn judge_own<O>(&mut self, cx: &Cx<O>, id: MessageId) -> Option<OwnId> {
        (id.origin == cx.config.listen && cx.config.dialect.has_numbers()).then(|| self.own_ids.judge(id))
    }

    fn tell_forgery(&mut self, cx: &mut Cx<impl NeighborOutput>, id: MessageId, from: Addr) {
        if self.forgery_told.is_none_or(|told| cx.now.since(told) >= FORGERY_TOLD_EVERY) {
            self.forgery_told = Some(cx.now);
            cx.out.emit(|| GossipEvent::Forged { id, from });
        }
    }
}
