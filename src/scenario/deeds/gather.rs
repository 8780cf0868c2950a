//! Commands that leave many marks at once: `heal` and `calm`.
//!
//! They end faults together, which is another thing than to end one after the other: in between,
//! what waits would meet those that are left.

use std::time::Duration;

use super::{DoneCommand, RecordedDeed, clearing};
use crate::command::{Command, FaultCommand};
use crate::model::Set;
use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultClass};
use crate::proto::time::Time;

/// What was done, with the marks of one command made one command again.
pub(super) fn gathered(deeds: &[RecordedDeed], together: Duration) -> Vec<DoneCommand> {
    let (mut network, mut told, mut rest) = (Broken::default(), Vec::new(), deeds);
    while let Some(first) = rest.first() {
        let is_now = |deed: &&RecordedDeed| deed.done.at.since(first.done.at) <= together;
        let clears = rest.iter().take_while(|deed| is_now(deed) && deed.cleared.is_some()).count();
        let restarts = rest[clears..].iter().take_while(|deed| is_now(deed) && deed.is_restart()).count();
        let (group, others) = rest.split_at((clears + restarts).max(1));
        for deed in group {
            network.take(deed);
        }
        told.extend(network.gather(group, clears));
        rest = others;
    }
    told
}

/// What is broken at a moment.
#[derive(Default)]
struct Broken {
    faults: Vec<Fault>,
    /// Nodes that were killed or hang.
    down: Set<Addr>,
}

impl Broken {
    fn take(&mut self, deed: &RecordedDeed) {
        match &deed.done.command {
            Command::Kill(node) | Command::Hang(node) => drop(self.down.insert(*node)),
            Command::Restart(node) => drop(self.down.swap_remove(node)),
            Command::Fault(FaultCommand::Set(fault)) => {
                self.faults.retain(|other| !fault.replaces(other));
                self.faults.push(fault.clone());
            }
            Command::Fault(_)
            | Command::Start(_)
            | Command::StartLab { .. }
            | Command::Cut { .. }
            | Command::Heal { .. }
            | Command::Say { .. }
            | Command::Quit => {}
        }
        if let Some(cleared) = &deed.cleared {
            self.faults.retain(|fault| fault != cleared);
        }
    }

    /// The commands of these deeds, the first `clears` of which end faults; the others follow at the
    /// same moment. They have been taken already.
    fn gather(&self, group: &[RecordedDeed], clears: usize) -> Vec<DoneCommand> {
        let Some(first) = group.first() else { return Vec::new() };
        let (cleared, others) = group.split_at(clears);
        let faults: Vec<&Fault> = cleared.iter().filter_map(|deed| deed.cleared.as_ref()).collect();
        let told = |deeds: &[RecordedDeed]| deeds.iter().map(|deed| deed.done.clone()).collect::<Vec<_>>();
        let at_once = |command| vec![DoneCommand { at: first.done.at, command: Command::Fault(command), node: None }];
        let is_cut = |fault: &Fault| fault.what.class() == FaultClass::Cut;
        let are_partitions = !faults.is_empty() && faults.iter().all(|fault| fault.is_partition());
        let are_cuts = faults.len() > 1 && faults.iter().all(|fault| is_cut(fault));
        let is_calm = self.faults.is_empty() && self.down.is_empty();
        let has_more = faults.len() > 1 || !others.is_empty();
        if are_partitions {
            [at_once(FaultCommand::HealPartitions), told(others)].concat()
        } else if are_cuts && !self.faults.iter().any(is_cut) {
            [at_once(FaultCommand::HealAll), told(others)].concat()
        } else if !faults.is_empty() && has_more && is_calm {
            at_once(FaultCommand::Calm)
        } else {
            told(group)
        }
    }
}

impl RecordedDeed {
    const fn is_restart(&self) -> bool {
        matches!(self.done.command, Command::Restart(_))
    }

    /// A fault ended.
    pub(super) fn clears(at: Time, fault: &Fault) -> Self {
        let done = DoneCommand { at, command: clearing(fault), node: None };
        Self { done, ends_hung: false, cleared: Some(fault.clone()) }
    }
}
