//! The real program in a pseudo-terminal: what a user types, and the screen that a user sees.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// How long anything may take to show. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What comes last of each frame without a place for typing: the cursor is hidden.
const FRAME_END: &[u8] = b"\x1b[?25l";

/// A running gossipctl and its terminal.
pub(crate) struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    display: Arc<Display>,
    home: TempDir,
}

/// What the terminal shows, and a bell that rings when it changes.
struct Display {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser<Titles>,
    /// Bytes that came so far.
    bytes: u64,
    /// The last that came was the end of a frame.
    frame_ended: bool,
    /// The program has closed the terminal.
    closed: bool,
}

/// The terminal's title, and those that it remembers.
#[derive(Default)]
struct Titles {
    title: String,
    kept: Vec<String>,
}

impl vt100::Callbacks for Titles {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn unhandled_csi(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, params: &[&[u16]], c: char) {
        match (c, params) {
            ('t', [[22], ..]) => self.kept.push(self.title.clone()),
            ('t', [[23], ..]) => self.title = self.kept.pop().unwrap_or_default(),
            _ => {}
        }
    }
}

impl Session {
    /// Starts the program in a terminal of this size, in an empty directory, away from the user's files.
    pub(crate) fn start(args: &[&str], rows: u16, columns: u16) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), args, rows, columns)
    }

    /// As [`Session::start`], in a directory that may hold files.
    pub(crate) fn start_in(home: TempDir, args: &[&str], rows: u16, columns: u16) -> Self {
        Self::start_with(home, args, rows, columns, &[])
    }

    /// As [`Session::start_in`], with these variables set.
    pub(crate) fn start_with(home: TempDir, args: &[&str], rows: u16, columns: u16, set: &[(&str, &str)]) -> Self {
        let mut command = command(home.path(), args);
        for (name, value) in set {
            command.env(name, value);
        }
        Self::run(home, command, rows, columns)
    }

    /// Starts a shell with job control and, in it, the program; the second is the program's process id.
    #[allow(dead_code, reason = "only a person stops a program")]
    pub(crate) fn start_in_shell(args: &[&str], rows: u16, columns: u16) -> (Self, u32) {
        let home = tempfile::tempdir().unwrap();
        let mut shell = CommandBuilder::new("bash");
        shell.args(["--noprofile", "--norc", "-i"]);
        surroundings(&mut shell, home.path());
        shell.env("PS1", "shell> ");
        let mut session = Self::run(home, shell, rows, columns);
        session.wait_for("shell>");
        let program = env!("CARGO_BIN_EXE_gossipctl");
        session.press(&format!("sh -c 'echo $$ > id; exec {program} {}'\r", args.join(" ")));
        session.wait_for("LIVE");
        let id = std::fs::read_to_string(session.home().join("id")).unwrap().trim().parse().unwrap();
        (session, id)
    }

    fn run(home: TempDir, command: CommandBuilder, rows: u16, columns: u16) -> Self {
        let pair = native_pty_system().openpty(size(rows, columns)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new_with_callbacks(cells(rows), cells(columns), 0, Titles::default());
        let display = Arc::new(Display {
            state: Mutex::new(State { parser, bytes: 0, frame_ended: false, closed: false }),
            changed: Condvar::new(),
        });
        let shown = Arc::clone(&display);
        std::thread::spawn(move || shown.follow(reader));
        Self { child, master: pair.master, writer, display, home }
    }

    /// The directory in which the program runs.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Types these characters.
    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Waits until the screen says this.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("'{text}'"), |screen| screen.contains(text));
    }

    /// Waits until the screen is as it should be, and returns it.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        self.wait_within(PATIENCE, what, is_so)
    }

    /// As [`Session::wait_until`], for no longer than this.
    pub(crate) fn wait_within(&self, limit: Duration, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let state = self.display.wait(limit, |state| is_so(&state.parser.screen().contents()));
        let screen = state.parser.screen().contents();
        assert!(is_so(&screen), "waited for {what}; the screen is\n{screen}");
        screen
    }

    /// As [`Session::wait_until`], and returns the screen with all its colors, never a frame half drawn.
    #[allow(dead_code, reason = "only a picture needs colors")]
    pub(crate) fn whole_frame_when(&self, what: &str, is_so: impl Fn(&str) -> bool) -> vt100::Screen {
        let is_so = |state: &State| state.frame_ended && is_so(&state.parser.screen().contents());
        let state = self.display.wait(PATIENCE, is_so);
        let screen = state.parser.screen();
        assert!(is_so(&state), "waited for {what}; the screen is\n{}", screen.contents());
        screen.clone()
    }

    /// What the screen shows now.
    pub(crate) fn screen(&self) -> String {
        self.display.lock().parser.screen().contents()
    }

    /// The terminal's title.
    #[allow(dead_code, reason = "only some tests read it")]
    pub(crate) fn title(&self) -> String {
        self.display.lock().parser.callbacks().title.clone()
    }

    /// Bytes that the program has written so far.
    #[allow(dead_code, reason = "only a benchmark counts them")]
    pub(crate) fn bytes(&self) -> u64 {
        self.display.lock().bytes
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.display.lock().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(rows, columns)).unwrap();
    }

    /// The program's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits for the program's end, and returns what it left on the screen.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.wait_for_exit();
        self.assert_terminal_is_whole();
        let state = self.display.wait(PATIENCE, |state| state.closed);
        (status, state.parser.screen().contents())
    }

    /// As [`Session::end`], and keeps the directory in which it ran.
    pub(crate) fn end_and_keep(mut self) -> (TempDir, ExitStatus) {
        let status = self.wait_for_exit();
        self.assert_terminal_is_whole();
        (self.home, status)
    }

    /// Kills the program, which has no say in it, and keeps the directory in which it ran.
    pub(crate) fn kill(mut self) -> TempDir {
        self.signal("KILL");
        self.wait_for_exit();
        self.home
    }

    fn wait_for_exit(&mut self) -> ExitStatus {
        let mut killer = self.child.clone_killer();
        let (ended, limit) = std::sync::mpsc::sync_channel::<()>(1);
        let watchdog = std::thread::spawn(move || {
            let is_late = limit.recv_timeout(PATIENCE).is_err();
            if is_late {
                let _ = killer.kill();
            }
            is_late
        });
        let status = self.child.wait().unwrap();
        let _ = ended.send(());
        assert!(!watchdog.join().unwrap(), "the program did not end; its screen is\n{}", self.screen());
        status
    }

    /// The terminal is as the shell left it: its own screen, a cursor, lines and echo.
    fn assert_terminal_is_whole(&self) {
        let state = self.display.wait(PATIENCE, |state| is_whole(state.parser.screen()));
        let screen = state.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "pastes are still bracketed");
        assert_eq!(state.parser.callbacks().title, "", "the terminal's title is not the shell's");
        assert!(screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None, "the mouse is still captured");
        let modes = flags(&self.master.get_termios().unwrap().local_flags);
        assert!(modes.contains("ICANON") && modes.contains("ECHO"), "not in line mode: {modes}");
    }
}

