//! What can end the program, each with its exit code.

use std::path::{Path, PathBuf};

use super::address::AddressError;
use super::config_file::ConfigError;
use super::script_file::ScriptFileError;
use super::seeds_file::SeedListError;
use crate::engine::Refusal;
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::session::archive::{DeleteError, FindError};
use crate::session::export::ExportError;
use crate::session::journal::JournalError;
use crate::ui::UiError;

/// Why the program ends without having done what was asked. Each is one line that says what failed,
/// with which value, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("stdout is not a terminal: use --headless")]
    NotATerminal,
    #[error("stdout is not a terminal: start a node without a screen, such as 'gossipctl lab --headless'")]
    NoTerminalToStartIn,
    #[error("stdout is not a terminal: 'gossipctl export' prints a session without one")]
    NoTerminalToReplayIn,
    /// Contradictory limits.
    #[error(
        "--max-dial {dial} is more than --max-neighbors {accept}: a peer cannot aim for more links than it may have"
    )]
    TooFewNeighbors {
        /// Links to aim for.
        dial: usize,
        /// Links to accept.
        accept: usize,
    },
    /// Virtual time without a screen would go on forever.
    #[error("virtual time does not end by itself: give --duration, or a --script that does something")]
    NoEnd,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Script(#[from] ScriptFileError),
    /// Contradictory limits.
    #[error(
        "--journal-max {} is more than --sessions-max {}: one journal cannot take more than all together",
        size_text(*journal), size_text(*sessions)
    )]
    TooLittleRoom {
        /// What one journal may take, in bytes.
        journal: u64,
        /// What all may take, in bytes.
        sessions: u64,
    },
    #[error("no home directory to keep sessions in: set XDG_STATE_HOME")]
    NoHome,
    /// The sessions cannot be listed.
    #[error("{}: cannot be read: {error}", dir.display())]
    Sessions {
        /// Where they are.
        dir: PathBuf,
        error: std::io::Error,
    },
    #[error(transparent)]
    NoSuchSession(#[from] FindError),
    #[error(transparent)]
    NotDeleted(#[from] DeleteError),
    /// A session runs, so none was deleted.
    #[error("{} is running: quit it before you delete it; nothing was deleted", .0)]
    StillRunning(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Export(ExportError),
    #[error("{} exists already: --force replaces it", .0.display())]
    ExportExists(PathBuf),
    /// A name for a node whose address is its name already.
    #[error("--advertise is for --listen 0.0.0.0:PORT: a node that listens on {listen} is known by that address")]
    Advertise {
        /// Where it listens.
        listen: Addr,
    },
    /// The host name to listen on has no usable address.
    #[error("--listen: {0}")]
    Listen(AddressError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Seeds(#[from] SeedListError),
    #[error(transparent)]
    Console(#[from] UiError),
    /// The console has a fault. All nodes have left politely, and all records are written.
    #[error(
        "{what}: a fault in gossipctl; every node of this process has said goodbye{}{}",
        place("log", log.as_deref()), place("journal", journal.as_deref())
    )]
    Panicked {
        /// File, line and message.
        what: String,
        /// Where the diagnostics are.
        log: Option<PathBuf>,
        /// The recording of what happened before.
        journal: Option<PathBuf>,
    },
    #[error("cannot write to stdout: {0}")]
    Stdout(std::io::Error),
    /// The system refuses what every program needs.
    #[error("cannot start: {0}")]
    System(std::io::Error),
}

impl Failure {
    /// 2 for what the user can correct on the command line or in a file, 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NotATerminal
            | Self::NoTerminalToStartIn
            | Self::NoTerminalToReplayIn
            | Self::TooFewNeighbors { .. }
            | Self::NoEnd
            | Self::Script(_)
            | Self::TooLittleRoom { .. }
            | Self::NoHome
            | Self::NoSuchSession(_)
            | Self::Journal(JournalError::ReadOnce { .. })
            | Self::ExportExists(_)
            | Self::Export(
                ExportError::UnknownEnding { .. } | ExportError::IsJournal { .. } | ExportError::IsRecording { .. },
            )
            | Self::Advertise { .. }
            | Self::Listen(_)
            | Self::Config(_)
            | Self::Seeds(_) => 2,
            Self::Refused(refusal) if refusal.is_usage() => 2,
            Self::Refused(_)
            | Self::Sessions { .. }
            | Self::NotDeleted(_)
            | Self::StillRunning(_)
            | Self::Journal(_)
            | Self::Export(ExportError::Exists { .. } | ExportError::Write { .. } | ExportError::Journal(_))
            | Self::Console(_)
            | Self::Panicked { .. }
            | Self::Stdout(_)
            | Self::System(_) => 1,
        }
    }
}

fn place(what: &str, path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("; {what}: {}", path.display()))
}
