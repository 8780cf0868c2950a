//! The faults of a session: the engine keeps the table and tells the nodes.

use std::sync::Arc;

use super::Engine;
use super::vandal::Vandal;
use crate::command::FaultCommand;
use crate::net::failure::CommandError;
use crate::net::node::{Control, Handle};
use crate::net::trouble::Situation;
use crate::proto::addr::Addr;
use crate::proto::machine::NodeCommand;
use crate::roster::Refusal;

impl Engine {
    pub(super) async fn fault(&mut self, command: FaultCommand) -> Result<(), CommandError> {
        let mut table = self.faults.clone();
        let changes = table.apply(&command, &self.roster).map_err(Refusal::from)?;
        if let FaultCommand::Lie { liar, about } = command {
            return self.tell_peer(liar, NodeCommand::Lie(about)).await;
        }
        self.faults = table;
        let now = self.defaults.clock.now();
        self.publish_all(changes.into_iter().map(|change| change.into_event(now)).collect());
        self.tell_all().await;
        self.set_vandals();
        if command == FaultCommand::Calm {
            for remedy in self.roster.remedies() {
                // What failed was published, and keeps nobody else from coming back.
                let _ = Box::pin(self.apply(remedy)).await;
            }
        }
        Ok(())
    }

    /// What a node is told of the faults.
    pub(super) fn situation(&self) -> Arc<Situation> {
        Arc::new(Situation { table: self.faults.clone(), ours: self.roster.iter().map(|(addr, _)| addr).collect() })
    }

    /// Whoever runs is to know who else is one of ours, while there are faults.
    pub(super) async fn tell_of_newcomers(&mut self) {
        if !self.faults.is_empty() {
            self.tell_all().await;
            self.set_vandals();
        }
    }

    async fn tell_all(&self) {
        let situation = self.situation();
        for addr in self.running() {
            self.control(addr, Control::Faults(Arc::clone(&situation))).await;
            self.control(addr, self.clock_of(addr)).await;
        }
    }

    /// A node that starts with a wrong clock.
    pub(super) fn set_clock(&self, addr: Addr, handle: &Handle) {
        if self.faults.skew_us(addr) != 0 {
            // The queue of a node that has just been made has room.
            let _ = handle.control.try_send(self.clock_of(addr));
        }
    }

    fn clock_of(&self, addr: Addr) -> Control {
        Control::Command(NodeCommand::Skew(self.faults.skew_us(addr)))
    }

    fn set_vandals(&mut self) {
        for (addr, _) in self.roster.iter() {
            let pause = self.faults.junk_pause_of(addr);
            if self.vandals.get(&addr).map(Vandal::pause) == pause {
                continue;
            }
            self.vandals.remove(&addr);
            if let Some(pause) = pause {
                let seed = super::derive_seed(self.defaults.rng_seed, addr, u64::MAX);
                self.vandals.insert(addr, Vandal::new(addr, pause, seed));
            }
        }
    }
}
