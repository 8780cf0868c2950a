//! The faults at one node: everything that it gets and sends passes through here.
//!
//! A message between two nodes of this process meets faults where it arrives; a message to a node
//! elsewhere, where it leaves. [`Faults`] decides what becomes of a message; this holds what comes
//! later. Without faults it costs one branch per message.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::links::Links;
use crate::engine::fault::{FaultView, Faults, Outcome, Route, key_of};
use crate::proto::addr::Addr;
use crate::proto::chance::Chance;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::{ConnectionId, DialError, EventKind, LinkId, LossReason, MessageLoss, Purpose};
use crate::proto::machine::{CloseCause, Input, LinkChange, Output};
use crate::proto::message::Message;
use crate::proto::time::{Time, micros};

/// Messages of one node that are on their way at one time: as many as a link's queue holds. Further
/// ones are lost, as on any cable.
const UNDER_WAY_MAX: usize = 16_384;

#[derive(Debug)]
pub(super) struct NodeFaults {
    me: Addr,
    faults: Faults,
    view: Arc<FaultView>,
    /// Who is at the other end of a link, as far as known.
    peers: HashMap<LinkId, Addr, foldhash::fast::RandomState>,
    /// What comes later, in order.
    under_way: BTreeMap<(Time, u64), InFlight>,
    planned: u64,
    /// Ends of connections that this node does not see.
    withheld: Vec<(LinkId, CloseCause)>,
}

/// What comes later.
#[derive(Debug)]
pub(super) enum InFlight {
    /// For the machine.
    In(Input),
    /// For a node elsewhere.
    Out(LinkId, Message),
    /// The machine has hung up, and something was still on its way.
    HangUp(LinkId),
}

impl InFlight {
    fn link(&self) -> Option<LinkId> {
        match self {
            Self::Out(link, _)
            | Self::HangUp(link)
            | Self::In(Input::Message { link, .. } | Input::Link { link, .. }) => Some(*link),
            Self::In(
                Input::Start
                | Input::Rejected { .. }
                | Input::DialFailed { .. }
                | Input::Late { .. }
                | Input::Command(_)
                | Input::Wake,
            ) => None,
        }
    }
}

impl NodeFaults {
    /// No faults so far; all that is left to chance follows from `chance`.
    pub(super) fn new(me: Addr, chance: Chance, view: Arc<FaultView>) -> Self {
        let mut faults = Self {
            me,
            faults: Faults::new(chance),
            view: Arc::default(),
            peers: HashMap::default(),
            under_way: BTreeMap::new(),
            planned: 0,
            withheld: Vec::new(),
        };
        faults.set(Time::from_micros(0), view);
        faults
    }

    /// These faults from now on. Ends of connections that were withheld are seen if they can be.
    pub(super) fn set(&mut self, now: Time, view: Arc<FaultView>) {
        self.faults.set(Arc::clone(&view.table));
        self.view = view;
        for (link, cause) in std::mem::take(&mut self.withheld) {
            self.plan(now, InFlight::In(Input::Link { link, change: LinkChange::Closed { cause } }));
        }
    }

    /// When the next thing arrives that is on its way.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Until when the node reads nothing, because it is slow.
    pub(super) fn reads_again(&self) -> Option<Time> {
        if self.faults.is_quiet() { None } else { self.faults.reads_again(self.me) }
    }

    /// Whether the node may read something now.
    pub(super) fn may_read(&self, now: Time) -> bool {
        self.faults.may_read(self.me, now)
    }

    /// The next thing that arrives now.
    pub(super) fn next_due(&mut self, links: &mut Links) -> Option<InFlight> {
        let now = links.now();
        loop {
            match self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?.remove() {
                InFlight::In(input) => {
                    if let Some(input) = self.close(now, input) {
                        return Some(InFlight::In(input));
                    }
                }
                out @ (InFlight::Out(..) | InFlight::HangUp(_)) => return Some(out),
            }
        }
    }

