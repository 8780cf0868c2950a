//! What the console says to the program around it, and what it is told.
//!
//! The console does no IO but on the terminal: files and the network are the host's.

use std::path::PathBuf;

use crate::command::Command;
use crate::engine::Refusal;
pub use crate::model::notice::Severity;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::scenario::Progress;

use super::options::Mode;

/// What the console wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToHost {
    /// Something for the network.
    Command(Command),
    /// Write what happened in this session to a file.
    Export {
        /// Where; the ending says in which format.
        path: PathBuf,
        /// Whether a file that is there may be replaced.
        overwrite: Overwrite,
    },
    /// Write what was done in this session to a file, as a scenario.
    SaveScenario {
        path: PathBuf,
        /// Whether a file that is there may be replaced.
        overwrite: Overwrite,
        /// What the nodes are called.
        names: Vec<(Addr, String)>,
        /// What the user wanted and the console refused.
        refused: Refusals,
    },
    /// Read a recorded session and feed it; answered by [`FromHost::Opened`] or a notice.
    OpenRecording(PathBuf),
}

/// Something that the user wanted and that the console knew to be impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub at: Time,
    /// The command, as it is typed.
    pub what: String,
    /// Why it was not done.
    pub why: Objection,
}

/// Why the console does not pass on what the user wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// The line is no command: what was expected.
    #[error("{0}")]
    Line(String),
    /// A key acts on the selected node, and there is none.
    #[error("no node is selected")]
    NothingSelected,
    /// The engine would refuse it, as far as is known here.
    #[error(transparent)]
    Engine(#[from] Refusal),
    /// It is a seed of another process, which has no links that we could cut.
    #[error("{0} is a seed in another process: stop it there")]
    SeedElsewhere(Addr),
    /// It is a peer of another process.
    #[error("{0} runs in another process, and no node here is linked to it")]
    NoLinkTo(Addr),
    /// It is a peer of another process, and no link to it was cut.
    #[error("{0} runs in another process: restart it there")]
    PeerElsewhere(Addr),
}

/// Why the host does not do what the console asks for. Why the engine does not, it tells with a `Failed` event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostRefusal {
    /// What is shown is a recording.
    #[error("{} is a recording: quit, and start nodes in a new session", .0.display())]
    Replaying(PathBuf),
    /// A recording is to be opened, and nodes run.
    #[error("nodes of this session run: open a recording in a session of its own")]
    NodesRun,
    /// What was done is to be written down, and did not begin with a lab.
    #[error("a scenario begins with a lab, and this session did not: see gossipctl lab")]
    NoLab,
    /// A file cannot be read or written: what is wrong with it.
    #[error("{0}")]
    File(String),
}

/// Refusals that are kept: more than anybody types.
const REFUSALS_MAX: usize = 1_000;

/// What the console refused in a session, to be written down with what was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// In order; the first thousand.
    pub kept: Vec<Refused>,
    /// How many came after those.
    pub more: usize,
}

impl Refusals {
    pub(crate) fn push(&mut self, refused: Refused) {
        if self.kept.len() < REFUSALS_MAX {
            self.kept.push(refused);
        } else {
            self.more += 1;
        }
    }
}

/// Whether an existing file may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// No: answer [`FromHost::ExportExists`].
    Ask,
    /// The user said yes.
    Allowed,
}

/// What the host answers or reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromHost {
    /// The export is written.
    Exported {
        path: PathBuf,
        /// How many events it holds.
        events: u64,
    },
    /// There is a file already; nothing was written.
    ExportExists { path: PathBuf },
    /// The export could not be written.
    ExportFailed {
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// What was done is written down as a scenario.
    ScenarioSaved { path: PathBuf },
    /// There is a file already; no scenario was written.
    ScenarioExists { path: PathBuf },
    /// What is being watched changed; what was shown before is forgotten.
    Opened(Mode),
    /// What was wanted is not done.
    Refused {
        /// Why, and what to do.
        why: HostRefusal,
    },
    /// A line for the user that is no answer.
    Notice {
        /// How much it matters.
        severity: Severity,
        /// What it says.
        text: String,
    },
    /// How the recording of this session goes.
    JournalState(JournalState),
    /// How far the scenario is that is being played.
    Scenario(Progress),
}

/// How the recording of this session goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalState {
    /// Nothing is being recorded.
    Off,
    /// All that happens is recorded.
    Recording { path: PathBuf },
    /// Recording stopped.
    Failed { why: String },
}
