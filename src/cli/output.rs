//! Prints to stdout for as long as somebody reads it, and to stderr.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use super::failure::Failure;
use crate::proto::text::{printable, printable_lines};

/// Columns of a text that goes to no terminal.
const TEXT_WIDTH: usize = 100;
/// A line that is narrower than this holds neither text nor a picture.
const TEXT_WIDTH_MIN: usize = 40;

/// Columns of a text on stdout.
pub(crate) fn text_width() -> usize {
    text_width_or(TEXT_WIDTH)
}

/// The same, with another width for a text that goes to no terminal.
pub(crate) fn text_width_or(columns: usize) -> usize {
    let terminal = io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten();
    terminal.map_or(columns, |(columns, _)| usize::from(columns)).max(TEXT_WIDTH_MIN)
}

/// Prints these lines, which may contain names and paths of others, without anything that acts on a
/// terminal.
pub(crate) fn print_lines(text: &str) -> Result<ExitCode, Failure> {
    print(printable_lines(text).as_bytes())
}

/// Prints these bytes unchanged. A reader that closes the pipe has had enough, which is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::Stdout(error)),
    }
}

/// Warns the user of something that does not end the program.
pub(crate) fn warn(text: impl std::fmt::Display) {
    say(format_args!("warning: {text}"));
}

/// Prints one line on stderr, without anything that acts on a terminal. Not with `eprintln`, which
/// panics if the terminal is gone.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}
