//! Who may link to a node from elsewhere, and which addresses named by others it dials.
//!
//! A node that listens on loopback belongs to this machine: nobody else can connect to it, and a
//! stranger's list must not make it connect to anybody else, or every such list could point our
//! nodes at some victim. A node that listens where others can reach it is for others; loopback
//! addresses mean another machine there. `--allow` narrows both, or opens the first.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::addr::Addr;

/// The networks that a node deals with, as far as its user said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reach {
    allow: Vec<Ipv4Net>,
}

impl Reach {
    /// These networks; none: no limit.
    pub fn new(allow: impl IntoIterator<Item = Ipv4Net>) -> Self {
        Self { allow: allow.into_iter().collect() }
    }

    pub fn allowed(&self) -> &[Ipv4Net] {
        &self.allow
    }

    fn names(&self, ip: Ipv4Addr) -> bool {
        self.allow.iter().any(|network| network.contains(&ip))
    }

    /// Whether the node `own` may accept a connection from there. Always, if it comes from this machine.
    pub fn admits(&self, own: Addr, from: Ipv4Addr) -> bool {
        self.allow.is_empty() || is_here(own, from) || self.names(from)
    }

    /// Whether the node `own` may dial an address that others named.
    pub fn may_dial(&self, own: Addr, other: Addr) -> bool {
        let (own_ip, ip) = (own.ip(), other.ip());
        match (own_ip.is_loopback(), ip.is_loopback()) {
            (true, true) => true,
            (true, false) | (false, true) => self.names(ip),
            (false, false) => self.allow.is_empty() || ip == own_ip || self.names(ip),
        }
    }

    /// Whether a node that connects from there can listen at `named`. Not on our loopback, unless it is here.
    pub fn can_be_named(&self, own: Addr, from: Ipv4Addr, named: Addr) -> bool {
        !named.ip().is_loopback() || is_here(own, from)
    }
}

/// Whether this is an address of this machine, as far as the node `own` knows. None of them can be forged on a
/// TCP connection from elsewhere.
pub(super) fn is_here(own: Addr, ip: Ipv4Addr) -> bool {
    ip.is_loopback() || ip == own.ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allow: &[&str]) -> Reach {
        Reach::new(allow.iter().map(|network| network.parse().unwrap()))
    }

    fn addr(text: &str) -> Addr {
        text.parse().unwrap()
    }

    #[test]
    fn a_node_on_loopback_dials_nobody_elsewhere_unless_allowed() {
        let own = Addr::loopback(3000);
        let elsewhere = ["192.168.1.7:3000", "8.8.8.8:53"].map(addr);
        assert!(reach(&[]).may_dial(own, addr("127.0.0.9:4000")));
        assert!(elsewhere.iter().all(|other| !reach(&[]).may_dial(own, *other)));
        assert_eq!(elsewhere.map(|other| reach(&["192.168.1.0/24"]).may_dial(own, other)), [true, false]);
    }

    #[test]
    fn an_exposed_node_is_sent_neither_to_loopback_nor_out_of_reach() {
        let own = addr("192.168.1.5:3000");
        assert!(!reach(&[]).may_dial(own, Addr::loopback(22)));
        assert!(reach(&[]).may_dial(own, addr("8.8.8.8:53")));
        let limited = reach(&["192.168.1.0/29"]);
        assert!(limited.may_dial(own, addr("192.168.1.6:1")) && !limited.may_dial(own, addr("192.168.1.8:1")));
        assert!(reach(&["10.0.0.0/8"]).may_dial(own, addr("192.168.1.5:3001")), "on this machine");
    }

    #[test]
    fn only_allowed_machines_are_admitted_and_this_one_always() {
        let own = addr("192.168.1.5:3000");
        let admitted = |allow: &[&str], from: [u8; 4]| reach(allow).admits(own, from.into());
        assert!(admitted(&[], [8, 8, 8, 8]));
        assert!(admitted(&["10.0.0.7/32"], [10, 0, 0, 7]) && !admitted(&["10.0.0.7/32"], [10, 0, 0, 8]));
        assert!(admitted(&["10.0.0.7/32"], [127, 0, 0, 1]) && admitted(&["10.0.0.7/32"], [192, 168, 1, 5]));
    }
}
