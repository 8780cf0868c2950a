//! Scenarios in virtual time: what their lines do, and what is said when an expectation fails.

use std::time::Duration;

use gossipctl::event::{Event, EventKind};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::roster::Refusal;
use gossipctl::scenario::{Run, Script, Summary};
use gossipctl::sim::{Defaults, EPOCH, Engine, Piece, play};

/// What came of a scenario.
struct Played {
    events: Vec<Event>,
    told: Vec<String>,
    summary: Summary,
}

/// Plays a scenario with a message a second and a probe every 500 ms.
fn played(text: &str) -> Played {
    let script = Script::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let nowhere = Addr::loopback(0);
    let mut peer = PeerConfig::new(nowhere, Vec::new());
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_millis(500));
    let seed = SeedConfig { liveness_interval: peer.liveness_interval, ..SeedConfig::new(nowhere) };
    let engine = Engine::new(Defaults { peer, seed, rng_seed: 7, epoch: EPOCH });
    let (mut run, mut events, mut told) = (Run::new(script), Vec::new(), Vec::new());
    play(engine, &mut run, None, |piece| {
        match piece {
            Piece::Events(more) => events.extend_from_slice(more),
            Piece::Told(telling) => told.push(telling.text),
        }
        Ok::<(), Refusal>(())
    })
    .unwrap();
    Played { events, told, summary: run.summary() }
}

fn holds(text: &str) {
    let Played { summary, told, .. } = played(text);
    assert!(summary.is_good() && summary.skipped.is_empty(), "{summary:#?}\n{told:#?}");
}

fn failure(text: &str) -> String {
    let mut summary = played(text).summary;
    assert_eq!(summary.failed.len(), 1, "{summary:#?}");
    summary.failed.remove(0)
}

#[test]
fn a_message_reaches_everybody_and_the_overlay_is_one() {
    holds(
        "lab 2 8\n\
         expect connected within 2s\n\
         3s say p1 hello\n\
         expect coverage 100% within 1s\n\
         +1s expect coverage 100% of p3#2\n\
         expect no dead for 5s\n",
    );
}

#[test]
fn a_silent_node_is_found_dead_and_is_back_once_it_is_started_again() {
    holds(
        "lab 2 8\n\
         3s hang p3\n\
         expect not dead p3\n\
         expect dead p3 within 3s\n\
         expect not listed p3 within 5s\n\
         +6s restart p3\n\
         expect not dead p3 within 2s\n\
         expect listed p3 within 2s\n\
         expect connected within 2s\n",
    );
}

#[test]
fn calm_brings_back_whoever_was_killed_or_hangs() {
    holds(
        "lab 2 8\n\
         3s hang p3\n\
         kill p5 s1\n\
         partition p1 p2\n\
         expect dead p3 within 5s\n\
         +8s calm\n\
         expect connected within 5s\n\
         expect listed p3 within 5s\n\
         +5s say p3 back\n\
         expect coverage 100% within 1s\n\
         +1s kill p3\n",
    );
}

#[test]
fn an_expectation_that_fails_says_in_words_what_is_so() {
    let coverage = failure("lab 2 8\n3s expect coverage 100% of p3#9 within 2s\n");
    assert_eq!(coverage, "line 2: expect coverage 100% of p3#9 within 2s: after 2 s no such message had begun");
    let dead = failure("lab 2 8\n3s expect dead p3 within 2s\n");
    assert_eq!(dead, "line 2: expect dead p3 within 2s: after 2 s nobody had declared p3 dead");
    let nobody = failure("lab 2 8\n3s kill p3\nexpect no dead for 5s\n");
    assert!(nobody.contains(" had declared p3 dead"), "{nobody}");
    let disputed = failure("lab 2 8\n3s expect disputed p3\n");
    assert_eq!(disputed, "line 2: expect disputed p3: no seed had disputed a report that p3 is dead");
}

#[test]
fn a_line_ends_the_scenario_and_everybody_leaves() {
    let Played { events, told, .. } = played("# A quiet minute.\n\nlab 1 3\n1m end\n");
    let last = events.last().unwrap();
    assert_eq!(last.at.since(EPOCH).as_secs(), 60);
    assert!(matches!(last.kind, EventKind::Stopped { .. }));
    assert_eq!(told, ["# A quiet minute.", "60 s: the scenario ends"]);
}
