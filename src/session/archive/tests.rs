use super::*;
use crate::event::samples::{AT, event, peer, started};
use crate::proto::message::Role;
use crate::session::journal::Journal;
use std::time::Duration;

/// Sessions of these names, each a second after the one before.
fn recorded(dir: &Path, names: &[&str]) {
    for (second, name) in (0..).zip(names) {
        let header = Header::new(AT + Duration::from_secs(second), 0);
        Journal::create(&dir.join(format!("{name}.jsonl")), &header, u64::MAX).unwrap().close().unwrap();
    }
}

fn running(dir: &Path, name: &str, second: u64) -> Journal {
    let header = Header::new(AT + Duration::from_secs(second), 0);
    Journal::create(&dir.join(format!("{name}.jsonl")), &header, u64::MAX).unwrap()
}

fn names(archive: &Archive) -> Vec<&str> {
    archive.sessions.iter().map(|session| session.name.as_str()).collect()
}

#[test]
fn sessions_are_listed_in_order_of_their_start() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &["2026-10-25T02-59-59-9", "2026-10-25T02-00-01-8"]);
    let archive = Archive::open(dir.path()).unwrap();
    assert_eq!(names(&archive), ["2026-10-25T02-59-59-9", "2026-10-25T02-00-01-8"], "the clocks went back between");
    assert_eq!(archive.find(dir.path(), LAST).unwrap().name, "2026-10-25T02-00-01-8");
}

#[test]
fn the_last_session_is_one_in_which_something_was_started() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = running(dir.path(), "2026-01-01T00-00-00-1", 0);
    let start = running(dir.path(), "2026-01-02T00-00-00-2", 10);
    let last = || Archive::open(dir.path()).unwrap().find(dir.path(), LAST).unwrap().name.clone();
    assert_eq!(last(), "2026-01-02T00-00-00-2", "if that is all there is");
    told.append(&[event(peer(0), started("p1", Role::Peer))]).unwrap();
    told.close().unwrap();
    assert_eq!(last(), "2026-01-01T00-00-00-1", "not an open start screen");
    drop(start);
    assert_eq!(last(), "2026-01-01T00-00-00-1", "nor one that was killed");
}

#[test]
fn a_session_runs_for_as_long_as_somebody_writes_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let journal = running(dir.path(), "a", 0);
    let state = || Archive::open(dir.path()).unwrap().sessions[0].state;
    assert_eq!(state(), State::Running);
    // As in a process that is killed: the file is closed, and nothing more is written.
    drop(journal);
    assert_eq!(state(), State::Over);
}

#[test]
fn a_running_session_is_not_deleted_and_one_that_is_over_is() {
    let dir = tempfile::tempdir().unwrap();
    let journal = running(dir.path(), "a", 0);
    let listed = Archive::open(dir.path()).unwrap();
    let error = delete(&listed.sessions[0]).unwrap_err().to_string();
    assert_eq!(error, "a is running: quit it before you delete it");
    drop(journal);
    delete(&listed.sessions[0]).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn pruning_deletes_the_oldest_and_never_a_running_session() {
    let dir = tempfile::tempdir().unwrap();
    let oldest = running(dir.path(), "2026-01-01T00-00-00-1", 0);
    running(dir.path(), "2026-01-02T00-00-00-2", 10).close().unwrap();
    running(dir.path(), "2026-01-03T00-00-00-3", 20).close().unwrap();
    fs::write(dir.path().join("2025-notes.jsonl"), [b'x'; 1_000]).unwrap();
    fs::write(dir.path().join("2025-notes.txt"), [b'x'; 1_000]).unwrap();
    let archive = Archive::open(dir.path()).unwrap();
    let all: u64 = archive.sessions.iter().map(|session| session.size).sum();
    assert_eq!(prune(dir.path(), all).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(prune(dir.path(), all - 1).unwrap(), [dir.path().join("2026-01-02T00-00-00-2.jsonl")]);
    assert_eq!(prune(dir.path(), 0).unwrap(), [dir.path().join("2026-01-03T00-00-00-3.jsonl")]);
    assert!(oldest.path().exists() && dir.path().join("2025-notes.txt").exists());
    assert!(dir.path().join("2025-notes.jsonl").exists(), "that is none of ours");
}

#[test]
fn a_file_that_is_no_session_is_told_and_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &["a"]);
    fs::write(dir.path().join("notes.jsonl"), "dear diary\n").unwrap();
    let archive = Archive::open(dir.path()).unwrap();
    assert_eq!(names(&archive), ["a"]);
    assert!(archive.others[0].contains("notes.jsonl is not a recorded session"), "{:?}", archive.others);
}

#[test]
fn a_missing_directory_holds_no_session_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none");
    let archive = Archive::open(&none).unwrap();
    let error = archive.find(&none, LAST).unwrap_err().to_string();
    assert_eq!(error, format!("no session was recorded yet in {}", none.display()));
}

#[test]
fn a_session_is_found_by_name_or_by_a_unique_beginning() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &["2026-11-22T03-13-02-47", "2026-11-22T03-13-02-4711", "2026-11-23T08-00-00-5"]);
    let archive = Archive::open(dir.path()).unwrap();
    let find = |name| archive.find_by_beginning(dir.path(), name).map(|session| session.name.clone());
    assert_eq!(find("2026-11-22T03-13-02-4711.jsonl").unwrap(), "2026-11-22T03-13-02-4711");
    assert_eq!(find("2026-11-22T03-13-02-47").unwrap(), "2026-11-22T03-13-02-47", "a whole name is no beginning");
    assert_eq!(find("2026-11-23").unwrap(), "2026-11-23T08-00-00-5");
    let several = find("2026-11-22").unwrap_err().to_string();
    assert_eq!(
        several,
        "'2026-11-22' could be 2026-11-22T03-13-02-47 or 2026-11-22T03-13-02-4711: give more of the name"
    );
    assert!(archive.find(dir.path(), "2026-11-23").is_err(), "only a whole name is deleted");
}

#[test]
fn a_slip_in_a_name_is_answered_with_the_names_that_are_like_it() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &["2026-11-22T03-13-02-4711", "2024-01-01T10-00-59-8"]);
    let archive = Archive::open(dir.path()).unwrap();
    let error = |name| archive.find_by_beginning(dir.path(), name).unwrap_err().to_string();
    assert_eq!(
        error("2026-11-22T03-13-20-4711"),
        "there is no session '2026-11-22T03-13-20-4711': did you mean 2026-11-22T03-13-02-4711? 'gossipctl \
         sessions' lists all"
    );
    assert_eq!(error("lats"), "there is no session 'lats': did you mean last? 'gossipctl sessions' lists all");
    assert_eq!(error("zzz"), "there is no session 'zzz': 'gossipctl sessions' lists all");
}
