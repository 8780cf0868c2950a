//! What the console is told when it starts.

use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::proto::addr::Addr;

use super::keys::KeyOverrides;

/// Everything that the console needs to know beforehand.
#[derive(Debug, Clone)]
pub struct Options {
    /// The colors.
    pub theme: ThemeChoice,
    /// The characters that frames and signs are made of.
    pub glyphs: Glyphs,
    /// Whether the mouse is ours or the terminal's.
    pub mouse: Mouse,
    /// What is being watched.
    pub mode: Mode,
    /// Whether the console begins with the choice of what to start.
    pub start_screen: StartScreen,
    /// What the forms are filled in with.
    pub defaults: FormDefaults,
    /// The keys that the user wants changed.
    pub keys: KeyOverrides,
    /// The session's clock; its epoch is the session's start.
    pub clock: Clock,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_s: i32,
    /// What `e` suggests to call the export.
    pub export_name: PathBuf,
    /// What is wrong with a file name for an export, before anything is written.
    pub export_check: ExportCheck,
}

/// Tells why nothing could be exported under this name.
pub type ExportCheck = fn(&Path) -> Result<(), String>;

/// Which colors to use. Every choice keeps the terminal's own 16 and its default background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// Colors that read well on dark and light, or none if `NO_COLOR` is set.
    #[default]
    Auto,
    /// The bright half of the 16.
    Dark,
    /// The dark half of the 16, and no yellow text without weight.
    Light,
    /// No color: bold, dim, underlined and reversed say it.
    Mono,
}

/// What frames and signs are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Box drawing, Braille and the like.
    #[default]
    Unicode,
    /// Nothing but ASCII.
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

/// What is being watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Nodes that run now, on sockets.
    Live,
    /// Nodes that run now, in virtual time.
    Virtual,
    /// A recorded session.
    Replay {
        /// Where it was read from.
        source: String,
    },
}

/// Whether the console begins with the choice of what to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartScreen {
    /// It does.
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
    /// Seeds of a lab.
    pub lab_seeds: usize,
    /// Peers of a lab.
    pub lab_peers: usize,
    /// The session that was recorded last, if there is one.
    pub recording: Option<PathBuf>,
}
