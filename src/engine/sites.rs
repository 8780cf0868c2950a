//! The question that comes before a decision: where can a node run?

use super::{NodeTable, SiteError};
use crate::command::{NodeSpec, Placement};
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::message::Role;

/// Gives nodes their places. Nothing runs there before the command is decided.
pub trait Sites {
    /// Where a node runs, such as a listener; nothing in virtual time.
    type Site;

    /// Whether there is room for this many nodes: too few file descriptors are an error that says
    /// how many fit.
    fn check_room(&self, demand: &Demand<'_>) -> Result<(), SiteError>;
    /// A place for a new node.
    fn reserve(&mut self, spec: &NodeSpec, context: &SiteContext<'_>) -> Result<Place<Self::Site>, SiteError>;
    /// Places for the nodes of a lab, seeds first.
    fn reserve_lab(
        &mut self,
        seeds: usize,
        peers: usize,
        nodes: &NodeTable,
    ) -> Result<Vec<Place<Self::Site>>, SiteError>;
    /// The place that this node had in its former life. A hung node still holds it, and is crashed
    /// first.
    fn reserve_again(&mut self, node: Addr, nodes: &NodeTable) -> Result<Place<Self::Site>, SiteError>;
}

/// A place for a node.
#[derive(Debug)]
pub struct Place<S> {
    /// The node's name for others.
    pub addr: Addr,
    pub exposure: Option<Exposure>,
    pub site: S,
}

/// What a node opens to other machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// Where it listens.
    pub bind: Addr,
    /// Addresses by which others reach it.
    pub opened: Vec<Addr>,
}

/// What a new node's place depends on.
#[derive(Debug, Clone, Copy)]
pub struct SiteContext<'a> {
    /// The existing nodes; their addresses are taken.
    pub nodes: &'a NodeTable,
    /// There is a lab, whose nodes take any free port.
    pub has_lab: bool,
    /// Addresses on which a seed without one of its own may listen.
    pub seed_list: &'a [Addr],
}

/// How many nodes there will be.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Nodes that are asked for now.
    pub new: usize,
    /// Seeds in all.
    pub seeds: usize,
    /// Peers in all.
    pub peers: usize,
    /// Seeds that each peer registers with.
    pub registrations: usize,
    /// The peers' settings.
    pub config: &'a PeerConfig,
}

/// Places without interfaces, used ports or descriptors: seeds from 127.0.0.1:5001 on, peers from
/// 127.0.0.1:3000 on. For virtual time, and for a rehearsal.
#[derive(Debug, Clone, Copy, Default)]
pub struct VirtualSites;

impl Sites for VirtualSites {
    type Site = ();

    fn check_room(&self, _demand: &Demand<'_>) -> Result<(), SiteError> {
        Ok(())
    }

    fn reserve(&mut self, spec: &NodeSpec, context: &SiteContext<'_>) -> Result<Place<()>, SiteError> {
        let addr = match spec.listen {
            Placement::At(addr) | Placement::Everywhere(addr) if addr.ip().is_unspecified() => {
                Some(Addr::loopback(addr.port()))
            }
            Placement::At(addr) | Placement::Everywhere(addr) => Some(addr),
            Placement::Auto => context.nodes.free_addrs(spec.role).next(),
        };
        addr.map(virtual_place).ok_or(SiteError::NoFreePort(Addr::loopback(Placement::FIRST_PEER_PORT)))
    }

    fn reserve_lab(&mut self, seeds: usize, peers: usize, nodes: &NodeTable) -> Result<Vec<Place<()>>, SiteError> {
        let seeds = nodes.free_addrs(Role::Seed).take(seeds);
        Ok(seeds.chain(nodes.free_addrs(Role::Peer).take(peers)).map(virtual_place).collect())
    }

    fn reserve_again(&mut self, node: Addr, _nodes: &NodeTable) -> Result<Place<()>, SiteError> {
        Ok(virtual_place(node))
    }
}

const fn virtual_place(addr: Addr) -> Place<()> {
    Place { addr, exposure: None, site: () }
}
