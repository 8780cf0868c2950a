use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex};

use super::*;
use crate::event::samples::{AT, event, peer, received, started};
use crate::event::{Event, EventKind, NodeEvent};
use crate::feed::{Tap, feed};
use crate::proto::message::Role;
use crate::session::disk::Disk;
use crate::session::journal::{JournalRecord, read};

struct Run {
    dir: tempfile::TempDir,
    tap: Tap,
    recorder: Recorder,
    notices: std::sync::mpsc::Receiver<News>,
}

fn places(dir: &Path) -> RecordPaths {
    RecordPaths {
        from: RecordFrom::Start,
        journal: Some((dir.join("session.jsonl"), Limits::default())),
        log_dir: None,
    }
}

fn run(batches_max: usize) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let places = RecordPaths { log_dir: Some(dir.path().join("logs")), ..places(dir.path()) };
    let (tap, feed) = feed(batches_max);
    let (notify, notices) = sync_channel(16);
    let notify = move |notice| notify.try_send(notice).unwrap();
    let recorder = Recorder::spawn(feed, &places, &Header::new(AT, 0), notify).unwrap();
    assert_eq!(notices.try_recv().unwrap(), News::Recording(places.journal.unwrap().0));
    Run { dir, tap, recorder, notices }
}

fn batch(count: u16) -> Arc<[Event]> {
    (0..count).map(|n| event(peer(n), EventKind::Node(NodeEvent::Hung))).collect()
}

fn in_journal(path: &Path) -> u64 {
    let events = |record| match record {
        JournalRecord::Event { .. } => 1,
        JournalRecord::Skipped(_) | JournalRecord::Torn => 0,
    };
    read(path).unwrap().map(|record| events(record.unwrap())).sum()
}

#[test]
fn everything_that_was_published_is_in_the_journal_and_the_logs() {
    let Run { dir, tap, recorder, .. } = run(1_000);
    tap.publish_one(event(peer(0), started("p1", Role::Peer)));
    tap.publish_one(event(peer(0), received("hello")));
    for _ in 0..100 {
        tap.publish(&batch(10));
    }
    drop(tap);
    let report = recorder.finish();
    assert_eq!((report.events, report.skipped, report.lost, report.errors), (1_002, 0, 0, 0));
    assert_eq!(in_journal(&report.journal.unwrap()), 1_002);
    assert_eq!(report.logs, [dir.path().join("logs/peer_log_3000.txt")]);
    assert!(fs::read_to_string(&report.logs[0]).unwrap().contains(":hello\n"));
}

#[test]
fn without_a_journal_the_logs_are_written_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, feed) = feed(10);
    let places = RecordPaths { from: RecordFrom::Start, journal: None, log_dir: Some(dir.path().join("logs")) };
    let recorder = Recorder::spawn(feed, &places, &Header::new(AT, 0), |news| panic!("{news:?}")).unwrap();
    assert_eq!(recorder.handle().journal(), None);
    tap.publish_one(event(peer(0), started("p1", Role::Peer)));
    tap.publish_one(event(peer(0), received("hello")));
    drop(tap);
    let report = recorder.finish();
    assert_eq!((report.journal, report.lost), (None, 0));
    assert!(fs::read_to_string(&report.logs[0]).unwrap().contains(":hello\n"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing but the logs");
}

#[test]
fn a_session_in_which_nothing_happens_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let waiting = |log_dir| RecordPaths { from: RecordFrom::FirstEvent, log_dir: Some(log_dir), ..places(dir.path()) };
    let (tap, events) = feed(10);
    let places = waiting(dir.path().join("quiet"));
    let recorder = Recorder::spawn(events, &places, &Header::new(AT, 0), |news| panic!("{news:?}")).unwrap();
    drop(tap);
    assert_eq!(recorder.finish(), RecorderReport::default());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    let (tap, events) = feed(10);
    let places = waiting(dir.path().join("logs"));
    let recorder = Recorder::spawn(events, &places, &Header::new(AT, 0), |_| ()).unwrap();
    assert!(!recorder.handle().journal().unwrap().exists(), "it waits");
    tap.publish_one(event(peer(0), started("p1", Role::Peer)));
    tap.publish_one(event(peer(0), received("hello")));
    drop(tap);
    let report = recorder.finish();
    assert_eq!((in_journal(&report.journal.unwrap()), report.logs.len(), report.lost), (2, 1, 0));
}

