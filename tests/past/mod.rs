//! Time in the console: a recording is played, stepped through and searched, and a session that runs is shown as it
//! was. The whole program in a terminal.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::terminal::Session;

/// Half a minute of a small lab, from midnight, in which p2 is killed at second 10.
const SHORT: &str = "lab 1 4\nset gossip-interval 2s\nset liveness-interval 1s\nset rng-seed 7\n10s kill p2\n30s end\n";

const A_WHILE: Duration = Duration::from_secs(240);

/// Records a scenario in virtual time as `session.jsonl`.
fn record(scenario: &Path) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(home.path().join("session.jsonl")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gossipctl"));
    command.args(["lab", "--headless", "--virtual", "--format", "json", "--script"]).arg(scenario);
    command.current_dir(home.path()).env("HOME", home.path()).env("XDG_STATE_HOME", home.path()).env("TZ", "UTC");
    let done = command.stdout(file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    home
}

fn short() -> TempDir {
    let scenario = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(scenario.path(), SHORT).unwrap();
    record(scenario.path())
}

fn night() -> TempDir {
    record(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/night.txt"))
}

fn header_says(text: &str) -> impl Fn(&str) -> bool {
    move |screen| screen.lines().next().is_some_and(|line| line.contains(text))
}

fn quit(mut session: Session) {
    session.press("q");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_recording_opens_at_its_beginning_and_plays() {
    let mut replay = Session::start_in(short(), &["replay", "session.jsonl"], 24, 80);
    replay.wait_until("the first seconds", header_says("REPLAY 00:00:01 1x"));
    replay.press(" ");
    replay.wait_until("the pause", header_says("paused"));
    replay.press(":speed 10x\r");
    replay.wait_for("the past plays at 10x");
    replay.press(" ");
    replay.wait_until("the death of p2, ten seconds on", header_says("1 dead"));
    replay.wait_until("the end", header_says("REPLAY 00:00:30 paused"));
    replay.press(" ");
    replay.wait_until("the beginning again", header_says("REPLAY 00:00:0"));
    quit(replay);
}

#[test]
fn keys_go_to_events_times_and_ends() {
    let mut replay = Session::start_in(short(), &["replay", "session.jsonl", "--at", "00:00:20"], 40, 120);
    replay.wait_until("the moment", header_says("REPLAY 00:00:2"));
    replay.press("}");
    replay.wait_until("the end", header_says("REPLAY 00:00:30 paused"));
    replay.press("5,");
    let stepped = |screen: &str| header_says("REPLAY 00:00:1")(screen) && header_says("paused")(screen);
    replay.wait_until("the last report of the death at second 10", stepped);
    replay.press(":at 00:00:09\r");
    replay.wait_until("a second before the death", header_says("REPLAY 00:00:09 paused"));
    replay.wait_until("p2, alive", header_says("5 up"));
    replay.press(":at +2s\r");
    replay.wait_until("a second after the death", |screen| {
        header_says("00:00:11")(screen) && header_says("1 dead")(screen)
    });
    replay.press(":at 04:00\r");
    replay.wait_for("04:00 is not in this session, which lasted from 00:00:00");
    quit(replay);
}

#[test]
fn a_search_looks_beyond_what_has_happened_so_far() {
    let mut replay = Session::start_in(short(), &["replay", "session.jsonl", "--speed", "0.1x"], 40, 120);
    replay.wait_until("the beginning", header_says("REPLAY 00:00:00"));
    replay.press("3/p3#4\r");
    replay.wait_for("No line matches 'p3#4'");
    replay.press("n");
    replay.wait_for("found at 00:00:");
    replay.wait_until("the message", |screen| screen.contains("+ p3#4 ") && header_says("paused")(screen));
    quit(replay);
}

#[test]
fn a_session_that_runs_is_shown_as_it_was_and_goes_on() {
    let lab = ["lab", "--peers", "4", "--gossip-interval", "300ms", "--liveness-interval", "300ms"];
    let mut session = Session::start(&lab, 24, 80);
    session.wait_until("a message that reached every peer", |screen| screen.contains("4/4"));
    session.press("{");
    session.wait_until("the beginning", header_says("BEHIND 00:"));
    session.press("xx");
    session.wait_for("nodes run now: f goes back to live");
    session.press(":at +1s\r");
    session.press("f");
    session.wait_until("now", header_says("LIVE"));
    session.press("3,");
    session.wait_until("the event before", header_says("BEHIND 00:0"));
    session.press("f");
    session.wait_until("now", header_says("LIVE"));
    session.press("{");
    // What is less than two seconds behind is live as soon as it plays.
    let is_far_behind = |screen: &str| (3..60).any(|s| header_says(&format!("BEHIND 00:{s:02}"))(screen));
    session.wait_until("the beginning, some seconds ago", is_far_behind);
    session.press(":speed 0.1x\r");
    session.wait_for("the past plays at 0.1x");
    session.press(" ");
    session.wait_until("the past that plays", header_says(" 0.1x"));
    session.press("f");
    session.wait_until("now", header_says("LIVE"));
    quit(session);
}

#[test]
fn a_session_that_is_not_recorded_has_no_way_back() {
    let lab = ["lab", "--peers", "4", "--gossip-interval", "300ms", "--no-journal"];
    let mut session = Session::start(&lab, 24, 80);
    session.wait_until("a message that reached every peer", |screen| screen.contains("4/4"));
    session.press("[,");
    session.wait_for("this session is not recorded: there is no way back");
    quit(session);
}

#[test]
fn what_happened_at_night_is_told_in_two_keys() {
    let mut replay = Session::start_in(night(), &["replay", "session.jsonl", "--at", "03:12"], 24, 80);
    // To fold hours takes a while if nothing is optimized.
    replay.wait_within(A_WHILE, "the moment", header_says("REPLAY 03:12:"));
    // The warnings, at the end.
    replay.press("7}");
    let is_told = |screen: &str| {
        screen.contains("03:13:55 · the overlay is in 2 parts: p1, p2 and p3 | p4, p5 and p6")
            && screen.contains("03:20:30")
    };
    replay.wait_within(A_WHILE, "what happened, who was cut off, and when it was whole again", is_told);
    // It leaves the pane first.
    replay.press("q");
    replay.wait_for("1 Topology");
    quit(replay);
}
