//! `prove`: whether each answer to "why" about a run is true.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::args::{ProveArgs, ProveFormat};
use super::config_file::ConfigFile;
use super::failure::Failure;
use super::output::{self, say, warn};
use super::rerun::not_played;
use super::rerun_subject::RerunSubject;
use super::settings::RNG_SEED_MAX;
use crate::clock::Clock;
use crate::experiment::proof::random::{RandomScenario, Sizes};
use crate::experiment::proof::report::{ProofReport, ScenarioReport, ShrunkReport};
use crate::experiment::proof::shrink::{ShrunkKind, shrink};
use crate::experiment::proof::{RERUNS_MAX, RunProof};
use crate::experiment::run::RunError;
use crate::model::cause::reason;
use crate::model::words::count_text;
use crate::platform::StopSignals;
use crate::proto::time::Time;

/// How often a user hears how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(2);
/// Proofs that wait to be counted, for each thread: counting takes no time.
const WAITING_MAX: usize = 4;

/// Proves on threads of its own, so that a signal ends it at once; what was found by then is told.
pub(super) async fn run(args: ProveArgs, config: ConfigFile) -> Result<ExitCode, Failure> {
    config.warnings.iter().for_each(warn);
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopped);
    let format = args.format;
    let text = if args.subject.is_some() { ProofReport::one_text } else { ProofReport::random_text };
    let mut proving = tokio::task::spawn_blocking(move || prove(&args, &config, &told));
    let (proven, signal) = tokio::select! {
        proven = &mut proving => (proven, None),
        signal = signals.next() => {
            stopped.store(true, Ordering::Relaxed);
            (proving.await, Some(signal))
        }
    };
    let found = proven.map_err(Failure::other)??;
    if let Some(report) = &found {
        tell(report, format, text)?;
    }
    Ok(match (signal, found) {
        (Some(signal), _) => ExitCode::from(signal.exit_code()),
        (None, Some(report)) if report.has_false() => ExitCode::FAILURE,
        (None, _) => ExitCode::SUCCESS,
    })
}

fn tell(report: &ProofReport, format: ProveFormat, text: fn(&ProofReport) -> String) -> Result<ExitCode, Failure> {
    match format {
        ProveFormat::Text => output::print_lines(&text(report)),
        ProveFormat::Json => {
            let json = report.json().map_err(|error| Failure::Stdout(error.into()))?;
            output::print(json.as_bytes())
        }
    }
}

/// `None`: it was stopped before anything was found.
fn prove(args: &ProveArgs, config: &ConfigFile, stopped: &AtomicBool) -> Result<Option<ProofReport>, Failure> {
    let clock = Clock::start();
    match &args.subject {
        Some(subject) => prove_one(subject, args.rng_seed, config, clock, stopped),
        None => RandomProofs::new(args, clock).prove(stopped).map(Some),
    }
}

/// Of one scenario or recording.
fn prove_one(
    what: &str,
    rng_seed: Option<u64>,
    config: &ConfigFile,
    clock: Clock,
    stopped: &AtomicBool,
) -> Result<Option<ProofReport>, Failure> {
    let mut subject = RerunSubject::read(what, config, clock)?;
    subject.rng_seed = rng_seed.unwrap_or(subject.rng_seed);
    subject.notes.iter().for_each(say);
    if subject.recorded.as_ref().is_some_and(|recorded| !recorded.is_virtual) {
        say("what was done in the session is run in virtual time, and the answers are about that run");
    }
    let experiment = subject.as_it_was()?;
    let proof = match RunProof::of(&experiment, reason, &|| !stopped.load(Ordering::Relaxed)) {
        Ok(proof) => proof,
        Err(RunError::Interrupted) => return Ok(None),
        Err(why) => return Err(not_played(&subject.name, why)),
    };
    let mut report = ProofReport::new(1);
    report.add(ScenarioReport::of_one(subject.name, &proof));
    say(format_args!(
        "{} of {RERUNS_MAX} at most; the same again with --rng-seed {}",
        count_text(report.reruns as u64, "rerun"),
        subject.rng_seed
    ));
    Ok(Some(report))
}

/// Many random scenarios, on several threads.
struct RandomProofs {
    first: u64,
    count: u64,
    jobs: usize,
    shrinks: bool,
    clock: Clock,
}

/// A proof, by the place of its scenario.
type Proven = (u64, Result<Option<ScenarioReport>, Failure>);

impl RandomProofs {
    fn new(args: &ProveArgs, clock: Clock) -> Self {
        let first = args.rng_seed.unwrap_or(clock.epoch().as_micros() & RNG_SEED_MAX);
        let jobs = args.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        Self { first, count: args.random.unwrap_or(1), jobs, shrinks: args.shrink, clock }
    }

