//! The whole program in a terminal: keys are typed, the screen is read.
#![cfg(unix)] // It sends signals and asks a pseudo-terminal for its modes.

mod past;
mod terminal;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use terminal::{Session, close_window_after, signal};

/// A lab in which much happens soon.
const LAB: &[&str] = &["lab", "--peers", "4", "--gossip-interval", "300ms", "--liveness-interval", "300ms"];

/// How long a key may take to show on a machine that is busy with other tests; `benches/console.rs` measures
/// how long it takes.
const SOON: Duration = Duration::from_secs(10);

fn lab(rows: u16, columns: u16) -> Session {
    running(Session::start(LAB, rows, columns))
}

fn running(session: Session) -> Session {
    session.wait_until("a message that reached every peer", |screen| screen.contains("reached 4/4"));
    session
}

/// Moves the selection among the connections down to this node.
fn select(session: &mut Session, name: &str) {
    session.press("2");
    for _ in 0..20 {
        let before = session.screen();
        if selected(&before).as_deref() == Some(name) {
            return;
        }
        session.press("j");
        session.wait_until("the selection to move", |screen| selected(screen) != selected(&before));
    }
    panic!("{name} is not to be found in\n{}", session.screen());
}

/// The node with the mark in front: `>● p2  up ..`.
fn selected(screen: &str) -> Option<String> {
    let marked = screen.lines().find_map(|line| line.split_once("│>"))?.1;
    marked.split_whitespace().nth(1).map(str::to_owned)
}

/// What the first line of the screen says.
fn header_says(text: &str) -> impl Fn(&str) -> bool {
    move |screen| screen.lines().next().is_some_and(|line| line.contains(text))
}

/// What the first line of the screen says of it.
fn messages_per_second(screen: &str) -> Option<u32> {
    let (before, _) = screen.lines().next()?.split_once(" msg/s")?;
    before.split_whitespace().last()?.parse().ok()
}

/// The first line of the screen ends with how long the session has lasted.
fn lasted_two_seconds(screen: &str) -> bool {
    !header_says("00:00:00")(screen) && !header_says("00:00:01")(screen) && header_says(":")(screen)
}

#[test]
fn a_killed_node_is_noticed_reported_and_removed_on_the_screen() {
    let mut session = lab(40, 120);
    select(&mut session, "p2");
    session.press("x");
    session.wait_for("x again kills p2");
    session.press("x");
    session.wait_for("✗ p2 ");
    session.wait_until("the death in the header", header_says("1 dead"));
    session.wait_until("a report to the seeds", |screen| screen.contains("p2, by ") && screen.contains("removed"));
    session.press("r");
    session.wait_until("p2 to be back", header_says("6 up"));
    session.press("q");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 0);
    assert!(screen.contains("The session lasted") && screen.contains("p2 at "), "{screen}");
    assert!(screen.contains("logs") && screen.contains("journal"), "{screen}");
}

#[test]
fn one_press_of_x_kills_nobody() {
    let mut session = lab(40, 120);
    select(&mut session, "p1");
    session.press("x");
    session.wait_for("x again kills p1");
    session.wait_until("the key to be disarmed", |screen| !screen.contains("x again kills"));
    session.press("q");
    let (_, screen) = session.end();
    assert!(screen.contains("2 seeds, 4 peers\n") && screen.contains("deaths    none"), "{screen}");
}

