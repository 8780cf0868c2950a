//! What is kept of a session: recorded, listed, exported and deleted by the real program.

mod files;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::program::{Program, home, run_in, run_with_small_files};
use serde_json::Value;

/// A lab in which much happens soon.
const LAB: &[&str] = &["lab", "--headless", "--gossip-interval", "100ms", "--liveness-interval", "300ms"];
/// A lab that is over soon.
const SHORT: &[&str] = &["lab", "--headless", "--gossip-interval", "100ms", "--duration", "500ms"];

fn sessions_dir(home: &Path) -> PathBuf {
    home.join("state/gossipctl/sessions")
}

fn journals(home: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(sessions_dir(home)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "zst")).collect();
    journals.sort();
    journals
}

fn listed(home: &Path) -> Vec<Value> {
    let (code, out, _) = run_in(home, &["sessions", "--format", "json"]);
    assert_eq!(code, 0);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn at(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["at"].as_u64().unwrap_or(0)
}

/// The lines of a journal.
fn lines_of(journal: &Path) -> String {
    String::from_utf8(zstd::decode_all(File::open(journal).unwrap()).unwrap()).unwrap()
}

/// Takes the footer away and cuts the line before it, as a killed program may leave it. Tells how
/// many events were in that line.
fn tear(journal: &Path) -> usize {
    let text = lines_of(journal);
    let events = text.split_once("{\"closed\"").map_or(text.as_str(), |(events, _)| events);
    fs::write(journal, &events[..events.len() - 9]).unwrap();
    let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    let rows = |rows: &serde_json::Map<String, Value>| {
        rows.values().map(|rows| rows["n"].as_array().unwrap().len()).sum::<usize>()
    };
    last["rows"].as_object().map_or(1, rows)
}

#[test]
fn after_a_kill_at_most_the_last_second_is_missing() {
    let home = home();
    let lab = Program::start_in(&home, &[LAB, &["--format", "json"]].concat());
    let first = at(&lab.wait_for("an event", |line| at(line) > 0));
    let late = |line: &str| at(line) > first + 4_000_000;
    let last = at(&lab.wait_for("an event four seconds later", late));
    lab.signal("KILL");
    drop(lab);
    let (code, out, _) = run_in(home.path(), &["export", "last", "--format", "json"]);
    assert_eq!(code, 0);
    let kept = out.lines().map(at).max().unwrap();
    // A second, and another one for a machine that is so busy that nobody's timers are on time.
    assert!(kept + 2_000_000 > last, "{} ms are missing", (last - kept) / 1_000);
}

#[test]
fn a_running_session_is_never_deleted_a_killed_one_can_be() {
    let home = home();
    let lab = Program::start_in(&home, LAB);
    lab.wait_for("a message", |line| line.starts_with("p1 Received Gossip Message"));
    let running = listed(home.path());
    let name = running[0]["name"].as_str().unwrap();
    assert_eq!(running[0]["state"], "running");
    let (code, out, error) = run_in(home.path(), &["sessions", "--delete", name]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(error, format!("error: {name} is running: quit it before you delete it; nothing was deleted\n"));
    let (code, out, _) = run_in(home.path(), &["sessions", "--delete", "all"]);
    assert_eq!((code, out), (0, format!("kept {name}: it is running\n")));
    lab.wait_for("another message", |line| line.starts_with("p1 Received Gossip Message"));

    let journal = journals(home.path()).remove(0);
    let place = journal.to_str().unwrap();
    run_in(home.path(), &["export", name, "-o", "copy.jsonl"]);
    let (code, _, error) = run_in(home.path(), &["export", "copy.jsonl", "--format", "json", "-o", place, "--force"]);
    let told = format!("error: {place} is the journal of a running session: choose another file\n");
    assert_eq!((code, error), (2, told));
    lab.wait_for("one more message", |line| line.starts_with("p1 Received Gossip Message"));

    lab.signal("KILL");
    drop(lab);
    let killed = listed(home.path());
    assert_eq!((&killed[0]["state"], &killed[0]["name"]), (&Value::from("cut off"), &running[0]["name"]));
    let (code, out, _) = run_in(home.path(), &["sessions", "--delete", name]);
    assert!(code == 0 && out.starts_with(&format!("deleted {name} (")), "{out}");
    assert_eq!(journals(home.path()), <[PathBuf; 0]>::default());
}

#[test]
fn sessions_are_listed_with_their_figures_latest_first() {
    let home = home();
    run_in(home.path(), SHORT);
    let one_peer =
        ["lab", "--seeds", "1", "--peers", "1", "--headless", "--messages", "2", "--gossip-interval", "50ms"];
    run_in(home.path(), &[&one_peer[..], &["--duration", "1s"]].concat());
    let (code, out, error) = run_in(home.path(), &["sessions"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> =
        out.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(rows[0], ["NAME", "WHEN", "WHAT", "LASTED", "NODES", "MESSAGES", "DEATHS", "SIZE", "ENDED"]);
    let cell = |row: usize, column: usize| rows[row][column];
    assert_eq!(rows[1][2..7], ["lab of 1 seed, 1 peer", "1s", "2", "2", "0"], "{out}");
    assert_eq!(
        (cell(1, 8), cell(2, 2), cell(2, 4), cell(2, 8)),
        ("over", "lab of 2 seeds, 8 peers", "10", "over"),
        "{out}"
    );
    let json = listed(home.path());
    assert_eq!(
        (&json[0]["what"], &json[0]["state"], &json[0]["ended"]),
        (&"lab of 1 seed, 1 peer".into(), &"ended".into(), &"over".into())
    );
    assert_eq!(json[0]["messages"], 2);
    assert!(json[0]["lasted_us"].as_u64().unwrap() >= 1_000_000 && json[1]["events"].as_u64().unwrap() > 50);
}

#[test]
fn the_list_says_what_is_missing_in_a_session() {
    let home = home();
    run_in(home.path(), SHORT);
    let journal = &journals(home.path())[0];
    let text = lines_of(journal);
    let last = text.trim_end().rfind('\n').unwrap();
    fs::write(journal, format!("{}{}", &text[..last], text[last..].replace("\"skipped\":0", "\"skipped\":12")))
        .unwrap();
    let (_, out, _) = run_in(home.path(), &["sessions"]);
    let row = out.lines().nth(1).unwrap();
    assert!(row.contains(" 0+ ") && row.ends_with("over, 12 events missing"), "{out}");
}

#[test]
fn an_export_goes_to_stdout_or_to_a_new_file() {
    let home = home();
    run_in(home.path(), SHORT);
    let export = |args: &[&str]| run_in(home.path(), &[&["export", "last"], args].concat());
    let (_, text, error) = export(&[]);
    assert!(text.lines().next().unwrap().ends_with("s1 Started as seed s1, framed dialect"), "{text}");
    assert_eq!(error, "");
    for (format, ending) in [("text", "txt"), ("json", "jsonl"), ("csv", "csv")] {
        let (code, printed, _) = export(&["--format", format]);
        let name = format!("mine.{ending}");
        let (_, told, _) = export(&["-o", &name]);
        assert!(code == 0 && told.ends_with(&format!(" events exported to {name}\n")), "{told}");
        assert_eq!(fs::read_to_string(home.path().join(&name)).unwrap(), printed);
    }
    fs::write(home.path().join("mine.csv"), "precious").unwrap();
    let (code, _, error) = export(&["-o", "mine.csv"]);
    assert_eq!((code, error.as_str()), (2, "error: mine.csv exists already: --force replaces it\n"));
    assert_eq!(fs::read_to_string(home.path().join("mine.csv")).unwrap(), "precious");
    assert_eq!(export(&["-o", "mine.csv", "--force"]).0, 0);
    assert!(fs::read_to_string(home.path().join("mine.csv")).unwrap().starts_with("time,node,"));
    let (code, _, error) = export(&["-o", "mine.xls"]);
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: mine.xls: the extension chooses the format: use .txt, .jsonl, .csv, .perfetto, .shiviz, .graphml, .dot or .gv\n"
    );
    assert_eq!(run_in(home.path(), &["export", "mine.jsonl"]).1, text, "a file is a session, too");
}

#[test]
fn a_torn_last_line_is_said_and_all_before_it_is_exported() {
    let home = home();
    run_in(home.path(), SHORT);
    let whole = run_in(home.path(), &["export", "last", "--format", "json"]).1;
    let events = whole.lines().count() - 1 - tear(&journals(home.path())[0]);
    for format in ["text", "json", "csv"] {
        let (code, _, error) = run_in(home.path(), &["export", "last", "--format", format]);
        assert_eq!((code, error), (0, format!("warning: the last line is cut: {events} events exported\n")));
    }
}

#[test]
fn a_session_is_found_by_its_beginning_and_typos_get_hints() {
    let home = home();
    run_in(home.path(), SHORT);
    let name = listed(home.path())[0]["name"].as_str().unwrap().to_owned();
    assert_eq!(run_in(home.path(), &["export", &name[..12]]).0, 0);
    let slip = format!("{name}7");
    let (code, _, error) = run_in(home.path(), &["export", &slip]);
    let expected =
        format!("error: there is no session '{slip}': did you mean {name}? 'gossipctl sessions' lists all\n");
    assert_eq!((code, error.as_str()), (2, expected.as_str()));
    let (code, _, error) = run_in(home.path(), &["sessions", "--delete", &name, &slip]);
    assert_eq!((code, error), (2, expected));
    assert_eq!(journals(home.path()).len(), 1, "of several that are named, all are deleted or none");
}

#[test]
fn a_reader_that_has_had_enough_of_an_export_ends_it_quietly() {
    let home = home();
    run_in(home.path(), &["lab", "--headless", "--gossip-interval", "20ms", "--duration", "2s"]);
    assert!(lines_of(&journals(home.path())[0]).len() > 500_000, "more than a pipe holds");
    for format in ["text", "json", "csv"] {
        let mut export = Program::start_in(&home, &["export", "last", "--format", format]);
        export.close_stdout();
        assert_eq!(export.end(), (Some(0), String::new()));
    }
}

#[test]
fn the_oldest_session_gives_way_to_a_new_one_and_that_is_said() {
    let home = home();
    run_in(home.path(), SHORT);
    let old = journals(home.path());
    fs::write(&old[0], lines_of(&old[0])).unwrap();
    assert!(fs::metadata(&old[0]).unwrap().len() > 20_000, "as an earlier version would have kept it");
    let (_, _, error) = run_in(home.path(), &[SHORT, &["--sessions-max", "64KiB", "--journal-max", "64KiB"]].concat());
    let kept = listed(home.path());
    assert!(error.contains("warning: recorded sessions took too much room: the oldest 1 deleted\n"), "{error}");
    assert_eq!((kept.len(), old[0].exists()), (1, false));
    assert!(kept[0]["size"].as_u64().unwrap() <= 64 * 1024);
}

#[test]
fn a_session_is_not_recorded_if_that_is_what_the_user_wants() {
    let home = home();
    run_in(home.path(), &[SHORT, &["--no-journal"]].concat());
    fs::create_dir_all(home.path().join("config/gossipctl")).unwrap();
    fs::write(home.path().join("config/gossipctl/config.toml"), "[session]\nno-journal = true\n").unwrap();
    run_in(home.path(), SHORT);
    assert_eq!(journals(home.path()), <[PathBuf; 0]>::default());
    let (code, out, error) = run_in(home.path(), &["sessions"]);
    let place = sessions_dir(home.path());
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(error, format!("no session was recorded yet in {}\n", place.display()));
}

#[test]
fn on_a_full_disk_the_session_goes_on_and_counts_losses() {
    let home = home();
    let args = ["lab", "--headless", "--gossip-interval", "20ms", "--duration", "2s"];
    let (code, out, error) = run_with_small_files(home.path(), 60, &args);
    assert_eq!(code, 0);
    assert!(out.contains("s1 Left the network"), "the network went on to its end");
    assert!(error.contains("warning: the session is not recorded: cannot write the journal "), "{error}");
    let last = error.lines().last().unwrap();
    assert!(last.ends_with("events not recorded: the journal was full or could not be written"), "{error}");
    let (code, _, error) = run_in(home.path(), &["export", "last"]);
    assert!(code == 0 && !error.contains("cut"), "half a line was left behind: {error}");
}

#[test]
fn a_place_that_takes_no_journal_is_said_and_tried_again() {
    let home = home();
    fs::write(home.path().join("state"), "in the way").unwrap();
    let mut lab = Program::start_in(&home, LAB);
    // By then the first second is written, if there is a place for it.
    lab.wait_for("the message of two seconds later", |line| line.ends_with("Gossip Message 20"));
    fs::remove_file(home.path().join("state")).unwrap();
    // It generates ten a second.
    for _ in 0..300 {
        if journals(home.path()).is_empty() {
            lab.wait_for("another message", |line| line.starts_with("p1 Generated Gossip Message"));
        }
    }
    assert_eq!(journals(home.path()).len(), 1, "no journal was made");
    lab.signal("TERM");
    lab.read_all();
    let (code, error) = lab.end();
    assert_eq!(code, Some(0));
    let lines: Vec<_> = error.lines().collect();
    assert!(lines[0].starts_with("warning: the session is not recorded: cannot create the journal "), "{error}");
    assert!(lines[1].starts_with("warning: the session is recorded again; "), "{error}");
    assert!(lines[2].contains("events not recorded"), "{error}");
    let (code, text, error) = run_in(home.path(), &["export", "last"]);
    assert!(code == 0 && error.contains("missing in the journal: the export tells where"), "{error}");
    assert!(text.starts_with('(') && text.lines().next().unwrap().ends_with("are missing here)"), "{text}");
}

#[test]
fn the_logs_of_a_lab_are_beside_its_recording_and_go_with_it() {
    let home = home();
    fs::write(home.path().join("fails.txt"), "lab 1 2\n500ms expect dead p1\n").unwrap();
    let (code, _, _) = run_in(home.path(), &["lab", "--headless", "--script", "fails.txt"]);
    assert_eq!(code, 1);
    let folders = || {
        let files = fs::read_dir(sessions_dir(home.path())).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "logs")).collect::<Vec<_>>()
    };
    let logs = folders();
    assert_eq!((logs.len(), fs::read_dir(&logs[0]).unwrap().count()), (1, 3), "a log for each node");
    assert!(!home.path().join("logs").exists());
    let session = &listed(home.path())[0];
    assert_eq!((&session["what"], &session["ended"]), (&"fails.txt".into(), &"1 expectation failed".into()));
    let (code, ..) = run_in(home.path(), &["sessions", "--delete", "all"]);
    assert_eq!((code, folders().len()), (0, 0));
}
