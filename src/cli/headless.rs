//! A session without a screen: what happens goes to stdout, for scripts and CI.

use std::io::{self, BufWriter};
use std::process::ExitCode;

use tokio::task::JoinHandle;

use super::args::Format;
use super::failure::{Failure, warn};
use super::keeper;
use super::nodes::{self, Ending, Nodes};
use super::plan::Plan;
use super::printer::Printer;
use super::signals::Signals;
use super::values::Span;
use crate::clock::Clock;
use crate::feed::feed;
use crate::session::journal::Header;

/// Batches that wait to be printed: a second of a busy lab, while a pipe's reader catches its breath.
const BATCHES_MAX: usize = 4096;

/// Runs the plan until its time is over, a signal comes, or nobody reads stdout any more.
pub(crate) async fn run(plan: Plan, format: Format) -> Result<ExitCode, Failure> {
    plan.warnings.iter().for_each(warn);
    let mut signals = Signals::listen().map_err(Failure::System)?;
    let clock = Clock::start();
    let (tap, events) = feed(BATCHES_MAX);
    let (log_tap, logged) = feed(BATCHES_MAX);
    let nodes = Nodes::start(&plan.begin, &plan.node, clock, vec![tap, log_tap]).await?;
    let utc_offset_s = plan.node.peer.utc_offset_s;
    let logs = keeper::keep_logs(logged, &plan.node.log_dir, utc_offset_s, warn);
    let header = Header::new(clock.epoch(), utc_offset_s);
    let printer = Printer::new(format, header, BufWriter::new(io::stdout()));
    let mut printing = tokio::task::spawn_blocking(move || printer.run(events));
    tokio::select! {
        _ = signals.next() => {}
        () = nodes::pass(plan.length.map(Span::get)) => {}
        result = &mut printing => {
            nodes.leave(&mut signals).await;
            return outcome(result.unwrap_or_else(|panic| Err(io::Error::other(panic))));
        }
    }
    match nodes.leave(&mut signals).await {
        Ending::Polite => {
            // What went wrong there was told.
            let _ = logs.map(std::thread::JoinHandle::join);
            last_lines(printing).await
        }
        Ending::AtOnce(asked) => Ok(ExitCode::from(asked.exit_code())),
    }
}

/// The goodbyes are printed, too.
async fn last_lines(printing: JoinHandle<io::Result<u64>>) -> Result<ExitCode, Failure> {
    outcome(printing.await.unwrap_or_else(|panic| Err(io::Error::other(panic))))
}

/// A reader that has had enough closed the pipe: no failure.
fn outcome(printed: io::Result<u64>) -> Result<ExitCode, Failure> {
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
