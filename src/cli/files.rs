//! The user's files: where they are (the XDG directories), and how they are read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use etcetera::BaseStrategy;
use serde::{Deserialize as _, Deserializer};

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

/// A path on the command line.
pub(crate) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(from_home)
}

/// A path in the config file.
pub(crate) fn path_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(Option::<PathBuf>::deserialize(deserializer)?.map(from_home))
}

/// The recorded sessions. `None` for a user without a home.
pub(crate) fn sessions_dir() -> Option<PathBuf> {
    Some(state_dir()?.join("sessions"))
}

/// All of a file; `None` if it is longer than `len_max`.
pub(crate) fn read_bounded(file: &Path, len_max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(len_max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= len_max).then_some(bytes))
}

fn base() -> Option<impl BaseStrategy> {
    etcetera::choose_base_strategy().ok()
}
