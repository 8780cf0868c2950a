//! What can go wrong between bytes and messages.

use std::io;

use crate::proto::addr::Addr;
use crate::proto::event::{Rule, Unwritable, Violation};
use crate::proto::message::Dialect;

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
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}
