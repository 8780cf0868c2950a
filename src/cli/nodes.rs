//! The nodes of this process, from the first start to the last goodbye.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::plan::{Begin, EngineKind, Plan};
use super::settings::NodeSettings;
use super::virtual_time::{self, CheckedPublisher};
use crate::clock::Clock;
use crate::command::Command;
use crate::engine::Refusal;
use crate::feed::Tap;
use crate::net::SocketEngine;
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

impl RunningNodes {
    /// Starts what is to run from the beginning. Events go to all of these taps.
    pub(crate) async fn start(plan: &Plan, clock: Clock, taps: Vec<Tap>) -> Result<Self, Refusal> {
        let nodes = Self::new(plan, &plan.node, clock, taps);
        let command = match &plan.begin {
            Begin::Choice { .. } | Begin::Recording(_) | Begin::Watch => return Ok(nodes),
            Begin::Lab { seeds, peers } => Command::StartLab { seeds: *seeds, peers: *peers },
            Begin::Node(spec) => Command::Start(spec.clone()),
        };
        nodes.command(command).await.wait().await?;
        Ok(nodes)
    }

    /// An engine without nodes, of the kind that the plan wants; nodes will have these settings.
    pub(crate) fn new(plan: &Plan, settings: &NodeSettings, clock: Clock, taps: Vec<Tap>) -> Self {
        let (requests, queue) = mpsc::channel(COMMANDS_MAX);
        let engine = match plan.world {
            EngineKind::Sockets => tokio::spawn(on_sockets(plan, settings, clock, taps).run(queue)),
            EngineKind::Virtual => {
                let publisher = CheckedPublisher::new(taps, settings.seed.dead_policy);
                let network = settings.network(settings.rng_seed_or_new(clock), settings.peer.utc_offset_s);
                let engine = sim::VirtualEngine::with_sink(network, clock.now(), publisher);
                tokio::spawn(virtual_time::keep_pace(engine, clock, queue))
            }
        };
        Self { requests, engine }
    }

    /// A sender for somebody else who gives commands.
    pub(crate) fn requests(&self) -> mpsc::Sender<Request> {
        self.requests.clone()
    }

    /// Sends the engine a command.
    pub(crate) async fn command(&self, command: Command) -> Response {
        let (request, answer) = Request::new(command);
        // An engine that has ended has no nodes left to command.
        let _ = self.requests.send(request).await;
        answer
    }

    /// All nodes say goodbye and stop, unless the user insists first: the error.
    pub(crate) async fn leave(mut self, signals: &mut StopSignals) -> Result<(), StopSignal> {
        drop(self.command(Command::Quit).await);
        tokio::select! {
            _ = &mut self.engine => Ok(()),
            asked = signals.insisted() => Err(asked),
        }
    }
}

impl Drop for RunningNodes {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

fn on_sockets(plan: &Plan, settings: &NodeSettings, clock: Clock, taps: Vec<Tap>) -> SocketEngine {
    let network = settings.network(settings.rng_seed_or_new(clock), settings.peer.utc_offset_s);
    let engine = SocketEngine::new(network, clock, taps);
    match &plan.begin {
        Begin::Choice { no_seeds: Some(why), .. } => engine.without_seed_list(why.clone()),
        Begin::Choice { no_seeds: None, .. }
        | Begin::Lab { .. }
        | Begin::Node(_)
        | Begin::Recording(_)
        | Begin::Watch => engine,
    }
}

/// Waits this long; `None`: forever.
pub(crate) async fn pass(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}
