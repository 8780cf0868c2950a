//! Processes that are stopped and go on: whoever was away accuses nobody, and the lists are whole again.

#![expect(clippy::disallowed_methods, reason = "how long real processes may take is real time")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::program::{self, Program, run_in};

/// Longer than it takes to be found dead: 3 T and a timeout.
const STOPPED_FOR: Duration = Duration::from_millis(1_500);
/// How long the lists may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
const QUICK: &[&str] = &["--headless", "--messages", "0", "--liveness-interval", "300ms"];

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

fn node<'a>(role: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&[role], QUICK, rest].concat()
}

/// Does a newcomer get a list with all of these?
fn is_whole(home: &Path, ports: &[String]) -> bool {
    let (_, out, _) = run_in(home, &node("peer", &["--duration", "300ms", "--no-journal"]));
    let list = out.lines().find(|line| line.contains("List of Peers : ")).unwrap_or_default();
    ports.iter().all(|port| list.contains(&format!(", {port})")))
}

fn wait_for_whole_list(home: &Path, ports: &[String], what: &str) {
    let until = Instant::now() + LIMIT;
    while !is_whole(home, ports) {
        assert!(Instant::now() < until, "{what}: not on the list again");
    }
}

#[test]
fn stopped_processes_accuse_nobody_and_are_listed_again() {
    let home = program::home();
    let (seed_port, ports) = (free_port(), [free_port(), free_port(), free_port()]);
    fs::write(home.path().join("config.txt"), format!("127.0.0.1:{seed_port}\n")).unwrap();
    let seed = Program::start_in(&home, &node("seed", &["--listen", &seed_port, "--dead-policy", "trust"]));
    seed.wait_for("the seed", |line| line.contains(" Started"));
    let peers = [0, 1, 2].map(|n: usize| Program::start_in(&home, &node("peer", &["--listen", &ports[n]])));
    for peer in &peers {
        peer.wait_for("an answer of a neighbor", |line| line.contains(" Liveness Reply:"));
    }
    wait_for_whole_list(home.path(), &ports, "before");
    let everybody: Vec<&Program> = peers.iter().chain([&seed]).collect();
    for (what, stopped) in [("one", &everybody[..1]), ("all but one", &everybody[..2]), ("all", &everybody[..])] {
        for program in stopped {
            program.signal("STOP");
        }
        std::thread::sleep(STOPPED_FOR);
        for program in stopped {
            program.signal("CONT");
        }
        wait_for_whole_list(home.path(), &ports, what);
    }
    for program in peers.into_iter().chain([seed]) {
        assert_eq!(program.end_with("TERM").0, Some(0));
    }
    // The first one was away whenever anybody was.
    let log = fs::read_to_string(home.path().join(format!("logs/peer_log_{}.txt", ports[0]))).unwrap();
    assert!(!log.contains("Dead Node:"), "{log}");
    assert!(log.matches("Was away for ").count() >= 3, "{log}");
}

#[test]
fn a_session_that_was_stopped_counts_no_death() {
    let mut lab = Program::start(&node("lab", &["--seeds", "1", "--peers", "4"]));
    lab.wait_for("an answer", |line| line.starts_with("p4 Liveness Reply:"));
    lab.signal("STOP");
    std::thread::sleep(STOPPED_FOR);
    lab.signal("CONT");
    lab.wait_for("that it was away", |line| line.starts_with("p2 Was away for "));
    lab.wait_for("an answer", |line| line.starts_with("p3 Liveness Reply:"));
    lab.signal("TERM");
    lab.read_all();
    let home = lab.dir().clone();
    assert_eq!(lab.end().0, Some(0));
    let (_, sessions, _) = run_in(home.path(), &["sessions", "--format", "json"]);
    assert!(sessions.contains("\"deaths\":0"), "{sessions}");
}
