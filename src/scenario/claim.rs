//! What a scenario can claim about a network, and how the model decides it.
//!
//! The answer says whether the claim holds, and what is so in words, for the report of an
//! expectation that failed.

use std::time::Duration;

use crate::model::Model;
use crate::model::death::{DeathCase, Evidence};
use crate::model::node::NodeRecord;
use crate::model::rumor::{Counting, Coverage, Rumor};
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Names that a sentence lists.
const NAMES_MAX: usize = 6;
/// Parts of an overlay that a sentence lists.
const PARTS_MAX: usize = 4;

/// A claim. Nodes and messages have the names that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// This percentage of the peers that ran when a message began, and still run, have it.
    Coverage { percent: u32, message: MessageRef },
    /// About the network as a whole.
    Network(&'static ClaimRow<NetworkJudge>),
    /// About the node of this name.
    Node(&'static ClaimRow<NodeJudge>, String),
}

/// A claim's word in a scenario, and how the model decides it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClaimRow<F> {
    pub(super) word: &'static str,
    judge: F,
}

/// What the model says about a claim.
type NetworkJudge = fn(&Model) -> ClaimState;
/// What the model says about the node of this name.
type NodeJudge = fn(&Model, &str) -> ClaimState;

/// Claims about the network, besides coverage.
pub(super) const NETWORK_CLAIMS: &[ClaimRow<NetworkJudge>] = &[
    // The running peers form one graph by links that both ends hold.
    ClaimRow { word: "connected", judge: connected },
];
/// Any node is dead in the sense of `dead`; a scenario expects that none is.
pub(super) const SOMEBODY_DEAD: &ClaimRow<NetworkJudge> = &ClaimRow { word: "no dead", judge: somebody_dead };
/// Claims about a node.
pub(super) const NODE_CLAIMS: &[ClaimRow<NodeJudge>] = &[
    // A neighbor has declared it dead, and there has been no sign of life since.
    ClaimRow { word: "dead", judge: dead },
    // A seed has found it alive when it was reported dead.
    ClaimRow { word: "disputed", judge: disputed },
    // A running seed has it on its list.
    ClaimRow { word: "listed", judge: listed },
];
/// What can be expected, for an error message.
pub(super) const CLAIMS: &str =
    "coverage 100%, connected, dead NODE, no dead, disputed NODE or listed NODE, each also after 'not'";

impl<F> PartialEq for ClaimRow<F> {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<F> Eq for ClaimRow<F> {}

/// Which message a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MessageRef {
    /// The first that begins from the moment of the line on.
    Next,
    /// The one that the `say` just before the line sends.
    Said { origin: String, body: Body },
    /// `p3#2`.
    Named(String),
}

/// Whether a claim holds, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimState {
    /// `None`: neither the claim nor its opposite holds, because there is nothing that it could be
    /// about.
    pub(super) holds: Option<bool>,
    /// As of then: `p3#2 had reached 6 of 8 peers; p7 and p8 lacked it`.
    pub(super) words: String,
}

impl ClaimState {
    fn new(holds: bool, words: String) -> Self {
        Self { holds: Some(holds), words }
    }

    fn of_nothing(words: String) -> Self {
        Self { holds: None, words }
    }
}

impl Claim {
    /// What the model says about this claim, for a line at the moment `since`.
    pub(super) fn judge(&self, model: &Model, since: Time) -> ClaimState {
        match self {
            Self::Coverage { percent, message } => coverage(model, *percent, message, since),
            Self::Network(row) => (row.judge)(model),
            Self::Node(row, name) => (row.judge)(model, name),
        }
    }

    /// The node that it names.
    pub(super) fn nodes(&self) -> Option<&str> {
        match self {
            Self::Node(_, name) => Some(name),
            Self::Coverage { message: MessageRef::Named(name), .. } => name.split('#').next(),
            Self::Coverage { message: MessageRef::Next | MessageRef::Said { .. }, .. } | Self::Network(_) => None,
        }
    }
}

fn names(model: &Model, addrs: impl IntoIterator<Item = Addr>) -> String {
    model.names_in_order(addrs, NAMES_MAX)
}

fn coverage(model: &Model, percent: u32, message: &MessageRef, since: Time) -> ClaimState {
    let Some(rumor) = find(model, message, since) else {
        return ClaimState::of_nothing("no such message had begun".to_owned());
    };
    let Coverage { have, of } = rumor.coverage(model.nodes(), Counting::StillRun);
    if of == 0 {
        let name = model.message_name(rumor.id);
        return ClaimState::of_nothing(format!("no peer that ran when {name} began still ran"));
    }
    let reached = format!("{} had reached {have} of {}", model.message_name(rumor.id), count_text(of as u64, "peer"));
    let lacking = names(model, rumor.lacking(model.nodes(), Counting::StillRun).map(|node| node.addr));
    let lacking = if lacking.is_empty() { lacking } else { format!("; {lacking} lacked it") };
    let holds = have as u64 * 100 >= of as u64 * u64::from(percent);
    ClaimState::new(holds, format!("{reached}{lacking}"))
}

