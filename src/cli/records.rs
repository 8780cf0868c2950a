//! What a session leaves on disk: a journal, and a log file a node.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::keeper;
use super::places;
use crate::clock::Clock;
use crate::feed::{Tap, feed};
use crate::proto::time::Time;
use crate::session::archive::{ARCHIVE_SIZE_MAX, prune};
use crate::session::journal::Header;
use crate::session::lines::stamp;
use crate::session::recorder::{JOURNAL_SIZE_MAX, Places, Recorder, RecorderHandle, RecorderReport};

/// Batches that wait to be written: some seconds of a busy lab, should the disk stall.
const BATCHES_MAX: usize = 16_384;

/// The writers of a session with a console.
pub(crate) struct Records {
    tap: Tap,
    journal: Result<PathBuf, String>,
    writer: Writer,
}

enum Writer {
    /// Journal and log files.
    Recorder(Recorder),
    /// Log files only.
    Logs(Option<JoinHandle<()>>),
}

impl Records {
    /// Begins to record. A place that cannot be written is told with `notify`, and the session goes
    /// on without it.
    pub(crate) fn begin(
        clock: Clock,
        log_dir: &Path,
        utc_offset_s: i32,
        notify: impl Fn(String) + Clone + Send + 'static,
    ) -> Self {
        let log_dir = make_log_dir(log_dir, &notify);
        let (tap, events) = feed(BATCHES_MAX);
        let header = Header::new(clock.epoch(), utc_offset_s);
        let journal = journal_path(clock.epoch(), utc_offset_s);
        make_room(&journal, &notify);
        let recorder = journal.and_then(|journal| {
            let places = Places { journal, log_dir: log_dir.clone() };
            Recorder::spawn(events, &places, &header, notify.clone()).map_err(|error| error.to_string())
        });
        match recorder {
            Ok(recorder) => {
                let journal = Ok(recorder.handle().journal().to_owned());
                Self { tap, journal, writer: Writer::Recorder(recorder) }
            }
            Err(why) => {
                let (tap, events) = feed(BATCHES_MAX);
                let logs = log_dir.and_then(|dir| keeper::keep_logs(events, &dir, utc_offset_s, notify));
                Self { tap, journal: Err(why), writer: Writer::Logs(logs) }
            }
        }
    }

    /// For the network: where events go.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// The journal, or why there is none.
    pub(crate) fn journal(&self) -> Result<PathBuf, String> {
        self.journal.clone()
    }

    /// The journal of the session before this one, if it is still there.
    pub(crate) fn last(&self) -> Option<PathBuf> {
        let files = std::fs::read_dir(sessions_dir()?).ok()?;
        let is_earlier = |path: &PathBuf| {
            path.extension().is_some_and(|ending| ending == "jsonl") && self.journal.as_ref() != Ok(path)
        };
        // They are named by the time when they began.
        files.flatten().map(|file| file.path()).filter(is_earlier).max()
    }

    /// A way to the journal, if there is one.
    pub(crate) fn handle(&self) -> Option<RecorderHandle> {
        match &self.writer {
            Writer::Recorder(recorder) => Some(recorder.handle()),
            Writer::Logs(_) => None,
        }
    }

    /// Writes the rest. A journal in which nothing happened is not kept.
    pub(crate) fn finish(self) -> Option<RecorderReport> {
        drop(self.tap);
        match self.writer {
            Writer::Recorder(recorder) => Some(recorder.finish()).filter(|report| !is_empty(report)),
            Writer::Logs(logs) => {
                // What went wrong there was told.
                let _ = logs.map(JoinHandle::join);
                None
            }
        }
    }
}

fn is_empty(report: &RecorderReport) -> bool {
    let empty = (report.events, report.skipped, report.lost) == (0, 0, 0);
    if empty {
        // A file that cannot be removed does no harm.
        let _ = std::fs::remove_file(&report.journal);
    }
    empty
}

/// Old sessions give way before a new one is recorded.
fn make_room(journal: &Result<PathBuf, String>, notify: &impl Fn(String)) {
    let Some(dir) = journal.as_ref().ok().and_then(|journal| journal.parent()).filter(|dir| dir.is_dir()) else {
        return;
    };
    match prune(dir, ARCHIVE_SIZE_MAX.saturating_sub(JOURNAL_SIZE_MAX), is_being_written) {
        Ok(gone) if gone.is_empty() => {}
        Ok(gone) => notify(format!("recorded sessions took too much room: the oldest {} deleted", gone.len())),
        Err(error) => notify(format!("{}: old sessions cannot be deleted: {error}", dir.display())),
    }
}

/// Does the process that made this journal still run? Its number ends the journal's name.
fn is_being_written(journal: &Path) -> bool {
    let name = journal.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let process = name.rsplit('-').next().and_then(|number| number.parse().ok());
    process
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|process| rustix::process::test_kill_process(process).is_ok())
}

fn make_log_dir(dir: &Path, notify: &impl Fn(String)) -> Option<PathBuf> {
    match std::fs::create_dir_all(dir) {
        Ok(()) => Some(dir.to_owned()),
        Err(error) => {
            let dir = dir.display();
            notify(format!("{dir}: cannot be created: {error}: no log files; name another place with --log-dir"));
            None
        }
    }
}

/// `sessions/2026-11-22T03-13-02-4711.jsonl` in the state directory: when it began, and the process.
fn journal_path(started: Time, utc_offset_s: i32) -> Result<PathBuf, String> {
    let sessions = sessions_dir().ok_or("no home directory to record the session in: set XDG_STATE_HOME")?;
    Ok(sessions.join(format!("{}-{}.jsonl", file_stamp(started, utc_offset_s), std::process::id())))
}

fn sessions_dir() -> Option<PathBuf> {
    Some(places::state_dir()?.join("sessions"))
}

/// `2026-11-22T03-13-02`: a moment as part of a file's name.
pub(crate) fn file_stamp(at: Time, utc_offset_s: i32) -> String {
    let text: String = stamp(at, utc_offset_s).chars().take("2026-11-22 03:13:02".len()).collect();
    text.replace(' ', "T").replace(':', "-")
}