#[tokio::test]
async fn after_a_sync_the_journal_holds_all_that_was_published_before() {
    let Run { tap, recorder, dir: _dir, .. } = run(1_000);
    let handle = recorder.handle();
    for round in 1..=5 {
        tap.publish(&batch(7));
        handle.sync().await.unwrap();
        assert_eq!(in_journal(handle.journal().unwrap()), round * 7);
    }
    let report = tokio::task::spawn_blocking(|| recorder.finish()).await.unwrap();
    assert_eq!(report.events, 35);
    let error = handle.sync().await.unwrap_err().to_string();
    assert!(error.starts_with("the recorder has ended"), "{error}");
}

#[test]
fn a_quiet_session_still_reaches_the_disk_within_a_second() {
    let Run { tap, recorder, dir: _dir, .. } = run(10);
    tap.publish(&batch(3));
    let path = recorder.handle().journal().unwrap().to_owned();
    let mut waits = 0;
    while in_journal(&path) < 3 {
        assert!(waits < 200, "nothing was written in {waits} x 5 ms");
        std::thread::sleep(Duration::from_millis(5));
        waits += 1;
    }
    drop(tap);
    recorder.finish();
}

#[test]
fn it_ends_even_while_somebody_could_still_publish() {
    let Run { tap, recorder, dir: _dir, .. } = run(10);
    tap.publish(&batch(2));
    assert_eq!(recorder.finish().events, 2);
    assert!(tap.is_closed());
}

#[test]
fn the_journal_counts_skipped_events_in_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, feed) = feed(2);
    for _ in 0..5 {
        tap.publish(&batch(4));
    }
    let places = places(dir.path());
    drop(tap);
    let report = Recorder::spawn(feed, &places, &Header::new(AT, 0), |_| {}).unwrap().finish();
    assert_eq!((report.events, report.skipped), (8, 12));
    let records: Vec<_> = read(&places.journal.unwrap().0).unwrap().map(Result::unwrap).collect();
    assert_eq!(records.last(), Some(&JournalRecord::Skipped(12)));
}

#[tokio::test]
async fn a_journal_that_will_be_full_is_announced_once() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { journal_size_max: 4_000, ..Limits::default() };
    let places = RecordPaths {
        from: RecordFrom::Start,
        journal: Some((dir.path().join("session.jsonl"), limits)),
        log_dir: None,
    };
    let (tap, feed) = feed(1_000);
    let (notify, news) = sync_channel(16);
    let recorder = Recorder::spawn(feed, &places, &Header::new(AT, 0), move |news| notify.send(news).unwrap()).unwrap();
    let mut told = Vec::new();
    for _ in 0..100 {
        tap.publish(&batch(1));
        recorder.handle().sync().await.unwrap();
        told.extend(news.try_iter());
    }
    let [News::Recording(_), News::Note(half), News::Failing(full)] = &told[..] else { panic!("{told:?}") };
    assert!(
        half.starts_with(
            "the journal is half full: at this pace it reaches its limit of 4kB at 1970-01-02 03:13:02.418"
        ),
        "{half}"
    );
    assert!(full.ends_with("has reached its limit of 4kB"), "{full}");
    drop(tap);
    tokio::task::spawn_blocking(|| recorder.finish()).await.unwrap();
}

#[test]
fn a_log_that_fails_is_said_to_the_user_and_the_journal_goes_on() {
    let Run { dir, tap, recorder, notices } = run(100);
    let path = dir.path().join("logs/peer_log_3000.txt");
    fs::create_dir(&path).unwrap();
    fs::create_dir(path.join("full")).unwrap();
    tap.publish_one(event(peer(0), started("p1", Role::Peer)));
    tap.publish_one(event(peer(0), received("hello")));
    drop(tap);
    let report = recorder.finish();
    assert_eq!((report.events, report.errors), (2, 1));
    let News::Note(notice) = notices.try_recv().unwrap() else { panic!("no note") };
    assert!(notice.starts_with("cannot write the log ") && notice.contains("peer_log_3000.txt"), "{notice}");
    assert_eq!(notices.try_recv().ok(), None);
}

