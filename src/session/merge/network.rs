//! Which recordings are of one network: those whose nodes had links to each other, or to one seed.

use std::borrow::Borrow;

use crate::event::{Event, EventKind, LinkEvent, NodeEvent};
use crate::model::Set;
use crate::proto::addr::Addr;

/// Addresses that are remembered of a recording: more than a process on sockets has links to.
const ADDRS_MAX: usize = 65_536;

/// The nodes of a recording, and those that they had links to.
#[derive(Debug, Default)]
pub struct LinkedNodes {
    nodes: Set<Addr>,
    linked: Set<Addr>,
}

impl LinkedNodes {
    pub fn take(&mut self, event: &Event) {
        let (set, addr) = match &event.kind {
            EventKind::Node(NodeEvent::Started { .. }) => (&mut self.nodes, event.node),
            EventKind::Link(LinkEvent::Up { peer, .. }) => (&mut self.linked, *peer),
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => return,
        };
        if set.len() < ADDRS_MAX {
            set.insert(addr);
        }
    }

    /// Addresses that are known: more of them may join two networks.
    pub fn known(&self) -> usize {
        self.nodes.len() + self.linked.len()
    }

    fn meets(&self, other: &Self) -> bool {
        let are_linked = |one: &Self, other: &Self| one.linked.iter().any(|addr| other.nodes.contains(addr));
        // A seed, or a peer, of a process without a recording.
        let share_one = || self.linked.iter().any(|addr| !self.nodes.contains(addr) && other.linked.contains(addr));
        are_linked(self, other) || are_linked(other, self) || share_one()
    }
}

/// The recordings of each network, in the order of the first of each.
pub fn networks(recordings: &[impl Borrow<LinkedNodes>]) -> Vec<Vec<usize>> {
    let mut networks: Vec<Vec<usize>> = Vec::new();
    for (ix, recording) in recordings.iter().enumerate() {
        let meets =
            |network: &Vec<usize>| network.iter().any(|other| recordings[*other].borrow().meets(recording.borrow()));
        let (mut joined, apart): (Vec<_>, Vec<_>) = networks.into_iter().partition(meets);
        let mut network: Vec<usize> = joined.drain(..).flatten().chain([ix]).collect();
        network.sort_unstable();
        networks = apart;
        networks.push(network);
        networks.sort_unstable();
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hood(nodes: &[u16], linked: &[u16]) -> LinkedNodes {
        let addrs = |ports: &[u16]| ports.iter().copied().map(Addr::loopback).collect();
        LinkedNodes { nodes: addrs(nodes), linked: addrs(linked) }
    }

    #[test]
    fn recordings_that_share_a_link_or_a_seed_are_of_one_network() {
        let (seed, peer, other) = (hood(&[1], &[]), hood(&[2], &[1]), hood(&[3], &[4]));
        assert_eq!(networks(&[seed, peer, other]), [vec![0, 1], vec![2]]);
        let (one, other, third) = (hood(&[2], &[9]), hood(&[3], &[9]), hood(&[4], &[8]));
        assert_eq!(networks(&[one, other, third]), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_recording_can_join_two_networks() {
        let (one, other, between) = (hood(&[1], &[]), hood(&[2], &[]), hood(&[3], &[1, 2]));
        assert_eq!(networks(&[one, other, between]), [vec![0, 1, 2]]);
    }
}
