//! Scenarios: what is done to a network when, and what is expected of it.
//!
//! A scenario is a text file: how the network begins, then a line for each thing that is done or expected, in the words
//! of the command line and with a time in front; `docs/SCENARIOS.md` tells all of it. [`Script`] is such a file, read
//! and rehearsed, so that whatever can be known to be wrong is said before anything runs. [`Run`] plays it: it is told
//! what happens and what time it is, and says what to do and what came of it. It has no clock and no network, so that
//! the same scenario runs on sockets and in virtual time. What is expected is judged by the model, a fold over events.
//! [`record`] writes the commands of a session down as a scenario.

mod claim;
mod expect;
pub mod record;
mod rehearsal;
mod run;
mod script;
mod time;
mod words;

pub use run::{Progress, Run, ScenarioAction, ScenarioNotice, Skipped, Summary};
pub use script::{Script, ScriptError, ScriptStep, Setting};
