//! What is the operating system's own: everything that one system does differently from another, or not at all.
//!
//! `unix` and `portable` are two halves with the same functions, and one of them is compiled. The portable half uses
//! the standard library, tokio and crossterm alone, so it is also compiled and tested on Unix, with
//! `--features portable` (see `.ci/run`). No other room names a system, and this one imports no other room.
//!
//! | what | Unix | portable half |
//! |---|---|---|
//! | requests to end | SIGINT, SIGTERM, SIGHUP | Ctrl-C; on Windows also Ctrl-Break, a closed window, logoff and shutdown |
//! | a file that is being written | a lock on the file | a lock on a second file beside it: a lock on Windows shuts readers out |
//! | the file behind a name | device and inode | time of creation |
//! | whose a file is | its owner | everybody's: temporary directories are each user's own |
//! | limit of file descriptors | raised as far as the system lets us | none known |
//! | priority of a thread | Linux alone | that of all others |
//! | time that the machine slept | Linux, macOS | unknown; the clock of Windows counts it anyway |
//! | suspending the console | Ctrl-Z, through the shell | absent: no key, no command, no line in the help |
//! | keys | bytes of the terminal, decoded by the console | crossterm's events |
//! | address of a killed node | taken again while old connections linger | the same; Windows allows that unasked |

#[cfg(any(not(unix), feature = "portable"))]
mod lock_file;
#[cfg(any(not(unix), feature = "portable"))]
mod portable;
#[cfg(any(not(unix), feature = "portable"))]
mod stop_signals;
#[cfg(all(unix, not(feature = "portable")))]
mod unix;

use crossterm::event::Event;

#[cfg(any(not(unix), feature = "portable"))]
pub use self::{lock_file::*, portable::*, stop_signals::*};
#[cfg(all(unix, not(feature = "portable")))]
pub use unix::*;

/// A request to end this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT: Ctrl-C without a console.
    Interrupt,
    /// SIGTERM, or Ctrl-Break.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl StopSignal {
    /// The exit code of a program that a signal ended: by convention 128 and the signal's number.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// What was read from the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalRead<'a> {
    /// Bytes as the terminal sent them, to be decoded.
    Bytes(&'a [u8]),
    /// A key, a click or a resize, decoded already.
    Event(Event),
    /// The read was interrupted.
    Nothing,
    /// The terminal is gone.
    End,
}

#[cfg(test)]
mod tests;
