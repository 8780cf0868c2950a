//! Links of the classic dialect that we dialed and on which nothing was heard yet.
//!
//! A Python peer with four links never accepts a fifth: the connect succeeds, and nothing is ever
//! said. Minutes later, when a slot is free, it accepts, takes with its one `recv` all that waits
//! for the address, and dies of it. So only the address is sent until something was heard. Until
//! then such a link is no neighbor: nobody counts on it, and nobody dies on it. If nothing is heard
//! for as long as a neighbor takes to be dead, the link is parked: its address is no longer dialed,
//! and its socket stays open and is read, because a Python peer that accepts a closed one reports a
//! death. It becomes a neighbor with the first message on it.

use super::links::{PeerLink, Stage};
use super::neighbors::NeighborOrigin;
use super::{Membership, NeighborNews};
use crate::proto::addr::Addr;
use crate::proto::cx::Cx;
use crate::proto::event::{LinkEvent, LinkId};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::Priority;
use crate::proto::time::Time;

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

impl Membership {
    /// We have named ourselves; the other side has not said anything.
    pub(super) fn await_word<O>(&mut self, cx: &Cx<O>, link: LinkId, addr: Addr) {
        self.links.set_stage(link, Stage::Unheard);
        let park_at = Some(cx.now + cx.config.liveness_interval * cx.config.liveness_misses);
        self.unheard.0.push(Unheard { addr, link, park_at });
        self.news.push(NeighborNews::Awaited(addr));
    }

    /// The other side has accepted: it is a neighbor now.
    pub(super) fn on_first_word(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr) {
        if self.unheard.take(link).is_none() {
            return;
        }
        // If it dialed us, too, it has had all of it.
        let is_new = !self.neighbors.has(peer);
        self.add_neighbor(cx, link, peer, NeighborOrigin::Dialed, Priority::Low);
        self.news.push(if is_new { NeighborNews::Heard(peer) } else { NeighborNews::GivenUp(peer) });
    }

    pub(super) fn park_if_due(&mut self, cx: &mut Cx<impl Output>) {
        let mut parked = Vec::new();
        for unheard in &mut self.unheard.0 {
            parked.extend(unheard.park_at.take_if(|at| *at <= cx.now).map(|_| unheard.addr));
        }
        for peer in parked {
            if !self.neighbors.has(peer) {
                cx.out.emit(|| LinkEvent::NotAccepted { peer });
            }
            self.repair.try_next(cx);
        }
    }

    /// It closed without ever having said anything: nobody died.
    pub(super) fn on_unheard_closed(
        &mut self,
        cx: &mut Cx<impl Output>,
        link: LinkId,
        open: &PeerLink,
        cause: &CloseCause,
    ) {
        if let Some(unheard) = self.unheard.take(link) {
            self.news.push(NeighborNews::GivenUp(unheard.addr));
            let connection = open.connection(cx.out, link);
            self.on_opening_closed(cx, (unheard.addr, connection), open, cause);
        }
    }
}
