//! Records a session: reads a feed on its own thread and writes the journal, the node logs, or
//! both.
//!
//! The disk may be slow, full or read-only; the network never waits for it. Events that came too
//! fast or could not be written are counted, and the journal says so at the place where they are
//! missing. A journal that cannot be created or written is tried again for as long as something
//! happens.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::archive::prune;
use super::journal::{Header, Journal, JournalError};
use super::lines::stamp;
use super::node_logs::{LogError, NodeLogs};
use super::overview::SessionEnd;
use crate::clock::Clock;
use crate::feed::{Delivery, Feed};
use crate::model::words::size_text;

/// How long an event may wait for the disk. Less than the second after which a person following a
/// log would notice, and much more than a write takes.
pub(super) const FLUSH_INTERVAL: Duration = Duration::from_millis(900);
/// How often room is made for a growing journal: after each such part of what all journals may
/// take.
const ROOM_STEPS: u64 = 32;
/// How long the recorder goes on writing at the end: a user who leaves waits no longer for a slow
/// disk, and the rest is counted as missing.
const LAST_MOMENTS: Duration = Duration::from_millis(700);
/// Callers that may wait for a sync at one time: a user asks for one export at a time.
const SYNCS_MAX: usize = 4;

/// When the files of a session are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFrom {
    /// At once, so that a place that refuses them is told at once.
    Start,
    /// With the first event: nothing may ever happen in the session.
    FirstEvent,
}

/// Where to record.
#[derive(Debug, Clone)]
pub struct RecordPaths {
    pub from: RecordFrom,
    /// A new file, within these limits; `None`: there is no journal.
    pub journal: Option<(PathBuf, Limits)>,
    /// Where the node logs go, if the user wants them.
    pub log_dir: Option<PathBuf>,
}

/// Limits in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One journal; events after that are counted as missing.
    pub journal_size_max: u64,
    /// All journals in the directory together: the oldest sessions are deleted first, but never one
    /// that is being written.
    pub archive_size_max: u64,
}

/// Enough for hours of a busy lab, and too little to fill a disk overnight.
impl Default for Limits {
    fn default() -> Self {
        const GIB: u64 = 1024 * 1024 * 1024;
        Self { journal_size_max: GIB, archive_size_max: 4 * GIB }
    }
}

