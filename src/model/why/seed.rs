//! Why a seed's list differs from the live nodes.

use std::hash::{Hash, Hasher};

use super::{EVIDENCE_MAX, EvidenceLine, Explainer, Explanation, in_order, is_known};
use crate::event::{DelistReason, NodeState};
use crate::model::cause::{Question, Reason, deeds_of, reason};
use crate::model::death::delisting;
use crate::model::fault::FaultRecord;
use crate::model::link::LinkHistory;
use crate::model::node::NodeRecord;
use crate::model::seed::SeedView;
use crate::model::words::{count_text, span_text};
use crate::model::{Map, Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Differences that a verdict names; all are in the evidence.
const CLAUSES_MAX: usize = 3;

/// Nodes on this seed's list that are not alive, and live nodes that are not on it, each with the
/// reason.
pub fn why_seed(model: &Model, seed: Addr, now: Time, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let name = explainer.name(seed);
    let title = format!("The list of {name}");
    let is_ours = model.nodes().get(seed).is_some_and(NodeRecord::is_ours);
    let Some(view) = model.seeds().get(seed).filter(|_| is_ours) else {
        let verdict = elsewhere(explainer, seed);
        return Explanation::unknown(title, verdict);
    };
    let differences = differences(explainer, seed, view);
    let verdict = verdict(explainer, (&name, seed), view, &wrong(explainer, &differences));
    let is_certain = differences.iter().all(Difference::is_settled);
    let last = view.last_list.map(|(at, _)| format!("its last list went out {} ago", span_text(now.since(at))));
    let rests_on = differences.iter().filter_map(|difference| difference.question).collect();
    let differences = evidence(explainer, seed, view, &differences);
    let evidence = last.map(EvidenceLine::now).into_iter().chain(differences).collect();
    Explanation { title, verdict, is_certain, evidence, table: None, rests_on }
}

/// The evidence for as many differences as fit, and how many more there are.
fn evidence(
    explainer: Explainer<'_>,
    seed: Addr,
    view: &SeedView,
    differences: &[Difference<'_>],
) -> Vec<EvidenceLine> {
    let mut lines = Set::default();
    let mut told = 0;
    for difference in differences {
        let Difference { peer, why, .. } = difference;
        if lines.len() >= EVIDENCE_MAX {
            break;
        }
        let list = if view.listed.contains_key(peer) { "on the list" } else { "not on the list" };
        let clause = reasoned(clause(explainer, why, &[*peer]), difference.because(explainer).as_deref());
        lines.insert(EvidenceLine::now(format!("{list}: {clause}")));
        lines.extend(steps(explainer, seed, *peer));
        lines.extend(explainer.faults_between(*peer, seed));
        told += 1;
    }
    let untold = (differences.len() - told) as u64;
    let mut evidence = in_order(lines.into_iter().collect());
    if untold > 0 {
        evidence.push(EvidenceLine::now(format!("and what there is of {}", count_text(untold, "more peer"))));
    }
    evidence
}

/// A peer whose place on the list, or off it, needs an explanation.
struct Difference<'a> {
    peer: Addr,
    why: DifferenceReason<'a>,
    /// What is wrong, if it is.
    question: Option<Question>,
    /// What was done that makes it so, if it is wrong.
    deeds: Option<Reason>,
}

impl<'a> Difference<'a> {
    fn new(explainer: Explainer<'_>, seed: Addr, peer: Addr, why: DifferenceReason<'a>) -> Self {
        let question = match why {
            DifferenceReason::Gone { .. } => Some(Question::Stale { seed, peer }),
            DifferenceReason::CutOff { .. } | DifferenceReason::Off { .. } | DifferenceReason::Unregistered => {
                Some(Question::Unlisted { seed, peer })
            }
            DifferenceReason::WithOthers { .. } | DifferenceReason::NoMore { .. } => None,
        };
        let deeds = question.map(|question| reason(explainer.model, &question));
        Self { peer, why, question, deeds }
    }

    /// It is known why.
    fn is_settled(&self) -> bool {
        self.deeds.as_ref().is_none_or(is_known)
    }

    /// What was done, unless the clause tells it.
    fn because(&self, explainer: Explainer<'_>) -> Option<String> {
        let deeds = self.deeds.as_ref()?;
        match &self.why {
            DifferenceReason::Off { .. } | DifferenceReason::Unregistered => explainer.because(deeds),
            // It may have been off the list before it was cut off.
            DifferenceReason::CutOff { by, .. } if deeds_of(deeds) != [by.0.deed()] => explainer.because(deeds),
            DifferenceReason::Gone { .. }
            | DifferenceReason::CutOff { .. }
            | DifferenceReason::WithOthers { .. }
            | DifferenceReason::NoMore { .. } => None,
        }
    }
}

/// Why the list and the live nodes differ; peers with equal reasons share a clause.
#[derive(PartialEq, Eq, Hash)]
enum DifferenceReason<'a> {
    /// On the list, and not alive: its last state (`None`: it runs elsewhere and was declared dead),
    /// since when, and whether anybody has reported it.
    Gone { life: Option<NodeState>, at: String, is_reported: bool, unaware: Option<Unaware<'a>> },
    /// It runs, nothing passes between it and the seed, and it was taken off the list, if that was
    /// seen.
    CutOff { by: By<'a>, off: Option<Off> },
    /// It runs, and was taken off the list, if that was seen.
    Off { off: Option<Off> },
    /// It is registered with no seed.
    Unregistered,
    /// It is registered with other seeds, as intended.
    WithOthers { with: Vec<Addr> },
    /// It is registered with other seeds, and no longer with this one.
    NoMore { with: Vec<Addr>, since: String },
}

/// A fault, equal only to itself, so that its lists of nodes are not compared.
struct By<'a>(&'a FaultRecord);

impl PartialEq for By<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for By<'_> {}

impl Hash for By<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0).hash(state);
    }
}

