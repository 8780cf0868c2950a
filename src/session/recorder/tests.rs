use std::fs;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::*;
use crate::event::{Event, EventKind};
use crate::feed::{Tap, feed};
use crate::proto::message::Role;
use crate::session::journal::{Record, read};
use crate::session::samples::{AT, event, peer, received, started};

struct Run {
    dir: tempfile::TempDir,
    tap: Tap,
    recorder: Recorder,
    notices: std::sync::mpsc::Receiver<String>,
}

fn run(batches_max: usize) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let places = Places { journal: dir.path().join("session.jsonl"), log_dir: Some(dir.path().join("logs")) };
    let (tap, feed) = feed(batches_max);
    let (notify, notices) = sync_channel(16);
    let notify = move |notice| notify.try_send(notice).unwrap();
    let recorder = Recorder::spawn(feed, &places, &Header::new(AT, 0), notify).unwrap();
    Run { dir, tap, recorder, notices }
}

fn batch(count: u16) -> Arc<[Event]> {
    (0..count).map(|n| event(peer(n), EventKind::Hung)).collect()
}

fn in_journal(path: &Path) -> u64 {
    let events = |record| match record {
        Record::Event(_) => 1,
        Record::Skipped(_) | Record::Torn => 0,
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
    assert_eq!(in_journal(&report.journal), 1_002);
    assert_eq!(report.logs, [dir.path().join("logs/peer_log_3000.txt")]);
    assert!(fs::read_to_string(&report.logs[0]).unwrap().contains(":hello\n"));
}

#[tokio::test]
async fn after_a_sync_the_journal_holds_all_that_was_published_before() {
    let Run { tap, recorder, dir: _dir, .. } = run(1_000);
    let handle = recorder.handle();
    for round in 1..=5 {
        tap.publish(&batch(7));
        handle.sync().await.unwrap();
        assert_eq!(in_journal(handle.journal()), round * 7);
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
    let path = recorder.handle().journal().to_owned();
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
fn what_came_too_fast_is_told_in_the_journal_where_it_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, feed) = feed(2);
    for _ in 0..5 {
        tap.publish(&batch(4));
    }
    let places = Places { journal: dir.path().join("session.jsonl"), log_dir: None };
    drop(tap);
    let report = Recorder::spawn(feed, &places, &Header::new(AT, 0), |_| {}).unwrap().finish();
    assert_eq!((report.events, report.skipped), (8, 12));
    let records: Vec<_> = read(&places.journal).unwrap().map(Result::unwrap).collect();
    assert_eq!(records.last(), Some(&Record::Skipped(12)));
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
    let notice = notices.try_recv().unwrap();
    assert!(notice.starts_with("cannot write the log ") && notice.contains("peer_log_3000.txt"), "{notice}");
    assert_eq!(notices.try_recv().ok(), None);
}

#[test]
fn a_journal_that_cannot_be_made_is_an_error_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("session.jsonl");
    fs::write(&journal, "old").unwrap();
    let (_tap, feed) = feed(1);
    let places = Places { journal: journal.clone(), log_dir: None };
    let error = Recorder::spawn(feed, &places, &Header::new(AT, 0), |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("cannot create the journal "), "{error}");
    assert_eq!(fs::read_to_string(journal).unwrap(), "old");
}
