//! Links of the classic dialect that we dialed and on which nothing was heard yet.
//!
//! A Python peer with four links never accepts a fifth: the connect succeeds, and nothing is ever
//! said. Minutes later, when a slot is free, it accepts, takes with its one `recv` all that waits
//! for the address, and dies of it. So only the address is sent until something was heard. Until
//! then such a link is no neighbor: nobody counts on it, and nobody dies on it. If nothing is heard
//! for as long as a neighbor takes to be dead, the link is parked: its address is no longer dialed,
//! and its socket stays open and is read, because a Python peer that accepts a closed one reports a
//! death. It becomes a neighbor with the first message on it.

use std::collections::VecDeque;

use super::{Peer, PeerLink, Stage};
use crate::proto::addr::Addr;
use crate::proto::event::{LinkEvent, LinkId};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{Message, Priority};
use crate::proto::random::Topic;
use crate::proto::time::Time;

/// Gossip that is held back for such a link, the latest messages: what a peer that accepts at once
/// misses meanwhile.
const HELD_MAX: usize = 8;
/// Such links of one peer, parked ones included. Each is a socket; a network of more than 64 full
/// peers does without the others.
pub(super) const UNHEARD_MAX: usize = 64;

/// Such a link: see the module.
#[derive(Debug)]
pub(super) struct Unheard {
    addr: Addr,
    link: LinkId,
    /// When it will be parked; `None`: it is.
    park_at: Option<Time>,
    held: VecDeque<Message>,
}

/// All of one peer, at most one for each address.
#[derive(Debug, Default)]
pub(super) struct UnheardLinks(Vec<Unheard>);

impl UnheardLinks {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has(&self, addr: Addr) -> bool {
        self.0.iter().any(|unheard| unheard.addr == addr)
    }

    /// Those that may still become neighbors soon.
    pub(super) fn hopeful(&self) -> impl Iterator<Item = Addr> {
        self.0.iter().filter(|unheard| unheard.park_at.is_some()).map(|unheard| unheard.addr)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().filter_map(|unheard| unheard.park_at).min()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn forget(&mut self, addr: Addr) {
        self.0.retain(|unheard| unheard.addr != addr);
    }

    fn take(&mut self, link: LinkId) -> Option<Unheard> {
        let at = self.0.iter().position(|unheard| unheard.link == link)?;
        Some(self.0.remove(at))
    }
}

impl Peer {
    /// We have named ourselves; the other side has not said anything.
    pub(super) fn await_word(&mut self, now: Time, link: LinkId, addr: Addr) {
        self.links.set_stage(link, Stage::Unheard);
        let park_at = Some(now + self.config.liveness_interval * self.config.liveness_misses);
        self.overlay.unheard.0.push(Unheard { addr, link, park_at, held: VecDeque::new() });
    }

    /// Keeps a message for those that may become neighbors, except for its sender.
    pub(super) fn hold_back(&mut self, message: &Message, origin: Addr) {
        for unheard in self.overlay.unheard.0.iter_mut().filter(|unheard| unheard.addr != origin) {
            if unheard.held.len() >= HELD_MAX {
                unheard.held.pop_front();
            }
            unheard.held.push_back(message.clone());
        }
    }

    /// The other side has accepted: it is a neighbor now.
    pub(super) fn on_first_word(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        message: Message,
        out: &mut impl Output,
    ) {
        let Some(unheard) = self.overlay.unheard.take(link) else { return };
        // If it dialed us, too, it has had all of it.
        let is_new = self.overlay.get(peer).is_none();
        self.add_neighbor(now, link, peer, Priority::Low, out);
        if is_new {
            unheard.held.iter().for_each(|held| out.send(link, held));
        }
        self.on_neighbor_message(now, link, peer, message, out);
    }

    pub(super) fn park_if_due(&mut self, now: Time, out: &mut impl Output) {
        let mut parked = Vec::new();
        for unheard in &mut self.overlay.unheard.0 {
            parked.extend(unheard.park_at.take_if(|at| *at <= now).map(|_| unheard.addr));
        }
        for peer in parked {
            if self.overlay.get(peer).is_none() {
                out.emit(|| LinkEvent::NotAccepted { peer });
            }
            self.repair.try_next(now, &self.config, &mut self.choices.next(Topic::Repair));
        }
    }

    /// It closed without ever having said anything: nobody died.
    pub(super) fn on_unheard_closed(
        &mut self,
        now: Time,
        link: LinkId,
        open: &PeerLink,
        cause: &CloseCause,
        out: &mut impl Output,
    ) {
        if let Some(unheard) = self.overlay.unheard.take(link) {
            self.on_opening_closed(now, unheard.addr, open, cause, out);
        }
    }
}