/// Why a seed cannot know of a death.
#[derive(PartialEq, Eq, Hash)]
enum Unaware<'a> {
    /// It hangs: it reads no report and takes nobody off its list.
    Hangs,
    /// Nothing passes to it from where the node was.
    CutOff(By<'a>),
}

/// When a node was taken off the list, and why.
#[derive(PartialEq, Eq, Hash)]
struct Off {
    at: String,
    reason: DelistReason,
}

impl DifferenceReason<'_> {
    fn is_wrong(&self) -> bool {
        match self {
            Self::Gone { .. } | Self::CutOff { .. } | Self::Off { .. } | Self::Unregistered => true,
            Self::WithOthers { .. } | Self::NoMore { .. } => false,
        }
    }
}

fn differences<'a>(explainer: Explainer<'a>, seed: Addr, view: &SeedView) -> Vec<Difference<'a>> {
    let difference = |peer: Addr, why| Difference::new(explainer, seed, peer, why);
    let listed = view.listed.keys().filter_map(|peer| Some(difference(*peer, not_alive(explainer, seed, *peer)?)));
    let missing = explainer.model.nodes().running_peers().filter(|peer| !view.listed.contains_key(&peer.addr));
    let missing = missing.map(|peer| difference(peer.addr, not_listed(explainer, seed, peer.addr)));
    listed.chain(missing).collect()
}

/// What is wrong, in clauses; nodes with the same reason share one.
fn wrong(explainer: Explainer<'_>, differences: &[Difference<'_>]) -> Vec<String> {
    let mut groups: Map<(&DifferenceReason<'_>, Option<String>), Vec<Addr>> = Map::default();
    for difference in differences.iter().filter(|difference| difference.why.is_wrong()) {
        groups.entry((&difference.why, difference.because(explainer))).or_default().push(difference.peer);
    }
    groups.iter().map(|((why, because), peers)| reasoned(clause(explainer, why, peers), because.as_deref())).collect()
}

/// A clause with what was done that makes it so.
fn reasoned(clause: String, because: Option<&str>) -> String {
    match because {
        Some(because) => format!("{clause}, {because}"),
        None => clause,
    }
}

fn verdict(explainer: Explainer<'_>, (name, seed): (&str, Addr), view: &SeedView, wrong: &[String]) -> String {
    let listed = count_text(view.listed.len() as u64, "peer");
    let running = explainer.model.nodes().running_peers().count();
    let run = if running == 1 { "1 runs here".to_owned() } else { format!("{running} run here") };
    let has_list = |node: &NodeRecord| matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs));
    let has_list = explainer.model.nodes().get(seed).is_some_and(has_list);
    if !has_list {
        return format!("{name} does not run; when it stopped it had {listed} on its list.");
    }
    if wrong.is_empty() {
        return format!("{name} has {listed} on its list, {run}, and nobody is on it or off it without cause.");
    }
    format!("{name} has {listed} on its list, {run}: {}.", some_of(wrong))
}

