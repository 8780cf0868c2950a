//! Why nodes do what they do, in words.

use std::fmt;

use crate::event::{NodeState, Rule};
use crate::proto::message::{DeathCause, GoodbyeReason, RefusalReason};

impl fmt::Display for DeathCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misses { misses: 1 } => f.write_str("1 probe unanswered"),
            Self::Misses { misses } => write!(f, "{misses} probes in a row unanswered"),
            Self::LinkError => f.write_str("connection reset"),
            Self::Closed => f.write_str("connection closed without a goodbye"),
            Self::Cut => f.write_str("link cut by the user"),
            Self::Lie => f.write_str("a false report"),
        }
    }
}

impl fmt::Display for GoodbyeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaving => "leaving the network",
            Self::MadeRoom => "made room for a node without neighbors",
            Self::Duplicate => "a second link between the same two nodes",
            Self::Replaced => "replaced by a newer registration",
        })
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "it has as many neighbors as it takes",
            Self::Cut => "the link was cut by the user",
            Self::Myself => "the address is its own",
            Self::WrongRole => "a seed was expected and a peer was there, or the other way round",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FrameTooLong => "a frame longer than allowed",
            Self::TextTooLong => "a text longer than allowed",
            Self::ListTooLong => "a list longer than allowed",
            Self::Malformed => "bytes that are no message",
            Self::UnknownVersion => {
                "another version of the framed protocol than this node speaks; run the same release at both ends"
            }
            Self::HostilePickle => "a pickle that is no plain list of addresses",
            Self::HelloExpected => "something else than its address came first",
            Self::HelloTwice => "named its address twice",
            Self::Unexpected => "a message that does not belong on this link",
            Self::BadAddress => "an address at which it cannot be reached",
            Self::NameTaken => "the address of another node, which is linked and answers",
            Self::NotAllowed => "a connection from a machine that may not link (see --allow)",
            Self::HandshakeTimeout => "did not name its address in time",
            Self::TooManyLinks => "more connections than allowed",
            Self::TooManyMessages => "more messages than a link may bring, gossip aside",
        })
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runs => "runs",
            Self::Hangs => "hangs",
            Self::Killed => "was killed",
            Self::Left => "has left",
        })
    }
}
