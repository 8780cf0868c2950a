//! A run of a scenario in virtual time, folded into figures.

use std::time::Duration;

use super::figures::{Figures, FiguresFold};
use crate::engine::{Refusal, Settings};
use crate::event::Event;
use crate::proto::time::Time;
use crate::scenario::record::Precision;
use crate::scenario::{Run, Script, Summary};
use crate::sim::{EPOCH, Piece, ScenarioSink, VirtualEngine, play};

/// Nodes of a run: what the fold holds in memory at ease.
pub const NODES_MAX: usize = 1_000;
/// The longest run, in virtual time.
pub const LENGTH_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Nodes times seconds of a run: some minutes of computing at the usual pace.
pub const NODE_SECONDS_MAX: u64 = 1_000_000;
/// Events of a run: the same for a network that says more than usual.
pub const EVENTS_MAX: u64 = 100_000_000;
/// How often a watcher is asked, in events.
const WATCH_EVERY: u64 = 4_096;

/// What is played.
#[derive(Debug, Clone)]
pub struct Experiment {
    pub script: Script,
    pub settings: Settings,
    /// When the first node starts: the luck of a run depends on it.
    pub epoch: Time,
    /// `None`: until the last line is done or decided.
    pub length: Option<Duration>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    pub figures: Figures,
    /// What came of the lines of the scenario.
    pub summary: Summary,
}

/// What came of a run without figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedRun {
    /// From the beginning to the end, in virtual time.
    pub lasted: Duration,
    /// What came of the lines of the scenario.
    pub summary: Summary,
}

/// Follows a run while it is played.
pub trait Watcher {
    /// Whether to go on. `played`: virtual time since the beginning.
    fn goes_on(&mut self, played: Duration) -> bool;

    /// Each event, for those who want more than figures.
    fn event(&mut self, _event: &Event) {}
}

/// Nobody follows.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn goes_on(&mut self, _played: Duration) -> bool {
        true
    }
}

/// Why there are no figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error("it has {nodes} nodes, and a rerun takes {NODES_MAX} at most")]
    TooManyNodes { nodes: usize },
    #[error(
        "it takes {} with {nodes} nodes, and a rerun takes {} at most, and nodes times seconds {NODE_SECONDS_MAX} at \
         most: make it shorter", humantime::format_duration(*length), humantime::format_duration(LENGTH_MAX)
    )]
    TooLong { length: Duration, nodes: usize },
    #[error("it makes more than {EVENTS_MAX} events: make it shorter, or its intervals longer")]
    TooManyEvents,
    /// Whoever watches has had enough.
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Experiment {
    /// Of this script with these settings, as `--virtual` plays it.
    pub const fn of_script(script: Script, settings: Settings) -> Self {
        Self { script, settings, epoch: EPOCH, length: None }
    }

    /// How long it takes, in virtual time.
    pub fn lasts(&self) -> Duration {
        self.length.unwrap_or_else(|| self.script.length())
    }

    /// Whether it can be played within the limits.
    pub fn check(&self) -> Result<(), RunError> {
        let (nodes, length) = (self.script.seeds.saturating_add(self.script.peers), self.lasts());
        if nodes > NODES_MAX {
            return Err(RunError::TooManyNodes { nodes });
        }
        let node_seconds = length.as_secs().saturating_mul(nodes as u64);
        if length > LENGTH_MAX || node_seconds > NODE_SECONDS_MAX {
            return Err(RunError::TooLong { length: Duration::from_secs(length.as_secs()), nodes });
        }
        Ok(())
    }

    /// Plays it, and folds it into figures.
    pub fn play(self, watcher: &mut impl Watcher) -> Result<RunOutcome, RunError> {
        let mut figured = FiguredRun { fold: FiguresFold::new(Precision::Microseconds), watcher };
        let PlayedRun { lasted, summary } = self.watch(&mut figured)?;
        Ok(RunOutcome { figures: figured.fold.finish(lasted), summary })
    }

    /// Plays it for a watcher that folds the events itself.
    pub fn watch(self, watcher: &mut impl Watcher) -> Result<PlayedRun, RunError> {
        self.check()?;
        let Self { script, settings, epoch, length } = self;
        let (mut run, mut events) = (Run::new(script), 0_u64);
        let listener = |piece: Piece<'_>| {
            let Piece::Event(event) = piece else { return Ok(()) };
            events += 1;
            if events > EVENTS_MAX {
                return Err(RunError::TooManyEvents);
            }
            if events.is_multiple_of(WATCH_EVERY) && !watcher.goes_on(event.at.since(epoch)) {
                return Err(RunError::Interrupted);
            }
            watcher.event(event);
            Ok(())
        };
        let sink = ScenarioSink::new(&mut run, listener);
        let over = play(VirtualEngine::with_sink(settings, epoch, sink), length)?;
        let lasted = length.unwrap_or_else(|| over.since(epoch));
        Ok(PlayedRun { lasted, summary: run.summary() })
    }
}

/// A run that is folded into figures besides.
struct FiguredRun<'a, W> {
    fold: FiguresFold,
    watcher: &'a mut W,
}

impl<W: Watcher> Watcher for FiguredRun<'_, W> {
    fn goes_on(&mut self, played: Duration) -> bool {
        self.watcher.goes_on(played)
    }

    fn event(&mut self, event: &Event) {
        self.watcher.event(event);
        self.fold.take(event);
    }
}
