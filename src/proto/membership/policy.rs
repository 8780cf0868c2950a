//! Overlay policies: how many neighbors a peer has, and which.

mod assignment;

use self::assignment::Assignment;
use super::neighbors::NeighborOrigin;
use crate::proto::addr::Addr;
use crate::proto::config::Overlay;

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

/// The policy in use. All have the same methods, as [`Assignment`] tells them.
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

/// Calls the policy in use.
macro_rules! policy {
    ($membership:expr, $policy:ident => $call:expr) => {
        match &mut $membership.policy {
            PolicyInUse::Assignment($policy) => $call,
        }
    };
}
pub(super) use policy;
