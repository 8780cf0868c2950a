//! Values as people write them, on the command line and in the config file: parsed, and checked
//! against their bounds, in one place.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::ValueEnum;
use ipnet::Ipv4Net;
use serde::Deserialize;

use super::address::{AddressError, WrittenAddress, dialable};
use crate::command::limits;
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, LINKS_MAX, Overlay};
use crate::proto::message::Dialect;

/// Time between two messages: from a thousand a second to one a day.
pub(crate) type GossipInterval = Span<1, DAY_MS>;
/// Time between two probes. Below 10 ms an answer is late because the machine was busy.
pub(crate) type LivenessInterval = Span<10, DAY_MS>;
/// Time allowed for an answer. Below 10 ms it is late because the machine was busy.
pub(crate) type ProbeTimeout = Span<10, DAY_MS>;
/// How long a session runs.
pub(crate) type SessionLength = Span<1, { 365 * DAY_MS }>;
/// Misses after which a neighbor is dead. With more than 100, none ever would be.
pub(crate) type Misses = BoundedCount<1, 100>;
/// Links of one peer; the upper bound is the protocol's own.
pub(crate) type LinkCount = BoundedCount<1, { LINKS_MAX as u64 }>;
/// Seeds of a lab.
pub(crate) type LabSeeds = BoundedCount<1, { limits::SEEDS_MAX as u64 }>;
/// Peers of a lab.
pub(crate) type LabPeers = BoundedCount<1, { limits::PEERS_MAX as u64 }>;

/// Messages of one peer; 0: it only forwards.
pub(crate) type Messages = BoundedCount<0, 1_000_000_000>;
/// Seed of the random choices, within the range of a config file's integers.
pub(crate) type RngSeed = BoundedCount<0, RNG_SEED_MAX>;
/// The highest [`RngSeed`].
pub(crate) const RNG_SEED_MAX: u64 = i64::MAX as u64;

/// What journals may take: from some hundred events to the disk of a large server.
pub(crate) type JournalSize = Size<{ 64 * KIB }, { 1024 * GIB }>;

const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * KIB;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("'{0}' is not a duration: expected a number with a unit, such as 500ms, 13s or 2m")]
    NotADuration(String),
    #[error("{given} is too short: expected at least {}", people(*.min))]
    TooShort {
        /// As it was written.
        given: String,
        min: Duration,
    },
    #[error("{given} is too long: expected at most {}", people(*.max))]
    TooLong {
        /// As it was written.
        given: String,
        max: Duration,
    },
    #[error("'{0}' is not a size: expected a number with a unit, such as 500MB or 1GiB")]
    NotASize(String),
    #[error("{given} is too small: expected at least {}", size_text(*.min))]
    TooSmall {
        /// As it was written.
        given: String,
        /// In bytes.
        min: u64,
    },
    #[error("{given} is too large: expected at most {}", size_text(*.max))]
    TooLarge {
        /// As it was written.
        given: String,
        /// In bytes.
        max: u64,
    },
    /// Not a whole number, or out of bounds.
    #[error("'{given}' is not a whole number from {min} to {max}")]
    NotACount {
        /// As it was written.
        given: String,
        min: u64,
        max: u64,
    },
    /// Neither a port nor an address.
    #[error("'{0}' is neither a port such as 3000 nor an address such as 127.0.0.1:3000 or localhost:3000")]
    NotAListen(String),
    /// An address that cannot be a node's name.
    #[error(transparent)]
    Address(AddressError),
    #[error("'{0}' is not an address that others can dial: expected one such as 192.168.1.5")]
    NotAName(String),
    #[error("'{0}' is not a network: expected one such as 192.168.1.0/24, or an address such as 192.168.1.7")]
    NotANetwork(String),
}

fn people(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(span)
}

/// A duration within bounds, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span<const MIN_MS: u64, const MAX_MS: u64>(Duration);

impl<const MIN_MS: u64, const MAX_MS: u64> Span<MIN_MS, MAX_MS> {
    pub(crate) const fn get(self) -> Duration {
        self.0
    }
}

impl<const MIN_MS: u64, const MAX_MS: u64> FromStr for Span<MIN_MS, MAX_MS> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let span = humantime::parse_duration(text).map_err(|_| ValueError::NotADuration(text.to_owned()))?;
        let (min, max) = (Duration::from_millis(MIN_MS), Duration::from_millis(MAX_MS));
        match span {
            span if span < min => Err(ValueError::TooShort { given: text.to_owned(), min }),
            span if span > max => Err(ValueError::TooLong { given: text.to_owned(), max }),
            span => Ok(Self(span)),
        }
    }
}

impl<const MIN_MS: u64, const MAX_MS: u64> TryFrom<String> for Span<MIN_MS, MAX_MS> {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

/// As people write it: `1m 30s`.
impl<const MIN_MS: u64, const MAX_MS: u64> fmt::Display for Span<MIN_MS, MAX_MS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        people(self.0).fmt(f)
    }
}

