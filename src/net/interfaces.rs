//! The addresses of this machine by which others may know it.

use std::net::{IpAddr, Ipv4Addr};

use if_addrs::{IfOperStatus, Interface, get_if_addrs};

use crate::engine::SiteError;
use crate::proto::addr::Addr;

/// IPv4 addresses of interfaces that are up, without loopback and self-assigned ones, in order.
/// Empty if the system does not tell.
pub(super) fn addresses() -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = get_if_addrs().unwrap_or_default().iter().filter_map(usable).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn usable(interface: &Interface) -> Option<Ipv4Addr> {
    let up = matches!(interface.oper_status, IfOperStatus::Up | IfOperStatus::Unknown);
    match interface.ip() {
        IpAddr::V4(ip) if up && !ip.is_loopback() && !ip.is_link_local() => Some(ip),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// The name of a node that listens on all interfaces at this port: the address that the user chose,
/// or the only one that there is. A node's address is its name, so others must be able to dial it.
pub fn name_everywhere(port: u16, chosen: Option<Ipv4Addr>) -> Result<Addr, SiteError> {
    match chosen {
        Some(ip) => Ok(Addr::new(ip, port)),
        None => only_one(port, &addresses()),
    }
}

fn only_one(port: u16, found: &[Ipv4Addr]) -> Result<Addr, SiteError> {
    match found {
        [ip] => Ok(Addr::new(*ip, port)),
        [] => Err(SiteError::NoInterface { port }),
        [_, _, ..] => Err(SiteError::WhichInterface { port, found: found.to_vec() }),
    }
}

/// What listening on `bind` opens to other machines: nothing on loopback. If the system does not
/// tell its addresses, the node's name stands for them.
pub(super) fn opened(bind: Addr, name: Addr) -> Vec<Addr> {
    let ip = bind.ip();
    if ip.is_loopback() {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![bind];
    }
    let found: Vec<Addr> = addresses().into_iter().map(|ip| Addr::new(ip, bind.port())).collect();
    if found.is_empty() { vec![name] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_on_all_interfaces_is_named_by_its_only_address() {
        let (one, other) = (Ipv4Addr::new(192, 168, 1, 5), Ipv4Addr::new(10, 0, 0, 3));
        assert_eq!(only_one(3000, &[one]).unwrap(), Addr::new(one, 3000));
        let error = only_one(3000, &[other, one]).unwrap_err().to_string();
        assert!(error.contains("10.0.0.3, 192.168.1.5") && error.contains("--advertise 10.0.0.3"), "{error}");
        let error = only_one(3000, &[]).unwrap_err().to_string();
        assert!(error.contains("--advertise") && error.contains("127.0.0.1:3000"), "{error}");
        assert_eq!(name_everywhere(3000, Some(other)).unwrap(), Addr::new(other, 3000));
    }

    #[test]
    fn loopback_opens_nothing_and_every_other_address_itself() {
        assert_eq!(opened(Addr::loopback(3000), Addr::loopback(3000)), []);
        let own = Addr::new([192, 168, 1, 5].into(), 3000);
        assert_eq!(opened(own, own), [own]);
        let everywhere = opened(Addr::new(Ipv4Addr::UNSPECIFIED, 3000), own);
        assert!(everywhere.iter().all(|addr| addr.port() == 3000) && !everywhere.is_empty());
    }
}
