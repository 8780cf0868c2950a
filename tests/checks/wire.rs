//! The decoders of both dialects.

use bytes::BytesMut;
use gossipctl::net::wire::{FRAME_LEN_MAX, LinkContext, LinkDecoder, LinkEncoder, WireError};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::event::{Direction, Purpose, Rule};
use gossipctl::proto::message::{Dialect, Message, Role};
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::memory::measured;
use super::pieces;

/// Bytes that come at once when memory is measured.
const READ_LEN: usize = 1_024;
/// What a framed link may hold while it reads, whatever comes: a frame in a buffer that has just grown
/// to hold it, and the longest list.
pub(crate) const FRAMED_HELD_MAX: usize = 3 * FRAME_LEN_MAX + 8 * READ_LEN;
/// The same for a classic text, which has 1,000 bytes at most.
pub(crate) const TEXT_HELD_MAX: usize = 16 * READ_LEN;
/// The same for a pickle: a stack and a memo of some ten thousand values of eight bytes.
pub(crate) const PICKLE_HELD_MAX: usize = 1024 * 1024;
/// Up to this length a stream is also read byte by byte.
const SINGLE_BYTES_MAX: usize = 200;

/// A hello, so that what follows is read as the frames behind it.
const HELLO: &[u8] = b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0";
/// An address, so that what follows is read as the texts behind it.
const NAME: &[u8] = b"('127.0.0.1', 4000)";
/// A gossip message up to its text.
const GOSSIP: &[u8] = b"03.05.31:('127.0.0.1', 4000):";

/// How a link ended, as far as two readings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Clean,
    CutOff,
    Broken(Rule),
    Speaks(Dialect),
}

/// Checks these bytes as what comes on a framed link: from its start, and behind a hello.
pub(crate) fn framed(bytes: &[u8]) {
    let link = context(Dialect::Framed, Purpose::Neighbor, Direction::Inbound);
    for stream in [bytes.to_vec(), [HELLO, bytes].concat()] {
        let (messages, end) = check(link, &stream, FRAMED_HELD_MAX);
        let written: Vec<u8> = messages.iter().flat_map(|message| encode(link, message).unwrap()).collect();
        assert!(stream.starts_with(&written), "one message has two forms: {messages:?}");
        assert!(end != End::Clean || written.len() == stream.len(), "bytes went by: {messages:?}");
    }
}

/// Checks these bytes as what comes on each kind of classic link: texts, an address first, or a pickle first.
pub(crate) fn classic(bytes: &[u8]) {
    let link = |purpose, direction| context(Dialect::Classic, purpose, direction);
    let texts = link(Purpose::Neighbor, Direction::Outbound);
    let named = link(Purpose::Neighbor, Direction::Inbound);
    let listed = link(Purpose::Registration, Direction::Outbound);
    for (link, stream, held_max) in [
        (texts, bytes.to_vec(), TEXT_HELD_MAX),
        (texts, [GOSSIP, bytes].concat(), TEXT_HELD_MAX),
        (named, bytes.to_vec(), TEXT_HELD_MAX),
        (named, [NAME, bytes].concat(), TEXT_HELD_MAX),
        (listed, bytes.to_vec(), PICKLE_HELD_MAX),
    ] {
        let (messages, _) = check(link, &stream, held_max);
        for message in &messages {
            reads_back(message);
        }
        read_with_silence(link, &pieces(&stream));
    }
}

fn context(dialect: Dialect, purpose: Purpose, direction: Direction) -> LinkContext {
    LinkContext { dialect, local: Addr::loopback(3000), role: Role::Peer, purpose, direction }
}

/// What a link reads is the same however the network cuts it, and never takes more memory than its limit.
fn check(link: LinkContext, stream: &[u8], held_max: usize) -> (Vec<Message>, End) {
    let whole = read(link, &[stream]);
    assert_eq!(whole, read(link, &pieces(stream)), "cut at {:?}", lens(&pieces(stream)));
    if stream.len() <= SINGLE_BYTES_MAX {
        assert_eq!(whole, read(link, &stream.chunks(1).collect::<Vec<_>>()), "byte by byte");
    }
    let held = most_held(link, stream.chunks(READ_LEN));
    assert!(held <= held_max, "{held} bytes held to read {} of them", stream.len());
    whole
}

fn lens(pieces: &[&[u8]]) -> Vec<usize> {
    pieces.iter().map(|piece| piece.len()).collect()
}

/// All that a link reads from these pieces, and how it ended. An end stays an end.
pub(crate) fn read(link: LinkContext, pieces: &[&[u8]]) -> (Vec<Message>, End) {
    let mut decoder = LinkDecoder::new(link);
    let mut src = BytesMut::new();
    let (mut messages, mut end) = (Vec::new(), End::Clean);
    let mut note = |result: Result<Option<Message>, WireError>| match result {
        Ok(Some(message)) => {
            assert_eq!(end, End::Clean, "a message after the end");
            messages.push(message);
            true
        }
        Ok(None) => false,
        Err(error) => {
            assert_eq!(end, End::Clean, "a second end");
            end = end_of(&error);
            true
        }
    };
    for piece in pieces {
        src.extend_from_slice(piece);
        while note(decoder.decode(&mut src)) {}
    }
    while note(decoder.decode_eof(&mut src)) {}
    (messages, end)
}

fn end_of(error: &WireError) -> End {
    match error {
        WireError::Io(_) => End::CutOff,
        WireError::Violation(violation) => End::Broken(violation.rule),
        WireError::OtherDialect { speaks, .. } => End::Speaks(*speaks),
    }
}

/// The most memory that a link held while it read this and let go of each message, as a node does.
pub(crate) fn most_held<'a>(link: LinkContext, pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    let read_all = || {
        let mut decoder = LinkDecoder::new(link);
        let mut src = BytesMut::new();
        for piece in pieces {
            src.extend_from_slice(piece);
            while let Ok(Some(_)) = decoder.decode(&mut src) {}
        }
        while let Ok(Some(_)) = decoder.decode_eof(&mut src) {}
    };
    measured(read_all).1
}

/// A pause after each piece: when the decoder says that a message is complete unless more comes, there is one, or
/// it is found to be none.
fn read_with_silence(link: LinkContext, pieces: &[&[u8]]) {
    let mut decoder = LinkDecoder::new(link);
    let mut src = BytesMut::new();
    for piece in pieces {
        src.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut src) {
                Ok(Some(_)) => {}
                Ok(None) if decoder.quiet(&src).is_some() => {
                    let flushed = decoder.flush(&mut src);
                    assert!(!matches!(flushed, Ok(None)), "nothing complete in {src:?}");
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fn encode(link: LinkContext, message: &Message) -> Option<Vec<u8>> {
    let mut bytes = BytesMut::new();
    LinkEncoder::new(link).encode(message, &mut bytes).ok()?;
    Some(bytes.to_vec())
}

/// What was read and can be written for others reads the same there.
fn reads_back(message: &Message) {
    let (purpose, direction) = match message {
        Message::PeerList(_) => (Purpose::Registration, Direction::Outbound),
        Message::Hello(_) => (Purpose::Neighbor, Direction::Inbound),
        _ => (Purpose::Neighbor, Direction::Outbound),
    };
    let link = context(Dialect::Classic, purpose, direction);
    let Some(bytes) = encode(link, message) else { return };
    assert_eq!(read(link, &[&bytes[..]]), (vec![message.clone()], End::Clean), "{}", bytes.escape_ascii());
}