/// A size within bounds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Size<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Size<MIN, MAX> {
    /// In bytes.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> FromStr for Size<MIN, MAX> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let ByteSize(bytes) = text.parse().map_err(|_| ValueError::NotASize(text.to_owned()))?;
        match bytes {
            bytes if bytes < MIN => Err(ValueError::TooSmall { given: text.to_owned(), min: MIN }),
            bytes if bytes > MAX => Err(ValueError::TooLarge { given: text.to_owned(), max: MAX }),
            bytes => Ok(Self(bytes)),
        }
    }
}

impl<const MIN: u64, const MAX: u64> TryFrom<String> for Size<MIN, MAX> {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct BoundedCount<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> BoundedCount<MIN, MAX> {
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// As a number of things held in memory.
    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    pub(crate) fn as_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    fn within(number: Option<u64>, given: &dyn fmt::Display) -> Result<Self, ValueError> {
        let number = number.filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| ValueError::NotACount { given: given.to_string(), min: MIN, max: MAX })
    }
}

impl<const MIN: u64, const MAX: u64> FromStr for BoundedCount<MIN, MAX> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::within(text.parse().ok(), &text)
    }
}

impl<const MIN: u64, const MAX: u64> TryFrom<i64> for BoundedCount<MIN, MAX> {
    type Error = ValueError;

    fn try_from(number: i64) -> Result<Self, ValueError> {
        Self::within(u64::try_from(number).ok(), &number)
    }
}

impl<const MIN: u64, const MAX: u64> fmt::Display for BoundedCount<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a node listens: `3000` means 127.0.0.1:3000, `0.0.0.0:3000` all interfaces. A name is not
/// looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) WrittenAddress);

impl FromStr for Listen {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let written = match text.parse() {
            Ok(port) => Ok(WrittenAddress::Addr(Addr::loopback(port))),
            Err(_) => WrittenAddress::parse(text),
        };
        match written {
            Ok(WrittenAddress::Addr(addr)) if addr.ip().is_unspecified() && addr.port() != 0 => {
                Ok(WrittenAddress::Addr(addr))
            }
            Ok(WrittenAddress::Addr(addr)) => dialable(addr).map(WrittenAddress::Addr).map_err(ValueError::Address),
            Ok(name @ WrittenAddress::Name { .. }) => Ok(name),
            Err(AddressError::Malformed(text)) => Err(ValueError::NotAListen(text)),
            Err(error) => Err(ValueError::Address(error)),
        }
        .map(Self)
    }
}

/// The address by which others know a node.
pub(crate) fn advertised(text: &str) -> Result<Ipv4Addr, ValueError> {
    let ip = text.parse().ok().filter(|ip| Addr::new(*ip, 1).is_dialable());
    ip.ok_or_else(|| ValueError::NotAName(text.to_owned()))
}

/// A network; a bare address is a network of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Network(pub(crate) Ipv4Net);

impl FromStr for Network {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let network = text.parse::<Ipv4Net>().ok().or_else(|| text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from));
        network.map(|network| Self(network.trunc())).ok_or_else(|| ValueError::NotANetwork(text.to_owned()))
    }
}

impl TryFrom<String> for Network {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

/// The dialect, by the flag's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wire {
    /// The protocol of gossipctl, with message ids, hops, round-trip times, referrals and goodbyes
    Framed,
    /// The protocol of the Python nodes, byte for byte
    Classic,
}

impl From<Wire> for Dialect {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Framed => Self::Framed,
            Wire::Classic => Self::Classic,
        }
    }
}

/// How quickly things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PaceName {
    /// A message every 10s, a probe every 13s
    Assignment,
    /// A message every 3s, a probe every 2s
    Lively,
}

impl PaceName {
    /// Time between two messages of a peer.
    pub(crate) const fn gossip_interval(self) -> Duration {
        match self {
            Self::Assignment => Duration::from_secs(10),
            Self::Lively => Duration::from_secs(3),
        }
    }

    /// Time between two probes of a neighbor.
    pub(crate) const fn liveness_interval(self) -> Duration {
        match self {
            Self::Assignment => Duration::from_secs(13),
            Self::Lively => Duration::from_secs(2),
        }
    }
}

/// What a seed does about a dead report, by the name that the flag gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// Probe the node before removing it
    Verify,
    /// Act on every report, as the Python seeds do
    Trust,
}

impl From<Policy> for DeadPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Verify => Self::Verify,
            Policy::Trust => Self::Trust,
        }
    }
}

/// What a full peer does about a joiner without neighbors, by the name that the flag gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Joiners {
    /// Drop a neighbor that has other neighbors
    MakeRoom,
    /// Refuse it like any other joiner; a known fault, which cuts peers off
    Refuse,
}

impl From<Joiners> for Overlay {
    fn from(joiners: Joiners) -> Self {
        Self::Assignment { make_room: joiners == Joiners::MakeRoom }
    }
}

