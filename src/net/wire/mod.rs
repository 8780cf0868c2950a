//! The two dialects: bytes to [`Message`]s and back.
//!
//! A link has a [`LinkDecoder`] on its reading side and a [`LinkEncoder`] on its writing side. Both
//! are told once what the link is ([`LinkContext`]) and then only translate: which message may come
//! when is decided by the machines in [`crate::proto`].
//!
//! `framed` has a length in front of each message and a versioned hello in front of all; `classic`
//! has neither, and relies on the grammar of the texts (`grammar`) and of one pickle (`pickle`).
//! docs/wire.md holds the layout of both, to the byte.
//!
//! Everything here reads what strangers send. Each limit is a constant below; input that breaks one
//! is a [`Violation`](crate::proto::event::Violation), found before anything of that size is kept.

mod classic;
mod error;
mod framed;
mod grammar;
mod pickle;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

pub use self::classic::classic_text_problem;
use self::classic::{ClassicDecoder, ClassicEncoder};
pub use self::error::{EncodeError, WireError};
use self::framed::FramedDecoder;
use self::grammar::PartialInput;
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose, Unwritable};
use crate::proto::message::{Dialect, Message, Role};
use crate::proto::pacing::CLASSIC_WRITE_GAP;

/// The longest frame, without the four bytes of its length. The longest message is gossip with a
/// full body, some 60 KiB.
pub const FRAME_LEN_MAX: usize = 64 * 1024;
/// The longest first frame. A hello has 13 bytes; one of a later version, which should be answered
/// with its version and not with "garbage", may have some more.
pub const HELLO_LEN_MAX: usize = 255;
/// Bodies up to this length are copied after their head; longer ones are written from where they
/// are. A guess: about where one more slice of a vectored write costs as much as the copy.
pub const BODY_COPY_MAX: usize = 512;

/// The longest classic message that is sent or taken. Python nodes take the result of one
/// `recv(1024)` for one message; this leaves room for what they add when they forward it.
pub const CLASSIC_MESSAGE_LEN_MAX: usize = 1_000;
/// The longest text of the user in a classic message: what is left of the longest message beside
/// the time and the longest address.
pub const CLASSIC_TEXT_LEN_MAX: usize = 964;
/// What a Python node reads at once, so the longest pickle that may be sent to it.
pub const CLASSIC_READ_LEN: usize = 1_024;
/// Silence after which the text of a classic gossip message counts as complete. Below the write
/// gap, so that a message does not wait for the next one; above the time between the segments of
/// one write.
pub const CLASSIC_QUIET: Duration = Duration::from_millis(20);

/// What a codec must know of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkContext {
    /// What this node speaks.
    pub dialect: Dialect,
    /// Where this node listens: it names itself in classic answers.
    pub local: Addr,
    pub role: Role,
    pub purpose: Purpose,
    /// Who dialed.
    pub direction: Direction,
}

/// Reads one link.
///
/// After an error it reads nothing more: every later call drops what came and returns nothing.
///
/// A framed gossip body shares the read buffer's memory and keeps that buffer alive: code that
/// stores bodies for long copies them, and a reader's buffer should be some 16 KiB, not megabytes.
#[derive(Debug)]
pub struct LinkDecoder {
    dialect: DialectDecoder,
    failed: bool,
}

#[derive(Debug)]
enum DialectDecoder {
    Framed(FramedDecoder),
    Classic(ClassicDecoder),
}

impl LinkDecoder {
    /// A decoder for a link on which nothing was read yet.
    pub fn new(context: LinkContext) -> Self {
        let dialect = match context.dialect {
            Dialect::Framed => DialectDecoder::Framed(FramedDecoder::default()),
            Dialect::Classic => DialectDecoder::Classic(ClassicDecoder::new(context)),
        };
        Self { dialect, failed: false }
    }

