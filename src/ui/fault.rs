//! What the keys for killing, hanging and restarting would do to the selected node, in words,
//! before it is done.
//!
//! A node of this process is crashed. For a node elsewhere, our link to it is cut, and our node
//! treats it as dead.

use super::action::NodeDeed;
use super::host::Objection;
use super::view::Target;
use crate::command::Command;
use crate::engine::{NodeEntry, judge_node};
use crate::event::{NodeState, Purpose};
use crate::model::Model;
use crate::model::link::{LinkHistory, LinkKey};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Role};

/// Names that a question lists.
const NAMES_SHOWN: usize = 6;
/// Faults that a line names.
const FAULTS_SHOWN: usize = 3;

/// What a key comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultPlan {
    /// Do it at once.
    Now(Vec<Command>),
    /// Do it when the key is pressed again.
    Arm {
        /// What the key will do: `kills p4`.
        what: String,
        commands: Vec<Command>,
    },
    /// Ask in a dialog.
    Ask {
        question: String,
        /// The answer that does it.
        word: &'static str,
        commands: Vec<Command>,
    },
    /// It cannot be done, for this reason.
    Refuse(Objection),
}

impl FaultPlan {
    /// The commands, after whatever must be confirmed.
    pub(crate) fn confirmed(self) -> Result<Vec<Command>, Objection> {
        match self {
            Self::Now(commands) | Self::Arm { commands, .. } | Self::Ask { commands, .. } => Ok(commands),
            Self::Refuse(why) => Err(why),
        }
    }

    /// The same for a user who named the node and needs no second key press.
    fn named(self) -> Self {
        match self {
            Self::Arm { commands, .. } => Self::Now(commands),
            other @ (Self::Now(_) | Self::Ask { .. } | Self::Refuse(_)) => other,
        }
    }
}

impl NodeDeed {
    pub(crate) const fn command(self, node: Addr) -> Command {
        match self {
            Self::Kill => Command::Kill(node),
            Self::Hang => Command::Hang(node),
            Self::Restart => Command::Restart(node),
        }
    }

    /// What a command does to which node, if it is one of these.
    pub(crate) fn of(command: &Command) -> Option<(Self, Addr)> {
        if let Command::Kill(node) = command {
            Some((Self::Kill, *node))
        } else if let Command::Hang(node) = command {
            Some((Self::Hang, *node))
        } else if let Command::Restart(node) = command {
            Some((Self::Restart, *node))
        } else {
            None
        }
    }

    /// What it comes to.
    pub(crate) fn plan(self, model: &Model, target: Target) -> FaultPlan {
        match self {
            Self::Kill => kill(model, target),
            Self::Hang => hang(model, target.node()),
            Self::Restart => restart(model, target.node()),
        }
    }

    /// What it comes to for nodes that the user named. For a node of ours the engine decides: what
    /// was typed a moment ago is done there, and not seen here yet.
    pub(crate) fn plans(self, model: &Model, nodes: &[Addr]) -> Vec<(Vec<Addr>, FaultPlan)> {
        let is_ours = |node: Addr| model.nodes().get(node).is_some_and(NodeRecord::is_ours);
        match self {
            Self::Kill => vec![(nodes.to_vec(), kill_several(model, nodes))],
            Self::Hang | Self::Restart => {
                let decided = |node: Addr| is_ours(node).then(|| FaultPlan::Now(vec![self.command(node)]));
                let plan = |node: Addr| decided(node).unwrap_or_else(|| self.plan(model, Target::Node(node)));
                nodes.iter().map(|node| (vec![*node], plan(*node))).collect()
            }
        }
    }
}

/// The engine's judgement, as far as this console knows the node.
pub(crate) fn judge(model: &Model, command: &Command, addr: Addr) -> Result<(), Objection> {
    judge_node(command, entry(model, addr).as_ref()).map_err(Objection::Engine)
}

/// A node of this process as its events describe it.
pub(crate) fn entry(model: &Model, addr: Addr) -> Option<NodeEntry> {
    let node = model.nodes().get(addr)?;
    let name = node.name.as_deref()?.parse().ok()?;
    Some(NodeEntry { name, role: node.role?, state: node.life()?, life: 0 })
}

