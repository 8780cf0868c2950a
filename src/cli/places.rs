//! Where things are kept: the XDG places.

use std::path::PathBuf;

use etcetera::BaseStrategy;

const APP: &str = "gossipctl";

/// The config file: `$XDG_CONFIG_HOME/gossipctl/config.toml`. `None` for a user without a home.
pub(crate) fn config_file() -> Option<PathBuf> {
    Some(base()?.config_dir().join(APP).join("config.toml"))
}

/// What we keep between runs: `$XDG_STATE_HOME/gossipctl`. `None` for a user without a home.
pub(crate) fn state_dir() -> Option<PathBuf> {
    let base = base()?;
    Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join(APP))
}

/// The recorded sessions. `None` for a user without a home.
pub(crate) fn sessions_dir() -> Option<PathBuf> {
    Some(state_dir()?.join("sessions"))
}

fn base() -> Option<impl BaseStrategy> {
    etcetera::choose_base_strategy().ok()
}
