//! The measurements, step by step as the references' harness makes them.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

use gossipctl::command::Command;
use gossipctl::proto::addr::Addr;
use gossipctl::request::Request;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout};

use crate::network::{Followed, Network};
use crate::options::{Mode, Options};
use crate::system::{Cpu, float, loopback, machine_busy, status};
use crate::tally::{HEAD_LEN, Tally, Which, body, is_settled};

/// For how long the idle network is watched before the first message.
const IDLE: Duration = Duration::from_millis(1_500);
const WARM_UP_MESSAGES: usize = 60;

pub(crate) async fn run(options: &Options, private: bool) -> Value {
    let tally = Tally::new(options);
    let rss_base = status("VmRSS:");
    let started = now();
    let network = Network::start(options, tally).await;
    let ready_after = started.elapsed().as_secs_f64();
    sleep(Duration::from_millis(300)).await;
    let mut result = match options.mode {
        Mode::Crash | Mode::Hang => fault(options, &network).await,
        Mode::Throughput | Mode::Latency => spread(options, &network, rss_base, private).await,
        Mode::Idle => idle(options, &network, rss_base).await,
    };
    let graph = network.tally.graph();
    let degrees = graph.values().map(std::collections::BTreeSet::len);
    result["graph_edges"] = json!(degrees.clone().sum::<usize>() / 2);
    result["degree_max"] = json!(degrees.max());
    result["connected"] = json!(is_settled(&graph));
    result["all_ready"] = json!(network.settled);
    result["ready_nodes"] = json!(if network.settled { options.nodes } else { 0 });
    result["ready_after_s"] = json!(ready_after);
    result["errors"] = json!([]);
    if let Some(Followed { folded, model_skipped, recorded, journal_skipped, journal_len }) = network.end().await {
        result["journal"] = json!({
            "events_folded": folded, "skipped_by_model": model_skipped,
            "events_recorded": recorded, "skipped_by_journal": journal_skipped, "journal_bytes": journal_len,
        });
    }
    result
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Microseconds of CPU time a second and node, and KiB a node, while nothing is said.
async fn idle(options: &Options, network: &Network, rss_base: u64) -> Value {
    let before = Cpu::now();
    let bytes = loopback().0;
    let watched = Duration::from_secs_f64(options.secs);
    sleep(watched).await;
    let (total, user, system) = Cpu::now().since(before);
    let (nodes, secs) = (float(network.peers.len()), watched.as_secs_f64());
    json!({
        "idle_cpu_us_per_s_per_node": total * 1e6 / secs / nodes,
        "idle_user_us_per_s_per_node": user * 1e6 / secs / nodes,
        "idle_sys_us_per_s_per_node": system * 1e6 / secs / nodes,
        "idle_wire_bytes_per_s_per_node": float(loopback().0 - bytes) / secs / nodes,
        "rss_base_mib": float(rss_base) / 1024.0,
        "rss_settled_kib_per_node": float(status("VmRSS:").saturating_sub(rss_base)) / nodes,
        "probe_ms": options.probe_ms, "watched_s": secs,
    })
}

/// Crashes or hangs a node, and waits until all its neighbors have noticed.
async fn fault(options: &Options, network: &Network) -> Value {
    let tally = &network.tally;
    let victim = network.peers[options.nodes / 2 + 1];
    let neighbors = tally.graph()[&victim].len();
    tally.fault_ns.store(tally.now_ns(), SeqCst);
    tally.faulty.store(true, SeqCst);
    let command = if options.mode == Mode::Crash { Command::Kill(victim) } else { Command::Hang(victim) };
    network.commands.send(command.into()).await.unwrap();
    let deadline = now() + Duration::from_secs_f64(options.secs);
    while tally.noticed(victim).0.len() < neighbors && now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
    let (times, how) = tally.noticed(victim);
    let all = if times.len() >= neighbors { times.last() } else { None };
    json!({
        "noticed": times.len(), "neighbors": neighbors, "detect_first_s": times.first(), "detect_all_s": all,
        "how": how,
    })
}

async fn spread(options: &Options, network: &Network, rss_base: u64, private: bool) -> Value {
    let nodes = float(options.nodes);
    let (cpu, wire) = (Cpu::now(), loopback());
    sleep(IDLE).await;
    let idle_us = Cpu::now().since(cpu).0 * 1e6 / IDLE.as_secs_f64() / nodes;
    let idle_bytes = float(loopback().0 - wire.0) / IDLE.as_secs_f64() / nodes;
    let rss_settled = status("VmRSS:");

    let sources = Sources::new(options, network);
    sources.warm_up().await;
    let warm = network.tally.warm.load(Relaxed);
    let sent_before = network.tally.forwarded.load(Relaxed);

    let tally = &network.tally;
    let (cpu, wire, busy) = (Cpu::now(), loopback(), machine_busy());
    let (began, began_ns) = (now(), tally.now_ns());
    let published = sources.publish().await;
    sources.drain(published).await;
    network.be_followed().await;
    let after = Cpu::now();
    let (total, user, system) = after.since(cpu);
    let wall = began.elapsed().as_secs_f64();
    let wire_after = loopback();
    let others = (machine_busy() - busy - total) / wall;

    let delivered = tally.delivered.load(Relaxed);
    let count = float(delivered.max(1));
    let expected = published * (options.nodes - 1);
    let active = float(tally.last_ns.load(Relaxed).saturating_sub(began_ns)) / 1e9;
    let latencies = tally.latencies();
    let latency_us = |share| percentile(&latencies, share) / 1e3;
    let peak = status("VmHWM:");
    json!({
        "published": published, "planned": sources.planned(), "want": sources.planned() * (options.nodes - 1),
        "delivered": delivered, "delivery_ratio": float(delivered) / float(expected.max(1)),
        "app_duplicates": tally.again.load(Relaxed), "lagged": tally.skipped.load(Relaxed), "warm_delivered": warm,
        "wall_s": wall, "active_s": active, "delivered_per_s": float(delivered) / active.max(1e-9),
        "cpu_us_per_delivery": total * 1e6 / count,
        "cpu_user_us_per_delivery": user * 1e6 / count, "cpu_sys_us_per_delivery": system * 1e6 / count,
        "cores_used": total / wall, "others_cores": others,
        "deliv_per_s_if_2_cores_free": 2e6 / (total * 1e6 / count),
        "ctx_switches_per_delivery": float(after.switches.saturating_sub(cpu.switches)) / count,
        "lat_p50_us": latency_us(0.5), "lat_p99_us": latency_us(0.99), "lat_max_us": latency_us(1.0),
        "wire_private": private,
        "wire_bytes_per_payload_byte": float(wire_after.0 - wire.0) / (count * float(options.body_len)),
        "wire_packets_per_delivery": float(wire_after.1 - wire.1) / count,
        "payload_sends_per_delivery": float(tally.forwarded.load(Relaxed) - sent_before) / count,
        "rss_base_mib": float(rss_base) / 1024.0,
        "rss_settled_kib_per_node": float(rss_settled.saturating_sub(rss_base)) / nodes,
        "rss_peak_kib_per_node": float(peak.saturating_sub(rss_base)) / nodes, "rss_peak_mib": float(peak) / 1024.0,
        "idle_cpu_us_per_s_per_node": idle_us, "idle_wire_bytes_per_s_per_node": idle_bytes,
        "threads": status("Threads:"),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the samples")]
fn percentile(sorted: &[u64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    float(sorted[((float(sorted.len()) - 1.0) * share).round() as usize])
}

/// Those who publish.
struct Sources<'a> {
    options: &'a Options,
    commands: mpsc::Sender<Request>,
    nodes: Vec<Addr>,
    tally: Arc<Tally>,
    fill: Arc<str>,
}

/// How far all publishers are.
#[derive(Default)]
struct Progress {
    published: AtomicUsize,
    /// Messages that the window waits for no more: lost ones must not stop the run.
    forgiven: AtomicUsize,
}

impl<'a> Sources<'a> {
    fn new(options: &'a Options, network: &Network) -> Self {
        let node = |publisher| network.peers[publisher * options.nodes / options.publishers];
        let fill: String = ('a'..='z').cycle().take(options.body_len - HEAD_LEN).collect();
        Self {
            options,
            commands: network.commands.clone(),
            nodes: (0..options.publishers).map(node).collect(),
            tally: Arc::clone(&network.tally),
            fill: fill.into(),
        }
    }

    /// Messages of each publisher.
    fn each(&self) -> usize {
        let Options { mode, messages, rate, secs, publishers, .. } = self.options;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let paced = (rate * secs) as usize / publishers;
        if *mode == Mode::Latency { paced.min(*messages) } else { *messages }
    }

    fn planned(&self) -> usize {
        self.each() * self.options.publishers
    }

    /// Sixty messages over 1.2 s that do not count.
    async fn warm_up(&self) {
        for number in 0..WARM_UP_MESSAGES {
            let publisher = number % self.options.publishers;
            let body = body(Which { publisher, number, counts: false }, 0, &self.fill);
            self.commands.send(Command::Say { node: self.nodes[publisher], body }.into()).await.unwrap();
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(700)).await;
    }

    /// Publishes all, and tells how many that were.
    async fn publish(&self) -> usize {
        let secs = Duration::from_secs_f64(self.options.secs);
        let deadline = now() + if self.options.mode == Mode::Latency { secs + Duration::from_secs(5) } else { secs };
        let progress = Arc::new(Progress::default());
        let publishers = (0..self.options.publishers).map(|publisher| {
            let source = Source {
                publisher,
                node: self.nodes[publisher],
                options: self.options.clone(),
                commands: self.commands.clone(),
                tally: Arc::clone(&self.tally),
                fill: Arc::clone(&self.fill),
                progress: Arc::clone(&progress),
                deadline,
            };
            tokio::spawn(source.publish(self.each()))
        });
        for publisher in publishers.collect::<Vec<_>>() {
            publisher.await.unwrap();
        }
        progress.published.load(Relaxed)
    }

    /// Until all has come, or nothing has for two seconds.
    async fn drain(&self, published: usize) {
        let mut last = (self.tally.delivered.load(Relaxed), now());
        loop {
            let delivered = self.tally.delivered.load(Relaxed);
            if delivered >= published * (self.options.nodes - 1) || last.1.elapsed() > Duration::from_secs(2) {
                return;
            }
            if delivered != last.0 {
                last = (delivered, now());
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// One of those who publish.
struct Source {
    publisher: usize,
    node: Addr,
    options: Options,
    commands: mpsc::Sender<Request>,
    tally: Arc<Tally>,
    fill: Arc<str>,
    progress: Arc<Progress>,
    deadline: Instant,
}

impl Source {
    async fn publish(self, count: usize) {
        let publishers = u32::try_from(self.options.publishers).unwrap();
        let gap = Duration::from_secs_f64(f64::from(publishers) / self.options.rate);
        let share = u32::try_from(self.publisher).unwrap();
        let mut next = tokio::time::Instant::from_std(now()) + gap * share / publishers;
        for number in 0..count {
            if self.options.mode == Mode::Latency {
                sleep_until(next).await;
                next += gap;
            } else if !self.window().await {
                return;
            }
            self.progress.published.fetch_add(1, Relaxed);
            let which = Which { publisher: self.publisher, number, counts: true };
            let body = body(which, self.tally.now_ns(), &self.fill);
            self.commands.send(Command::Say { node: self.node, body }.into()).await.unwrap();
        }
    }

    /// Waits for room in the window; false: the time is over.
    async fn window(&self) -> bool {
        let others = self.options.nodes - 1;
        let Progress { published, forgiven } = &*self.progress;
        loop {
            let delivered = self.tally.delivered.load(Relaxed);
            if published.load(Relaxed) < delivered / others + forgiven.load(Relaxed) + self.options.window {
                return true;
            }
            let progress = self.tally.progress.notified();
            let waited = timeout(Duration::from_millis(400), progress).await;
            if waited.is_err() && self.tally.delivered.load(Relaxed) == delivered {
                forgiven.store(published.load(Relaxed).saturating_sub(delivered / others), Relaxed);
            }
            if now() > self.deadline {
                return false;
            }
        }
    }
}
