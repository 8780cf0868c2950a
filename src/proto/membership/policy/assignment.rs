//! The overlay of the assignment: a peer accepts links up to a limit, and makes room for joiners
//! beyond it (rule 3).
//!
//! HyParView never refuses a joiner without neighbors: it gives up a neighbor instead (section
//! 4.2). Anybody can claim to have none, so a stranger that joins with many names could take the
//! place of each neighbor, and decide from then on what the peer gets to hear (an eclipse; Heilman
//! et al. 2015). So at most one neighbor is given up per interval, and never one of the two newest
//! links that this peer dialed itself, which no stranger has chosen; further lone joiners are
//! accepted beyond the limit, or referred to peers with room. Links that join two parts of the
//! overlay have places of their own.

use super::Admission;
use crate::proto::addr::Addr;
use crate::proto::config::{LINKS_MAX, PeerConfig};
use crate::proto::cx::Cx;
use crate::proto::event::LinkEvent;
use crate::proto::machine::Output;
use crate::proto::membership::neighbors::{Neighbor, NeighborOrigin, Neighbors};
use crate::proto::message::Priority;
use crate::proto::random::Topic;
use crate::proto::time::Time;

/// Lone joiners accepted beyond the limit: half as many again as the default limit, so that most of
/// a lab that starts at once finds a place at the first try.
const JOINERS_BEYOND_MAX: usize = 4;
/// Links that others asked for to join two parts of the overlay, beyond the limit and never given
/// up. Parts are few, and a root that is refused tries another node.
const BRIDGES_MAX: usize = 4;
/// The newest links that this peer dialed itself are never given up: if one is lost, the other
/// still leads out.
const KEPT_DIALED: usize = 2;
/// A neighbor with this many links has another one than ours.
const HAS_OTHERS: usize = 2;

/// The policy, and what it remembers about making room.
#[derive(Debug)]
pub(in crate::proto::membership) struct Assignment {
    /// Without this, a full peer refuses everybody, a known fault: see [`Overlay`].
    ///
    /// [`Overlay`]: crate::proto::config::Overlay
    make_room: bool,
    /// When a neighbor was last given up.
    gave_up_at: Option<Time>,
    /// The joiners that were reported as most of the neighbors.
    told: Box<[Addr]>,
}

impl Assignment {
    pub(in crate::proto::membership) fn new(make_room: bool) -> Self {
        Self { make_room, gave_up_at: None, told: Box::default() }
    }

    /// A random neighbor that has at least this many neighbors itself, if one may be given up now.
    fn give_up_one_with<O>(&mut self, degree: usize, cx: &mut Cx<O>, neighbors: &Neighbors) -> Option<Addr> {
        if self.gave_up_at.is_some_and(|at| cx.now.since(at) < cx.config.liveness_interval) {
            return None;
        }
        let peer = choose_to_give_up(degree, cx, neighbors)?;
        self.gave_up_at = Some(cx.now);
        Some(peer)
    }

    /// A joiner asks to become a neighbor.
    pub(in crate::proto::membership) fn admit<O>(
        &mut self,
        cx: &mut Cx<O>,
        neighbors: &Neighbors,
        priority: Priority,
    ) -> Admission {
        let may_refuse = cx.config.dialect.may_close();
        if neighbors.len() < if may_refuse { cx.config.max_neighbors } else { LINKS_MAX } {
            return Admission::WELCOME;
        }
        if !self.make_room || !may_refuse {
            return Admission::REFUSED;
        }
        match priority {
            Priority::Bridge if has_a_place_for_a_bridge(cx.config, neighbors) => Admission::WELCOME,
            Priority::Low | Priority::Bridge => Admission::REFUSED,
            Priority::High => {
                let in_place_of = self.give_up_one_with(HAS_OTHERS, cx, neighbors);
                let left = |count: usize| count - usize::from(in_place_of.is_some());
                let is_accepted = left(neighbors.ordinary()) < cx.config.max_neighbors + JOINERS_BEYOND_MAX
                    && left(neighbors.len()) < LINKS_MAX;
                Admission { in_place_of, entry: is_accepted.then_some(NeighborOrigin::PushedIn) }
            }
        }
    }

    /// Whether there is room for a link that joins two parts of the overlay.
    pub(in crate::proto::membership) fn may_take_a_bridge(&self, config: &PeerConfig, neighbors: &Neighbors) -> bool {
        if self.make_room {
            has_a_place_for_a_bridge(config, neighbors)
        } else {
            neighbors.len() < config.max_neighbors
        }
    }

    /// Once per liveness interval: the neighbor that is too many. A peer beyond its limit gives up
    /// neighbors that can do without it.
    pub(in crate::proto::membership) fn surplus<O>(&mut self, cx: &mut Cx<O>, neighbors: &Neighbors) -> Option<Addr> {
        let is_beyond = cx.config.dialect.may_close() && neighbors.ordinary() > cx.config.max_neighbors;
        if is_beyond { self.give_up_one_with(cx.config.max_dial + 1, cx, neighbors) } else { None }
    }

    /// Once per liveness interval, after that. Reports once each set of joiners that is most of the neighbors. In a network that starts, a
    /// few neighbors are normal.
    pub(in crate::proto::membership) fn watch(&mut self, cx: &mut Cx<impl Output>, neighbors: &Neighbors) {
        let pushed_in = neighbors.iter().filter(|neighbor| neighbor.entry == NeighborOrigin::PushedIn);
        let joiners: Vec<Addr> = pushed_in.map(|joiner| joiner.addr).collect();
        let is_most = joiners.len() > JOINERS_BEYOND_MAX && joiners.len() * 2 > neighbors.len();
        if !is_most {
            self.told = Box::default();
        } else if joiners[..] != *self.told {
            self.told = joiners.clone().into();
            cx.out.emit(|| LinkEvent::EclipseSuspected { joiners });
        }
    }
}

fn has_a_place_for_a_bridge(config: &PeerConfig, neighbors: &Neighbors) -> bool {
    let bridges = neighbors.len() - neighbors.ordinary();
    (neighbors.len() < config.max_neighbors || bridges < BRIDGES_MAX) && neighbors.len() < LINKS_MAX
}

/// One that came when we were full goes before one that did not.
fn choose_to_give_up<O>(degree: usize, cx: &mut Cx<O>, neighbors: &Neighbors) -> Option<Addr> {
    let dialed = neighbors.iter().rev().filter(|neighbor| neighbor.entry == NeighborOrigin::Dialed);
    let kept: Vec<Addr> = dialed.take(KEPT_DIALED).map(|kept| kept.addr).collect();
    let is_spare =
        |neighbor: &&Neighbor| neighbor.has_degree(degree) && !neighbor.bridge && !kept.contains(&neighbor.addr);
    let spare = || neighbors.iter().filter(is_spare);
    let is_late = spare().any(|neighbor| neighbor.entry == NeighborOrigin::PushedIn);
    let choice: Vec<Addr> = spare()
        .filter(|neighbor| (neighbor.entry == NeighborOrigin::PushedIn) == is_late)
        .map(|neighbor| neighbor.addr)
        .collect();
    cx.chance.next(Topic::Room).pick(&choice)
}
