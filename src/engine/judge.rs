//! Whether a command can be done, as the nodes are now: the one judgement, for nodes on sockets, in virtual time and in
//! a rehearsal. What only the machine knows (a port that is in use, file descriptors) is not asked here.

use super::node_table::not_running;
use super::{NodeState, NodeTable, Refusal};
use crate::command::words::{body_fault, check_lab};
use crate::command::{Command, FaultCommand, NodeSpec, Placement, limits};
use crate::engine::fault::FaultTable;
use crate::net::wire::classic_text_problem;
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};
use crate::proto::text::Body;

impl NodeTable {
    /// Can this be done while these faults are set?
    pub fn judge(&self, command: &Command, faults: &FaultTable) -> Result<(), Refusal> {
        match command {
            Command::Start(spec) => self.judge_start(spec),
            Command::StartLab { seeds, peers } => self.judge_lab(*seeds, *peers),
            Command::Kill(node) => self.judge_kill(*node),
            Command::Hang(node) => self.running(*node).map(|_| ()),
            Command::Restart(node) => self.check_restart(*node).map(|_| ()),
            Command::Cut { node, .. } | Command::Heal { node, .. } => self.running_peer(*node).map(|_| ()),
            Command::Say { node, body } => {
                self.running_peer(*node)?;
                judge_text(self.dialect, body)
            }
            Command::Fault(fault) => self.judge_fault(fault, faults),
            Command::Quit => Ok(()),
        }
    }

    fn judge_start(&self, spec: &NodeSpec) -> Result<(), Refusal> {
        match spec.listen {
            Placement::Auto => {}
            Placement::At(addr) | Placement::Everywhere(addr) => {
                // All interfaces have a name of their own, and port 0 is any.
                if !addr.ip().is_unspecified() && !addr.with_port(1).is_dialable() {
                    return Err(Refusal::NobodyThere(addr));
                }
                self.check_free(addr)?;
            }
        }
        self.judge_room(spec.role, 1)
    }

    fn judge_lab(&self, seeds: usize, peers: usize) -> Result<(), Refusal> {
        if self.has_lab {
            return Err(Refusal::SecondLab);
        }
        check_lab(seeds, peers)?;
        self.judge_room(Role::Seed, seeds)?;
        self.judge_room(Role::Peer, peers)
    }

    fn judge_room(&self, role: Role, more: usize) -> Result<(), Refusal> {
        let most = match role {
            Role::Seed => limits::SEEDS_MAX,
            Role::Peer => limits::PEERS_MAX,
        };
        let there = self.iter().filter(|(_, entry)| entry.role == role).count();
        if there + more > most { Err(Refusal::Full { role, most }) } else { Ok(()) }
    }

    fn judge_kill(&self, addr: Addr) -> Result<(), Refusal> {
        let entry = self.get(addr).ok_or(Refusal::Unknown(addr))?;
        match entry.state {
            NodeState::Runs | NodeState::Hangs => Ok(()),
            NodeState::Killed | NodeState::Left => Err(not_running(entry, addr)),
        }
    }

    fn judge_fault(&self, fault: &FaultCommand, faults: &FaultTable) -> Result<(), Refusal> {
        if let FaultCommand::Lie { liar, .. } = fault {
            self.running_peer(*liar)?;
        }
        faults.clone().apply(fault, self).map(|_| ()).map_err(Refusal::from)
    }
}

/// Can a peer that speaks this dialect send this as a message of the user's own?
fn judge_text(dialect: Dialect, body: &Body) -> Result<(), Refusal> {
    if let Some(fault) = body_fault(body.len()) {
        return Err(fault.into());
    }
    match dialect {
        Dialect::Framed => Ok(()),
        Dialect::Classic => classic_text_problem(body.as_bytes()).map_or(Ok(()), |problem| Err(problem.into())),
    }
}
