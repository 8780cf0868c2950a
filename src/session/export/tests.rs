use std::fs;

use super::*;
use crate::event::samples::{AT, event, one_of_each, peer, received, started};
use crate::event::{EventKind, ProbeEvent};
use crate::proto::message::Role;
use crate::session::journal::{self, Journal};

struct Session {
    dir: tempfile::TempDir,
    journal: Journal,
}

impl Session {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::create(&dir.path().join("session.jsonl"), &Header::new(AT, 3600), u64::MAX).unwrap();
        Self { dir, journal }
    }

    /// Two peers, a message each, and a gap.
    fn recorded() -> Self {
        let mut session = Self::new();
        session.add(peer(1), started("p1", Role::Peer));
        session.add(peer(2), started("p2", Role::Peer));
        session.add(peer(2), received("=HYPERLINK(\"x\") \x1b[31m"));
        session.journal.skipped(7).unwrap();
        session.add(peer(1), EventKind::Probe(ProbeEvent::Sent { probe: None, peer: peer(9), seq: 3 }));
        session.journal.flush().unwrap();
        session
    }

    fn add(&mut self, node: crate::proto::addr::Addr, kind: EventKind) {
        self.journal.append(&[event(node, kind)]).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn export(&self, name: &str) -> Result<Exported, ExportError> {
        export(self.journal.path(), &self.path(name), OverwritePolicy::Refuse)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// How many there are, beside the lock that some systems keep next to a journal.
    fn files(&self) -> usize {
        let names = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.extension().is_none_or(|ending| ending != "lock")).count()
    }
}

/// What was written of a recording without a fault.
fn whole(events: u64, skipped: u64, bytes: usize) -> Exported {
    let bytes = u64::try_from(bytes).unwrap();
    Exported { events, skipped, bytes, ..Exported::default() }
}

#[test]
fn the_extension_chooses_the_format_or_is_refused() {
    assert_eq!(FileFormat::from_path(Path::new("a/b.TXT")).unwrap(), FileFormat::Lines(LineFormat::Txt));
    for bad in ["session", "session.xlsx", ".csv"] {
        let error = FileFormat::from_path(Path::new(bad)).unwrap_err().to_string();
        let expected = "use .txt, .jsonl, .csv, .perfetto, .shiviz, .graphml, .dot or .gv";
        assert_eq!(error, format!("{bad}: the extension chooses the format: {expected}"));
    }
}

#[test]
fn a_text_export_has_all_log_lines_with_time_and_node() {
    let session = Session::recorded();
    let exported = session.export("out.txt").unwrap();
    let text = session.text("out.txt");
    assert_eq!(
        text,
        "1970-01-02 04:13:02.418 p1 Started as peer p1, framed dialect\n\
         1970-01-02 04:13:02.418 p2 Started as peer p2, framed dialect\n\
         1970-01-02 04:13:02.418 p2 Received Gossip Message : 04.13.02:('127.0.0.1', 3002):=HYPERLINK(\"x\") \\x1b[31m\n\
         (7 events are missing here)\n"
    );
    assert_eq!(exported, whole(4, 7, text.len()));
}

#[test]
fn a_damaged_recording_is_exported_with_its_gaps_told() {
    let session = Session::recorded();
    let text = fs::read_to_string(session.journal.path()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "{\"n\":1,\"at\":1,\"no";
    fs::write(session.path("damaged.jsonl"), lines.join("\n") + "\n").unwrap();
    let export =
        |name: &str| export(&session.path("damaged.jsonl"), &session.path(name), OverwritePolicy::Refuse).unwrap();
    let exported = export("out.txt");
    assert_eq!((exported.events, exported.skipped, exported.damage.lines), (3, 7, 1));
    let place = session.path("damaged.jsonl").display().to_string();
    assert!(
        exported.damage.told[0].starts_with(&format!("{place}, line 4: expected an event")),
        "{:?}",
        exported.damage
    );
    let told: Vec<String> = session.text("out.txt").lines().map(str::to_owned).collect();
    assert_eq!(told[1], "(line 4 of the recording cannot be read)");
    assert_eq!(told.len(), 4);
    export("out.jsonl");
    assert_eq!(session.text("out.jsonl").lines().nth(2), Some("{\"skipped\":1}"));
    export("out.csv");
    assert_eq!(session.text("out.csv").lines().nth(2), Some(",,,skipped,,,,line 4 of the recording cannot be read"));
}

#[test]
fn nothing_in_an_export_acts_on_a_terminal_whatever_the_names() {
    let mut session = Session::new();
    session.add(peer(1), started("p\x1b]0;x\x07\u{9b}\u{202e}\n", Role::Peer));
    session.add(peer(1), received("\u{9b}31m\u{202e}"));
    session.journal.flush().unwrap();
    for name in ["out.txt", "out.jsonl", "out.csv", "out.perfetto", "out.shiviz", "out.graphml", "out.dot"] {
        session.export(name).unwrap();
        let text = session.text(name);
        assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text:?}");
    }
    let events = |path| journal::read(path).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(events(&session.path("out.jsonl")), events(session.journal.path()), "a reader gets what was recorded");
}

