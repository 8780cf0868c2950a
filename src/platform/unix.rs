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
/// The most file descriptors that macOS grants (`OPEN_MAX`), even if it names no limit.
const MACOS_DESCRIPTORS_MAX: u64 = 10_240;

/// Whether the shell can take the terminal back and resume us later.
pub const CAN_SUSPEND: bool = true;

/// Signals that ask this process to end, from the creation of this value on.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
    /// A file that reaches its size limit is an error to report, not the end of the process.
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

    /// The next signal by which a user insists, while the program is leaving already. A closing
    /// terminal sends its own signal, which must not make nodes look dead. Cancel safe.
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

/// Marks a file that somebody is writing, as long as it is open. The system drops the lock when the
/// process ends, however it ends.
#[derive(Debug)]
pub struct WriteLock(());

impl WriteLock {
    /// Marks the file. An error if the file system has no locks.
    pub fn take(file: &File, _path: &Path) -> io::Result<Self> {
        Ok(file.try_lock().map(|()| Self(()))?)
    }
}

/// Whether somebody holds a [`WriteLock`] on this file. An error if that cannot be known, as on a
/// file system without locks.
pub fn is_write_locked(path: &Path) -> io::Result<bool> {
    // Many may check at one time; only the writer keeps others out.
    is_open_file_write_locked(&File::open(path)?, path)
}

/// The same of a file that was opened under this name, which may be gone by now.
pub fn is_open_file_write_locked(file: &File, _path: &Path) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether this is a file or directory of the user who runs this.
pub fn belongs_to_user(about: &Metadata) -> bool {
    about.uid() == rustix::process::geteuid().as_raw()
}

/// Whether both describe one file.
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The usual permissions of a new file, before the umask.
pub fn new_file_permissions() -> Option<Permissions> {
    Some(Permissions::from_mode(0o666))
}

/// Raises this process's limit of file descriptors as far as the system allows, and returns it;
/// `None`: no limit.
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raise_to = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    match raise_to(limit.maximum) {
        Ok(()) => limit.maximum,
        Err(_) if cfg!(target_os = "macos") && raise_to(Some(MACOS_DESCRIPTORS_MAX)).is_ok() => {
            Some(MACOS_DESCRIPTORS_MAX)
        }
        // Some systems refuse to go as high as they say; then the limit stays as it was.
        Err(_) => limit.current,
    }
}

/// Makes this thread nicer to others of the process. Linux gives each thread a priority of its own;
/// elsewhere, and where it is refused, all share the cores as usual.
pub fn lower_thread_priority(niceness: i32) {
    if cfg!(target_os = "linux") {
        let _ = rustix::process::nice(niceness);
    }
}

/// How long this computer has slept with its lid closed, which [`std::time::Instant`] does not
/// count. Only differences between two calls mean something. Zero if the system does not tell.
#[cfg(target_os = "linux")]
pub fn slept() -> Duration {
    use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};
    let Ok(with_sleep) = clock_gettime_dynamic(DynamicClockId::Boottime) else { return Duration::ZERO };
    let slept = with_sleep.checked_sub(clock_gettime(ClockId::Monotonic));
    slept.and_then(|slept| Duration::try_from(slept).ok()).unwrap_or_default()
}

/// As above: the monotonic clock of macOS counts sleep, and `Instant`, which is another clock
/// there, does not.
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

/// Lets a listener reuse an address at once, whatever connections of its former life remain.
pub fn take_address_again(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseaddr(true)
}

/// Bounds what the system takes of a stream before it can send it. Systems other than Linux have no
/// such bound.
pub fn limit_unsent(stream: &TcpStream, len: u32) -> io::Result<()> {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(len)?;
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = (stream, len);
    Ok(())
}

/// Whether the shell has given the terminal to our process group. Without job control it is ours.
pub fn owns_screen() -> bool {
    is_foreground(io::stdout())
}

fn is_foreground(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).map_or(true, |group| group == rustix::process::getpgrp())
}

/// Whether a process that writes in the background is stopped: nodes must leave before that
/// happens.
pub fn stops_background_writers() -> bool {
    rustix::termios::tcgetattr(io::stdout()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

/// Stops this process group as the terminal's Ctrl-Z would, and returns when the shell resumes it.
/// In an orphaned group nothing stops, and this returns soon.
pub async fn stop_until_continued() -> io::Result<()> {
    /// The stop may begin a moment after the call that asks for it. Time stands still for a stopped
    /// process, so this only ends the wait of one that did not stop.
    const STOP_TIME_MAX: Duration = Duration::from_millis(200);

    let mut continued = SignalStream::continued()?;
    rustix::process::kill_current_process_group(Signal::TSTP)?;
    let _ = tokio::time::timeout(STOP_TIME_MAX, continued.next()).await;
    Ok(())
}

/// A signal of this process or its terminal, each time that it comes.
#[derive(Debug)]
pub struct SignalStream(unix::Signal);

impl SignalStream {
    /// The process had been stopped, and continues.
    pub fn continued() -> io::Result<Self> {
        Ok(Self(unix::signal(SignalKind::from_raw(Signal::CONT.as_raw()))?))
    }

    /// The terminal was resized. If keys are events, this is one, too.
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
    /// Its own descriptor, without the buffer of `Stdin`: whoever waits for bytes must know of all
    /// that came.
    terminal: File,
    piece: [u8; PIECE_LEN],
}

impl TerminalReader {
    /// The terminal that is stdin or, if stdin is something else, the one that this process belongs
    /// to.
    pub fn open() -> io::Result<Self> {
        let stdin = io::stdin();
        let terminal =
            if stdin.is_terminal() { File::from(stdin.as_fd().try_clone_to_owned()?) } else { File::open("/dev/tty")? };
        Ok(Self { terminal, piece: [0; PIECE_LEN] })
    }

    /// Whether there is something to read; waits for it, at most this long.
    pub fn is_readable(&self, wait: Option<Duration>) -> io::Result<bool> {
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        match poll(&mut [PollFd::new(&self.terminal, PollFlags::IN)], wait.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what is typed is for us. A process that reads in the background is stopped.
    pub fn is_ours(&self) -> bool {
        is_foreground(&self.terminal)
    }

    /// Reads the keyboard. Waits, unless [`TerminalReader::is_readable`] has said that there is
    /// something.
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
