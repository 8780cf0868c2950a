//! What an answer explains, as it can be asked of another run of the same network.

use super::{Explainer, Explanation, is_known};
use crate::command::{Command, FaultCommand, grammar};
use crate::event::NodeState;
use crate::model::Model;
use crate::model::cause::{Deed, Question, Reason, deeds_of, reason};
use crate::model::node::ObservedState;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Questions of one answer that are asked again: a message that nobody got makes one for each peer.
const QUESTIONS_MAX: usize = 12;

/// Why an answer that explains nothing that could be tried cannot be proven; `node`: if it is about a node.
pub fn why_unprovable(model: &Model, node: Option<Addr>) -> String {
    let node = node.and_then(|node| model.nodes().get(node));
    match node.map(|node| (node.addr, node.state())) {
        Some((suspect, ObservedState::Suspect { .. })) => {
            format!("{} is suspect, not dead, and only a death can be tried", model.name_of(suspect))
        }
        Some(_) | None => "it explains no death, ended link, lacked message, list of a seed or warning".to_owned(),
    }
}

/// A question, and what the answer to it names. Addresses mean nothing in a run of their own on
/// sockets, so nodes and messages are known by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedQuestion {
    question: Question,
    /// The nodes in it.
    names: Vec<(Addr, String)>,
    /// The message in it.
    message: Option<String>,
    /// The commands that the answer names: `cut p1 p5`.
    commands: Vec<String>,
    is_certain: bool,
}

/// What is to be proven of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedAnswer {
    /// The first ones, if there are many.
    pub questions: Vec<AskedQuestion>,
    /// How many more it rests on, which are not tried.
    pub untried: usize,
    /// The moment that the answer is about.
    pub as_of: Time,
    /// For the times in words.
    pub utc_offset_s: i32,
}

impl Explanation {
    /// What it explains, as of this time of the model that it was made from; `None` if its verdict says
    /// of nothing that it was made so.
    pub fn asked(&self, model: &Model, as_of: Time, utc_offset_s: i32) -> Option<AskedAnswer> {
        let asked = |question: &Question| AskedQuestion::of(model, *question, &reason(model, question));
        let questions = self.rests_on.iter().take(QUESTIONS_MAX).map(asked).collect();
        let untried = self.rests_on.len().saturating_sub(QUESTIONS_MAX);
        (!self.rests_on.is_empty()).then_some(AskedAnswer { questions, untried, as_of, utc_offset_s })
    }
}

impl AskedAnswer {
    /// `the first 12 of 30`; nothing if all are tried.
    pub fn tried_part(&self) -> Option<String> {
        let tried = self.questions.len();
        (self.untried > 0).then(|| format!("the first {tried} of {}", tried + self.untried))
    }

    /// The commands that the answer names, each once.
    pub fn commands(&self) -> Vec<&str> {
        let mut commands: Vec<&str> = Vec::new();
        for command in self.questions.iter().flat_map(|question| &question.commands) {
            if !commands.contains(&command.as_str()) {
                commands.push(command);
            }
        }
        commands
    }
}

impl AskedQuestion {
    /// As this model asks it, with the reason that is given for it.
    pub fn of(model: &Model, question: Question, reason: &Reason) -> Self {
        let names = nodes_of(&question).into_iter().map(|node| (node, model.name_of(node).into_owned())).collect();
        let message = match question {
            Question::Lack { message, .. } => Some(model.message_name(message)),
            Question::Death { .. }
            | Question::LinkEnd { .. }
            | Question::Stale { .. }
            | Question::Unlisted { .. }
            | Question::NoSeed
            | Question::Alone { .. }
            | Question::Parted => None,
        };
        let commands = deeds_of(reason).iter().filter_map(|deed| command(model, deed)).collect();
        Self { question, names, message, commands, is_certain: is_known(reason) }
    }

    /// Both are certain, and name the same commands, or none; or neither is certain.
    pub fn names_the_same(&self, other: &Self) -> bool {
        self.is_certain == other.is_certain && (!self.is_certain || self.commands == other.commands)
    }

    /// The same question about the nodes and the message of these names; `None` if one is missing.
    pub fn within(&self, model: &Model) -> Option<Question> {
        let node = |addr: Addr| {
            let (_, name) = self.names.iter().find(|(named, _)| *named == addr)?;
            model.nodes().find(name).map(|node| node.addr)
        };
        Some(match self.question {
            Question::Death { reporter, dead, at, way } => {
                Question::Death { reporter: node(reporter)?, dead: node(dead)?, at, way }
            }
            Question::Lack { node: lacking, message } => {
                // In virtual time it is the very same; a node that restarted has two of one name.
                let same = model.rumors().get(message).map(|rumor| rumor.id);
                let message = same.or_else(|| model.find_message(self.message.as_deref()?))?;
                Question::Lack { node: node(lacking)?, message }
            }
            Question::LinkEnd { node: one, peer, at, end } => {
                Question::LinkEnd { node: node(one)?, peer: node(peer)?, at, end }
            }
            Question::Stale { seed, peer } => Question::Stale { seed: node(seed)?, peer: node(peer)? },
            Question::Unlisted { seed, peer } => Question::Unlisted { seed: node(seed)?, peer: node(peer)? },
            Question::Alone { node: alone } => Question::Alone { node: node(alone)? },
            question @ (Question::NoSeed | Question::Parted) => question,
        })
    }
}

/// `because of 'cut p1 p5' since 03:13:02`, as answers name a reason.
pub fn because(model: &Model, reason: &Reason, utc_offset_s: i32) -> Option<String> {
    Explainer { model, utc_offset_s }.because(reason)
}

/// The command that did it; `None` if none did.
fn command(model: &Model, deed: &Deed) -> Option<String> {
    let command = match *deed {
        Deed::Fault(fault) => Command::Fault(FaultCommand::Set(model.faults().find(fault)?.fault.clone())),
        Deed::Turned { node, to: NodeState::Killed, .. } => Command::Kill(node),
        Deed::Turned { node, to: NodeState::Hangs, .. } => Command::Hang(node),
        Deed::Turned { node, to: NodeState::Runs, .. } => Command::Restart(node),
        Deed::Turned { to: NodeState::Left, .. } => return None,
        Deed::Lied { liar, about, .. } => Command::Fault(FaultCommand::Lie { liar, about }),
    };
    Some(grammar::text(&command, &|addr| model.name_of(addr).into_owned()))
}

fn nodes_of(question: &Question) -> Vec<Addr> {
    match *question {
        Question::Death { reporter, dead, .. } => vec![reporter, dead],
        Question::Lack { node, .. } | Question::Alone { node } => vec![node],
        Question::LinkEnd { node, peer, .. } => vec![node, peer],
        Question::Stale { seed, peer } | Question::Unlisted { seed, peer } => vec![seed, peer],
        Question::NoSeed | Question::Parted => Vec::new(),
    }
}
