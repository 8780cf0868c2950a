//! A session on disk: recorded, listed, exported and replayed.
//!
//! The [`recorder`] writes every event to the [`journal`] and, if the user wants them, to the
//! [`node_logs`]. [`export`] turns a journal into one file for people or for other programs,
//! [`replay`] reads a journal or an export back, [`past`] shows any moment of it,
//! [`diagram_svg`] draws a space-time diagram, and [`summary`] is what a user reads after quitting. [`lines`] has the words of the log lines,
//! [`json`] writes events for programs. [`archive`] knows the sessions on disk, and [`overview`]
//! sums each of them up. [`document`] tells a network in the forms of other tools, [`report`] a session
//! on one page, [`overlay`] the overlay alone, and [`comparison`] what differs between two moments.
//! [`watch`] follows the sessions that run, and [`merge`] reads several of one network as one.
//! [`vantage`] leaves what one node alone would have recorded.
//! [`check`] finds the invariants that a run violated, [`citation`] the events that an answer rests on.
//!
//! Files stay well formed when the disk fills up: a line is written whole or not at all, and what
//! is missing is counted where it is missing.

pub mod archive;
pub mod check;
pub mod citation;
pub mod comparison;
pub mod diagram_svg;
mod disk;
pub mod document;
pub mod export;
mod frames;
pub mod journal;
pub mod json;
pub mod lines;
pub mod merge;
pub mod names;
pub mod node_logs;
pub mod overlay;
pub mod overview;
pub mod past;
pub mod recorder;
pub mod replay;
pub mod report;
pub mod summary;
pub mod text;
pub mod vantage;
pub mod watch;