    fn prove(&self, stopped: &AtomicBool) -> Result<ProofReport, Failure> {
        say(format_args!("the same again with --random {} --rng-seed {}", self.count, self.first));
        let next = AtomicU64::new(0);
        let (sender, receiver) = sync_channel(self.jobs * WAITING_MAX);
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                let sender = sender.clone();
                scope.spawn(|| self.work(sender, &next, stopped));
            }
            drop(sender);
            let report = self.collect(receiver);
            // After a failure the others need not go on.
            stopped.store(true, Ordering::Relaxed);
            report
        })
    }

    /// Proves one after another, until there are no more.
    #[expect(clippy::needless_pass_by_value, reason = "the receiver ends when the last sender is gone")]
    fn work(&self, sender: SyncSender<Proven>, next: &AtomicU64, stopped: &AtomicBool) {
        while !stopped.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= self.count || sender.send((place, self.prove_scenario(place, stopped))).is_err() {
                return;
            }
        }
    }

    /// `None`: it was stopped.
    fn prove_scenario(&self, place: u64, stopped: &AtomicBool) -> Result<Option<ScenarioReport>, Failure> {
        let number = self.first.wrapping_add(place) & RNG_SEED_MAX;
        let scenario = RandomScenario::draw(number, Sizes::FULL);
        let name = || format!("random scenario {number}");
        let experiment = scenario.experiment().map_err(|why| Failure::other(format_args!("{}: {why}", name())))?;
        let goes_on = || !stopped.load(Ordering::Relaxed);
        let proven = RunProof::of(&experiment, reason, &goes_on).and_then(|proof| {
            let mut report = ScenarioReport::of_random(number, &scenario.text, &proof);
            if self.shrinks {
                report.shrunk = shrunk(&scenario, &proof, &goes_on)?;
            }
            Ok(report)
        });
        match proven {
            Ok(report) => Ok(Some(report)),
            Err(RunError::Interrupted) => Ok(None),
            Err(why) => Err(not_played(&name(), why)),
        }
    }

    /// Counts what comes, and tells how far it is. In the end, all stands in the order of the scenarios.
    /// After a failure nobody receives any more, so that no thread waits to be heard.
    fn collect(&self, receiver: Receiver<Proven>) -> Result<ProofReport, Failure> {
        let mut scenarios = BTreeMap::new();
        let (mut told_at, mut untrue) = (self.clock.now(), 0);
        for (place, proven) in receiver {
            let Some(scenario) = proven? else { continue };
            untrue += u64::from(scenario.has_false());
            scenarios.insert(place, scenario);
            self.tell_progress(&mut told_at, scenarios.len(), untrue);
        }
        let mut report = ProofReport::new(usize::try_from(self.count).unwrap_or(usize::MAX));
        for scenario in scenarios.into_values() {
            report.add(scenario);
        }
        Ok(report)
    }

    fn tell_progress(&self, told_at: &mut Time, proven: usize, untrue: u64) {
        let now = self.clock.now();
        if io::stderr().is_terminal() && now.since(*told_at) >= TOLD_EVERY {
            *told_at = now;
            let scenarios = count_text(self.count, "scenario");
            say(format_args!("prove: {proven} of {scenarios}, {untrue} with a false answer"));
        }
    }
}

/// Of each way in which something that is said of the scenario is false, the smallest scenario.
fn shrunk(
    scenario: &RandomScenario,
    proof: &RunProof,
    goes_on: &impl Fn() -> bool,
) -> Result<Vec<ShrunkReport>, RunError> {
    let shrunk = ShrunkKind::all_of(proof).into_iter().map(|kind| shrink(scenario.clone(), kind, reason, goes_on));
    Ok(shrunk.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::script_file::ScriptFile;
    use crate::cli::settings::NodeSettings;

    #[test]
    fn threads_that_wait_to_be_heard_end_after_a_failure() {
        let proofs = RandomProofs { first: 0, count: 9, jobs: 1, shrinks: false, clock: Clock::start() };
        let (sender, receiver) = sync_channel(1);
        thread::scope(|scope| {
            scope.spawn(move || while sender.send((0, Err(Failure::other("not played")))).is_ok() {});
            assert!(proofs.collect(receiver).is_err());
        });
    }

    /// Whoever plays a random scenario from a file gets the run that was proven.
    #[test]
    fn a_random_scenario_means_the_same_in_a_file() {
        for number in 0..200 {
            let RandomScenario { text, settings, .. } = RandomScenario::draw(number, Sizes::FULL);
            let file = ScriptFile::parse(Path::new("random.txt"), &text).unwrap();
            let node = NodeSettings::of_virtual_lab(&file.node, 0).unwrap();
            assert!(node.without_effect.is_empty(), "{:?}", node.without_effect);
            let read = node.network(node.rng_seed.unwrap(), 0);
            assert_eq!(format!("{read:?}"), format!("{settings:?}"), "{text}");
        }
    }
}
