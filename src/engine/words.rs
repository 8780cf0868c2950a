//! A failed command in words.

use super::{Engine, Publication, Refusal};
use crate::command::grammar;
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::event::{EventKind, NodeEvent};
use crate::proto::addr::Addr;

impl Engine {
    /// The event is at the node that the command is about; without one, at the address that was
    /// asked for, or at `127.0.0.1:0`.
    pub(super) fn failed(&self, command: &Command, refusal: &Refusal) -> Publication {
        let what = describe(command, &|node| self.nodes.name(node));
        let node = subject(command).unwrap_or(Addr::loopback(0));
        Publication { node, kind: EventKind::Node(NodeEvent::Failed { what, why: refusal.to_string() }) }
    }
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

/// What was wanted, for `Failed` events.
fn describe(command: &Command, name: &dyn Fn(Addr) -> String) -> String {
    match command {
        Command::Start(spec) => format!("start a {}", spec.role),
        Command::StartLab { seeds, peers } => format!("start a lab of {seeds} seeds and {peers} peers"),
        Command::Kill(node) => format!("kill {node}"),
        Command::Hang(node) => format!("hang {node}"),
        Command::Restart(node) => format!("restart {node}"),
        Command::Cut { node, peer } => format!("cut {node} from {peer}"),
        Command::Heal { node, peer } => format!("link {node} to {peer} again"),
        Command::Say { node, .. } => format!("send a message from {node}"),
        Command::Fault(_) | Command::Quit => grammar::text(command, name),
    }
}
