//! Diagnostics of the program itself: to a file, never to the screen. Panics always, more on
//! request.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// What to write, as a tracing filter: `debug`, `gossipctl::net=trace`.
const VARIABLE: &str = "GOSSIPCTL_LOG";
/// What is written by default: panics.
const UNASKED: &str = "error";
/// The file in the state directory.
const FILE: &str = "gossipctl.log";

/// Where diagnostics are.
pub(crate) fn file(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

/// Begins to write diagnostics, until the guard is dropped. The error for a bad filter, or a
/// directory that cannot be created, is one line.
pub(crate) fn start(state_dir: &Path) -> Result<WorkerGuard, String> {
    let wanted = std::env::var(VARIABLE).ok().filter(|wanted| !wanted.is_empty());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or(UNASKED)).map_err(|error| {
        format!("{VARIABLE}={}: {error}: expected a level such as debug", wanted.as_deref().unwrap_or_default())
    })?;
    let path = file(state_dir);
    let mut file = LazyFile { path: path.clone(), file: None };
    if wanted.is_some() {
        file.opened().map_err(|error| format!("{}: cannot be written: {error}", path.display()))?;
    }
    let (writer, guard) = tracing_appender::non_blocking(file);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).init();
    Ok(guard)
}

/// A file that is created when something is first written to it.
struct LazyFile {
    path: PathBuf,
    file: Option<File>,
}

impl LazyFile {
    fn opened(&mut self) -> io::Result<&mut File> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            self.path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            OpenOptions::new().create(true).append(true).open(&self.path)?
        };
        Ok(self.file.insert(file))
    }
}

impl Write for LazyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.opened()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_file_of_diagnostics_before_there_are_any() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = LazyFile { path: file(&dir.path().join("gossipctl")), file: None };
        log.flush().unwrap();
        assert!(!log.path.exists());
        log.write_all(b"a panic\n").unwrap();
        log.write_all(b"and another one\n").unwrap();
        assert_eq!(std::fs::read_to_string(&log.path).unwrap(), "a panic\nand another one\n");
    }
}
