//! The terminal: taken, given back whole however the console ends, lent to the shell in between.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::task::Poll;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};

use super::options::Mouse;
use super::theme;
use crate::platform;

/// A frame of a large terminal fits, so it goes out in one write.
const FRAME_LEN: usize = 64 * 1024;

/// Remembers the terminal's title (xterm's window operation 22); other terminals ignore it.
const KEEP_TITLE: &str = "\x1b[22;2t";
/// Brings back the title that was remembered.
const TITLE_BEFORE: &str = "\x1b[23;2t";

/// Whether the terminal is ours now, for the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// What panicked elsewhere while the screen was ours; shown as a notice.
static ELSEWHERE: Mutex<Option<String>> = Mutex::new(None);
/// What panicked while the console drew or decided.
static HERE: Mutex<Option<String>> = Mutex::new(None);

thread_local! {
    static DRAWING_HERE: Cell<bool> = const { Cell::new(false) };
}

/// What the loop needs of a terminal.
pub(crate) trait Screen {
    type Backend: Backend<Error = io::Error>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;

    /// Hands text to the terminal's clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Names the terminal's window or tab.
    fn set_title(&mut self, title: &str) -> io::Result<()>;

    /// Gives the terminal back for a while.
    fn leave(&mut self);

    /// Takes it again; everything is redrawn.
    fn enter(&mut self) -> io::Result<()>;

    /// Whether the shell has given it to us. If not, nothing may be drawn.
    fn is_ours(&self) -> bool;
}

/// The real terminal. Gives it back when dropped.
pub(crate) struct Tty {
    /// Never dropped: ratatui would show the cursor again and, if the terminal is gone for good,
    /// say so on stderr, which is gone with it. That panics, and the nodes would die instead of
    /// leaving.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    mouse: Mouse,
}

impl Tty {
    pub(crate) fn take(mouse: Mouse) -> io::Result<Self> {
        HOOK.call_once(install_hook);
        theme::take_color_from_theme_alone();
        let out = BufWriter::with_capacity(FRAME_LEN, io::stdout());
        let mut tty = Self { terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(out))?), mouse };
        tty.enter()?;
        Ok(tty)
    }
}

impl Screen for Tty {
    type Backend = CrosstermBackend<BufWriter<Stdout>>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.terminal
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), SetTitle(title))
    }

    fn leave(&mut self) {
        // A terminal that was given back in a panic holds what the user is to read.
        if TAKEN.load(Ordering::SeqCst) {
            let _ = Backend::flush(self.terminal.backend_mut());
        }
        give_back();
    }

    fn enter(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide, Print(KEEP_TITLE))?;
        if self.mouse == Mouse::Captured {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        // Everything is redrawn. Not by `clear`, which asks the terminal where its cursor is and
        // fails if no answer comes.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    fn is_ours(&self) -> bool {
        platform::owns_screen()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Gives the terminal back if it is ours. Errors have nowhere to go: the terminal may be gone.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let is_foreground = platform::owns_screen();
    if is_foreground || !platform::stops_background_writers() {
        // On Windows the mouse cannot be given back if it was never taken; the rest can.
        let _ = execute!(out, DisableMouseCapture);
        let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show, Print(TITLE_BEFORE));
    }
    // In the background the shell has set the lines as it likes them, and a process that sets them
    // there is stopped.
    if is_foreground {
        let _ = disable_raw_mode();
    }
    let _ = out.flush();
}

/// Marks that this thread draws or decides for the console until the mark is dropped. A panic in
/// that time ends the console; a panic anywhere else must not write over it.
pub(crate) struct Here(());

impl Here {
    pub(crate) fn mark() -> Self {
        DRAWING_HERE.set(true);
        Self(())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        DRAWING_HERE.set(false);
    }
}

/// ratatui's hook would give the terminal back for a panic on any thread, while the console lives
/// on and draws over what the shell then shows.
fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = describe(panic);
        tracing::error!("{text}\n{}", Backtrace::force_capture());
        if TAKEN.load(Ordering::SeqCst) && !DRAWING_HERE.get() {
            remember(&ELSEWHERE, text);
        } else {
            give_back();
            remember(&HERE, text);
            before(panic);
        }
    }));
}

fn remember(place: &Mutex<Option<String>>, text: String) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

/// Runs the console. If it panics, the terminal has been given back, and the panic is the error:
/// the nodes run on, and must still say goodbye.
pub(crate) async fn unless_it_panics<T>(console: impl Future<Output = T>) -> Result<T, String> {
    let mut console = pin!(console);
    poll_fn(|context| {
        let _here = Here::mark();
        match catch_unwind(AssertUnwindSafe(|| console.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(take(&HERE).unwrap_or_else(|| "internal error".to_owned()))),
        }
    })
    .await
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = text.unwrap_or("no message");
    match panic.location() {
        Some(place) => format!("internal error at {}:{}: {what}", place.file(), place.line()),
        None => format!("internal error: {what}"),
    }
}

/// What panicked elsewhere since the last call.
pub(crate) fn take_panic_elsewhere() -> Option<String> {
    take(&ELSEWHERE)
}

fn take(place: &Mutex<Option<String>>) -> Option<String> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
