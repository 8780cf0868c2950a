//! What a session leaves on disk: a journal, and a log file for each node.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use super::failure::warn;
use super::files;
use super::log_writer;
use crate::clock::Clock;
use crate::feed::{Feed, Tap, feed};
use crate::platform::{StopSignal, StopSignals};
use crate::proto::time::Time;
use crate::session::archive::{Archive, State};
use crate::session::journal::Header;
use crate::session::lines::stamp;
use crate::session::recorder::{Limits, News, RecordPaths, Recorder, RecorderHandle, RecorderReport};

/// Batches that wait to be written: some seconds of a busy lab, should the disk stall.
const BATCHES_MAX: usize = 16_384;

/// How long a user who insists on the end waits for the disk.
const MOMENT: Duration = Duration::from_millis(300);

/// How long a user who leaves waits for the disk: longer than the recorder's own limit for its last
/// events, and short enough for the program to be gone within three seconds.
const END_TIMEOUT: Duration = Duration::from_millis(1_500);

/// How the writing ended.
pub(crate) enum RecordsEnd {
    /// Everything that there was time for is on the disk.
    Done(Option<RecorderReport>),
    /// The user did not wait.
    AtOnce(StopSignal),
}

/// The writers of a session.
pub(crate) struct Records {
    tap: Tap,
    writer: WriterState,
}

enum WriterState {
    /// Journal and log files.
    Recorder(Recorder),
    /// Log files only.
    Logs(Option<JoinHandle<()>>),
    /// A session that is recorded already.
    Nothing,
}

impl Records {
    /// Begins to record: a journal within these limits, or none. If its place cannot be written,
    /// `notify` is told, and the session goes on without it.
    pub(crate) fn begin(
        clock: Clock,
        limits: Option<Limits>,
        log_dir: &Path,
        utc_offset_s: i32,
        notify: impl Fn(News) + Clone + Send + 'static,
    ) -> Self {
        let log_dir = make_log_dir(log_dir, &notify);
        let (tap, events) = feed(BATCHES_MAX);
        let places = limits.map(|limits| {
            let journal = journal_path(clock.epoch(), utc_offset_s)?;
            Ok(RecordPaths { journal, limits, log_dir: log_dir.clone() })
        });
        let recorder = places.map(|places: Result<_, String>| {
            let header = Header::new(clock.epoch(), utc_offset_s);
            Recorder::spawn(events, &places?, &header, notify.clone()).map_err(|error| error.to_string())
        });
        match recorder {
            Some(Ok(recorder)) => Self { tap, writer: WriterState::Recorder(recorder) },
            Some(Err(why)) => {
                notify(News::Failing(why));
                Self::without_journal(log_dir, utc_offset_s, notify)
            }
            None => Self::without_journal(log_dir, utc_offset_s, notify),
        }
    }

    fn without_journal(
        log_dir: Option<PathBuf>,
        utc_offset_s: i32,
        notify: impl Fn(News) + Clone + Send + 'static,
    ) -> Self {
        let (tap, events): (Tap, Feed) = feed(BATCHES_MAX);
        let note = move |line| notify(News::Note(line));
        let logs = log_dir.and_then(|dir| log_writer::keep_logs(events, &dir, utc_offset_s, note));
        Self { tap, writer: WriterState::Logs(logs) }
    }

    pub(crate) fn none() -> Self {
        Self { tap: feed(1).0, writer: WriterState::Nothing }
    }

    /// Where the network's events go.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// The journal of the latest session that is over.
    pub(crate) fn last() -> Option<PathBuf> {
        let archive = Archive::open(&files::sessions_dir()?).ok()?;
        let over = archive.sessions.into_iter().rev().find(|session| session.state == State::Over);
        over.map(|session| session.path)
    }

    /// A handle to the journal, if there is one.
    pub(crate) fn handle(&self) -> Option<RecorderHandle> {
        match &self.writer {
            WriterState::Recorder(recorder) => Some(recorder.handle()),
            WriterState::Logs(_) | WriterState::Nothing => None,
        }
    }

    /// Writes what there is, for a user who does not wait: for [`MOMENT`] at most, whatever the
    /// disk does.
    pub(crate) async fn hurry(self) {
        if let Some(recorder) = self.handle() {
            let _ = tokio::time::timeout(MOMENT, recorder.sync()).await;
        }
    }

    /// Writes the rest, unless the user insists on the end or the disk takes nothing.
    pub(crate) async fn end(self, signals: &mut StopSignals) -> RecordsEnd {
        let journal = self.handle();
        let finished = tokio::task::spawn_blocking(move || self.finish());
        tokio::select! {
            report = finished => RecordsEnd::Done(report.ok().flatten()),
            asked = signals.insisted() => RecordsEnd::AtOnce(asked),
            () = tokio::time::sleep(END_TIMEOUT) => {
                let journal = journal.map(|recorder| format!(": the end of {} is missing", recorder.journal().display()));
                warn(format_args!("the disk takes nothing{}", journal.unwrap_or_default()));
                RecordsEnd::Done(None)
            }
        }
    }

    /// Writes the rest. A journal without events is not kept.
    pub(crate) fn finish(self) -> Option<RecorderReport> {
        drop(self.tap);
        match self.writer {
            WriterState::Recorder(recorder) => Some(recorder.finish()).filter(|report| !is_empty(report)),
            WriterState::Logs(logs) => {
                // Its errors have been reported.
                let _ = logs.map(JoinHandle::join);
                None
            }
            WriterState::Nothing => None,
        }
    }
}

fn is_empty(report: &RecorderReport) -> bool {
    let empty = (report.events, report.skipped, report.lost) == (0, 0, 0);
    if let Some(journal) = report.journal.as_ref().filter(|_| empty) {
        // A file that cannot be removed does no harm.
        let _ = std::fs::remove_file(journal);
    }
    empty
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

/// `sessions/2026-11-22T03-13-02-4711.jsonl` in the state directory: when it began, and the
/// process.
fn journal_path(started: Time, utc_offset_s: i32) -> Result<PathBuf, String> {
    let sessions = files::sessions_dir().ok_or("no home directory to record it in: set XDG_STATE_HOME")?;
    Ok(sessions.join(format!("{}-{}.jsonl", file_stamp(started, utc_offset_s), std::process::id())))
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
    fn a_moment_in_a_file_name_has_no_character_that_windows_forbids() {
        for at in [Time::from_micros(0), Time::from_micros(1_763_780_000_000_000), Time::from_micros(u64::MAX)] {
            let stamp = file_stamp(at, 3_600);
            assert!(!stamp.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*', ' ']), "{stamp}");
        }
        assert_eq!(file_stamp(Time::from_micros(0), 3_600), "1970-01-01T01-00-00");
    }
}
