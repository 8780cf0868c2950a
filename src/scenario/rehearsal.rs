//! A scenario is gone through before it runs: whether each line can be done is known from the lines above it.

use std::collections::BTreeMap;

use super::words::{commands, unknown};
use crate::command::grammar::{self, Names as _};
use crate::command::{Command, FaultCommand};
use crate::engine::fault::{FaultTable, Nodes as _};
use crate::engine::{NodeTable, Refusal};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};

/// The nodes as the lines so far have them.
#[derive(Debug, Clone)]
pub(super) struct Rehearsal {
    nodes: NodeTable,
    faults: FaultTable,
    /// The line that last did something to a node.
    changed: BTreeMap<Addr, usize>,
}

impl Rehearsal {
    /// The network as it begins, of nodes that speak this.
    pub(super) fn new(seeds: usize, peers: usize, dialect: Dialect) -> Self {
        let mut nodes = NodeTable::new(dialect);
        nodes.note_lab();
        let roles = std::iter::repeat_n(Role::Seed, seeds).chain(std::iter::repeat_n(Role::Peer, peers));
        for role in roles {
            // A new address belongs to nobody.
            let _ = nodes.enter(nodes.next_addr(role), role);
        }
        Self { nodes, faults: FaultTable::default(), changed: BTreeMap::new() }
    }

    /// Reads the commands of a line and goes through them. `line`: its number, if it has one.
    pub(super) fn try_out(&mut self, line: Option<usize>, text: &str) -> Result<Vec<Command>, String> {
        let commands = commands(text, &self.nodes)?;
        for command in &commands {
            self.allow(line, command).map_err(|why| format!("'{text}': {why}"))?;
        }
        Ok(commands)
    }

    /// Goes through the commands of a line one by one, whatever becomes of the others. Each as it is typed: a line of
    /// which all can be done as it is.
    pub(super) fn try_each(&mut self, text: &str) -> Vec<(String, Result<(), String>)> {
        let Some(commands) = commands(text, &self.nodes).ok().filter(|commands| commands.len() > 1) else {
            return vec![(text.to_owned(), self.try_out(None, text).map(drop))];
        };
        // A large network is not copied for nothing: of most lines there is one command.
        let before = self.clone();
        if self.try_out(None, text).is_ok() {
            return vec![(text.to_owned(), Ok(()))];
        }
        *self = before;
        let texts = commands.iter().map(|command| grammar::text(command, &|node| self.nodes.name(node)));
        texts.collect::<Vec<_>>().into_iter().map(|text| (text.clone(), self.try_out(None, &text).map(drop))).collect()
    }

    /// Goes through one command, of that line.
    pub(super) fn allow(&mut self, line: Option<usize>, command: &Command) -> Result<(), String> {
        let touched = self.go_through(command).map_err(|refusal| self.words(&refusal))?;
        self.changed.extend(touched.zip(line));
        if *command == Command::Fault(FaultCommand::Calm) {
            self.nodes.remedies().iter().try_for_each(|remedy| self.allow(line, remedy))?;
        }
        Ok(())
    }

    /// A node that a claim names has been started by then.
    pub(super) fn check_known(&self, name: Option<&str>) -> Result<(), String> {
        match name {
            Some(name) if self.find(name).is_none() => Err(unknown(name)),
            Some(_) | None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<Addr> {
        self.nodes.find(name)
    }

    /// The node whose condition changes, if one does.
    fn go_through(&mut self, command: &Command) -> Result<Option<Addr>, Refusal> {
        self.nodes.judge(command, &self.faults)?;
        match command {
            Command::Start(spec) => {
                let addr = self.nodes.virtual_addr(spec);
                self.nodes.enter(addr, spec.role).map(|_| Some(addr))
            }
            Command::Kill(node) => self.nodes.kill(*node).map(|()| Some(*node)),
            Command::Hang(node) => self.nodes.hang(*node).map(|()| Some(*node)),
            Command::Restart(node) => self.nodes.restart(*node).map(|_| Some(*node)),
            Command::Cut { node, peer } => self.nodes.cut(*node, *peer).map(|()| None),
            Command::Heal { node, peer } => self.nodes.heal(*node, *peer).map(|()| None),
            Command::Fault(fault) => self.faults.apply(fault, &self.nodes).map(|_| None).map_err(Refusal::from),
            // The grammar has no word for the last, and of a network that has its lab there is no other.
            Command::Say { .. } | Command::StartLab { .. } | Command::Quit => Ok(None),
        }
    }

    /// Why not, with the line that is the reason.
    fn words(&self, refusal: &Refusal) -> String {
        let since = match refusal {
            Refusal::NotRunning { addr, .. } => self.changed.get(addr),
            Refusal::Unknown(_)
            | Refusal::Taken { .. }
            | Refusal::Up { .. }
            | Refusal::NotAPeer { .. }
            | Refusal::NobodyThere(_)
            | Refusal::SecondLab
            | Refusal::Full { .. }
            | Refusal::Fault(_)
            | Refusal::Word(_)
            | Refusal::Classic(_) => None,
        };
        since.map_or_else(|| refusal.to_string(), |line| format!("{refusal} in line {line}"))
    }
}

/// What the nodes speak by these settings, as flags have them.
pub(super) fn spoken<'a>(mut settings: impl Iterator<Item = (&'a str, &'a str)>) -> Dialect {
    if settings.any(|setting| setting == ("wire", "classic")) { Dialect::Classic } else { Dialect::Framed }
}
