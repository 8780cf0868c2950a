//! The faults of a session, and which ones a user can have.

use std::time::Duration;

use crate::command::FaultCommand;
use crate::engine::NodeTable;
use crate::event::{FaultError, FaultEvent};
use crate::proto::addr::Addr;
use crate::proto::fault::{Amount, Fault, FaultClass, FaultId, FaultKind, Scope};
use crate::proto::name::name_order;

/// Faults at one time: more than anybody keeps in mind, and each message passes all of them.
const FAULTS_MAX: usize = 256;

/// The faults of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultTable {
    active: Vec<(FaultId, Fault)>,
    /// Faults that were set so far.
    count: u64,
}

impl FaultTable {
    /// In the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.numbered().map(|(_, fault)| fault)
    }

    /// The same, with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (FaultId, &Fault)> {
        self.active.iter().map(|(id, fault)| (*id, fault))
    }

    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Nothing passes between these two.
    pub fn is_cut(&self, one: Addr, other: Addr) -> bool {
        self.iter().any(|fault| fault.what == FaultKind::Cut && fault.on.is_between(one, other))
    }

    /// How far a node's clock is ahead, in microseconds.
    pub fn skew_us(&self, node: Addr) -> i64 {
        let ahead = self.amounts_at(node, FaultClass::Skew).map(|amount| match amount {
            Amount::Offset(by_us) => by_us,
            Amount::Span(_) | Amount::Percent(_) | Amount::PerSecond(_) => 0,
        });
        ahead.fold(0, i64::saturating_add)
    }

    /// How long a node takes to read a message; `None`: no time.
    pub fn pause_of(&self, node: Addr) -> Option<Duration> {
        self.slowest(node, FaultClass::Slow)
    }

    /// The time between two connections of junk to a node; `None`: there is no junk.
    pub fn junk_pause_of(&self, node: Addr) -> Option<Duration> {
        self.slowest(node, FaultClass::Junk)
    }

    fn slowest(&self, node: Addr, kind: FaultClass) -> Option<Duration> {
        let rates = self.amounts_at(node, kind).filter_map(|amount| match amount {
            Amount::PerSecond(rate) => Some(rate),
            Amount::Span(_) | Amount::Percent(_) | Amount::Offset(_) => None,
        });
        rates.min().map(|per_s| Duration::from_secs(1) / per_s.max(1))
    }

    /// The amounts of the faults of this kind that concern the node as a whole.
    fn amounts_at(&self, node: Addr, kind: FaultClass) -> impl Iterator<Item = Amount> {
        let at = self.iter().filter(move |fault| fault.on.is_at(node) && fault.what.class() == kind);
        at.flat_map(|fault| fault.what.amounts())
    }

    /// Applies the command, and returns the changes. A lie is not in the table and is only checked.
    pub fn apply(&mut self, command: &FaultCommand, nodes: &NodeTable) -> Result<Vec<FaultEvent>, FaultError> {
        match command {
            FaultCommand::Set(fault) => self.set(fault, nodes),
            FaultCommand::Clear { kind, on } => self.clear(*kind, on, nodes),
            FaultCommand::HealPartitions => {
                let healed = self.remove(Fault::is_partition);
                if healed.is_empty() { Err(FaultError::None { what: "partition".to_owned() }) } else { Ok(healed) }
            }
            FaultCommand::HealAll => Ok(self.remove(|fault| fault.what == FaultKind::Cut)),
            FaultCommand::Lie { liar, about } if liar == about => Err(itself(*liar, nodes)),
            FaultCommand::Lie { liar, .. } => check_up(*liar, nodes).map(|()| Vec::new()),
            FaultCommand::Calm => Ok(self.remove(|_| true)),
        }
    }

    fn set(&mut self, fault: &Fault, nodes: &NodeTable) -> Result<Vec<FaultEvent>, FaultError> {
        check(fault, nodes)?;
        let mut changes = self.remove(|other| fault.replaces(other));
        if self.active.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany { most: FAULTS_MAX });
        }
        self.count += 1;
        let id = FaultId(self.count);
        self.active.push((id, fault.clone()));
        changes.push(FaultEvent::Set { id: Some(id), fault: fault.clone() });
        Ok(changes)
    }

    fn clear(&mut self, kind: FaultClass, on: &Scope, nodes: &NodeTable) -> Result<Vec<FaultEvent>, FaultError> {
        let cleared = self.remove(|fault| fault.what.class() == kind && fault.on == *on);
        if cleared.is_empty() {
            let place = on.text(&|node| nodes.name(node));
            return Err(FaultError::None { what: format!("{}{place}", kind.row().word) });
        }
        Ok(cleared)
    }

    fn remove(&mut self, gone: impl Fn(&Fault) -> bool) -> Vec<FaultEvent> {
        let cleared = self.active.extract_if(.., |(_, fault)| gone(fault));
        cleared.map(|(id, fault)| FaultEvent::Cleared { id: Some(id), fault }).collect()
    }
}

fn check(fault: &Fault, nodes: &NodeTable) -> Result<(), FaultError> {
    match &fault.on {
        Scope::All => Ok(()),
        // Traffic between us and a node elsewhere meets faults at our end; the node itself is not
        // ours to change.
        Scope::Node(node) if hinders_messages(fault.what) && nodes.state(*node).is_none() => Ok(()),
        Scope::Node(node) => check_up(*node, nodes),
        Scope::Link(one, other) if one == other => Err(itself(*one, nodes)),
        Scope::Link(one, other) => check_link(*one, *other, nodes),
        Scope::Border(inside) if inside.is_empty() => Err(FaultError::Nobody),
        Scope::Border(inside) => {
            check_all_up(inside, nodes)?;
            let all_inside = nodes.up().all(|node| inside.binary_search(&node).is_ok());
            if all_inside { Err(FaultError::Everybody) } else { Ok(()) }
        }
    }
}

/// A cut is more than that: a cut-off node elsewhere is treated as dead here.
fn hinders_messages(what: FaultKind) -> bool {
    what.class().row().meets_messages && what != FaultKind::Cut
}

/// At least one end is ours, and neither is gone.
fn check_link(one: Addr, other: Addr, nodes: &NodeTable) -> Result<(), FaultError> {
    match (nodes.state(one), nodes.state(other)) {
        (None, _) => check_up(other, nodes),
        (_, None) => check_up(one, nodes),
        (Some(_), Some(_)) => check_all_up(&[one, other], nodes),
    }
}

/// Of several that are down, the refusal names the first by name, wherever they listen.
fn check_all_up(ends: &[Addr], nodes: &NodeTable) -> Result<(), FaultError> {
    let down = ends.iter().filter(|node| check_up(**node, nodes).is_err());
    let first = down.min_by_key(|node| name_order(&nodes.name(**node)));
    first.map_or(Ok(()), |node| check_up(*node, nodes))
}

fn check_up(node: Addr, nodes: &NodeTable) -> Result<(), FaultError> {
    match nodes.state(node) {
        Some(state) if state.is_up() => Ok(()),
        Some(_) => Err(FaultError::Gone { name: nodes.name(node) }),
        None => Err(FaultError::Elsewhere { name: nodes.name(node) }),
    }
}

fn itself(node: Addr, nodes: &NodeTable) -> FaultError {
    FaultError::Itself { name: nodes.name(node) }
}
