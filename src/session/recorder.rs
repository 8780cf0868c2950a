//! Keeps what happens: reads a feed on a thread of its own and writes the journal and the logs of
//! the nodes.
//!
//! The disk may be slow or full; the network never waits for it. What the recorder could not keep
//! up with, or could not write, is counted, and the journal tells it at the place where it is
//! missing.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::journal::{Header, Journal, JournalError};
use super::node_logs::{LogError, NodeLogs};
use crate::feed::{Delivery, Feed};

/// How long a written event may wait for its way to the disk. Less than the second after which a
/// person who follows a log would notice, and much more than a write takes.
const FLUSH_INTERVAL: Duration = Duration::from_millis(900);
/// How long a journal may grow: hours of a busy lab, and no disk is full overnight.
pub const JOURNAL_SIZE_MAX: u64 = 1024 * 1024 * 1024;
/// Those who may wait for a sync at one time: a user asks for one export at a time.
const SYNCS_MAX: usize = 4;

/// What to record to.
#[derive(Debug, Clone)]
pub struct Places {
    /// The journal, a new file.
    pub journal: PathBuf,
    /// The directory for the logs of the nodes, if the user wants them.
    pub log_dir: Option<PathBuf>,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The journal cannot be made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The logs cannot be made.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// There is no thread to do it.
    #[error("cannot start the recorder: {0}")]
    Thread(#[from] io::Error),
    /// The recorder has ended already.
    #[error("the recorder has ended: the journal holds what happened until then")]
    Ended,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecorderReport {
    /// Events that are in the journal.
    pub events: u64,
    /// Events that came faster than they could be recorded.
    pub skipped: u64,
    /// Events that could not be written.
    pub lost: u64,
    /// Errors of writing, of the journal and the logs.
    pub errors: u64,
    /// Where the journal is.
    pub journal: PathBuf,
    /// The logs of the nodes.
    pub logs: Vec<PathBuf>,
}

/// A recorder at work.
#[derive(Debug)]
pub struct Recorder {
    handle: RecorderHandle,
    stop: CancellationToken,
    thread: JoinHandle<RecorderReport>,
}

/// A way to a recorder for who wants to read what it wrote.
#[derive(Debug, Clone)]
pub struct RecorderHandle {
    journal: PathBuf,
    syncs: mpsc::Sender<oneshot::Sender<()>>,
}

impl Recorder {
    /// Starts to record a feed. `notify` is called, on the recorder's thread, with a line for the
    /// user when writing begins to fail and when it works again; it must not wait.
    pub fn spawn(
        feed: Feed,
        places: &Places,
        header: &Header,
        notify: impl Fn(String) + Send + 'static,
    ) -> Result<Self, RecorderError> {
        let journal = Journal::create(&places.journal, header, JOURNAL_SIZE_MAX)?;
        let open_logs = |dir: &PathBuf| NodeLogs::open(dir, header.utc_offset_s);
        let logs = places.log_dir.as_ref().map(open_logs).transpose()?;
        let (syncs, asked) = mpsc::channel(SYNCS_MAX);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let desk = Desk { journal, logs, notify, events: 0, skipped: 0, errors: 0, failing: false };
        let work = move || runtime.block_on(record(desk, feed, asked, stopped));
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(work)?;
        let handle = RecorderHandle { journal: places.journal.clone(), syncs };
        Ok(Self { handle, stop, thread })
    }

    /// A way to it that can be handed on.
    pub fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// Records what is waiting in the feed, ends, and tells what was recorded. Waits for the disk:
    /// not for a task that others wait for.
    pub fn finish(self) -> RecorderReport {
        self.stop.cancel();
        self.thread.join().unwrap_or_else(|_| RecorderReport {
            journal: self.handle.journal.clone(),
            errors: 1,
            ..RecorderReport::default()
        })
    }
}

impl RecorderHandle {
    /// Where the journal is.
    pub fn journal(&self) -> &Path {
        &self.journal
    }

    /// Waits until everything that was published before is in the journal (or counted as lost).
    pub async fn sync(&self) -> Result<(), RecorderError> {
        let (done, is_done) = oneshot::channel();
        self.syncs.send(done).await.map_err(|_| RecorderError::Ended)?;
        is_done.await.map_err(|_| RecorderError::Ended)
    }
}

/// What the recorder writes with.
struct Desk<N> {
    journal: Journal,
    logs: Option<NodeLogs>,
    notify: N,
    events: u64,
    skipped: u64,
    errors: u64,
    failing: bool,
}

/// Runs until the feed ends or the recorder is told to stop. Sleeps while nothing happens.
async fn record<N: Fn(String)>(
    mut desk: Desk<N>,
    mut feed: Feed,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
    stopped: CancellationToken,
) -> RecorderReport {
    let flush_due = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(flush_due);
    let mut is_flush_planned = false;
    loop {
        tokio::select! {
            delivery = feed.recv() => match delivery {
                Some(delivery) => desk.take(&delivery),
                None => break,
            },
            Some(done) = asked.recv() => {
                desk.take_waiting(&mut feed);
                desk.flush();
                // Who asked may have gone meanwhile.
                let _ = done.send(());
            }
            () = &mut flush_due, if is_flush_planned => {
                desk.flush();
                is_flush_planned = false;
            }
            () = stopped.cancelled() => break,
        }
        if desk.is_dirty() && !is_flush_planned {
            flush_due.set(tokio::time::sleep(FLUSH_INTERVAL));
            is_flush_planned = true;
        }
    }
    desk.take_waiting(&mut feed);
    desk.skip(feed.take_skipped());
    desk.flush();
    desk.report()
}

impl<N: Fn(String)> Desk<N> {
    fn take(&mut self, delivery: &Delivery) {
        self.skip(delivery.skipped);
        let kept = self.journal.append(&delivery.batch);
        self.events += delivery.batch.len() as u64;
        self.judge_journal(kept);
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

    fn skip(&mut self, events: u64) {
        self.skipped += events;
        let kept = self.journal.skipped(events);
        self.judge_journal(kept);
    }

    fn is_dirty(&self) -> bool {
        self.journal.is_dirty() || self.logs.as_ref().is_some_and(NodeLogs::is_dirty)
    }

    fn flush(&mut self) {
        let had_something = self.journal.is_dirty();
        let kept = self.journal.flush();
        if had_something && kept.is_ok() && self.failing && !self.journal.is_full() {
            self.failing = false;
            (self.notify)(format!("the journal is written again; {} events are missing in it", self.journal.lost()));
        }
        self.judge_journal(kept);
        for error in self.logs.as_mut().map(NodeLogs::flush).unwrap_or_default() {
            self.complain_of_log(Some(error));
        }
    }

    /// The user hears of the first failure, not of each one while the disk stays full.
    fn judge_journal(&mut self, kept: Result<(), JournalError>) {
        let Err(error) = kept else { return };
        self.errors += 1;
        if !std::mem::replace(&mut self.failing, true) {
            (self.notify)(error.to_string());
        }
    }

    fn complain_of_log(&mut self, error: Option<LogError>) {
        if let Some(error) = error {
            self.errors += 1;
            (self.notify)(error.to_string());
        }
    }

    fn report(mut self) -> RecorderReport {
        let (lost, path) = (self.journal.lost(), self.journal.path().to_owned());
        if self.journal.close().is_err() {
            self.errors += 1;
        }
        let logs = self.logs.map(|logs| logs.paths().map(Path::to_owned).collect()).unwrap_or_default();
        RecorderReport {
            events: self.events - lost,
            skipped: self.skipped,
            lost,
            errors: self.errors,
            journal: path,
            logs,
        }
    }
}

#[cfg(test)]
mod tests;
