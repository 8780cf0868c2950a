//! Whether all that tells of a network tells the same.
//!
//! The header, the table of a message, the warnings, the summary, the list of sessions and the answers
//! to "why" tell of the same nodes, links, messages and deaths. What each of them says at one moment is
//! taken down as [`Statement`]s, in words where it has words ([`readings`]); two statements about one
//! [`ToldTopic`] that are not equal are a [`Disagreement`].

mod overall;
mod readings;
mod statements;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::event::{Event, NodeState};
use crate::experiment::run::Experiment;
use crate::model::Model;
use crate::model::warning::LOOK_EVERY;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::{Time, micros};
use crate::session::overview::Tally;

/// Moments of a run at which all is compared: each takes as long as asking everything.
const MOMENTS_MAX: usize = 4;
/// Disagreements of a run that are told.
const TOLD_MAX: usize = 20;

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToldBy {
    Header,
    /// The table of a message.
    Table,
    Warning,
    /// The answer to why there is a warning.
    WarningAnswer,
    Summary,
    /// The list of sessions.
    Sessions,
    Node,
    /// The answer about a dead-node report.
    Report,
    Link,
    Message,
    /// The answer about a message at a node.
    Lack,
    /// The answer about a seed's list.
    Seed,
    Views,
    Load,
    /// The reason that is proven.
    Reason,
    /// All answers about nodes together.
    Nodes,
    /// All answers about links together.
    Links,
}

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ToldTopic {
    /// The state of a node, as the header counts it.
    State(Addr),
    /// What became of a node of ours.
    Life(Addr),
    /// Whether a node of ours runs.
    Runs(Addr),
    /// Whether a node of ours was killed or left.
    IsGone(Addr),
    /// How many nodes are in a state.
    InState(ToldState),
    /// How many nodes came to this.
    Became(NodeState),
    /// Nodes of the session.
    Nodes,
    /// Messages that began.
    Messages,
    /// Deaths of the session.
    Deaths,
    /// Reports of deaths that did not happen.
    FalseReports,
    /// Warnings that stand.
    Warnings,
    /// Peers that have a message, and of how many.
    Reach(MessageId),
    /// Messages that every peer has.
    Everywhere,
    /// Whether a peer has a message.
    Has(Addr, MessageId),
    /// Whether a message may still come.
    OnItsWay(Addr, MessageId),
    /// Why a peer lacks a message.
    WhyLacking(Addr, MessageId),
    /// Whether this end holds a link to the other.
    Holds(Addr, Addr),
    /// Running peers with which a peer has a link that both hold.
    Neighbors(Addr),
    /// Whether peers reach a seed.
    SeedReached,
    /// Whether the list of a seed is wrong about a peer.
    WrongOnList(Addr, Addr),
    /// Parts of the overlay.
    Parts,
    /// Whether the loss of a peer would part the overlay.
    HoldsTogether(Addr),
    /// Whether it is so what a warning warns of.
    IsSo(WarnedOf),
    /// Whether it is certain why something is so, by its place among what the answer explains.
    Sure(AskedOf, usize),
    /// Whether an answer names what made it so.
    Named(AskedOf, usize),
}

/// A warning whose answer has to tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WarnedOf {
    Alone(Addr),
    Fragile,
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AskedOf {
    Node(Addr),
    Report(Addr),
    Link(Addr, Addr),
    Lack(Addr, MessageId),
    Seed(Addr),
}

/// The state of a node in one word, as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ToldState {
    Up,
    /// Suspect, or hung and not noticed yet.
    Suspect,
    Dead,
    Left,
    /// Others named it.
    Named,
}

/// What is said of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ToldClaim {
    Is(bool),
    Count(u64),
    OfAll {
        have: u64,
        of: u64,
    },
    State(ToldState),
    Life(NodeState),
    Words(String),
    /// Nothing that could be understood, though it should say something.
    Nothing,
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    topic: ToldTopic,
    claim: ToldClaim,
    speaker: ToldBy,
    /// In its own words.
    text: String,
}

/// What one of two said that do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    pub speaker: ToldBy,
    pub text: String,
}

/// Two statements of one moment that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    pub at: Time,
    /// What they are about: `whether p7 runs`.
    pub about: String,
    pub one: Saying,
    pub other: Saying,
    kind: DisagreementKind,
}

/// Which disagreements are of one kind, whatever the nodes and the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisagreementKind {
    topic: &'static str,
    speakers: (ToldBy, ToldBy),
}

