//! The user's files: where they are (the XDG directories), and how they are read.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use etcetera::BaseStrategy;

use super::failure::Failure;

const APP: &str = "gossipctl";

/// The config file: `$XDG_CONFIG_HOME/gossipctl/config.toml`. `None` for a user without a home.
pub(crate) fn config_file() -> Option<PathBuf> {
    Some(base()?.config_dir().join(APP).join("config.toml"))
}

/// What is kept between runs: `$XDG_STATE_HOME/gossipctl`. `None` for a user without a home.
pub(crate) fn state_dir() -> Option<PathBuf> {
    let base = base()?;
    Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join(APP))
}

/// Replaces `~` at the beginning of a path by the user's home. A shell does not do that in quotes
/// or after a `=`.
pub(crate) fn from_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), etcetera::home_dir()) {
        (Ok(rest), Ok(home)) => home.join(rest),
        (Ok(_) | Err(_), _) => path,
    }
}

/// The same path with `~` in place of the user's home: short enough for a line.
pub(crate) fn to_home(path: PathBuf) -> PathBuf {
    match etcetera::home_dir().map(|home| path.strip_prefix(home).map(|rest| Path::new("~").join(rest))) {
        Ok(Ok(short)) => short,
        Ok(Err(_)) | Err(_) => path,
    }
}

/// A path on the command line.
pub(crate) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(from_home)
}

/// The recorded sessions. `None` for a user without a home.
pub(crate) fn sessions_dir() -> Option<PathBuf> {
    Some(state_dir()?.join("sessions"))
}

/// Why a file of the user cannot be used, in a line that begins with its name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{}: cannot be read: {error}", file.display())]
    Missing { file: PathBuf, error: io::Error },
    #[error("{0}")]
    Wrong(String),
}

impl FileError {
    /// What is wrong with the file as a whole.
    pub(crate) fn whole(file: &Path, what: impl Display) -> Self {
        Self::Wrong(format!("{}: {what}", file.display()))
    }

    /// What is wrong in this line, counted from 1.
    pub(crate) fn line(file: &Path, line: usize, what: impl Display) -> Self {
        Self::Wrong(format!("{}:{line}: {what}", file.display()))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::usage(error)
    }
}

/// All of a file. One that is longer than `len_max` is something else than `expected`.
pub(crate) fn read(file: &Path, len_max: u64, expected: &str) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(len_max + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(FileError::Missing { file: file.to_owned(), error })
        }
        Err(error) => Err(FileError::whole(file, format_args!("cannot be read: {error}"))),
        Ok(_) if bytes.len() as u64 > len_max => {
            Err(FileError::whole(file, format_args!("longer than {} KiB: {expected}", len_max / 1024)))
        }
        Ok(_) => Ok(bytes),
    }
}

fn base() -> Option<impl BaseStrategy> {
    etcetera::choose_base_strategy().ok()
}