#[test]
fn a_trace_of_a_damaged_recording_is_json_and_tells_the_gap() {
    let session = Session::recorded();
    let text = fs::read_to_string(session.journal.path()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "{\"n\":1,\"at\":1,\"no";
    fs::write(session.path("damaged.jsonl"), lines.join("\n") + "\n").unwrap();
    export(&session.path("damaged.jsonl"), &session.path("out.perfetto"), OverwritePolicy::Refuse).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&session.text("out.perfetto")).unwrap();
    let missing: Vec<&str> = trace["traceEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["cat"] == "missing")
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(missing, ["line 4 of the recording cannot be read", "7 events are missing here"]);
}

#[test]
fn names_from_the_network_break_no_format() {
    let mut session = Session::new();
    for (nth, name) in ["a \"b\" <c>&", "a \"b\" <c>&", "]]>\\"].into_iter().enumerate() {
        session.add(peer(u16::try_from(nth).unwrap()), started(name, Role::Peer));
    }
    session.journal.flush().unwrap();
    for name in ["out.graphml", "out.dot", "out.shiviz"] {
        session.export(name).unwrap();
    }
    let text = session.text("out.graphml");
    let document = roxmltree::Document::parse(&text).unwrap();
    let ids: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("node"))
        .filter_map(|node| node.attribute("id"))
        .collect();
    assert_eq!(ids, ["a \"b\" <c>&", "127.0.0.1:3001", "]]>\\"]);
    assert!(session.text("out.dot").contains("  \"a \\\"b\\\" <c>&\" [label="), "{}", session.text("out.dot"));
    let log = session.text("out.shiviz");
    let hosts: Vec<_> = log.lines().skip(2).step_by(2).map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(hosts, ["a_\"b\"_<c>&", "127.0.0.1:3001", "]]>\\"]);
}

#[test]
fn a_table_has_a_row_per_event_and_no_formulas() {
    let session = Session::recorded();
    session.export("out.csv").unwrap();
    let mut table = csv::Reader::from_path(session.path("out.csv")).unwrap();
    let header = table.headers().unwrap().iter().collect::<Vec<_>>().join(",");
    assert_eq!(header, "time,node,address,event,peer,message,text,detail");
    let rows: Vec<Vec<String>> =
        table.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
    assert_eq!(
        rows[2],
        [
            "1970-01-02T04:13:02.418000+01:00",
            "p2",
            "127.0.0.1:3002",
            "received",
            "p1",
            "p2#1",
            "'=HYPERLINK(\"x\") \\x1b[31m",
            "Received p2#1 \"=HYPERLINK(\"x\") \\x1b[31m\" from p1"
        ]
    );
    assert_eq!(rows[3][7], "7 events are missing here");
    assert_eq!(rows[4][3..5], ["probe_sent", ":3009"]);
}

#[test]
fn an_export_of_events_can_be_exported_again() {
    let mut session = Session::new();
    for kind in one_of_each() {
        session.add(peer(1), kind);
    }
    session.journal.flush().unwrap();
    session.export("first.jsonl").unwrap();
    export(&session.path("first.jsonl"), &session.path("second.jsonl"), OverwritePolicy::Refuse).unwrap();
    let header = session.text("session.jsonl").lines().next().unwrap().to_owned();
    let events = one_of_each().into_iter().map(|kind| serde_json::to_string(&event(peer(1), kind)).unwrap());
    let expected: Vec<_> = std::iter::once(header).chain(events).collect();
    assert_eq!(session.text("first.jsonl").lines().collect::<Vec<_>>(), expected, "a line an event");
    assert_eq!(session.text("second.jsonl"), session.text("first.jsonl"));
}

