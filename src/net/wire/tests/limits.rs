//! Whatever a stranger sends without end, a node keeps no more of it than a limit says.

use bytes::BytesMut;
use tokio_util::codec::Decoder as _;

use super::super::testing::{context, reading};
use super::super::{FRAME_LEN_MAX, LinkContext, LinkDecoder};
use crate::proto::event::{Direction, Purpose};
use crate::proto::message::Dialect;

/// Bytes that a reader takes from its socket at once.
const READ_LEN: usize = 1_024;

/// The most that the read buffer held while `head` and then `rest` without end came in: up to
/// `total` bytes, or to the end of the link.
fn most_held(context: LinkContext, head: &[u8], rest: &[u8], total: usize) -> usize {
    let mut decoder = LinkDecoder::new(context);
    let mut src = BytesMut::new();
    let mut most = 0;
    let mut stream = head.iter().chain(rest.iter().cycle()).copied().take(total).peekable();
    while stream.peek().is_some() {
        src.extend(stream.by_ref().take(READ_LEN));
        while let Ok(Some(_)) = decoder.decode(&mut src) {}
        most = most.max(src.capacity());
    }
    most
}

#[test]
fn an_endless_text_is_not_kept() {
    let classic = context(Dialect::Classic);
    let gossip = b"03.05.31:('127.0.0.1', 4000):";
    assert!(most_held(classic, gossip, b"x", 300_000) <= 4 * READ_LEN);
    assert!(most_held(classic, gossip, b"1", 300_000) <= 4 * READ_LEN);
    assert!(most_held(classic, gossip, b"Dead Node:(", 300_000) <= 4 * READ_LEN);
    assert!(most_held(classic, b"(", b"'", 300_000) <= 4 * READ_LEN);
}

#[test]
fn an_endless_pickle_is_not_kept() {
    let list = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
    for endless in [&b"q\0"[..], b"(", b"K\x01", b"h\0", b"\x8c\xffx", b"\x95\0\0\0\0\0\0\0\0"] {
        assert!(most_held(list, b"\x80\x04]\x94", endless, 1_000_000) <= 4 * READ_LEN, "{}", endless.escape_ascii());
    }
}

#[test]
fn of_frames_no_more_than_one_is_kept() {
    let framed = context(Dialect::Framed);
    let hello = b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0";
    for length in [&b"\0\x01\0\0\x01"[..], b"\xff\xff\xff\xff", b"\0\0\xf0\x21\x03", b"\0\0\xf0\x22\x03"] {
        let head = [hello, length].concat();
        assert!(most_held(framed, &head, &[0], 1_000_000) <= 2 * FRAME_LEN_MAX + READ_LEN, "{}", length.escape_ascii());
    }
}