#[test]
fn esc_and_q_lead_back_from_a_pane_on_the_whole_screen() {
    let mut session = lab(24, 80);
    let is_whole = |screen: &str| screen.contains("back to all panes") && !screen.contains("2 Connections");
    let is_back = |screen: &str| screen.contains("2 Connections") && !screen.contains("back to all panes");
    for (keys, back) in [("6", "\x1b"), ("6", "q"), ("1z", "q"), ("z", "\x1b")] {
        session.press(keys);
        session.wait_until("a pane on the whole screen", is_whole);
        session.press(back);
        session.wait_until("the other panes", is_back);
    }
    session.press("q");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_hung_node_misses_three_probes_before_it_is_dead() {
    // Slow enough that each miss stays on the screen for a while, however busy the machine is.
    let slow = ["lab", "--peers", "4", "--gossip-interval", "300ms", "--liveness-interval", "1s"];
    let mut session = running(Session::start(&slow, 40, 120));
    select(&mut session, "p3");
    session.press("X");
    session.wait_for("X again hangs p3");
    session.press("X");
    session.wait_for("1/3");
    session.wait_for("2/3");
    session.wait_until("the death of p3", |screen| screen.contains("p3, by "));
    session.press("q");
    assert!(session.end().1.contains("p3 at "));
}

#[test]
fn help_opens_and_closes_and_a_message_of_the_users_own_spreads() {
    // Nothing else may push the message out of the log before it is read.
    let quiet = ["lab", "--peers", "4", "--gossip-interval", "300ms", "--messages", "1"];
    let mut session = running(Session::start(&quiet, 40, 160));
    session.press("?");
    session.wait_for("crash the selected node");
    session.press("\x1b");
    session.wait_until("the help to close", |screen| !screen.contains("crash the selected node"));
    session.press("m");
    session.wait_until("the form", |screen| screen.contains("Esc"));
    session.press("a word of mine\r");
    session.wait_for("\"a word");
    session.press("q");
    session.end();
}

#[test]
fn another_node_starts_and_joins() {
    let mut session = lab(40, 120);
    session.press("a");
    session.wait_for("Start a node");
    session.press("\x15auto\r");
    session.wait_until("p5", header_says("7 up"));
    session.press("q");
    assert!(session.end().1.contains("5 peers"));
}

#[test]
fn sigterm_gives_the_terminal_back_and_leaves_politely() {
    let session = lab(24, 80);
    session.signal("TERM");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 0);
    assert!(screen.contains("The session lasted"), "{screen}");
}

