//! What was done to the network, in time, in the words of the commands.

use std::time::Duration;

use super::messages::shortened;
use crate::command::{Command, FaultCommand, grammar};
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::Model;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::scenario::deeds::{Deeds, DoneCommand};
use crate::session::journal::Header;

/// Failures that are kept: nobody reads more.
pub const FAILURES_MAX: usize = 1_000;
/// The same done to several nodes within this time is one deed.
const TOGETHER: Duration = Duration::from_secs(1);
/// Names in one deed.
const NAMES_MAX: usize = 24;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeedKind {
    Start,
    Restart,
    Kill,
    Hang,
    SetFault,
    ClearFault,
    Lie,
    Say,
    /// Something that was not done, or that a node could not do.
    Failure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedDeed {
    pub at: Time,
    pub kind: DeedKind,
    /// As a command: `kill p3`, `partition p1 p2`.
    pub text: String,
    pub nodes: Vec<Addr>,
}

/// The commands of a session, and what failed in it.
#[derive(Debug)]
pub(super) struct DeedFold {
    deeds: Deeds,
    failures: Vec<ReportedDeed>,
    more: u64,
}

impl DeedFold {
    pub(super) fn new(header: &Header) -> Self {
        Self { deeds: header.deeds(), failures: Vec::new(), more: 0 }
    }

    /// Takes an event that the model has taken.
    pub(super) fn take(&mut self, model: &Model, event: &Event) {
        self.deeds.take(event);
        let EventKind::Node(NodeEvent::Failed { .. }) = &event.kind else { return };
        if self.failures.len() == FAILURES_MAX {
            self.more += 1;
            return;
        }
        let text = format!("{}: {}", model.name_of(event.node), model.sentence(&event.kind));
        self.failures.push(ReportedDeed { at: event.at, kind: DeedKind::Failure, text, nodes: vec![event.node] });
    }

    /// All deeds in order of time, and how many were too many.
    pub(super) fn finish(self, model: &Model) -> (Vec<ReportedDeed>, u64) {
        let mut deeds = self.begun();
        for done in self.deeds.commands() {
            let Some(deed) = reported(model, &done) else { continue };
            match deeds.last_mut().filter(|last| last.takes(&deed)) {
                Some(last) => last.nodes.extend(deed.nodes),
                None => deeds.push(deed),
            }
        }
        for deed in &mut deeds {
            deed.name(model);
        }
        deeds.extend(self.failures);
        deeds.sort_by_key(|deed| deed.at);
        (deeds, self.more + self.deeds.more() as u64)
    }

    /// The start of the nodes with which it began.
    fn begun(&self) -> Vec<ReportedDeed> {
        let nodes: Vec<Addr> = self.deeds.first_nodes().collect();
        let begun = self.deeds.began().filter(|_| !nodes.is_empty());
        begun.map(|at| ReportedDeed { at, kind: DeedKind::Start, text: String::new(), nodes }).into_iter().collect()
    }
}

impl ReportedDeed {
    /// What is done to one node after the other is one deed.
    fn takes(&self, next: &Self) -> bool {
        self.kind.word().is_some() && self.kind == next.kind && next.at.since(self.at) <= TOGETHER
    }

    /// Names all of its nodes.
    fn name(&mut self, model: &Model) {
        if let Some(word) = self.kind.word() {
            let names: Vec<_> = self.nodes.iter().map(|node| model.name_of(*node)).collect();
            self.text = format!("{word} {}", list_text(&names, NAMES_MAX));
        }
    }
}

impl DeedKind {
    /// What is done to nodes one by one, as a command.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Start => Some("start"),
            Self::Restart => Some("restart"),
            Self::Kill => Some("kill"),
            Self::Hang => Some("hang"),
            Self::SetFault | Self::ClearFault | Self::Lie | Self::Say | Self::Failure => None,
        }
    }

    /// `None`: it is nothing that was done to a network.
    const fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Start(_) | Command::StartLab { .. } => Self::Start,
            Command::Restart(_) => Self::Restart,
            Command::Kill(_) => Self::Kill,
            Command::Hang(_) => Self::Hang,
            Command::Cut { .. } | Command::Fault(FaultCommand::Set(_)) => Self::SetFault,
            Command::Heal { .. }
            | Command::Fault(
                FaultCommand::Clear { .. } | FaultCommand::HealPartitions | FaultCommand::HealAll | FaultCommand::Calm,
            ) => Self::ClearFault,
            Command::Fault(FaultCommand::Lie { .. }) => Self::Lie,
            Command::Say { .. } => Self::Say,
            Command::Quit => return None,
        })
    }
}

fn reported(model: &Model, done: &DoneCommand) -> Option<ReportedDeed> {
    let kind = DeedKind::of(&done.command)?;
    let text = grammar::text(&done.command, &|addr| model.name_of(addr).into_owned());
    let text = if kind == DeedKind::Say { shortened(&text) } else { text };
    Some(ReportedDeed { at: done.at, kind, text, nodes: done.node.into_iter().collect() })
}
