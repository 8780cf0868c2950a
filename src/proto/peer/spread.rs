//! Spreading: generating messages and flooding them (rules 5 and 6).
//!
//! A message in this node's name that it did not send is a forgery (see [`super::own_ids`]):
//! reported, and neither forwarded nor remembered. The link that brought it stays, because the
//! neighbor may only have forwarded it. In the classic dialect an id is a time of day and a text,
//! and nobody can tell.

use std::sync::Arc;
use std::time::Duration;

use super::Peer;
use super::own_ids::{OwnId, OwnIds};
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::event::{GossipEvent, NodeEvent};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, GENERATED_PREFIX, Gossip, Message, MessageId, Trace};
use crate::proto::random::Random;
use crate::proto::seen::SeenCache;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// The precision of the time in a classic message.
const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Forgeries are reported once in this time: each neighbor may bring a copy, and a forger can forge
/// many.
const FORGERY_TOLD_EVERY: Duration = Duration::from_secs(10);
/// Why a text of the user is not sent; only the classic dialect has this error.
const SAID_ALREADY: &str = "the classic dialect cannot tell it from the same text of this second: wait a second, or say \
                            something else";

/// Nobody could tell this message from an earlier one: a classic message is known by its origin,
/// its second and its text.
struct SaidAlready;

/// What a peer has sent and seen.
#[derive(Debug)]
pub(super) struct Spread {
    pub(super) seen: SeenCache,
    /// When it generates the next message.
    pub(super) next_at: Option<Time>,
    own_ids: OwnIds,
    /// When a forgery was last reported.
    forgery_told: Option<Time>,
}

impl Spread {
    pub(super) fn new(config: &PeerConfig, hash_seed: u64) -> Self {
        let seen = SeenCache::new(config.seen_max, config.seen_age, hash_seed);
        Self { seen, next_at: None, own_ids: OwnIds::default(), forgery_told: None }
    }

    pub(super) fn start(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        self.own_ids.begin_run(now.as_micros());
        if config.messages != Some(0) {
            // Nodes that start together do not send together.
            self.next_at = Some(now + random.jitter(config.gossip_interval, 50..=100));
        }
    }

    fn after_generating(&mut self, now: Time, config: &PeerConfig) {
        self.own_ids.count_generated();
        let more = config.messages.is_none_or(|messages| self.own_ids.generated() < messages);
        self.next_at = more.then(|| self.next_at.map_or(now, |at| next_turn(at, now, config.gossip_interval)));
    }
}

/// One interval after the last turn; after a pause (a stopped process) missed turns are not made up
/// for.
pub(super) fn next_turn(last: Time, now: Time, interval: Duration) -> Time {
    (last + interval).max(now + interval / 2)
}

impl Peer {
    pub(super) fn generate_if_due(&mut self, now: Time, out: &mut impl Output) {
        if self.spread.next_at.is_none_or(|at| at > now) {
            return;
        }
        let number = self.spread.own_ids.generated() + 1;
        let body = Body::from(format!("{GENERATED_PREFIX}{number}"));
        if self.originate(now, number, body, out).is_ok() {
            self.spread.after_generating(now, &self.config);
        } else {
            // An earlier life said the same in this second, or the user did: it is sent later.
            self.spread.next_at = Some(now + CLOCK_STEP);
        }
    }

    /// Sends a message of the user.
    pub(super) fn say(&mut self, now: Time, body: Body, out: &mut impl Output) {
        let seq = MessageId::own_text(self.spread.own_ids.said() + 1);
        if self.originate(now, seq, body, out).is_ok() {
            self.spread.own_ids.count_said();
        } else {
            let (node, why) = (self.config.listen, SAID_ALREADY.to_owned());
            out.emit(|| NodeEvent::Failed { what: format!("send a message from {node}"), why });
        }
    }

    fn originate(&mut self, now: Time, seq: u64, body: Body, out: &mut impl Output) -> Result<(), SaidAlready> {
        let (origin, sent) = (self.config.listen, self.own_time(now));
        let (id, trace) = match self.config.dialect {
            Dialect::Framed => {
                let run = self.spread.own_ids.run(now.as_micros());
                (MessageId { origin, run, seq }, Some(Trace { sent, hop: 1 }))
            }
            Dialect::Classic => {
                (MessageId::classic(origin, sent.clock(self.config.utc_offset_s), body.as_bytes()), None)
            }
        };
        if !self.spread.seen.insert(now, id) {
            return Err(SaidAlready);
        }
        let message = Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }));
        let forwarded = self.flood(&message, None, out);
        self.hold_back(&message, origin);
        out.emit(|| GossipEvent::Generated { id, body, trace, forwarded });
        Ok(())
    }

    pub(super) fn on_gossip(&mut self, now: Time, from: Addr, mut gossip: Arc<Gossip>, out: &mut impl Output) {
        let (id, trace) = (gossip.id, gossip.trace);
        let is_known = match self.judge_own(id) {
            Some(OwnId::Forged) => return self.tell_forgery(now, id, from, out),
            Some(OwnId::Echo) => true,
            Some(OwnId::EarlierLife) | None => !self.spread.seen.insert(now, id),
        };
        if is_known {
            return out.emit(|| GossipEvent::Duplicate { id, from, trace });
        }
        self.learn_origin(id.origin);
        let body = gossip.body.clone();
        if let Some(trace) = &mut Arc::make_mut(&mut gossip).trace {
            trace.hop = trace.hop.saturating_add(1);
        }
        let message = Message::Gossip(gossip);
        let forwarded = self.flood(&message, Some(from), out);
        self.hold_back(&message, id.origin);
        out.emit(|| GossipEvent::Received { id, from, body, trace, forwarded });
    }

    /// What a message in our name is; `None` for the messages of others, and where nobody can tell.
    fn judge_own(&mut self, id: MessageId) -> Option<OwnId> {
        (id.origin == self.config.listen && self.framed()).then(|| self.spread.own_ids.judge(id))
    }

    fn tell_forgery(&mut self, now: Time, id: MessageId, from: Addr, out: &mut impl Output) {
        if self.spread.forgery_told.is_none_or(|told| now.since(told) >= FORGERY_TOLD_EVERY) {
            self.spread.forgery_told = Some(now);
            out.emit(|| GossipEvent::Forged { id, from });
        }
    }

    /// Sends to every neighbor but the one that it came from; returns to how many.
    fn flood(&self, message: &Message, from: Option<Addr>, out: &mut impl Output) -> usize {
        let mut sent = 0;
        for neighbor in self.overlay.neighbors.iter().filter(|neighbor| Some(neighbor.addr) != from) {
            out.send(neighbor.link(), message);
            sent += 1;
        }
        sent
    }
}
