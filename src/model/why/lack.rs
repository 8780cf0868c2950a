//! Why a node does not have a message.
//!
//! The overlay at the time when the message began shows whether a path of open links led to the
//! node from those that have it. If none did, the answer names the links that had joined the two
//! sides, and what ended them; if one did, the first link on it that the message did not cross. A
//! fault, a hang or a crash that explains it is named first.
//!
//! Five hundred nodes that lack a message are answered at once: what is the same for all of them,
//! or for one side, is found once.

mod certain;
mod words;

use std::cell::OnceCell;
use std::time::Duration;

use smallvec::SmallVec;

use super::ending::{LinkLoss, one_by_link};
use super::{EvidenceLine, Explainer, Explanation, SourceKind};
use crate::event::{NodeState, Purpose};
use crate::model::cause::{LackReasons, Question};
use crate::model::fault::FaultRecord;
use crate::model::graph::Ways;
use crate::model::loss::LostCopy;
use crate::model::node::LifeChange;
use crate::model::overlay::OverlaySnapshot;
use crate::model::rumor::ForeignCopy;
use crate::model::rumor::{DELIVERY_TIME, MessageCopy, Rumor};
use crate::model::words::span_text;
use crate::model::{FastHashMap, Model};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultClass;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

/// A link that ended this long before or after a message began may have stopped it: one end learns
/// of it later than the other.
const LOST_AROUND: Duration = Duration::from_secs(1);

/// Why this node does not have this message; or that it has it, and since when.
pub fn why_not(model: &Model, node: Addr, id: MessageId, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let (name, message) = (explainer.name(node), model.message_name(id));
    let title = format!("{message} and {name}");
    let Some(rumor) = model.rumors().get(id) else {
        let verdict = format!("What became of {message} is not certain: it is no longer held here, or never was.");
        return Explanation::unknown(title, verdict);
    };
    if let Some(copy) = rumor.copies.get(&node) {
        return Explanation {
            title,
            verdict: got_it(explainer, node, rumor, *copy),
            is_certain: true,
            evidence: sender(explainer, (node, id), *copy),
            table: None,
            rests_on: Vec::new(),
        };
    }
    if let Some((_, proof)) = rumor.elsewhere(model.nodes()).find(|(holder, _)| *holder == node) {
        let verdict = has_it(explainer, node, rumor, proof);
        let is_certain = node == id.origin;
        return Explanation { title, verdict, is_certain, evidence: Vec::new(), table: None, rests_on: Vec::new() };
    }
    let diagnosis = Diagnosis::new(explainer, rumor);
    let reason = diagnosis.reason(node);
    let verdict = format!("{}.", diagnosis.sentence(node, &reason));
    Explanation {
        title: format!("Why did {name} not get {message}?"),
        verdict,
        is_certain: diagnosis.is_settled(node, &reason),
        evidence: diagnosis.evidence(node, &reason),
        table: None,
        rests_on: vec![Question::Lack { node, message: id }],
    }
}

/// Why a node lacks a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// As a clause without the node's name.
    pub why: String,
    /// It may still come.
    pub is_on_its_way: bool,
}

/// Why each of these nodes does not have this message.
pub fn why_not_each(model: &Model, rumor: &Rumor, nodes: &[Addr], utc_offset_s: i32) -> Vec<Lack> {
    let diagnosis = Diagnosis::new(Explainer { model, utc_offset_s }, rumor);
    let lack = |node: &Addr| {
        let reason = diagnosis.reason(*node);
        Lack { why: diagnosis.clause(*node, &reason), is_on_its_way: diagnosis.is_on_its_way(*node, &reason) }
    };
    nodes.iter().map(lack).collect()
}

fn got_it(explainer: Explainer<'_>, node: Addr, rumor: &Rumor, copy: MessageCopy) -> String {
    let (name, message) = (explainer.name(node), explainer.model.message_name(rumor.id));
    let at = explainer.clock(copy.at);
    let Some(from) = copy.from else { return format!("{name} has {message}: it generated it at {at}.") };
    let hop = match (copy.hop, copy.hop_known) {
        (Some(hop), _) => format!(", hop {hop}"),
        (None, Some(hop)) => format!(", hop {hop} by the links known here"),
        (None, None) => String::new(),
    };
    let delay = span_text(copy.at.since(rumor.began()));
    let more = match copy.duplicates {
        0 => "no copy came after that".to_owned(),
        1 => "1 further copy came later".to_owned(),
        more => format!("{more} further copies came later"),
    };
    format!("{name} did get {message}: at {at} from {}{hop}, {delay} after it began; {more}.", explainer.name(from))
}

