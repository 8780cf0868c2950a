//! The rehearsal of a scenario: whether a line can be done follows from the lines above it.

use std::collections::BTreeMap;
use std::fmt;

use super::words::{commands, unknown};
use crate::command::Command;
use crate::command::grammar::{self, Names as _};
use crate::command::limits::NetworkLimits;
use crate::engine::{CommandOutcome, Effect, Engine, Refusal, Settings, VirtualSites};
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::message::Dialect;

/// The nodes after the lines so far: an engine whose effects are dropped.
#[derive(Debug, Clone)]
pub(super) struct Rehearsal {
    engine: Engine,
    /// The line that last changed each node.
    changed: BTreeMap<Addr, usize>,
}

/// A command that cannot be done where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unplayable {
    refusal: Refusal,
    /// The line that is the reason.
    since: Option<usize>,
}

impl fmt::Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            Some(line) => write!(f, "{} in line {line}", self.refusal),
            None => self.refusal.fmt(f),
        }
    }
}

impl Rehearsal {
    /// The network at the start, with nodes of this dialect and with these limits.
    pub(super) fn new(seeds: usize, peers: usize, dialect: Dialect, limits: NetworkLimits) -> Result<Self, Refusal> {
        let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        peer.dialect = dialect;
        let mut engine = Engine::new(Settings::of_peers(peer, 0), limits);
        engine.apply(&Command::StartLab { seeds, peers }, &mut VirtualSites).result?;
        Ok(Self { engine, changed: BTreeMap::new() })
    }

    /// Reads the commands of a line and rehearses them. `line`: its number, if it has one.
    pub(super) fn try_out(&mut self, line: Option<usize>, text: &str) -> Result<Vec<Command>, String> {
        let commands = commands(text, self.engine.nodes())?;
        for command in &commands {
            self.allow(line, command).map_err(|why| format!("'{text}': {why}"))?;
        }
        Ok(commands)
    }

    /// Rehearses the commands of a line one by one, whatever the outcome of the others. Returns
    /// each as it is typed; a line of which all can be done stays as it is.
    pub(super) fn try_each(&mut self, text: &str) -> Vec<(String, Result<(), String>)> {
        let nodes = self.engine.nodes();
        let Some(commands) = commands(text, nodes).ok().filter(|commands| commands.len() > 1) else {
            return vec![(text.to_owned(), self.try_out(None, text).map(drop))];
        };
        let texts: Vec<String> =
            commands.iter().map(|command| grammar::text(command, &|node| nodes.name(node))).collect();
        // Most lines have one command, and a large network is not copied for that.
        let before = self.clone();
        if self.try_out(None, text).is_ok() {
            return vec![(text.to_owned(), Ok(()))];
        }
        *self = before;
        texts.into_iter().map(|text| (text.clone(), self.try_out(None, &text).map(drop))).collect()
    }

    /// Rehearses one command of this line.
    pub(super) fn allow(&mut self, line: Option<usize>, command: &Command) -> Result<(), Unplayable> {
        let CommandOutcome { effects, result } = self.engine.apply(command, &mut VirtualSites);
        result.map_err(|refusal| Unplayable { since: self.reason(&refusal), refusal })?;
        let touched = effects.iter().filter_map(|effect| match effect {
            Effect::Start { node, .. } | Effect::Crash(node) | Effect::Hang(node) => Some(*node),
            Effect::Publish(_) | Effect::Tell(..) | Effect::Faults(_) | Effect::Junk { .. } | Effect::Leave { .. } => {
                None
            }
        });
        self.changed.extend(touched.zip(std::iter::repeat(line)).filter_map(|(node, line)| Some((node, line?))));
        Ok(())
    }

    /// A node that a claim names must have been started by then.
    pub(super) fn check_known(&self, name: Option<&str>) -> Result<(), String> {
        match name {
            Some(name) if self.engine.nodes().find(name).is_none() => Err(unknown(name)),
            Some(_) | None => Ok(()),
        }
    }

    fn reason(&self, refusal: &Refusal) -> Option<usize> {
        let Refusal::NotRunning { addr, .. } = refusal else { return None };
        self.changed.get(addr).copied()
    }
}

/// The dialect that these settings ask for, in the words of flags.
pub(super) fn spoken<'a>(mut settings: impl Iterator<Item = (&'a str, &'a str)>) -> Dialect {
    let is_classic = settings.any(|setting| setting == ("wire", "classic"));
    if is_classic { Dialect::Classic } else { Dialect::Framed }
}
