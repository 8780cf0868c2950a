//! Messages between the console and the program around it.
//!
//! The console does no IO except on the terminal: files and the network are the host's.

use std::path::PathBuf;
use std::sync::Arc;

use crate::command::Command;
use crate::engine::Refusal;
use crate::event::Event;
use crate::model::Model;
use crate::model::diagram::subject::DiagramSubject;
use crate::model::diff::DiffLine;
use crate::model::moment::WrittenMoment;
pub use crate::model::notice::Severity;
use crate::model::timeline::Timeline;
use crate::model::why::AskedAnswer;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::scenario::ScenarioView;

use super::seek::{NoSuchMoment, OpenedRecording, Seek, SeekId, ShownMoment, Upcoming};

/// What the console wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToHost {
    /// A command for the network.
    Command(Command),
    /// Write the session's events to a file.
    Export {
        /// Its extension chooses the format.
        path: PathBuf,
        overwrite: Overwrite,
    },
    /// Write the session's commands to a file, as a scenario.
    SaveScenario {
        path: PathBuf,
        overwrite: Overwrite,
        /// The names of the nodes.
        names: Vec<(Addr, String)>,
        /// Commands that the console refused.
        refused: Refusals,
    },
    /// Compare two moments of the session; answered by [`FromHost::Differences`] or a refusal.
    Diff(WantedDiff),
    /// Play this session, or the recording that is shown, again in virtual time with these changes;
    /// answered by [`FromHost::Rerun`] or a refusal.
    Rerun(RerunWish),
    /// Prove this answer about the session: play it again without the cause; answered by
    /// [`FromHost::Proof`]. What was to be proven before is void.
    Prove(AskedAnswer),
    /// Nobody waits for a proof any more.
    DropProof,
    /// Read what one node alone knew; answered by [`FromHost::Alone`]. What was to be read before is void.
    ReadAlone(LoneQuestion),
    /// Read events of the session; answered by [`FromHost::Events`].
    Events(EventsQuestion),
    /// List the recorded sessions; answered by [`FromHost::Recordings`].
    ListRecordings,
    /// Show the network of this session, which runs elsewhere; answered by [`FromHost::Watching`].
    WatchNetwork(String),
    /// Open a recorded session; answered by [`FromHost::Opened`] or a notice.
    OpenRecording(PathBuf),
    /// Show another moment of the session; answered by [`FromHost::Moment`] or [`FromHost::NoMoment`],
    /// or not at all if another moment is asked for meanwhile.
    Seek(Seek),
    /// Tell what happened after this moment; answered by [`FromHost::Upcoming`].
    Follow {
        /// The request for the moment that is shown.
        id: SeekId,
        after: Time,
    },
}

/// What is to be otherwise when a session is played again; nothing: only the times and the luck.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RerunWish {
    /// Settings: `max-dial 3`.
    pub set: Vec<String>,
    /// Commands that are left out: `cut p7 p8`.
    pub without: Vec<String>,
}

/// What came out otherwise, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunTold {
    pub verdict: String,
    /// A table and what differs in detail.
    pub lines: Vec<String>,
}

/// What came of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofVerdict {
    /// The answer holds.
    Holds,
    /// It does not.
    Fails,
    /// That could not be found out.
    Open,
}

/// What came of a proof, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofTold {
    pub verdict: ProofVerdict,
    /// A line.
    pub text: String,
    /// What the reader should know of the rerun, a line each.
    pub notes: Vec<String>,
}

/// What one node alone knew at a moment of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneQuestion {
    pub node: Addr,
    pub at: Time,
}

/// Which events the console wants: those about a subject within a span of time, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsQuestion {
    pub subject: DiagramSubject,
    pub from: Time,
    pub to: Time,
}

/// Events, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsTold {
    pub events: Arc<[Event]>,
    /// How many more there are, over the host's limit.
    pub left_out: u64,
}

/// A command that the console knew to be impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub at: Time,
    /// As it is typed.
    pub what: String,
    pub why: Objection,
}

/// Why the console does not pass on a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// The line is no command: what was expected.
    #[error("{0}")]
    Line(String),
    /// A key acts on the selected node, and none is selected.
    #[error("no node is selected")]
    NothingSelected,
    /// The engine would refuse it, as far as is known here.
    #[error(transparent)]
    Engine(#[from] Refusal),
    /// It is a seed of another process, which has no links that we could cut.
    #[error("{} is a seed in another process: stop it there", .0.name())]
    SeedElsewhere(Addr),
    /// It is a peer of another process, and none of ours has a link to it.
    #[error("{} runs in another process, and no node here is linked to it", .0.name())]
    NoLinkTo(Addr),
    /// It is a peer of another process, and no link to it was cut.
    #[error("{} runs in another process: restart it there", .0.name())]
    PeerElsewhere(Addr),
}

