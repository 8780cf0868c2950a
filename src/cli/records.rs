//! What a session leaves on disk: a journal, and a log file for each node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files;
use super::nodes::RunningNodes;
use super::output::warn;
use super::plan::{Begin, Plan};
use crate::feed::{Tap, feed};
use crate::platform::{StopSignal, StopSignals};
use crate::proto::time::Time;
use crate::session::archive::logs_dir;
use crate::session::journal::Header;
use crate::session::lines::stamp;
use crate::session::overview::SessionEnd;
use crate::session::recorder::{Limits, News, RecordFrom, RecordPaths, Recorder, RecorderHandle, RecorderReport};

/// Batches that wait to be written: some seconds of a busy lab, should the disk stall.
const BATCHES_MAX: usize = 16_384;

/// How long a user who insists on the end waits for the disk.
const MOMENT: Duration = Duration::from_millis(300);

/// How long a user who leaves waits for the disk: longer than the recorder's own limit for its last
/// events, and short enough for the program to be gone within three seconds.
const END_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The writers of a session.
pub(crate) struct Records {
    tap: Tap,
    /// Writes a journal, log files, both or neither; `None` if it could not start, or if a recording
    /// is shown.
    recorder: Option<Recorder>,
}

impl Records {
    /// Begins to record: a journal within these limits, or none. If its place cannot be written,
    /// `notify` is told, and the session goes on without it.
    pub(crate) fn begin(plan: &Plan, header: &Header, notify: impl Fn(News) + Clone + Send + 'static) -> Self {
        let journal = new_journal(plan, header, &notify);
        let dir = log_dir(plan, journal.as_ref().map(|(path, _)| path.as_path()));
        let from = record_from(plan);
        let log_dir = match from {
            RecordFrom::Start => make_log_dir(&dir, &notify),
            RecordFrom::FirstEvent => Some(dir),
        };
        Self::spawn(&RecordPaths { from, journal, log_dir }, header, notify)
    }

    /// The same without log files: a network in virtual time may have a hundred thousand nodes.
    pub(crate) fn begin_journal(plan: &Plan, header: &Header, notify: impl Fn(News) + Clone + Send + 'static) -> Self {
        match new_journal(plan, header, &notify) {
            None => Self::none(),
            journal => {
                Self::spawn(&RecordPaths { from: RecordFrom::FirstEvent, journal, log_dir: None }, header, notify)
            }
        }
    }

    fn spawn(paths: &RecordPaths, header: &Header, notify: impl Fn(News) + Clone + Send + 'static) -> Self {
        let (tap, events) = feed(BATCHES_MAX);
        let recorder = Recorder::spawn(events, paths, header, notify.clone());
        Self { tap, recorder: recorder.map_err(|error| notify(News::Failing(error.to_string()))).ok() }
    }

    pub(crate) fn none() -> Self {
        Self { tap: feed(1).0, recorder: None }
    }

    /// Where the network's events go.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// A handle to the journal, if there is one.
    pub(crate) fn handle(&self) -> Option<RecorderHandle> {
        self.recorder.as_ref().map(Recorder::handle).filter(|recorder| recorder.journal().is_some())
    }

    /// Ends the session: the nodes leave, and the rest is written. The error is a request to end at
    /// once, before all that is done.
    pub(crate) async fn end_session(
        self,
        nodes: Option<RunningNodes>,
        signals: &mut StopSignals,
        ended: SessionEnd,
    ) -> Result<Option<RecorderReport>, StopSignal> {
        self.recorder.iter().for_each(|recorder| recorder.note_end(ended));
        if let Some(nodes) = nodes
            && let Err(asked) = nodes.leave(signals).await
        {
            self.hurry().await;
            return Err(asked);
        }
        self.end(signals).await
    }

    /// Writes what there is, for a user who does not wait: for [`MOMENT`] at most, whatever the
    /// disk does.
    async fn hurry(self) {
        if let Some(recorder) = self.handle() {
            let _ = tokio::time::timeout(MOMENT, recorder.sync()).await;
        }
    }

    /// Writes the rest, unless the user insists on the end or the disk takes nothing.
    async fn end(self, signals: &mut StopSignals) -> Result<Option<RecorderReport>, StopSignal> {
        let handle = self.handle();
        let finished = tokio::task::spawn_blocking(move || self.finish());
        tokio::select! {
            report = finished => Ok(report.ok().flatten()),
            asked = signals.insisted() => Err(asked),
            () = tokio::time::sleep(END_TIMEOUT) => {
                let journal = handle.as_ref().and_then(RecorderHandle::journal);
                let missing = journal.map(|journal| format!(": the end of {} is missing", journal.display()));
                warn(format_args!("the disk takes nothing{}", missing.unwrap_or_default()));
                Ok(None)
            }
        }
    }

