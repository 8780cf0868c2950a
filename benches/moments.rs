//! How fast any moment of a recording is there.
//!
//! `cargo bench --bench moments -- FILE ...` reads each recording, then jumps to moments and steps back, and prints
//! a table. Without a file it records a lab of 50 peers for ten minutes of virtual time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gossipctl::command::Command;
use gossipctl::engine::Settings;
use gossipctl::event::Event;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::proto::time::Time;
use gossipctl::session::journal::{Header, Journal};
use gossipctl::session::past::{Past, PastDirection, Position};
use gossipctl::sim::{EPOCH, EventSink, VirtualEngine};
use tokio_util::sync::CancellationToken;

const JUMPS: u64 = 200;
const STEPS: usize = 100;

fn main() {
    let given: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).map(PathBuf::from).collect();
    println!("| recording | what | median | 95% | most |");
    println!("|---|---|---|---|---|");
    if given.is_empty() {
        let dir = tempfile::tempdir().expect("a directory for the recording");
        let path = dir.path().join("lab.jsonl.zst");
        record(&path);
        measure(&path);
    }
    for path in &given {
        measure(path);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

struct Recorder(Journal);

impl EventSink for Recorder {
    fn take(&mut self, event: Event) {
        self.0.append(&[event]).expect("room on the disk");
    }
}

fn record(path: &Path) {
    let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_secs(1));
    let journal = Journal::create(path, &Header::new(EPOCH, 0), u64::MAX).expect("a journal");
    let mut engine = VirtualEngine::with_sink(Settings::of_peers(peer, 7), EPOCH, Recorder(journal));
    engine.apply(Command::StartLab { seeds: 2, peers: 50 }).expect("a lab");
    engine.run_to(EPOCH + Duration::from_secs(600));
    engine.sink_mut().0.flush().expect("room on the disk");
}

fn measure(path: &Path) {
    let past = Past::open(path).expect("a recording");
    let begun = now();
    past.span().expect("its ends");
    row(path, "its ends, before it is read", &mut [begun.elapsed()]);
    let begun = now();
    let read = past.read_on(&CancellationToken::new(), |_| {}).expect("a recording");
    let kept = past.kept();
    let what = format!("the pass: {} events, {} keyframes of {} MB", read.events, kept.keyframes, kept.bytes >> 20);
    row(path, &what, &mut [begun.elapsed()]);
    let span = past.span().expect("its ends");
    let lasted = span.last.micros_since(span.first);
    // Far from each other, in an order that repeats itself.
    let moments = (1..=JUMPS).map(|jump| span.first + Duration::from_micros((jump * 7_919 % JUMPS) * (lasted / JUMPS)));
    row(path, "to any moment", &mut moments.map(|at| jump(&past, at)).collect::<Vec<_>>());
    back(path, &past, Position(read.events / 2));
}

fn jump(past: &Past, at: Time) -> Duration {
    let begun = now();
    let moment = past.at(at).expect("a moment");
    let took = begun.elapsed();
    assert!(moment.model.now() <= at);
    took
}

fn back(path: &Path, past: &Past, from: Position) {
    let (mut position, mut took) = (past.at_position(from).expect("a moment").position, Vec::new());
    for _ in 0..STEPS {
        let begun = now();
        position = Position(position.0 - 1);
        past.at_position(position).expect("a moment");
        took.push(begun.elapsed());
    }
    row(path, "a step back", &mut took);
    let begun = now();
    past.step(position, PastDirection::Back, |event| matches!(event.kind, gossipctl::event::EventKind::Link(_)))
        .expect("an answer");
    row(path, "to the change of a link before", &mut [begun.elapsed()]);
}

fn row(path: &Path, what: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let at = |percent: usize| format!("{:.1} ms", took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0);
    let name = path.file_name().unwrap_or_default().display();
    println!("| {name} | {what} | {} | {} | {} |", at(50), at(95), at(100));
}
