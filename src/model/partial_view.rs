//! Which addresses each peer knows, since when, and from whom: its partial view (HyParView, Leitão et
//! al. 2007), as far as events tell it.
//!
//! A peer learns of another by a seed's list, by the referral of a peer that refuses it, or because the
//! other dials it. It forgets it when a link to it ends or does not come up. It also drops addresses when
//! it remembers too many, which no event tells.

use std::sync::Arc;

use super::link::LinkHistory;
use super::{Map, Model};
use crate::event::{Direction, LinkEnd, LinkEvent, Purpose, Side};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, RefusalReason};
use crate::proto::time::Time;

/// Acquaintances that are kept, over all peers: all of a lab of 250 peers; 4 MB.
pub const ACQUAINTANCES_MAX: usize = 65_536;

/// How an address came to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// It was on a list that this seed sent.
    Seed(Addr),
    /// This peer named it when it refused a link.
    Peer(Addr),
    /// The node dialed the peer.
    Itself,
    /// The peer dialed it, and no event tells from where it had the address: a goodbye, the rest of a
    /// list, an old message.
    Untold,
}

/// An address that a peer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquaintance {
    /// Since when.
    pub since: Time,
    pub by: NamedBy,
}

/// What one peer knows: an entry for each address.
pub type PartialView = Map<Addr, Acquaintance>;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartialViews {
    /// Shared by the models of many moments until one of them changes.
    by_peer: Map<Addr, Arc<PartialView>>,
    len: usize,
    /// Acquaintances over the limit.
    omitted: u64,
}

impl PartialViews {
    /// What this peer of ours knows in the life that it has now, or had last.
    pub fn of(&self, peer: Addr) -> impl Iterator<Item = (Addr, Acquaintance)> {
        self.by_peer.get(&peer).into_iter().flat_map(|view| view.iter().map(|(addr, known)| (*addr, *known)))
    }

    pub fn get(&self, peer: Addr, known: Addr) -> Option<Acquaintance> {
        self.by_peer.get(&peer)?.get(&known).copied()
    }

    /// How often something was not kept, because there was no room.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    fn learn(&mut self, peer: Addr, known: Addr, acquaintance: Acquaintance) {
        if known == peer || self.get(peer, known).is_some() {
            return;
        }
        if self.len == ACQUAINTANCES_MAX {
            self.omitted = self.omitted.saturating_add(1);
            return;
        }
        Arc::make_mut(self.by_peer.entry(peer).or_default()).insert(known, acquaintance);
        self.len += 1;
    }

    fn forget(&mut self, peer: Addr, known: Addr) {
        let Some(view) = self.by_peer.get_mut(&peer).filter(|view| view.contains_key(&known)) else { return };
        Arc::make_mut(view).swap_remove(&known);
        self.len -= 1;
    }

    /// A peer starts, and knows nobody.
    pub(super) fn clear(&mut self, peer: Addr) {
        let gone = self.by_peer.swap_remove(&peer);
        self.len -= gone.map_or(0, |view| view.len());
    }

    /// Bytes of memory that are not shared with those other views.
    pub(super) fn memory_len(&self, shared_with: Option<&Self>, entry_len: usize) -> usize {
        let is_shared = |peer: &Addr, view: &Arc<PartialView>| {
            shared_with.and_then(|other| other.by_peer.get(peer)).is_some_and(|other| Arc::ptr_eq(view, other))
        };
        let own = self.by_peer.iter().filter(|(peer, view)| !is_shared(peer, view)).map(|(_, view)| view.len());
        self.by_peer.len() * entry_len + own.sum::<usize>() * (size_of::<(Addr, Acquaintance)>() + entry_len)
    }
}

impl Model {
    /// Who knows whom.
    pub fn partial_views(&self) -> &PartialViews {
        &self.views
    }

    /// These addresses were named to a peer.
    pub(super) fn named_to(&mut self, peer: Addr, addrs: &[Addr], at: Time, by: NamedBy) {
        for addr in addrs {
            self.views.learn(peer, *addr, Acquaintance { since: at, by });
        }
    }

    /// What a peer learns or forgets with this event of a link.
    pub(super) fn learn_of_link(&mut self, node: Addr, at: Time, event: &LinkEvent) {
        match *event {
            LinkEvent::Dialing { peer, purpose: Purpose::Neighbor, .. } => {
                self.views.learn(node, peer, Acquaintance { since: at, by: NamedBy::Untold });
            }
            LinkEvent::Up { peer, purpose: Purpose::Neighbor, direction, .. } => {
                let by = if direction == Direction::Inbound { NamedBy::Itself } else { NamedBy::Untold };
                self.views.learn(node, peer, Acquaintance { since: at, by });
            }
            LinkEvent::Refused { peer, by: Side::Them, reason, ref referral, .. } => {
                if reason != RefusalReason::Full {
                    self.views.forget(node, peer);
                }
                self.named_to(node, referral, at, NamedBy::Peer(peer));
            }
            LinkEvent::DialFailed { peer, purpose: Purpose::Neighbor, .. } => {
                // A peer that can ask no seed for another list tries it again in its turn.
                let dialect = self.nodes.get(node).and_then(|node| node.dialect);
                if dialect.is_none_or(Dialect::registrations_answer) {
                    self.forget_unless_linked(node, peer);
                }
            }
            LinkEvent::Violation { peer: Some(peer), .. }
            | LinkEvent::OtherDialect { peer: Some(peer), .. }
            | LinkEvent::HandshakeFailed { peer: Some(peer), .. } => self.forget_unless_linked(node, peer),
            LinkEvent::Down { peer, purpose: Purpose::Neighbor, end, .. } if end != LinkEnd::WhileAway => {
                self.forget_unless_linked(node, peer);
            }
            LinkEvent::Dialing { purpose: Purpose::Registration, .. }
            | LinkEvent::DialFailed { purpose: Purpose::Registration, .. }
            | LinkEvent::Up { purpose: Purpose::Registration, .. }
            | LinkEvent::Down { .. }
            | LinkEvent::Refused { by: Side::Us, .. }
            | LinkEvent::Violation { peer: None, .. }
            | LinkEvent::OtherDialect { peer: None, .. }
            | LinkEvent::HandshakeFailed { peer: None, .. }
            | LinkEvent::NotAccepted { .. }
            | LinkEvent::MoreOffenses { .. }
            | LinkEvent::Flooding { .. }
            | LinkEvent::Omitted { .. }
            | LinkEvent::EclipseSuspected { .. }
            | LinkEvent::Repairing { .. } => {}
        }
    }

    fn forget_unless_linked(&mut self, node: Addr, peer: Addr) {
        if !self.links.get(node, peer).is_some_and(LinkHistory::is_up) {
            self.views.forget(node, peer);
        }
    }
}