/// Starts the program in a terminal that is closed, as a window is, once the screen says this; returns
/// the directory and how the program has ended. It is told so by its parent, too, and again and again,
/// which shall not keep it from leaving politely.
pub(crate) fn close_window_after(args: &[&str], text: &str) -> (TempDir, ExitStatus) {
    let home = tempfile::tempdir().unwrap();
    let pair = native_pty_system().openpty(size(24, 80)).unwrap();
    let mut child = pair.slave.spawn_command(command(home.path(), args)).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut parser = vt100::Parser::new(cells(24), cells(80), 0);
    let mut bytes = [0; 4096];
    // The clock in the header moves, so that there is something to read each second.
    while !parser.screen().contents().contains(text) {
        let len = reader.read(&mut bytes).unwrap();
        parser.process(&bytes[..len]);
    }
    let hang_up = |id: u32| std::process::Command::new("kill").args(["-s", "HUP", &id.to_string()]).output().unwrap();
    hang_up(child.process_id().unwrap());
    drop((reader, pair.master));
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => drop(child.process_id().map(hang_up)),
        }
    };
    (home, status)
}

/// Sends a signal such as `STOP` to a process.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &id.to_string()]).status().unwrap();
    assert!(sent.success());
}

fn is_whole(screen: &vt100::Screen) -> bool {
    let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    !(screen.alternate_screen() || screen.hide_cursor() || screen.bracketed_paste() || mouse)
}

/// The names of what is set.
fn flags(set: &impl Debug) -> String {
    format!("{set:?}")
}

impl Display {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that failed while it looked at the screen has said so already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, limit: Duration, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_timeout_while(self.lock(), limit, |state| !is_so(state) && !state.closed).unwrap().0
    }

    fn follow(&self, mut reader: impl Read) {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = reader.read(&mut bytes) {
            let mut state = self.lock();
            state.parser.process(&bytes[..len]);
            state.bytes += len as u64;
            state.frame_ended = bytes[..len].ends_with(FRAME_END);
            drop(state);
            self.changed.notify_all();
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

fn size(rows: u16, columns: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn command(home: &Path, args: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_gossipctl"));
    command.args(args);
    surroundings(&mut command, home);
    command
}

/// Away from the user's files and settings.
fn surroundings(command: &mut CommandBuilder, home: &Path) {
    command.cwd(home);
    command.env("HOME", home);
    command.env("XDG_CONFIG_HOME", home.join("config"));
    command.env("XDG_STATE_HOME", home.join("state"));
    command.env("TERM", "xterm-256color");
    command.env("LC_ALL", "C.UTF-8");
    command.env_remove("NO_COLOR");
}
