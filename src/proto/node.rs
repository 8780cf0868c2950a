//! Either kind of node.

use super::machine::{Gauge, Input, Machine, Output, Touched};
use super::message::Dialect;
use super::peer::Peer;
use super::seed::Seed;
use super::time::Time;

/// A seed or a peer, for drivers that run both.
#[derive(Debug)]
pub enum Node {
    Seed(Box<Seed>),
    Peer(Box<Peer>),
}

impl From<Seed> for Node {
    fn from(seed: Seed) -> Self {
        Self::Seed(Box::new(seed))
    }
}

impl From<Peer> for Node {
    fn from(peer: Peer) -> Self {
        Self::Peer(Box::new(peer))
    }
}

impl Machine for Node {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        match self {
            Self::Seed(seed) => seed.handle(now, input, out),
            Self::Peer(peer) => peer.handle(now, input, out),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        match self {
            Self::Seed(seed) => seed.next_deadline(),
            Self::Peer(peer) => peer.next_deadline(),
        }
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Seed(seed) => seed.dialect(),
            Self::Peer(peer) => peer.dialect(),
        }
    }

    fn touch(&self, what: Touched<'_>) -> u64 {
        match self {
            Self::Seed(seed) => seed.touch(what),
            Self::Peer(peer) => peer.touch(what),
        }
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        match self {
            Self::Seed(seed) => seed.gauges(tell),
            Self::Peer(peer) => peer.gauges(tell),
        }
    }
}
