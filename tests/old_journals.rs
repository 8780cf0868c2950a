//! Journals that earlier versions wrote still open, and still tell the same.
//!
//! `tests/data/journal-v1-*.jsonl` were recorded by the program before events had families and ids:
//! a lab on sockets and one in virtual time, in each dialect, with faults, a hung and a killed node,
//! a lie and strangers. Most of the probes that went well are left out. `journal-v1-kinds.jsonl` has
//! each kind of event of that time, `journal-v1-kinds.csv` is what that program exported of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gossipctl::event::Event;
use gossipctl::model::Model;
use gossipctl::session::export::{OverwritePolicy, export};
use gossipctl::session::journal::JournalRecord;
use gossipctl::session::replay::Recording;
use gossipctl::session::summary::summary;

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}

fn recorded(file: &str) -> Vec<Event> {
    events(&data(file))
}

fn events(path: &Path) -> Vec<Event> {
    let records = Recording::open(path).unwrap().map(|record| record.unwrap());
    let event = |record| match record {
        JournalRecord::Event { event, .. } => event,
        JournalRecord::Skipped(_) | JournalRecord::Torn => panic!("{record:?}"),
    };
    records.map(event).collect()
}

/// What a user is told at the end of the session.
fn told(file: &str) -> String {
    let mut model = Model::new();
    for event in recorded(file) {
        model.apply(&event);
    }
    summary(&model, None, 0)
}

const SESSIONS: [&str; 4] = [
    "journal-v1-sockets-framed.jsonl",
    "journal-v1-sockets-classic.jsonl",
    "journal-v1-virtual-framed.jsonl",
    "journal-v1-virtual-classic.jsonl",
];

#[test]
fn the_words_for_each_old_event_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let csv = dir.path().join("kinds.csv");
    export(&data("journal-v1-kinds.jsonl"), &csv, OverwritePolicy::Refuse).unwrap();
    let (now, then) = (fs::read_to_string(csv).unwrap(), fs::read_to_string(data("journal-v1-kinds.csv")).unwrap());
    for (now, then) in now.lines().zip(then.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(now.lines().count(), then.lines().count());
    let kinds: BTreeSet<_> = recorded("journal-v1-kinds.jsonl").iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds.len(), 42, "{kinds:?}");
}

#[test]
fn an_old_journal_exports_to_one_that_tells_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for file in SESSIONS {
        let copy = dir.path().join(file);
        let exported = export(&data(file), &copy, OverwritePolicy::Refuse).unwrap();
        assert_eq!((exported.damage.lines, exported.skipped), (0, 0), "{file}: {:?}", exported.damage);
        let lines = fs::read_to_string(data(file)).unwrap().lines().filter(|line| line.contains("\"event\":")).count();
        assert_eq!(exported.events, lines as u64, "{file}");
        assert_eq!(events(&copy), recorded(file), "{file}");
    }
}

#[test]
fn an_old_session_is_summed_up_as_it_was_then() {
    let told: Vec<_> = SESSIONS.map(|file| format!("{file}\n{}", told(file))).into();
    insta::assert_snapshot!(told.join("\n"));
}