/// What killing the node of this line comes to.
fn kill(model: &Model, target: Target) -> FaultPlan {
    let addr = target.node();
    match model.nodes().get(addr) {
        Some(node) if !node.is_ours() && node.role == Some(Role::Seed) => {
            FaultPlan::Refuse(Objection::SeedElsewhere(addr))
        }
        Some(node) if !node.is_ours() => cut(model, target),
        Some(_) | None => match judge(model, &Command::Kill(addr), addr) {
            Ok(()) => kill_own(model, addr),
            Err(why) => FaultPlan::Refuse(why),
        },
    }
}

fn kill_own(model: &Model, addr: Addr) -> FaultPlan {
    let name = model.name_of(addr);
    let commands = vec![Command::Kill(addr)];
    if let Some(peers) = registered_at(model, addr) {
        let question =
            format!("Kill the seed {name}? {peers} registered peers lose it; new peers cannot find them by it.");
        return FaultPlan::Ask { question, word: "Kill", commands };
    }
    FaultPlan::Arm { what: format!("kills {name}"), commands }
}

/// The line of a link means that link; the line of a node elsewhere means all our links to it.
fn cut(model: &Model, target: Target) -> FaultPlan {
    let (peer, elsewhere) = (target.node(), model.name_of(target.node()));
    let holders: Vec<Addr> = match target {
        Target::Link(LinkKey { node, .. }) => vec![node],
        Target::Node(_) => holders(model, peer),
    };
    let names: Vec<_> = holders.iter().map(|node| model.name_of(*node)).collect();
    let commands: Vec<Command> = holders.iter().map(|node| Command::Cut { node: *node, peer }).collect();
    match names.as_slice() {
        [] => FaultPlan::Refuse(Objection::NoLinkTo(peer)),
        [only] => FaultPlan::Arm {
            what: format!("cuts {only}'s link to {elsewhere}; {only} then treats it as dead"),
            commands,
        },
        several => {
            let several = list_text(several, NAMES_SHOWN);
            let question = format!(
                "{elsewhere} runs in another process. Cut the links of {several} to it? Each then treats it as dead, \
                 reports it and does not dial it until it is healed."
            );
            FaultPlan::Ask { question, word: "Cut", commands }
        }
    }
}

fn holders(model: &Model, peer: Addr) -> Vec<Addr> {
    let ours = |link: &&LinkHistory| link.key.peer == peer && link.purpose == Purpose::Neighbor;
    let mut holders: Vec<Addr> = model.links().up().filter(ours).map(|link| link.key.node).collect();
    holders.sort_unstable();
    holders
}

/// What killing several nodes by name comes to.
fn kill_several(model: &Model, nodes: &[Addr]) -> FaultPlan {
    if let [only] = nodes {
        return kill(model, Target::Node(*only)).named();
    }
    let mut commands = Vec::new();
    for node in nodes {
        match kill(model, Target::Node(*node)).confirmed() {
            Ok(more) => commands.extend(more),
            Err(why) => return FaultPlan::Refuse(why),
        }
    }
    let names: Vec<_> = nodes.iter().map(|node| model.name_of(*node)).collect();
    FaultPlan::Ask { question: format!("Kill {}?", list_text(&names, NAMES_SHOWN)), word: "Kill", commands }
}

/// What hanging this node comes to.
fn hang(model: &Model, addr: Addr) -> FaultPlan {
    let command = Command::Hang(addr);
    if let Err(why) = judge(model, &command, addr) {
        return FaultPlan::Refuse(why);
    }
    let (name, commands) = (model.name_of(addr), vec![command]);
    match registered_at(model, addr) {
        Some(peers) => {
            let question = format!("Hang the seed {name}? {peers} registered peers get no answer from it.");
            FaultPlan::Ask { question, word: "Hang", commands }
        }
        None => FaultPlan::Arm { what: format!("hangs {name}"), commands },
    }
}

/// Peers that are registered with this node, if it is a seed.
fn registered_at(model: &Model, addr: Addr) -> Option<u32> {
    let seed = model.nodes().get(addr).filter(|node| node.role == Some(Role::Seed))?;
    Some(seed.registrations)
}

/// What restarting this node comes to; for a node elsewhere, healing the links that were cut.
fn restart(model: &Model, addr: Addr) -> FaultPlan {
    if model.nodes().get(addr).is_some_and(|node| !node.is_ours()) {
        return heal(model, addr);
    }
    let command = Command::Restart(addr);
    if let Err(why) = judge(model, &command, addr) {
        return FaultPlan::Refuse(why);
    }
    match restart_risk(model, &[addr]) {
        Some(risk) => {
            let name = model.name_of(addr);
            let question =
                format!("Restart {name} at its address? {risk} A new peer at a port of its own harms nobody.");
            FaultPlan::Ask { question, word: "Restart", commands: vec![command] }
        }
        None => FaultPlan::Now(vec![command]),
    }
}