/// How much was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AgreementCounts {
    /// Statements that were held against another one.
    pub compared: u64,
    /// Those that did not agree with it. The same at several moments counts once.
    #[serde(rename = "false")]
    pub untrue: u64,
}

/// What was compared in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    pub counts: AgreementCounts,
    /// The first disagreements.
    pub told: Vec<Disagreement>,
}

impl Disagreement {
    pub const fn kind(&self) -> DisagreementKind {
        self.kind
    }
}

impl AgreementCounts {
    pub(super) const fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.untrue += other.untrue;
    }
}

/// Compares what is said while a run is folded into a model.
#[derive(Debug)]
pub(super) struct AgreementCheck {
    /// Those that are to come.
    moments: VecDeque<Time>,
    tally: Tally,
    found: Agreement,
    /// What was found at an earlier moment.
    seen: BTreeSet<(ToldTopic, ToldBy, ToldBy)>,
}

impl AgreementCheck {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let moments = moments(experiment).into();
        let (tally, found) = (Tally::new(experiment.epoch), Agreement::default());
        Self { moments, tally, found, seen: BTreeSet::new() }
    }

    /// Before this event is folded in.
    pub(super) fn before(&mut self, event: &Event, model: &mut Model) {
        self.pass(event.at, model);
        self.tally.take(event);
    }

    /// All that happened before this time is folded in.
    pub(super) fn pass(&mut self, now: Time, model: &mut Model) {
        while let Some(at) = self.moments.front().copied().filter(|at| *at <= now) {
            self.moments.pop_front();
            model.pass(at);
            self.compare(&statements::statements(model, &self.tally.overview(), at), model, at);
        }
    }

    fn compare(&mut self, statements: &[Statement], model: &Model, at: Time) {
        let (compared, disagreements) = disagreements(statements);
        self.found.counts.compared += compared;
        for (one, other) in disagreements {
            if !self.seen.insert((one.topic, one.speaker, other.speaker)) {
                continue;
            }
            self.found.counts.untrue += 1;
            if self.found.told.len() < TOLD_MAX {
                let saying = |said: &Statement| Saying { speaker: said.speaker, text: said.text.clone() };
                let kind = DisagreementKind { topic: one.topic.word(), speakers: (one.speaker, other.speaker) };
                let (about, one, other) = (one.topic.text(model), saying(one), saying(other));
                self.found.told.push(Disagreement { at, about, one, other, kind });
            }
        }
    }

    pub(super) fn finish(self) -> Agreement {
        self.found
    }
}

/// Statements that were held against the first about their topic, and those that differ from it.
fn disagreements(statements: &[Statement]) -> (u64, Vec<(&Statement, &Statement)>) {
    let mut topics: BTreeMap<ToldTopic, Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        topics.entry(statement.topic).or_default().push(statement);
    }
    let (mut compared, mut differing) = (0, Vec::new());
    for about in topics.values() {
        let [first, others @ ..] = about.as_slice() else { continue };
        compared += others.len() as u64;
        differing.extend(others.iter().filter(|other| other.claim != first.claim).map(|other| (*first, *other)));
    }
    (compared, differing)
}

/// Moments at which the model is looked at for warnings, so that none of them is of an earlier one: at
/// once after each step of the scenario, before the next one, and at the end.
fn moments(experiment: &Experiment) -> Vec<Time> {
    let step = micros(LOOK_EVERY);
    let (begin, end) = (experiment.epoch, experiment.epoch + experiment.lasts());
    let look_at_or_after = |at: Time| Time::from_micros(at.as_micros().next_multiple_of(step));
    let look_before = |at: Time| Time::from_micros(at.as_micros().saturating_sub(1) / step * step);
    let steps: Vec<Time> = experiment.script.steps.iter().map(|step| begin + step.at).collect();
    let nexts = steps.iter().skip(1).copied().chain([end]);
    let around = |(at, next): (&Time, Time)| [look_at_or_after(*at + Duration::from_micros(1)), look_before(next)];
    let moments: BTreeSet<Time> = steps.iter().zip(nexts).flat_map(around).chain([look_before(end)]).collect();
    let within: Vec<Time> = moments.into_iter().filter(|at| (begin..end).contains(at)).collect();
    // The end, and evenly of those before, so that both kinds are among them.
    let every = within.len().div_ceil(MOMENTS_MAX) | 1;
    within.iter().rev().step_by(every).rev().copied().collect()
}

