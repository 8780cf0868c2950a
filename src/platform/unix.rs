//! The Unix half.

use std::fs::{File, Metadata, Permissions, TryLockError};
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::termios::LocalModes;
use tokio::net::{TcpSocket, TcpStream};
use tokio::signal::unix::{self, SignalKind};

use super::{StopSignal, TerminalRead};

/// Bytes that are read at once: a paste comes in pieces of this size.
const PIECE_LEN: usize = 4_096;
/// The most file descriptors that macOS grants (`OPEN_MAX`), even where it names no limit.
const MACOS_DESCRIPTORS_MAX: u64 = 10_240;

/// Whether the shell can take the terminal back and let us go on later.
pub const CAN_SUSPEND: bool = true;

/// The signals that ask this process to end, from when it was made.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
    /// A file that may not grow any further is an error to be told, not the end of the process.
    _file_size: unix::Signal,
}

impl StopSignals {
    /// Takes the signals over from the system, which would end the process.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
            _file_size: unix::signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?,
        })
    }

    /// The next signal that a user sends to somebody who is leaving already: a terminal that closes
    /// sends its own, and nobody is to be taken for dead because of that. Cancel safe.
    pub async fn insisted(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }

    /// The next signal. Cancel safe.
    pub async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.hang_up.recv() => StopSignal::HangUp,
        }
    }
}

/// A mark on a file that somebody is writing. It lasts as long as the file is open; the system drops it when the
/// process ends, however it ends.
#[derive(Debug)]
pub struct WriteLock(());

impl WriteLock {
    /// Marks the file. An error where the file system has no locks.
    pub fn take(file: &File, _path: &Path) -> io::Result<Self> {
        Ok(file.try_lock().map(|()| Self(()))?)
    }
}

/// Whether somebody holds a [`WriteLock`] on this file. An error where that cannot be known, as on a file system
/// without locks.
pub fn is_write_locked(path: &Path) -> io::Result<bool> {
    // Many may look at one time; only who writes keeps others out.
    match File::open(path)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether both describe one file.
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// What the system's usual new file may be used for, before the umask.
pub fn new_file_permissions() -> Option<Permissions> {
    Some(Permissions::from_mode(0o666))
}

/// Lets this process have as many file descriptors as the system allows it, and tells how many that is; `None`: no
/// limit.
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raise_to = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    match raise_to(limit.maximum) {
        Ok(()) => limit.maximum,
        Err(_) if cfg!(target_os = "macos") && raise_to(Some(MACOS_DESCRIPTORS_MAX)).is_ok() => {
            Some(MACOS_DESCRIPTORS_MAX)
        }
        // Some systems refuse to go as high as they say; then what was there stays.
        Err(_) => limit.current,
    }
}

/// Makes this thread yield to others of the process by so much niceness. Linux gives each thread a priority of its
/// own; elsewhere, and where it is refused, all share the cores as usual.
pub fn lower_thread_priority(niceness: i32) {
    if cfg!(target_os = "linux") {
        let _ = rustix::process::nice(niceness);
    }
}

/// How long this machine has slept, its lid closed: time that [`std::time::Instant`] does not count. Only differences
/// between two calls mean something. Nothing where the system does not tell.
#[cfg(target_os = "linux")]
pub fn slept() -> Duration {
    use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};
    let Ok(with_sleep) = clock_gettime_dynamic(DynamicClockId::Boottime) else { return Duration::ZERO };
    let slept = with_sleep.checked_sub(clock_gettime(ClockId::Monotonic));
    slept.and_then(|slept| Duration::try_from(slept).ok()).unwrap_or_default()
}

/// As above: the monotonic clock of macOS counts sleep, and `Instant`, which is another clock there, does not.
#[cfg(target_os = "macos")]
#[expect(clippy::disallowed_methods, reason = "no time of the network: the clock that stands still while it sleeps")]
pub fn slept() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<(rustix::time::Timespec, Instant)> = OnceLock::new();
    let with_sleep = clock_gettime(ClockId::Monotonic);
    let (first, began) = *FIRST.get_or_init(|| (with_sleep, Instant::now()));
    let passed = with_sleep.checked_sub(first).and_then(|passed| Duration::try_from(passed).ok());
    passed.unwrap_or_default().saturating_sub(began.elapsed())
}