/// The colors, by the name that the flag gives them.
#[expect(clippy::doc_markdown, reason = "these are help texts for a terminal, where a backtick is a backtick")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThemeName {
    /// Colors for dark and light backgrounds; none if NO_COLOR is set
    Auto,
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// Bold, underlined and reversed text instead of colors
    Mono,
}

/// The name that a flag or the config file gives a value.
pub(super) fn name_of<V: ValueEnum>(value: &V) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<T: FromStr<Err = ValueError> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().unwrap_err().to_string()
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!("500ms".parse::<GossipInterval>().unwrap().get(), Duration::from_millis(500));
        assert_eq!("1m 30s".parse::<SessionLength>().unwrap().get(), Duration::from_secs(90));
        assert_eq!("1m30s".parse::<SessionLength>().unwrap().to_string(), "1m 30s");
    }

    #[test]
    fn a_duration_out_of_bounds_names_the_bound() {
        assert_eq!(error::<GossipInterval>("0s"), "0s is too short: expected at least 1ms");
        assert_eq!(error::<LivenessInterval>("9ms"), "9ms is too short: expected at least 10ms");
        assert_eq!(error::<GossipInterval>("2days"), "2days is too long: expected at most 1day");
        for text in ["13", "", "-1s", "soon", "99999999999999999999s"] {
            assert!(error::<GossipInterval>(text).contains("such as 500ms, 13s or 2m"), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_told_as_people_write_them() {
        let size = |text: &str| size_text(text.parse::<JournalSize>().unwrap().get());
        assert_eq!((size("1GiB"), size("500MB"), size("1.5 gib")), ("1GiB".into(), "500MB".into(), "1536MiB".into()));
        assert_eq!(size("70001"), "70001B");
        assert_eq!(error::<JournalSize>("63KiB"), "63KiB is too small: expected at least 64KiB");
        assert_eq!(error::<JournalSize>("2TiB"), "2TiB is too large: expected at most 1024GiB");
        for text in ["", "big", "-1MB", "1 apple"] {
            assert!(error::<JournalSize>(text).contains("such as 500MB or 1GiB"), "{text}");
        }
    }

    #[test]
    fn a_count_out_of_bounds_names_both_bounds() {
        assert_eq!(error::<Misses>("0"), "'0' is not a whole number from 1 to 100");
        assert_eq!(error::<LinkCount>("65"), "'65' is not a whole number from 1 to 64");
        assert_eq!(error::<LinkCount>("four"), "'four' is not a whole number from 1 to 64");
        assert_eq!("8".parse::<LinkCount>().unwrap().as_usize(), 8);
    }

    #[test]
    fn a_bare_port_is_on_loopback() {
        let listen = |text: &str| text.parse::<Listen>().unwrap().0;
        assert_eq!(listen("3000"), WrittenAddress::Addr(Addr::loopback(3000)));
        assert_eq!(listen("10.0.0.7:3000"), WrittenAddress::Addr("10.0.0.7:3000".parse().unwrap()));
        assert_eq!(listen("0.0.0.0:3000"), WrittenAddress::Addr("0.0.0.0:3000".parse().unwrap()));
        assert_eq!(listen("localhost:3000"), WrittenAddress::Name { name: "localhost".to_owned(), port: 3000 });
    }

    #[test]
    fn an_address_that_cannot_be_a_name_is_refused() {
        assert!(error::<Listen>("0.0.0.0:0").starts_with("0.0.0.0:0 cannot be dialed: "));
        assert!(error::<Listen>("224.0.0.1:3000").starts_with("224.0.0.1:3000 cannot be dialed: "));
        assert!(error::<Listen>("0").starts_with("127.0.0.1:0 cannot be dialed: "));
        assert!(error::<Listen>("[::1]:3000").contains("IPv6"));
        for text in ["70000", "localhost", "", "127.0.0.1"] {
            assert!(error::<Listen>(text).contains("neither a port such as 3000"), "{text}");
        }
        for text in ["0.0.0.0", "224.0.0.1", "::1", "here", ""] {
            assert!(advertised(text).unwrap_err().to_string().contains("such as 192.168.1.5"), "{text}");
        }
    }

    #[test]
    fn a_network_is_read_as_people_write_it_and_an_address_is_a_small_one() {
        let network = |text: &str| text.parse::<Network>().map(|network| network.0.to_string());
        assert_eq!(network("192.168.1.0/24").unwrap(), "192.168.1.0/24");
        assert_eq!(network("192.168.1.77/24").unwrap(), "192.168.1.0/24");
        assert_eq!(network("10.0.0.7").unwrap(), "10.0.0.7/32");
        for text in ["10.0.0.0/33", "10.0.0/8", "fe80::/10", "all", ""] {
            assert!(error::<Network>(text).contains("such as 192.168.1.0/24"), "{text}");
        }
    }
}
