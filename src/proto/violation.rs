//! The rules that a remote can break, and violations of them.

use serde::{Deserialize, Serialize};

use super::text::Body;

/// Rules of the protocol that a remote can break. Each has a limit with a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    FrameTooLong,
    TextTooLong,
    ListTooLong,
    /// Bytes that are no message of this dialect.
    Malformed,
    /// A hello of a version that this node does not know.
    UnknownVersion,
    /// A pickle that holds more than lists, tuples, strings and integers.
    HostilePickle,
    /// Something else than a hello came first.
    HelloExpected,
    HelloTwice,
    /// A message that this role never gets, or not on this kind of link.
    Unexpected,
    /// An address at which nobody can listen, or not where the remote is.
    BadAddress,
    /// The address of another node, whose link is up and answers.
    NameTaken,
    /// A connection from a machine that may not link.
    NotAllowed,
    HandshakeTimeout,
    /// More connections than allowed were waiting to say hello, or open at all.
    TooManyLinks,
    /// More messages than a link may bring, gossip aside, for longer than any queue of an honest
    /// node lasts.
    TooManyMessages,
}

/// Events that were too many to be reported one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Omission {
    /// Links that others opened and that ended before they were announced.
    Links,
    /// Links that others asked for and did not get.
    Refusals,
    /// Seed: reports of nodes that are not on the list.
    Reports,
}

/// What a remote did wrong, and the bytes that show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub rule: Rule,
    /// The first bytes of the offense, at most [`Violation::BYTES_MAX`]; the name of the message if
    /// it was well-formed but out of place.
    pub bytes: Body,
}

impl Violation {
    /// Enough to recognize what it was, and few enough for a line.
    pub const BYTES_MAX: usize = 32;

    pub fn new(rule: Rule, bytes: &[u8]) -> Self {
        let first = &bytes[..bytes.len().min(Self::BYTES_MAX)];
        Self { rule, bytes: bytes::Bytes::copy_from_slice(first).into() }
    }
}
