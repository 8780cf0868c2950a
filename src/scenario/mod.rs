//! Scenarios: what is done to a network and when, and what is expected of it.
//!
//! A scenario is a text file: how the network begins, then a line for each action or expectation,
//! in the words of the command line and with a time in front (`docs/SCENARIOS.md`). [`Script`] is
//! such a file, read and rehearsed, so that errors are reported before anything runs. [`Run`] plays
//! it: it takes events and the time, and returns what to do and what to report. It has no clock and
//! no network, so the same scenario runs on sockets and in virtual time. Expectations are decided
//! by the model, a fold over events. [`record`] writes the commands of a session as a scenario, and
//! [`deeds`] finds them in its events.

mod claim;
pub mod deeds;
mod expect;
pub mod leaving;
pub mod played;
pub mod record;
mod rehearsal;
mod run;
mod script;
mod time;
mod without;
mod words;

pub use run::{
    LineOutcome, Progress, Run, ScenarioAction, ScenarioLine, ScenarioNotice, ScenarioView, Skipped, Summary,
    most_telling,
};
pub use script::{Script, ScriptError, ScriptStep, Setting};
pub use without::NotInScript;
