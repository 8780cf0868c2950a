//! Overlay policies: how many neighbors a peer has, and which.

mod assignment;

use self::assignment::Assignment;
use super::neighbors::{NeighborOrigin, Neighbors};
use crate::proto::addr::Addr;
use crate::proto::config::{Overlay, PeerConfig};
use crate::proto::cx::Cx;
use crate::proto::machine::Output;
use crate::proto::message::Priority;

/// Whether a joiner becomes a neighbor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    /// The neighbor that is given up first.
    pub(super) in_place_of: Option<Addr>,
    /// As what it is accepted; `None`: it is refused.
    pub(super) entry: Option<NeighborOrigin>,
}

impl Admission {
    pub(super) const WELCOME: Self = Self { in_place_of: None, entry: Some(NeighborOrigin::Joined) };
    pub(super) const REFUSED: Self = Self { in_place_of: None, entry: None };
}

/// What a policy decides.
pub(super) trait OverlayPolicy {
    /// A joiner asks to become a neighbor.
    fn admit<O>(&mut self, cx: &mut Cx<O>, neighbors: &Neighbors, priority: Priority) -> Admission;
    /// Whether there is room for a link that joins two parts of the overlay.
    fn may_take_a_bridge(&self, config: &PeerConfig, neighbors: &Neighbors) -> bool;
    /// Once per liveness interval: the neighbor that is too many, if it is time to part from one.
    fn surplus<O>(&mut self, cx: &mut Cx<O>, neighbors: &Neighbors) -> Option<Addr>;
    /// Once per liveness interval, after that: reports what looks wrong about the neighbors.
    fn watch(&mut self, cx: &mut Cx<impl Output>, neighbors: &Neighbors);
}

/// The policy in use.
#[derive(Debug)]
pub(super) enum PolicyInUse {
    Assignment(Assignment),
}

impl From<Overlay> for PolicyInUse {
    fn from(overlay: Overlay) -> Self {
        match overlay {
            Overlay::Assignment { make_room } => Self::Assignment(Assignment::new(make_room)),
        }
    }
}

impl OverlayPolicy for PolicyInUse {
    fn admit<O>(&mut self, cx: &mut Cx<O>, neighbors: &Neighbors, priority: Priority) -> Admission {
        match self {
            Self::Assignment(policy) => policy.admit(cx, neighbors, priority),
        }
    }

    fn may_take_a_bridge(&self, config: &PeerConfig, neighbors: &Neighbors) -> bool {
        match self {
            Self::Assignment(policy) => policy.may_take_a_bridge(config, neighbors),
        }
    }

    fn surplus<O>(&mut self, cx: &mut Cx<O>, neighbors: &Neighbors) -> Option<Addr> {
        match self {
            Self::Assignment(policy) => policy.surplus(cx, neighbors),
        }
    }

    fn watch(&mut self, cx: &mut Cx<impl Output>, neighbors: &Neighbors) {
        match self {
            Self::Assignment(policy) => policy.watch(cx, neighbors),
        }
    }
}
