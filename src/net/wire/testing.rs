//! What several tests of this module need.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::{LinkContext, LinkDecoder, LinkEncoder, WireError};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose, Rule};
use crate::proto::message::{Dialect, Gossip, Message, MessageId, Role, Trace};
use crate::proto::time::Time;

/// A peer's end of a link to another peer, which it dialed.
pub(super) fn context(dialect: Dialect) -> LinkContext {
    LinkContext {
        dialect,
        local: Addr::loopback(3000),
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Outbound,
    }
}

/// The end of a link that is read: dialed by the other side, or a seed that we dialed.
pub(super) fn reading(dialect: Dialect, purpose: Purpose, direction: Direction) -> LinkContext {
    LinkContext { purpose, direction, ..context(dialect) }
}

pub(super) fn gossip_with(body: Bytes) -> Gossip {
    Gossip {
        id: MessageId { origin: Addr::loopback(4000), run: 1_790_000_000, seq: 12 },
        body: body.into(),
        trace: Some(Trace { sent: Time::from_micros(1_790_000_123_456_789), hop: 2 }),
    }
}

/// The messages one behind the other, as a link writes them.
pub(super) fn whole(dialect: Dialect, messages: &[Message]) -> Vec<u8> {
    let mut encoder = LinkEncoder::new(context(dialect));
    let mut bytes = BytesMut::new();
    for message in messages {
        encoder.encode(message, &mut bytes).unwrap();
    }
    bytes.to_vec()
}

/// How a link ended, as far as a test compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamEnd {
    Clean,
    CutOff,
    Broken(Rule),
    Speaks(Dialect),
}

fn end_of(error: &WireError) -> StreamEnd {
    match error {
        WireError::Io(_) => StreamEnd::CutOff,
        WireError::Violation(violation) => StreamEnd::Broken(violation.rule),
        WireError::OtherDialect { speaks, .. } => StreamEnd::Speaks(*speaks),
    }
}

/// All that a link reads from these segments, and how it ended. Checks on the way that an end stays an end.
pub(super) fn read<'a>(
    context: LinkContext,
    segments: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Message>, StreamEnd) {
    let mut decoder = LinkDecoder::new(context);
    let mut src = BytesMut::new();
    let mut messages = Vec::new();
    let mut end = StreamEnd::Clean;
    let mut note = |result: Result<Option<Message>, WireError>| match result {
        Ok(Some(message)) => {
            assert_eq!(end, StreamEnd::Clean, "a message after the end");
            messages.push(message);
            true
        }
        Ok(None) => false,
        Err(error) => {
            assert_eq!(end, StreamEnd::Clean, "a second end");
            end = end_of(&error);
            true
        }
    };
    for segment in segments {
        src.extend_from_slice(segment);
        while note(decoder.decode(&mut src)) {}
    }
    while note(decoder.decode_eof(&mut src)) {}
    (messages, end)
}
