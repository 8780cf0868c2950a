//! Addresses, which are the names of nodes.
//!
//! The protocol names a node by the IPv4 address and port on which it listens; that pair is its id
//! everywhere, in messages, events, files and on the screen. Six bytes, `Copy`, ordered: cheap
//! enough for a hundred thousand nodes in one process.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The listening address of a node, which is also its id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Addr {
    ip: [u8; 4],
    port: u16,
}

impl Addr {
    pub const fn new(ip: Ipv4Addr, port: u16) -> Self {
        Self { ip: ip.octets(), port }
    }

    /// `127.0.0.1` with this port.
    pub const fn loopback(port: u16) -> Self {
        Self::new(Ipv4Addr::LOCALHOST, port)
    }

    pub const fn ip(self) -> Ipv4Addr {
        let [a, b, c, d] = self.ip;
        Ipv4Addr::new(a, b, c, d)
    }

    pub const fn port(self) -> u16 {
        self.port
    }

    /// The same host with another port.
    #[must_use]
    pub const fn with_port(self, port: u16) -> Self {
        Self { ip: self.ip, port }
    }

    pub const fn socket(self) -> SocketAddr {
        SocketAddr::V4(SocketAddrV4::new(self.ip(), self.port))
    }

    /// What people call a node without another name: `:3000` at `127.0.0.1`, else the whole address.
    pub fn name(self) -> String {
        if self.ip() == Ipv4Addr::LOCALHOST { format!(":{}", self.port) } else { self.to_string() }
    }

    /// The address that has this name; a whole address is one as well.
    pub fn by_name(name: &str) -> Option<Self> {
        match name.strip_prefix(':') {
            // `:+3000` is no name.
            Some(port) if port.starts_with(|digit: char| digit.is_ascii_digit()) => {
                port.parse().ok().map(Self::loopback)
            }
            Some(_) | None => name.parse().ok(),
        }
    }

    /// As one number, six bytes of it.
    pub(super) const fn number(self) -> u64 {
        (u32::from_be_bytes(self.ip) as u64) << 16 | self.port as u64
    }

    /// As Python prints the tuple: `('127.0.0.1', 3000)`, the form in the classic dialect and the
    /// log files.
    pub const fn python(self) -> PythonTuple {
        PythonTuple(self)
    }

    /// Whether a node can be dialed here: there is a port, and the address is not one that names
    /// nobody.
    pub const fn is_dialable(self) -> bool {
        let ip = self.ip();
        self.port != 0 && !ip.is_unspecified() && !ip.is_broadcast() && !ip.is_multicast()
    }
}

impl From<([u8; 4], u16)> for Addr {
    fn from((ip, port): ([u8; 4], u16)) -> Self {
        Self { ip, port }
    }
}

// One number is compared and hashed at a fraction of the cost of an array and a number, and every message id has one.

impl Ord for Addr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Addr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Addr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.number());
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddrError {
    /// Neither `ip:port` nor a port.
    #[error("'{0}' is not an address: expected ip:port such as 127.0.0.1:3000")]
    Malformed(String),
    /// The protocol has no IPv6.
    #[error("'{0}' is an IPv6 address: this protocol names nodes by IPv4 address, such as 127.0.0.1:3000")]
    Ipv6(String),
}

impl FromStr for Addr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        match text.parse::<SocketAddr>() {
            Ok(socket) => Self::try_from(socket).map_err(|_| AddrError::Ipv6(text.to_owned())),
            Err(_) => Err(AddrError::Malformed(text.to_owned())),
        }
    }
}

impl TryFrom<SocketAddr> for Addr {
    type Error = AddrError;

    fn try_from(socket: SocketAddr) -> Result<Self, AddrError> {
        match socket.ip() {
            IpAddr::V4(ip) => Ok(Self::new(ip, socket.port())),
            IpAddr::V6(_) => Err(AddrError::Ipv6(socket.to_string())),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(AddrText::of(*self).as_str())
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AddrText::of(*self).as_str())
    }
}

/// An address as text, made without the machinery of formatting: a journal has several on each
/// line.
struct AddrText {
    bytes: [u8; Self::LEN_MAX],
    len: usize,
}

impl AddrText {
    /// The length of `255.255.255.255:65535`.
    const LEN_MAX: usize = 21;

    fn of(addr: Addr) -> Self {
        let mut text = Self { bytes: [0; Self::LEN_MAX], len: 0 };
        for (part, separator) in addr.ip.into_iter().zip([b'.', b'.', b'.', b':']) {
            text.push_number(part);
            text.push(separator);
        }
        text.push_number(addr.port);
        text
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn push_number(&mut self, number: impl itoa::Integer) {
        for digit in itoa::Buffer::new().format(number).bytes() {
            self.push(digit);
        }
    }

    fn as_str(&self) -> &str {
        // Digits, dots and a colon.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

/// Displays an [`Addr`] as Python prints the tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PythonTuple(Addr);

impl fmt::Display for PythonTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "('{}', {})", self.0.ip(), self.0.port)
    }
}

/// As text: files are for people.
impl Serialize for Addr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(AddrText::of(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for Addr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_is_written() {
        let addr: Addr = "127.0.0.1:3000".parse().unwrap();
        assert_eq!(addr, Addr::loopback(3000));
        assert_eq!(addr.to_string(), "127.0.0.1:3000");
        assert_eq!(addr.python().to_string(), "('127.0.0.1', 3000)");
        assert_eq!((addr.name(), Addr::by_name(":3000")), (":3000".to_owned(), Some(addr)));
        assert_eq!([":", ":+3", ":70000", "3000"].map(Addr::by_name), [None; 4]);
        for text in ["0.0.0.0:0", "255.255.255.255:65535", "10.9.100.99:10", "1.20.200.0:9999"] {
            let addr: Addr = text.parse().unwrap();
            assert_eq!((addr.to_string(), Addr::by_name(&addr.name())), (text.to_owned(), Some(addr)));
        }
        assert_eq!(format!("{addr:>16}|{addr:<16}|"), "  127.0.0.1:3000|127.0.0.1:3000  |");
    }

    #[test]
    fn what_is_no_ipv4_address_says_what_was_expected() {
        let error = "localhost".parse::<Addr>().unwrap_err().to_string();
        assert!(error.contains("'localhost'") && error.contains("127.0.0.1:3000"), "{error}");
        let error = "[::1]:80".parse::<Addr>().unwrap_err().to_string();
        assert!(error.contains("IPv6"), "{error}");
    }

    #[test]
    fn a_file_holds_the_text() {
        let addr = Addr::loopback(3000);
        assert_eq!(serde_json::to_string(&addr).unwrap(), "\"127.0.0.1:3000\"");
        assert_eq!(serde_json::from_str::<Addr>("\"127.0.0.1:3000\"").unwrap(), addr);
        assert!(serde_json::from_str::<Addr>("\"here\"").is_err());
    }
}
