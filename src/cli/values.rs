//! Values as people write them on the command line, in the config file and in a scenario: one
//! parser for each kind of value, which checks its bounds. An error is a line for the user.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use ipnet::Ipv4Net;

use super::address::{AddressError, WrittenAddress, dialable};
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, Overlay};
use crate::proto::message::Dialect;
use crate::session::export::{FileFormat, LineFormat};
use crate::session::overlay::OverlayFormat;
use crate::ui::ThemeChoice;

pub(super) const KIB: u64 = 1024;
pub(super) const GIB: u64 = 1024 * 1024 * KIB;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Reads a duration within these bounds.
pub(super) fn span(min_ms: u64, max_ms: u64) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
    let people = humantime::format_duration;
    move |text| match humantime::parse_duration(text) {
        Ok(span) if span < min => Err(format!("{text} is too short: expected at least {}", people(min))),
        Ok(span) if span > max => Err(format!("{text} is too long: expected at most {}", people(max))),
        Ok(span) => Ok(span),
        Err(_) => Err(format!("'{text}' is not a duration: expected a number with a unit, such as 500ms, 13s or 2m")),
    }
}

/// Reads a size within these bounds, in bytes.
pub(super) fn size(min: u64, max: u64) -> impl Fn(&str) -> Result<ByteSize, String> + Clone {
    move |text| match text.parse() {
        Ok(ByteSize(bytes)) if bytes < min => Err(format!("{text} is too small: expected at least {}", size_text(min))),
        Ok(ByteSize(bytes)) if bytes > max => Err(format!("{text} is too large: expected at most {}", size_text(max))),
        Ok(size) => Ok(size),
        Err(_) => Err(format!("'{text}' is not a size: expected a number with a unit, such as 500MB or 1GiB")),
    }
}

/// Reads a whole number within these bounds.
pub(super) fn count<N: TryFrom<u64>>(min: u64, max: u64) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| format!("'{text}' is not a whole number from {min} to {max}"))
    }
}

/// Reads where a node listens: `3000` means 127.0.0.1:3000, `0.0.0.0:3000` all interfaces. A name
/// is not looked up yet.
pub(super) fn listen(text: &str) -> Result<WrittenAddress, String> {
    let written = match text.parse() {
        Ok(port) => Ok(WrittenAddress::Addr(Addr::loopback(port))),
        Err(_) => WrittenAddress::parse(text),
    };
    let checked = written.and_then(|written| match written {
        WrittenAddress::Addr(addr) if !addr.ip().is_unspecified() || addr.port() == 0 => {
            dialable(addr).map(WrittenAddress::Addr)
        }
        written => Ok(written),
    });
    checked.map_err(|error| match error {
        AddressError::Malformed(text) => {
            format!("'{text}' is neither a port such as 3000 nor an address such as 127.0.0.1:3000 or localhost:3000")
        }
        AddressError::Wrong(why) => why,
    })
}

/// Reads the address by which others know a node.
pub(super) fn advertised(text: &str) -> Result<Ipv4Addr, String> {
    let ip = text.parse().ok().filter(|ip| Addr::new(*ip, 1).is_dialable());
    ip.ok_or_else(|| format!("'{text}' is not an address that others can dial: expected one such as 192.168.1.5"))
}

/// Reads a network; a bare address is a network of one machine.
pub(super) fn network(text: &str) -> Result<Ipv4Net, String> {
    let network = text.parse::<Ipv4Net>().ok().or_else(|| text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from));
    network.map(|network| network.trunc()).ok_or_else(|| {
        format!("'{text}' is not a network: expected one such as 192.168.1.0/24, or an address such as 192.168.1.7")
    })
}

/// A value that is one of a few words.
pub(super) trait ValueChoice: ValueEnum {
    /// The word for it.
    fn name(&self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Each choice with its word and its help.
macro_rules! choices {
    ($($kind:ident { $($variant:ident $({ $($field:tt)* })? $(($($inner:tt)*))? = $name:literal: $help:literal;)* })*) => {$(
        impl ValueEnum for $kind {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant $({ $($field)* })? $(($($inner)*))?),*]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(match self { $(Self::$variant $({ $($field)* })? $(($($inner)*))? => PossibleValue::new($name).help($help)),* })
            }
        }

        impl ValueChoice for $kind {}
    )*};
}

choices! {
    Dialect {
        Framed = "framed": "The protocol of gossipctl, with message ids, hops, round-trip times, referrals and goodbyes";
        Classic = "classic": "The protocol of the Python nodes, byte for byte";
    }
    PaceName {
        Assignment = "assignment": "A message every 10s, a probe every 13s";
        Lively = "lively": "A message every 3s, a probe every 2s";
    }
    DeadPolicy {
        Verify = "verify": "Probe the node before removing it";
        Trust = "trust": "Act on every report, as the Python seeds do";
    }
    Overlay {
        Assignment { make_room: true } = "make-room": "Drop a neighbor that has other neighbors";
        Assignment { make_room: false } = "refuse": "Refuse it like any other joiner; a known fault, which cuts peers off";
    }
    ThemeChoice {
        Auto = "auto": "Colors for dark and light backgrounds; none if NO_COLOR is set";
        Dark = "dark": "For a dark background";
        Light = "light": "For a light background";
        Mono = "mono": "Bold, underlined and reversed text instead of colors";
    }
    FileFormat {
        Lines(LineFormat::Txt) = "text": "The log lines of all nodes, with date, time and node in front";
        Lines(LineFormat::Jsonl) = "json": "A header, then one JSON object per event: a recording that can be replayed";
        Lines(LineFormat::Csv) = "csv": "A table with one row per event";
        Perfetto = "perfetto": "A trace for ui.perfetto.dev: a track per node, arrows for messages";
        Shiviz = "shiviz": "Events with vector clocks, for ShiViz";
        Overlay(OverlayFormat::Graphml) = "graphml": "The overlay as GraphML, for yEd, Gephi or networkx";
        Overlay(OverlayFormat::Dot) = "dot": "The overlay for Graphviz";
    }
}