/// A place that takes no journal until somebody clears it, a recorder that was started there, and what it says.
fn without_a_place() -> (PathBuf, Run) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::write(&state, "in the way").unwrap();
    let (tap, feed) = feed(100);
    let (notify, notices) = sync_channel(16);
    let notify = move |news| notify.try_send(news).unwrap();
    let recorder = Recorder::spawn(feed, &places(&state), &Header::new(AT, 0), notify).unwrap();
    let News::Failing(why) = notices.try_recv().unwrap() else { panic!("it says that it records") };
    assert!(why.starts_with("cannot create the journal ") && why.contains("state/session.jsonl"), "{why}");
    (state, Run { dir, tap, recorder, notices })
}

#[test]
fn a_journal_that_cannot_be_created_is_reported_at_once() {
    let (_, Run { tap, recorder, notices, dir: _dir }) = without_a_place();
    tap.publish(&batch(7));
    drop(tap);
    let report = recorder.finish();
    assert_eq!((report.events, report.lost, report.journal), (0, 7, None));
    assert_eq!(notices.try_recv().ok(), None, "one failure is told once");
}

#[tokio::test]
async fn a_journal_is_created_as_soon_as_that_is_possible() {
    let (state, Run { tap, recorder, notices, dir: _dir }) = without_a_place();
    tap.publish(&batch(7));
    recorder.handle().sync().await.unwrap();
    fs::remove_file(&state).unwrap();
    tap.publish(&batch(2));
    recorder.handle().sync().await.unwrap();
    let journal = state.join("session.jsonl");
    assert_eq!(notices.try_recv().unwrap(), News::Again { journal: journal.clone(), missing: 7 });
    let records: Vec<_> = read(&journal).unwrap().map(Result::unwrap).collect();
    assert_eq!((&records[0], records.len()), (&JournalRecord::Skipped(7), 3));
    let report = tokio::task::spawn_blocking(|| recorder.finish()).await.unwrap();
    assert_eq!((report.events, report.lost, report.journal), (2, 7, Some(journal)));
}

/// A disk that others can see into, fill up and hold on to.
#[derive(Debug, Clone, Default)]
struct Double {
    written: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
    /// A write waits in front of it for as long as it is closed.
    gate: Arc<Gate>,
    /// What a write takes.
    slowness: Duration,
}

#[derive(Debug, Default)]
struct Gate {
    /// It is closed; somebody stands in front of it.
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Gate {
    fn close(&self) {
        self.state.lock().unwrap().0 = true;
    }

    fn open(&self) {
        self.state.lock().unwrap().0 = false;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 = true;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |(closed, _)| *closed).unwrap();
        state.1 = false;
    }

    fn wait_until_somebody_stands_there(&self) {
        let state = self.state.lock().unwrap();
        let (_state, limit) =
            self.changed.wait_timeout_while(state, Duration::from_secs(20), |(_, stands)| !*stands).unwrap();
        assert!(!limit.timed_out(), "nothing was written");
    }
}

impl Disk for Double {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gate.pass();
        std::thread::sleep(self.slowness);
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn is_open(&self) -> bool {
        true
    }
}

impl Double {
    fn recorder(&self, feed: Feed) -> (Recorder, std::sync::mpsc::Receiver<News>) {
        let journal = Journal::on(Box::new(self.clone()), Path::new("double"), &Header::new(AT, 0), u64::MAX);
        let (notify, notices) = sync_channel(16);
        let state = RecorderState::new(Some(journal), move |news| notify.try_send(news).unwrap());
        (Recorder::start(feed, state).unwrap(), notices)
    }

