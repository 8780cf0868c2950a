//! The event of a refused command.

use super::{Publication, Refusal};
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::event::{Attempt, NodeEvent};
use crate::proto::addr::Addr;

/// The event is at the node that the command is about; without one, at the address that was asked
/// for, or at `127.0.0.1:0`.
pub(super) fn failed(command: &Command, refusal: &Refusal) -> Publication {
    let node = subject(command).unwrap_or(Addr::loopback(0));
    Publication { node, kind: NodeEvent::failed(attempt(command), refusal.clone()).into() }
}

/// The node that a command is about, if it names one.
pub(super) fn subject(command: &Command) -> Option<Addr> {
    match command {
        Command::Start(NodeSpec { listen: Placement::At(addr) | Placement::Everywhere(addr), .. })
        | Command::Kill(addr)
        | Command::Hang(addr)
        | Command::Restart(addr)
        | Command::Cut { node: addr, .. }
        | Command::Heal { node: addr, .. }
        | Command::Say { node: addr, .. } => Some(*addr),
        Command::Fault(FaultCommand::Set(fault)) => Some(fault.subject()),
        Command::Fault(FaultCommand::Lie { liar, .. }) => Some(*liar),
        Command::Fault(
            FaultCommand::Clear { .. } | FaultCommand::HealPartitions | FaultCommand::HealAll | FaultCommand::Calm,
        )
        | Command::Start(NodeSpec { listen: Placement::Auto, .. })
        | Command::StartLab { .. }
        | Command::Quit => None,
    }
}

/// What a command wanted, as the event of its refusal names it.
pub fn attempt(command: &Command) -> Attempt {
    match command {
        Command::Start(spec) => Attempt::Start(spec.role),
        Command::StartLab { seeds, peers } => Attempt::StartLab { seeds: *seeds, peers: *peers },
        Command::Kill(node) => Attempt::Kill(*node),
        Command::Hang(node) => Attempt::Hang(*node),
        Command::Restart(node) => Attempt::Restart(*node),
        Command::Cut { node, peer } => Attempt::Cut { node: *node, peer: *peer },
        Command::Heal { node, peer } => Attempt::Heal { node: *node, peer: *peer },
        Command::Say { node, .. } => Attempt::Say(*node),
        Command::Fault(fault) => Attempt::Fault(fault.clone()),
        Command::Quit => Attempt::Quit,
    }
}
