//! Addresses as people write them, in `config.txt` and on the command line: `ip:port` or
//! `name:port`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6, ToSocketAddrs as _};

use crate::proto::addr::{Addr, AddrError};
use crate::proto::text::Escaped;

/// The longest host name in bytes, by the domain name system (RFC 1035).
pub(super) const NAME_LEN_MAX: usize = 253;
/// Characters that are shown of something that cannot be read.
const SHOWN_LEN_MAX: usize = 60;

/// Finds the addresses of a host name.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> io::Result<Vec<IpAddr>>;

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// Neither `ip:port` nor `name:port`: its text. Each place where addresses are written says
    /// what it takes.
    #[error("'{0}' is not an address: expected ip:port or name:port, such as 127.0.0.1:5001")]
    Malformed(String),
    /// Anything else, in a sentence.
    #[error("{0}")]
    Wrong(String),
}

/// An address as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenAddress {
    /// `ip:port`. The caller decides whether it must be dialable: a node may listen on 0.0.0.0.
    Addr(Addr),
    /// `name:port`, not yet looked up. The port is not 0.
    Name { name: String, port: u16 },
}

impl WrittenAddress {
    /// Parses it without a lookup.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        if is_ipv6(text) {
            return Err(wrong(AddrError::Ipv6(shown(text.as_bytes()))));
        }
        let malformed = || AddressError::Malformed(shown(text.as_bytes()));
        let (host, port) = text.split_once(':').ok_or_else(malformed)?;
        if host.is_empty() || port.contains(':') || !host.bytes().all(is_of_a_name) {
            return Err(malformed());
        }
        let port = port_of(port)?;
        if let Ok(ip) = host.parse() {
            return Ok(Self::Addr(Addr::new(ip, port)));
        }
        name_of(host, port)
    }
}

/// Brackets, or two colons, mean IPv6, with or without a port.
fn is_ipv6(text: &str) -> bool {
    let host = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(host, _)| host);
    let is_bare = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    is_bare(text) || host.is_some_and(is_bare) || text.parse::<SocketAddrV6>().is_ok()
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

fn port_of(text: &str) -> Result<u16, AddressError> {
    let port = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let text = || shown(text.as_bytes());
    port.ok_or_else(|| wrong(format_args!("'{}' is not a port: expected a number from 1 to 65535", text())))
}

fn name_of(host: &str, port: u16) -> Result<WrittenAddress, AddressError> {
    // A name that ends in a number is meant as an address, and the system's resolver would turn
    // `10.7` into 10.0.0.7.
    let last = host.rsplit('.').find(|label| !label.is_empty()).unwrap_or_default();
    let (shown, len) = (shown(host.as_bytes()), host.len());
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        let expected = "expected four numbers from 0 to 255, such as 127.0.0.1";
        return Err(wrong(format_args!("'{shown}' is not an IPv4 address: {expected}")));
    }
    match port {
        _ if len > NAME_LEN_MAX => {
            Err(wrong(format_args!("the host name '{shown}' has {len} bytes: expected at most {NAME_LEN_MAX}")))
        }
        0 => Err(undialable(&format!("{shown}:0"), PORT_ZERO)),
        port => Ok(WrittenAddress::Name { name: host.to_owned(), port }),
    }
}

/// The address, if other nodes can dial it.
pub(crate) fn dialable(addr: Addr) -> Result<Addr, AddressError> {
    dialable_as(addr, &addr.to_string())
}

fn dialable_as(addr: Addr, given: &str) -> Result<Addr, AddressError> {
    let ip = addr.ip();
    let why = match addr.is_dialable() {
        true => return Ok(addr),
        false if addr.port() == 0 => PORT_ZERO,
        false if ip.is_unspecified() => "0.0.0.0 stands for all interfaces of a machine",
        false if ip.is_multicast() => "it is a multicast address, which is no node's",
        false => "it is the broadcast address, which is no node's",
    };
    Err(undialable(given, why))
}

const PORT_ZERO: &str = "port 0 stands for any free port";

fn undialable(given: &str, why: &str) -> AddressError {
    let expected = "expected an address that other nodes can reach, such as 127.0.0.1:5001";
    wrong(format_args!("{given} cannot be dialed: {why}; {expected}"))
}

fn wrong(sentence: impl std::fmt::Display) -> AddressError {
    AddressError::Wrong(sentence.to_string())
}

/// The first IPv4 address of the name.
pub(crate) fn look_up(name: &str, lookup: Lookup<'_>) -> Result<Ipv4Addr, AddressError> {
    let shown = shown(name.as_bytes());
    let not_found = |error: &dyn std::fmt::Display| {
        let expected = "expected one that this machine knows, or ip:port";
        wrong(format_args!("the host name '{shown}' cannot be looked up: {error}; {expected}"))
    };
    let mut other = None;
    for ip in lookup(name).map_err(|error| not_found(&error))? {
        match ip {
            IpAddr::V4(ip) => return Ok(ip),
            IpAddr::V6(ip) => other = other.or(Some(ip)),
        }
    }
    Err(other.map_or_else(
        || not_found(&"it has no address"),
        |found| {
            wrong(format_args!(
                "the host name '{shown}' has only IPv6 addresses, such as {found}: names here are IPv4; give ip:port instead"
            ))
        },
    ))
}

/// The address of a name that was looked up, if it can be dialed.
pub(crate) fn named(name: &str, ip: Ipv4Addr, port: u16) -> Result<Addr, AddressError> {
    let addr = Addr::new(ip, port);
    dialable_as(addr, &format!("{}, which is {addr},", shown(name.as_bytes())))
}

