//! Prints to stdout for as long as somebody reads it.

use std::io::{self, Write};
use std::process::ExitCode;

use super::failure::Failure;
use crate::proto::text::printable_lines;

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