/// What a restart at the same address does to Python nodes that know it, if there may be any.
pub(crate) fn restart_risk(model: &Model, nodes: &[Addr]) -> Option<String> {
    let is_classic_peer = |addr: &Addr| {
        let node = model.nodes().get(*addr);
        node.is_some_and(|node| {
            node.role == Some(Role::Peer) && node.dialect.is_some_and(|dialect| !dialect.may_close())
        })
    };
    nodes.iter().find(|addr| is_classic_peer(addr))?;
    let may_know_it = |node: &&NodeRecord| {
        let is_peer = !node.is_ours() && node.role != Some(Role::Seed);
        is_peer && !matches!(node.state(), ObservedState::Dead | ObservedState::Left)
    };
    let strangers: Vec<_> = model.nodes().iter().filter(may_know_it).map(|node| model.name_of(node.addr)).collect();
    (!strangers.is_empty()).then(|| {
        let strangers = list_text(&strangers, NAMES_SHOWN);
        format!(
            "A Python neighbor ({strangers}) keeps the old socket, takes the node for dead once more, and later dies of it."
        )
    })
}

/// What ending all faults will do, as far as is known here. The engine may know of more, such as a
/// link that was cut long ago, so it is asked in any case.
pub(crate) fn calming(model: &Model) -> String {
    let faults: Vec<_> =
        model.faults().iter().map(|record| record.fault.text(&|addr| model.name_of(addr).into())).collect();
    let names: Vec<_> = fallen(model).map(|node| model.name_of(node.addr)).collect();
    let cut: Vec<_> = elsewhere(model).filter(|addr| !heals(model, *addr).is_empty()).collect();
    let cut: Vec<_> = cut.into_iter().map(|addr| model.name_of(addr)).collect();
    let ends = (!faults.is_empty()).then(|| format!("ending {}", list_text(&faults, FAULTS_SHOWN)));
    let starts = (!names.is_empty()).then(|| format!("starting {} again", list_text(&names, NAMES_SHOWN)));
    let heals = (!cut.is_empty()).then(|| format!("allowing links to {} again", list_text(&cut, NAMES_SHOWN)));
    let all: Vec<String> = [ends, starts, heals].into_iter().flatten().collect();
    if all.is_empty() { "calm: nothing to end, as far as is known here".to_owned() } else { all.join(", ") }
}

/// As [`restart_risk`], for all nodes that would restart.
pub(crate) fn calming_risk(model: &Model) -> Option<String> {
    let nodes: Vec<Addr> = fallen(model).map(|node| node.addr).collect();
    restart_risk(model, &nodes)
}

fn elsewhere(model: &Model) -> impl Iterator<Item = Addr> {
    model.nodes().iter().filter(|node| !node.is_ours()).map(|node| node.addr)
}

/// Nodes of this process that were killed or hang.
fn fallen(model: &Model) -> impl Iterator<Item = &NodeRecord> {
    model.nodes().iter().filter(|node| match node.life() {
        Some(NodeState::Killed | NodeState::Hangs) => true,
        None | Some(NodeState::Runs | NodeState::Left) => false,
    })
}

/// A node elsewhere: our nodes whose link to it was cut may link to it again.
fn heal(model: &Model, peer: Addr) -> FaultPlan {
    let commands = heals(model, peer);
    if commands.is_empty() {
        return FaultPlan::Refuse(Objection::PeerElsewhere(peer));
    }
    FaultPlan::Now(commands)
}

fn heals(model: &Model, peer: Addr) -> Vec<Command> {
    let evidence = model.deaths().latest_of(peer).map_or(&[][..], |case| &case.evidence);
    let is_linked = |node| model.links().get(node, peer).is_some_and(LinkHistory::is_up);
    let cut = evidence.iter().filter(|told| told.cause == Some(DeathCause::Cut) && !is_linked(told.reporter));
    // A restarted node has forgotten what it was not to dial.
    let remembers = |node: &NodeRecord, since| node.is_ours() && node.lives.after(since).is_none();
    let ours = cut.filter(|told| {
        let node = model.nodes().get(told.reporter);
        node.zip(told.declared_at).is_some_and(|(node, since)| remembers(node, since))
    });
    ours.map(|told| Command::Heal { node: told.reporter, peer }).collect()
}
