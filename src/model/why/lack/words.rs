//! Why a node does not have a message, in words.

use super::{CrossingOutcome, DELIVERY_TIME, Diagnosis, LackReason};
use crate::event::{LossReason, NodeState};
use crate::model::cause::{Deed, ProtocolRule, Reason, deeds_of};
use crate::model::fault::FaultRecord;
use crate::model::link::LinkHistory;
use crate::model::loss::LostCopy;
use crate::model::node::{LifeChange, NodeRecord};
use crate::model::why::ending::{LinkLoss, end_of, reason_of_end, told_end_of};
use crate::model::why::{EvidenceLine, EvidenceSource, SourceKind, in_order};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Links that an answer names.
const LOST_MAX: usize = 3;

impl Diagnosis<'_> {
    pub(super) fn sentence(&self, node: Addr, reason: &LackReason<'_>) -> String {
        let (name, message) = (self.explainer.name(node), self.explainer.model.message_name(self.rumor.id));
        let doubt = if self.is_certain() { "" } else { "; not certain, because not all of that time is known here" };
        let yet = if self.is_on_its_way(node, reason) { " yet" } else { "" };
        let clause = self.clause(node, reason);
        let joint = match clause.as_str() {
            because if because.starts_with("because ") => " ",
            perhaps if perhaps.starts_with("perhaps because ") => ", ",
            _ => ": ",
        };
        format!("{name} does not have {message}{yet}{joint}{clause}{doubt}")
    }

    pub(super) fn clause(&self, node: Addr, reason: &LackReason<'_>) -> String {
        let proven = self.deeds.of(node);
        let because = self.explainer.because(&proven).filter(|_| !self.tells(node, reason, &proven));
        match because {
            Some(because) => format!("{because}; {}", self.whereabouts(reason)),
            None => self.told(node, reason),
        }
    }

    /// What is seen on the path tells this reason.
    pub(super) fn tells(&self, node: Addr, reason: &LackReason<'_>, proven: &Reason) -> bool {
        let only = match proven {
            Reason::Deeds(causes) => causes.only(),
            Reason::NotCertain(deeds) => deeds.first().filter(|_| deeds.len() == 1).copied(),
            Reason::Rule(_) => None,
        };
        let is_it = |deed: Deed| only == Some(deed);
        let turned = |node: Addr, turn: &LifeChange| Deed::Turned { node, at: turn.at, to: turn.life };
        let ended = |lost: &LinkLoss<'_>| reason_of_end(self.explainer, lost.link, lost.step).as_ref() == Some(proven);
        match reason {
            LackReason::NotOurs | LackReason::Forgotten | LackReason::Seed | LackReason::Later { .. } => true,
            LackReason::Down { turn, .. } | LackReason::WentDown { turn, .. } => is_it(turned(node, turn)),
            LackReason::Behind { border } => is_it(border.deed()),
            LackReason::Alone { lost } | LackReason::Apart { lost, .. } => lost.first().is_none_or(ended),
            LackReason::Stuck { holder, next, outcome, .. } => match outcome {
                CrossingOutcome::Faulty(record) if record.stops_all() => is_it(record.deed()),
                CrossingOutcome::Faulty(record) => {
                    let is_guess = matches!(proven, Reason::NotCertain(_)) && is_it(record.deed());
                    let is_named = deeds_of(proven).is_empty() || deeds_of(proven).contains(&record.deed());
                    is_guess || is_named && self.is_on_its_way(node, reason)
                }
                CrossingOutcome::Ended(lost) => ended(lost),
                CrossingOutcome::Lost(lost) => match self.fault_of(lost) {
                    Some(record) => is_it(record.deed()),
                    // What broke the link, or filled the queue, it does not tell.
                    None => deeds_of(proven).is_empty(),
                },
                CrossingOutcome::HolderDown(turn) => is_it(turned(*holder, turn)),
                CrossingOutcome::NextDown(turn) => is_it(turned(*next, turn)),
                CrossingOutcome::Late | CrossingOutcome::Open => matches!(proven, Reason::Rule(_)),
            },
        }
    }

    fn fault_of(&self, lost: &LostCopy) -> Option<&FaultRecord> {
        match lost.why {
            LossReason::Fault(id) => self.explainer.model.faults().numbered(id),
            LossReason::QueueFull | LossReason::LinkEnded | LossReason::Hung => None,
        }
    }

    /// How near it came.
    fn whereabouts(&self, reason: &LackReason<'_>) -> String {
        match reason {
            LackReason::Stuck { holder, next, at, .. } => {
                let (holder, next, at) =
                    (self.explainer.name(*holder), self.explainer.name(*next), self.explainer.clock(*at));
                format!("{holder} had it at {at}, and it did not come to {next}{}", self.carried_off(reason))
            }
            LackReason::Down { turn, back } | LackReason::WentDown { turn, back } => {
                format!("it {}{} besides", self.explainer.turn(*turn), self.back(*back))
            }
            LackReason::Alone { .. } => "it had no neighbor".to_owned(),
            LackReason::NotOurs
            | LackReason::Forgotten
            | LackReason::Seed
            | LackReason::Later { .. }
            | LackReason::Behind { .. }
            | LackReason::Apart { .. } => {
                format!("no path led to it from {}", self.explainer.name(self.rumor.id.origin))
            }
        }
    }

    /// `: the link that carried it ended at 03:13:02`, if that is how a copy under way was lost.
    fn carried_off(&self, reason: &LackReason<'_>) -> String {
        let LackReason::Stuck { holder, next, at, outcome } = reason else { return String::new() };
        let ended = |at: Time| format!(": the link that carried it ended at {}", self.explainer.clock(at));
        match outcome {
            CrossingOutcome::Ended(lost) if self.lost_copies.contains_key(&(*holder, *next)) => {
                format!("{}: {}", ended(lost.step.at), told_end_of(self.explainer, lost.link, lost.step))
            }
            CrossingOutcome::Faulty(record) if !record.stops_all() => {
                let link = self.explainer.model.links().get(*next, *holder);
                let lost = link.and_then(|link| link.steps().find(|step| step.is_loss() && step.at > *at));
                lost.map_or_else(String::new, |step| ended(step.at))
            }
            CrossingOutcome::Lost(lost) => format!(": {}", self.lost_copy(lost)),
            CrossingOutcome::Faulty(_)
            | CrossingOutcome::Ended(_)
            | CrossingOutcome::HolderDown(_)
            | CrossingOutcome::NextDown(_)
            | CrossingOutcome::Late
            | CrossingOutcome::Open => String::new(),
        }
    }

    /// What is seen on the path.
    fn told(&self, node: Addr, reason: &LackReason<'_>) -> String {
        match reason {
            LackReason::NotOurs => {
                "that is not certain: it does not run in this process, and only it can tell".to_owned()
            }
            LackReason::Forgotten => {
                "why is not certain: it was started again too often since for that time to be known \
                                  still"
                    .to_owned()
            }
            LackReason::Seed => "it is a seed, and seeds do not gossip".to_owned(),
            LackReason::Later { from } => {
                let (at, after) = (self.explainer.clock(*from), span_text(from.since(self.began)));
                format!("it started at {at}, {after} after the message began, and nobody repeats it")
            }
            LackReason::Down { turn, back } => {
                format!("it was down when the message began: it {}{}", self.explainer.turn(*turn), self.back(*back))
            }
            LackReason::WentDown { turn, back } => {
                format!("it went down before the message came: it {}{}", self.explainer.turn(*turn), self.back(*back))
            }
            LackReason::Behind { border } => self.behind(border),
            LackReason::Alone { lost } => self.alone(node, lost),
            LackReason::Apart { .. } if self.deeds.of(node) == Reason::Rule(ProtocolRule::Full) => {
                let origin = self.explainer.name(self.rumor.id.origin);
                format!("{origin} had no neighbor yet: all that it asked have as many as they take")
            }
            LackReason::Apart { .. } if self.deeds.of(node) == Reason::Rule(ProtocolRule::Apart) => {
                let origin = self.explainer.name(self.rumor.id.origin);
                format!("no path led to it from {origin}: the overlay was in several parts before anything was done")
            }
            LackReason::Apart { side, lost } => self.apart(*side, lost),
            LackReason::Stuck { holder, next, at, outcome } => {
                let is_on_its_way = self.is_on_its_way(node, reason);
                self.held_up((*holder, *at), outcome)
                    .filter(|_| is_on_its_way)
                    .unwrap_or_else(|| self.stuck(node, (*holder, *next, *at), outcome))
            }
        }
    }

    /// What delays a message that is on its way.
    fn held_up(&self, (holder, at): (Addr, Time), outcome: &CrossingOutcome<'_>) -> Option<String> {
        let CrossingOutcome::Faulty(record) = outcome else { return None };
        let (named, had_at) = (self.explainer.named(record), self.explainer.clock(at));
        Some(format!("it is on its way: {named} holds it up; {} had it at {had_at}", self.explainer.name(holder)))
    }

    fn back(&self, back: Option<Time>) -> String {
        back.map_or_else(String::new, |at| format!(", and was started again at {}", self.explainer.clock(at)))
    }

    fn behind(&self, border: &FaultRecord) -> String {
        let (fault, set) = (self.explainer.fault(border), self.explainer.clock(border.since));
        match border.until {
            None => format!("it is on the other side of '{fault}', set at {set}"),
            Some(until) => {
                format!(
                    "it was on the other side of '{fault}', set at {set} and healed at {}",
                    self.explainer.clock(until)
                )
            }
        }
    }

    fn alone(&self, node: Addr, links: &[LinkLoss<'_>]) -> String {
        match links.first() {
            Some(last) => {
                format!("{}it had no neighbor; its last link, {}", self.because(last), self.lost_text(*last))
            }
            None if self.deeds.of(node) == Reason::Rule(ProtocolRule::Full) => {
                "it had no neighbor yet: all that it asked have as many as they take".to_owned()
            }
            None => "it had no neighbor yet".to_owned(),
        }
    }

    fn apart(&self, side: usize, links: &[LinkLoss<'_>]) -> String {
        let with = match side {
            1 => "it was".to_owned(),
            more => format!("it and {} were", count_text(more as u64 - 1, "other")),
        };
        let origin = self.explainer.name(self.rumor.id.origin);
        let because = links.first().map(|last| self.because(last)).unwrap_or_default();
        let why = match links.first() {
            Some(last) => format!("the last link between the two sides, {}", self.lost_text(*last)),
            None => "no link between the two sides is known here".to_owned(),
        };
        format!("{because}{with} in another part of the overlay than {origin}; {why}")
    }

    /// `because of 'cut p1 p7' since 03:13:02 `: the fault that ended a link.
    fn because(&self, lost: &LinkLoss<'_>) -> String {
        let reason = reason_of_end(self.explainer, lost.link, lost.step).filter(is_of_faults);
        let because = reason.and_then(|reason| self.explainer.because(&reason));
        because.map_or_else(String::new, |because| format!("{because}: "))
    }

    fn stuck(&self, node: Addr, (holder, next, at): (Addr, Addr, Time), outcome: &CrossingOutcome<'_>) -> String {
        let (from, name, is_last) = (self.explainer.name(holder), self.explainer.name(next), next == node);
        let had_at = self.explainer.clock(at);
        let (to, pause) = if is_last { ("it".to_owned(), "") } else { (format!("{name}, on the way to it"), ",") };
        let had = format!("{from} had it at {had_at}");
        let link = format!("the link {from} - {name}{}", if is_last { "" } else { ", on the way to it," });
        match outcome {
            CrossingOutcome::Faulty(record) if record.stops_all() => {
                let (cut, by) = (format!("{to}{pause} was cut from {from}"), self.explainer.named(record));
                format!("{cut}, which had it at {had_at}, by {by}")
            }
            CrossingOutcome::Faulty(record) => {
                let named = self.explainer.named(record);
                let way = if is_last { String::new() } else { format!("; {name} is next on the way") };
                format!("{named} may have kept it, which is not certain: {had}{way}")
            }
            CrossingOutcome::Ended(lost) => {
                let (because, at) = (self.because(lost), self.explainer.clock(lost.step.at));
                let copy = self.lost_copies.get(&(holder, next)).filter(|lost| lost.why.is_of_an_end());
                let copy = copy.map_or_else(String::new, |_| format!(", and the copy to {name} was lost with it"));
                format!("{because}{link} ended at {at}: {}{copy}; {had}", self.end_text(lost))
            }
            CrossingOutcome::Lost(lost) => {
                let way = if is_last { String::new() } else { format!("; {name} is next on the way") };
                format!("{}; {had}{way}", self.lost_copy(lost))
            }
            CrossingOutcome::HolderDown(turn) => {
                let way = if is_last { String::new() } else { format!("; {name} is next on the way") };
                format!("{had}, but {}{way}", self.explainer.turn(*turn))
            }
            CrossingOutcome::NextDown(turn) => format!("{to}{pause} {}; {had}", self.explainer.turn(*turn)),
            CrossingOutcome::Late => format!("{had}, but {link} was not open at that moment"),
            CrossingOutcome::Open if self.explainer.model.now() < at + DELIVERY_TIME => {
                format!("it may be on its way: {had}, and {link} is open")
            }
            CrossingOutcome::Open => {
                format!("what became of its copy is not certain: {had}, and {link} was open, as far as is known here")
            }
        }
    }

    /// `the copy from p3 to p7 was lost: dropped by 'loss p3 p7 10%' since 03:13:02`.
    fn lost_copy(&self, lost: &LostCopy) -> String {
        let (from, to) = (self.explainer.name(lost.from), self.explainer.name(lost.to));
        let copy = format!("the copy from {from} to {to} was lost");
        match lost.why {
            LossReason::Fault(id) => match self.explainer.model.faults().numbered(id) {
                Some(record) => format!("{copy}: dropped by {}", self.explainer.named(record)),
                None => format!("{copy}: dropped by a fault that is no longer known"),
            },
            LossReason::QueueFull => format!("{copy}: the queue to {to} was full"),
            LossReason::LinkEnded => format!("{copy} with the link that carried it"),
            LossReason::Hung => format!("{copy}: {to} hung"),
        }
    }

    /// `p4 - p7, ended at 03:13:02: p4 was killed`.
    fn lost_text(&self, lost: LinkLoss<'_>) -> String {
        format!("{}, ended at {}: {}", self.pair(lost.link), self.explainer.clock(lost.step.at), self.end_text(&lost))
    }

    /// Why it ended, without the fault that was already named.
    fn end_text(&self, lost: &LinkLoss<'_>) -> String {
        if reason_of_end(self.explainer, lost.link, lost.step).is_some_and(|reason| is_of_faults(&reason)) {
            told_end_of(self.explainer, lost.link, lost.step)
        } else {
            end_of(self.explainer, lost.link, lost.step)
        }
    }

    fn pair(&self, link: &LinkHistory) -> String {
        format!("{} - {}", self.explainer.name(link.key.node), self.explainer.name(link.key.peer))
    }

    pub(super) fn evidence(&self, node: Addr, reason: &LackReason<'_>) -> Vec<EvidenceLine> {
        let message = self.explainer.model.message_name(self.rumor.id);
        let mut lines = vec![
            EvidenceLine::at(self.began, format!("{message} began at {}", self.explainer.name(self.rumor.id.origin)))
                .told_by(self.rumor.id.origin, SourceKind::Copy(self.rumor.id)),
        ];
        let mut neighbors: Vec<Addr> = self.overlay.graph.neighbors(node).collect();
        neighbors.sort_by_cached_key(|neighbor| self.explainer.model.nodes().order_of(*neighbor));
        lines.extend(neighbors.into_iter().map(|neighbor| self.neighbor(neighbor, node)));
        lines.extend(self.of_reason(reason));
        lines.extend(self.explainer.model.nodes().get(node).map(|node| self.life_lines(node)).unwrap_or_default());
        in_order(lines)
    }

    fn of_reason(&self, reason: &LackReason<'_>) -> Vec<EvidenceLine> {
        match reason {
            LackReason::NotOurs
            | LackReason::Forgotten
            | LackReason::Seed
            | LackReason::Later { .. }
            | LackReason::Down { .. }
            | LackReason::WentDown { .. } => Vec::new(),
            LackReason::Behind { border } => self.explainer.fault_lines(border),
            LackReason::Alone { lost } | LackReason::Apart { lost, .. } => self.lost_lines(lost),
            LackReason::Stuck { holder, next, outcome, .. } => {
                let mut lines = self.explainer.faults_between(*holder, *next);
                lines.extend(self.forwarded(*holder));
                match outcome {
                    CrossingOutcome::Lost(lost) => lines.push(
                        EvidenceLine::at(lost.at, self.lost_copy(lost)).told_by_any(SourceKind::Copy(self.rumor.id)),
                    ),
                    CrossingOutcome::Ended(lost) => lines.extend(self.lost_lines(std::slice::from_ref(lost))),
                    CrossingOutcome::HolderDown(_) => lines.extend(self.explainer.turns(*holder)),
                    CrossingOutcome::NextDown(_) => lines.extend(self.explainer.turns(*next)),
                    CrossingOutcome::Faulty(_) | CrossingOutcome::Late | CrossingOutcome::Open => {}
                }
                lines
            }
        }
    }

    /// How the latest of these links ended, with the faults between their ends.
    fn lost_lines(&self, lost: &[LinkLoss<'_>]) -> Vec<EvidenceLine> {
        let mut lines = Vec::new();
        for lost in lost.iter().take(LOST_MAX) {
            lines.extend(self.explainer.faults_between(lost.link.key.node, lost.link.key.peer));
            let why = end_of(self.explainer, lost.link, lost.step);
            let line = EvidenceLine::at(lost.step.at, format!("link {} ended: {why}", self.pair(lost.link)));
            lines.push(line.resting_on(EvidenceSource::of_step(lost.link.key, lost.step)));
        }
        lines
    }

    fn neighbor(&self, neighbor: Addr, node: Addr) -> EvidenceLine {
        let (neighbor_name, name) = (self.explainer.name(neighbor), self.explainer.name(node));
        match self.had_at(neighbor) {
            Some(at) => EvidenceLine::at(at, format!("{neighbor_name}, linked to {name} when it began, had it"))
                .told_by(neighbor, SourceKind::Copy(self.rumor.id)),
            None if self.overlay.elsewhere.contains(&neighbor) => EvidenceLine::now(format!(
                "{neighbor_name}, linked to {name}, runs elsewhere: not certain whether it had it"
            )),
            None => {
                EvidenceLine::now(format!("{neighbor_name}, linked to {name} when it began, does not have it either"))
            }
        }
    }

    /// To how many neighbors the holder forwarded it.
    fn forwarded(&self, holder: Addr) -> Option<EvidenceLine> {
        let copy = self.rumor.copies.get(&holder)?;
        let to = count_text(u64::from(copy.forwarded), "neighbor");
        let line = EvidenceLine::at(copy.at, format!("{} sent it on to {to}", self.explainer.name(holder)));
        Some(line.told_by(holder, SourceKind::Copy(self.rumor.id)))
    }

    /// When it started, and what became of it.
    fn life_lines(&self, node: &NodeRecord) -> Vec<EvidenceLine> {
        let is_start = |turn: &&LifeChange| turn.life == NodeState::Runs;
        let first = node.lives.turns().first().filter(is_start);
        let line = |turn: &LifeChange| {
            let started = EvidenceLine::at(turn.at, format!("{} started", self.explainer.name(node.addr)));
            started.told_by(node.addr, SourceKind::Life)
        };
        let started = first.map(line);
        started.into_iter().chain(self.explainer.turns(node.addr)).collect()
    }
}

/// Faults are why, for certain or not.
fn is_of_faults(reason: &Reason) -> bool {
    let is_fault = |deed: &Deed| matches!(deed, Deed::Fault(_));
    match reason {
        Reason::Deeds(causes) => causes.deeds().iter().all(is_fault),
        Reason::NotCertain(deeds) => deeds.iter().all(is_fault),
        Reason::Rule(_) => false,
    }
}