/// Asks the system. `localhost` is always this machine (RFC 6761), with or without a network.
pub(crate) fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    if name.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }
    // The port does not matter to the name.
    Ok((name, 0).to_socket_addrs()?.map(|found| found.ip()).collect())
}

/// What a user wrote, escaped and short.
pub(super) fn shown(text: &[u8]) -> String {
    let shown = Escaped(text).to_string();
    match shown.char_indices().nth(SHOWN_LEN_MAX) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match WrittenAddress::parse(text) {
            Ok(WrittenAddress::Addr(addr)) => dialable(addr).unwrap_err().to_string(),
            Ok(name @ WrittenAddress::Name { .. }) => panic!("{name:?}"),
            Err(error) => error.to_string(),
        }
    }

    fn found(answer: &[&str]) -> Result<Ipv4Addr, String> {
        let answer = || answer.iter().map(|ip| ip.parse().unwrap()).collect();
        look_up("node.example", &|_| Ok(answer())).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_and_a_name_are_read_with_their_port() {
        assert_eq!(WrittenAddress::parse("10.0.0.7:80"), Ok(WrittenAddress::Addr("10.0.0.7:80".parse().unwrap())));
        for name in ["localhost", "node-1.example.org", "my_host", "3com.example", "x.org."] {
            let written = WrittenAddress::Name { name: name.to_owned(), port: 5001 };
            assert_eq!(WrittenAddress::parse(&format!("{name}:5001")), Ok(written));
        }
    }

    #[test]
    fn each_refusal_has_its_own_true_sentence() {
        let reach = "expected an address that other nodes can reach, such as 127.0.0.1:5001";
        for (text, said) in [
            ("127.0.0.1:0", format!("127.0.0.1:0 cannot be dialed: port 0 stands for any free port; {reach}")),
            ("localhost:0", format!("localhost:0 cannot be dialed: port 0 stands for any free port; {reach}")),
            (
                "0.0.0.0:5001",
                format!("0.0.0.0:5001 cannot be dialed: 0.0.0.0 stands for all interfaces of a machine; {reach}"),
            ),
            (
                "224.0.0.1:5001",
                format!("224.0.0.1:5001 cannot be dialed: it is a multicast address, which is no node's; {reach}"),
            ),
            (
                "255.255.255.255:1",
                format!("255.255.255.255:1 cannot be dialed: it is the broadcast address, which is no node's; {reach}"),
            ),
        ] {
            assert_eq!(refusal(text), said);
        }
        for text in ["127.0.0.1:70000", "127.0.0.1:", "localhost:+1", "localhost:http", "127.0.0.1:5001 x"] {
            assert!(refusal(text).ends_with("is not a port: expected a number from 1 to 65535"), "{text}");
        }
        for text in ["256.0.0.1:80", "10.7:80", "1:80", "127.0.0.1.:80"] {
            assert!(refusal(text).contains("is not an IPv4 address: expected four numbers"), "{text}");
        }
        for text in ["", "localhost", "127.0.0.1", "5001", ":5001", "a:1:2", "a b:1", "127.0.0.1;5001", "\u{e9}.org:1"]
        {
            assert!(refusal(text).contains("is not an address: expected ip:port or name:port"), "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_says_that_addresses_here_are_ipv4() {
        for text in ["[::1]:5001", "::1", "[fe80::1]", "[fe80::1%2]:80", "::1:5001", "[::1]:x"] {
            let said = format!(
                "'{text}' is an IPv6 address: this protocol names nodes by IPv4 address, such as 127.0.0.1:3000"
            );
            assert_eq!(refusal(text), said);
        }
    }

    #[test]
    fn a_name_is_no_longer_than_names_may_be() {
        let name = |len| format!("{}:80", "x".repeat(len));
        assert!(WrittenAddress::parse(&name(NAME_LEN_MAX)).is_ok());
        let said = refusal(&name(NAME_LEN_MAX + 1));
        assert!(said.ends_with("...' has 254 bytes: expected at most 253") && said.len() < 130, "{said}");
    }

    #[test]
    fn the_first_ipv4_address_of_a_name_is_taken() {
        assert_eq!(found(&["::1", "10.0.0.7", "10.0.0.8"]), Ok(Ipv4Addr::new(10, 0, 0, 7)));
    }

    #[test]
    fn a_name_without_an_ipv4_address_says_why_it_has_none() {
        let only = "the host name 'node.example' has only IPv6 addresses, such as ::1: names here are IPv4; give ip:port \
                    instead";
        assert_eq!(found(&["::1", "::2"]), Err(only.to_owned()));
        let nothing = "the host name 'node.example' cannot be looked up: it has no address; expected one that this \
                       machine knows, or ip:port";
        assert_eq!(found(&[]), Err(nothing.to_owned()));
        let refused = look_up("node.example", &|_| Err(io::Error::other("nobody answers"))).unwrap_err().to_string();
        assert_eq!(refused, nothing.replace("it has no address", "nobody answers"));
    }

    #[test]
    fn a_name_of_an_address_that_cannot_be_dialed_is_refused() {
        assert_eq!(named("node", Ipv4Addr::new(10, 0, 0, 7), 80).unwrap().to_string(), "10.0.0.7:80");
        let said = named("blocked.example", Ipv4Addr::UNSPECIFIED, 80).unwrap_err().to_string();
        assert!(said.starts_with("blocked.example, which is 0.0.0.0:80, cannot be dialed: 0.0.0.0 stands"), "{said}");
    }

    #[test]
    fn localhost_is_this_machine_without_a_network() {
        for name in ["localhost", "LocalHost", "localhost."] {
            assert_eq!(system(name).unwrap(), [Ipv4Addr::LOCALHOST]);
        }
    }
}