/// What the user should know about a recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Events are recorded here.
    Recording(PathBuf),
    /// The same after a failure.
    Again {
        journal: PathBuf,
        /// Events that are missing in it.
        missing: u64,
    },
    /// Events are not recorded, for this reason.
    Failing(String),
    /// Anything else, in a line.
    Note(String),
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    #[error(transparent)]
    Logs(#[from] LogError),
    /// There is no thread for it.
    #[error("cannot start the recorder: {0}")]
    Thread(#[from] io::Error),
    #[error("the recorder has ended: the journal holds what happened until then")]
    Ended,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecorderReport {
    /// Events in the journal.
    pub events: u64,
    /// Events that came too fast to be recorded.
    pub skipped: u64,
    /// Events that could not be written.
    pub lost: u64,
    /// Write errors, of the journal and the logs.
    pub errors: u64,
    /// `None` if it could not be created.
    pub journal: Option<PathBuf>,
    /// The node logs.
    pub logs: Vec<PathBuf>,
}

/// A running recorder.
#[derive(Debug)]
pub struct Recorder {
    handle: RecorderHandle,
    /// How the session ended, once that is known.
    ended: Arc<OnceLock<SessionEnd>>,
    stop: CancellationToken,
    thread: JoinHandle<RecorderReport>,
}

/// Access to a recorder for whoever wants to read what it wrote.
#[derive(Debug, Clone)]
pub struct RecorderHandle {
    journal: Option<PathBuf>,
    syncs: mpsc::Sender<oneshot::Sender<()>>,
}

impl Recorder {
    /// Starts to record a feed. `notify` is called, here and on the recorder's thread, with what
    /// the user should know: that it records, that writing fails, and that it works again. It must
    /// not block.
    pub fn spawn(
        feed: Feed,
        places: &RecordPaths,
        header: &Header,
        notify: impl Fn(News) + Send + 'static,
    ) -> Result<Self, RecorderError> {
        let mut state = RecorderState { utc_offset_s: header.utc_offset_s, ..RecorderState::new(None, notify) };
        let planned = PlannedFiles { places: places.clone(), header: header.clone() };
        match places.from {
            RecordFrom::Start => state.open(planned)?,
            RecordFrom::FirstEvent => state.planned = Some(planned),
        }
        Self::start(feed, state)
    }

    fn start<N: Fn(News) + Send + 'static>(feed: Feed, state: RecorderState<N>) -> Result<Self, RecorderError> {
        let (syncs, asked) = mpsc::channel(SYNCS_MAX);
        let stop = CancellationToken::new();
        let (stopped, ended) = (stop.clone(), Arc::clone(&state.ended));
        let handle = RecorderHandle { journal: state.journal_path().map(Path::to_owned), syncs };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let work = move || runtime.block_on(record(state, feed, asked, stopped));
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(work)?;
        Ok(Self { handle, ended, stop, thread })
    }

    pub fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// Notes how the session ended.
    pub fn note_end(&self, ended: SessionEnd) {
        // The first reason counts.
        let _ = self.ended.set(ended);
    }

    /// Records what waits in the feed, ends, and returns what was recorded. Waits for the disk, so
    /// it is not for a task that others wait for.
    pub fn finish(self) -> RecorderReport {
        self.stop.cancel();
        self.join()
    }

    /// The same, however long it takes, once nobody can publish any more.
    pub fn finish_all(self) -> RecorderReport {
        self.join()
    }

    fn join(self) -> RecorderReport {
        self.thread.join().unwrap_or_else(|_| RecorderReport {
            journal: self.handle.journal.clone(),
            errors: 1,
            ..RecorderReport::default()
        })
    }
}

impl RecorderHandle {
    /// `None`: there are node logs alone.
    pub fn journal(&self) -> Option<&Path> {
        self.journal.as_deref()
    }

    /// Waits until everything that was published before is in the journal (or counted as lost).
    pub async fn sync(&self) -> Result<(), RecorderError> {
        let (done, is_done) = oneshot::channel();
        self.syncs.send(done).await.map_err(|_| RecorderError::Ended)?;
        is_done.await.map_err(|_| RecorderError::Ended)
    }
}

/// Makes room for a growing journal by deleting the oldest sessions.
struct DiskRoom {
    dir: PathBuf,
    size_max: u64,
    /// The size of the journal at which room is made again.
    due_at: u64,
}

impl DiskRoom {
    fn new(journal: &Path, size_max: u64) -> Self {
        Self { dir: journal.parent().unwrap_or(Path::new(".")).to_owned(), size_max, due_at: 0 }
    }

    /// Makes room for what this journal may grow by until the next call; returns a line for the
    /// user if sessions were deleted.
    fn make(&mut self, journal_size: u64) -> Option<String> {
        if journal_size < self.due_at || !self.dir.is_dir() {
            return None;
        }
        let step = self.size_max / ROOM_STEPS;
        self.due_at = journal_size + step;
        match prune(&self.dir, self.size_max - step) {
            Ok(gone) if gone.is_empty() => None,
            Ok(gone) => Some(format!("recorded sessions took too much room: the oldest {} deleted", gone.len())),
            Err(error) => Some(format!("{}: old sessions cannot be deleted: {error}", self.dir.display())),
        }
    }
}

/// Files that are not there yet.
struct PlannedFiles {
    places: RecordPaths,
    header: Header,
}

/// What the recorder writes with.
struct RecorderState<N> {
    ended: Arc<OnceLock<SessionEnd>>,
    /// What the first event is to open.
    planned: Option<PlannedFiles>,
    journal: Option<Journal>,
    room: Option<DiskRoom>,
    logs: Option<NodeLogs>,
    notify: N,
    events: u64,
    skipped: u64,
    errors: u64,
    failing: bool,
    /// The user knows when the journal will be full.
    limit_told: bool,
    utc_offset_s: i32,
}

/// Runs until the feed ends or the recorder is told to stop. Sleeps while nothing happens.
async fn record<N: Fn(News)>(
    mut state: RecorderState<N>,
    mut feed: Feed,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
    stopped: CancellationToken,
) -> RecorderReport {
    state.make_room();
    let flush_due = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(flush_due);
    let mut is_flush_planned = false;
    loop {
        tokio::select! {
            delivery = feed.recv() => match delivery {
                Some(delivery) => state.take(&delivery),
                None => break,
            },
            Some(done) = asked.recv() => {
                state.take_waiting(&mut feed);
                state.flush();
                // The caller may be gone.
                let _ = done.send(());
            }
            () = &mut flush_due, if is_flush_planned => {
                state.flush();
                is_flush_planned = false;
            }
            () = stopped.cancelled() => break,
        }
        if state.is_dirty() && !is_flush_planned {
            flush_due.set(tokio::time::sleep(FLUSH_INTERVAL));
            is_flush_planned = true;
        }
    }
    state.take_last(&mut feed, Clock::start());
    state.end()
}

impl<N: Fn(News)> RecorderState<N> {
    fn new(journal: Option<Journal>, notify: N) -> Self {
        Self {
            ended: Arc::default(),
            planned: None,
            journal,
            room: None,
            logs: None,
            notify,
            events: 0,
            skipped: 0,
            errors: 0,
            failing: false,
            limit_told: false,
            utc_offset_s: 0,
        }
    }

    /// Where the journal is, or will be.
    fn journal_path(&self) -> Option<&Path> {
        let planned = self.planned.as_ref().and_then(|planned| planned.places.journal.as_ref());
        self.journal.as_ref().map(Journal::path).or(planned.map(|(path, _)| path.as_path()))
    }

    /// Opens the log files and the journal.
    fn open(&mut self, PlannedFiles { places, header }: PlannedFiles) -> Result<(), LogError> {
        if let Some((path, limits)) = &places.journal {
            let (journal, begun) = Journal::begin(path, &header, limits.journal_size_max);
            self.journal = Some(journal);
            self.room = Some(DiskRoom::new(path, limits.archive_size_max));
            self.begin(begun);
        }
        self.logs = places.log_dir.as_ref().map(|dir| NodeLogs::open(dir, header.utc_offset_s)).transpose()?;
        Ok(())
    }

    /// The first event has come.
    fn open_planned(&mut self) {
        let Some(planned) = self.planned.take() else { return };
        let opened = self.open(planned);
        self.complain_of_log(opened.err());
        self.make_room();
    }

    /// Reports how recording begins.
    fn begin(&mut self, begun: Result<(), JournalError>) {
        if let (Ok(()), Some(journal)) = (&begun, &self.journal) {
            (self.notify)(News::Recording(journal.path().to_owned()));
        }
        self.judge_journal(begun);
    }

    fn in_journal(&mut self, write: impl FnOnce(&mut Journal) -> Result<(), JournalError>) {
        let kept = self.journal.as_mut().map_or(Ok(()), write);
        self.judge_journal(kept);
    }

    fn take(&mut self, delivery: &Delivery) {
        self.open_planned();
        self.skip(delivery.skipped);
        self.events += delivery.batch.len() as u64;
        self.in_journal(|journal| journal.append(&delivery.batch));
        for event in delivery.batch.iter() {
            let written = self.logs.as_mut().map_or(Ok(()), |logs| logs.write(event));
            self.complain_of_log(written.err());
        }
    }

    /// Takes what is in the feed now; what comes meanwhile can wait.
    fn take_waiting(&mut self, feed: &mut Feed) {
        for _ in 0..feed.waiting() {
            if let Some(delivery) = feed.try_recv() {
                self.take(&delivery);
            }
        }
    }

    /// The same at the end, as far as time allows; the rest is missing.
    fn take_last(&mut self, feed: &mut Feed, clock: Clock) {
        let (by, mut rest) = (clock.epoch() + LAST_MOMENTS, 0);
        while let Some(delivery) = feed.try_recv() {
            if clock.now() < by {
                self.take(&delivery);
            } else {
                rest += delivery.skipped + delivery.batch.len() as u64;
            }
        }
        self.skip(rest + feed.take_skipped());
    }

    fn skip(&mut self, events: u64) {
        if events > 0 {
            self.open_planned();
        }
        self.skipped += events;
        if let Some(logs) = &mut self.logs {
            logs.skip(events);
        }
        self.in_journal(|journal| journal.skipped(events));
    }

    fn is_dirty(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_dirty) || self.logs.as_ref().is_some_and(NodeLogs::is_dirty)
    }

    fn flush(&mut self) {
        self.flush_journal();
        for error in self.logs.as_mut().map(NodeLogs::flush).unwrap_or_default() {
            self.complain_of_log(Some(error));
        }
        if let Some(note) = self.logs.as_mut().and_then(NodeLogs::take_note) {
            (self.notify)(News::Note(note));
        }
    }

    fn flush_journal(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        let had_something = journal.is_dirty();
        let kept = journal.flush();
        if had_something && kept.is_ok() && self.failing && !journal.is_full() {
            self.failing = false;
            let missing = journal.lost() + self.skipped;
            (self.notify)(News::Again { journal: journal.path().to_owned(), missing });
        }
        if let Some(told) = journal.take_loss() {
            (self.notify)(News::Note(told));
        }
        self.tell_limit();
        self.judge_journal(kept);
        self.make_room();
    }

    /// Warns the user, once and in time, of a journal that will be full.
    fn tell_limit(&mut self) {
        let Some(journal) = self.journal.as_ref().filter(|_| !self.limit_told) else { return };
        if let Some(at) = journal.full_at() {
            self.limit_told = true;
            let (limit, when) = (size_text(journal.size_max()), stamp(at, self.utc_offset_s));
            let told = format!(
                "the journal is half full: at this pace it reaches its limit of {limit} at {when}; \
                 --journal-max sets a higher one"
            );
            (self.notify)(News::Note(told));
        }
    }

    fn make_room(&mut self) {
        let (Some(room), Some(journal)) = (&mut self.room, &self.journal) else { return };
        if let Some(told) = room.make(journal.size()) {
            (self.notify)(News::Note(told));
        }
    }

    /// The user hears of the first failure, not of each one while the disk stays full.
    fn judge_journal(&mut self, kept: Result<(), JournalError>) {
        let Err(error) = kept else { return };
        self.errors += 1;
        if !std::mem::replace(&mut self.failing, true) {
            (self.notify)(News::Failing(error.to_string()));
        }
    }

    fn complain_of_log(&mut self, error: Option<LogError>) {
        if let Some(error) = error {
            self.errors += 1;
            (self.notify)(News::Note(error.to_string()));
        }
    }

    fn end(mut self) -> RecorderReport {
        if let Some(logs) = &mut self.logs {
            logs.end();
        }
        self.flush();
        let (mut lost, mut path) = (0, None);
        if let Some(journal) = self.journal {
            lost = journal.lost();
            path = journal.is_there().then(|| journal.path().to_owned());
            self.errors += u64::from(journal.close_as(self.ended.get().copied()).is_err());
        }
        let logs = self.logs.map(|logs| logs.paths().map(Path::to_owned).collect()).unwrap_or_default();
        let (events, skipped, errors) = (self.events - lost, self.skipped, self.errors);
        RecorderReport { events, skipped, lost, errors, journal: path, logs }
    }
}

#[cfg(test)]
mod tests;
