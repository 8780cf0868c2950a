//! Serves the console's requests: commands for the network, files, recordings.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use tokio::sync::{mpsc, watch};

use super::alone::LoneServer;
use super::command_log::{CommandLog, CommandLogContext};
use super::diff;
use super::events;
use super::files::from_home;
use super::nodes::RunningNodes;
use super::plan::Plan;
use super::proof::Prover;
use super::recorded;
use super::replay::{self, PastReader};
use super::settings::NodeSettings;
use super::{NETWORK_NICENESS, rerun, rerun_subject};
use crate::clock::Clock;
use crate::command::Command;
use crate::experiment::report::RerunChanges;
use crate::feed::Tap;
use crate::model::why::AskedAnswer;
use crate::platform::lower_thread_priority;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::scenario::Skipped;
use crate::session::export::{self, ExportError, Exported};
use crate::session::recorder::RecorderHandle;
use crate::ui::{
    FromHost, HostRefusal, LoneQuestion, NoSuchMoment, Overwrite, ProofTold, ProofVerdict, Refusals, RerunTold,
    RerunWish, Seek, SeekId, Severity, ToHost, WantedDiff,
};

/// Asks for the network of a session that runs elsewhere.
#[derive(Debug)]
pub(crate) struct ShowNetwork {
    pub(crate) session: String,
}

pub(crate) struct Host {
    /// For nodes that are started later.
    pub(crate) plan: Plan,
    pub(crate) clock: Clock,
    /// Where events go: the console first, then the recorder.
    pub(crate) taps: Vec<Tap>,
    /// The nodes, once there are any.
    pub(crate) nodes: Option<RunningNodes>,
    /// The journal, if the session is recorded. That of sessions that are watched may begin anew.
    pub(crate) recorder: watch::Receiver<Option<RecorderHandle>>,
    pub(crate) answers: mpsc::Sender<FromHost>,
    /// The recording that is shown.
    pub(crate) replaying: Option<PathBuf>,
    /// Watches other sessions.
    pub(crate) watching: Option<SyncSender<ShowNetwork>>,
    pub(crate) threads: HostThreads,
    pub(crate) command_log: CommandLog,
    /// Lines of the scenario that were not done.
    pub(crate) skipped: watch::Receiver<Vec<Skipped>>,
    /// A rerun is being played.
    pub(crate) rerun_plays: Arc<AtomicBool>,
}

/// Threads that serve the console with what takes long; they end with it.
pub(crate) struct HostThreads {
    /// Reads the past of what is shown.
    past: PastReader,
    prover: Prover,
    lone: LoneServer,
}

impl HostThreads {
    /// Within the runtime, which they wait on.
    pub(crate) fn start(answers: &mpsc::Sender<FromHost>) -> io::Result<Self> {
        Ok(Self {
            past: PastReader::start(answers.clone())?,
            prover: Prover::start(answers.clone())?,
            lone: LoneServer::start(answers.clone())?,
        })
    }
}

/// What is left when the console is gone.
#[derive(Default)]
pub(crate) struct Left {
    /// The nodes, which run on.
    pub(crate) nodes: Option<RunningNodes>,
    /// The recording that was shown.
    pub(crate) replaying: Option<PathBuf>,
}

