//! Minutes of real time on real sockets, with everything breaking: `cargo test --test soak -- --ignored --nocapture`.
//!
//! Two networks run in this process, one of each dialect; beside the classic one a peer and a seed that
//! behave as badly as a Python node could, beside the framed one a hostile peer. In each round, peers and seeds are killed, hung, cut off and restarted at
//! random; then everybody comes back and the rude ones fall silent, and the networks have to be whole: one
//! connected overlay, both ends of each link agree, a message from each peer reaches every other one
//! once, and this process holds no more files, threads or memory than before.
//!
//! Beside them a Python peer, as strict as the original, frees a slot after 75 s for a peer of ours that waits: `freed_slot`.
//!
//! `SOAK_SECONDS` says how long (300), `SOAK_SEED` repeats a run's choices; real time does the rest, so not to the last event.
#![expect(clippy::disallowed_methods, reason = "real time is what a soak is made of")]

mod freed_slot;
mod hostile;
mod network;
mod process;
#[path = "../engine/python.rs"]
#[expect(dead_code, reason = "the tests of the engine use the rest")]
mod python;
#[path = "../python_rules/mod.rs"]
#[expect(dead_code, reason = "the double in virtual time uses the rest")]
mod python_rules;
mod rude;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gossipctl::proto::message::Dialect;
use tokio::time::Instant;

use hostile::Hostile;
use network::Network;
use process::{PeakWatch, Taken, taken};
use rude::Rude;

/// How long things break in one round.
const ROUND: Duration = Duration::from_secs(20);
/// Files that may be on their way in or out: a connection that one end has closed and the other has not.
const FILES_SLACK: usize = 16;
const THREADS_SLACK: usize = 2;
/// Growth of memory from the first third of the run to its end: what the model and the allocator still fill.
const RSS_GROWTH_MAX_KIB: usize = 64 * 1024;
/// Memory that a flooding link may take above what the networks take when they are calm. The hostile peer floods one link
/// at a time. In the first round the logs of the models fill up, too.
const FLOOD_RSS_MAX_KIB: usize = 64 * 1024;
/// How long files may take to be given back.
const FILES_LIMIT: Duration = Duration::from_secs(20);

static PANICS: AtomicU64 = AtomicU64::new(0);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A node's task that panics dies quietly, as a crash would; here it counts.
fn count_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        hook(info);
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes five minutes of real time, and more if asked: cargo test --test soak -- --ignored --nocapture"]
async fn networks_broken_for_minutes_are_whole_once_left_alone() {
    let (span, rng_seed) = (Duration::from_secs(setting("SOAK_SECONDS", 300)), setting("SOAK_SEED", 7));
    println!(
        "repeat with: SOAK_SECONDS={} SOAK_SEED={rng_seed} cargo test --test soak -- --ignored --nocapture",
        span.as_secs()
    );
    count_panics();
    let (rude_listener, rude_seed) = Rude::seed_listener();
    let mut framed = Network::start("framed", Dialect::Framed, (3, 14), None, rng_seed).await;
    let mut classic = Network::start("classic", Dialect::Classic, (2, 8), Some(rude_seed), !rng_seed).await;
    let rude = Rude::start(rude_listener, classic.seeds.clone(), classic.peers.clone(), rng_seed);
    let hostile = Hostile::start(framed.seeds.clone(), framed.peers.clone(), rng_seed);
    recover(&mut framed, &mut classic).await;
    let (begun, mut taken_before, mut rounds) = (Instant::now(), Vec::new(), 0);
    let watch = PeakWatch::start();
    while begun.elapsed() < span {
        let calm_kib = taken().map_or(0, |taken| taken.rss_kib);
        watch.take();
        rude.be_quiet(false);
        hostile.be_quiet(false);
        tokio::join!(framed.disturb(ROUND), classic.disturb(ROUND));
        rude.be_quiet(true);
        hostile.be_quiet(true);
        let above_kib = watch.take().saturating_sub(calm_kib);
        println!("{:4} s, memory at its peak: {above_kib} KiB above calm", begun.elapsed().as_secs());
        let filling_kib = if rounds == 0 { RSS_GROWTH_MAX_KIB } else { 0 };
        assert!(above_kib <= FLOOD_RSS_MAX_KIB + filling_kib, "a flood took {above_kib} KiB");
        recover(&mut framed, &mut classic).await;
        rounds += 1;
        taken_before.extend(check_taken(&mut framed, &mut classic, taken_before.first()).await);
        println!("{:4} s, round {rounds}: {:?}", begun.elapsed().as_secs(), taken_before.last());
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "somebody panicked");
    }
    check_memory(&taken_before);
    drop(watch);
    println!("the rude nodes: {:?}", rude.stop());
    println!("the hostile peer: {:?}", hostile.stop());
    for (name, events, network) in
        [("framed", framed.model.totals().events, framed), ("classic", classic.model.totals().events, classic)]
    {
        let totals = network.model.totals();
        println!("{name}: {rounds} rounds, {events} events, {totals:?}, {:?}", network.quit().await);
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "somebody panicked");
}

/// Both are whole again. The one that is sooner goes on listening, so that it misses nothing.
async fn recover(framed: &mut Network, classic: &mut Network) {
    let whole = AtomicU64::new(0);
    let one = async |network: &mut Network| {
        network.recover().await;
        whole.fetch_add(1, Ordering::Relaxed);
        while whole.load(Ordering::Relaxed) < 2 {
            network.rest(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(one(framed), one(classic));
}

/// Every file is one that a node knows of, and no thread stays behind. In files: what is beside the connections.
async fn check_taken(
    framed: &mut Network,
    classic: &mut Network,
    first: Option<&(usize, Taken)>,
) -> Option<(usize, Taken)> {
    let begun = Instant::now();
    loop {
        let now = taken()?;
        let beside = now.files.saturating_sub(framed.connections() + classic.connections());
        let Some((beside_first, first)) = first else { return Some((beside, now)) };
        if beside <= beside_first + FILES_SLACK && now.threads <= first.threads + THREADS_SLACK {
            return Some((beside, now));
        }
        assert!(
            begun.elapsed() < FILES_LIMIT,
            "{now:?}, {beside} files beside the connections; at first {beside_first}, {first:?}"
        );
        tokio::join!(framed.rest(Duration::from_millis(200)), classic.rest(Duration::from_millis(200)));
    }
}

fn check_memory(taken: &[(usize, Taken)]) {
    let (Some((_, early)), Some((_, last))) = (taken.get(taken.len() / 3), taken.last()) else { return };
    let grown = last.rss_kib.saturating_sub(early.rss_kib);
    assert!(grown <= RSS_GROWTH_MAX_KIB, "memory grew by {grown} KiB: {taken:?}");
}