fn find<'a>(model: &'a Model, message: &MessageRef, since: Time) -> Option<&'a Rumor> {
    let mut rumors = model.rumors().ring().iter().map(|(_, rumor)| rumor);
    let from_then_on = |rumor: &Rumor| rumor.first_seen >= since && rumor.generated_at.is_some();
    match message {
        MessageRef::Next => rumors.find(|rumor| from_then_on(rumor)),
        MessageRef::Said { origin, body } => {
            let origin = model.nodes().find(origin)?.addr;
            rumors.find(|rumor| from_then_on(rumor) && rumor.id.origin == origin && rumor.body == *body)
        }
        // If the node was restarted, its latest message of that name.
        MessageRef::Named(name) => rumors.rfind(|rumor| model.message_name(rumor.id) == *name),
    }
}

fn connected(model: &Model) -> ClaimState {
    let parts = parts(model);
    match parts.as_slice() {
        [] => ClaimState::new(false, "no peer ran".to_owned()),
        [one] => {
            ClaimState::new(true, format!("the overlay was one graph of {}", count_text(one.len() as u64, "peer")))
        }
        several => {
            let mut told: Vec<String> =
                several.iter().take(PARTS_MAX).map(|part| names(model, part.iter().copied())).collect();
            if several.len() > PARTS_MAX {
                told.push(format!("{} more", several.len() - PARTS_MAX));
            }
            ClaimState::new(false, format!("the overlay was in {} parts: {}", several.len(), told.join(" / ")))
        }
    }
}

/// The parts of the overlay of our running peers by links that both ends hold, largest first.
fn parts(model: &Model) -> Vec<Vec<Addr>> {
    let overlay = model.overlay();
    overlay.graph.only(|node| !overlay.elsewhere.contains(&node), |_, _| true).parts()
}

/// Who has declared this node dead and not heard from it since.
fn declarers(case: &DeathCase) -> impl Iterator<Item = Addr> {
    let declared = |told: &&Evidence| told.declared_at.is_some() && told.cause != Some(DeathCause::Cut);
    case.evidence.iter().filter(declared).map(|told| told.reporter)
}

fn open_case(model: &Model, addr: Addr) -> Option<&DeathCase> {
    let is_dead = model.nodes().get(addr).is_some_and(NodeRecord::is_believed_dead);
    model.deaths().latest_of(addr).filter(|case| is_dead && case.back_at.is_none() && declarers(case).next().is_some())
}

fn dead(model: &Model, name: &str) -> ClaimState {
    let case = model.nodes().find(name).and_then(|node| open_case(model, node.addr));
    match case {
        Some(case) => ClaimState::new(true, format!("{} had declared {name} dead", names(model, declarers(case)))),
        None => ClaimState::new(false, format!("nobody had declared {name} dead")),
    }
}

fn somebody_dead(model: &Model) -> ClaimState {
    let dead: Vec<Addr> =
        model.nodes().iter().map(|node| node.addr).filter(|addr| open_case(model, *addr).is_some()).collect();
    match dead.first().and_then(|first| open_case(model, *first)) {
        Some(case) => {
            let by = names(model, declarers(case));
            let first = format!("{by} had declared {} dead", model.name_of(case.dead));
            let more = dead.len() - 1;
            ClaimState::new(true, if more == 0 { first } else { format!("{first}, and {more} more were held dead") })
        }
        None => ClaimState::new(false, "nobody was held dead".to_owned()),
    }
}

fn disputed(model: &Model, name: &str) -> ClaimState {
    let case = model.nodes().find(name).and_then(|node| model.deaths().latest_of(node.addr));
    let disputes: Vec<(Addr, Addr, Time)> = case.into_iter().flat_map(DeathCase::disputes).collect();
    match disputes.first() {
        Some((_, reporter, _)) => {
            let seeds: std::collections::BTreeSet<Addr> = disputes.iter().map(|(seed, ..)| *seed).collect();
            let (seeds, reporter) = (names(model, seeds), model.name_of(*reporter));
            ClaimState::new(true, format!("{seeds} had disputed {reporter}'s report that {name} is dead"))
        }
        None => ClaimState::new(false, format!("no seed had disputed a report that {name} is dead")),
    }
}

fn listed(model: &Model, name: &str) -> ClaimState {
    let runs = |seed: &Addr| model.nodes().get(*seed).is_some_and(NodeRecord::runs);
    let node = model.nodes().find(name).map(|node| node.addr);
    let seeds: Vec<Addr> = node.into_iter().flat_map(|addr| model.seeds().listing(addr)).filter(runs).collect();
    if seeds.is_empty() {
        return ClaimState::new(false, format!("no seed that ran had {name} on its list"));
    }
    ClaimState::new(true, format!("{} had {name} on the list", names(model, seeds)))
}

/// How often a claim that may still come true, or stop being true, is checked.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(50);
