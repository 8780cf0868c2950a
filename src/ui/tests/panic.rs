//! What is left of the terminal after a panic. Each test runs itself once more in a terminal of its
//! own, as the one that panics.

use std::io::Read;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::ui::app::App;
use crate::ui::options::Mouse;
use crate::ui::terminal::{Here, Screen, Tty, take_panic_elsewhere};

/// Set for the one that panics.
const ROLE: &str = "GOSSIPCTL_TEST_PANICS";
const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

/// Once this is set, the console panics when it draws a message that reached everybody.
static ARMED: AtomicBool = AtomicBool::new(false);

/// From now on the console of this process panics in the middle of a session.
pub(crate) fn arm() {
    ARMED.store(true, Ordering::SeqCst);
}

/// What `draw` does first.
pub(crate) fn strike(app: &App) {
    let is_time =
        ARMED.load(Ordering::SeqCst) && app.scene.live.latest_rumor().is_some_and(|rumor| rumor.reached() == 4);
    assert!(!is_time, "struck in the middle of a session");
}

/// Runs this test again in a terminal; what its screen is like at the end, and the modes of its lines.
fn screen_after(test: &str) -> (vt100::Parser, Option<String>) {
    let home = tempfile::tempdir().unwrap();
    screen_at(home.path(), &format!("ui::tests::panic::{test}"))
}

/// The same for a test anywhere, away from the user's files.
pub(crate) fn screen_at(home: &Path, test: &str) -> (vt100::Parser, Option<String>) {
    let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.cwd(home);
    command.env("HOME", home);
    command.env("XDG_CONFIG_HOME", home.join("config"));
    command.env("XDG_STATE_HOME", home.join("state"));
    command.env(ROLE, "1");
    command.env("RUST_BACKTRACE", "0");
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let cells = |count| NonZeroU16::new(count).unwrap();
    let mut parser = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
    let reading = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = reader.read(&mut bytes) {
            parser.process(&bytes[..len]);
        }
        parser
    });
    child.wait().unwrap();
    let modes = line_modes(&*pair.master);
    drop(pair);
    (reading.join().unwrap(), modes)
}

/// The modes of the terminal's lines, on systems where lines have modes.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are none")]
fn line_modes(master: &dyn MasterPty) -> Option<String> {
    Some(format!("{:?}", master.get_termios().unwrap().local_flags))
}

#[cfg(not(unix))]
fn line_modes(_: &dyn MasterPty) -> Option<String> {
    None
}

/// Lines are read whole and echoed, where the system can tell.
pub(crate) fn assert_line_mode(modes: Option<&str>) {
    let is_whole = |modes: &str| modes.contains("ICANON") && modes.contains("ECHO");
    assert!(modes.is_none_or(is_whole), "{modes:?}");
}

pub(crate) fn is_the_one_that_panics() -> bool {
    std::env::var_os(ROLE).is_some()
}

#[test]
fn a_panic_while_drawing_restores_the_terminal_and_says_why() {
    if is_the_one_that_panics() {
        let mut tty = Tty::take(Mouse::Captured).unwrap();
        let _here = Here::mark();
        tty.terminal().draw(|_| panic!("in the middle of a picture")).unwrap();
    }
    let (parser, modes) = screen_after("a_panic_while_drawing_restores_the_terminal_and_says_why");
    let screen = parser.screen();
    assert!(screen.contents().contains("in the middle of a picture"), "{}", screen.contents());
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert_line_mode(modes.as_deref());
}

#[test]
fn a_panic_elsewhere_leaves_the_screen_alone_and_is_told() {
    if is_the_one_that_panics() {
        let tty = Tty::take(Mouse::Terminal).unwrap();
        std::thread::spawn(|| panic!("far from the screen")).join().unwrap_err();
        let told = take_panic_elsewhere().unwrap();
        drop(tty);
        println!("told: {told}");
        return;
    }
    let (parser, _) = screen_after("a_panic_elsewhere_leaves_the_screen_alone_and_is_told");
    let contents = parser.screen().contents();
    assert!(contents.contains("told: internal error at src/ui/tests/panic.rs:"), "{contents}");
    assert!(contents.contains("far from the screen") && !contents.contains("panicked at"), "{contents}");
}
