//! A session without a screen: events go to stdout, for scripts and CI.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::args::PrintFormat;
use super::failure::Failure;
use super::nodes::{self, RunningNodes};
use super::output::{say, warn};
use super::plan::Plan;
use super::printer::Printer;
use super::records::Records;
use super::scenario_runner::ScenarioRunner;
use crate::clock::Clock;
use crate::feed::feed;
use crate::model::words::count_text;
use crate::platform::StopSignals;
use crate::scenario::{Run, ScenarioNotice};
use crate::session::overview::SessionEnd;
use crate::session::recorder::News;
use crate::session::summary::unrecorded;

/// Batches that wait to be printed: a second of a busy lab, while a pipe's reader pauses.
const BATCHES_MAX: usize = 4096;

/// How long the last lines may take to be printed once all else is done, and then to be counted: a
/// slow reader of a pipe does not keep the program from ending.
const PRINT_TIMEOUT: Duration = Duration::from_millis(300);

/// Runs the plan until its time is over, a signal comes, or nobody reads stdout any more.
pub(crate) async fn run(plan: Plan, format: PrintFormat) -> Result<ExitCode, Failure> {
    plan.warnings.iter().for_each(warn);
    plan.notes.iter().for_each(say);
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    let clock = Clock::start();
    let (tap, events) = feed(BATCHES_MAX);
    let header = plan.header(clock.epoch(), clock);
    let out = Printer::new(format, &header, io::stdout()).map_err(Failure::Stdout)?;
    let records = Records::begin(&plan, &header, tell);
    let (script_tap, watched) = feed(BATCHES_MAX);
    let mut taps = vec![tap, records.tap()];
    taps.extend(plan.scenario.iter().map(|_| script_tap.clone()));
    drop(script_tap);
    let nodes = match RunningNodes::start(&plan, clock, taps).await {
        Ok(nodes) => nodes,
        Err(refusal) => {
            records.finish();
            return Err(refusal.into());
        }
    };
    let hurry = out.hurry();
    let mut printing = tokio::task::spawn_blocking(move || out.run(events));
    let mut runner = plan.scenario.as_ref().map(|file| {
        let tell = |_: &Run, notice: Option<ScenarioNotice>| notice.iter().for_each(|notice| plan.tell(&notice.text));
        ScenarioRunner::new(Run::new(file.script.clone()), watched, nodes.requests(), clock, tell)
    });
    let (ended, ended_by_itself) = tokio::select! {
        _ = signals.next() => (SessionEnd::Interrupted, None),
        () = nodes::pass(plan.length) => (SessionEnd::Over, None),
        () = play(runner.as_mut(), plan.length) => (SessionEnd::Over, None),
        result = &mut printing => {
            (SessionEnd::Left, Some(result.unwrap_or_else(|panic| Err(io::Error::other(panic)))))
        }
    };
    let came_of_it = runner.map(|runner| runner.run().summary());
    let ended = came_of_it.as_ref().map_or(ended, |summary| ended.after(summary.failed.len()));
    match records.end_session(Some(nodes), &mut signals, ended).await {
        Ok(report) => report.as_ref().and_then(unrecorded).into_iter().for_each(warn),
        Err(asked) => return Ok(ExitCode::from(asked.exit_code())),
    }
    let is_read = ended_by_itself.is_none();
    let code = match ended_by_itself {
        Some(result) => outcome(result),
        None => last_lines(printing, &hurry).await,
    }?;
    Ok(came_of_it.filter(|_| is_read).map_or(code, |summary| plan.verdict(&summary)))
}

/// Tells the user how recording goes, unless all is well from the beginning.
pub(super) fn tell(news: News) {
    match news {
        News::Recording(_) => {}
        News::Again { missing, .. } => {
            warn(format_args!("the session is recorded again; {} missing", count_text(missing, "event")));
        }
        News::Failing(why) => warn(format_args!("the session is not recorded: {why}")),
        News::Note(line) => warn(line),
    }
}

/// Plays to the end, or forever if the session has a length of its own, or no scenario.
async fn play<T: FnMut(&Run, Option<ScenarioNotice>)>(
    runner: Option<&mut ScenarioRunner<T>>,
    length: Option<Duration>,
) {
    if let Some(runner) = runner {
        runner.play().await;
        if length.is_none() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// The goodbyes are printed, too.
pub(super) async fn last_lines(
    mut printing: JoinHandle<io::Result<u64>>,
    hurry: &CancellationToken,
) -> Result<ExitCode, Failure> {
    for _ in 0..2 {
        match timeout(PRINT_TIMEOUT, &mut printing).await {
            Ok(printed) => return outcome(printed.unwrap_or_else(|panic| Err(io::Error::other(panic)))),
            // Whatever is not printed by now is counted.
            Err(_) => hurry.cancel(),
        }
    }
    warn("the last events were not printed: stdout takes nothing");
    Ok(ExitCode::SUCCESS)
}

/// A reader that closes the pipe has had enough: no failure.
pub(super) fn outcome(printed: io::Result<u64>) -> Result<ExitCode, Failure> {
    match printed {
        Ok(0) => Ok(ExitCode::SUCCESS),
        Ok(skipped) => {
            warn(format!("{skipped} events were not printed: they came faster than stdout takes them"));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::Stdout(error)),
    }
}
