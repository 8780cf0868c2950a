//! Journals that earlier versions wrote still open, and still tell the same.
//!
//! `tests/data/journal-v1-*.jsonl` were recorded by the program before events had families and ids:
//! a lab on sockets and one in virtual time, in each dialect, with faults, a hung and a killed node,
//! a lie and strangers. Most of the probes that went well are left out. `journal-v1-kinds.jsonl` has
//! each kind of event of that time, `journal-v1-kinds.csv` is what that program exported of it.
//! `journal-v2-*` are the same of the program that wrote version 2 first, when what failed and why
//! was still a text.

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

const SESSIONS: [&str; 6] = [
    "journal-v1-sockets-framed.jsonl",
    "journal-v1-sockets-classic.jsonl",
    "journal-v1-virtual-framed.jsonl",
    "journal-v1-virtual-classic.jsonl",
    "journal-v2-sockets-framed.jsonl",
    "journal-v2-sockets-classic.jsonl",
];

#[test]
fn the_words_for_each_old_event_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for (kinds, count) in [("journal-v1-kinds", 42), ("journal-v2-kinds", 45)] {
        let (recording, csv) = (format!("{kinds}.jsonl"), dir.path().join(format!("{kinds}.csv")));
        export(&data(&recording), &csv, OverwritePolicy::Refuse).unwrap();
        let then = fs::read_to_string(data(&format!("{kinds}.csv"))).unwrap();
        let now = fs::read_to_string(csv).unwrap();
        for (now, then) in now.lines().zip(then.lines()) {
            assert_eq!(now, then);
        }
        assert_eq!(now.lines().count(), then.lines().count());
        let kinds: BTreeSet<_> = recorded(&recording).iter().map(|event| event.kind.name()).collect();
        assert_eq!(kinds.len(), count, "{kinds:?}");
    }
}

#[test]
fn an_old_journal_exports_to_one_that_tells_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for file in SESSIONS {
        let copy = dir.path().join(file);
        let exported = export(&data(file), &copy, OverwritePolicy::Refuse).unwrap();
        assert_eq!((exported.damage.lines, exported.skipped), (0, 0), "{file}: {:?}", exported.damage);
        if file.contains("-v1-") {
            let text = fs::read_to_string(data(file)).unwrap();
            let lines = text.lines().filter(|line| line.contains("\"event\":")).count();
            assert_eq!(exported.events, lines as u64, "{file}");
        }
        assert_eq!(events(&copy), recorded(file), "{file}");
    }
}

#[test]
fn an_old_session_is_summed_up_as_it_was_then() {
    let told: Vec<_> = SESSIONS.map(|file| format!("{file}\n{}", told(file))).into();
    insta::assert_snapshot!(told.join("\n"));
}
