//! Every answer to "why" about random scenarios holds: without the causes that it names it would not
//! have been so. And all that tells of their runs tells the same.
//!
//! `gossipctl prove --random N --rng-seed S` does the same with larger ones; see docs/SCENARIOS.md.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gossipctl::experiment::proof::RunProof;
use gossipctl::experiment::proof::random::{RandomScenario, Sizes};
use gossipctl::experiment::proof::report::{AnswerCounts, ProofReport, ScenarioReport};
use gossipctl::model::cause::reason;

/// Scenarios, and how large they are: some seconds in a debug build.
const SCENARIOS: u64 = 200;
const SIZES: Sizes = Sizes { peers_max: 6, deeds_max: 3 };

fn proven(number: u64) -> ScenarioReport {
    let scenario = RandomScenario::draw(number, SIZES);
    let experiment = scenario.experiment().unwrap_or_else(|why| panic!("{number}: {why}\n{}", scenario.text));
    let proof = RunProof::of(&experiment, reason, &|| true).unwrap_or_else(|why| panic!("{number}: {why}"));
    ScenarioReport::of_random(number, &scenario.text, &proof)
}

#[test]
fn nothing_certain_about_random_scenarios_is_false() {
    let (next, report) = (AtomicU64::new(0), Mutex::new(ProofReport::new(usize::try_from(SCENARIOS).unwrap())));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
                for number in numbers.take_while(|number| *number < SCENARIOS) {
                    let scenario = proven(number);
                    report.lock().unwrap().add(scenario);
                }
            });
        }
    });
    let report = report.into_inner().unwrap();
    let asked: u64 = report.counts.values().map(AnswerCounts::asked).sum();
    assert!(asked > 800, "there is something to ask: {asked}");
    assert!(report.agreement.compared > 50_000, "there is something to compare: {:?}", report.agreement);
    assert!(!report.has_false(), "{}", report.random_text());
}
