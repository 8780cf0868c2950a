//! A scenario in virtual time without a screen, as fast as possible.

use std::io;
use std::process::ExitCode;

use super::args::PrintFormat;
use super::failure::Failure;
use super::headless;
use super::output::{say, warn};
use super::plan::Plan;
use super::printer::Printer;
use super::records::Records;
use super::virtual_time::BATCH_MAX;
use crate::clock::Clock;
use crate::event::{Batch, Event};
use crate::feed::Delivery;
use crate::model::span_text;
use crate::model::words::count_text;
use crate::proto::time::Time;
use crate::scenario::Run;
use crate::session::check::{Breach, Checker};
use crate::session::journal::Header;
use crate::session::overview::SessionEnd;
use crate::session::summary::unrecorded;
use crate::sim::{EPOCH, Piece, ScenarioSink, VirtualEngine, play};

/// Plays the plan's scenario as fast as possible, without a screen. With the same random seed, the
/// output is the same to the byte.
pub(crate) fn run(plan: &Plan, format: PrintFormat) -> Result<ExitCode, Failure> {
    plan.warnings.iter().for_each(warn);
    let script = plan.script().filter(|script| plan.length.is_some() || !script.steps.is_empty());
    let Some(script) = script else {
        let why = "virtual time does not end by itself: give --duration, or a --script that does something";
        return Err(Failure::usage(why));
    };
    // The day starts at midnight UTC wherever they run, so a run is the same everywhere.
    let clock = Clock::start();
    let rng_seed = plan.node.rng_seed_or_new(clock);
    let mut printer = Printer::new(format, &Header::new(EPOCH, 0), io::stdout()).map_err(Failure::Stdout)?;
    let (mut run, mut checker) = (Run::new(script), Checker::new(plan.node.seed.dead_policy));
    let mut journal = JournalWriter::begin(plan, clock);
    let listener = |piece: Piece<'_>| match piece {
        Piece::Event(event) => {
            checker.apply(event);
            journal.take(event);
            printer.event(event).map_err(Failure::Stdout)
        }
        Piece::Told(notice) => {
            plan.tell(&notice.text);
            Ok(())
        }
        Piece::OverBound { at, node, gauge } => {
            checker.weigh_gauge(at, node, gauge);
            Ok(())
        }
    };
    let sink = ScenarioSink::new(&mut run, listener);
    let engine = VirtualEngine::with_sink(plan.node.network(rng_seed, 0), EPOCH, sink);
    let played = play(engine, plan.length);
    let end = match played.and_then(|end| printer.finish().map_err(Failure::Stdout).map(|()| end)) {
        // A reader that closes the pipe has had enough: no failure.
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            journal.finish(SessionEnd::Left);
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            journal.finish(SessionEnd::Left);
            return Err(error);
        }
        Ok(end) => end,
    };
    let summary = run.summary();
    journal.finish(SessionEnd::Over.after(summary.failed.len()));
    tell_time(end, clock, rng_seed);
    let verdict = plan.verdict(&summary);
    let (breaches, more) = checker.finish(end);
    Ok(if tell_breaches(&breaches, more) == 0 { verdict } else { ExitCode::FAILURE })
}

/// The journal of a run. It is written by a thread of its own, for which the run waits if it must: nothing is skipped.
struct JournalWriter {
    records: Records,
    /// Events that were not handed to it yet.
    batch: Vec<Event>,
}

impl JournalWriter {
    fn begin(plan: &Plan, clock: Clock) -> Self {
        let header = Header { epoch: Some(EPOCH), utc_offset_s: 0, ..plan.header(clock.epoch(), clock) };
        Self { records: Records::begin_journal(plan, &header, headless::tell), batch: Vec::new() }
    }

    fn take(&mut self, event: &Event) {
        if self.records.is_on() {
            self.batch.push(event.clone());
            if self.batch.len() == BATCH_MAX {
                self.hand_on();
            }
        }
    }

    fn hand_on(&mut self) {
        let batch: Batch = self.batch.drain(..).collect();
        self.records.tap().deliver_blocking(Delivery { skipped: 0, batch });
    }

    fn finish(mut self, ended: SessionEnd) {
        if !self.batch.is_empty() {
            self.hand_on();
        }
        self.records.finish_all(ended).as_ref().and_then(unrecorded).into_iter().for_each(warn);
    }
}

/// Reports the invariants that were violated, which is a fault in gossipctl, not a failed
/// expectation. Returns how many.
fn tell_breaches(breaches: &[Breach], more: u64) -> u64 {
    for breach in breaches {
        warn(format_args!("invariant violated: {breach}"));
    }
    if more > 0 {
        warn(format_args!("and {} more", count_text(more, "time")));
    }
    breaches.len() as u64 + more
}

/// How long it took, and how to repeat it.
fn tell_time(end: Time, clock: Clock, rng_seed: u64) {
    let (lasted, took) = (span_text(end.since(EPOCH)), span_text(clock.now().since(clock.epoch())));
    say(format_args!("{lasted} of virtual time in {took}; the same again with --rng-seed {rng_seed}"));
}