/// A node elsewhere has a message only if it sent a copy.
fn has_it(explainer: Explainer<'_>, node: Addr, rumor: &Rumor, proof: ForeignCopy) -> String {
    let (name, message) = (explainer.name(node), explainer.model.message_name(rumor.id));
    let (to, at) = (explainer.name(proof.to), explainer.clock(proof.at));
    let from = if node == rumor.id.origin {
        "it began there".to_owned()
    } else {
        let perhaps =
            proof.perhaps_from.map_or_else(String::new, |from| format!(", perhaps from {}", explainer.name(from)));
        format!("it runs elsewhere, so from whom it had it is not certain{perhaps}")
    };
    format!("{name} has {message}: it sent a copy to {to} at {at}; {from}.")
}

fn sender(explainer: Explainer<'_>, (node, id): (Addr, MessageId), copy: MessageCopy) -> Vec<EvidenceLine> {
    let from = copy.from.map(|from| format!("the first copy came from {}", explainer.name(from)));
    from.map(|from| EvidenceLine::at(copy.at, from).told_by(node, SourceKind::Copy(id))).into_iter().collect()
}

enum LackReason<'a> {
    /// Nobody here can tell.
    NotOurs,
    /// It started and stopped more often since then than is remembered.
    Forgotten,
    /// Seeds do not gossip.
    Seed,
    /// It did not run yet.
    Later { from: Time },
    /// It was down or hung when the message began; `back`: when it ran again, if it did.
    Down { turn: LifeChange, back: Option<Time> },
    /// It went down before the message came.
    WentDown { turn: LifeChange, back: Option<Time> },
    /// Nothing passed from any of those that have it to its side.
    Behind { border: &'a FaultRecord },
    /// It had no neighbor.
    Alone { lost: Vec<LinkLoss<'a>> },
    /// No path of open links led there.
    Apart { side: usize, lost: Vec<LinkLoss<'a>> },
    /// The message came as far as `holder`, and not over the link to `next`.
    Stuck { holder: Addr, next: Addr, at: Time, outcome: CrossingOutcome<'a> },
}

/// What became of the link that the message did not cross.
enum CrossingOutcome<'a> {
    /// A fault on it stops all messages, or some.
    Faulty(&'a FaultRecord),
    Ended(LinkLoss<'a>),
    /// The holder stopped or hung.
    HolderDown(LifeChange),
    /// The next node stopped or hung.
    NextDown(LifeChange),
    /// The copy was lost, and it is known to what.
    Lost(LostCopy),
    /// It came up only after the holder had the message.
    Late,
    /// No reason was seen.
    Open,
}

/// The latest losses of links between neighbors that could have stopped a message of that time, one
/// for each link, latest first.
struct Losses<'a> {
    all: Vec<LinkLoss<'a>>,
    of: FastHashMap<Addr, SmallVec<[usize; 8]>>,
}

impl<'a> Losses<'a> {
    fn until(until: Time, model: &'a Model) -> Self {
        let links = model.links().iter().filter(|link| link.purpose == Purpose::Neighbor);
        let all = one_by_link(links.filter_map(|link| LinkLoss::last(link, until)).collect());
        let mut of: FastHashMap<Addr, SmallVec<[usize; 8]>> = FastHashMap::default();
        for (place, lost) in all.iter().enumerate() {
            of.entry(lost.link.key.node).or_default().push(place);
            of.entry(lost.link.key.peer).or_default().push(place);
        }
        Self { all, of }
    }

    fn of(&self, node: Addr) -> impl Iterator<Item = LinkLoss<'a>> {
        self.of.get(&node).into_iter().flatten().map(|place| self.all[*place])
    }
}

/// A part of the overlay in which nobody has the message.
struct OverlaySide<'a> {
    size: usize,
    lost: OnceCell<Vec<LinkLoss<'a>>>,
}

/// One message, and the overlay at the time when it began.
struct Diagnosis<'a> {
    explainer: Explainer<'a>,
    rumor: &'a Rumor,
    began: Time,
    overlay: OverlaySnapshot,
    /// Paths from those that have it to every node.
    ways: Ways,
    /// The side of each node.
    side_of: FastHashMap<Addr, usize>,
    sides: Vec<OverlaySide<'a>>,
    losses: Losses<'a>,
    /// Copies that did not arrive, by their ends.
    lost_copies: FastHashMap<(Addr, Addr), LostCopy>,
    /// What was done that keeps it from a node.
    deeds: LackReasons<'a>,
    /// Partitions that had all those that have it on the same side.
    borders: Vec<&'a FaultRecord>,
}

