//! What is said when something is to be done to nodes that are only watched.

use super::scene::Scene;
use crate::command::{Command, FaultCommand, grammar};
use crate::proto::addr::Addr;

/// Why nothing is done, and where it can be.
pub(crate) fn refusal(scene: &Scene, command: Option<&Command>) -> String {
    let name = |addr| scene.live.name_of(addr).into_owned();
    let Some((command, node)) = command.and_then(|command| Some((command, subject(command)?))) else {
        return "watch only shows: give commands in the window of a session, start nodes in a new terminal".to_owned();
    };
    let (text, node_name) = (grammar::text(command, &name), name(node));
    match scene.watched.iter().find(|session| session.nodes.contains(&node)) {
        Some(session) if session.is_running => {
            format!("watch only shows: run '{text}' in the window of {node_name}'s session {}", session.name)
        }
        Some(session) => format!("watch only shows, and {node_name}'s session {} has ended", session.name),
        None => format!("watch only shows, and {node_name} runs in no session that is watched"),
    }
}

/// The node that does it.
const fn subject(command: &Command) -> Option<Addr> {
    match command {
        Command::Kill(node)
        | Command::Hang(node)
        | Command::Restart(node)
        | Command::Cut { node, .. }
        | Command::Heal { node, .. }
        | Command::Say { node, .. }
        | Command::Fault(FaultCommand::Lie { liar: node, .. }) => Some(*node),
        Command::Start(_) | Command::StartLab { .. } | Command::Fault(_) | Command::Quit => None,
    }
}