/// What the only recorded session has with this ending.
fn in_sessions(home: &Path, ending: &str) -> PathBuf {
    let files = fs::read_dir(home.join("state/gossipctl/sessions")).unwrap().map(|file| file.unwrap().path());
    let found: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn nodes_say_goodbye_when_their_window_is_closed() {
    let (home, status) = close_window_after(LAB, "reached 4/4");
    assert_ne!(status.exit_code(), 101, "it panicked where nobody could see it");
    let logs = fs::read_dir(in_sessions(home.path(), "logs")).unwrap().map(|file| file.unwrap().path());
    let logs: Vec<String> = logs.map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(logs.len(), 6);
    assert!(logs.iter().all(|log| log.ends_with("Left the network\n")), "{logs:#?}");
    let journal = in_sessions(home.path(), "zst");
    let lines = zstd::decode_all(fs::File::open(journal).unwrap()).unwrap();
    let left = String::from_utf8(lines).unwrap().matches(r#""event":"stopped","how":"left""#).count();
    assert_eq!(left, 6, "the journal ends as the session did");
}

#[test]
fn a_session_with_a_length_ends_by_itself() {
    let session = Session::start(&["lab", "--duration", "1s"], 24, 80);
    session.wait_for("LIVE");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 0);
    assert!(screen.contains("The session lasted"), "{screen}");
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_needs_and_recovers() {
    let mut session = Session::start(LAB, 9, 39);
    session.wait_for("needs 40x10, is 39x9");
    session.resize(12, 50);
    session.wait_until("one pane", |screen| screen.contains("Topology"));
    session.resize(24, 80);
    session.wait_until("the whole console", |screen| screen.contains("Gossip log") && screen.contains("quit"));
    session.press("q");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn the_start_screen_starts_a_lively_lab() {
    let mut session = Session::start(&[], 24, 80);
    session.wait_for("Start a lab");
    session.press("\r");
    session.wait_for("Peers");
    session.press("\r");
    session.wait_until("the lab", |screen| screen.contains("2 seeds") && screen.contains("10 up"));
    session.press("4z");
    session.wait_for("every 2 s");
    session.press("qq");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_peer_from_the_start_screen_needs_a_seed_list_and_says_so() {
    let mut session = Session::start(&[], 24, 100);
    session.wait_for("Start a peer");
    session.press("jj\r");
    session.wait_for("Listen");
    session.press("\r");
    session.wait_for("config.txt: no such file: create it");
    session.press("q");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_session_is_exported_asked_about_and_opened_again() {
    let mut session = lab(40, 120);
    let export = |session: &mut Session, name: &str| {
        session.press("e");
        session.wait_for("Export this session");
        session.press(&format!("\x15{name}\r"));
    };
    export(&mut session, "mine.jsonl");
    session.wait_until("the export", |screen| screen.contains("exported") && screen.contains("to mine.jsonl"));
    let first = fs::read_to_string(session.home().join("mine.jsonl")).unwrap();
    export(&mut session, "mine.jsonl");
    session.wait_for("mine.jsonl exists. Replace it?");
    session.press("\x1b");
    session.wait_until("the question to go", |screen| !screen.contains("Replace it?"));
    assert_eq!(fs::read_to_string(session.home().join("mine.jsonl")).unwrap(), first);
    export(&mut session, "/dev/null/mine.txt");
    session.wait_for("not exported to /dev/null/mine.txt");
    session.press("q");
    let (home, _) = session.end_and_keep();

    let mut replay = Session::start_in(home, &[], 40, 120);
    replay.wait_for("Open a recording");
    replay.press("k\r");
    replay.wait_for("lab of 2 seeds, 4 peers");
    replay.press("k\r");
    replay.wait_until("the question for a file", |screen| screen.contains("File"));
    replay.press("\x15mine.jsonl\r");
    replay.wait_until("the recording", |screen| screen.contains("REPLAY") && screen.contains("p4"));
    replay.press("q");
    assert_eq!(replay.end().0.exit_code(), 0);
}

#[test]
fn a_killed_session_is_listed_and_can_be_replayed() {
    let session = lab(40, 120);
    session.wait_until("more than the second that may be missing", lasted_two_seconds);
    let home = session.kill();
    let mut replay = Session::start_in(home, &["replay", "last"], 40, 160);
    replay.wait_until("the recording", |screen| screen.contains("REPLAY") && screen.contains("p4"));
    replay.press("a");
    replay.press("q");
    let (home, status) = replay.end_and_keep();
    assert_eq!(status.exit_code(), 0);
    // What is recorded already is not recorded again.
    in_sessions(home.path(), "zst");
}

#[test]
fn a_journal_that_cannot_be_created_is_told_and_created_later() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state"), "in the way").unwrap();
    let mut session = running(Session::start_in(home, LAB, 40, 160));
    session.wait_until("the failure in the header", header_says("REC FAILED"));
    session.wait_until("something that is not recorded", lasted_two_seconds);
    fs::remove_file(session.home().join("state")).unwrap();
    session.wait_until("the recording in the header", |screen| {
        header_says("REC")(screen) && !header_says("REC FAILED")(screen)
    });
    session.press("q");
    let (_, screen) = session.end();
    assert!(screen.contains("events not recorded: the journal was full or could not be"), "{screen}");
}

#[test]
fn an_export_of_an_unknown_kind_is_refused_in_its_form() {
    let mut session = lab(40, 120);
    session.press("e");
    session.wait_for("Export this session");
    session.press("\x15mine.xls\r");
    session.wait_until("the fault in the form", |screen| {
        screen.contains("mine.xls: the extension chooses the format") && screen.contains("Export this session")
    });
    session.press("\x15mine.csv\r");
    session.wait_until("the export", |screen| screen.contains("exported") && screen.contains("to mine.csv"));
    session.press("q");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn keys_are_answered_while_a_hundred_peers_talk_flat_out() {
    let flat_out = ["lab", "--peers", "100", "--gossip-interval", "10ms"];
    let mut session = Session::start(&flat_out, 40, 120);
    session.wait_until("thousands of messages a second", |screen| messages_per_second(screen) > Some(1_000));
    session.press("?");
    session.wait_within(SOON, "the help", |screen| screen.contains("Esc closes"));
    session.press("\x1b");
    session.wait_within(SOON, "the help to close", |screen| !screen.contains("Esc closes"));
    session.press("q");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 0);
    assert!(screen.contains("2 seeds, 100 peers\n"), "{screen}");
}

#[test]
fn a_port_in_use_is_told_before_the_screen_is_taken() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let session = Session::start(&["seed", "--listen", &taken.port().to_string()], 24, 120);
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 1);
    assert!(screen.starts_with(&format!("error: {taken} is in use; the next free address is")), "{screen}");
}

#[test]
fn keys_of_the_config_file_are_the_keys() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("config/gossipctl")).unwrap();
    fs::write(home.path().join("config/gossipctl/config.toml"), "[keys]\nquit = \"f10\"\n").unwrap();
    let mut session = Session::start_in(home, LAB, 24, 120);
    session.wait_for("F10 quit");
    session.press("\x1b[21~");
    assert_eq!(session.end().0.exit_code(), 0);
}

