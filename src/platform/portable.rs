//! The portable half: what the standard library, tokio and crossterm offer on every system.

use std::fs::{Metadata, Permissions};
use std::future::pending;
use std::io;
use std::time::Duration;

use crossterm::event::{self, Event, KeyEventKind};
use tokio::net::{TcpSocket, TcpStream};

use super::TerminalRead;

/// An endless wait, for a function that takes a time.
const FOREVER: Duration = Duration::from_secs(60 * 60);

/// There is no shell that could take the terminal back and resume us later.
pub const CAN_SUSPEND: bool = false;

/// Whether both describe one file, as far as its creation time shows.
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    match (one.created(), other.created()) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => true,
    }
}

/// What others own in a directory of this user cannot be told.
pub fn belongs_to_user(_about: &Metadata) -> bool {
    true
}

/// A new file gets its permissions from its directory.
pub fn new_file_permissions() -> Option<Permissions> {
    None
}

/// No limit of descriptors is known: the system itself refuses too many.
pub fn raise_descriptor_limit() -> Option<u64> {
    None
}

/// All threads share the cores as usual.
pub fn lower_thread_priority(_niceness: i32) {}

/// The clock of Windows goes on while the computer sleeps, so a node notices by its own deadlines
/// that it was away.
pub fn slept() -> Duration {
    Duration::ZERO
}

/// Lets a listener reuse an address at once, whatever connections of its former life remain.
/// Windows does so anyway; asking for it there would let two programs listen on one address.
pub fn take_address_again(socket: &TcpSocket) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { socket.set_reuseaddr(true) }
}

/// Nothing bounds what the system takes of a stream.
pub fn limit_unsent(_stream: &TcpStream, _len: u32) -> io::Result<()> {
    Ok(())
}

/// The terminal is ours as long as the program runs.
pub fn owns_screen() -> bool {
    true
}

/// There is no background.
pub fn stops_background_writers() -> bool {
    false
}

/// Nothing stops: no key asks for it, see [`CAN_SUSPEND`].
pub async fn stop_until_continued() -> io::Result<()> {
    Ok(())
}

/// Signals do not exist here.
#[derive(Debug)]
pub struct SignalStream(());

impl SignalStream {
    /// The process is never stopped.
    pub fn continued() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// A resize is an event of the keyboard.
    pub fn resized() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Never returns. Cancel safe.
    pub async fn next(&mut self) {
        pending::<()>().await;
    }
}

/// The keyboard, read by crossterm.
#[derive(Debug)]
pub struct TerminalReader(());

impl TerminalReader {
    /// The keyboard of this process.
    pub fn open() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Whether there is something to read; waits for it, at most this long.
    pub fn is_readable(&self, wait: Option<Duration>) -> io::Result<bool> {
        event::poll(wait.unwrap_or(FOREVER))
    }

    /// What is typed is always for us.
    pub fn is_ours(&self) -> bool {
        true
    }

    /// Reads the keyboard. Waits, unless [`TerminalReader::is_readable`] has said that there is
    /// something.
    pub fn read(&mut self) -> io::Result<TerminalRead<'_>> {
        Ok(match event::read()? {
            // Windows reports when a key is released, too.
            Event::Key(key) if key.kind == KeyEventKind::Release => TerminalRead::Nothing,
            event => TerminalRead::Event(event),
        })
    }
}
