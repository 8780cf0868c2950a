//! The framed dialect: a length, a tag, fields of fixed width.
//!
//! The layout is written by hand rather than derived: it is a contract with nodes in other
//! languages (docs/wire.md), so it must not change when a type of ours is reordered; counts can be
//! checked before anything is allocated; and a gossip message costs no more than a bare frame.

mod fields;

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use self::fields::{
    Fields, goodbye_code, priority_code, put_addr, put_cause, put_extras, put_list, put_lowest, refusal_code, role_code,
};
use super::grammar::{self, PartialInput};
use super::{BODY_COPY_MAX, FRAME_LEN_MAX, HELLO_LEN_MAX, WireError};
use crate::proto::addr::Addr;
use crate::proto::config::{BODY_LEN_MAX, LIST_LEN_MAX};
use crate::proto::event::{Rule, Unwritable};
use crate::proto::message::{Dialect, Gossip, Hello, Message, MessageId, PeerSample, ProbeExtras, ProbeSeq, Trace};
use crate::proto::text::Body;
use crate::proto::time::ClockTime;

/// The first bytes of a hello.
pub(super) const MAGIC: [u8; 4] = *b"GSSP";
/// Version 1 sent whole lists, and had no attested root.
pub(super) const VERSION: u8 = 2;
/// Bytes of the length in front of a frame.
pub(super) const LENGTH_LEN: usize = 4;
/// Bytes of a gossip frame before the body: tag, id, send time, hop.
const GOSSIP_HEAD_LEN: usize = 1 + (6 + 8 + 8) + 8 + 2;

/// The first byte of a frame. A hello's is the first of [`MAGIC`].
mod tag {
    pub(super) const PEER_LIST: u8 = 1;
    pub(super) const LIST_REQUEST: u8 = 2;
    pub(super) const GOSSIP: u8 = 3;
    pub(super) const PROBE: u8 = 4;
    pub(super) const PROBE_REPLY: u8 = 5;
    pub(super) const DEAD_REPORT: u8 = 6;
    pub(super) const REFUSAL: u8 = 7;
    pub(super) const GOODBYE: u8 = 8;
    pub(super) const HELLO: u8 = super::MAGIC[0];
}

/// Reads frames.
#[derive(Debug, Default)]
pub(super) struct FramedDecoder {
    greeted: bool,
}

impl FramedDecoder {
    pub(super) fn read(&mut self, src: &mut BytesMut, ending: PartialInput) -> Result<Option<Message>, WireError> {
        if !self.greeted && speaks_classic(src) {
            let named = grammar::address(src).ok().map(|(listen, _)| listen);
            return Err(WireError::OtherDialect { speaks: Dialect::Classic, named });
        }
        match self.frame(src) {
            Ok(Some(message)) => Ok(Some(message)),
            Ok(None) => self.wait(src, ending),
            Err(rule) => Err(WireError::violation(rule, src)),
        }
    }

    /// The bytes at the front of `src` are no whole frame.
    fn wait(&self, src: &[u8], ending: PartialInput) -> Result<Option<Message>, WireError> {
        match ending {
            PartialInput::Open | PartialInput::Quiet => Ok(None),
            PartialInput::Closed if src.is_empty() => Ok(None),
            PartialInput::Closed if self.greeted => Err(WireError::cut_off()),
            PartialInput::Closed => Err(WireError::violation(Rule::Malformed, src)),
        }
    }

    /// The next message, or `None` until its frame is complete.
    fn frame(&mut self, src: &mut BytesMut) -> Result<Option<Message>, Rule> {
        let Some(len) = src.first_chunk().map(|length| usize::try_from(u32::from_be_bytes(*length))) else {
            return Ok(None);
        };
        let len = len.map_err(|_| Rule::FrameTooLong)?;
        self.check_start(len, &src[LENGTH_LEN..])?;
        let missing = (LENGTH_LEN + len).saturating_sub(src.len());
        if missing > 0 {
            src.reserve(missing);
            return Ok(None);
        }
        let message = if src[LENGTH_LEN] == tag::GOSSIP { gossip(src, len)? } else { other(src, len)? };
        self.greeted |= matches!(message, Message::Hello(_));
        Ok(Some(message))
    }

    /// Checks what the length and the first bytes show, before room is made for the rest.
    fn check_start(&self, len: usize, start: &[u8]) -> Result<(), Rule> {
        if !self.greeted {
            return check_first(len, start);
        }
        if len > FRAME_LEN_MAX {
            return Err(Rule::FrameTooLong);
        }
        if len > GOSSIP_HEAD_LEN + BODY_LEN_MAX && start.first() == Some(&tag::GOSSIP) {
            return Err(Rule::TextTooLong);
        }
        if len == 0 { Err(Rule::Malformed) } else { Ok(()) }
    }
}