/// A lab in a shell that has just been stopped by somebody else; its process id.
fn stopped_lab() -> (Session, u32) {
    let (session, id) = Session::start_in_shell(LAB, 24, 80);
    session.wait_until("a message that reached every peer", |screen| screen.contains("reached 4/4"));
    signal(id, "STOP");
    session.wait_for("Stopped");
    (session, id)
}

/// Quits the program in a shell, and then the shell.
fn quit_both(mut session: Session) {
    session.press("q");
    session.wait_until("the summary", |screen| screen.contains("The session lasted") && screen.contains("shell>"));
    session.press("exit\r");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_console_that_was_stopped_is_whole_again_after_fg() {
    let (mut session, _) = stopped_lab();
    session.press("clear; fg\r");
    session.wait_until("the console", |screen| header_says("LIVE")(screen) && screen.contains("quit"));
    session.press("?");
    session.wait_for("Esc closes");
    session.press("\x1b");
    session.wait_until("the help to close", |screen| !screen.contains("Esc closes"));
    quit_both(session);
}

#[test]
fn a_console_that_goes_on_in_the_background_draws_nothing_there() {
    let (mut session, id) = stopped_lab();
    signal(id, "CONT");
    // Longer than it takes to draw the clock in the header anew.
    session.press("clear; sleep 1.5; echo q do''ne\r");
    let screen = session.wait_until("the shell", |screen| screen.contains("q done"));
    assert!(!screen.contains("LIVE") && !screen.contains("Topology"), "{screen}");
    session.press("fg\r");
    session.wait_until("the console", |screen| header_says("LIVE")(screen) && screen.contains("quit"));
    quit_both(session);
}

#[test]
fn a_console_in_the_background_leaves_when_it_is_asked_to() {
    let (mut session, id) = stopped_lab();
    signal(id, "CONT");
    signal(id, "TERM");
    session.wait_for("The session lasted");
    session.press("exit\r");
    session.press("exit\r");
    session.end();
}

#[test]
fn a_paste_that_never_ends_does_not_deafen() {
    let mut session = lab(24, 80);
    session.press(":");
    session
        .wait_until("the line for commands", |screen| screen.lines().last().is_some_and(|line| line.starts_with(':')));
    session.press("\x1b[200~abc");
    session.wait_for(":abc");
    session.press("\x1b");
    session.wait_until("the line to close", |screen| !screen.contains(":abc"));
    session.press("\x1b[200~abc\x03");
    assert_eq!(session.end().0.exit_code(), 0);
}

#[test]
fn a_terminal_without_unicode_gets_ascii_and_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start_with(home, LAB, 24, 80, &[("LC_ALL", "C")]);
    session.wait_for("ASCII, since LC_ALL=C: --unicode draws with Unicode all the same");
    session.wait_until("a message that reached every peer", |screen| screen.contains("reached 4/4"));
    assert!(session.screen().is_ascii(), "{}", session.screen());
    session.press("\x03");
    assert_eq!(session.end().0.exit_code(), 0);
}

/// A directory whose seed list names this port.
fn home_with_seed(port: u16) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.txt"), format!("127.0.0.1:{port}\n")).unwrap();
    home
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_node_has_the_same_name_in_each_window_of_its_network() {
    let port = free_port();
    let window = |role: &str| {
        let session = Session::start_in(home_with_seed(port), &[role, "--liveness-interval", "500ms"], 40, 120);
        session.wait_for(&format!("gossipctl  {role} 127.0.0.1:"));
        session
    };
    let mut windows = [window("seed"), window("peer"), window("peer")];
    let names: Vec<String> = windows
        .iter()
        .map(|session| {
            let title = session.title();
            let (_, port) = title.rsplit_once(':').unwrap_or_else(|| panic!("'{title}'"));
            assert!(session.screen().contains(&format!("gossipctl  {title}")), "{}", session.screen());
            format!(":{port} ")
        })
        .collect();
    assert_eq!(names[0], format!(":{port} "));
    for session in &windows {
        session.wait_until("all three by name", |screen| names.iter().all(|name| screen.contains(name)));
        assert!(!session.screen().contains("p1"), "{}", session.screen());
    }
    for session in &mut windows {
        session.press(&format!(":why {}\r", names[1].trim()));
        session.wait_for("Esc closes");
        assert!(session.screen().contains(&format!("peer at 127.0.0.1{}", names[1].trim())), "{}", session.screen());
        session.press("q");
        session.wait_until("the panes", |screen| !screen.contains("Esc closes"));
        session.press(":quit\r");
    }
    // The programs hold each other's terminals open, so none is closed before all have ended.
    for session in windows {
        assert_eq!(session.end().0.exit_code(), 0);
    }
}