/// How quickly things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaceName {
    Assignment,
    Lively,
}

impl PaceName {
    /// Time between two messages of a peer, and between two probes of a neighbor.
    pub(super) const fn intervals(self) -> (Duration, Duration) {
        match self {
            Self::Assignment => (Duration::from_secs(10), Duration::from_secs(13)),
            Self::Lively => (Duration::from_secs(3), Duration::from_secs(2)),
        }
    }
}

/// A host as ssh takes it. One that begins with a dash would be an option of ssh.
pub(super) fn ssh_host(host: &str) -> Result<String, String> {
    if host.is_empty() || host.starts_with('-') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(
            "expected a host as ssh takes it, such as max@192.168.1.5: without spaces, and no option".to_owned()
        );
    }
    Ok(host.to_owned())
}

/// The path of a program on another machine.
pub(super) fn remote_program(path: &str) -> Result<String, String> {
    let is_one = !path.is_empty() && !path.chars().any(char::is_control);
    is_one.then(|| path.to_owned()).ok_or_else(|| "expected the path of a program".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    fn error<T: fmt::Debug>(read: impl Fn(&str) -> Result<T, String>, text: &str) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(span(1, DAY_MS)("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(span(1, DAY_MS)("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span(1, DAY_MS)("1m30s"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn a_duration_out_of_bounds_names_the_bound() {
        assert_eq!(error(span(1, DAY_MS), "0s"), "0s is too short: expected at least 1ms");
        assert_eq!(error(span(10, DAY_MS), "9ms"), "9ms is too short: expected at least 10ms");
        assert_eq!(error(span(1, DAY_MS), "2days"), "2days is too long: expected at most 1day");
        for text in ["13", "", "-1s", "soon", "99999999999999999999s"] {
            assert!(error(span(1, DAY_MS), text).contains("such as 500ms, 13s or 2m"), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_told_as_people_write_them() {
        let journal = size(64 * KIB, 1_024 * GIB);
        let told = |text: &str| size_text(journal(text).unwrap().0);
        assert_eq!((told("1GiB"), told("500MB"), told("1.5 gib")), ("1GiB".into(), "500MB".into(), "1536MiB".into()));
        assert_eq!(told("70001"), "70001B");
        assert_eq!(error(&journal, "63KiB"), "63KiB is too small: expected at least 64KiB");
        assert_eq!(error(&journal, "2TiB"), "2TiB is too large: expected at most 1024GiB");
        for text in ["", "big", "-1MB", "1 apple"] {
            assert!(error(&journal, text).contains("such as 500MB or 1GiB"), "{text}");
        }
    }

    #[test]
    fn a_count_out_of_bounds_names_both_bounds() {
        assert_eq!(error(count::<u32>(1, 100), "0"), "'0' is not a whole number from 1 to 100");
        assert_eq!(error(count::<usize>(1, 64), "65"), "'65' is not a whole number from 1 to 64");
        assert_eq!(error(count::<usize>(1, 64), "four"), "'four' is not a whole number from 1 to 64");
        assert_eq!(count::<usize>(1, 64)("8"), Ok(8));
    }

    #[test]
    fn a_bare_port_is_on_loopback() {
        let listen = |text: &str| listen(text).unwrap();
        assert_eq!(listen("3000"), WrittenAddress::Addr(Addr::loopback(3000)));
        assert_eq!(listen("10.0.0.7:3000"), WrittenAddress::Addr("10.0.0.7:3000".parse().unwrap()));
        assert_eq!(listen("0.0.0.0:3000"), WrittenAddress::Addr("0.0.0.0:3000".parse().unwrap()));
        assert_eq!(listen("localhost:3000"), WrittenAddress::Name { name: "localhost".to_owned(), port: 3000 });
    }

    #[test]
    fn an_address_that_cannot_be_a_name_is_refused() {
        assert!(error(listen, "0.0.0.0:0").starts_with("0.0.0.0:0 cannot be dialed: "));
        assert!(error(listen, "224.0.0.1:3000").starts_with("224.0.0.1:3000 cannot be dialed: "));
        assert!(error(listen, "0").starts_with("127.0.0.1:0 cannot be dialed: "));
        assert!(error(listen, "[::1]:3000").contains("IPv6"));
        for text in ["70000", "localhost", "", "127.0.0.1"] {
            assert!(error(listen, text).contains("neither a port such as 3000"), "{text}");
        }
        for text in ["0.0.0.0", "224.0.0.1", "::1", "here", ""] {
            assert!(error(advertised, text).contains("such as 192.168.1.5"), "{text}");
        }
    }

    #[test]
    fn a_network_is_read_as_people_write_it() {
        let read = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(read("192.168.1.0/24").unwrap(), "192.168.1.0/24");
        assert_eq!(read("192.168.1.77/24").unwrap(), "192.168.1.0/24");
        assert_eq!(read("10.0.0.7").unwrap(), "10.0.0.7/32", "an address is a small network");
        for text in ["10.0.0.0/33", "10.0.0/8", "fe80::/10", "all", ""] {
            assert!(error(network, text).contains("such as 192.168.1.0/24"), "{text}");
        }
    }
}
