//! The one table of the largest values that a user can ask for: on the command line, in the
//! console, in a scenario, on sockets and in virtual time. Lengths of texts are the dialects' own:
//! [`BODY_LEN_MAX`], and what the classic one takes.

use std::time::Duration;

pub use crate::proto::config::BODY_LEN_MAX;

/// The most nodes that one process can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkLimits {
    pub seeds: usize,
    pub peers: usize,
}

impl NetworkLimits {
    /// On sockets, where every peer takes descriptors and a share of one machine's processors. If
    /// file descriptors do not suffice, the refusal says how many nodes fit.
    pub const SOCKETS: Self = Self { seeds: SEEDS_MAX, peers: 1_000 };
    /// In virtual time, where memory is the limit.
    pub const VIRTUAL: Self = Self { seeds: SEEDS_MAX, peers: 1_000_000 };
}

/// Seeds of a network in this process. More would only make every peer register longer.
pub const SEEDS_MAX: usize = 64;
/// Peers of a network in this process, wherever it runs.
pub const PEERS_MAX: usize = NetworkLimits::VIRTUAL.peers;
/// The longest delay, or clock error: a longer one would show nothing more.
pub const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// Messages or connections a second: more than a node can handle.
pub const RATE_MAX: u32 = 100_000;