impl<'a> Diagnosis<'a> {
    fn new(explainer: Explainer<'a>, rumor: &'a Rumor) -> Self {
        let (model, began) = (explainer.model, rumor.began());
        let overlay = model.overlay_at(began);
        let parts = overlay.graph.parts();
        let of_part =
            |(side, part): (usize, &Vec<Addr>)| part.iter().map(move |node| (*node, side)).collect::<Vec<_>>();
        Self {
            explainer,
            rumor,
            began,
            ways: overlay.graph.ways(rumor.holders(model.nodes())),
            overlay,
            side_of: parts.iter().enumerate().flat_map(of_part).collect(),
            sides: parts.iter().map(|part| OverlaySide { size: part.len(), lost: OnceCell::new() }).collect(),
            losses: Losses::until(rumor.last_first.max(began) + LOST_AROUND, model),
            lost_copies: model.lost_copies(rumor.id).map(|lost| ((lost.from, lost.to), *lost)).collect(),
            deeds: LackReasons::new(model, rumor),
            borders: borders(model, rumor),
        }
    }

    fn reason(&self, node: Addr) -> LackReason<'a> {
        let Some(known) = self.explainer.model.nodes().get(node) else { return LackReason::NotOurs };
        if known.role == Some(Role::Seed) {
            return LackReason::Seed;
        }
        let lives = &known.lives;
        let back = |turn: LifeChange| {
            lives.turns().iter().find(|next| next.at > turn.at && next.life == NodeState::Runs).map(|next| next.at)
        };
        match lives.at(self.began) {
            None if !lives.reach_back_to(self.began) => return LackReason::Forgotten,
            None => {
                return lives.turns().first().map_or(LackReason::NotOurs, |first| LackReason::Later { from: first.at });
            }
            Some(turn) if turn.life != NodeState::Runs => return LackReason::Down { turn, back: back(turn) },
            Some(_) => {}
        }
        match lives.after(self.began).filter(|turn| turn.at < self.rumor.had_time_by()) {
            Some(turn) => LackReason::WentDown { turn, back: back(turn) },
            None => self.way_to(node),
        }
    }

    /// The path from those that have it, as far as the message came.
    fn way_to(&self, node: Addr) -> LackReason<'a> {
        if let Some(border) = self.borders.iter().find(|border| border.fault.on.is_between(self.rumor.id.origin, node))
        {
            return LackReason::Behind { border };
        }
        if self.overlay.graph.degree(node) == 0 {
            return LackReason::Alone { lost: self.losses.of(node).collect() };
        }
        if let [holder, next, ..] = self.ways.to(node)[..] {
            let at = self.had_at(holder).unwrap_or(self.began);
            return LackReason::Stuck { holder, next, at, outcome: self.outcome(holder, next, at) };
        }
        let Some(side) = self.side_of.get(&node).copied() else {
            return LackReason::Apart { side: 1, lost: Vec::new() };
        };
        LackReason::Apart { side: self.sides[side].size, lost: self.lost_by_side(side) }
    }

    /// When it had the message; for a node elsewhere, by when at the latest.
    fn had_at(&self, node: Addr) -> Option<Time> {
        let proof = || self.rumor.elsewhere(self.explainer.model.nodes()).find(|(holder, _)| *holder == node);
        let copy = self.rumor.copies.get(&node).map(|copy| copy.at);
        copy.or_else(|| proof().map(|(_, proof)| proof.at))
    }

    fn holds(&self, node: Addr) -> bool {
        self.had_at(node).is_some()
    }

    /// The links that led to this side from those that have it.
    fn lost_by_side(&self, side: usize) -> Vec<LinkLoss<'a>> {
        let is_in = |node: Addr| self.side_of.get(&node) == Some(&side);
        let led_there = |lost: &&LinkLoss<'a>| {
            let (one, other) = (lost.link.key.node, lost.link.key.peer);
            is_in(one) != is_in(other) && (self.holds(one) || self.holds(other))
        };
        let find = || self.losses.all.iter().filter(led_there).copied().collect();
        self.sides[side].lost.get_or_init(find).clone()
    }

    fn outcome(&self, holder: Addr, next: Addr, at: Time) -> CrossingOutcome<'a> {
        let was_on = |record: &&FaultRecord| record.was_at(at) && record.fault.what.class() != FaultClass::Duplicate;
        let faults = self.explainer.model.faults();
        let mut on_it: Vec<&'a FaultRecord> = faults.ever_between(holder, next).filter(was_on).collect();
        on_it.sort_by_key(|record| !record.stops_all());
        let lost = self.lost_copies.get(&(holder, next)).copied();
        if let Some(record) = on_it.first().filter(|record| lost.is_none() || record.stops_all()) {
            return CrossingOutcome::Faulty(record);
        }
        if let Some(lost) = lost.filter(|lost| !lost.why.is_of_an_end()) {
            return CrossingOutcome::Lost(lost);
        }
        // A change of the holder before it had the message did not keep it from forwarding it.
        if let Some(turn) = self.went_down(holder, at, at) {
            return CrossingOutcome::HolderDown(turn);
        }
        if let Some(turn) = self.went_down(next, self.began, at) {
            return CrossingOutcome::NextDown(turn);
        }
        let is_around = |lost_at: Time| lost_at + LOST_AROUND > at && lost_at < at + DELIVERY_TIME;
        if let Some(lost) = self.losses.of(holder).find(|lost| lost.touches(next) && is_around(lost.step.at)) {
            return CrossingOutcome::Ended(lost);
        }
        if let Some(lost) = lost {
            return CrossingOutcome::Lost(lost);
        }
        let links = self.explainer.model.links();
        let was_up = |one, other| links.get(one, other).is_none_or(|link| link.was_up_at(at));
        if was_up(holder, next) && was_up(next, holder) { CrossingOutcome::Open } else { CrossingOutcome::Late }
    }

    /// It stopped or hung after this time, and before what was forwarded `at` could have come.
    fn went_down(&self, node: Addr, after: Time, at: Time) -> Option<LifeChange> {
        let turns = self.explainer.model.nodes().lives(node)?.turns();
        let is_it =
            |turn: &&LifeChange| turn.at >= after && turn.at < at + DELIVERY_TIME && turn.life != NodeState::Runs;
        turns.iter().find(is_it).copied()
    }

    /// There was no time yet for it to arrive or to be missed, and nothing says that it is lost.
    fn is_on_its_way(&self, node: Addr, reason: &LackReason<'_>) -> bool {
        let LackReason::Stuck { at, outcome, holder, next } = reason else { return false };
        // A copy on a link that its receiver has given up cannot arrive.
        if self.explainer.model.links().get(*next, *holder).is_none_or(|link| !link.is_up()) {
            return false;
        }
        let held_up = match outcome {
            CrossingOutcome::Open => Some(Duration::ZERO),
            CrossingOutcome::Faulty(record) => record.holds_up_for(),
            CrossingOutcome::Ended(_)
            | CrossingOutcome::Lost(_)
            | CrossingOutcome::HolderDown(_)
            | CrossingOutcome::NextDown(_)
            | CrossingOutcome::Late => None,
        };
        let links = u32::try_from(self.ways.to(node).len().saturating_sub(1)).unwrap_or(u32::MAX);
        held_up.is_some_and(|held_up| self.explainer.model.now() < *at + DELIVERY_TIME + held_up.saturating_mul(links))
    }

    fn is_certain(&self) -> bool {
        self.overlay.is_certain && self.explainer.model.is_complete(self.rumor)
    }
}

/// Partitions that were set when the message began, and that it has not passed.
fn borders<'a>(model: &'a Model, rumor: &Rumor) -> Vec<&'a FaultRecord> {
    let began = rumor.began();
    let origin = rumor.id.origin;
    let is_border = |record: &&FaultRecord| record.fault.is_partition() && record.was_at(began);
    let is_whole = |record: &&FaultRecord| !rumor.copies.keys().any(|node| record.fault.on.is_between(origin, *node));
    model.faults().ever().filter(is_border).filter(is_whole).collect()
}
