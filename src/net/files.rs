//! How many file descriptors there are, and how many nodes need.

use crate::engine::{Demand, SiteError};

/// Descriptors for everything but nodes: terminal, runtime, journal, export, libraries.
const RESERVED: u64 = 64;
/// Descriptors of every node: its listener and its log file.
const PER_NODE: u64 = 2;

/// Links of a peer that come and go while it joins: it dials nodes without room, and others dial it
/// meanwhile. Measured in labs of 50 to 100 peers: at most two for each.
const JOINING: usize = 2;

/// Descriptors of one peer with all its links to other peers and to its seeds: in one process both
/// ends of a link count, and a peer at its limit has that many ends.
fn of_a_peer(demand: &Demand<'_>) -> u64 {
    let config = demand.config;
    let ends = config.max_neighbors.max(config.max_dial + JOINING) + 2 * demand.registrations;
    PER_NODE + ends as u64
}

/// Refuses more nodes than there are descriptors for.
pub(super) fn check(limit: Option<u64>, demand: &Demand<'_>) -> Result<(), SiteError> {
    let (fixed, each) = (RESERVED + demand.seeds as u64 * PER_NODE, of_a_peer(demand));
    let need = fixed.saturating_add(each.saturating_mul(demand.peers as u64));
    match limit {
        Some(limit) if need > limit => {
            let peers_max = limit.saturating_sub(fixed) / each;
            Err(SiteError::TooManyFiles { nodes: demand.new, need, limit, peers_max })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;
    use crate::proto::config::PeerConfig;

    #[test]
    fn a_lab_that_cannot_fit_says_by_how_much() {
        let config = PeerConfig::new(Addr::loopback(0), Vec::new());
        let demand = |peers| Demand { new: peers + 2, seeds: 2, peers, registrations: 2, config: &config };
        assert!(check(Some(4_096), &demand(200)).is_ok());
        assert!(check(None, &demand(100_000)).is_ok());
        let error = check(Some(4_096), &demand(300)).unwrap_err().to_string();
        assert_eq!(
            error,
            "302 more nodes need about 4268 file descriptors in all, and this process may have 4096: 172 too few; start \
             fewer (287 peers fit), or raise the limit with 'ulimit -n 4268'"
        );
    }

    #[test]
    fn as_many_peers_as_are_said_to_fit_do_fit() {
        let config = PeerConfig::new(Addr::loopback(0), Vec::new());
        for limit in [100, 1_024, 4_096, 20_000] {
            let demand = |peers| Demand { new: peers + 2, seeds: 2, peers, registrations: 2, config: &config };
            let Err(SiteError::TooManyFiles { peers_max, .. }) = check(Some(limit), &demand(100_000)) else {
                panic!("100,000 peers fit into {limit}")
            };
            let peers_max = usize::try_from(peers_max).unwrap();
            assert!(
                check(Some(limit), &demand(peers_max)).is_ok() && check(Some(limit), &demand(peers_max + 1)).is_err()
            );
        }
    }
}
