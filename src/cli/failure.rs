//! What ends the program before it has done what was asked: a line for the user, and an exit code.

use std::fmt::Display;
use std::io;

use crate::engine::Refusal;
use crate::session::archive::{DeleteError, FindError};
use crate::session::export::ExportError;
use crate::session::journal::JournalError;

/// Why the program ends without having done what was asked. Each is one line that says what failed,
/// with which value, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The user can correct it on the command line or in a file.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Other(String),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
}

impl Failure {
    pub(crate) fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    pub(crate) fn other(why: impl Display) -> Self {
        Self::Other(why.to_string())
    }

    /// The system refuses what every program needs.
    #[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
    pub(crate) fn system(why: io::Error) -> Self {
        Self::other(format_args!("cannot start: {why}"))
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Other(_) | Self::Stdout(_) => 1,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_usage() { Self::usage(refusal) } else { Self::other(refusal) }
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        Self::usage(error)
    }
}

impl From<DeleteError> for Failure {
    fn from(error: DeleteError) -> Self {
        Self::other(error)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        if matches!(error, JournalError::ReadOnce { .. }) { Self::usage(error) } else { Self::other(error) }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Exists { path } => {
                Self::usage(format_args!("{} exists already: --force replaces it", path.display()))
            }
            ExportError::UnknownEnding { .. } | ExportError::IsJournal { .. } | ExportError::IsRecording { .. } => {
                Self::usage(error)
            }
            ExportError::Write { .. } => Self::other(error),
            ExportError::Journal(error) => Self::from(error),
        }
    }
}
