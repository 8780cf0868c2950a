//! Printing to whoever reads stdout, for as long as they do.

use std::io::{self, Write};
use std::process::ExitCode;

use super::failure::Failure;
use crate::proto::text::printable_lines;

/// Prints these lines, names and paths of others in them: nothing in them acts on a terminal.
pub(crate) fn print_lines(text: &str) -> Result<ExitCode, Failure> {
    print(printable_lines(text).as_bytes())
}

/// Prints all of it as it is. A reader that has had enough closed the pipe, which is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::Stdout(error)),
    }
}
