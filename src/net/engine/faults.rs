//! The faults of a session: the engine keeps the table and tells the nodes.

use std::sync::Arc;

use super::Engine;
use super::junk::JunkSource;
use crate::command::FaultCommand;
use crate::engine::Refusal;
use crate::net::failure::CommandError;
use crate::net::node::Handle;
use crate::net::node_faults::FaultView;
use crate::net::sources::Control;
use crate::proto::addr::Addr;
use crate::proto::machine::NodeCommand;

impl Engine {
    pub(super) async fn fault(&mut self, command: FaultCommand) -> Result<(), CommandError> {
        let mut table = self.faults.clone();
        let changes = table.apply(&command, &self.table).map_err(Refusal::from)?;
        if let FaultCommand::Lie { liar, about } = command {
            return self.tell_peer(liar, NodeCommand::Lie(about)).await;
        }
        self.faults = table;
        let now = self.defaults.clock.now();
        self.publish_all(changes.into_iter().map(|change| change.into_event(now)).collect());
        self.tell_all().await;
        self.set_junk_sources();
        if command == FaultCommand::Calm {
            for remedy in self.table.remedies() {
                // What failed was published, and keeps nobody else from coming back.
                let _ = Box::pin(self.apply(remedy)).await;
            }
        }
        Ok(())
    }

    /// What a node is told of the faults.
    pub(super) fn view(&self) -> Arc<FaultView> {
        Arc::new(FaultView { table: self.faults.clone(), ours: self.table.iter().map(|(addr, _)| addr).collect() })
    }

    /// Whoever runs is to know who else is one of ours, while there are faults.
    pub(super) async fn tell_of_newcomers(&mut self) {
        if !self.faults.is_empty() {
            self.tell_all().await;
            self.set_junk_sources();
        }
    }

    async fn tell_all(&self) {
        let view = self.view();
        for addr in self.running() {
            self.control(addr, Control::Faults(Arc::clone(&view))).await;
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

    fn set_junk_sources(&mut self) {
        for (addr, _) in self.table.iter() {
            let pause = self.faults.junk_pause_of(addr);
            if self.junk_sources.get(&addr).map(JunkSource::pause) == pause {
                continue;
            }
            self.junk_sources.remove(&addr);
            if let Some(pause) = pause {
                let seed = super::derive_seed(self.defaults.rng_seed, addr, u64::MAX);
                self.junk_sources.insert(addr, JunkSource::new(addr, pause, seed));
            }
        }
    }
}
