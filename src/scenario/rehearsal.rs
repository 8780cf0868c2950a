//! A scenario is gone through before it runs: whether each line can be done is known from the lines above it.

use std::collections::BTreeMap;

use super::words::{commands, unknown};
use crate::command::grammar::{self, Names as _};
use crate::command::{Command, FaultCommand, Placement};
use crate::fault::{FaultError, FaultTable, Nodes as _};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::roster::{Refusal, Roster};

/// The nodes as the lines so far have them.
#[derive(Debug, Clone)]
pub(super) struct Rehearsal {
    roster: Roster,
    faults: FaultTable,
    /// The line that last did something to a node.
    changed: BTreeMap<Addr, usize>,
}

impl Rehearsal {
    /// The network as it begins.
    pub(super) fn new(seeds: usize, peers: usize) -> Self {
        let mut roster = Roster::new();
        let roles = std::iter::repeat_n(Role::Seed, seeds).chain(std::iter::repeat_n(Role::Peer, peers));
        for role in roles {
            // A new address belongs to nobody.
            let _ = roster.enter(roster.next_addr(role), role);
        }
        Self { roster, faults: FaultTable::default(), changed: BTreeMap::new() }
    }

    /// Reads the commands of a line and goes through them. `line`: its number, if it has one.
    pub(super) fn try_out(&mut self, line: Option<usize>, text: &str) -> Result<Vec<Command>, String> {
        let commands = commands(text, &self.roster)?;
        for command in &commands {
            self.allow(line, command).map_err(|why| format!("'{text}': {why}"))?;
        }
        Ok(commands)
    }

    /// Goes through the commands of a line one by one, whatever becomes of the others. Each as it is typed: a line of
    /// which all can be done as it is.
    pub(super) fn try_each(&mut self, text: &str) -> Vec<(String, Result<(), String>)> {
        let Some(commands) = commands(text, &self.roster).ok().filter(|commands| commands.len() > 1) else {
            return vec![(text.to_owned(), self.try_out(None, text).map(drop))];
        };
        // A large network is not copied for nothing: of most lines there is one command.
        let before = self.clone();
        if self.try_out(None, text).is_ok() {
            return vec![(text.to_owned(), Ok(()))];
        }
        *self = before;
        let texts = commands.iter().map(|command| grammar::text(command, &|node| self.roster.name(node)));
        texts.collect::<Vec<_>>().into_iter().map(|text| (text.clone(), self.try_out(None, &text).map(drop))).collect()
    }

    /// Goes through one command, of that line.
    pub(super) fn allow(&mut self, line: Option<usize>, command: &Command) -> Result<(), String> {
        let touched = self.go_through(command).map_err(|refusal| self.words(&refusal))?;
        self.changed.extend(touched.zip(line));
        if *command == Command::Fault(FaultCommand::Calm) {
            self.roster.remedies().iter().try_for_each(|remedy| self.allow(line, remedy))?;
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
        self.roster.find(name)
    }

    /// The node whose condition changes, if one does.
    fn go_through(&mut self, command: &Command) -> Result<Option<Addr>, Obstacle> {
        match command {
            Command::Start(spec) => {
                let addr = match spec.listen {
                    Placement::At(addr) | Placement::Everywhere(addr) => addr,
                    Placement::Auto => self.roster.next_addr(spec.role),
                };
                self.roster.enter(addr, spec.role)?;
                Ok(Some(addr))
            }
            Command::StartLab { .. } => Err(Obstacle::Word("a scenario has one lab, at its top")),
            Command::Kill(node) => self.roster.kill(*node).map(|()| Some(*node)).map_err(Obstacle::Refused),
            Command::Hang(node) => self.roster.hang(*node).map(|()| Some(*node)).map_err(Obstacle::Refused),
            Command::Restart(node) => self.roster.restart(*node).map(|_| Some(*node)).map_err(Obstacle::Refused),
            Command::Cut { node, peer } => self.roster.cut(*node, *peer).map(|()| None).map_err(Obstacle::Refused),
            Command::Heal { node, peer } => self.roster.heal(*node, *peer).map(|()| None).map_err(Obstacle::Refused),
            Command::Say { node, .. } => self.roster.running_peer(*node).map(|_| None).map_err(Obstacle::Refused),
            Command::Fault(fault) => self.fault(fault).map(|()| None),
            Command::Quit => Err(Obstacle::Word("a scenario ends with 'end'")),
        }
    }

    fn fault(&mut self, fault: &FaultCommand) -> Result<(), Obstacle> {
        if let FaultCommand::Lie { liar, .. } = fault {
            self.roster.running_peer(*liar)?;
        }
        self.faults.apply(fault, &self.roster).map(drop).map_err(Obstacle::Fault)
    }

    /// Why not, with the line that is the reason, and without addresses: those are given when it runs.
    fn words(&self, obstacle: &Obstacle) -> String {
        let since = |addr: &Addr| self.changed.get(addr).map_or_else(String::new, |line| format!(" in line {line}"));
        match obstacle {
            Obstacle::Word(word) => (*word).to_owned(),
            Obstacle::Fault(error) => error.to_string(),
            Obstacle::Refused(refusal) => match refusal {
                Refusal::Unknown(addr) => unknown(&addr.to_string()),
                Refusal::Taken { addr, name, .. } => format!("{addr} belongs to {name}"),
                Refusal::NotRunning { name, addr, condition } => format!("{name} {condition}{}", since(addr)),
                Refusal::Up { name, .. } => {
                    format!("{name} runs, and only what was killed or hangs can be restarted")
                }
                Refusal::NotAPeer { name, .. } => format!("{name} is a seed, and seeds do not gossip"),
            },
        }
    }
}

/// Why a command cannot be done.
#[derive(Debug)]
enum Obstacle {
    Refused(Refusal),
    Fault(FaultError),
    Word(&'static str),
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
