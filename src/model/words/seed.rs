//! Events between peers and seeds in words.

use std::fmt::Write as _;

use super::{LogPlace, NameOf, Readers, Severity, Words, count_text};
use crate::event::{DelistReason, SeedEvent};
use crate::proto::addr::Addr;

impl Words for SeedEvent {
    fn readers(&self) -> Readers {
        match self {
            Self::TooFewSeeds { .. } | Self::ListedAlready { .. } => Readers::LOG_FILE.and_user(Severity::Warning),
            Self::EnoughSeeds { .. } => Readers::LOG_FILE.and_user(Severity::Info),
            Self::PeerListReceived { .. } | Self::PeerListSent { .. } | Self::PeerDelisted { .. } => Readers::LOG_FILE,
            // Its link is told.
            Self::PeerListed { .. } => Readers::NOBODY,
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::TooFewSeeds { registered: 0, known, .. } => format!("No seed reachable (of {known}); still trying"),
            Self::TooFewSeeds { registered, wanted, known } => {
                format!("Registered with {registered} of {known} seeds, wants {wanted}; still trying")
            }
            Self::ListedAlready { seed } => format!(
                "{} lists this address already: a Python neighbor of the node that was here keeps its old socket, takes \
                 this one for dead and later dies of it; start it at another port",
                name(*seed)
            ),
            Self::EnoughSeeds { registered } => {
                format!("Registered with {}, which is enough", count_text(*registered as u64, "seed"))
            }
            Self::PeerListReceived { seed, peers, listed } => {
                format!("List of {} from {}", peers_text(peers, *listed), name(*seed))
            }
            Self::PeerListSent { peer, peers, listed } => {
                let to = peer.map_or_else(|| "a newcomer".to_owned(), name);
                format!("List of {} sent to {to}", peers_text(peers, *listed))
            }
            Self::PeerListed { peer, again: false } => format!("{} is on the list", name(*peer)),
            Self::PeerListed { peer, again: true } => format!("{} registered again", name(*peer)),
            Self::PeerDelisted { peer, reason, .. } => {
                format!("{} is off the list: {}", name(*peer), delisted(*reason, name))
            }
        }
    }

    fn python_line(&self, _place: LogPlace) -> Option<String> {
        let (Self::PeerListReceived { peers, .. } | Self::PeerListSent { peers, .. }) = self else { return None };
        Some(list_line(peers))
    }
}

/// Why a node is off a seed's list.
pub fn delisted(reason: DelistReason, name: NameOf<'_>) -> String {
    match reason {
        DelistReason::Reported { reporter, .. } => format!("{} reported it dead", name(reporter)),
        DelistReason::Unanswered { reporter, .. } => {
            format!("{} reported it dead, and it did not answer", name(reporter))
        }
        DelistReason::Silent => "it was silent and did not answer".to_owned(),
        DelistReason::Departed => "its registration closed and no new one came".to_owned(),
        DelistReason::Left => "it said goodbye".to_owned(),
    }
}

/// `64 of 1000 peers`, or `12 peers` if these are all.
fn peers_text(peers: &[Addr], listed: Option<u32>) -> String {
    let (named, listed) = (peers.len() as u64, listed.map(u64::from));
    match listed.filter(|listed| *listed > named) {
        Some(listed) => format!("{named} of {}", count_text(listed, "peer")),
        None => count_text(named, "peer"),
    }
}

fn list_line(peers: &[Addr]) -> String {
    let mut line = "List of Peers : [".to_owned();
    for (place, peer) in peers.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        let _ = write!(line, "{comma}{}", peer.python());
    }
    line.push(']');
    line
}
