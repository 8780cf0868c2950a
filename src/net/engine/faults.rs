//! The faults of a session: the engine keeps the table and tells the nodes.

use std::sync::Arc;

use super::{Engine, State};
use crate::command::FaultCommand;
use crate::fault::{Roster, Standing};
use crate::net::failure::CommandError;
use crate::net::node::Control;
use crate::proto::addr::Addr;
use crate::proto::fault::TroubleKind;
use crate::proto::machine::NodeCommand;

impl Roster for Engine {
    fn standing(&self, node: Addr) -> Standing {
        match self.nodes.get(&node).map(|slot| &slot.state) {
            Some(State::Running(_) | State::Hung(_)) => Standing::Ours,
            Some(State::Killed { .. } | State::Left) => Standing::Gone,
            None => Standing::Elsewhere,
        }
    }

    fn ours(&self) -> Vec<Addr> {
        self.nodes.keys().copied().filter(|node| self.standing(*node) == Standing::Ours).collect()
    }

    fn name(&self, node: Addr) -> String {
        self.nodes.get(&node).map_or_else(|| node.to_string(), |slot| slot.name.clone())
    }
}

impl Engine {
    pub(super) async fn fault(&mut self, command: FaultCommand) -> Result<(), CommandError> {
        for slot in self.nodes.values_mut() {
            slot.settle();
        }
        let mut table = (*self.faults).clone();
        let changes = table.apply(&command, self)?;
        if let FaultCommand::Lie { liar, about } = command {
            return self.tell_peer(liar, NodeCommand::Lie(about)).await;
        }
        self.faults = Arc::new(table);
        let clocks = changes.iter().any(|change| change.fault().what.kind() == TroubleKind::Skew);
        let now = self.defaults.clock.now();
        self.publish_all(changes.into_iter().map(|change| change.into_event(now)).collect());
        if clocks {
            self.set_clocks().await;
        }
        Ok(())
    }

    async fn set_clocks(&self) {
        for (addr, slot) in &self.nodes {
            if let State::Running(handle) = &slot.state {
                let skew = Control::Command(NodeCommand::Skew(self.faults.skew_us(*addr)));
                // One whose task has just died has no clock.
                let _ = handle.control.send(skew).await;
            }
        }
    }
}
