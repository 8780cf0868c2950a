//! The connections of a peer.

use std::net::Ipv4Addr;

use crate::proto::addr::Addr;
use crate::proto::budget::{Bearer, Budget};
use crate::proto::event::{ConnectionId, Direction, LinkId, Purpose};
use crate::proto::flat_map::FlatMap;
use crate::proto::half_open::HalfOpen;
use crate::proto::machine::Output;
use crate::proto::time::Time;

/// A connection of a peer.
#[derive(Debug)]
pub(super) struct PeerLink {
    /// The remote end.
    pub(super) remote: Addr,
    /// The node that we dialed, or that said hello.
    pub(super) peer: Option<Addr>,
    pub(super) direction: Direction,
    pub(super) purpose: Purpose,
    pub(super) stage: Stage,
    pub(super) budget: Budget,
}

impl PeerLink {
    /// The name of its connection, if the driver knows it.
    pub(super) fn connection(&self, out: &impl Output, link: LinkId) -> Option<ConnectionId> {
        let there = match self.direction {
            Direction::Outbound => self.peer.unwrap_or(self.remote),
            Direction::Inbound => self.remote,
        };
        out.connection(link, there)
    }
}

/// Who speaks on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    remote: Ipv4Addr,
    pub(super) peer: Option<Addr>,
    pub(super) purpose: Purpose,
    pub(super) stage: Stage,
}

impl Speaker {
    pub(super) fn bearer(self, link: LinkId) -> Bearer {
        Bearer { link, remote: self.remote, peer: self.peer }
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The other side has not named itself yet.
    Opening {
        /// By when it must do so.
        hello_by: Time,
    },
    /// A seed has named itself, and owes its list, with which the peer is registered.
    Greeted {
        /// By when it must send the list.
        list_by: Time,
    },
    /// Dialed in the classic dialect, and nothing was heard yet: see [`super::unheard`].
    Unheard,
    Up,
}

impl Stage {
    /// When a handshake in this stage has lasted too long.
    pub(super) fn ends_at(self) -> Option<Time> {
        match self {
            Self::Opening { hello_by: at } | Self::Greeted { list_by: at } => Some(at),
            Self::Unheard | Self::Up => None,
        }
    }
}

/// The connections by their ids.
#[derive(Debug, Default)]
pub(super) struct PeerLinks {
    open: FlatMap<LinkId, PeerLink>,
    /// Those that others opened and that are not in use yet.
    half_open: HalfOpen,
    /// How many have a handshake that may take too long: none, most of the time.
    handshakes: usize,
}

impl PeerLink {
    fn is_half_open(&self) -> bool {
        self.direction == Direction::Inbound && self.stage != Stage::Up
    }
}

impl PeerLinks {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn touch_kept(&self) -> u64 {
        self.open.values().fold(0, |all, open| all ^ u64::from(open.remote.port()))
    }

    pub(super) fn get(&self, link: LinkId) -> Option<&PeerLink> {
        self.open.get(link)
    }

    pub(super) fn contains_key(&self, link: LinkId) -> bool {
        self.open.contains_key(link)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LinkId, &PeerLink)> {
        self.open.iter()
    }

    pub(super) fn half_open(&self) -> &HalfOpen {
        &self.half_open
    }

    pub(super) fn insert(&mut self, link: LinkId, open: PeerLink) {
        self.remove(link);
        if open.is_half_open() {
            self.half_open.enter(open.remote.ip());
        }
        self.handshakes += usize::from(open.stage.ends_at().is_some());
        self.open.insert(link, open);
    }

    pub(super) fn remove(&mut self, link: LinkId) -> Option<PeerLink> {
        let open = self.open.remove(link)?;
        self.handshakes -= usize::from(open.stage.ends_at().is_some());
        if open.is_half_open() {
            self.half_open.leave(open.remote.ip());
        }
        Some(open)
    }

    /// The link is in use, with this peer.
    pub(super) fn up(&mut self, link: LinkId, peer: Addr) -> Option<&PeerLink> {
        let open = self.open.get_mut(link)?;
        if open.is_half_open() {
            self.half_open.leave(open.remote.ip());
        }
        self.handshakes -= usize::from(open.stage.ends_at().is_some());
        (open.stage, open.peer) = (Stage::Up, Some(peer));
        Some(open)
    }

    /// The handshake of a link takes another course.
    pub(super) fn set_stage(&mut self, link: LinkId, stage: Stage) {
        if let Some(open) = self.open.get_mut(link) {
            self.handshakes -= usize::from(open.stage.ends_at().is_some());
            self.handshakes += usize::from(stage.ends_at().is_some());
            open.stage = stage;
        }
    }

    /// What is known of a link on which something is heard, and what it may still say.
    pub(super) fn hear(&mut self, link: LinkId) -> Option<(Speaker, &mut Budget)> {
        let PeerLink { remote, peer, purpose, stage, budget, .. } = self.open.get_mut(link)?;
        Some((Speaker { remote: remote.ip(), peer: *peer, purpose: *purpose, stage: *stage }, budget))
    }

    /// When the first handshake has lasted too long.
    pub(super) fn handshake_deadline(&self) -> Option<Time> {
        if self.handshakes == 0 {
            return None;
        }
        self.open.values().filter_map(|open| open.stage.ends_at()).min()
    }

    /// The links whose handshake has lasted too long.
    pub(super) fn late_handshakes(&self, now: Time) -> Vec<LinkId> {
        if self.handshake_deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let is_late = |open: &PeerLink| open.stage.ends_at().is_some_and(|at| at <= now);
        self.open.iter().filter(|(_, open)| is_late(open)).map(|(link, _)| link).collect()
    }

    /// No handshake ends before this.
    pub(super) fn prolong_handshakes(&mut self, at_least: Time) {
        for open in self.open.values_mut() {
            if let Stage::Opening { hello_by: by } | Stage::Greeted { list_by: by } = &mut open.stage {
                *by = at_least.max(*by);
            }
        }
    }

    pub(super) fn into_open(self) -> Vec<(LinkId, PeerLink)> {
        self.open.into_entries()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(peer: Addr) -> PeerLink {
        let stage = Stage::Opening { hello_by: Time::from_micros(1) };
        let (direction, purpose) = (Direction::Inbound, Purpose::Neighbor);
        PeerLink { remote: peer, peer: None, direction, purpose, stage, budget: Budget::default() }
    }

    #[test]
    fn a_link_in_use_leaves_room_for_others() {
        let (peer, mut links) = (Addr::loopback(3001), PeerLinks::default());
        links.insert(LinkId(1), inbound(peer));
        assert_eq!(links.half_open().len(), 1);
        (0..2).for_each(|_| assert!(links.up(LinkId(1), peer).is_some()));
        links.insert(LinkId(2), inbound(peer));
        assert_eq!(links.half_open().len(), 1);
        links.remove(LinkId(1));
        assert_eq!(links.half_open().len(), 1, "the one in use was not counted any more");
        links.remove(LinkId(2));
        assert_eq!(links.half_open().len(), 0);
    }
}
