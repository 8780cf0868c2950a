//! The console's options.

use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::proto::addr::Addr;

use super::keys::KeyOverrides;

/// Everything that the console must know at the start.
#[derive(Debug, Clone)]
pub struct Options {
    pub theme: ThemeChoice,
    pub glyphs: Glyphs,
    pub mouse: Mouse,
    pub mode: Mode,
    pub start_screen: StartScreen,
    pub defaults: FormDefaults,
    /// The columns of the list of nodes, as `:columns` takes them; none: all that fit.
    pub columns: Vec<String>,
    /// The user's changes to the keys.
    pub keys: KeyOverrides,
    /// The session's clock; its epoch is the session's start.
    pub clock: Clock,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_s: i32,
    /// The file name that `e` suggests.
    pub export_name: PathBuf,
    /// Checks the file name of an export before anything is written.
    pub export_check: ExportCheck,
}

/// Says why nothing could be exported under this name.
pub type ExportCheck = fn(&Path) -> Result<(), String>;

/// Which colors to use. Every choice keeps the terminal's own 16 and its default background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// Colors that read well on dark and light, or none if `NO_COLOR` is set.
    #[default]
    Auto,
    /// The bright half of the 16.
    Dark,
    /// The dark half of the 16; yellow text is bold, too.
    Light,
    /// No color: bold, dim, underlined and reversed text instead.
    Mono,
}

/// The characters of frames and signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Box drawing, Braille and the like.
    #[default]
    Unicode,
    Ascii,
}

/// Who gets the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mouse {
    /// The terminal: selecting text works as everywhere.
    #[default]
    Terminal,
    /// The console: the wheel scrolls, a click selects.
    Captured,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Nodes that run now, on sockets.
    Live,
    /// Nodes that run now, in virtual time.
    Virtual,
    /// Nodes of other processes that run now, as their sessions record them.
    Watch,
    /// A recorded session.
    Replay {
        /// Where it was read from.
        source: String,
    },
}

/// Whether the console begins with the start screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartScreen {
    Shown,
    /// Something was started already.
    Skipped,
}

/// What the forms are filled in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormDefaults {
    /// The seeds that peers register with, from the config.
    pub seeds: Vec<Addr>,
    /// Where the next seed would listen.
    pub seed_listen: Addr,
    /// Where the next peer would listen.
    pub peer_listen: Addr,
    pub lab_seeds: usize,
    pub lab_peers: usize,
}