#[test]
fn a_peer_without_a_seed_says_so_until_the_end() {
    let port = free_port();
    let mut session = Session::start_in(home_with_seed(port), &["peer"], 24, 80);
    session.wait_until("the header", header_says("no seed reachable"));
    session.press("7");
    // The line may be wrapped anywhere between its words.
    let command = format!("'gossipctl seed --listen 127.0.0.1:{port}'");
    let words = |screen: &str| screen.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    session.wait_until("the way out", |screen| words(screen).contains(&command));
    session.press(":quit\r");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 0);
    assert!(screen.contains("  seeds     none reachable since "), "{screen}");
    assert!(!screen.contains("every peer"), "{screen}");
}

#[test]
fn a_session_is_played_again_while_it_goes_on() {
    let mut session = Session::start(&["lab", "--peers", "4"], 24, 80);
    session.wait_for("LIVE");
    session.press(":kill p4\r");
    session.wait_for("1 dead");
    session.press(":rerun without kill p4 set max-dial 1\r");
    let screen = session.wait_until("the table", |screen| screen.contains("Played again"));
    assert!(screen.contains("With max-dial 1 and without 'kill p4':"), "{screen}");
    assert!(screen.contains("no deaths instead of 1"), "{screen}");
    assert!(screen.contains("RECORDED"), "{screen}");
    session.press("q");
    session.wait_until("the panes", |screen| !screen.contains("Played again"));
    session.press("q");
    assert!(session.end().0.success());
}

#[test]
fn an_answer_is_proven_while_the_session_goes_on() {
    for world in [&[][..], &["--virtual"]] {
        let mut session = Session::start(&[&["lab", "--peers", "4"], world].concat(), 50, 120);
        session.wait_for("p4");
        session.press(":kill p4\r");
        session.wait_for("1 dead");
        session.press(":why p4\r");
        // An answer that goes on to change drops its proof.
        let all =
            |screen: &str| ["p1", "p2", "p3"].iter().all(|peer| screen.contains(&format!("{peer} declared it dead")));
        session.wait_until("all who notice", all);
        session.wait_for("p proves");
        session.press("p");
        let screen = session.wait_until("the proof", |screen| screen.contains("Proven: without 'kill p4', "));
        assert_eq!(screen.contains("It ran on sockets"), world.is_empty(), "{screen}");
        session.press("q");
        session.wait_until("the panes", |screen| !screen.contains("Proven"));
        session.press("q");
        assert!(session.end().0.success());
    }
}

#[test]
fn a_rerun_ends_at_once_when_it_is_interrupted() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("long.txt"), "lab 2 8\nset gossip-interval 50ms\n20h end\n").unwrap();
    let mut session = Session::start_in(home, &["rerun", "long.txt", "--set", "max-dial 3"], 24, 80);
    session.wait_for("rerun: as it was, ");
    session.press("\u{3}");
    assert_eq!(session.end().0.exit_code(), 130);
}

#[test]
fn proofs_tell_what_they_found_when_they_are_interrupted() {
    let mut session = Session::start(&["prove", "--random", "1000000", "--rng-seed", "1"], 24, 120);
    session.wait_for(" of 1000000 scenarios, ");
    session.press("\u{3}");
    let (status, screen) = session.end();
    assert_eq!(status.exit_code(), 130);
    assert!(screen.contains(" of 1000000 scenarios: none is false") && screen.contains("NOT CERTAIN"), "{screen}");
}
