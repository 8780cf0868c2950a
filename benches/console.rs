//! What the console costs and how fast it answers: the real program in a pseudo-terminal.
//!
//! `cargo bench --bench console` prints a table: the time to the first frame, the time until a lab of
//! 200 peers has all its links, the share of one core that a quiet console, a small and a large lab
//! take, what they write to the terminal, and how long a key takes to show while 100 nodes run flat
//! out. CPU figures are Linux only.
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
/// How long CPU time and bytes are counted, and how often: the median is told.
const WATCHED: Duration = Duration::from_secs(30);
const WATCHES: usize = 5;
/// The size of the terminal meanwhile.
const SMALL: (u16, u16) = (24, 80);
/// How long a network may take to settle before that.
const SETTLING: Duration = Duration::from_secs(10);

fn main() {
    println!("| what | measured | wanted |");
    println!("|---|---|---|");
    first_frame("first frame of the start screen", &[], "start");
    first_frame("first frame of a lab of 200 peers", &["lab", "--peers", "200"], "LIVE");
    large_lab();
    quiet("the start screen", &[], "no wake, no draw");
    quiet("a lab of 8 that only probes (`lab --messages 0`)", &["lab", "--messages", "0"], "0.75%, 0.3 kB/s");
    quiet("a lab of 8 that gossips (`lab`)", &["lab"], "2%, 1.5 kB/s");
    quiet("a lab of 200 peers that only probes", LARGE_IDLE, "5%");
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

/// Share of one core and bytes to the terminal over a while, once all has settled.
fn quiet(what: &str, args: &[&str], wanted: &str) {
    let mut watches: Vec<(f64, f64)> = (0..WATCHES).map(|_| watch(args)).collect();
    let middle = WATCHES / 2;
    watches.sort_by(|one, other| one.0.total_cmp(&other.0));
    let share = watches[middle].0;
    watches.sort_by(|one, other| one.1.total_cmp(&other.1));
    let rate = watches[middle].1;
    println!("| {what}, 80 x 24 | {share:.2}% of a core, {rate:.2} kB/s | {wanted} |");
}

fn watch(args: &[&str]) -> (f64, f64) {
    let session = Session::start(args, SMALL.0, SMALL.1);
    session.wait_until("a picture", |screen| screen.contains("LIVE") || screen.contains("Start a lab"));
    std::thread::sleep(SETTLING);
    let (cpu, bytes) = (cpu_time(&session), session.bytes());
    std::thread::sleep(WATCHED);
    let share = cpu_time(&session).saturating_sub(cpu).as_secs_f64() / WATCHED.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
    let rate = (session.bytes() - bytes) as f64 / WATCHED.as_secs_f64();
    session.signal("TERM");
    session.end();
    (share * 100.0, rate / 1e3)
}

/// What all threads of the program have spent on a core so far. The kernel counts that to the
/// nanosecond; its ticks of a hundredth of a second miss most of what is short.
fn cpu_time(session: &Session) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{}/task", session.id())).into_iter().flatten().flatten();
    let spent = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
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
