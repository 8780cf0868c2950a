//! Watches without a screen: events go to stdout, what happens to sessions to stderr.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{READING, WatchSources, damage_lines, deliveries, if_it_takes_long, late_text};
use crate::cli::args::PrintFormat;
use crate::cli::failure::Failure;
use crate::cli::headless::{last_lines, outcome};
use crate::cli::nodes::pass;
use crate::cli::output::{say, warn};
use crate::cli::printer::Printer;
use crate::clock::Clock;
use crate::feed::{Tap, feed};
use crate::model::notice::Severity;
use crate::platform::StopSignals;
use crate::session::replay::Damage;
use crate::session::watch::{LateJoin, POLL_INTERVAL, ReadProgress, WatchNews};

/// Batches that wait to be printed; whoever reads the journals waits for room.
const BATCHES_MAX: usize = 256;

/// How long whoever reads the journals may take to notice the end: some looks.
const END_TIMEOUT: Duration = POLL_INTERVAL.saturating_mul(4);

/// What is printed, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Print {
    pub(super) format: PrintFormat,
    pub(super) length: Option<Duration>,
}

/// Prints until all sessions have ended, the time is over, a signal comes, or nobody reads stdout any more.
pub(super) async fn run(
    mut sources: WatchSources,
    members: Vec<usize>,
    print: Print,
    clock: Clock,
) -> Result<ExitCode, Failure> {
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    if_it_takes_long(|| say(READING), || sources.watch.open(members))?;
    sources.watch.told_clocks().iter().for_each(say);
    let Some(header) = sources.watch.header() else { return Ok(ExitCode::SUCCESS) };
    let (tap, events) = feed(BATCHES_MAX);
    let out = Printer::new(print.format, &header, io::stdout()).map_err(Failure::Stdout)?;
    let hurry = out.hurry();
    let mut printing = tokio::task::spawn_blocking(move || out.run(events));
    let stop = CancellationToken::new();
    let follower = Follower { sources, tap, clock, stop: stop.clone(), damage: Damage::default(), told: 0 };
    let mut following = tokio::task::spawn_blocking(move || follower.run());
    let printed = |printed: Result<_, _>| outcome(printed.unwrap_or_else(|panic| Err(io::Error::other(panic))));
    tokio::select! {
        // Everything was followed to its end; all of it is printed.
        result = &mut following => {
            result.unwrap_or_else(|panic| Err(Failure::other(panic)))?;
            tokio::select! {
                result = &mut printing => return printed(result),
                _ = signals.next() => {}
            }
        }
        result = &mut printing => {
            stop.cancel();
            end(following).await;
            return printed(result);
        }
        _ = signals.next() => {}
        () = pass(print.length) => {}
    }
    stop.cancel();
    let code = last_lines(printing, &hurry).await;
    end(following).await;
    code
}

/// What was begun for it, such as an ssh, ends with it.
async fn end<T>(following: JoinHandle<T>) {
    let _ = timeout(END_TIMEOUT, following).await;
}

struct Follower {
    sources: WatchSources,
    tap: Tap,
    clock: Clock,
    stop: CancellationToken,
    damage: Damage,
    told: u64,
}

impl Follower {
    /// Runs until all sessions have ended or it is told to stop.
    fn run(mut self) -> Result<(), Failure> {
        loop {
            self.hand_on();
            let look = self.sources.look(self.clock)?;
            self.sources.hear_hosts().iter().for_each(warn);
            look.news.iter().for_each(tell);
            self.join(&look.joining);
            if look.news.contains(&WatchNews::AllEnded) {
                self.hand_on();
                return Ok(());
            }
            if self.is_stopped() {
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_cancelled() || self.tap.is_closed()
    }

    /// Prints what was recorded since.
    fn hand_on(&mut self) {
        let mut progress = ReadProgress::Behind;
        while progress == ReadProgress::Behind && !self.is_stopped() {
            let (records, reached) = self.sources.watch.advance(self.clock.now());
            progress = reached;
            for delivery in deliveries(records, &mut self.damage) {
                self.tap.deliver_blocking(delivery);
            }
        }
        damage_lines(&self.damage, &mut self.told).iter().for_each(warn);
        late_text(&mut self.sources.watch).iter().for_each(warn);
    }

    fn join(&mut self, joining: &[usize]) {
        if joining.is_empty() {
            return;
        }
        for ix in joining {
            tell(&self.sources.watch.joined(*ix));
        }
        if let Err(error) = self.sources.watch.join(joining, LateJoin::GoOn) {
            warn(error);
        }
    }
}

fn tell(news: &WatchNews) {
    match news.severity() {
        Severity::Info => say(news.text()),
        Severity::Warning | Severity::Error => warn(news.text()),
    }
}