    /// Whether the node gets this now; `None`: later, or never.
    pub(super) fn admit(&mut self, links: &mut Links, input: Input) -> Option<Input> {
        self.learn(&input);
        let is_quiet = self.faults.is_quiet() && self.under_way.is_empty();
        match input {
            input @ Input::Message { .. } if is_quiet => Some(input),
            Input::Message { link, message } => self.admit_message(links, link, message),
            input @ Input::Link { change: LinkChange::Closed { .. }, .. } => self.close(links.now(), input),
            other @ (Input::Start
            | Input::Rejected { .. }
            | Input::Link { .. }
            | Input::DialFailed { .. }
            | Input::Late { .. }
            | Input::Command(_)
            | Input::Wake) => Some(other),
        }
    }

    /// Who is at the other end: whom we dialed, or who says hello.
    fn learn(&mut self, input: &Input) {
        if let Input::Link { link, change: LinkChange::Dialed { peer } } = input {
            self.peers.insert(*link, *peer);
        } else if let Input::Message { link, message: Message::Hello(hello) } = input {
            self.peers.entry(*link).or_insert(hello.listen);
        }
    }

    fn admit_message(&mut self, links: &mut Links, link: LinkId, message: Message) -> Option<Input> {
        let now = links.now();
        let key = key_of(&message).unwrap_or(now.as_micros());
        self.faults.has_read(self.me, now);
        let Some(peer) = self.peers.get(&link).copied() else { return Some(Input::Message { link, message }) };
        let way = Route { from: peer, to: self.me, connection: link.0 };
        let outcome = self.faults.outcome(now, way, key, &message);
        let (due, is_twice) = match outcome {
            Outcome::Now => return Some(Input::Message { link, message }),
            Outcome::Lost(fault) => {
                tell_lost(links, link, (peer, self.me), &message, LossReason::Fault(fault));
                return None;
            }
            Outcome::At(due) | Outcome::Held(due) => (due, false),
            Outcome::Twice(due) | Outcome::HeldTwice(due) => (due, true),
        };
        if is_twice {
            self.later(links, due, (peer, self.me), InFlight::In(Input::Message { link, message: message.clone() }));
        }
        self.later(links, due, (peer, self.me), InFlight::In(Input::Message { link, message }));
        None
    }

    /// The end of a connection comes after all that was sent before, and not at all across a cut;
    /// what this node found out by itself it knows at once.
    fn close(&mut self, now: Time, input: Input) -> Option<Input> {
        let Input::Link { link, change: LinkChange::Closed { cause } } = input else { return Some(input) };
        let is_news = matches!(cause, CloseCause::EndOfStream | CloseCause::Error);
        if is_news && self.peers.get(&link).is_some_and(|peer| self.faults.is_cut(*peer, self.me)) {
            self.withheld.push((link, cause));
            return None;
        }
        let closed = Input::Link { link, change: LinkChange::Closed { cause } };
        if let Some(last) = self.last_under_way(link).filter(|last| is_news && *last > now) {
            self.plan(last, InFlight::In(closed));
            return None;
        }
        self.peers.remove(&link);
        Some(closed)
    }

    fn last_under_way(&self, link: LinkId) -> Option<Time> {
        self.under_way.iter().rev().find(|(_, in_flight)| in_flight.link() == Some(link)).map(|((at, _), _)| *at)
    }

    /// A message comes later, if it finds room.
    fn later(&mut self, links: &mut Links, at: Time, way: (Addr, Addr), in_flight: InFlight) {
        if self.under_way.len() < UNDER_WAY_MAX {
            return self.plan(at, in_flight);
        }
        if let InFlight::In(Input::Message { link, message }) | InFlight::Out(link, message) = in_flight {
            tell_lost(links, link, way, &message, LossReason::QueueFull);
        }
    }

    fn plan(&mut self, at: Time, in_flight: InFlight) {
        self.planned += 1;
        self.under_way.insert((at, self.planned), in_flight);
    }

