//! The nodes of this process, from the first start to the last goodbye.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::failure::Failure;
use super::plan::{Begin, EngineKind};
use super::settings::NodeSettings;
use super::values::RNG_SEED_MAX;
use super::virtual_time::{self, CheckedPublisher};
use crate::clock::Clock;
use crate::command::Command;
use crate::feed::Tap;
use crate::net::{Defaults, Engine};
use crate::platform::{StopSignal, StopSignals};
use crate::request::{Request, Response};
use crate::sim;

/// Commands that wait for the engine: more than a user types while it starts a lab.
const COMMANDS_MAX: usize = 64;

/// The nodes of this process. Dropping this ends them at once.
pub(crate) struct RunningNodes {
    requests: mpsc::Sender<Request>,
    engine: JoinHandle<()>,
}

/// How the nodes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownKind {
    /// All said goodbye.
    Polite,
    /// A second signal did not wait for that.
    AtOnce(StopSignal),
}

impl RunningNodes {
    /// Starts what is to run from the beginning. Events go to all of these taps.
    pub(crate) async fn start(
        begin: &Begin,
        world: EngineKind,
        settings: &NodeSettings,
        clock: Clock,
        taps: Vec<Tap>,
    ) -> Result<Self, Failure> {
        match world {
            EngineKind::Sockets => Self::on_sockets(begin, settings, clock, taps).await,
            EngineKind::Virtual => Self::in_virtual_time(begin, settings, clock, taps),
        }
    }

    /// The same in virtual time, at the pace of the clock.
    fn in_virtual_time(begin: &Begin, settings: &NodeSettings, clock: Clock, taps: Vec<Tap>) -> Result<Self, Failure> {
        let offset = settings.peer.utc_offset_s;
        let defaults = virtual_time::defaults(settings, rng_seed(settings, clock), clock.now(), offset);
        let publisher = CheckedPublisher::new(taps, settings.seed.dead_policy);
        let mut engine = sim::Engine::with_sink(defaults, publisher);
        match begin {
            Begin::Choice { .. } | Begin::Recording(_) => {}
            Begin::Lab { seeds, peers } => drop(engine.start_lab(*seeds, *peers)?),
            Begin::Node(spec) => drop(engine.start(spec)?),
        }
        let (requests, queue) = mpsc::channel(COMMANDS_MAX);
        Ok(Self { requests, engine: tokio::spawn(virtual_time::keep_pace(engine, clock, queue)) })
    }

    async fn on_sockets(begin: &Begin, settings: &NodeSettings, clock: Clock, taps: Vec<Tap>) -> Result<Self, Failure> {
        let mut engine = Engine::new(defaults(settings, clock), taps);
        match begin {
            Begin::Choice { .. } | Begin::Recording(_) => {}
            Begin::Lab { seeds, peers } => drop(engine.start_lab(*seeds, *peers).await?),
            Begin::Node(spec) => drop(engine.start(spec.clone()).await?),
        }
        let (requests, queue) = mpsc::channel(COMMANDS_MAX);
        Ok(Self { requests, engine: tokio::spawn(engine.run(queue)) })
    }

    /// For somebody else who commands.
    pub(crate) fn requests(&self) -> mpsc::Sender<Request> {
        self.requests.clone()
    }

    /// Has the engine do something.
    pub(crate) async fn command(&self, command: Command) -> Response {
        let (request, answer) = Request::new(command);
        // An engine that has ended has no nodes left to command.
        let _ = self.requests.send(request).await;
        answer
    }

    /// All nodes say goodbye and stop, unless the user insists before they have.
    pub(crate) async fn leave(mut self, signals: &mut StopSignals) -> ShutdownKind {
        drop(self.command(Command::Quit).await);
        tokio::select! {
            _ = &mut self.engine => ShutdownKind::Polite,
            asked = signals.insisted() => ShutdownKind::AtOnce(asked),
        }
    }
}

impl Drop for RunningNodes {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

fn defaults(settings: &NodeSettings, clock: Clock) -> Defaults {
    let rng_seed = rng_seed(settings, clock);
    Defaults { peer: settings.peer.clone(), seed: settings.seed.clone(), rng_seed, clock }
}

/// What all random choices follow from: what the user set, or a new seed each time. No two sessions start in the same
/// microsecond on one machine. As far as a flag's numbers go, so that it can be given again.
pub(crate) fn rng_seed(settings: &NodeSettings, clock: Clock) -> u64 {
    let new = clock.epoch().as_micros() ^ u64::from(std::process::id()) << 48;
    settings.rng_seed.unwrap_or(new & RNG_SEED_MAX)
}

/// Waits this long; `None`: for ever.
pub(crate) async fn pass(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}