/// See [`LinkEncoder::read_back`](super::LinkEncoder::read_back).
pub(super) fn read_back(pieces: &[(Bytes, usize)]) -> Vec<Message> {
    let mut src = BytesMut::new();
    for (bytes, _) in pieces {
        src.extend_from_slice(bytes);
    }
    let mut written: usize = pieces.iter().map(|(_, written)| written).sum();
    let (mut decoder, mut messages) = (FramedDecoder { greeted: true }, Vec::new());
    loop {
        let len = src.len();
        let Ok(Some(message)) = decoder.frame(&mut src) else { return messages };
        if let Some(rest) = written.checked_sub(len - src.len()) {
            written = rest;
        } else {
            written = 0;
            messages.push(message);
        }
    }
}

/// The first frame is a hello, or the answer of a node that does not want the link. Until its tag
/// has come, it may be any of them.
fn check_first(len: usize, start: &[u8]) -> Result<(), Rule> {
    if len == 0 || len > HELLO_LEN_MAX {
        return Err(Rule::HelloExpected);
    }
    match start.first() {
        Some(&(tag::REFUSAL | tag::GOODBYE)) | None => Ok(()),
        Some(_) => check_hello_start(len, start),
    }
}

/// A hello of another version is known by its first five bytes.
fn check_hello_start(len: usize, start: &[u8]) -> Result<(), Rule> {
    let magic = &start[..start.len().min(MAGIC.len())];
    if len <= MAGIC.len() || !MAGIC.starts_with(magic) {
        return Err(Rule::HelloExpected);
    }
    match start.get(MAGIC.len()) {
        Some(version) if *version != VERSION => Err(Rule::UnknownVersion),
        Some(_) | None => Ok(()),
    }
}

/// Where the sender of the framed hello in front of `start` listens, if it is complete.
pub(super) fn hello_address(start: &[u8]) -> Option<Addr> {
    let mut fields = Fields::new(start.get(LENGTH_LEN + MAGIC.len() + 1..)?);
    (start.get(LENGTH_LEN + MAGIC.len()) == Some(&VERSION)).then(|| fields.addr().ok())?
}

/// Whether `start`, the first bytes of a link, could be (the beginning of) a framed hello.
pub(super) fn starts_with_hello(start: &[u8]) -> bool {
    let length = [0, 0, 0].iter().zip(start).all(|(zero, byte)| zero == byte);
    length && start.iter().skip(LENGTH_LEN).zip(MAGIC).all(|(byte, magic)| *byte == magic)
}

/// Whether the first bytes of a link are a classic address, pickle or text.
fn speaks_classic(src: &[u8]) -> bool {
    match src {
        [b'(', b'\'' | b'"', ..] | [0x80, 2..=5, ..] => true,
        [a, b, b'.', c, ..] => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit(),
        _ => src.starts_with(b"Live") || src.starts_with(b"Dead"),
    }
}

/// The gossip message in front of `src`; its body becomes a slice of the read buffer.
fn gossip(src: &mut BytesMut, len: usize) -> Result<Message, Rule> {
    let mut fields = Fields::new(&src[LENGTH_LEN + 1..LENGTH_LEN + len]);
    let id = MessageId { origin: fields.addr()?, run: fields.u64()?, seq: fields.u64()? };
    let trace = Trace { sent: fields.time()?, hop: fields.u16()? };
    if trace.hop == 0 {
        return Err(Rule::Malformed);
    }
    src.advance(LENGTH_LEN + GOSSIP_HEAD_LEN);
    let body = Body::from(src.split_to(len - GOSSIP_HEAD_LEN).freeze());
    Ok(Message::Gossip(Arc::new(Gossip { id, body, trace: Some(trace) })))
}

/// The message in front of `src` that is not gossip.
fn other(src: &mut BytesMut, len: usize) -> Result<Message, Rule> {
    let mut fields = Fields::new(&src[LENGTH_LEN..LENGTH_LEN + len]);
    let message = match fields.u8()? {
        tag::HELLO => hello(&mut fields)?,
        tag::PEER_LIST => Message::PeerList(sample(&mut fields)?),
        tag::LIST_REQUEST => Message::ListRequest,
        tag::PROBE => {
            let (seq, asker) = (fields.u64()?, fields.addr()?);
            Message::Probe { seq, asker, clock: fields.clock()?, extras: fields.extras()? }
        }
        tag::PROBE_REPLY => {
            let (seq, asker) = (fields.u64()?, fields.addr()?);
            Message::ProbeReply { seq, asker, clock: fields.clock()?, extras: fields.extras()? }
        }
        tag::DEAD_REPORT => {
            let (dead, clock) = (fields.addr()?, fields.clock()?);
            Message::DeadReport { dead, clock, reporter: fields.addr()?, cause: fields.cause()? }
        }
        tag::REFUSAL => Message::Refusal { reason: fields.refusal_reason()?, referral: fields.list()? },
        tag::GOODBYE => Message::Goodbye { reason: fields.goodbye_reason()?, referral: fields.list()? },
        _ => return Err(Rule::Malformed),
    };
    fields.finish()?;
    src.advance(LENGTH_LEN + len);
    Ok(message)
}

fn sample(fields: &mut Fields<'_>) -> Result<PeerSample, Rule> {
    Ok(PeerSample { peers: fields.list()?, listed: fields.u32()?, lowest: fields.lowest()? })
}

