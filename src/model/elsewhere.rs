//! Nodes of other processes, which emit no events here: what is known of them is what they sent to
//! our nodes.
//!
//! A copy from such a node proves that it has the message; a copy that we sent to it proves
//! nothing.

use super::Model;
use super::link::LinkTable;
use super::node::{Contact, NodeRecord, NodeRecords, ObservedState};
use super::rumor::{ForeignCopy, Rumor};
use super::words::count_text;
use crate::event::Purpose;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// What nodes elsewhere did for a message on its way to a node of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    /// The nearest node of ours that had sent the message to the node elsewhere.
    pub(super) perhaps_from: Option<Addr>,
    /// Links of the shortest path over it that is known here.
    pub(super) hop: Option<u16>,
}

/// No event ever came from this node.
fn is_elsewhere(nodes: &NodeRecords, addr: Addr) -> bool {
    nodes.get(addr).is_none_or(|node| !node.is_ours())
}

/// The shortest path known here of a message from a node of ours to `to` over its neighbor `over`.
fn passage(nodes: &NodeRecords, rumor: &Rumor, links: &LinkTable, over: Addr, to: Addr) -> Passage {
    let sent_to_it = |node: Addr| {
        let link = links.get(node, over).filter(|link| link.is_up() && link.purpose == Purpose::Neighbor);
        node != to && link.is_some() && {
            let strategy = nodes.get(node).map(|node| node.methods.strategy).unwrap_or_default();
            rumor.copies.get(&node).is_some_and(|copy| strategy.sends_to(over, copy.from))
        }
    };
    let holders = rumor.copies.iter().filter(|(node, _)| sent_to_it(**node));
    // On a tie, the one that had it first.
    let nearest = holders.min_by_key(|(_, copy)| (copy.hops().is_none(), copy.hops(), copy.at));
    Passage {
        perhaps_from: nearest.map(|(node, _)| *node),
        hop: nearest.and_then(|(_, copy)| copy.hops()?.checked_add(2)),
    }
}

impl Rumor {
    /// Nodes of other processes that have it for certain, in the order in which they proved it.
    pub fn elsewhere<'a>(&'a self, nodes: &'a NodeRecords) -> impl Iterator<Item = (Addr, ForeignCopy)> + 'a {
        let is_it = |(node, _): &(&Addr, &ForeignCopy)| is_elsewhere(nodes, **node);
        self.proofs.iter().filter(is_it).map(|(node, proof)| (*node, *proof))
    }

    /// All that have it for certain: nodes of ours, and nodes elsewhere that proved it.
    pub fn holders<'a>(&'a self, nodes: &'a NodeRecords) -> impl Iterator<Item = Addr> + 'a {
        self.copies.keys().copied().chain(self.elsewhere(nodes).map(|(node, _)| node))
    }
}

/// Whose nodes those are of which events come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vantage {
    /// Those of one session, which are its own.
    Session,
    /// Those of several sessions that are watched, and nobody's own.
    Watch,
}

impl Vantage {
    const fn word(self) -> &'static str {
        match self {
            Self::Session => "of ours",
            Self::Watch => "watched",
        }
    }
}

/// How much of a network is seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Nodes of this process: all that they do is known.
    pub ours: usize,
    /// Those, and the nodes elsewhere that may run.
    pub known: usize,
}

impl Sight {
    /// What is so here is so in the whole network, as far as anybody here can know.
    pub const fn is_whole(self) -> bool {
        self.ours == self.known && self.ours > 1
    }

    /// `1 of 3 nodes`, `1 node`.
    pub fn text(self) -> String {
        let known = count_text(self.known as u64, "node");
        if self.ours == self.known { known } else { format!("{} of {known}", self.ours) }
    }
}

impl Model {
    pub fn sight(&self) -> Sight {
        let may_run = |node: &&NodeRecord| match node.state() {
            ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Known => !node.is_ours(),
            ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => false,
        };
        let ours = self.nodes.ours();
        Sight { ours, known: ours + self.nodes.iter().filter(may_run).count() }
    }

    /// What follows a number of peers seen here that have a message, if `proven` nodes elsewhere have
    /// it for certain: ` of ours, 2 elsewhere`; nothing if nothing is elsewhere.
    pub fn beyond_text(&self, proven: usize, vantage: Vantage) -> String {
        let here = vantage.word();
        match proven {
            0 if self.sight().is_whole() => String::new(),
            0 => format!(" {here}"),
            _ => format!(" {here}, {proven} elsewhere"),
        }
    }

    /// The path by which a message came to `to` from this neighbor, if the neighbor runs elsewhere
    /// and is not the origin.
    pub(super) fn passage(&self, id: MessageId, over: Addr, to: Addr) -> Option<Passage> {
        let is_asked = over != id.origin && is_elsewhere(&self.nodes, over);
        let none = Passage { perhaps_from: None, hop: None };
        is_asked.then(|| self.rumors.get(id).map_or(none, |rumor| passage(&self.nodes, rumor, &self.links, over, to)))
    }

    /// A message of any kind came from this node to `by`; `note` counts what it was.
    pub(super) fn contact(&mut self, from: Addr, by: Addr, at: Time, note: impl FnOnce(&mut Contact)) {
        self.nodes.contact(from, |contact| {
            contact.heard(by, at);
            note(contact);
        });
    }
}
