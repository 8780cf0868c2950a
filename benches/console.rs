//! What the console costs and how fast it answers: the real program in a pseudo-terminal.
//!
//! `cargo bench --bench console` prints a table: the time to the first frame, the time until a lab of
//! 200 peers has all its links, the share of one core that an idle console and an idle lab take, and
//! how long a key takes to show while 100 nodes run flat out. CPU figures are Linux only.
// What it measures stands in /proc.
#![cfg_attr(not(unix), no_main)]
#![cfg(unix)]

#[path = "../tests/terminal/mod.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod terminal;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use terminal::Session;

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;
/// Starts that are timed, and keys that are pressed.
const STARTS: usize = 10;
const KEYS: usize = 60;
/// How long CPU time is counted.
const WATCHED: Duration = Duration::from_secs(20);
/// How long a network may take to settle before that.
const SETTLING: Duration = Duration::from_secs(10);

fn main() {
    println!("| what | measured | wanted |");
    println!("|---|---|---|");
    first_frame("first frame of the start screen", &[], "start");
    first_frame("first frame of a lab of 200 peers", &["lab", "--peers", "200"], "LIVE");
    large_lab();
    idle("CPU of the idle start screen", &[], "0.5% of a core");
    idle("CPU of a lab of 200 peers, probes every 2 s, console and logs", LARGE_IDLE, "5% of a core");
    for (what, flags) in [("12,500 deliveries/s", &["800ms"]), ("flat out", &["10ms"])] {
        let lab = ["lab", "--peers", "100", "--gossip-interval", flags[0]];
        key(&format!("key to screen, 100 peers, {what}"), &lab);
    }
}

const LARGE_IDLE: &[&str] = &["lab", "--peers", "200", "--messages", "0"];

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn row(what: &str, mut samples: Vec<Duration>, wanted: &str) {
    samples.sort_unstable();
    let ms = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the samples")]
        #[expect(clippy::cast_precision_loss, reason = "a few dozen samples")]
        let at = ((samples.len() - 1) as f64 * share).round() as usize;
        samples[at].as_secs_f64() * 1e3
    };
    println!("| {what} | p50 {:.1} ms, p90 {:.1} ms, max {:.1} ms | {wanted} |", ms(0.5), ms(0.9), ms(1.0));
}

fn first_frame(what: &str, args: &[&str], shows: &str) {
    let samples = (0..STARTS).map(|_| {
        let started = now();
        let session = Session::start(args, ROWS, COLUMNS);
        session.wait_until("the first frame", |screen| screen.contains("gossipctl") && screen.contains(shows));
        let took = started.elapsed();
        session.signal("TERM");
        session.end();
        took
    });
    row(what, samples.collect(), "100 ms");
}

/// From the start of the process until every peer has the links that it aims for.
fn large_lab() {
    let home = tempfile::tempdir().unwrap();
    let started = now();
    let mut lab = Command::new(env!("CARGO_BIN_EXE_gossipctl"))
        .args(["lab", "--peers", "200", "--headless", "--format", "json"])
        .current_dir(home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut links: HashMap<String, i32> = HashMap::new();
    for line in BufReader::new(lab.stdout.take().unwrap()).lines() {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let change = match event["event"].as_str() {
            Some("link_up") => 1,
            Some("link_down") => -1,
            _ => continue,
        };
        if event["purpose"] == "neighbor" {
            *links.entry(event["node"].to_string()).or_default() += change;
        }
        if links.len() == 200 && links.values().all(|links| *links >= 4) {
            break;
        }
    }
    println!("| a lab of 200 peers has all its links after | {:.2} s | 3 s |", started.elapsed().as_secs_f64());
    lab.kill().unwrap();
    lab.wait().unwrap();
}

/// Share of one core over a while, once all has settled.
fn idle(what: &str, args: &[&str], wanted: &str) {
    let session = Session::start(args, ROWS, COLUMNS);
    session.wait_for("gossipctl");
    std::thread::sleep(SETTLING);
    let before = cpu_time(&session);
    std::thread::sleep(WATCHED);
    let share = cpu_time(&session).saturating_sub(before).as_secs_f64() / WATCHED.as_secs_f64();
    println!("| {what} | {:.2}% | {wanted} |", share * 100.0);
    session.signal("TERM");
    session.end();
}

/// User and system time of the program so far, in the kernel's hundredths of a second.
fn cpu_time(session: &Session) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", session.id())).unwrap_or_default();
    let fields: Vec<u64> =
        stat.rsplit(") ").next().unwrap_or("").split(' ').filter_map(|field| field.parse().ok()).collect();
    // After the name and the state letter: fields 14 and 15 of proc(5).
    Duration::from_millis(10 * (fields.get(10).unwrap_or(&0) + fields.get(11).unwrap_or(&0)))
}

/// From the key to the screen that shows it.
fn key(what: &str, args: &[&str]) {
    let mut session = Session::start(args, ROWS, COLUMNS);
    session.wait_for("reached");
    std::thread::sleep(SETTLING);
    let mut samples = Vec::with_capacity(KEYS);
    for press in 0..KEYS {
        // Help opens and closes again.
        let opens = press % 2 == 0;
        let pressed = now();
        session.press(if opens { "?" } else { "\x1b" });
        session.wait_until("the key to show", |screen| screen.contains("Esc closes") == opens);
        samples.push(pressed.elapsed());
        std::thread::sleep(Duration::from_millis(97));
    }
    row(what, samples, "50 ms");
    session.signal("KILL");
}
