//! Events between peers and seeds.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{DelistReason, EventSubject, Verification};
use crate::proto::addr::Addr;

/// Something between a peer and a seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum SeedEvent {
    /// Peer: fewer seeds are reachable than it needs.
    TooFewSeeds {
        /// Registrations that are up.
        registered: usize,
        /// floor(n/2)+1.
        wanted: usize,
        /// n.
        known: usize,
    },
    /// Peer: enough seeds, after there had been too few.
    EnoughSeeds {
        /// Registrations that are up.
        registered: usize,
    },
    /// Peer, classic: it starts, and a seed lists its address already, so there was a node before.
    ListedAlready { seed: Addr },
    /// Peer: a seed sent some of its list.
    PeerListReceived {
        seed: Addr,
        /// What it sent; of a longer list, the first addresses.
        peers: Vec<Addr>,
        /// How many are on the list; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<u32>,
    },
    /// Seed: some of the list went out.
    PeerListSent {
        /// Unknown in the classic dialect, where the list comes before the name.
        peer: Option<Addr>,
        /// What was sent.
        peers: Vec<Addr>,
        /// How many are on the list; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<u32>,
    },
    /// Seed: a peer is on the list.
    PeerListed {
        peer: Addr,
        /// It had been on the list already.
        again: bool,
    },
    /// Seed: a peer is off the list.
    PeerDelisted {
        peer: Addr,
        #[serde(flatten)]
        reason: DelistReason,
        /// If it did not answer; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification: Option<Verification>,
    },
}

impl SeedEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::PeerListSent { peer, .. } => EventSubject::peer(*peer),
            Self::ListedAlready { seed: peer }
            | Self::PeerListReceived { seed: peer, .. }
            | Self::PeerListed { peer, .. }
            | Self::PeerDelisted { peer, .. } => EventSubject::peer(*peer),
            Self::TooFewSeeds { .. } | Self::EnoughSeeds { .. } => EventSubject::default(),
        }
    }

    pub(super) fn heap_len(&self) -> usize {
        match self {
            Self::PeerListReceived { peers, .. } | Self::PeerListSent { peers, .. } => size_of_val(peers.as_slice()),
            Self::TooFewSeeds { .. }
            | Self::EnoughSeeds { .. }
            | Self::ListedAlready { .. }
            | Self::PeerListed { .. }
            | Self::PeerDelisted { .. } => 0,
        }
    }
}
