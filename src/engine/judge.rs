//! Whether a command can be carried out with the nodes as they are now, decided in one place. What
//! only the machine knows (a used port, file descriptors) is asked through [`Sites`](super::Sites).

use super::refused::subject;
use super::{Engine, NodeEntry, Refusal};
use crate::command::limits::BODY_LEN_MAX;
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::event::NodeState;
use crate::net::wire::classic_text_problem;
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};
use crate::proto::text::Body;

impl Engine {
    pub(super) fn judge(&self, command: &Command) -> Result<(), Refusal> {
        let node = subject(command).and_then(|addr| self.nodes.get(addr));
        judge_node(command, node)?;
        if let Command::Start(spec) = command {
            self.judge_start(spec)?;
        } else if let Command::StartLab { seeds, peers } = command {
            self.judge_lab(*seeds, *peers)?;
        } else if let Command::Say { body, .. } = command {
            judge_text(self.settings.peer.dialect, body)?;
        }
        Ok(())
    }

    fn judge_start(&self, spec: &NodeSpec) -> Result<(), Refusal> {
        match spec.listen {
            Placement::Auto => {}
            Placement::At(addr) | Placement::Everywhere(addr) => {
                // A node on all interfaces has a name of its own, and port 0 is any port.
                if !addr.ip().is_unspecified() && !addr.with_port(1).is_dialable() {
                    return Err(Refusal::NobodyThere(addr));
                }
                self.check_free(addr)?;
            }
        }
        self.judge_seed_list(spec)?;
        self.judge_room(spec.role, 1)
    }

    /// Fails if a node has, or had, this address.
    pub(super) fn check_free(&self, addr: Addr) -> Result<(), Refusal> {
        match self.nodes.get(addr) {
            Some(NodeEntry { name, state, .. }) => Err(Refusal::Taken { addr, name: *name, state: *state }),
            None => Ok(()),
        }
    }

    /// A peer registers with the listed seeds; a seed without an address takes one of theirs.
    fn judge_seed_list(&self, spec: &NodeSpec) -> Result<(), Refusal> {
        let needs_it = match spec.role {
            Role::Peer => true,
            Role::Seed => matches!(spec.listen, Placement::Auto),
        };
        match &self.seed_list_missing {
            Some(why) if needs_it && self.lab.is_none() => Err(Refusal::NoSeedList(why.clone())),
            Some(_) | None => Ok(()),
        }
    }

    fn judge_lab(&self, seeds: usize, peers: usize) -> Result<(), Refusal> {
        if self.lab.is_some() {
            return Err(Refusal::SecondLab);
        }
        for (count, role) in [(seeds, Role::Seed), (peers, Role::Peer)] {
            if count == 0 {
                return Err(Refusal::NoNodes { role, most: self.most(role) });
            }
        }
        self.judge_room(Role::Seed, seeds)?;
        self.judge_room(Role::Peer, peers)
    }

    const fn most(&self, role: Role) -> usize {
        match role {
            Role::Seed => self.limits.seeds,
            Role::Peer => self.limits.peers,
        }
    }

    fn judge_room(&self, role: Role, more: usize) -> Result<(), Refusal> {
        let most = self.most(role);
        if self.nodes.count(role).saturating_add(more) > most { Err(Refusal::Full { role, most }) } else { Ok(()) }
    }
}

/// Whether a single node can do this. `node`: what is known of it; `None`: it is no node of this
/// process. Commands about no node, or about many, are always allowed here.
pub fn judge_node(command: &Command, node: Option<&NodeEntry>) -> Result<(), Refusal> {
    match command {
        Command::Kill(addr) => {
            let entry = known(*addr, node)?;
            if entry.state.is_up() { Ok(()) } else { Err(not_running(entry, *addr)) }
        }
        Command::Restart(addr) => {
            let entry = known(*addr, node)?;
            match entry.state {
                NodeState::Runs => Err(Refusal::Up { name: entry.name, addr: *addr }),
                NodeState::Left => Err(not_running(entry, *addr)),
                NodeState::Hangs | NodeState::Killed => Ok(()),
            }
        }
        Command::Hang(addr) => judge_running(*addr, node),
        Command::Cut { node: addr, .. }
        | Command::Heal { node: addr, .. }
        | Command::Say { node: addr, .. }
        | Command::Fault(FaultCommand::Lie { liar: addr, .. }) => {
            if let Some(NodeEntry { name, role: Role::Seed, .. }) = node {
                return Err(Refusal::NotAPeer { name: *name, addr: *addr });
            }
            judge_running(*addr, node)
        }
        Command::Start(_)
        | Command::StartLab { .. }
        | Command::Fault(
            FaultCommand::Set(_)
            | FaultCommand::Clear { .. }
            | FaultCommand::HealPartitions
            | FaultCommand::HealAll
            | FaultCommand::Calm,
        )
        | Command::Quit => Ok(()),
    }
}

fn judge_running(addr: Addr, node: Option<&NodeEntry>) -> Result<(), Refusal> {
    let entry = known(addr, node)?;
    match entry.state {
        NodeState::Runs => Ok(()),
        NodeState::Hangs | NodeState::Killed | NodeState::Left => Err(not_running(entry, addr)),
    }
}

fn known(addr: Addr, node: Option<&NodeEntry>) -> Result<&NodeEntry, Refusal> {
    node.ok_or(Refusal::Unknown(addr))
}

const fn not_running(entry: &NodeEntry, addr: Addr) -> Refusal {
    Refusal::NotRunning { name: entry.name, addr, state: entry.state }
}

/// Whether a peer of this dialect can send this as a message of the user.
fn judge_text(dialect: Dialect, body: &Body) -> Result<(), Refusal> {
    match body.len() {
        0 => return Err(Refusal::NoText),
        1..=BODY_LEN_MAX => {}
        len => return Err(Refusal::TextTooLong { len }),
    }
    if dialect.is_delimited() {
        return Ok(());
    }
    classic_text_problem(body.as_bytes()).map_or(Ok(()), |problem| Err(problem.into()))
}
