//! The nodes of this process, from the first start to the last goodbye.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::failure::Failure;
use super::plan::Begin;
use super::settings::NodeSettings;
use super::signals::{Asked, Signals};
use crate::clock::Clock;
use crate::command::Command;
use crate::feed::Tap;
use crate::net::{Defaults, Engine};

/// Commands that wait for the engine: more than a user types while it starts a lab.
const COMMANDS_MAX: usize = 64;

/// The nodes of this process. Dropping this ends them at once.
pub(crate) struct Nodes {
    commands: mpsc::Sender<Command>,
    engine: JoinHandle<()>,
}

/// How the nodes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All said goodbye.
    Polite,
    /// A second signal did not wait for that.
    AtOnce(Asked),
}

impl Nodes {
    /// Starts what is to run from the beginning. Events go to all of these taps.
    pub(crate) async fn start(
        begin: &Begin,
        settings: &NodeSettings,
        clock: Clock,
        taps: Vec<Tap>,
    ) -> Result<Self, Failure> {
        let mut engine = Engine::new(defaults(settings, clock), taps);
        match begin {
            Begin::Choice { .. } | Begin::Recording(_) => {}
            Begin::Lab { seeds, peers } => drop(engine.start_lab(*seeds, *peers).await?),
            Begin::Node(spec) => drop(engine.start(spec.clone()).await?),
        }
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        Ok(Self { commands, engine: tokio::spawn(engine.run(queue)) })
    }

    /// Has the engine do something.
    pub(crate) async fn command(&self, command: Command) {
        // An engine that has ended has no nodes left to command.
        let _ = self.commands.send(command).await;
    }

    /// All nodes say goodbye and stop, unless the user insists before they have.
    pub(crate) async fn leave(mut self, signals: &mut Signals) -> Ending {
        self.command(Command::Quit).await;
        tokio::select! {
            _ = &mut self.engine => Ending::Polite,
            asked = signals.insisted() => Ending::AtOnce(asked),
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

fn defaults(settings: &NodeSettings, clock: Clock) -> Defaults {
    // A new seed each time: no two sessions start in the same microsecond on one machine.
    let rng_seed = settings.rng_seed.unwrap_or_else(|| clock.epoch().as_micros() ^ u64::from(std::process::id()) << 48);
    Defaults { peer: settings.peer.clone(), seed: settings.seed.clone(), rng_seed, clock }
}

/// Waits this long; `None`: for ever.
pub(crate) async fn pass(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}