impl Host {
    /// Serves the console until it is gone.
    pub(crate) async fn serve(mut self, mut asked: mpsc::Receiver<ToHost>) -> Left {
        while let Some(ask) = asked.recv().await {
            match ask {
                ToHost::Command(command) => self.command(command).await,
                ToHost::Export { path, overwrite } => self.export(from_home(path), overwrite).await,
                ToHost::SaveScenario { path, overwrite, names, refused } => {
                    self.save_scenario(from_home(path), overwrite, &names, refused).await;
                }
                ToHost::Rerun(wish) => self.rerun(wish).await,
                ToHost::Prove(answer) => self.prove(answer).await,
                ToHost::DropProof => self.threads.prover.stop(),
                ToHost::ReadAlone(question) => self.read_alone(question).await,
                ToHost::ListRecordings => {
                    let rows = tokio::task::spawn_blocking(recorded::rows).await.unwrap_or_default();
                    self.answer(FromHost::Recordings(rows)).await;
                }
                ToHost::Diff(wanted) => self.diff(wanted).await,
                ToHost::Events(question) => {
                    let journal = self.journal().await.map_err(NoFile::into_text);
                    events::tell(journal, question, &self.answers);
                }
                ToHost::WatchNetwork(session) => self.watch_network(session).await,
                ToHost::OpenRecording(path) => self.open(from_home(path)).await,
                ToHost::Seek(seek) => self.seek(seek).await,
                ToHost::Follow { id, after } => self.follow(id, after).await,
            }
        }
        Left { nodes: self.nodes, replaying: self.replaying }
    }

    async fn answer(&self, answer: FromHost) {
        // A console that is gone needs no answer.
        let _ = self.answers.send(answer).await;
    }

    async fn refuse(&self, why: HostRefusal) {
        self.answer(FromHost::Refused { why }).await;
    }

    async fn command(&mut self, command: Command) {
        if let Some(file) = &self.replaying {
            let source = self.plan.replay_start(file).source().to_owned();
            return self.refuse(HostRefusal::Replaying(source)).await;
        }
        if self.watching.is_some() {
            return self.refuse(HostRefusal::Watching).await;
        }
        let Some(nodes) = &self.nodes else { return self.first_command(command).await };
        let at = self.clock.network_now();
        let response = nodes.command(command.clone()).await;
        self.command_log.note(at, command, response);
    }

    /// There are nodes from the first command on that was carried out; until then a recording can
    /// be opened.
    async fn first_command(&mut self, command: Command) {
        let settings = self.settings_for(&command).clone();
        let nodes = RunningNodes::new(&self.plan, &settings, self.clock, self.taps.clone());
        let at = self.clock.network_now();
        // A refusal has been published already.
        if nodes.command(command.clone()).await.wait().await.is_ok() {
            self.command_log.note_first(at, &command);
            self.nodes = Some(nodes);
        }
    }

    /// Plays the session, or the recording that is shown, again on a thread of its own, which nobody
    /// waits for.
    async fn rerun(&self, RerunWish { set, without }: RerunWish) {
        let journal = match self.journal().await {
            Ok(journal) => journal,
            Err(NoFile::Exists) => return,
            Err(NoFile::Failed(why)) => return self.refuse(HostRefusal::Rerun(why)).await,
        };
        if self.rerun_plays.swap(true, Ordering::Relaxed) {
            return self.refuse(HostRefusal::RerunPlays).await;
        }
        let (plays, answers) = (Arc::clone(&self.rerun_plays), self.answers.clone());
        let play = move || {
            let answer = rerun_answer(&journal, RerunChanges { set, without }, &answers);
            plays.store(false, Ordering::Relaxed);
            let _ = answers.blocking_send(answer);
        };
        self.answer(FromHost::RerunPlays("rerun: reading the recording".to_owned())).await;
        if let Err(error) = std::thread::Builder::new().name("rerun".to_owned()).spawn(play) {
            self.rerun_plays.store(false, Ordering::Relaxed);
            self.refuse(HostRefusal::Rerun(error.to_string())).await;
        }
    }

    /// Has an answer proven; nobody waits for that.
    async fn prove(&self, answer: AskedAnswer) {
        match self.journal().await.map_err(NoFile::into_text) {
            Ok(journal) => self.threads.prover.prove(journal, answer),
            Err(why) => {
                let text = format!("Cannot be proven: {why}");
                let told = ProofTold { verdict: ProofVerdict::Open, text, notes: Vec::new() };
                self.answer(FromHost::Proof { answer, told }).await;
            }
        }
    }

