//! `rerun` and `:rerun`: plays what was done again in virtual time, otherwise.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::args::{RerunArgs, RerunFormat};
use super::config_file::ConfigFile;
use super::failure::Failure;
use super::output::{self, say, warn};
use super::rerun_subject::{RAN_ON_SOCKETS, RecordedFigures, RerunSubject};
use crate::clock::Clock;
use crate::experiment::comparison::{ComparedRun, RunComparison};
use crate::experiment::report::{RerunChanges, RerunReport};
use crate::experiment::run::{Experiment, RunError, RunOutcome, Watcher};
use crate::platform::StopSignals;
use crate::proto::time::Time;

/// How often a user hears how far a run is.
const TOLD_EVERY: Duration = Duration::from_secs(2);
/// What runs are called.
const RECORDED: &str = "recorded";
const AS_IT_WAS: &str = "as it was";
const AGAIN: &str = "again";
const OTHERWISE: &str = "otherwise";

/// What the user wants to know.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) changes: RerunChanges,
    /// For both runs; `None`: the one of the subject.
    pub(super) rng_seed: Option<u64>,
}

/// Plays it on a thread of its own, so that a signal ends the program at once.
pub(super) async fn run(args: RerunArgs, config: ConfigFile) -> Result<ExitCode, Failure> {
    config.warnings.iter().for_each(warn);
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopped);
    let format = args.format;
    let played = tokio::task::spawn_blocking(move || play(args, &config, &told));
    let report = tokio::select! {
        report = played => report.map_err(Failure::other)??,
        signal = signals.next() => {
            stopped.store(true, Ordering::Relaxed);
            return Ok(ExitCode::from(signal.exit_code()));
        }
    };
    match format {
        RerunFormat::Text => output::print_lines(&report.text()),
        RerunFormat::Json => {
            let json = report.json().map_err(|error| Failure::Stdout(error.into()))?;
            output::print(json.as_bytes())
        }
    }
}

fn play(args: RerunArgs, config: &ConfigFile, stopped: &AtomicBool) -> Result<RerunReport, Failure> {
    let clock = Clock::start();
    let subject = RerunSubject::read(&args.subject, config, clock)?;
    let wish = Wish { changes: RerunChanges { set: args.set, without: args.without }, rng_seed: args.rng_seed };
    let is_seen = io::stderr().is_terminal();
    let tell = |progress: String| {
        if is_seen {
            say(progress);
        }
    };
    compare(
        subject,
        wish,
        RerunProgress { clock, told_at: clock.now(), tell, is_stopped: || stopped.load(Ordering::Relaxed) },
    )
}

/// The same for a session whose recording is this file. The error is a line for the user.
pub(super) fn play_recording(
    file: &Path,
    changes: RerunChanges,
    tell: impl Fn(String),
    is_stopped: impl Fn() -> bool,
) -> Result<RerunReport, String> {
    let clock = Clock::start();
    let wish = Wish { changes, rng_seed: None };
    let progress = RerunProgress { clock, told_at: clock.now(), tell, is_stopped };
    let subject = RerunSubject::of_recording(file, clock);
    subject.and_then(|subject| compare(subject, wish, progress)).map_err(|failure| failure.to_string())
}

/// Tells how far a run is, now and then.
struct RerunProgress<T, S> {
    clock: Clock,
    told_at: Time,
    tell: T,
    is_stopped: S,
}

/// A run of which progress is told.
struct WatchedRun<'a, T, S> {
    run: &'static str,
    lasts: Duration,
    progress: &'a mut RerunProgress<T, S>,
}

impl<T: Fn(String), S: Fn() -> bool> Watcher for WatchedRun<'_, T, S> {
    fn goes_on(&mut self, played: Duration) -> bool {
        let RerunProgress { clock, told_at, tell, is_stopped } = &mut *self.progress;
        let now = clock.now();
        if now.since(*told_at) >= TOLD_EVERY {
            *told_at = now;
            let percent = played.as_millis() * 100 / self.lasts.as_millis().max(1);
            tell(format!("rerun: {}, {}% played", self.run, percent.min(100)));
        }
        !is_stopped()
    }
}

impl<T: Fn(String), S: Fn() -> bool> RerunProgress<T, S> {
    fn play(&mut self, name: &str, run: &'static str, experiment: Experiment) -> Result<RunOutcome, Failure> {
        let lasts = experiment.lasts();
        let played = experiment.play(&mut WatchedRun { run, lasts, progress: self });
        played.map_err(|why| not_played(name, why))
    }
}

/// The failure of a run of this.
pub(super) fn not_played(name: &str, why: RunError) -> Failure {
    match why {
        RunError::Refused(refusal) => refusal.into(),
        RunError::TooManyNodes { .. } | RunError::TooLong { .. } | RunError::TooManyEvents | RunError::Interrupted => {
            Failure::usage(format_args!("{name}: {why}"))
        }
    }
}

fn compare<T: Fn(String), S: Fn() -> bool>(
    mut subject: RerunSubject,
    Wish { changes, rng_seed }: Wish,
    mut progress: RerunProgress<T, S>,
) -> Result<RerunReport, Failure> {
    subject.rng_seed = rng_seed.unwrap_or(subject.rng_seed);
    let otherwise = subject.otherwise(&changes)?;
    let recorded = subject.recorded.take();
    let mut notes = std::mem::take(&mut subject.notes);
    if recorded.is_none() && changes.is_empty() {
        let why = "nothing to do otherwise: give --set 'NAME VALUE' or --without 'COMMAND'";
        return Err(Failure::usage(format_args!("{}: {why}", subject.name)));
    }
    if recorded.as_ref().is_some_and(|recorded| !recorded.is_virtual) {
        notes.insert(0, RAN_ON_SOCKETS.to_owned());
    }
    let comparison = if changes.is_empty() {
        let again = ComparedRun::played(AGAIN, progress.play(&subject.name, AGAIN, otherwise)?);
        let recorded = recorded.map(|recorded| ComparedRun::recorded(RECORDED, recorded.figures));
        RunComparison::of(None, recorded.unwrap_or_else(|| again.clone()), again)
    } else {
        let as_it_was = subject.as_it_was()?;
        let before = ComparedRun::played(AS_IT_WAS, progress.play(&subject.name, AS_IT_WAS, as_it_was)?);
        let otherwise = ComparedRun::played(OTHERWISE, progress.play(&subject.name, OTHERWISE, otherwise)?);
        RunComparison::of(beside(recorded, &before), before, otherwise)
    };
    Ok(RerunReport { subject: subject.name, changes, rng_seed: subject.rng_seed, notes, comparison })
}

/// The recorded figures, unless playing it again gave the same.
fn beside(recorded: Option<RecordedFigures>, played: &ComparedRun) -> Option<ComparedRun> {
    let recorded = recorded.filter(|recorded| recorded.figures != played.figures)?;
    Some(ComparedRun::recorded(RECORDED, recorded.figures))
}
