//! Where nodes listen on this machine.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpSocket};

use super::{bind, files, interfaces};
use crate::command::{NodeSpec, Placement};
use crate::engine::{Demand, Exposure, NodeTable, Place, SiteContext, SiteError, Sites};
use crate::event::NodeState;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// Where a node will listen.
pub(super) struct SocketSite {
    /// Its address, or all interfaces.
    pub(super) bind: Addr,
    /// `None`: the node hangs and still listens there, so a new listener must wait until it has
    /// been crashed.
    pub(super) listener: Option<TcpListener>,
}

/// The ports and descriptors of this process.
pub(super) struct SocketSites<'a> {
    /// The limit of descriptors; `None`: no limit.
    pub(super) files_max: Option<u64>,
    /// Where a node listened in its former life, and the socket that reserves the address of a
    /// killed node.
    pub(super) take_former: &'a mut dyn FnMut(Addr) -> Option<(Addr, Option<TcpSocket>)>,
}

impl Sites for SocketSites<'_> {
    type Site = SocketSite;

    fn check_room(&self, demand: &Demand<'_>) -> Result<(), SiteError> {
        files::check(self.files_max, demand)
    }

    fn reserve(&mut self, spec: &NodeSpec, context: &SiteContext<'_>) -> Result<Place<SocketSite>, SiteError> {
        let is_free = |addr: &Addr| context.nodes.get(*addr).is_none();
        match (spec.listen, spec.role) {
            (Placement::At(addr), _) if addr.ip().is_unspecified() => {
                named(interfaces::name_everywhere(addr.port(), None)?, addr)
            }
            (Placement::At(addr), _) => named(addr, addr),
            (Placement::Everywhere(addr), _) => named(addr, Addr::new(Ipv4Addr::UNSPECIFIED, addr.port())),
            (Placement::Auto, _) if context.has_lab => anywhere(),
            (Placement::Auto, Role::Seed) => {
                let free = bind::first_of(context.seed_list.iter().copied().filter(is_free));
                free.map(own).ok_or_else(|| SiteError::NoSeedAddress(context.seed_list.to_vec()))
            }
            (Placement::Auto, Role::Peer) => {
                let first = Addr::loopback(Placement::FIRST_PEER_PORT);
                let free = bind::first_of(bind::ports_from(first).filter(is_free));
                free.map(own).ok_or(SiteError::NoFreePort(first))
            }
        }
    }

    fn reserve_lab(
        &mut self,
        seeds: usize,
        peers: usize,
        _nodes: &NodeTable,
    ) -> Result<Vec<Place<SocketSite>>, SiteError> {
        (0..seeds + peers).map(|_| anywhere()).collect()
    }

    fn reserve_again(&mut self, node: Addr, nodes: &NodeTable) -> Result<Place<SocketSite>, SiteError> {
        let (bind, reserved) = (self.take_former)(node).unwrap_or((node, None));
        let hangs = nodes.get(node).is_some_and(|entry| entry.state == NodeState::Hangs);
        let listener = if hangs { None } else { Some(bind::listen_again(reserved, bind)?.0) };
        Ok(place(node, SocketSite { bind, listener }))
    }
}

/// Any free port of loopback.
fn anywhere() -> Result<Place<SocketSite>, SiteError> {
    bind::listen(Addr::loopback(0)).map(own)
}

/// A node whose name is the address on which it listens.
fn own((listener, addr): (TcpListener, Addr)) -> Place<SocketSite> {
    place(addr, SocketSite { bind: addr, listener: Some(listener) })
}

/// A node that others know by this address.
fn named(addr: Addr, bind: Addr) -> Result<Place<SocketSite>, SiteError> {
    let (listener, bound) = bind::listen(bind)?;
    // Port 0 is any port; an advertised address stays the node's name.
    Ok(place(addr.with_port(bound.port()), SocketSite { bind: bound, listener: Some(listener) }))
}

fn place(addr: Addr, site: SocketSite) -> Place<SocketSite> {
    let opened = interfaces::opened(site.bind, addr);
    let exposure = (!opened.is_empty()).then_some(Exposure { bind: site.bind, opened });
    Place { addr, exposure, site }
}