    /// Has read what a node alone knew; nobody waits for that.
    async fn read_alone(&self, question: LoneQuestion) {
        match self.journal().await.map_err(NoFile::into_text) {
            Ok(journal) => self.threads.lone.read(journal, question),
            Err(why) => self.answer(FromHost::Alone { question, answer: Err(why) }).await,
        }
    }

    async fn save_scenario(
        &mut self,
        path: PathBuf,
        overwrite: Overwrite,
        names: &[(Addr, String)],
        refused: Refusals,
    ) {
        let skipped = self.skipped.borrow().clone();
        let settings = self.plan.lab_settings().written();
        let steps = self.plan.scenario.as_ref().map_or(&[][..], |file| &file.script.steps);
        let context = CommandLogContext { settings, steps, names, refused, skipped: &skipped };
        let recording = if self.watching.is_some() { self.journal().await.ok() } else { self.replaying.clone() };
        let text = match recording {
            Some(file) => scenario_of(file).await,
            None => self.command_log.scenario(context, self.clock.network_now()),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => return self.refuse(why).await,
        };
        let dest = path.clone();
        match put(move || export::write_text(&dest, &text, permission(overwrite))).await {
            Ok(()) => self.answer(FromHost::ScenarioSaved { path }).await,
            Err(NoFile::Exists) => self.answer(FromHost::ScenarioExists { path }).await,
            Err(NoFile::Failed(why)) => self.refuse(HostRefusal::File(why)).await,
        }
    }

    /// A lab that is chosen on the start screen has the same pace as one that is started by name.
    fn settings_for(&self, first: &Command) -> &NodeSettings {
        if matches!(first, Command::StartLab { .. }) { self.plan.lab_settings() } else { &self.plan.node }
    }

    async fn export(&self, path: PathBuf, overwrite: Overwrite) {
        let answer = match self.write_export(&path, overwrite).await {
            Ok(Exported { events, damage, .. }) => {
                if damage.lines > 0 {
                    let (severity, text) = (Severity::Warning, export::damage_text(damage.lines));
                    self.answer(FromHost::Notice { severity, text }).await;
                }
                FromHost::Exported { path, events }
            }
            Err(NoFile::Exists) => FromHost::ExportExists { path },
            Err(NoFile::Failed(why)) => FromHost::ExportFailed { path, why },
        };
        self.answer(answer).await;
    }

    async fn write_export(&self, path: &Path, overwrite: Overwrite) -> Result<Exported, NoFile> {
        let journal = self.journal().await?;
        let (path, overwrite) = (path.to_owned(), permission(overwrite));
        put(move || export::export(&journal, &path, overwrite)).await
    }

    /// The file that holds all events up to now.
    async fn journal(&self) -> Result<PathBuf, NoFile> {
        if let Some(file) = &self.replaying {
            return Ok(file.clone());
        }
        let recorder = self.recorder.borrow().clone();
        let journal = recorder.as_ref().and_then(|recorder| Some((recorder, recorder.journal()?)));
        let Some((recorder, journal)) = journal else {
            return Err(NoFile::Failed("this session is not recorded".to_owned()));
        };
        recorder.sync().await.map_err(|error| NoFile::Failed(error.to_string()))?;
        Ok(journal.to_owned())
    }

    async fn diff(&self, wanted: WantedDiff) {
        let answer = match self.journal().await {
            Ok(journal) => diff::answer(journal, wanted).await,
            Err(NoFile::Failed(why)) => FromHost::Refused { why: HostRefusal::File(why) },
            Err(NoFile::Exists) => return,
        };
        self.answer(answer).await;
    }

