//! The classic dialect: the protocol of the existing Python nodes, byte for byte.
//!
//! What comes first on a link depends on who we are and who dialed; from then on all is text, see
//! `grammar`. Only the dialer of a link names itself on it. A framed dialer is answered with our
//! address, too, so that it recognizes the classic dialect.
//!
//! | we are | who dialed | first comes |
//! |---|---|---|
//! | peer | we, a seed | a pickle: the list |
//! | peer | we, a peer | nothing: text at once |
//! | peer or seed | they | their address |

use std::fmt::Display;
use std::io::Write as _;

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::grammar::{self, Boundary, NoMessage, PartialInput};
use super::pickle::{self, PickleReader};
use super::{CLASSIC_MESSAGE_LEN_MAX, CLASSIC_READ_LEN, CLASSIC_TEXT_LEN_MAX, LinkContext, WireError, framed};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose, Rule, TextProblem, Unwritable};
use crate::proto::message::{Dialect, Gossip, Message};
use crate::proto::time::ClockTime;

/// Reads the list, the address and the texts of a classic link.
#[derive(Debug)]
pub(super) struct ClassicDecoder {
    stage: ReadStage,
    /// The first bytes have been seen, and are not those of a framed hello.
    begun: bool,
}

/// What comes next on the link.
#[derive(Debug)]
enum ReadStage {
    List(PickleReader),
    Address,
    Text,
}

impl ClassicDecoder {
    pub(super) fn new(context: LinkContext) -> Self {
        let stage = match (context.direction, context.purpose) {
            (Direction::Inbound, _) => ReadStage::Address,
            (Direction::Outbound, Purpose::Registration) => ReadStage::List(PickleReader::default()),
            (Direction::Outbound, Purpose::Neighbor) => ReadStage::Text,
        };
        Self { stage, begun: false }
    }

    pub(super) fn read(&mut self, src: &mut BytesMut, ending: PartialInput) -> Result<Option<Message>, WireError> {
        if !self.begun && self.may_be_framed(src)? && ending != PartialInput::Closed {
            return Ok(None);
        }
        match self.next(src, ending) {
            Ok(message) => Ok(Some(message)),
            Err(NoMessage::More) => self.wait(src, ending),
            Err(NoMessage::Broken(rule)) => Err(WireError::violation(rule, src)),
        }
    }

    /// Whether [`ClassicDecoder::read`] would find a message in `src`, or an error, if the stream
    /// went quiet.
    pub(super) fn is_complete_if_quiet(&self, src: &[u8]) -> bool {
        let reads_text = self.begun && matches!(self.stage, ReadStage::Text);
        reads_text && grammar::message(src, PartialInput::Quiet) != Err(NoMessage::More)
    }

    /// An error if the link starts with a framed hello; true while that cannot be known.
    fn may_be_framed(&mut self, src: &[u8]) -> Result<bool, WireError> {
        if !framed::starts_with_hello(src) {
            self.begun = true;
            return Ok(false);
        }
        if src.len() >= framed::LENGTH_LEN + framed::MAGIC.len() {
            return Err(WireError::OtherDialect { speaks: Dialect::Framed, named: framed::hello_address(src) });
        }
        Ok(true)
    }

    fn next(&mut self, src: &mut BytesMut, ending: PartialInput) -> Result<Message, NoMessage> {
        let (message, len) = match &mut self.stage {
            ReadStage::List(reader) => (Message::PeerList(reader.read(src)?.into()), 0),
            ReadStage::Address => address(src)?,
            ReadStage::Text => grammar::message(src, ending)?,
        };
        src.advance(len);
        self.stage = ReadStage::Text;
        Ok(message)
    }

    /// The bytes at the front of `src` are no whole message.
    fn wait(&self, src: &[u8], ending: PartialInput) -> Result<Option<Message>, WireError> {
        let begun = !src.is_empty() || matches!(&self.stage, ReadStage::List(reader) if reader.has_begun());
        match (ending, &self.stage) {
            (PartialInput::Closed, ReadStage::Address) if begun => Err(WireError::violation(Rule::Malformed, src)),
            (PartialInput::Closed, _) if begun => Err(WireError::cut_off()),
            (PartialInput::Open | PartialInput::Quiet | PartialInput::Closed, _) => Ok(None),
        }
    }
}

/// The address that comes first. Anything else first is a rule of its own, so that a web browser on
/// the wrong port reads as what it is.
fn address(src: &[u8]) -> Result<(Message, usize), NoMessage> {
    match grammar::address(src) {
        Ok((listen, len)) => Ok((grammar::hello(listen), len)),
        Err(NoMessage::Broken(Rule::Malformed)) => Err(NoMessage::Broken(Rule::HelloExpected)),
        Err(stop) => Err(stop),
    }
}

