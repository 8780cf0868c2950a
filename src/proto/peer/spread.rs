//! Spreading: generating messages and flooding them (rules 5 and 6).

use std::sync::Arc;
use std::time::Duration;

use super::Peer;
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::event::EventKind;
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, GENERATED_PREFIX, Gossip, Message, MessageId, Trace};
use crate::proto::random::Random;
use crate::proto::seen::SeenCache;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// What the time in a classic message is exact to.
const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Why a text of the user's own is not sent.
const SAID_ALREADY: &str = "the classic dialect cannot tell it from the same text of this second: wait a second, or say \
                            something else";

/// Nobody could tell this message from one that went round already: in the classic dialect one is known by its origin, its
/// second and its text.
struct SaidAlready;

/// What a peer has said and seen.
#[derive(Debug)]
pub(super) struct Spread {
    pub(super) seen: SeenCache,
    /// When it generates the next message.
    pub(super) next_at: Option<Time>,
    /// When it started: names this life of the node in message ids.
    run: u64,
    generated: u64,
    said: u64,
}

impl Spread {
    pub(super) fn new(config: &PeerConfig, hash_seed: u64) -> Self {
        let seen = SeenCache::new(config.seen_max, config.seen_age, hash_seed);
        Self { seen, next_at: None, run: 0, generated: 0, said: 0 }
    }

    pub(super) fn start(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        self.run = now.as_micros();
        if config.messages != Some(0) {
            // Nodes that start together do not speak together.
            self.next_at = Some(now + random.jitter(config.gossip_interval, 50..=100));
        }
    }

    fn after_generating(&mut self, now: Time, config: &PeerConfig) {
        self.generated += 1;
        let more = config.messages.is_none_or(|messages| self.generated < messages);
        self.next_at = more.then(|| self.next_at.map_or(now, |at| next_turn(at, now, config.gossip_interval)));
    }
}

/// One interval after the last turn; after a pause (a stopped process) the missed turns are not
/// made up for.
pub(super) fn next_turn(last: Time, now: Time, interval: Duration) -> Time {
    (last + interval).max(now + interval / 2)
}

impl Peer {
    pub(super) fn generate_if_due(&mut self, now: Time, out: &mut impl Output) {
        if self.spread.next_at.is_none_or(|at| at > now) {
            return;
        }
        let number = self.spread.generated + 1;
        let body = Body::from(format!("{GENERATED_PREFIX}{number}"));
        if self.originate(now, number, body, out).is_ok() {
            self.spread.after_generating(now, &self.config);
        } else {
            // A life before this one said the same in this second, or the user did: it is said later.
            self.spread.next_at = Some(now + CLOCK_STEP);
        }
    }

    /// Sends a message of the user's own.
    pub(super) fn say(&mut self, now: Time, body: Body, out: &mut impl Output) {
        let seq = MessageId::own_text(self.spread.said + 1);
        if self.originate(now, seq, body, out).is_ok() {
            self.spread.said += 1;
        } else {
            let (node, why) = (self.config.listen, SAID_ALREADY.to_owned());
            out.emit(|| EventKind::Failed { what: format!("send a message from {node}"), why });
        }
    }

    fn originate(&mut self, now: Time, seq: u64, body: Body, out: &mut impl Output) -> Result<(), SaidAlready> {
        let (origin, sent) = (self.config.listen, self.own_time(now));
        let (id, trace) = match self.config.dialect {
            Dialect::Framed => (MessageId { origin, run: self.spread.run, seq }, Some(Trace { sent, hop: 1 })),
            Dialect::Classic => {
                (MessageId::classic(origin, sent.clock(self.config.utc_offset_s), body.as_bytes()), None)
            }
        };
        if !self.spread.seen.insert(now, id) {
            return Err(SaidAlready);
        }
        let message = Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }));
        let forwarded = self.flood(&message, None, out);
        out.emit(|| EventKind::Generated { id, body, trace, forwarded });
        Ok(())
    }

    pub(super) fn on_gossip(&mut self, now: Time, from: Addr, mut gossip: Arc<Gossip>, out: &mut impl Output) {
        let (id, trace) = (gossip.id, gossip.trace);
        if !self.spread.seen.insert(now, id) {
            return out.emit(|| EventKind::Duplicate { id, from, trace });
        }
        self.learn_origin(id.origin);
        let body = gossip.body.clone();
        if let Some(trace) = &mut Arc::make_mut(&mut gossip).trace {
            trace.hop = trace.hop.saturating_add(1);
        }
        let forwarded = self.flood(&Message::Gossip(gossip), Some(from), out);
        out.emit(|| EventKind::Received { id, from, body, trace, forwarded });
    }

    /// Sends to every neighbor but the one that it came from; tells to how many.
    fn flood(&self, message: &Message, from: Option<Addr>, out: &mut impl Output) -> usize {
        let mut sent = 0;
        for neighbor in self.overlay.neighbors.iter().filter(|neighbor| Some(neighbor.addr) != from) {
            out.send(neighbor.link(), message);
            sent += 1;
        }
        sent
    }
}
