//! The neighbors of a peer: the nodes that it holds links to, and on which something was heard.

use std::ops::Deref;

use smallvec::{SmallVec, smallvec};

use crate::proto::addr::Addr;
use crate::proto::event::LinkId;
use crate::proto::flat_map::grow_by_few;

/// A peer that we hold a link to.
#[derive(Debug)]
pub(super) struct Neighbor {
    pub(super) addr: Addr,
    /// One, or several in the classic dialect when both had dialed. We send on the first.
    pub(super) links: SmallVec<[LinkId; 1]>,
    /// How many neighbors it has, as it last said.
    pub(super) degree: Option<u16>,
    /// The link joined two parts of the overlay: it is not given up to make room.
    pub(super) bridge: bool,
    pub(super) entry: NeighborOrigin,
}

/// How a node became our neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeighborOrigin {
    Dialed,
    Joined,
    /// It dialed us and said that it had no neighbor, so we accepted it although we were full.
    PushedIn,
}

impl Neighbor {
    pub(super) fn new(addr: Addr, link: LinkId, entry: NeighborOrigin, bridge: bool) -> Self {
        Self { addr, links: smallvec![link], degree: None, bridge, entry }
    }

    /// It has at least this many neighbors, as far as it said.
    pub(super) fn has_degree(&self, least: usize) -> bool {
        self.degree.is_some_and(|degree| usize::from(degree) >= least)
    }
}

/// All of one peer, the newest last.
#[derive(Debug, Default)]
pub(super) struct Neighbors(Vec<Neighbor>);

impl Neighbors {
    pub(super) fn get(&self, addr: Addr) -> Option<&Neighbor> {
        self.0.iter().find(|neighbor| neighbor.addr == addr)
    }

    pub(super) fn get_mut(&mut self, addr: Addr) -> Option<&mut Neighbor> {
        self.0.iter_mut().find(|neighbor| neighbor.addr == addr)
    }

    pub(super) fn has(&self, addr: Addr) -> bool {
        self.get(addr).is_some()
    }

    /// Neighbors, without those that join two parts of the overlay.
    pub(super) fn ordinary(&self) -> usize {
        self.0.iter().filter(|neighbor| !neighbor.bridge).count()
    }

    pub(super) fn push(&mut self, neighbor: Neighbor) {
        grow_by_few(&mut self.0);
        self.0.push(neighbor);
    }

    pub(super) fn remove(&mut self, addr: Addr) -> Option<Neighbor> {
        let at = self.0.iter().position(|neighbor| neighbor.addr == addr)?;
        Some(self.0.remove(at))
    }
}

impl Deref for Neighbors {
    type Target = [Neighbor];

    fn deref(&self) -> &[Neighbor] {
        &self.0
    }
}
