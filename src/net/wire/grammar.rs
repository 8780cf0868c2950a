//! The texts of the classic dialect, which has no frames: where a message ends is known from its
//! grammar alone.
//!
//! ```text
//! message  = gossip | probe | reply | report | hello
//! gossip   = time ":" address ":" text
//! probe    = "Liveness Request:" time ":" address
//! reply    = "Liveness Reply:" time ":" address ":" address
//! report   = "Dead Node:" address ":" time ":" address
//! hello    = address
//! time     = two digits "." two digits "." two digits
//! address  = "('" ip "', " port ")"          as Python prints the tuple
//! ```
//!
//! All but gossip end with a `)` that nothing can follow. A gossip text ends where the next message
//! starts, which shows: `Gossip Message 1` and `03.05.31:(` joined is `Gossip Message 103.05.31:(`, and
//! a time has a fixed width. If nothing follows, it ends when the stream does or goes quiet.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;

use super::CLASSIC_MESSAGE_LEN_MAX;
use crate::proto::addr::Addr;
use crate::proto::event::Rule;
use crate::proto::message::{Gossip, Hello, Message, MessageId, Priority, Role};
use crate::proto::text::Body;
use crate::proto::time::ClockTime;

/// The longest IPv4 address as text.
const IP_LEN_MAX: usize = 15;
/// Digits of the highest port.
const PORT_LEN_MAX: usize = 5;
/// A gossip text that ends in at least this many bytes that could start another message is not
/// complete because the stream went quiet: the network cut a message, and its rest is on the way.
/// With fewer bytes, half of all generated messages would qualify (`.. 12`).
const CUT_START_LEN: usize = 5;

/// What the end of the available bytes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartialInput {
    /// More may follow.
    Open,
    /// More may follow, but none came for a while.
    Quiet,
    /// Nothing follows.
    Closed,
}

/// Why there is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMessage {
    /// So far it is one, but it is incomplete.
    More,
    /// It is none.
    Broken(Rule),
}

const MALFORMED: NoMessage = NoMessage::Broken(Rule::Malformed);

/// The message in front of `bytes`, and its length.
pub(super) fn message(bytes: &[u8], ending: PartialInput) -> Result<(Message, usize), NoMessage> {
    let mut cursor = Cursor::new(bytes);
    let message = match bytes.first() {
        None => return Err(NoMessage::More),
        Some(b'0'..=b'9') => cursor.gossip(ending)?,
        Some(b'L') => cursor.liveness()?,
        Some(b'D') => cursor.dead_report()?,
        Some(b'(') => hello(cursor.address()?),
        Some(_) => return Err(MALFORMED),
    };
    Ok((message, cursor.at))
}

/// The address in front of `bytes`, and its length.
pub(super) fn address(bytes: &[u8]) -> Result<(Addr, usize), NoMessage> {
    let mut cursor = Cursor::new(bytes);
    Ok((cursor.address()?, cursor.at))
}

/// Only peers name themselves in the classic dialect, and they do not say how much they want the
/// link.
pub(super) fn hello(listen: Addr) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::Low })
}

/// Where a gossip text ends because another message starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    /// After this many bytes.
    At(usize),
    /// No other message starts here, unless the last bytes are part of its start.
    Missing {
        /// Length of the longest such part; 0 for none.
        cut_start_len: usize,
    },
}

