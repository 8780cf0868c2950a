//! The network that is measured, and who listens to it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use gossipctl::clock::{Clock, utc_offset_s};
use gossipctl::command::{Command, NodeSpec, Placement};
use gossipctl::engine::Settings;
use gossipctl::feed::{Feed, Tap, feed};
use gossipctl::model::Model;
use gossipctl::net::SocketEngine;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::message::Role;
use gossipctl::request::Request;
use gossipctl::session::journal::Header;
use gossipctl::session::recorder::{Limits, RecordFrom, RecordPaths, Recorder};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::options::Options;
use crate::overlay::{self, Seed};
use crate::tally::{Tally, is_settled};

/// Links of a peer at most: those of the references.
const DEGREE: usize = 4;
const BATCHES_MAX: usize = 1 << 16;
const COMMANDS_MAX: usize = 1_024;
/// No run writes as much.
const JOURNAL_LEN_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// How long the network may take to have all its links.
const SETTLING_MAX: Duration = Duration::from_secs(15);
/// A peer on any free port.
const PEER: NodeSpec = NodeSpec { role: Role::Peer, listen: Placement::At(Addr::loopback(0)) };

pub(crate) struct Network {
    pub(crate) commands: mpsc::Sender<Request>,
    pub(crate) peers: Vec<Addr>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) settled: bool,
    listeners: Option<Listeners>,
}

/// Those who follow a real session.
struct Listeners {
    recorder: Recorder,
    model: JoinHandle<(Model, u64)>,
    /// First receipts that the model knows of.
    folded: Arc<AtomicU64>,
    home: tempfile::TempDir,
}

/// What they got.
pub(crate) struct Followed {
    pub(crate) folded: u64,
    pub(crate) model_skipped: u64,
    pub(crate) recorded: u64,
    pub(crate) journal_skipped: u64,
    pub(crate) journal_len: u64,
}

impl Network {
    pub(crate) async fn start(options: &Options, mut tally: Tally) -> Self {
        let (tap, counted) = feed(BATCHES_MAX);
        let mut taps = vec![tap];
        let clock = Clock::start();
        let listeners = options.with_journal.then(|| Listeners::start(clock, &mut taps));
        let seed = Seed::start().await;
        let mut engine = SocketEngine::new(settings(options, seed.addr), clock, taps);
        let mut peers = Vec::new();
        for _ in 0..options.nodes {
            peers.push(engine.start(PEER).await.unwrap());
        }
        tally.name_nodes(&peers);
        let graph = overlay::graph(options.nodes, DEGREE, options.graph_seed);
        seed.link(&peers, &graph);
        let tally = Arc::new(tally);
        tokio::spawn(count(counted, Arc::clone(&tally)));
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        tokio::spawn(engine.run(asked));
        let edges = graph.iter().map(Vec::len).sum::<usize>() / 2;
        let settled = settle(&tally, edges).await;
        Self { commands, peers, tally, settled, listeners }
    }

    /// Waits until those who listen know all that has happened, and have it on disk: that is part of the cost.
    pub(crate) async fn be_followed(&self) {
        let Some(listeners) = &self.listeners else { return };
        let all = (self.tally.delivered.load(Relaxed) + self.tally.warm.load(Relaxed)) as u64;
        let mut before = None;
        // One that missed something never knows all.
        while listeners.folded.load(Relaxed) < all && before != Some(listeners.folded.load(Relaxed)) {
            before = Some(listeners.folded.load(Relaxed));
            sleep(Duration::from_millis(100)).await;
        }
        listeners.recorder.handle().sync().await.unwrap();
    }

    pub(crate) async fn end(self) -> Option<Followed> {
        // Then nothing more happens.
        let _ = self.commands.send(Command::Quit.into()).await;
        self.commands.closed().await;
        let listeners = self.listeners?;
        Some(tokio::task::spawn_blocking(|| listeners.end()).await.unwrap())
    }
}

/// Peers that do nothing by themselves but probe.
fn settings(options: &Options, seed: Addr) -> Settings {
    let mut peer = PeerConfig::new(Addr::loopback(0), vec![seed]);
    (peer.max_dial, peer.max_neighbors) = (DEGREE, DEGREE);
    peer.messages = Some(0);
    peer.liveness_interval = Duration::from_millis(options.probe_ms);
    let mut seed = SeedConfig::new(Addr::loopback(0));
    seed.liveness_interval = peer.liveness_interval;
    Settings { peer, seed, rng_seed: options.graph_seed }
}

async fn count(mut events: Feed, tally: Arc<Tally>) {
    while let Some(delivery) = events.recv().await {
        tally.skipped.fetch_add(delivery.skipped, Relaxed);
        delivery.batch.iter().for_each(|event| tally.take(event));
    }
}

/// Waits until there are so many links, in one connected graph.
async fn settle(tally: &Tally, edges: usize) -> bool {
    let all_there = async {
        loop {
            sleep(Duration::from_millis(20)).await;
            let graph = tally.graph();
            if is_settled(&graph) && graph.values().map(BTreeSet::len).sum::<usize>() == 2 * edges {
                return;
            }
        }
    };
    timeout(SETTLING_MAX, all_there).await.is_ok()
}

impl Listeners {
    /// A journal on disk and a model, each with a feed of its own, as in a session with a console.
    fn start(clock: Clock, taps: &mut Vec<Tap>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (tap, events) = feed(BATCHES_MAX);
        taps.push(tap);
        let limits = Limits { journal_size_max: JOURNAL_LEN_MAX, archive_size_max: JOURNAL_LEN_MAX };
        let places = RecordPaths { from: RecordFrom::Start, journal: Some((journal(&home), limits)), log_dir: None };
        let header = Header::new(clock.epoch(), utc_offset_s());
        let recorder = Recorder::spawn(events, &places, &header, |news| eprintln!("{news:?}")).unwrap();
        let (tap, folded) = feed(BATCHES_MAX);
        taps.push(tap);
        let known = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&known);
        let model = std::thread::spawn(move || fold(folded, &count));
        Self { recorder, model, folded: known, home }
    }

    fn end(self) -> Followed {
        let report = self.recorder.finish();
        let (model, model_skipped) = self.model.join().unwrap();
        let journal_len = std::fs::metadata(journal(&self.home)).map_or(0, |file| file.len());
        Followed {
            folded: model.totals().events,
            model_skipped,
            recorded: report.events,
            journal_skipped: report.skipped,
            journal_len,
        }
    }
}

fn journal(home: &tempfile::TempDir) -> PathBuf {
    home.path().join("session.jsonl")
}

fn fold(mut events: Feed, known: &AtomicU64) -> (Model, u64) {
    let (mut model, mut skipped) = (Model::new(), 0);
    while let Some(delivery) = events.blocking_recv() {
        skipped += delivery.skipped;
        model.note_skipped(delivery.skipped);
        delivery.batch.iter().for_each(|event| model.apply(event));
        known.store(model.totals().received, Relaxed);
    }
    (model, skipped + events.take_skipped())
}
