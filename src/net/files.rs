//! How many file descriptors there are, and how many nodes take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::failure::StartError;
use crate::proto::config::PeerConfig;

/// Descriptors that are not the nodes': terminal, runtime, journal, export, libraries.
const RESERVED: u64 = 64;
/// Descriptors that every node has: its listener and its log file.
const PER_NODE: u64 = 2;

/// Lets this process have as many descriptors as the system allows it, and tells how many that is;
/// `None`: no limit.
pub(super) fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // Some systems refuse to go as high as they say; then what was there stays.
        Err(_) => limit.current,
    }
}

/// Descriptors of so many peers with all their links to each other and to their seeds: in one
/// process both ends of a link count, and a peer that reaches its limit has so many ends.
fn of_peers(peers: usize, config: &PeerConfig, registrations: usize) -> u64 {
    let ends = config.max_neighbors.max(config.max_dial) + 2 * registrations;
    (peers as u64).saturating_mul(PER_NODE + ends as u64)
}

/// Refuses more nodes than there are descriptors for.
pub(super) fn check(limit: Option<u64>, demand: &Demand<'_>) -> Result<(), StartError> {
    let need = RESERVED + demand.seeds as u64 * PER_NODE + of_peers(demand.peers, demand.config, demand.registrations);
    match limit {
        Some(limit) if need > limit => Err(StartError::TooManyFiles { nodes: demand.new, need, limit }),
        Some(_) | None => Ok(()),
    }
}

/// What there will be.
pub(super) struct Demand<'a> {
    /// Nodes that are asked for now.
    pub(super) new: usize,
    /// Seeds in all.
    pub(super) seeds: usize,
    /// Peers in all.
    pub(super) peers: usize,
    /// Seeds that each peer registers with.
    pub(super) registrations: usize,
    /// What the peers are like.
    pub(super) config: &'a PeerConfig,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;

    #[test]
    fn a_lab_that_cannot_fit_says_by_how_much() {
        let config = PeerConfig::new(Addr::loopback(0), Vec::new());
        let demand = |peers| Demand { new: peers + 2, seeds: 2, peers, registrations: 2, config: &config };
        assert!(check(Some(4_096), &demand(200)).is_ok());
        assert!(check(None, &demand(100_000)).is_ok());
        let error = check(Some(4_096), &demand(300)).unwrap_err().to_string();
        assert!(error.contains("302 more nodes") && error.contains("4268") && error.contains("172 more"), "{error}");
    }
}
