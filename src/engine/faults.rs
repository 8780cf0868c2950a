//! What a user does to the network: which nodes meet which faults, and how all faults end.

use std::sync::Arc;

use super::fault::FaultView;
use super::{Effect, Engine, Publication, Refusal, Sites};
use crate::command::{Command, FaultCommand};
use crate::event::{FaultEvent, NodeState};
use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultClass, Scope};
use crate::proto::machine::NodeCommand;

impl Engine {
    pub(super) fn fault<S: Sites>(
        &mut self,
        command: &FaultCommand,
        sites: &mut S,
        effects: &mut Vec<Effect<S::Site>>,
    ) -> Result<(), Refusal> {
        let mut table = (*self.view.table).clone();
        let changes = table.apply(command, &self.nodes)?;
        if let FaultCommand::Lie { liar, about } = command {
            effects.push(Effect::Tell(*liar, NodeCommand::Lie(*about)));
        }
        if !changes.is_empty() {
            self.view = Arc::new(FaultView::new(Arc::new(table), self.nodes.addrs_from(0)));
            self.meet(&changes, effects);
        }
        if *command == FaultCommand::Calm {
            for remedy in self.remedies() {
                // A remedy that fails is published, and keeps no other node from coming back.
                effects.extend(self.apply(&remedy, sites).effects);
            }
        }
        Ok(())
    }

    /// All running nodes meet the faults; a wrong clock and junk concern only the nodes that they
    /// name.
    fn meet<S>(&self, changes: &[FaultEvent], effects: &mut Vec<Effect<S>>) {
        let told = changes.iter().map(|change| {
            let node = change.fault().map_or(Addr::loopback(0), Fault::subject);
            Publication { node, kind: change.clone().into() }
        });
        effects.push(Effect::Publish(told.collect()));
        effects.push(Effect::Faults(Arc::clone(&self.view)));
        for node in self.nodes_at(changes, FaultClass::Skew) {
            if self.nodes.state(node) == Some(NodeState::Runs) {
                effects.push(Effect::Tell(node, NodeCommand::Skew(self.view.table.skew_us(node))));
            }
        }
        for node in self.nodes_at(changes, FaultClass::Junk) {
            effects.push(Effect::Junk { node, pause: self.view.table.junk_pause_of(node) });
        }
    }

    /// The nodes of ours for which faults of this kind have changed, in order, each once.
    fn nodes_at(&self, changes: &[FaultEvent], kind: FaultClass) -> Vec<Addr> {
        let scopes = changes.iter().filter_map(FaultEvent::fault).filter(|fault| fault.what.class() == kind);
        let scopes: Vec<&Scope> = scopes.map(|fault| &fault.on).collect();
        match scopes[..] {
            [] => Vec::new(),
            [Scope::Node(node)] => vec![*node].into_iter().filter(|node| self.nodes.get(*node).is_some()).collect(),
            _ => self.nodes.addrs_from(0).filter(|node| scopes.iter().any(|scope| scope.is_at(*node))).collect(),
        }
    }

    /// What is left to do to calm the network when the table is clear: hung and killed nodes
    /// restart, and links that were cut are healed. A node that left wanted to go.
    pub(super) fn remedies(&self) -> Vec<Command> {
        // A hung node forgets its cuts when it restarts.
        let cuts = self.cuts.iter().filter(|(node, _)| self.nodes.state(*node) == Some(NodeState::Runs));
        let heals = cuts.map(|(node, peer)| Command::Heal { node: *node, peer: *peer });
        let has_fallen = |state| match state {
            NodeState::Hangs | NodeState::Killed => true,
            NodeState::Runs | NodeState::Left => false,
        };
        let fallen = self.nodes.iter().filter(|(_, entry)| has_fallen(entry.state));
        heals.chain(fallen.map(|(node, _)| Command::Restart(node))).collect()
    }
}
