//! What a command means, decided once for sockets, virtual time and the rehearsal of a scenario.
//!
//! [`Engine`] is a machine without IO. It knows the nodes of this process by name, address and
//! state, the lab, the faults that are set and the limits. [`Engine::apply`] decides a whole
//! command and returns [`Effect`]s or a [`Refusal`]; a refused command changes nothing. `net` and
//! `sim` carry the effects out, a rehearsal drops them. What must be known before deciding, such as
//! a free port of this machine, is asked through [`Sites`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod effect;
pub mod fault;
mod faults;
mod judge;
mod node_entry;
mod node_table;
mod refused;
mod sites;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use self::effect::{CommandOutcome, Effect, Goodbye, Publication};
use self::fault::FaultView;
pub use self::judge::judge_node;
pub use self::node_entry::NodeEntry;
pub use self::node_table::NodeTable;
pub use self::refused::attempt;
pub use self::sites::{Demand, Exposure, Place, SiteContext, Sites, VirtualSites};
use crate::command::Command;
use crate::command::limits::NetworkLimits;
use crate::event::{EventKind, NodeEvent, NodeState, Stop};
pub use crate::event::{Refusal, SiteError};
use crate::proto::addr::Addr;
use crate::proto::config::{PeerConfig, SeedConfig};
use crate::proto::machine::NodeCommand;
use crate::proto::message::{Dialect, Role};
pub use crate::proto::name::NodeName;
use crate::proto::pacing::CLASSIC_WRITE_GAP;

/// How long the nodes of a classic network take to leave one after the other: a person waits this
/// long without wondering.
const LEAVES_TIME: Duration = Duration::from_secs(1);

/// Settings of the nodes of an engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Every peer's settings. `listen` is ignored; `seeds` counts if there is no lab.
    pub peer: PeerConfig,
    /// Every seed's settings; `listen` is ignored.
    pub seed: SeedConfig,
    /// Seed of all random choices of this session, latencies in virtual time included.
    pub rng_seed: u64,
}

impl Settings {
    /// Peers with these settings, and seeds beside them.
    pub fn of_peers(peer: PeerConfig, rng_seed: u64) -> Self {
        Self { seed: SeedConfig::beside(&peer), peer, rng_seed }
    }
}

/// Decides what commands mean, and does nothing.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    limits: NetworkLimits,
    /// What the latest peer began with.
    peer_config: PeerConfig,
    /// Why no seed list could be read, if that keeps nodes from starting.
    seed_list_missing: Option<String>,
    nodes: NodeTable,
    /// The lab's seeds, including those that were started later; `None` while there is no lab.
    lab: Option<Vec<Addr>>,
    /// The faults that are set, in the form that nodes get.
    view: Arc<FaultView>,
    /// Links to nodes elsewhere that were cut at our end (a cut between two of ours is a fault):
    /// the node of ours, and the other one.
    cuts: BTreeSet<(Addr, Addr)>,
}

impl Engine {
    pub fn new(settings: Settings, limits: NetworkLimits) -> Self {
        Self {
            peer_config: settings.peer.clone(),
            settings,
            limits,
            seed_list_missing: None,
            nodes: NodeTable::default(),
            lab: None,
            view: Arc::default(),
            cuts: BTreeSet::new(),
        }
    }

    /// Nodes are called by their addresses, unless the first ones are a lab's: there may be others of
    /// their network in other processes.
    #[must_use]
    pub fn by_address(self) -> Self {
        Self { nodes: NodeTable::by_address(), ..self }
    }

    /// There is no seed list, for this reason: nodes that need one are refused until there is a
    /// lab.
    #[must_use]
    pub fn without_seed_list(self, why: String) -> Self {
        Self { seed_list_missing: Some(why), ..self }
    }

    pub const fn nodes(&self) -> &NodeTable {
        &self.nodes
    }

    pub const fn fault_view(&self) -> &Arc<FaultView> {
        &self.view
    }