    /// Whether `src` holds a message that is complete if nothing follows it within this time. If
    /// so, stop waiting for more bytes then and call [`LinkDecoder::flush`]. `None`: wait for as
    /// long as it takes.
    ///
    /// Ask after `decode` has returned `None`. This is only ever true of classic gossip, whose text
    /// has no end of its own.
    pub fn quiet(&self, src: &[u8]) -> Option<Duration> {
        match &self.dialect {
            DialectDecoder::Framed(_) => None,
            DialectDecoder::Classic(classic) => {
                (!self.failed && classic.is_complete_if_quiet(src)).then_some(CLASSIC_QUIET)
            }
        }
    }

    /// Reads one message from `src`, to which nothing was added for [`CLASSIC_QUIET`].
    pub fn flush(&mut self, src: &mut BytesMut) -> Result<Option<Message>, WireError> {
        self.read(src, PartialInput::Quiet)
    }

    fn read(&mut self, src: &mut BytesMut, ending: PartialInput) -> Result<Option<Message>, WireError> {
        if self.failed {
            src.clear();
            return Ok(None);
        }
        let result = match &mut self.dialect {
            DialectDecoder::Framed(framed) => framed.read(src, ending),
            DialectDecoder::Classic(classic) => classic.read(src, ending),
        };
        self.failed = result.is_err();
        result
    }
}

impl Decoder for LinkDecoder {
    type Item = Message;
    type Error = WireError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Message>, WireError> {
        self.read(src, PartialInput::Open)
    }

    /// As `decode`, when nothing will follow. Bytes that are no whole message are an error: a
    /// violation before the remote has named itself, `UnexpectedEof` if the remote was cut off in
    /// the middle of a message.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Message>, WireError> {
        self.read(src, PartialInput::Closed)
    }
}

/// Writes one link.
#[derive(Debug)]
pub struct LinkEncoder {
    dialect: DialectEncoder,
}

#[derive(Debug)]
enum DialectEncoder {
    Framed,
    Classic(ClassicEncoder),
}

impl LinkEncoder {
    /// An encoder for a link on which nothing was written yet.
    pub fn new(context: LinkContext) -> Self {
        let dialect = match context.dialect {
            Dialect::Framed => DialectEncoder::Framed,
            Dialect::Classic => DialectEncoder::Classic(ClassicEncoder::new(context)),
        };
        Self { dialect }
    }

    /// Appends `message` to `head`. Bytes that it returns follow on the wire, and are shared with
    /// the message rather than copied. On an error nothing was appended.
    ///
    /// A message that the classic dialect has no words for (a list request, a refusal, a goodbye)
    /// appends nothing.
    pub fn encode_parts(&mut self, message: &Message, head: &mut BytesMut) -> Result<Option<Bytes>, Unwritable> {
        match &self.dialect {
            DialectEncoder::Framed => framed::encode(message, head),
            DialectEncoder::Classic(classic) => classic.encode(message, head).map(|()| None),
        }
    }

    /// The messages in these pieces of what this encoder wrote, in order, but those of which all bytes
    /// are out. Of each piece the first bytes are, as many as it says; a classic one is one message.
    pub fn read_back(&self, pieces: &[(Bytes, usize)]) -> Vec<Message> {
        match &self.dialect {
            DialectEncoder::Framed => framed::read_back(pieces),
            DialectEncoder::Classic(_) => {
                let message = |(bytes, _): &(Bytes, usize)| grammar::message(bytes, PartialInput::Closed).ok();
                pieces.iter().filter_map(message).map(|(message, _)| message).collect()
            }
        }
    }

    /// The least time between two writes. `None`: write as many messages at once as there are.
    /// `Some`: one write per message, with `TCP_NODELAY`.
    pub const fn write_gap(&self) -> Option<Duration> {
        match self.dialect {
            DialectEncoder::Framed => None,
            DialectEncoder::Classic(_) => Some(CLASSIC_WRITE_GAP),
        }
    }
}

impl Encoder<&Message> for LinkEncoder {
    type Error = EncodeError;

    fn encode(&mut self, message: &Message, dst: &mut BytesMut) -> Result<(), EncodeError> {
        if let Some(body) = self.encode_parts(message, dst)? {
            dst.extend_from_slice(&body);
        }
        Ok(())
    }
}
