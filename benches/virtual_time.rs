//! What a network in virtual time costs, by its size.
//!
//!     cargo bench --bench virtual_time -- [--gossip MESSAGES] [--span SECONDS] [PEERS ..]
//!
//! For each number of peers a lab of two seeds runs for so long at the lively pace, and nobody listens; without gossip, or
//! with so many messages from the first peer once all have joined. Each network has a process of its own, so that the peak of
//! its memory is its own. CPU is that of the process, user and system time.
// What it measures stands in /proc.
#![cfg_attr(not(unix), no_main)]
#![cfg(unix)]

use std::process::Command as Process;
use std::time::Duration;

use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::NodeCommand;
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;
use gossipctl::sim::{EPOCH, NoEvents, World};

/// The curve, unless other sizes are named.
const PEERS: [usize; 7] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 100_000];
const SEEDS: usize = 2;
/// Addresses from this number on are those of seeds.
const SEEDS_FROM: usize = 10_000_000;
const NODES_A_HOST: u32 = 50_000;
/// The lively pace, that of a lab.
const GOSSIP: Duration = Duration::from_secs(3);
const LIVENESS: Duration = Duration::from_secs(2);
/// How long a message takes to get around, and more.
const SPREAD: Duration = Duration::from_millis(100);

/// What is measured.
#[derive(Clone, Copy)]
struct Plan {
    span: Duration,
    messages: u64,
}

/// What it took.
struct Cost {
    cpu_s: f64,
    /// Of that, for the messages.
    gossip_s: f64,
    peak_mb: f64,
    /// Peers that have links to others, and how many.
    joined: usize,
    links: usize,
}

fn main() {
    // Cargo hands this to each bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (mut plan, mut sizes, mut is_child) = (Plan { span: Duration::from_secs(30), messages: 0 }, Vec::new(), false);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--gossip" => plan.messages = number(words.next()),
            "--span" => plan.span = Duration::from_secs(number(words.next())),
            "--one" => is_child = true,
            _ => sizes.push(usize::try_from(number(Some(word))).unwrap()),
        }
    }
    if is_child {
        return sizes.into_iter().for_each(|peers| print_row(peers, plan, &measure(peers, plan)));
    }
    print_head(plan);
    for peers in if sizes.is_empty() { PEERS.to_vec() } else { sizes } {
        let program = std::env::current_exe().unwrap();
        let mut one = Process::new(program);
        one.args(["--one", "--gossip", &plan.messages.to_string(), "--span", &plan.span.as_secs().to_string()]);
        assert!(one.arg(peers.to_string()).status().unwrap().success());
    }
}

fn number(word: Option<&String>) -> u64 {
    let word = word.expect("a number follows the option");
    word.replace('_', "").parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

fn measure(peers: usize, plan: Plan) -> Cost {
    let mut world: World<Node, NoEvents> = World::beginning(EPOCH, 1, NoEvents);
    let seeds: Vec<Addr> = (0..SEEDS).map(|seed| addr(SEEDS_FROM + seed)).collect();
    for (number, seed) in seeds.iter().enumerate() {
        let config = SeedConfig { liveness_interval: LIVENESS, ..SeedConfig::new(*seed) };
        world.start(*seed, Seed::new(config, number as u64).into());
    }
    let mut config = PeerConfig::new(addr(0), seeds);
    (config.gossip_interval, config.liveness_interval, config.messages) = (GOSSIP, LIVENESS, Some(0));
    for number in 0..peers {
        world.start(addr(number), Peer::new(config.at(addr(number)), (SEEDS + number) as u64).into());
    }
    world.run_for(plan.span);
    let before = cpu_s();
    for _ in 0..plan.messages {
        world.command(addr(0), NodeCommand::Say("x".repeat(100).as_str().into()));
        world.run_for(SPREAD);
    }
    let after = cpu_s();
    let neighbors = |number: usize| match world.machine(addr(number)) {
        Some(Node::Peer(peer)) => peer.neighbors().count(),
        Some(Node::Seed(_)) | None => 0,
    };
    let neighbors: Vec<usize> = (0..peers).map(neighbors).collect();
    Cost {
        cpu_s: after,
        gossip_s: after - before,
        peak_mb: peak_mb(),
        joined: neighbors.iter().filter(|count| **count > 0).count(),
        links: neighbors.iter().sum(),
    }
}

/// So many nodes a host, as if each had ports to spare.
fn addr(number: usize) -> Addr {
    let number = u32::try_from(number).expect("no more than a few million");
    let (host, port) = (0x7f00_0001 + number / NODES_A_HOST, 3_000 + number % NODES_A_HOST);
    Addr::new(host.into(), u16::try_from(port).expect("a port"))
}

fn print_head(plan: Plan) {
    println!("lab {SEEDS} N, no gossip, {} s of virtual time, nobody listens", plan.span.as_secs());
    print!("{:>9} {:>8} {:>9} {:>11} {:>9} {:>6}", "peers", "CPU s", "peak MB", "us a peer", "joined", "links");
    if plan.messages > 0 {
        print!(" | then {} messages, 0.1 s each: {:>7} {:>9} {:>9}", plan.messages, "CPU s", "copies", "us a copy");
    }
    println!();
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print_row(peers: usize, plan: Plan, cost: &Cost) {
    let lab_s = cost.cpu_s - cost.gossip_s;
    let links = cost.links as f64 / peers as f64;
    let a_peer = lab_s * 1e6 / peers as f64;
    print!("{peers:>9} {lab_s:>8.2} {:>9.1} {a_peer:>11.1} {:>9} {links:>6.2}", cost.peak_mb, cost.joined);
    if plan.messages > 0 {
        // Each peer sends a message on to all neighbors but the one that it came from.
        let copies = (cost.links as u64 - peers as u64 + 1) * plan.messages;
        let a_copy = cost.gossip_s * 1e6 / copies as f64;
        print!(" | {:>33.2} {copies:>9} {a_copy:>9.2}", cost.gossip_s);
    }
    println!();
}

/// What this process has used so far, user and system time.
fn cpu_s() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(spent).expect("a while").as_secs_f64()
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this bench runs on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the format of proc(5)");
    let kib: u32 = line.trim().trim_end_matches(" kB").parse().expect("proc(5)");
    f64::from(kib) / 1_000.0 * 1.024
}