    async fn open(&mut self, path: PathBuf) {
        if self.nodes.is_some() {
            return self.refuse(HostRefusal::NodesRun).await;
        }
        if self.watching.is_some() {
            return self.refuse(HostRefusal::Watching).await;
        }
        let start = self.plan.replay_start(&path);
        match tokio::task::spawn_blocking(move || replay::open(&start)).await {
            Ok(Ok(recording)) => {
                self.replaying = Some(path.clone());
                self.answer(FromHost::Opened(Box::new(recording))).await;
                self.threads.past.read(path).await;
            }
            Ok(Err(error)) => self.refuse(HostRefusal::File(error.to_string())).await,
            Err(panic) => self.refuse(HostRefusal::File(format!("internal error: {panic}"))).await,
        }
    }

    async fn watch_network(&self, session: String) {
        let sent = self.watching.as_ref().map(|watching| watching.try_send(ShowNetwork { session }));
        if !matches!(sent, Some(Ok(()))) {
            self.refuse(HostRefusal::Watching).await;
        }
    }

    /// The journal is on its disk up to now before anything of it is shown.
    async fn seek(&self, seek: Seek) {
        match self.past_journal().await {
            Ok(journal) => self.threads.past.seek(journal, seek).await,
            Err(why) => self.answer(FromHost::NoMoment { id: seek.id, why }).await,
        }
    }

    async fn follow(&self, id: SeekId, after: Time) {
        let until = if self.replaying.is_some() { None } else { Some(self.clock.network_now()) };
        match self.past_journal().await {
            Ok(journal) => self.threads.past.follow(journal, id, after, until).await,
            Err(why) => self.answer(FromHost::NoMoment { id, why }).await,
        }
    }

    async fn past_journal(&self) -> Result<PathBuf, NoSuchMoment> {
        if self.replaying.is_none() && self.recorder.borrow().is_none() {
            return Err(NoSuchMoment::NotRecorded);
        }
        self.journal().await.map_err(|error| match error {
            NoFile::Exists => NoSuchMoment::NotRecorded,
            NoFile::Failed(why) => NoSuchMoment::File(why),
        })
    }
}

/// Plays a recording again. Whoever asked may be gone before that is done.
fn rerun_answer(journal: &Path, changes: RerunChanges, answers: &mpsc::Sender<FromHost>) -> FromHost {
    lower_thread_priority(NETWORK_NICENESS);
    let tell = |progress| drop(answers.try_send(FromHost::RerunPlays(progress)));
    match rerun::play_recording(journal, changes, tell, || answers.is_closed()) {
        Ok(report) => FromHost::Rerun(RerunTold { verdict: report.verdict(), lines: report.lines() }),
        Err(why) => FromHost::Refused { why: HostRefusal::Rerun(why) },
    }
}

/// The scenario of a recording.
async fn scenario_of(file: PathBuf) -> Result<String, HostRefusal> {
    let read = tokio::task::spawn_blocking(move || rerun_subject::scenario_of(&file)).await;
    read.unwrap_or_else(|panic| Err(HostRefusal::File(format!("internal error: {panic}"))))
}

/// Why a file was not written.
enum NoFile {
    Exists,
    Failed(String),
}

impl NoFile {
    fn into_text(self) -> String {
        match self {
            Self::Exists => "the file exists".to_owned(),
            Self::Failed(why) => why,
        }
    }
}

/// Writes a file on a thread that may wait for the disk.
async fn put<T: Send + 'static>(write: impl FnOnce() -> Result<T, ExportError> + Send + 'static) -> Result<T, NoFile> {
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(written)) => Ok(written),
        Ok(Err(ExportError::Exists { .. })) => Err(NoFile::Exists),
        Ok(Err(error)) => Err(NoFile::Failed(error.to_string())),
        Err(panic) => Err(NoFile::Failed(format!("internal error: {panic}"))),
    }
}

const fn permission(overwrite: Overwrite) -> export::OverwritePolicy {
    match overwrite {
        Overwrite::Ask => export::OverwritePolicy::Refuse,
        Overwrite::Allowed => export::OverwritePolicy::Replace,
    }
}
