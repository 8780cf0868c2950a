//! What runs in this process, in a few words: in the console's header, in the terminal's title, and
//! in the list of recorded sessions.

use super::Model;
use super::node::NodeRecord;
use super::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// What runs, or ran, in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionIdentity {
    Lab {
        seeds: usize,
        peers: usize,
    },
    /// A seed or a peer.
    Node {
        role: Role,
        addr: Addr,
        /// Nodes that were added to it.
        more: usize,
    },
}

impl SessionIdentity {
    /// `lab of 2 seeds, 8 peers`, `peer 127.0.0.1:3000`.
    pub fn text(self) -> String {
        match self {
            Self::Lab { seeds, peers } => {
                format!("lab of {}, {}", count_text(seeds as u64, "seed"), count_text(peers as u64, "peer"))
            }
            Self::Node { role, addr, more: 0 } => format!("{role} {addr}"),
            Self::Node { role, addr, more } => format!("{role} {addr} and {more} more"),
        }
    }
}

impl Model {
    /// What runs here; `None` until something does.
    pub fn identity(&self) -> Option<SessionIdentity> {
        let mut ours = self.nodes.iter().filter(|node| node.is_ours());
        let first = ours.next()?;
        let (more, role) = (ours.count(), first.role?);
        // A lab of one node is no lab, whatever an earlier version called the node.
        let is_numbered = first.name.as_deref().is_some_and(|name| name != first.addr.name());
        if more == 0 || !is_numbered {
            return Some(SessionIdentity::Node { role, addr: first.addr, more });
        }
        let is_seed = |node: &&NodeRecord| node.is_ours() && node.role == Some(Role::Seed);
        let seeds = self.nodes.iter().filter(is_seed).count();
        Some(SessionIdentity::Lab { seeds, peers: 1 + more - seeds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventKind, Methods, NodeEvent, Pace};
    use crate::proto::message::Dialect;
    use crate::proto::time::Time;

    fn identity_of(started: &[(u16, &str, Role)]) -> Option<String> {
        let mut model = Model::new();
        let pace = Pace { gossip_interval_us: 1, liveness_interval_us: 1, liveness_misses: 3 };
        for (port, name, role) in started {
            let (name, role, dialect) = ((*name).to_owned(), *role, Dialect::Framed);
            let kind = EventKind::Node(NodeEvent::Started { name, role, dialect, pace, methods: Methods::default() });
            model.apply(&Event { at: Time::from_micros(1), node: Addr::loopback(*port), kind });
        }
        model.identity().map(SessionIdentity::text)
    }

    #[test]
    fn a_session_is_its_lab_or_its_first_node() {
        let (seed, peer) = ((5001, "s1", Role::Seed), (3000, "p1", Role::Peer));
        assert_eq!(identity_of(&[]), None);
        assert_eq!(identity_of(&[seed, peer, (3001, "p2", Role::Peer)]).unwrap(), "lab of 1 seed, 2 peers");
        assert_eq!(identity_of(&[(3000, ":3000", Role::Peer)]).unwrap(), "peer 127.0.0.1:3000");
        assert_eq!(identity_of(&[peer]).unwrap(), "peer 127.0.0.1:3000", "as earlier versions recorded it");
        let more = [(5001, ":5001", Role::Seed), (3000, ":3000", Role::Peer), (3001, ":3001", Role::Peer)];
        assert_eq!(identity_of(&more).unwrap(), "seed 127.0.0.1:5001 and 2 more");
    }
}
