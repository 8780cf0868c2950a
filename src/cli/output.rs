//! Prints to stdout for as long as somebody reads it, and to stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use super::failure::Failure;
use crate::proto::text::{printable, printable_lines};

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
