//! What can end the program, each with its exit code.

use std::io::Write as _;

use super::config_file::ConfigError;
use super::seeds_file::SeedListError;
use crate::net::StartError;
use crate::ui::UiError;

/// Why the program ends without having done what was asked. Each is one line that says what failed,
/// with which value, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The console was asked for, and nobody would see it.
    #[error("stdout is not a terminal: use --headless")]
    NotATerminal,
    /// The start screen was asked for, and nobody would see it.
    #[error("stdout is not a terminal: start a node without a screen, such as 'gossipctl lab --headless'")]
    NoTerminalToStartIn,
    /// Contradicting limits.
    #[error("--max-dial {dial} is more than --max-neighbors {accept}: a peer cannot aim for more links than it has")]
    TooFewNeighbors {
        /// Links to aim for.
        dial: usize,
        /// Links to accept.
        accept: usize,
    },
    /// The config file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The seed list is wrong.
    #[error(transparent)]
    Seeds(#[from] SeedListError),
    /// A node could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The console could not run.
    #[error(transparent)]
    Console(#[from] UiError),
    /// The output cannot be written.
    #[error("stdout: {0}")]
    Stdout(std::io::Error),
    /// The system refuses what every program needs.
    #[error("cannot start: {0}")]
    System(std::io::Error),
}

impl Failure {
    /// 2 for what the user can put right on the command line or in a file, 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NotATerminal
            | Self::NoTerminalToStartIn
            | Self::TooFewNeighbors { .. }
            | Self::Config(_)
            | Self::Seeds(_) => 2,
            Self::Start(_) | Self::Console(_) | Self::Stdout(_) | Self::System(_) => 1,
        }
    }
}

/// Tells the user of something that does not end the program.
pub(crate) fn warn(text: impl std::fmt::Display) {
    say(format_args!("warning: {text}"));
}

/// Says it on stderr. Not by `eprintln`, which panics where the terminal is gone.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