/// Why the host refuses what the console asks for. The engine's refusals come as `Failed` events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostRefusal {
    /// A recording is shown.
    #[error("{} is a recording: quit, and start nodes in a new session", .0.display())]
    Replaying(PathBuf),
    /// The nodes of other processes are shown.
    #[error("watch only shows what other sessions record: quit, and do that in a session of its own")]
    Watching,
    /// A recording cannot be opened while nodes run.
    #[error("nodes are running in this session: open the recording in a new one")]
    NodesRun,
    /// The session cannot be saved as a scenario: it did not begin with a lab.
    #[error("a scenario begins with a lab, and this session did not: start one with 'gossipctl lab'")]
    NoLab,
    /// One rerun at a time.
    #[error("a rerun is being played: wait for its table")]
    RerunPlays,
    /// The session cannot be played again: why, and what to do.
    #[error("no rerun: {0}")]
    Rerun(String),
    /// A file cannot be read or written: what is wrong with it.
    #[error("{0}")]
    File(String),
}

/// Refusals that are kept: more than anybody types.
const REFUSALS_MAX: usize = 1_000;

/// What the console refused in a session, to be saved with what was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// In order, up to the limit.
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
#[derive(Debug, Clone)]
pub enum FromHost {
    Exported {
        path: PathBuf,
        /// How many events it holds.
        events: u64,
    },
    /// The file exists; nothing was written.
    ExportExists {
        path: PathBuf,
    },
    /// The export could not be written.
    ExportFailed {
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The session was saved as a scenario.
    ScenarioSaved {
        path: PathBuf,
    },
    /// The file exists; no scenario was written.
    ScenarioExists {
        path: PathBuf,
    },
    Differences(Box<Differences>),
    /// A rerun goes on: how far it is.
    RerunPlays(String),
    /// A rerun is over.
    Rerun(RerunTold),
    /// Whether this answer holds.
    Proof {
        answer: AskedAnswer,
        told: ProofTold,
    },
    /// The network as that node knew it, or why that cannot be read.
    Alone {
        question: LoneQuestion,
        answer: Result<Arc<Model>, String>,
    },
    /// The events that were asked for, or why there are none.
    Events {
        question: EventsQuestion,
        answer: Result<EventsTold, String>,
    },
    /// The recorded sessions, newest first.
    Recordings(Vec<RecordingRow>),
    /// Several networks run; the user chooses one.
    Networks(Vec<NetworkRow>),
    /// What other sessions recorded up to now; what was shown before is forgotten.
    Watching(Box<WatchedPast>),
    /// The sessions that are watched.
    Watched(Vec<WatchedSession>),
    /// A recording is shown now; what was shown before is forgotten.
    Opened(Box<OpenedRecording>),
    Moment(ShownMoment),
    NoMoment {
        id: SeekId,
        why: NoSuchMoment,
    },
    Upcoming(Upcoming),
    /// What happened when in the recording, as far as it was read.
    Timeline(Box<Timeline>),
    Refused {
        /// Why, and what to do.
        why: HostRefusal,
    },
    /// A line for the user that is no answer.
    Notice {
        severity: Severity,
        text: String,
    },
    JournalState(JournalState),
    /// How the scenario that is played goes on.
    Scenario(Box<ScenarioView>),
}

/// Two moments that are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedDiff {
    pub from: WrittenMoment,
    pub to: WrittenMoment,
    /// The moment that is shown, from which spans count.
    pub shown: Time,
}

/// What changed between two moments, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// `from 03:11:00.000 to 03:13:00.000`.
    pub title: String,
    /// What makes it less certain.
    pub doubt: Option<String>,
    pub lines: Vec<DiffLine>,
}

/// A recorded session in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRow {
    pub path: PathBuf,
    pub when: String,
    /// What ran in it.
    pub what: String,
    pub lasted: String,
    pub ended: String,
    /// What is in it, as far as that is known without reading all of it.
    pub holds: String,
}

/// A network that other sessions run, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    /// The name of its first session, by which it is chosen.
    pub session: String,
    pub what: String,
    pub since: String,
}

/// What sessions that are watched have recorded.
#[derive(Debug, Clone)]
pub struct WatchedPast {
    pub model: Model,
    pub timeline: Timeline,
}

/// A session that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedSession {
    pub name: String,
    pub nodes: Vec<Addr>,
    pub is_running: bool,
}

/// The state of the recording of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalState {
    Off,
    Recording { path: PathBuf },
    Failed { why: String },
}