/// The indented lines that follow this mark in docs/journal.md.
fn example(mark: &str) -> String {
    let manual = include_str!("../../../docs/journal.md");
    let lines = manual.split(mark).nth(1).unwrap().lines().skip_while(|line| line.is_empty());
    lines.map_while(|line| line.strip_prefix("    ")).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn the_manuals_example_is_read_written_and_exported() {
    let session = Session::new();
    let path = session.path("example.jsonl");
    fs::write(&path, example("<!-- example -->")).unwrap();
    export(&path, &session.path("out.jsonl"), OverwritePolicy::Refuse).unwrap();
    assert_eq!(session.text("out.jsonl"), example("<!-- exported -->"));
    let reader = journal::read(&path).unwrap();
    let mut again = Journal::create(&session.path("again.jsonl"), reader.header(), u64::MAX).unwrap();
    for record in reader.map(Result::unwrap) {
        match record {
            JournalRecord::Event { event, .. } => again.append(&[event]).unwrap(),
            JournalRecord::Skipped(events) => again.skipped(events).unwrap(),
            JournalRecord::Torn => panic!("{record:?}"),
        }
    }
    again.close().unwrap();
    assert_eq!(session.text("again.jsonl"), example("<!-- example -->"));
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_that_is_wanted() {
    let session = Session::recorded();
    fs::write(session.path("out.txt"), "precious").unwrap();
    let error = session.export("out.txt").unwrap_err();
    assert!(matches!(error, ExportError::Exists { .. }), "{error}");
    assert!(error.to_string().ends_with("out.txt exists already"), "{error}");
    assert_eq!(session.text("out.txt"), "precious");
    export(session.journal.path(), &session.path("out.txt"), OverwritePolicy::Replace).unwrap();
    assert!(session.text("out.txt").contains("p1 Started"));
}

#[test]
fn a_file_that_appears_during_the_export_is_not_overwritten() {
    let session = Session::recorded();
    let dest = session.path("out.txt");
    let written = beside(&dest).unwrap();
    fs::write(&dest, "precious").unwrap();
    let error = put_in_place(written, &dest, OverwritePolicy::Refuse).unwrap_err();
    assert!(matches!(error, ExportError::Exists { .. }), "{error}");
    assert_eq!(session.text("out.txt"), "precious");
    assert_eq!(session.files(), 2);
}

#[test]
fn the_journal_itself_is_never_the_destination() {
    let session = Session::recorded();
    let dest = session.dir.path().join("./session.jsonl");
    let error = export(session.journal.path(), &dest, OverwritePolicy::Replace).unwrap_err();
    assert!(matches!(error, ExportError::IsJournal { .. }), "{error}");
}

#[test]
fn only_a_finished_sessions_journal_can_be_replaced() {
    let session = Session::recorded();
    let dest = session.path("other.jsonl");
    let other = Journal::create(&dest, &Header::new(AT, 0), u64::MAX).unwrap();
    let before = session.text("other.jsonl");
    for overwrite in [OverwritePolicy::Replace, OverwritePolicy::Refuse] {
        for error in [
            export(session.journal.path(), &dest, overwrite).unwrap_err(),
            write_text(&dest, "a scenario", overwrite).unwrap_err(),
        ] {
            let told = format!("{} is the journal of a running session: choose another file", dest.display());
            assert_eq!(error.to_string(), told);
        }
    }
    assert_eq!((session.text("other.jsonl"), session.files()), (before, 2));
    drop(other);
    export(session.journal.path(), &dest, OverwritePolicy::Replace).unwrap();
    session.export("copy.jsonl").unwrap();
    assert_eq!(session.text("other.jsonl"), session.text("copy.jsonl"));
}

#[test]
fn a_place_that_cannot_be_written_is_said_with_path_and_reason() {
    let session = Session::recorded();
    let error = session.export("no/such/dir/out.txt").unwrap_err().to_string();
    assert!(error.contains("no/such/dir/out.txt") && error.contains("No such file"), "{error}");
    assert!(!error.contains(".gossipctl-export-"), "a name that the user never gave: {error}");
    fs::create_dir(session.path("dir.txt")).unwrap();
    let error = session.export("dir.txt").unwrap_err().to_string();
    assert!(error.contains("dir.txt") && error.contains("directory"), "{error}");
}

#[test]
fn an_export_whose_place_is_taken_leaves_nothing_behind() {
    let session = Session::recorded();
    let dest = session.path("out.txt");
    let file = beside(&dest).unwrap();
    fs::write(&dest, "somebody else's").unwrap();
    assert!(matches!(put_in_place(file, &dest, OverwritePolicy::Refuse), Err(ExportError::Exists { .. })));
    assert_eq!((session.files(), session.text("out.txt")), (2, "somebody else's".to_owned()));
}

#[cfg(all(unix, not(feature = "portable")))]
#[test]
fn an_export_is_as_readable_as_any_new_file_of_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let session = Session::recorded();
    session.export("out.txt").unwrap();
    fs::write(session.path("plain"), "").unwrap();
    let mode = |name| fs::metadata(session.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("out.txt"), mode("plain"));
}
