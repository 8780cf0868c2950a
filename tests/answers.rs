//! Every answer to "why" about random scenarios holds: without the causes that it names it would not
//! have been so. And all that tells of their runs tells the same.
//!
//! `gossipctl prove --random N --rng-seed S` does the same with larger ones; see docs/SCENARIOS.md.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gossipctl::experiment::proof::RunProof;
use gossipctl::experiment::proof::random::{RandomScenario, Sizes};
use gossipctl::experiment::proof::report::{AnswerCounts, ProofReport, ScenarioReport};
use gossipctl::model::cause::reason;

/// Scenarios, and how large they are: some seconds in a debug build.
const SCENARIOS: u64 = 200;
const SIZES: Sizes = Sizes { peers_max: 6, deeds_max: 3 };

/// Scenarios of `gossipctl prove --rng-seed NUMBER --random 1`: of each kind of answer that was false once, one.
const ONCE_FALSE: [u64; 25] = [
    // What had just been set, or what lasts, beside a recording that ends with the last link.
    8733, 5029,
    // What else would have come to the same while the link was down, or while a cut hid that the node had stopped.
    7033, 7228, 51981, // A close that a later cut would have held back, a goodbye that was lost.
    34431, 6167,
    // A message that would have come later, over links that were found only because of the fault, from those who had it
    // over such links, or not over links that make room or that a delay ends.
    6137, 35381, 7334, 5243, 3023, 4038, 20034, 26564, 51808,
    55495, // Two causes, of which one is made up for in time.
    6146,  // Peers that were alone, or apart, before.
    5623, 6492, 7485, 39262, 54889, // A list, on which whoever is linked to a peer bears.
    3672, 34049,
];

fn proven(number: u64, sizes: Sizes) -> ScenarioReport {
    let scenario = RandomScenario::draw(number, sizes);
    let experiment = scenario.experiment().unwrap_or_else(|why| panic!("{number}: {why}\n{}", scenario.text));
    let proof = RunProof::of(&experiment, reason, &|| true).unwrap_or_else(|why| panic!("{number}: {why}"));
    ScenarioReport::of_random(number, &scenario.text, &proof)
}

/// What all of these come to, some at a time.
fn proven_all(numbers: &[u64], sizes: Sizes) -> ProofReport {
    let (next, report) = (AtomicUsize::new(0), Mutex::new(ProofReport::new(numbers.len())));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let numbers = std::iter::from_fn(|| numbers.get(next.fetch_add(1, Ordering::Relaxed)));
                for number in numbers {
                    let scenario = proven(*number, sizes);
                    report.lock().unwrap().add(scenario);
                }
            });
        }
    });
    report.into_inner().unwrap()
}

#[test]
fn nothing_certain_about_random_scenarios_is_false() {
    let report = proven_all(&(0..SCENARIOS).collect::<Vec<_>>(), SIZES);
    let asked: u64 = report.counts.values().map(AnswerCounts::asked).sum();
    assert!(asked > 800, "there is something to ask: {asked}");
    assert!(report.agreement.compared > 50_000, "there is something to compare: {:?}", report.agreement);
    assert!(!report.has_false(), "{}", report.random_text());
}

#[test]
fn what_was_answered_falsely_once_is_not_again() {
    let report = proven_all(&ONCE_FALSE, Sizes::FULL);
    assert!(!report.has_false(), "{}", report.random_text());
}
