//! What can go wrong between bytes and messages.

use std::io;

use crate::proto::addr::Addr;
use crate::proto::event::{Rule, Violation};
use crate::proto::message::Dialect;
use crate::proto::text::Escaped;

/// Why a link cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection failed, or ended in the middle of a message.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{}: '{}'", .0.rule, .0.bytes)]
    Violation(Violation),
    /// The remote speaks the other dialect.
    #[error("it speaks the {speaks} dialect; start this node with --wire {speaks}")]
    OtherDialect {
        /// The remote's dialect.
        speaks: Dialect,
        /// Where it listens, if what has come so far says so.
        named: Option<Addr>,
    },
}

impl WireError {
    pub(super) fn violation(rule: Rule, bytes: &[u8]) -> Self {
        Self::Violation(Violation::new(rule, bytes))
    }

    pub(super) fn cut_off() -> Self {
        Self::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended in the middle of a message"))
    }
}

/// Why a message was not encoded. The link is as good as before.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// `tokio_util` wants one type for this and for a failed write.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The text of a gossip message cannot be sent in the classic dialect.
    #[error(transparent)]
    Text(#[from] TextProblem),
    /// A message or body is longer than its limit.
    #[error("{what} of {len} bytes is too long: the {dialect} dialect takes up to {max}")]
    TooLong {
        what: &'static str,
        /// In bytes.
        len: usize,
        /// In bytes.
        max: usize,
        dialect: Dialect,
    },
    #[error("a list of {len} addresses is too long: the framed dialect takes up to {max}")]
    ListTooLong {
        /// Addresses on the list.
        len: usize,
        max: usize,
    },
    /// A gossip message of the other dialect.
    #[error("a gossip message without {missing} cannot be sent in the {dialect} dialect")]
    Foreign {
        /// What the dialect must write and the message does not have.
        missing: &'static str,
        dialect: Dialect,
    },
}

/// Why a text cannot be the body of a classic gossip message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    #[error("the text is empty: the classic dialect cannot send that")]
    Empty,
    /// Longer than a classic reader takes at once.
    #[error("the text has {len} bytes and the classic dialect takes {max}: shorten it")]
    TooLong {
        /// In bytes.
        len: usize,
        /// In bytes.
        max: usize,
    },
    /// Python nodes fail on such bytes.
    #[error("the text is not UTF-8: classic nodes read nothing else")]
    NotUtf8,
    /// Python nodes print texts unescaped.
    #[error("the text contains the control character '{}', which acts on the terminals of classic nodes", Escaped(.0.to_string().as_bytes()))]
    Control(char),
    /// Without frames, this would be taken for the start of another message.
    #[error("'{0}' in the text would start another message in the classic dialect: reword it")]
    Boundary(String),
}
