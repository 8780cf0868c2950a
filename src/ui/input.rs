//! Where keys come from: the terminal, or a test.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::decode::Decoder;
use super::terminal::is_foreground;
use crate::clock::Clock;

/// Keys that wait to be looked at: more than anybody types between two looks.
const KEYS_MAX: usize = 1_024;
/// Bytes that are read at once: a paste comes in pieces of this size.
const PIECE_LEN: usize = 4_096;
/// How often to look whether the terminal is ours again. What is typed meanwhile is the shell's.
const BACKGROUND_LOOK: Duration = Duration::from_millis(100);

/// What the user did, or had done to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserInput {
    /// A key, a click, another size.
    Event(Event),
    /// A text, as one.
    Pasted(Paste),
    /// The process had been stopped, and goes on.
    Continued,
}

/// A text that was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paste {
    /// It, or the first part of one that is too long to be kept.
    pub(crate) text: String,
    /// Bytes of all of it.
    pub(crate) len: usize,
}

/// A source of what the user does.
pub(crate) trait InputSource {
    /// The next thing that the user does; `None` when there will be no more. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<UserInput>>> + Send;
}

/// The real keyboard, read by a thread of its own: it waits for nobody, however busy the runtime's
/// threads are with the network.
pub(crate) struct Keyboard {
    keys: mpsc::Receiver<io::Result<UserInput>>,
    resized: Signal,
    continued: Signal,
}

impl Keyboard {
    /// A keyboard that is read from now on, until the program ends.
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let (to_console, keys) = mpsc::channel(KEYS_MAX);
        let terminal = Terminal::open()?;
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            if let Err(error) = read_keys(&terminal, clock, &to_console) {
                // A console that is gone has no use for it.
                let _ = to_console.blocking_send(Err(error.into()));
            }
        })?;
        let continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
        Ok(Self { keys, resized: signal(SignalKind::window_change())?, continued })
    }
}

impl InputSource for Keyboard {
    async fn next(&mut self) -> Option<io::Result<UserInput>> {
        tokio::select! {
            biased;
            Some(()) = self.continued.recv() => Some(Ok(UserInput::Continued)),
            heard = self.keys.recv() => heard,
            Some(()) = self.resized.recv() => {
                Some(crossterm::terminal::size().map(|(columns, rows)| UserInput::Event(Event::Resize(columns, rows))))
            }
        }
    }
}

/// The terminal, to read from.
enum Terminal {
    Stdin(io::Stdin),
    /// Where stdin is something else.
    Opened(OwnedFd),
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Ok(Self::Stdin(stdin));
        }
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(Self::Opened(rustix::fs::open("/dev/tty", flags, Mode::empty())?))
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Opened(tty) => tty.as_fd(),
        }
    }
}

/// Reads until the terminal or the console is gone. Never in the background: who reads there is stopped.
fn read_keys(terminal: &Terminal, clock: Clock, to_console: &mpsc::Sender<io::Result<UserInput>>) -> Result<(), Errno> {
    let mut decoder = Decoder::default();
    let mut piece = [0; PIECE_LEN];
    loop {
        let wait = decoder.deadline().map(|deadline| deadline.since(clock.now()));
        let heard = if is_readable(terminal, wait)? {
            // What is typed when the console is gone is the shell's.
            if to_console.is_closed() {
                return Ok(());
            }
            if !is_foreground(terminal) {
                std::thread::sleep(BACKGROUND_LOOK);
                continue;
            }
            match rustix::io::read(terminal, &mut piece) {
                Ok(0) => return Ok(()),
                Ok(len) => decoder.take(&piece[..len], clock.now()),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(error) => return Err(error),
            }
        } else if decoder.deadline().is_some_and(|deadline| deadline <= clock.now()) {
            decoder.give_up()
        } else {
            continue;
        };
        for heard in heard {
            if to_console.blocking_send(Ok(heard)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Whether there is something to read; waits for it, for so long at most.
fn is_readable(terminal: &Terminal, wait: Option<Duration>) -> Result<bool, Errno> {
    let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
    match poll(&mut [PollFd::new(terminal, PollFlags::IN)], wait.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}