    /// Decides what this command means. A refused one changes nothing; its only effect is a
    /// `Failed` event.
    pub fn apply<S: Sites>(&mut self, command: &Command, sites: &mut S) -> CommandOutcome<S::Site> {
        let mut effects = Vec::new();
        let result = self.decide(command, sites, &mut effects);
        if let Err(refusal) = &result {
            effects.push(Effect::Publish(vec![refused::failed(command, refusal)]));
        }
        CommandOutcome { effects, result }
    }

    fn decide<S: Sites>(
        &mut self,
        command: &Command,
        sites: &mut S,
        effects: &mut Vec<Effect<S::Site>>,
    ) -> Result<(), Refusal> {
        self.judge(command)?;
        match command {
            Command::Start(spec) => self.start(spec, sites, effects)?,
            Command::StartLab { seeds, peers } => self.start_lab(*seeds, *peers, sites, effects)?,
            Command::Kill(node) => {
                self.end(*node);
                effects.push(Effect::Crash(*node));
            }
            Command::Hang(node) => {
                self.nodes.set_state(*node, NodeState::Hangs);
                effects.push(Effect::Hang(*node));
            }
            Command::Restart(node) => self.restart(*node, sites, effects)?,
            Command::Cut { node, peer } => {
                self.cuts.insert((*node, *peer));
                effects.push(Effect::Tell(*node, NodeCommand::Cut(*peer)));
            }
            Command::Heal { node, peer } => {
                self.cuts.remove(&(*node, *peer));
                effects.push(Effect::Tell(*node, NodeCommand::Heal(*peer)));
            }
            Command::Say { node, body } => effects.push(Effect::Tell(*node, NodeCommand::Say(body.clone()))),
            Command::Fault(fault) => self.fault(fault, sites, effects)?,
            Command::Quit => effects.push(self.quit()),
        }
        Ok(())
    }

    /// A node has ended by itself, which only a fault in this program does: it counts as killed.
    pub fn note_crash(&mut self, node: Addr) {
        if self.nodes.get(node).is_some_and(|entry| entry.state.is_up()) {
            self.end(node);
        }
    }

    /// A node that was to run again, and was said to, could not after all: it counts as killed.
    /// Returns what to publish.
    pub fn lose(&mut self, node: Addr, refusal: &Refusal) -> Vec<Publication> {
        self.note_crash(node);
        let stopped = Publication { node, kind: EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }) };
        vec![stopped, refused::failed(&Command::Restart(node), refusal)]
    }

    /// The node is gone, and its next life forgets its cuts.
    fn end(&mut self, node: Addr) {
        self.nodes.set_state(node, NodeState::Killed);
        self.forget_cuts(node);
    }

    fn forget_cuts(&mut self, node: Addr) {
        self.cuts.retain(|(cut, _)| *cut != node);
    }

    /// Running nodes leave in the order in which they were started; hung ones can only be crashed.
    fn quit<S>(&mut self) -> Effect<S> {
        let in_state = |wanted| self.nodes.iter().filter(move |(_, entry)| entry.state == wanted).map(|(addr, _)| addr);
        let crashes: Vec<Addr> = in_state(NodeState::Hangs).collect();
        let leaving: Vec<Addr> = in_state(NodeState::Runs).collect();
        let pause = self.pause_between_leaves(leaving.len());
        for node in &crashes {
            self.end(*node);
        }
        for node in &leaving {
            self.nodes.set_state(*node, NodeState::Left);
        }
        let goodbyes = (0_u32..).zip(leaving).map(|(nth, node)| Goodbye { node, after: pause * nth }).collect();
        Effect::Leave { goodbyes, crashes }
    }

    /// A Python node that loses two neighbors at once reports both in one piece, which kills the
    /// Python seed that reads it. So classic nodes leave one after the other, as far as time
    /// allows.
    fn pause_between_leaves(&self, nodes: usize) -> Duration {
        if !self.settings.peer.dialect.writes_apart() {
            return Duration::ZERO;
        }
        CLASSIC_WRITE_GAP.min(LEAVES_TIME / u32::try_from(nodes.max(1)).unwrap_or(u32::MAX))
    }

    /// The dialect of nodes of this role.
    pub fn dialect(&self, role: Role) -> Dialect {
        match role {
            Role::Peer => self.settings.peer.dialect,
            Role::Seed => self.settings.seed.dialect,
        }
    }
}
