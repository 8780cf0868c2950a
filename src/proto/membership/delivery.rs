//! How the other parts of a peer reach neighbors: they name them by address, and membership knows
//! the links.

use super::Membership;
use crate::proto::addr::Addr;
use crate::proto::cx::{Cx, NeighborOutput};
use crate::proto::event::{EventKind, LinkId};
use crate::proto::machine::{Output, Touched};
use crate::proto::message::Message;

/// Carries out on links what a part wants of neighbors.
pub(in crate::proto) struct Neighborhood<'a, O> {
    membership: &'a Membership,
    /// The link on which to speak; `None`: the one on which that neighbor is sent to.
    link: Option<LinkId>,
    /// The place after the neighbor that was sent to last: parts go through them in order.
    next: usize,
    out: &'a mut O,
}

impl<O> Neighborhood<'_, O> {
    fn link_to(&mut self, peer: Addr) -> Option<LinkId> {
        let neighbors = &self.membership.neighbors;
        let at = (self.next..neighbors.len()).chain(0..self.next).find(|at| neighbors[*at].addr == peer)?;
        self.next = at + 1;
        Some(neighbors[at].links[0])
    }
}

impl<O: Output> NeighborOutput for Neighborhood<'_, O> {
    fn send(&mut self, peer: Addr, message: &Message) {
        if let Some(link) = self.link.or_else(|| self.link_to(peer)) {
            self.out.send(link, message);
        }
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.out.emit(event);
    }
}

impl Membership {
    /// Reads what is needed to hear and to reach neighbors, see
    /// [`Machine::touch`](crate::proto::machine::Machine::touch).
    pub(in crate::proto) fn touch(&self, what: Touched<'_>) -> u64 {
        if let Touched::Kept(_) = what {
            return self.neighbors.iter().fold(self.links.touch_kept(), |all, neighbor| all ^ neighbor.links[0].0);
        }
        let counts = self.links.len() ^ self.neighbors.len() ^ self.news.len() ^ self.unheard.len();
        let when = [self.excused_until, self.repair.next_at(), self.root.whole_at()].into_iter().flatten();
        when.fold(counts as u64, |all, at| all ^ at.as_micros())
    }

    /// The link on which a neighbor is sent to.
    pub(super) fn link_of(&self, peer: Addr) -> Option<LinkId> {
        self.neighbors.get(peer).map(|neighbor| neighbor.links[0])
    }

    /// Lets a part act that knows neighbors, but no links.
    pub(in crate::proto) fn reach<O, R>(&self, cx: &mut Cx<O>, act: impl FnOnce(&mut Cx<Neighborhood<O>>) -> R) -> R {
        self.reach_on(cx, None, act)
    }

    /// The same, on this link if it matters on which.
    pub(in crate::proto) fn reach_on<O, R>(
        &self,
        cx: &mut Cx<O>,
        link: Option<LinkId>,
        act: impl FnOnce(&mut Cx<Neighborhood<O>>) -> R,
    ) -> R {
        let out = &mut Neighborhood { membership: self, link, next: 0, out: &mut *cx.out };
        let (chance, numbers) = (&mut *cx.chance, &mut *cx.numbers);
        act(&mut Cx { now: cx.now, config: cx.config, chance, numbers, skew_us: cx.skew_us, out })
    }
}