/// Writes classic messages, each in one piece.
#[derive(Debug)]
pub(super) struct ClassicEncoder {
    local: Addr,
}

impl ClassicEncoder {
    pub(super) fn new(context: LinkContext) -> Self {
        Self { local: context.local }
    }

    /// Appends the bytes of `message`: none if the dialect has no words for it.
    pub(super) fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), Unwritable> {
        if !message.has_words_in(Dialect::Classic) {
            return Ok(());
        }
        match message {
            Message::Hello(hello) => put(out, hello.listen.python()),
            Message::PeerList(sample) => return put_list(out, &sample.peers),
            Message::Gossip(gossip) => return self.put_gossip(out, gossip),
            Message::Probe { asker, clock, .. } => {
                put(out, format_args!("Liveness Request:{clock}:{}", asker.python()));
            }
            Message::ProbeReply { asker, clock, .. } => {
                put(out, format_args!("Liveness Reply:{clock}:{}:{}", asker.python(), self.local.python()));
            }
            Message::DeadReport { dead, clock, reporter, .. } => {
                put(out, format_args!("Dead Node:{}:{clock}:{}", dead.python(), reporter.python()));
            }
            // The dialect has no words for these.
            Message::ListRequest | Message::Refusal { .. } | Message::Goodbye { .. } => {}
        }
        Ok(())
    }

    fn put_gossip(&self, out: &mut BytesMut, gossip: &Gossip) -> Result<(), Unwritable> {
        let origin = gossip.id.origin;
        let Some(clock) = u32::try_from(gossip.id.run).ok().and_then(ClockTime::from_seconds) else {
            return Err(Unwritable::NoTime);
        };
        let text = gossip.body.as_bytes();
        let head = format!("{clock}:{}:", origin.python());
        if origin == self.local {
            check_own_words(text)?;
        }
        check_text(text, CLASSIC_MESSAGE_LEN_MAX - head.len())?;
        out.reserve(head.len() + text.len());
        out.put_slice(head.as_bytes());
        out.put_slice(text);
        Ok(())
    }
}

fn put(out: &mut BytesMut, text: impl Display) {
    // Writing to memory cannot fail.
    let _ = write!(out.writer(), "{text}");
}

fn put_list(out: &mut BytesMut, list: &[Addr]) -> Result<(), Unwritable> {
    let pickle = pickle::write(list);
    if pickle.len() > CLASSIC_READ_LEN {
        return Err(Unwritable::ListTooLong { len: pickle.len(), max: CLASSIC_READ_LEN });
    }
    out.put_slice(&pickle);
    Ok(())
}

/// Why a user cannot send this text in the classic dialect; `None`: it can be sent.
///
/// Stricter than for forwarded texts: no words that a Python node may look for anywhere in a
/// message, and no control characters for it to print.
pub fn classic_text_problem(text: &[u8]) -> Option<TextProblem> {
    check_own_words(text).and_then(|()| check_text(text, CLASSIC_TEXT_LEN_MAX)).err()
}

/// What no classic node, ours or Python's, could read as it was meant.
fn check_text(text: &[u8], max: usize) -> Result<(), TextProblem> {
    if text.is_empty() {
        return Err(TextProblem::Empty);
    }
    if text.len() > max {
        return Err(TextProblem::TooLong { len: text.len(), max });
    }
    if std::str::from_utf8(text).is_err() {
        return Err(TextProblem::NotUtf8);
    }
    check_boundary(text)
}

/// Joined with a following message, the text must end where that message starts.
fn check_boundary(text: &[u8]) -> Result<(), TextProblem> {
    let joined = [text, b"00.00.00:("].concat();
    match grammar::boundary(&joined, text.len()) {
        Boundary::At(at) if at == text.len() => Ok(()),
        Boundary::At(at) => Err(TextProblem::Boundary(shown(&text[at..]))),
        Boundary::Missing { .. } => Ok(()),
    }
}

/// What a user of ours should not send to other people's nodes.
fn check_own_words(text: &[u8]) -> Result<(), TextProblem> {
    let text = std::str::from_utf8(text).map_err(|_| TextProblem::NotUtf8)?;
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(TextProblem::Control(control));
    }
    let words = ["Liveness Request", "Liveness Reply", "Dead Node"];
    match words.iter().find(|words| text.contains(**words)) {
        Some(words) => Err(TextProblem::Boundary((*words).to_owned())),
        None => Ok(()),
    }
}

/// Enough of a text to find the place.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(16).collect()
}