    /// Something is written.
    pub(crate) fn is_on(&self) -> bool {
        self.recorder.is_some()
    }

    /// Writes all of the rest, however long that takes, and how the session ended. There must be no other tap.
    pub(crate) fn finish_all(self, ended: SessionEnd) -> Option<RecorderReport> {
        drop(self.tap);
        let recorder = self.recorder?;
        recorder.note_end(ended);
        Some(recorder.finish_all()).filter(|report| !is_empty(report))
    }

    /// Writes the rest. A journal without events is not kept.
    pub(crate) fn finish(self) -> Option<RecorderReport> {
        drop(self.tap);
        let recorder = self.recorder?;
        let is_recorded = recorder.handle().journal().is_some();
        Some(recorder.finish()).filter(|report| is_recorded && !is_empty(report))
    }
}

fn is_empty(report: &RecorderReport) -> bool {
    let empty = (report.events, report.skipped, report.lost) == (0, 0, 0);
    if let Some(journal) = report.journal.as_ref().filter(|_| empty) {
        // Files that cannot be removed do no harm.
        let _ = std::fs::remove_file(journal);
        let _ = std::fs::remove_dir(logs_dir(journal));
    }
    empty
}

/// Logs of a lab belong to its session, so that they go with it; a seed or a peer writes where the
/// next one of its network finds them. On the start screen it is not known yet what comes.
fn log_dir(plan: &Plan, journal: Option<&Path>) -> PathBuf {
    let of_session = match plan.begin {
        Begin::Lab { .. } | Begin::Choice { .. } => journal.map(logs_dir),
        Begin::Node(_) | Begin::Recording(_) | Begin::Watch => None,
    };
    // A place that takes no journal takes no logs either.
    let is_possible = |dir: &PathBuf| match record_from(plan) {
        RecordFrom::Start => std::fs::create_dir_all(dir).is_ok(),
        RecordFrom::FirstEvent => true,
    };
    let of_session = || of_session.filter(is_possible);
    plan.node.log_dir.clone().or_else(of_session).unwrap_or_else(|| PathBuf::from("logs"))
}

/// A start screen that is only looked at leaves nothing behind, however it ends.
const fn record_from(plan: &Plan) -> RecordFrom {
    match plan.begin {
        Begin::Choice { .. } => RecordFrom::FirstEvent,
        Begin::Lab { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch => RecordFrom::Start,
    }
}

fn make_log_dir(dir: &Path, notify: &impl Fn(News)) -> Option<PathBuf> {
    match std::fs::create_dir_all(dir) {
        Ok(()) => Some(dir.to_owned()),
        Err(error) => {
            let dir = dir.display();
            let why = format!("{dir}: cannot be created: {error}: no log files; name another place with --log-dir");
            notify(News::Note(why));
            None
        }
    }
}

/// The place and the limits of the plan's journal, if it wants one.
fn new_journal(plan: &Plan, header: &Header, notify: &impl Fn(News)) -> Option<(PathBuf, Limits)> {
    plan.journal.and_then(|limits| match journal_path(header) {
        Ok(path) => Some((path, limits)),
        Err(why) => {
            notify(News::Failing(why));
            None
        }
    })
}

/// `sessions/2026-11-22T03-13-02-4711.jsonl.zst` in the state directory: when it began, and the
/// process.
fn journal_path(header: &Header) -> Result<PathBuf, String> {
    let sessions = files::sessions_dir().ok_or("no home directory to record it in: set XDG_STATE_HOME")?;
    Ok(sessions.join(format!("{}-{}.jsonl.zst", file_stamp(header.started, header.utc_offset_s), std::process::id())))
}

/// `2026-11-22T03-13-02`: a moment as part of a file's name.
pub(crate) fn file_stamp(at: Time, utc_offset_s: i32) -> String {
    let text: String = stamp(at, utc_offset_s).chars().take("2026-11-22 03:13:02".len()).collect();
    text.replace(' ', "T").replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_file_name_is_allowed_on_windows() {
        for at in [Time::from_micros(0), Time::from_micros(1_763_780_000_000_000), Time::from_micros(u64::MAX)] {
            let stamp = file_stamp(at, 3_600);
            assert!(!stamp.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*', ' ']), "{stamp}");
        }
        assert_eq!(file_stamp(Time::from_micros(0), 3_600), "1970-01-01T01-00-00");
    }
}