/// The first of these clauses, and how many more there are.
fn some_of(clauses: &[String]) -> String {
    let shown = clauses.iter().take(CLAUSES_MAX).cloned().collect::<Vec<_>>().join("; ");
    match clauses.len().saturating_sub(CLAUSES_MAX) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

fn elsewhere(explainer: Explainer<'_>, seed: Addr) -> String {
    let name = explainer.name(seed);
    match explainer.model.seeds().get(seed).and_then(|view| view.last_list) {
        Some((at, len)) => format!(
            "{name} runs in another process, so its list is not certain; the last one that was seen, at {}, had {}.",
            explainer.clock(at),
            count_text(len as u64, "peer")
        ),
        None => format!("{name} runs in another process, or never ran: nothing is known of its list."),
    }
}

/// Why a listed node does not answer; `None` if nothing suggests that it is not alive.
fn not_alive(explainer: Explainer<'_>, seed: Addr, listed: Addr) -> Option<DifferenceReason<'_>> {
    let node = explainer.model.nodes().get(listed)?;
    let life = node.life();
    let is_gone = match life {
        Some(NodeState::Killed | NodeState::Left | NodeState::Hangs) => true,
        Some(NodeState::Runs) => false,
        None => node.is_believed_dead(),
    };
    if !is_gone {
        return None;
    }
    let since = if life.is_none() { node.since } else { node.life_since() };
    let is_reported = explainer.model.deaths().latest_of(listed).is_some_and(|case| case.back_at.is_none());
    Some(DifferenceReason::Gone {
        life,
        at: explainer.clock(since),
        is_reported,
        unaware: unaware(explainer, seed, listed),
    })
}

/// What keeps the seed from knowing that this node is gone; `None` if it got a report.
fn unaware(explainer: Explainer<'_>, seed: Addr, gone: Addr) -> Option<Unaware<'_>> {
    let case = explainer.model.deaths().latest_of(gone);
    if case.is_some_and(|case| case.back_at.is_none() && case.steps.iter().any(|step| step.node == seed)) {
        return None;
    }
    if explainer.model.nodes().get(seed).is_some_and(|seed| seed.life() == Some(NodeState::Hangs)) {
        return Some(Unaware::Hangs);
    }
    let mut between = explainer.model.faults().ever_between(gone, seed).filter(|record| record.until.is_none());
    between.find(|record| record.stops_all()).map(|record| Unaware::CutOff(By(record)))
}

/// Why a running peer is not on this seed's list.
fn not_listed(explainer: Explainer<'_>, seed: Addr, peer: Addr) -> DifferenceReason<'_> {
    let between = explainer.model.faults().ever_between(peer, seed);
    if let Some(by) = between.filter(|record| record.until.is_none()).find(|record| record.stops_all()) {
        return DifferenceReason::CutOff { by: By(by), off: taken_off(explainer, seed, peer) };
    }
    let links = explainer.model.links();
    let link = links.get(peer, seed);
    if link.is_some_and(LinkHistory::is_up) {
        return DifferenceReason::Off { off: taken_off(explainer, seed, peer) };
    }
    let is_seed = |addr: &Addr| explainer.model.nodes().get(*addr).is_some_and(|to| to.role == Some(Role::Seed));
    let up = links.open_of(peer).filter(|link| link.is_up()).map(|link| link.key.peer);
    let with: Vec<Addr> = up.filter(is_seed).collect();
    match (with.is_empty(), link) {
        (true, _) => DifferenceReason::Unregistered,
        (false, None) => DifferenceReason::WithOthers { with },
        (false, Some(link)) => DifferenceReason::NoMore { with, since: explainer.clock(link.since) },
    }
}

/// When and why this seed last took this peer off its list.
fn taken_off(explainer: Explainer<'_>, seed: Addr, peer: Addr) -> Option<Off> {
    let case = explainer.model.deaths().latest_of(peer);
    let mut steps = case.iter().flat_map(|case| &case.steps).rev().filter(|step| step.node == seed);
    steps.find_map(|step| Some(Off { at: explainer.clock(step.at), reason: without_report(delisting(step)?) }))
}

/// Several reports of one reporter are one reason.
fn without_report(reason: DelistReason) -> DelistReason {
    match reason {
        DelistReason::Reported { reporter, .. } => DelistReason::Reported { report: None, reporter },
        DelistReason::Unanswered { reporter, .. } => DelistReason::Unanswered { report: None, reporter },
        DelistReason::Silent | DelistReason::Departed | DelistReason::Left => reason,
    }
}

/// `p4 runs and is registered with no seed at all`, for one peer or several.
fn clause(explainer: Explainer<'_>, why: &DifferenceReason<'_>, peers: &[Addr]) -> String {
    let (who, is_one) = (explainer.names(peers), peers.len() == 1);
    let (runs, is, they) = if is_one { ("runs", "is", "it") } else { ("run", "are", "they") };
    match why {
        DifferenceReason::Gone { life, at, is_reported, unaware } => {
            let noticed = match (unaware, is_reported, is_one) {
                (Some(Unaware::Hangs), ..) => ", which it does not know, because it hangs".to_owned(),
                (Some(Unaware::CutOff(by)), ..) => {
                    format!(", which it cannot know, because of {}", explainer.named(by.0))
                }
                (None, true, _) => String::new(),
                (None, false, true) => ", and nobody has reported it".to_owned(),
                (None, false, false) => ", and nobody has reported them".to_owned(),
            };
            format!("{who} {}{noticed}", gone(*life, at, is_one))
        }
        DifferenceReason::CutOff { by, off } => {
            let off =
                off.as_ref().map(|off| format!("; {they} {}", off_text(explainer, off, is_one))).unwrap_or_default();
            format!("{who} {runs}, but {is} cut off from it by {}{off}", explainer.named(by.0))
        }
        DifferenceReason::Off { off: Some(off) } => {
            format!("{who} {runs} and {is} registered, but {}", off_text(explainer, off, is_one))
        }
        DifferenceReason::Off { off: None } => {
            format!("{who} {runs} and {is} registered; why that is not on the list is not certain")
        }
        DifferenceReason::Unregistered => format!("{who} {runs} and {is} registered with no seed at all"),
        DifferenceReason::WithOthers { with } => {
            format!("{who} registered with {}: a peer takes more than half of the seeds", explainer.names(with))
        }
        DifferenceReason::NoMore { with, since } => {
            format!("{who} {is} not registered here since {since}, but with {}", explainer.names(with))
        }
    }
}

/// `was killed at 03:13:02`, of one node or several.
pub(super) fn gone(life: Option<NodeState>, at: &str, is_one: bool) -> String {
    let (was, is) = if is_one { ("was", "is") } else { ("were", "are") };
    match life {
        Some(NodeState::Killed) => format!("{was} killed at {at}"),
        Some(NodeState::Left) => format!("left at {at}"),
        Some(NodeState::Hangs) => format!("{} since {at}", if is_one { "hangs" } else { "hang" }),
        Some(NodeState::Runs) | None => format!("{is} taken for dead since {at}"),
    }
}

/// `was taken off the list at 03:13:02: p2 reported it dead, and it did not answer`.
fn off_text(explainer: Explainer<'_>, off: &Off, is_one: bool) -> String {
    let (subject, object, was) = if is_one { ("it", "it", "was") } else { ("they", "them", "were") };
    let at = &off.at;
    let why = match off.reason {
        DelistReason::Reported { reporter, .. } => {
            format!("{} reported {object} dead, and the seed did not ask {object}", explainer.name(reporter))
        }
        DelistReason::Unanswered { reporter, .. } => {
            format!("{} reported {object} dead, and {subject} did not answer", explainer.name(reporter))
        }
        DelistReason::Silent => format!("nothing was heard of {object}, and {subject} did not answer"),
        DelistReason::Departed => "the registration closed and no new one came".to_owned(),
        DelistReason::Left => format!("{subject} said goodbye"),
    };
    format!("{was} taken off the list at {at}: {why}")
}

/// What the seed did about this peer.
fn steps(explainer: Explainer<'_>, seed: Addr, peer: Addr) -> Vec<EvidenceLine> {
    let case = explainer.model.deaths().latest_of(peer);
    let steps = case.into_iter().flat_map(|case| &case.steps);
    steps.filter(|step| step.node == seed).map(|step| super::death::step_line_of(explainer, peer, step)).collect()
}
