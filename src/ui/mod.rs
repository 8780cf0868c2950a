//! The console: draws the model and turns keys into commands.
//!
//! A key becomes an [`action`] through the one table in [`bindings`]; [`update`] changes the state in
//! [`app`] and returns effects; [`mod@run`] is the loop around it. A pane is a file in [`pane`], a
//! dialog a file in [`modal`]. Nothing here does IO except on the terminal, and drawing does none
//! at all.

mod action;
mod app;
mod bindings;
mod command_line;
mod decode;
mod draw;
mod explain;
mod fault;
mod field;
mod filter;
mod footer;
mod glossary;
mod header;
mod host;
mod input;
mod items;
mod keys;
mod line;
mod list_view;
mod modal;
mod mouse;
mod notices;
mod options;
mod palette;
mod pane;
mod playback;
mod prompt;
mod run;
mod scene;
mod seek;
mod seeks;
mod speed;
mod still;
mod strip;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod time_scale;
mod timeline;
mod toast;
mod travel;
mod update;
mod view;
mod watch;
mod wave;
mod worker;

pub use bindings::{KeyHelp, key_table};
pub use filter::Filter;
pub use host::{
    Differences, EventsQuestion, EventsTold, FromHost, HostRefusal, JournalState, LoneQuestion, NetworkRow, Objection,
    Overwrite, ProofTold, ProofVerdict, RecordingRow, Refusals, Refused, RerunTold, RerunWish, Severity, ToHost,
    WantedDiff, WatchedPast, WatchedSession,
};
pub use keys::{KeyError, KeyOverrides, OddKey};
pub use options::{ExportCheck, FormDefaults, Glyphs, Mode, Mouse, Options, StartScreen, ThemeChoice};
pub use run::{ConsoleOutcome, Ended, UiError, run};
pub use seek::{
    Destination, EventScope, NoSuchMoment, OpenedRecording, Rest, Seek, SeekId, ShownMoment, TimeDirection, Upcoming,
};
pub use speed::{NoSpeed, Speed};
pub use still::Still;
#[cfg(test)]
pub(crate) use tests::panic as panics;
pub(crate) use text::wrap;
pub use update::judge;

/// The columns of the list of nodes that can be chosen, and `all`.
pub const NODE_COLUMNS: &[&str] = pane::COLUMNS;