    /// This node has hung up: it does not read what is on its way to it.
    fn forget_unread(&mut self, links: &mut Links, link: LinkId) {
        let Some(peer) = self.peers.remove(&link) else { return };
        let way = (peer, self.me);
        self.under_way.retain(|_, in_flight| match in_flight {
            InFlight::In(Input::Message { link: of, message }) if *of == link => {
                tell_lost(links, link, way, message, LossReason::LinkEnded);
                false
            }
            InFlight::In(_) | InFlight::Out(..) | InFlight::HangUp(_) => true,
        });
    }

    fn sends_elsewhere(&self, link: LinkId) -> Option<Addr> {
        self.peers.get(&link).copied().filter(|peer| !self.view.ours.contains(peer))
    }
}

/// Tells that a message on this link did not arrive.
fn tell_lost(links: &mut Links, link: LinkId, (from, to): (Addr, Addr), message: &Message, why: LossReason) {
    let connection = links.connection(link, to);
    if let Some(event) = (MessageLoss { from, to, connection, why }).event(message) {
        links.emit(|| event);
    }
}

/// A node's links, with its faults in front of them.
pub(super) struct Outgoing<'a> {
    pub(super) links: &'a mut Links,
    pub(super) faults: &'a mut NodeFaults,
}

impl Outgoing<'_> {
    fn send_through_faults(&mut self, link: LinkId, message: &Message) {
        let (now, faults) = (self.links.now(), &mut *self.faults);
        let Some(peer) = faults.sends_elsewhere(link) else { return self.links.send(link, message) };
        let way = Route { from: faults.me, to: peer, connection: link.0 };
        match faults.faults.outcome(now, way, key_of(message).unwrap_or(now.as_micros()), message) {
            Outcome::Now => self.links.send(link, message),
            Outcome::Lost(fault) => tell_lost(self.links, link, (way.from, peer), message, LossReason::Fault(fault)),
            Outcome::At(due) | Outcome::Held(due) => {
                faults.later(self.links, due, (way.from, peer), InFlight::Out(link, message.clone()));
            }
            Outcome::Twice(due) | Outcome::HeldTwice(due) => {
                for _ in 0..2 {
                    faults.later(self.links, due, (way.from, peer), InFlight::Out(link, message.clone()));
                }
            }
        }
    }
}

impl Output for Outgoing<'_> {
    fn send(&mut self, link: LinkId, message: &Message) {
        if self.faults.faults.is_quiet() {
            self.links.send(link, message);
        } else {
            self.send_through_faults(link, message);
        }
    }

    fn dial(&mut self, peer: Addr, purpose: Purpose) {
        if !self.faults.faults.is_cut(self.faults.me, peer) {
            return self.links.dial(peer, purpose);
        }
        let error = DialError::NoAnswer { within_us: micros(DIAL_TIMEOUT) };
        let at = self.links.now() + DIAL_TIMEOUT;
        self.faults.plan(at, InFlight::In(Input::DialFailed { peer, error }));
    }

    fn hang_up(&mut self, link: LinkId) {
        self.faults.forget_unread(self.links, link);
        let is_leaving = |in_flight: &InFlight| matches!(in_flight, InFlight::Out(waiting, _) if *waiting == link);
        let last = self.faults.under_way.iter().rev().find(|(_, in_flight)| is_leaving(in_flight));
        match last.map(|((at, _), _)| *at) {
            Some(at) => self.faults.plan(at, InFlight::HangUp(link)),
            None => self.links.hang_up(link),
        }
        self.faults.withheld.retain(|(withheld, _)| *withheld != link);
    }

    fn pause(&mut self, link: LinkId, until: Time) {
        self.links.pause(link, until);
    }

    fn connection(&self, link: LinkId, peer: Addr) -> Option<ConnectionId> {
        self.links.connection(link, peer)
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.links.emit(event);
    }
}