    /// The journal in short: runs of events, and what is missing in brackets.
    fn story(&self) -> String {
        let text = String::from_utf8(self.written.lock().unwrap().clone()).unwrap();
        let mut story: Vec<(u64, bool)> = Vec::new();
        for line in text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
            match (line["skipped"].as_u64(), story.last_mut()) {
                (Some(missing), _) => story.push((missing, true)),
                (None, _) if line["event"].is_null() => {}
                (None, Some((events, false))) => *events += 1,
                (None, _) => story.push((1, false)),
            }
        }
        let told = story.iter().map(|(count, missing)| if *missing { format!("[{count}]") } else { count.to_string() });
        told.collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_disk_that_stands_still_holds_up_nobody() {
    let (tap, feed) = feed(10);
    let disk = Double::default();
    let (recorder, _notices) = disk.recorder(feed);
    let handle = recorder.handle();
    tap.publish(&batch(3));
    handle.sync().await.unwrap();

    disk.gate.close();
    tap.publish(&batch(5));
    // Somebody who waits for the disk brings the recorder to it, with these five in its hands.
    let waits = tokio::spawn({
        let handle = handle.clone();
        async move { handle.sync().await }
    });
    let gate = Arc::clone(&disk.gate);
    tokio::task::spawn_blocking(move || gate.wait_until_somebody_stands_there()).await.unwrap();
    let busy = std::thread::spawn({
        let tap = tap.clone();
        move || (0..1_000).for_each(|_| tap.publish(&batch(2)))
    });
    let limit = tokio::time::timeout(Duration::from_secs(20), tokio::task::spawn_blocking(|| busy.join().unwrap()));
    limit.await.expect("the network waits for the disk").unwrap();
    disk.gate.open();
    waits.await.unwrap().unwrap();
    handle.sync().await.unwrap();
    tap.publish(&batch(4));
    drop(tap);
    let report = tokio::task::spawn_blocking(|| recorder.finish()).await.unwrap();
    assert_eq!((report.events, report.skipped, report.lost), (3 + 5 + 20 + 4, 1_980, 0));
    assert_eq!(disk.story(), "28 [1980] 4");
}

#[test]
fn a_slow_disk_at_the_end_does_not_keep_the_user() {
    let (tap, feed) = feed(1_000);
    let disk = Double { slowness: Duration::from_millis(50), ..Double::default() };
    let (recorder, _notices) = disk.recorder(feed);
    // Two of them are more than waits to be written together.
    for n in 0..50 {
        tap.publish_one(event(peer(0), received(&format!("{n}{}", "x".repeat(300_000)))));
    }
    let report = recorder.finish();
    assert_eq!(report.events + report.skipped, 50);
    assert!(report.skipped > 0 && report.events > 0, "{report:?}");
    assert!(disk.story().ends_with(&format!("[{}]", report.skipped)), "{}", disk.story());
}

#[tokio::test]
async fn a_disk_that_was_full_leaves_two_notices_and_a_marked_gap() {
    let (tap, feed) = feed(100);
    let disk = Double::default();
    let (recorder, notices) = disk.recorder(feed);
    for (count, is_full) in [(2, false), (30, true), (5, true), (3, false)] {
        disk.full.store(is_full, Ordering::SeqCst);
        tap.publish(&batch(count));
        recorder.handle().sync().await.unwrap();
    }
    let News::Failing(why) = notices.try_recv().unwrap() else { panic!("nothing is said of the full disk") };
    assert!(why.starts_with("cannot write the journal double: "), "{why}");
    assert_eq!(notices.try_recv().unwrap(), News::Again { journal: PathBuf::from("double"), missing: 35 });
    assert_eq!(notices.try_recv().ok(), None);
    let report = tokio::task::spawn_blocking(|| recorder.finish()).await.unwrap();
    assert_eq!((report.events, report.lost, disk.story().as_str()), (5, 35, "2 [35] 3"));
}

#[test]
fn a_growing_journal_displaces_the_oldest_finished_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let old = |name: &str, second: u64| {
        let header = Header::new(AT + Duration::from_secs(second), 0);
        let mut journal = Journal::create(&dir.path().join(name), &header, u64::MAX).unwrap();
        journal.append(&batch(500)).unwrap();
        journal.flush().unwrap();
        journal
    };
    let running = old("a.jsonl", 0);
    old("b.jsonl", 1).close().unwrap();
    old("c.jsonl", 2).close().unwrap();
    let size = running.size();
    let limits = Limits { journal_size_max: u64::MAX, archive_size_max: 4 * size };
    let (tap, feed) = feed(1_000);
    let header = Header::new(AT + Duration::from_secs(3), 0);
    let (notify, notices) = sync_channel(16);
    let places = RecordPaths {
        from: RecordFrom::Start,
        journal: Some((dir.path().join("session.jsonl"), limits)),
        log_dir: None,
    };
    let recorder = Recorder::spawn(feed, &places, &header, move |news| notify.try_send(news).unwrap()).unwrap();
    for _ in 0..3 {
        tap.publish(&batch(250));
    }
    drop(tap);
    recorder.finish();
    let there = |name: &str| dir.path().join(name).exists();
    assert!(there("a.jsonl") && !there("b.jsonl") && there("c.jsonl") && there("session.jsonl"));
    let told = notices.iter().any(|news| matches!(news, News::Note(line) if line.contains("the oldest 1 deleted")));
    assert!(told, "the user is not told that a session is gone");
}
