//! Room for joiners when a peer is full (rule 3).
//!
//! HyParView never refuses a joiner without neighbors: it gives up a neighbor instead (section
//! 4.2). Anybody can claim to have none, so a stranger that joins with many names could take the
//! place of each neighbor, and decide from then on what the peer gets to hear (an eclipse; Heilman
//! et al. 2015). So at most one neighbor is given up per interval, and never one of the two newest
//! links that this peer dialed itself, which no stranger has chosen; further lone joiners are
//! accepted beyond the limit, or referred to peers with room. Links that join two parts of the
//! overlay have places of their own.

use super::Peer;
use super::overlay::{Neighbor, NeighborOrigin};
use crate::proto::addr::Addr;
use crate::proto::config::{JoinPolicy, LINKS_MAX, REFERRAL_LEN};
use crate::proto::event::{LinkEnd, LinkEvent, Side};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, GoodbyeReason, Message, Priority};
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

/// What is remembered about making room.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// When a neighbor was last given up.
    gave_up_at: Option<Time>,
    /// The joiners that were reported as most of the neighbors.
    told: Vec<Addr>,
}

impl Peer {
    /// True if there is room for a newcomer of this priority beside the full number of neighbors,
    /// or has been made.
    pub(super) fn make_room(&mut self, now: Time, priority: Priority, out: &mut impl Output) -> bool {
        if self.config.join_policy == JoinPolicy::Refuse {
            return false;
        }
        match (self.config.dialect, priority) {
            (Dialect::Classic, _) | (Dialect::Framed, Priority::Low) => false,
            (Dialect::Framed, Priority::Bridge) => self.has_a_place_for_a_bridge(),
            (Dialect::Framed, Priority::High) => {
                self.give_up_one_with(HAS_OTHERS, now, out);
                self.ordinary_neighbors() < self.config.max_neighbors + JOINERS_BEYOND_MAX && self.is_below_all_limits()
            }
        }
    }

    /// A link that joins two parts of the overlay is worth one beyond the limit, unless the policy
    /// allows none.
    pub(super) fn may_take_a_bridge(&self) -> bool {
        match self.config.join_policy {
            JoinPolicy::MakeRoom => self.has_a_place_for_a_bridge(),
            JoinPolicy::Refuse => self.overlay.neighbors.len() < self.config.max_neighbors,
        }
    }

    fn has_a_place_for_a_bridge(&self) -> bool {
        let bridges = self.overlay.neighbors.len() - self.ordinary_neighbors();
        let is_full = self.overlay.neighbors.len() >= self.config.max_neighbors;
        (!is_full || bridges < BRIDGES_MAX) && self.is_below_all_limits()
    }

    fn is_below_all_limits(&self) -> bool {
        self.overlay.neighbors.len() < LINKS_MAX
    }

    /// Neighbors, without those that join two parts of the overlay.
    fn ordinary_neighbors(&self) -> usize {
        self.overlay.neighbors.iter().filter(|neighbor| !neighbor.bridge).count()
    }

    /// A peer beyond its limit gives up neighbors that can do without it, one per interval.
    pub(super) fn trim_links(&mut self, now: Time, out: &mut impl Output) {
        if self.framed() && self.ordinary_neighbors() > self.config.max_neighbors {
            self.give_up_one_with(self.config.max_dial + 1, now, out);
        }
    }

    /// Gives up a random neighbor that has at least this many neighbors itself, if that is allowed
    /// now.
    fn give_up_one_with(&mut self, degree_min: usize, now: Time, out: &mut impl Output) {
        if self.room.gave_up_at.is_some_and(|at| now.since(at) < self.config.liveness_interval) {
            return;
        }
        let Some(peer) = self.choose_to_give_up(degree_min) else { return };
        self.room.gave_up_at = Some(now);
        let reason = GoodbyeReason::MadeRoom;
        let referral = self.referral(peer);
        if let Some(neighbor) = self.overlay.get(peer) {
            out.send(neighbor.link(), &Message::Goodbye { reason, referral });
        }
        self.overlay.avoid(peer, now + self.config.liveness_interval);
        self.part(now, peer, LinkEnd::Goodbye { side: Side::Us, reason }, out);
    }

    /// One that came when we were full goes before one that did not.
    fn choose_to_give_up(&mut self, degree_min: usize) -> Option<Addr> {
        let neighbors = &self.overlay.neighbors;
        let kept: Vec<Addr> = neighbors
            .iter()
            .rev()
            .filter(|neighbor| neighbor.entry == NeighborOrigin::Dialed)
            .take(KEPT_DIALED)
            .map(|kept| kept.addr)
            .collect();
        let spare = |neighbor: &&Neighbor| {
            let has_others = neighbor.degree.is_some_and(|degree| usize::from(degree) >= degree_min);
            has_others && !neighbor.bridge && !kept.contains(&neighbor.addr)
        };
        let spare: Vec<&Neighbor> = neighbors.iter().filter(spare).collect();
        let is_late = spare.iter().any(|neighbor| neighbor.entry == NeighborOrigin::PushedIn);
        let choice: Vec<Addr> = spare
            .into_iter()
            .filter(|neighbor| (neighbor.entry == NeighborOrigin::PushedIn) == is_late)
            .map(|neighbor| neighbor.addr)
            .collect();
        choice.get(self.choices.next(Topic::Room).below(choice.len())).copied()
    }

    /// Some of our neighbors, for a node that looks for one; first those that said they have room.
    pub(super) fn referral(&mut self, asker: Addr) -> Vec<Addr> {
        let others = || self.overlay.neighbors.iter().filter(|neighbor| neighbor.addr != asker);
        let has_room = |neighbor: &&Neighbor| {
            neighbor.degree.is_some_and(|degree| usize::from(degree) < self.config.max_neighbors)
        };
        let (with_room, without): (Vec<&Neighbor>, Vec<&Neighbor>) = others().partition(has_room);
        let [with_room, without] = [with_room, without].map(|some| some.iter().map(|one| one.addr).collect::<Vec<_>>());
        let mut random = self.choices.next(Topic::Referral);
        let mut referral = random.sample(&with_room, REFERRAL_LEN);
        let rest = REFERRAL_LEN - referral.len();
        referral.extend(random.sample(&without, rest));
        referral
    }

    /// Reports once each set of joiners that is most of the neighbors. In a network that starts, a
    /// few neighbors are normal.
    pub(super) fn tell_eclipse(&mut self, out: &mut impl Output) {
        let neighbors = &self.overlay.neighbors;
        let joiners: Vec<Addr> = neighbors
            .iter()
            .filter(|neighbor| neighbor.entry == NeighborOrigin::PushedIn)
            .map(|joiner| joiner.addr)
            .collect();
        let is_most = joiners.len() > JOINERS_BEYOND_MAX && joiners.len() * 2 > neighbors.len();
        if !is_most {
            self.room.told.clear();
        } else if joiners != self.room.told {
            self.room.told.clone_from(&joiners);
            out.emit(|| LinkEvent::EclipseSuspected { joiners });
        }
    }
}