impl fmt::Display for ToldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the header",
            Self::Table => "the table of the message",
            Self::Warning => "a warning",
            Self::WarningAnswer => "why of the warning",
            Self::Summary => "the summary",
            Self::Sessions => "sessions",
            Self::Node => "why of the node",
            Self::Report => "why of the report",
            Self::Link => "why of the link",
            Self::Message => "why of the message",
            Self::Lack => "why of the node and the message",
            Self::Seed => "why of the seed",
            Self::Views => "why views",
            Self::Load => "why load",
            Self::Reason => "the reason that is proven",
            Self::Nodes => "why of all nodes",
            Self::Links => "why of all links",
        })
    }
}

impl ToldTopic {
    /// Its kind.
    const fn word(self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Life(_) => "life",
            Self::Runs(_) => "runs",
            Self::IsGone(_) => "is gone",
            Self::InState(_) => "in state",
            Self::Became(_) => "became",
            Self::Nodes => "nodes",
            Self::Messages => "messages",
            Self::Deaths => "deaths",
            Self::FalseReports => "false reports",
            Self::Warnings => "warnings",
            Self::Reach(_) => "reach",
            Self::Everywhere => "everywhere",
            Self::Has(..) => "has",
            Self::OnItsWay(..) => "on its way",
            Self::WhyLacking(..) => "why lacking",
            Self::Holds(..) => "holds",
            Self::Neighbors(_) => "neighbors",
            Self::SeedReached => "seed reached",
            Self::WrongOnList(..) => "wrong on list",
            Self::Parts => "parts",
            Self::HoldsTogether(_) => "holds together",
            Self::IsSo(_) => "is so",
            Self::Sure(..) => "sure",
            Self::Named(..) => "named",
        }
    }

    fn text(self, model: &Model) -> String {
        let name = |node| model.name_of(node);
        let message = |id| model.message_name(id);
        match self {
            Self::State(node) => format!("the state of {}", name(node)),
            Self::Life(node) => format!("what became of {}", name(node)),
            Self::Runs(node) => format!("whether {} runs", name(node)),
            Self::IsGone(node) => format!("whether {} is gone", name(node)),
            Self::InState(state) => format!("how many nodes are {}", state.word()),
            Self::Became(NodeState::Killed) => "how many nodes are killed".to_owned(),
            Self::Became(NodeState::Hangs) => "how many nodes hang".to_owned(),
            Self::Became(NodeState::Left | NodeState::Runs) => "how many nodes left or run".to_owned(),
            Self::Nodes => "how many nodes there are".to_owned(),
            Self::Messages => "how many messages began".to_owned(),
            Self::Deaths => "how many deaths there were".to_owned(),
            Self::FalseReports => "how many reports were false".to_owned(),
            Self::Warnings => "how many warnings stand".to_owned(),
            Self::Reach(id) => format!("how far {} came", message(id)),
            Self::Everywhere => "how many messages every peer has".to_owned(),
            Self::Has(node, id) => format!("whether {} has {}", name(node), message(id)),
            Self::OnItsWay(node, id) => format!("whether {} may still come to {}", message(id), name(node)),
            Self::WhyLacking(node, id) => format!("why {} lacks {}", name(node), message(id)),
            Self::Holds(node, peer) => format!("whether {} holds a link to {}", name(node), name(peer)),
            Self::Neighbors(node) => format!("how many neighbors {} has", name(node)),
            Self::SeedReached => "whether peers reach a seed".to_owned(),
            Self::WrongOnList(seed, peer) => {
                format!("whether the list of {} is wrong about {}", name(seed), name(peer))
            }
            Self::Parts => "in how many parts the overlay is".to_owned(),
            Self::HoldsTogether(node) => format!("whether the overlay falls apart without {}", name(node)),
            Self::IsSo(WarnedOf::Alone(node)) => format!("whether {} is alone", name(node)),
            Self::IsSo(WarnedOf::Fragile) => "whether a single loss would part the overlay".to_owned(),
            Self::Sure(asked, _) => format!("whether it is certain why, of {}", asked.text(model)),
            Self::Named(asked, _) => format!("what made it so, of {}", asked.text(model)),
        }
    }
}

impl AskedOf {
    fn text(self, model: &Model) -> String {
        let name = |node| model.name_of(node);
        match self {
            Self::Node(node) => name(node).into_owned(),
            Self::Report(dead) => format!("the death of {}", name(dead)),
            Self::Link(one, other) => format!("{} and {}", name(one), name(other)),
            Self::Lack(node, id) => format!("{} and {}", name(node), model.message_name(id)),
            Self::Seed(seed) => format!("the list of {}", name(seed)),
        }
    }
}

impl ToldState {
    const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
            Self::Named => "named by others",
        }
    }
}

#[cfg(test)]
mod tests;