/// Searches `text` for the start of a message, at one of its first `room` bytes or right after
/// them.
pub(super) fn boundary(text: &[u8], room: usize) -> Boundary {
    let mut cut_start_len = 0;
    for at in 0..=room.min(text.len()) {
        let rest = &text[at..];
        match Cursor::new(rest).start() {
            Ok(()) => return Boundary::At(at),
            Err(NoMessage::More) => cut_start_len = cut_start_len.max(rest.len()),
            Err(NoMessage::Broken(_)) => {}
        }
    }
    Boundary::Missing { cut_start_len }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], NoMessage> {
        let taken = self.rest().get(..len).ok_or(NoMessage::More)?;
        self.at += len;
        Ok(taken)
    }

    fn literal(&mut self, expected: &[u8]) -> Result<(), NoMessage> {
        if self.rest().iter().zip(expected).any(|(byte, expected)| byte != expected) {
            return Err(MALFORMED);
        }
        self.take(expected.len()).map(|_| ())
    }

    /// The bytes up to the first that does not `belong`; if there are more than `max`, as many as
    /// show it.
    fn while_in(&mut self, max: usize, belongs: impl Fn(u8) -> bool) -> Result<&'a [u8], NoMessage> {
        let len = self.rest().iter().take(max + 1).take_while(|byte| belongs(**byte)).count();
        if len == self.rest().len() && len <= max { Err(NoMessage::More) } else { self.take(len) }
    }

    fn time(&mut self) -> Result<ClockTime, NoMessage> {
        let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        if !self.rest().iter().zip(b"00.00.00").all(fits) {
            return Err(MALFORMED);
        }
        ClockTime::parse(self.take(ClockTime::TEXT_LEN)?).ok_or(MALFORMED)
    }

    /// Whatever has the shape of an address but cannot be dialed is a [`Rule::BadAddress`]: a host
    /// name, an IPv6 address, an impossible port.
    fn address(&mut self) -> Result<Addr, NoMessage> {
        self.literal(b"(")?;
        let quote = *self.rest().first().ok_or(NoMessage::More)?;
        if !matches!(quote, b'\'' | b'"') {
            return Err(MALFORMED);
        }
        self.literal(&[quote])?;
        let host = self.while_in(IP_LEN_MAX, |byte| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte))?;
        let ip = parse::<Ipv4Addr>(host)?;
        self.literal(&[quote, b',', b' '])?;
        let port = self.port()?;
        self.literal(b")")?;
        Some(Addr::new(ip, port)).filter(|addr| addr.is_dialable()).ok_or(NoMessage::Broken(Rule::BadAddress))
    }

    fn port(&mut self) -> Result<u16, NoMessage> {
        match self.while_in(PORT_LEN_MAX, |byte| byte.is_ascii_digit())? {
            [] | [b'0', _, ..] => Err(MALFORMED),
            digits => parse(digits),
        }
    }

    fn gossip(&mut self, ending: PartialInput) -> Result<Message, NoMessage> {
        let clock = self.time()?;
        self.literal(b":")?;
        let origin = self.address()?;
        self.literal(b":")?;
        let text = self.text(ending)?;
        let id = MessageId::classic(origin, clock, text);
        let body = Body::from(Bytes::copy_from_slice(text));
        Ok(Message::Gossip(Arc::new(Gossip { id, body, trace: None })))
    }

    fn text(&mut self, ending: PartialInput) -> Result<&'a [u8], NoMessage> {
        let room = CLASSIC_MESSAGE_LEN_MAX.saturating_sub(self.at);
        let text = match boundary(self.rest(), room) {
            Boundary::At(len) => self.take(len)?,
            Boundary::Missing { cut_start_len } => self.last_text(ending, room, cut_start_len)?,
        };
        if text.is_empty() || std::str::from_utf8(text).is_err() { Err(MALFORMED) } else { Ok(text) }
    }

    /// A text that no other message follows so far.
    fn last_text(&mut self, ending: PartialInput, room: usize, cut_start_len: usize) -> Result<&'a [u8], NoMessage> {
        let text = self.rest();
        if text.len() > room && (cut_start_len == 0 || ending == PartialInput::Closed) {
            return Err(NoMessage::Broken(Rule::TextTooLong));
        }
        let complete = match ending {
            PartialInput::Open => false,
            PartialInput::Quiet => text.len() <= room && cut_start_len < CUT_START_LEN && !ends_in_character(text),
            PartialInput::Closed => true,
        };
        if complete && !text.is_empty() { self.take(text.len()) } else { Err(NoMessage::More) }
    }

    fn liveness(&mut self) -> Result<Message, NoMessage> {
        let is_probe = self.liveness_word()?;
        let clock = self.time()?;
        self.literal(b":")?;
        let asker = self.address()?;
        let seq = u64::from(clock.seconds());
        if is_probe {
            return Ok(Message::Probe { seq, asker, clock, extras: None });
        }
        self.literal(b":")?;
        self.address()?;
        Ok(Message::ProbeReply { seq, asker, clock, extras: None })
    }

    /// `Liveness Request:` (true) or `Liveness Reply:`.
    fn liveness_word(&mut self) -> Result<bool, NoMessage> {
        self.literal(b"Liveness Re")?;
        let is_probe = *self.rest().first().ok_or(NoMessage::More)? == b'q';
        self.literal(if is_probe { b"quest:" } else { b"ply:" })?;
        Ok(is_probe)
    }

    fn dead_report(&mut self) -> Result<Message, NoMessage> {
        self.literal(b"Dead Node:")?;
        let dead = self.address()?;
        self.literal(b":")?;
        let clock = self.time()?;
        self.literal(b":")?;
        Ok(Message::DeadReport { dead, clock, reporter: self.address()?, cause: None })
    }

    /// As much of a message as makes it certain that one starts here.
    fn start(&mut self) -> Result<(), NoMessage> {
        match self.rest().first() {
            None => return Err(NoMessage::More),
            Some(b'D') => return self.literal(b"Dead Node:("),
            Some(b'L') => {
                self.liveness_word()?;
            }
            Some(b'0'..=b'9') => {}
            Some(_) => return Err(MALFORMED),
        }
        self.time()?;
        self.literal(b":(")
    }
}

/// Whether the last bytes are the beginning of a UTF-8 character.
fn ends_in_character(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_err_and(|error| error.error_len().is_none())
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Result<T, NoMessage> {
    let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    value.ok_or(NoMessage::Broken(Rule::BadAddress))
}