/// A hello after the first byte of its magic.
fn hello(fields: &mut Fields<'_>) -> Result<Message, Rule> {
    if [fields.u8()?, fields.u8()?, fields.u8()?] != MAGIC[1..] {
        return Err(Rule::Malformed);
    }
    if fields.u8()? != VERSION {
        return Err(Rule::UnknownVersion);
    }
    Ok(Message::Hello(Hello { listen: fields.addr()?, role: fields.role()?, priority: fields.priority()? }))
}

/// Writes a message; see [`super::LinkEncoder::encode_parts`].
pub(super) fn encode(message: &Message, head: &mut BytesMut) -> Result<Option<Bytes>, Unwritable> {
    match message {
        Message::Gossip(gossip) => return put_gossip(gossip, head),
        Message::Hello(hello) => frame(head, tag::HELLO, |out| put_hello(out, *hello)),
        Message::PeerList(sample) => put_sample(head, sample)?,
        Message::ListRequest => frame(head, tag::LIST_REQUEST, |_| ()),
        Message::Probe { seq, asker, clock, extras } => {
            frame(head, tag::PROBE, |out| put_probe(out, *seq, *asker, *clock, extras.as_ref()));
        }
        Message::ProbeReply { seq, asker, clock, extras } => {
            frame(head, tag::PROBE_REPLY, |out| put_probe(out, *seq, *asker, *clock, extras.as_ref()));
        }
        Message::DeadReport { dead, clock, reporter, cause } => frame(head, tag::DEAD_REPORT, |out| {
            put_addr(out, *dead);
            out.put_u32(clock.seconds());
            put_addr(out, *reporter);
            put_cause(out, *cause);
        }),
        Message::Refusal { reason, referral } => {
            put_list_frame(head, tag::REFUSAL, refusal_code(*reason), referral)?;
        }
        Message::Goodbye { reason, referral } => {
            put_list_frame(head, tag::GOODBYE, goodbye_code(*reason), referral)?;
        }
    }
    Ok(None)
}

/// A frame with this tag and what `fields` writes after it.
fn frame(head: &mut BytesMut, tag: u8, fields: impl FnOnce(&mut BytesMut)) {
    let start = head.len();
    head.put_u32(0);
    head.put_u8(tag);
    fields(head);
    let len = u32::try_from(head.len() - start - LENGTH_LEN).unwrap_or(u32::MAX);
    head[start..start + LENGTH_LEN].copy_from_slice(&len.to_be_bytes());
}

fn put_sample(head: &mut BytesMut, sample: &PeerSample) -> Result<(), Unwritable> {
    check_list(&sample.peers)?;
    frame(head, tag::PEER_LIST, |out| {
        put_list(out, &sample.peers);
        out.put_u32(sample.listed);
        put_lowest(out, sample.lowest);
    });
    Ok(())
}

fn check_list(list: &[Addr]) -> Result<(), Unwritable> {
    if list.len() > LIST_LEN_MAX {
        return Err(Unwritable::TooManyAddresses { len: list.len(), max: LIST_LEN_MAX });
    }
    Ok(())
}

fn put_list_frame(head: &mut BytesMut, tag: u8, reason: u8, list: &[Addr]) -> Result<(), Unwritable> {
    check_list(list)?;
    frame(head, tag, |out| {
        out.put_u8(reason);
        put_list(out, list);
    });
    Ok(())
}

fn put_hello(out: &mut BytesMut, hello: Hello) {
    out.put_slice(&MAGIC[1..]);
    out.put_u8(VERSION);
    put_addr(out, hello.listen);
    out.put_u8(role_code(hello.role));
    out.put_u8(priority_code(hello.priority));
}

fn put_probe(out: &mut BytesMut, seq: ProbeSeq, asker: Addr, clock: ClockTime, extras: Option<&ProbeExtras>) {
    out.put_u64(seq);
    put_addr(out, asker);
    out.put_u32(clock.seconds());
    put_extras(out, extras);
}

/// Hot: every rumor passes here once for each neighbor.
fn put_gossip(gossip: &Gossip, head: &mut BytesMut) -> Result<Option<Bytes>, Unwritable> {
    let Some(trace) = gossip.trace.filter(|trace| trace.hop > 0) else {
        return Err(Unwritable::NoTrace);
    };
    let body = gossip.body.bytes();
    let len = u32::try_from(GOSSIP_HEAD_LEN + body.len()).ok().filter(|_| body.len() <= BODY_LEN_MAX);
    let Some(len) = len else {
        return Err(Unwritable::BodyTooLong { len: body.len(), max: BODY_LEN_MAX });
    };
    head.reserve(LENGTH_LEN + GOSSIP_HEAD_LEN + body.len().min(BODY_COPY_MAX));
    head.put_u32(len);
    head.put_u8(tag::GOSSIP);
    put_addr(head, gossip.id.origin);
    head.put_u64(gossip.id.run);
    head.put_u64(gossip.id.seq);
    head.put_u64(trace.sent.as_micros());
    head.put_u16(trace.hop);
    if body.len() > BODY_COPY_MAX {
        return Ok(Some(body.clone()));
    }
    head.put_slice(body);
    Ok(None)
}
