//! The deeds of a scenario: which of its lines did what.

use crate::command::{Command, FaultCommand, grammar};
use crate::event::NodeState;
use crate::experiment::run::Experiment;
use crate::model::Model;
use crate::model::cause::Deed;
use crate::proto::addr::Addr;
use crate::proto::fault::Fault;
use crate::proto::time::Time;
use crate::scenario::{Script, ScriptStep};

/// The scenario with a line for each command, and which of those do something to the network.
#[derive(Debug, Clone)]
pub(super) struct DeedSteps {
    script: Script,
    deeds: Vec<DeedStep>,
}

/// A step that does something to the network: not what a user says or expects.
#[derive(Debug, Clone)]
struct DeedStep {
    /// Its place among the steps of the script.
    step: usize,
    at: Time,
    command: Command,
}

/// A deed of the scenario, by its place among the deeds.
pub(super) type DeedIx = usize;

/// Which line did a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoneBy {
    Step(DeedIx),
    /// The lab started: no line did it.
    Lab,
    /// Nothing that was done is this deed.
    Nobody,
}

impl DeedSteps {
    /// `model`: the network at the end of its run.
    pub(super) fn of(experiment: &Experiment, model: &Model) -> Self {
        let mut script = experiment.script.clone();
        script.steps = experiment.script.steps.iter().flat_map(|step| one_by_one(step, model)).collect();
        let deeds = script.steps.iter().enumerate().filter_map(|(place, step)| {
            let command = grammar::parse(&step.text, model).ok()?.into_iter().next()?;
            let is_deed = !matches!(command, Command::Say { .. });
            is_deed.then(|| DeedStep { step: place, at: experiment.epoch + step.at, command })
        });
        Self { deeds: deeds.collect(), script }
    }

    pub(super) fn len(&self) -> usize {
        self.deeds.len()
    }

    /// The script without these deeds.
    pub(super) fn without(&self, away: &[DeedIx]) -> Script {
        let dropped: Vec<usize> = away.iter().filter_map(|deed| Some(self.deeds.get(*deed)?.step)).collect();
        let mut script = self.script.clone();
        let mut place = 0..;
        script.steps.retain(|_| place.next().is_none_or(|place| !dropped.contains(&place)));
        script
    }

    /// All deeds.
    pub(super) fn all(&self) -> Vec<DeedIx> {
        (0..self.deeds.len()).collect()
    }

    pub(super) fn at(&self, deed: DeedIx) -> Option<Time> {
        self.deeds.get(deed).map(|deed| deed.at)
    }

    /// The step as it stands in the script.
    pub(super) fn step(&self, deed: DeedIx) -> Option<&ScriptStep> {
        self.script.steps.get(self.deeds.get(deed)?.step)
    }

    /// When the next deed takes place after this moment.
    pub(super) fn next_after(&self, at: Time) -> Option<Time> {
        self.deeds.iter().map(|deed| deed.at).find(|deed| *deed > at)
    }

    pub(super) fn done_by(&self, deed: &Deed, model: &Model) -> DoneBy {
        let is_it = |step: &DeedStep| step.at == deed.at() && does(&step.command, deed, model);
        match (self.deeds.iter().position(is_it), deed) {
            (Some(place), _) => DoneBy::Step(place),
            (None, Deed::Turned { to: NodeState::Runs, .. }) => DoneBy::Lab,
            (None, Deed::Fault(_) | Deed::Turned { .. } | Deed::Lied { .. }) => DoneBy::Nobody,
        }
    }
}

/// A line about several nodes is a line about each, so that each deed can be taken away alone.
fn one_by_one(step: &ScriptStep, model: &Model) -> Vec<ScriptStep> {
    let commands = grammar::parse(&step.text, model).unwrap_or_default();
    if commands.len() < 2 {
        return vec![step.clone()];
    }
    let name = |node: Addr| model.name_of(node).into_owned();
    let alone = |command: &Command| {
        let mut alone = step.clone();
        alone.text = grammar::text(command, &name);
        alone
    };
    commands.iter().map(alone).collect()
}

/// Whether this command, given when the deed was done, did it.
fn does(command: &Command, deed: &Deed, model: &Model) -> bool {
    let fault = |fault| model.faults().find(fault).map(|record| &record.fault);
    match *deed {
        Deed::Fault(set) => fault(set).is_some_and(|fault| sets(command, fault)),
        Deed::Turned { node, to, .. } => turns(command, node, to),
        Deed::Lied { liar, about, .. } => *command == Command::Fault(FaultCommand::Lie { liar, about }),
    }
}

fn sets(command: &Command, fault: &Fault) -> bool {
    matches!(command, Command::Fault(FaultCommand::Set(set)) if set == fault)
}

fn turns(command: &Command, node: Addr, to: NodeState) -> bool {
    match (command, to) {
        (Command::Kill(killed), NodeState::Killed) => *killed == node,
        (Command::Hang(hung), NodeState::Hangs) => *hung == node,
        // One that hangs is killed before it starts again.
        (Command::Restart(started), NodeState::Runs | NodeState::Killed) => *started == node,
        (Command::Fault(FaultCommand::Calm), NodeState::Runs | NodeState::Killed)
        | (Command::Start(_), NodeState::Runs) => true,
        (
            Command::Kill(_)
            | Command::Hang(_)
            | Command::Restart(_)
            | Command::Start(_)
            | Command::StartLab { .. }
            | Command::Cut { .. }
            | Command::Heal { .. }
            | Command::Say { .. }
            | Command::Fault(_)
            | Command::Quit,
            _,
        ) => false,
    }
}