/// As above: this system does not tell.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn slept() -> Duration {
    Duration::ZERO
}

/// Lets a listener take an address again at once, whatever connections of its former life remain.
pub fn take_address_again(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseaddr(true)
}

/// Bounds what the system takes of a stream before it can send it. Systems other than Linux have no such bound.
pub fn limit_unsent(stream: &TcpStream, len: u32) -> io::Result<()> {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(len)?;
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = (stream, len);
    Ok(())
}

/// Whether the shell has given the terminal, in which we draw, to our process group. Without job control it is ours.
pub fn owns_screen() -> bool {
    is_foreground(io::stdout())
}

fn is_foreground(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).map_or(true, |group| group == rustix::process::getpgrp())
}

/// Whether who writes in the background is stopped: nodes are to leave before that happens.
pub fn stops_background_writers() -> bool {
    rustix::termios::tcgetattr(io::stdout()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

/// Stops this process group as the terminal's own Ctrl-Z would, and returns when the shell lets it
/// go on. In an orphaned group nothing stops: then it returns soon.
pub async fn stop_until_continued() -> io::Result<()> {
    /// The stop may begin a moment after the call that asks for it. Time stands still for a
    /// stopped process, so this only ever ends the wait of one that did not stop.
    const STOP_TIME_MAX: Duration = Duration::from_millis(200);

    let mut continued = SignalStream::continued()?;
    rustix::process::kill_current_process_group(Signal::TSTP)?;
    let _ = tokio::time::timeout(STOP_TIME_MAX, continued.next()).await;
    Ok(())
}

/// What happened to this process or its terminal, each time that it happens.
#[derive(Debug)]
pub struct SignalStream(unix::Signal);

impl SignalStream {
    /// The process had been stopped, and goes on.
    pub fn continued() -> io::Result<Self> {
        Ok(Self(unix::signal(SignalKind::from_raw(Signal::CONT.as_raw()))?))
    }

    /// The terminal has another size. Where a key is an event, this is one, too.
    pub fn resized() -> io::Result<Self> {
        Ok(Self(unix::signal(SignalKind::window_change())?))
    }

    /// The next time. Cancel safe.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The keyboard of the terminal. Reading waits for nobody else.
#[derive(Debug)]
pub struct TerminalReader {
    /// Its own descriptor, without the buffer of `Stdin`: whoever waits for bytes must know of all that came.
    terminal: File,
    piece: [u8; PIECE_LEN],
}

impl TerminalReader {
    /// The terminal that is stdin or, where stdin is something else, the one that this process belongs to.
    pub fn open() -> io::Result<Self> {
        let stdin = io::stdin();
        let terminal =
            if stdin.is_terminal() { File::from(stdin.as_fd().try_clone_to_owned()?) } else { File::open("/dev/tty")? };
        Ok(Self { terminal, piece: [0; PIECE_LEN] })
    }

    /// Whether there is something to read; waits for it, for so long at most.
    pub fn is_readable(&self, wait: Option<Duration>) -> io::Result<bool> {
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        match poll(&mut [PollFd::new(&self.terminal, PollFlags::IN)], wait.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what is typed is for us. Who reads in the background is stopped.
    pub fn is_ours(&self) -> bool {
        is_foreground(&self.terminal)
    }

    /// What was typed. Waits where [`TerminalReader::is_readable`] has not said that something was.
    pub fn read(&mut self) -> io::Result<TerminalRead<'_>> {
        match self.terminal.read(&mut self.piece) {
            Ok(0) => Ok(TerminalRead::End),
            Ok(len) => Ok(TerminalRead::Bytes(&self.piece[..len])),
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                Ok(TerminalRead::Nothing)
            }
            Err(error) => Err(error),
        }
    }
}
