//! Why a node lacks a message.
//!
//! The message had to cross at least one link to come there. Each crossing was open or blocked: by a
//! fault that swallowed the copy, by a node that hung, by the end of the link and whatever caused that.
//! The node lacks the message for want of a path of open crossings from those that have it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::besides::{Mishap, aftermath, done_by, needed, weighable};
use super::block::{Blockage, DoubtReading, Supposition, Weighing};
use super::deeds::{
    CROSSING_MAX, Sureness, cut_of, delay_within, delaying_at, downs_at, is_old, kept_apart, replaced_by, turned,
};
use super::link;
use super::overlay::{are_ends_by_rule, done_first, held_together, is_refused, reached_at};
use super::reason::{Causes, Deed, ProtocolRule, Reason};
use crate::event::{LossReason, Purpose};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::loss::LostCopy;
use crate::model::node::Lives;
use crate::model::rumor::Rumor;
use crate::model::warning::JOINING;
use crate::model::{FastHashMap, Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

/// A message is everywhere within this time if nothing is in its way.
const FLOODED_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn reason(model: &Model, node: Addr, message: MessageId) -> Reason {
    let rumor = model.rumors().get(message);
    rumor.map_or(Reason::NotCertain(Vec::new()), |rumor| LackReasons::new(model, rumor).of(node))
}

/// Why nodes lack one message.
pub(in crate::model) struct LackReasons<'a> {
    flood: OnceCell<CrossingMap<'a>>,
    weighing: OnceCell<Weighing>,
    /// What is the same for all nodes, once one needs it.
    held: OnceCell<HeldWithout>,
    apart: OnceCell<ApartFromOrigin>,
    model: &'a Model,
    rumor: &'a Rumor,
}

/// Of each deed that was done in time: the nodes to which the message would have come without it by links that stood,
/// with nothing in its way.
type HeldWithout = Vec<(Deed, Set<Addr>)>;

/// Whom paths joined to the origin of the message.
struct ApartFromOrigin {
    /// Before anything was done, or when it began.
    first: Time,
    joined_first: Set<Addr>,
    joined_then: Set<Addr>,
    /// All links that had ended by the first of these times ended by rules.
    are_ends_by_rule: bool,
}

impl<'a> LackReasons<'a> {
    /// This node had started shortly before the message began.
    fn has_just_joined(&self, node: Addr) -> bool {
        let (began, lives) = (self.rumor.began(), self.model.nodes().lives(node));
        let since = lives.and_then(|lives| lives.running_since(began));
        let first = self.model.started();
        since.is_some_and(|since| Some(since) != first && began.since(since) < JOINING)
    }

    pub(in crate::model) fn new(model: &'a Model, rumor: &'a Rumor) -> Self {
        Self {
            flood: OnceCell::new(),
            weighing: OnceCell::new(),
            held: OnceCell::new(),
            apart: OnceCell::new(),
            model,
            rumor,
        }
    }

    /// Why this node lacks it.
    pub(in crate::model) fn of(&self, node: Addr) -> Reason {
        let Some(known) = self.model.nodes().get(node) else { return Reason::NotCertain(Vec::new()) };
        if known.role == Some(Role::Seed) {
            return Reason::Rule(ProtocolRule::Seed);
        }
        let began = self.rumor.began();
        if known.lives.at(began).is_none() && known.lives.reach_back_to(began) {
            return Reason::Rule(ProtocolRule::LateJoiner);
        }
        let flood = self.flood.get_or_init(|| CrossingMap::new(self.model, self.rumor));
        let weighing = self.weighing.get_or_init(|| Weighing::new(&flood.blocks));
        let reason = weighing.solve(|supposed| !flood.comes_to(node, supposed));
        match reason {
            // It is still being linked, so what its links would be is open.
            Reason::Deeds(causes)
                if [node, self.rumor.id.origin]
                    .into_iter()
                    .any(|node| self.has_just_joined(node) || self.joined_after(node, &causes)) =>
            {
                Reason::NotCertain(causes.deeds())
            }
            Reason::Deeds(causes) if !causes.are_all_needed() && !self.part(node, &causes) => {
                Reason::NotCertain(causes.deeds())
            }
            Reason::NotCertain(_) if flood.is_on_its_way(node) => Reason::Rule(ProtocolRule::OnItsWay),
            Reason::NotCertain(_) if self.is_refused(node) => Reason::Rule(ProtocolRule::Full),
            Reason::NotCertain(_) if self.is_apart(node) => Reason::Rule(ProtocolRule::Apart),
            Reason::NotCertain(_) if self.has_just_joined(node) => reason,
            Reason::NotCertain(_) => self.needed(node).map_or(reason, Reason::Deeds),
            reason => reason,
        }
    }

    /// Each partition among these has this node on one side and the origin on the other: on one side, the two would have
    /// been linked in time.
    fn part(&self, node: Addr, causes: &Causes) -> bool {
        let mut cuts = causes.deeds().into_iter().filter_map(|deed| cut_of(self.model, deed));
        cuts.all(|cut| !cut.fault.is_partition() || cut.fault.on.is_between(self.rumor.id.origin, node))
    }

    /// This node started for the first time after one of these deeds: whom it would have been linked to without is open.
    fn joined_after(&self, node: Addr, causes: &Causes) -> bool {
        let lives = self.model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
        let first = lives.first().map(|turn| turn.at).filter(|first| Some(*first) > self.model.started());
        let is_before = |deed: &Deed| first.is_some_and(|first| deed.at() < first);
        causes.deeds().iter().any(is_before)
    }

    fn apart(&self) -> &ApartFromOrigin {
        self.apart.get_or_init(|| {
            let (origin, began) = (self.rumor.id.origin, self.rumor.began());
            let first = done_first(self.model).map_or(began, |first| first.min(began));
            ApartFromOrigin {
                first,
                joined_first: reached_at(self.model, origin, first),
                joined_then: reached_at(self.model, origin, began),
                are_ends_by_rule: are_ends_by_rule(self.model, first),
            }
        })
    }

    /// No path led from its origin to this node before anything was done, and none did when it began.
    fn is_apart(&self, node: Addr) -> bool {
        let ApartFromOrigin { first, joined_first, joined_then, are_ends_by_rule } = self.apart();
        let had_joined = |node: Addr| {
            let since = self.model.nodes().lives(node).and_then(|lives| lives.running_since(*first));
            since.is_some_and(|since| first.since(since) >= JOINING)
        };
        let is_apart = !joined_first.contains(&node) && !joined_then.contains(&node);
        is_apart && *are_ends_by_rule && had_joined(node) && had_joined(self.rumor.id.origin)
    }

    /// Nobody had let in this node, or the one where the message began.
    fn is_refused(&self, node: Addr) -> bool {
        [node, self.rumor.id.origin].into_iter().any(|node| is_refused(self.model, node, self.rumor.began()))
    }

    /// The deeds without which it would have come to this node.
    fn needed(&self, node: Addr) -> Option<Causes> {
        let held = self.held.get_or_init(|| self.held_without());
        let causes = needed(held.iter().filter(|(_, held)| held.contains(&node)).map(|(deed, _)| *deed));
        causes.filter(|_| self.apart().joined_first.contains(&node))
    }

    fn held_without(&self) -> HeldWithout {
        let have: Set<Addr> = self.rumor.copies.keys().copied().collect();
        let until = self.rumor.last_first + FLOODED_WITHIN;
        let deeds = weighable(self.model, done_by(self.model, self.rumor.began()));
        deeds
            .into_iter()
            .map(|deed| (deed, held_together(self.model, have.clone(), Mishap::Loss, until, deed)))
            .collect()
    }
}

/// One message, and the links that it could have crossed.
struct CrossingMap<'a> {
    model: &'a Model,
    rumor: &'a Rumor,
    /// When nodes that should have had it would have had it.
    then: Time,
    lost: BTreeMap<(Addr, Addr), LostCopy>,
    /// From which node to which.
    crossings: Vec<(Addr, Addr)>,
    /// Of each crossing.
    blocks: Vec<Blockage>,
    /// The crossings from each node, by number.
    ways: FastHashMap<Addr, Vec<usize>>,
    /// The nodes to which it comes, by supposition.
    reached: RefCell<FastHashMap<(u64, DoubtReading), Set<Addr>>>,
}

impl<'a> CrossingMap<'a> {
    fn new(model: &'a Model, rumor: &'a Rumor) -> Self {
        let lost = model.lost_copies(rumor.id).map(|lost| ((lost.from, lost.to), *lost)).collect();
        let mut flood = Self {
            model,
            rumor,
            then: rumor.settled,
            lost,
            crossings: Vec::new(),
            blocks: Vec::new(),
            ways: FastHashMap::default(),
            reached: RefCell::default(),
        };
        for (one, other) in flood.pairs() {
            for (from, to) in [(one, other), (other, one)] {
                if !rumor.copies.contains_key(&to)
                    && let Some(block) = flood.block(from, to)
                {
                    flood.ways.entry(from).or_default().push(flood.crossings.len());
                    flood.crossings.push((from, to));
                    flood.blocks.push(block);
                }
            }
        }
        flood
    }

    /// Pairs of peers that were ever linked, each once.
    fn pairs(&self) -> Vec<(Addr, Addr)> {
        let links = self.model.links().iter().filter(|link| link.purpose == Purpose::Neighbor);
        let ours = links.filter(|link| self.model.nodes().lives(link.key.peer).is_some());
        let mut pairs: Vec<(Addr, Addr)> =
            ours.map(|link| (link.key.node.min(link.key.peer), link.key.node.max(link.key.peer))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Nothing is in its way.
    fn is_on_its_way(&self, node: Addr) -> bool {
        self.reached(|crossing| !self.blocks[crossing].is_nothing()).contains(&node)
    }

    /// It comes there if nothing but this is done.
    fn comes_to(&self, node: Addr, supposed: Supposition<'_>) -> bool {
        let mut known = self.reached.borrow_mut();
        let reached = known.entry(supposed.key()).or_insert_with(|| self.reached(|crossing| supposed.blocks(crossing)));
        reached.contains(&node)
    }

    /// The nodes to which it comes over the crossings that are not blocked.
    fn reached(&self, is_blocked: impl Fn(usize) -> bool) -> Set<Addr> {
        let mut reached: Set<Addr> = self.rumor.copies.keys().copied().collect();
        let mut next = 0;
        while let Some(from) = reached.get_index(next).copied() {
            next += 1;
            let open = self.ways.get(&from).into_iter().flatten().filter(|crossing| !is_blocked(**crossing));
            reached.extend(open.map(|crossing| self.crossings[*crossing].1));
        }
        reached
    }

    /// When the sender had it, or would have had it.
    fn sent_at(&self, from: Addr) -> Time {
        self.rumor.copies.get(&from).map_or(self.then, |copy| copy.at)
    }

    /// What is in the way of a copy between these two at this time.
    fn in_the_way(&self, from: Addr, to: Addr, at: Time) -> Blockage {
        let mut block = kept_apart(self.model, from, to, at);
        self.slow_down(from, to, at, &mut block);
        block
    }

    /// What delays a copy that is sent at this time until now, or may have.
    fn slow_down(&self, from: Addr, to: Addr, at: Time, block: &mut Blockage) {
        let most = delay_within(self.model, from, to, at);
        let waited = self.model.now().since(at);
        if most.is_some_and(|most| most + CROSSING_MAX < waited && self.stands(from, to, at, at + most)) {
            return;
        }
        for record in delaying_at(self.model, from, to, at) {
            let is_sure = record.delay_min() >= waited && record.was_at(at);
            block.by_fault(self.model, record, if is_sure { Sureness::Sure } else { Sureness::Perhaps });
        }
    }

    /// The link was up from one of these times to the other, or they are so close that it matters little.
    fn stands(&self, from: Addr, to: Addr, since: Time, until: Time) -> bool {
        let ends = [self.model.links().get(from, to), self.model.links().get(to, from)];
        let lasts = |link: &LinkHistory| {
            link.was_up_at(since) && !link.steps().any(|step| step.is_loss() && (since..=until).contains(&step.at))
        };
        until.since(since) < CROSSING_MAX || ends.into_iter().all(|end| end.is_some_and(lasts))
    }

    /// What blocked this crossing; `None` if there was no link to cross.
    fn block(&self, from: Addr, to: Addr) -> Option<Blockage> {
        let at = self.sent_at(from);
        if let Some(lost) = self.lost.get(&(from, to)) {
            return Some(self.lost_copy(lost, at));
        }
        let ends = [self.model.links().get(from, to), self.model.links().get(to, from)];
        if ends.iter().all(|end| end.is_some_and(|link| link.was_up_at(at))) {
            let ended = ends[1].and_then(|link| self.ended_under_way(link, at));
            return Some(ended.unwrap_or_else(|| self.open_link(from, to, at)));
        }
        self.ended(ends, at)
    }

    /// The receiver gave up the link while the copy was delayed on it, which then cannot arrive.
    fn ended_under_way(&self, receiver: &'a LinkHistory, at: Time) -> Option<Blockage> {
        let step = receiver.steps().find(|step| step.is_loss() && step.at > at + CROSSING_MAX)?;
        let (to, from) = (receiver.key.node, receiver.key.peer);
        if !self.rumor.copies.contains_key(&from) || self.delaying(from, to, at).next().is_none() {
            return None;
        }
        let mut block = self.in_the_way(from, to, at);
        let ended = self.end_of(receiver, step).unwrap_or_else(Blockage::always);
        block.sure.extend(ended.sure);
        block.perhaps.extend(ended.perhaps);
        block.perhaps.extend(self.hindering((from, to), (at, step.at)));
        self.also_delayed((from, to), (at, step.at), &mut block);
        Some(block)
    }

    /// The link had ended by then: what ended it, and what would have blocked it besides. `None` if it
    /// came up later, or a rule of the protocol ended it.
    fn ended(&self, ends: [Option<&'a LinkHistory>; 2], at: Time) -> Option<Blockage> {
        let loss = |link: &'a LinkHistory| {
            let step =
                link.steps().rev().find(|step| step.at <= at + CROSSING_MAX && (step.is_up() || step.is_loss()))?;
            step.is_loss().then_some((link, step))
        };
        let losses = ends.into_iter().flatten().filter_map(loss);
        // The end that noticed first knows why.
        let (link, step) = losses.min_by_key(|(_, step)| step.at)?;
        let mut block = self.end_of(link, step)?;
        // What is over since need not have kept the two apart until then.
        let (lasts, over): (Vec<_>, Vec<_>) =
            block.sure.into_iter().partition(|set| set.iter().all(|deed| self.is_in_force(*deed, at)));
        block.sure = lasts;
        block.perhaps.extend(over.into_iter().flatten());
        let besides = self.in_the_way(link.key.node, link.key.peer, at);
        block.sure.extend(besides.sure);
        block.perhaps.extend(besides.perhaps);
        let ends = (link.key.node, link.key.peer);
        // The other end may have been about to give up, too.
        let since = step.at - aftermath(self.model, ends.0, ends.1);
        block.perhaps.extend(self.hindering(ends, (since, at)));
        Some(block)
    }

    fn is_in_force(&self, deed: Deed, at: Time) -> bool {
        match deed {
            Deed::Fault(fault) => self.model.faults().find(fault).is_some_and(|record| record.was_at(at)),
            Deed::Turned { node, at: since, .. } => downs_at(self.model, node, at).any(|turn| turn.at == since),
            Deed::Lied { .. } => false,
        }
    }

    /// What ended a link; `None` if it was a rule of the protocol.
    fn end_of(&self, link: &LinkHistory, step: &LinkStep) -> Option<Blockage> {
        match link::of_step(self.model, link, step) {
            Reason::Rule(_) => None,
            reason => Some(Blockage::because(reason)),
        }
    }

    /// The copy was sent and lost.
    fn lost_copy(&self, lost: &LostCopy, sent: Time) -> Blockage {
        let mut block = self.in_the_way(lost.from, lost.to, sent);
        match lost.why {
            LossReason::Fault(id) => match self.model.faults().numbered(id) {
                Some(record) => block.by_fault(self.model, record, Sureness::Sure),
                None => block.sure.push(Vec::new()),
            },
            LossReason::Hung => {
                let hung = downs_at(self.model, lost.to, lost.at).map(|turn| turned(lost.to, turn));
                block.sure.extend(hung.map(|deed| vec![deed]));
                self.was_delayed(lost, sent, &mut block);
            }
            LossReason::LinkEnded => {
                let ended = self.end_near(lost).unwrap_or_else(Blockage::always);
                block.sure.extend(ended.sure);
                block.perhaps.extend(ended.perhaps);
                block.perhaps.extend(self.hindering((lost.from, lost.to), (sent, lost.at)));
                self.was_delayed(lost, sent, &mut block);
            }
            LossReason::QueueFull => {
                block.perhaps.extend(super::death::slowing(self.model, lost.to, lost.at));
                block.perhaps.extend(self.delaying(lost.from, lost.to, sent).map(FaultRecord::deed));
            }
        }
        block
    }

    /// What would have ended the link between these two otherwise, set at some time up to the second.
    fn hindering(&self, (one, other): (Addr, Addr), (since, until): (Time, Time)) -> impl Iterator<Item = Deed> {
        let is_it = move |record: &&FaultRecord| {
            record.hinders() && record.since <= until && record.until.is_none_or(|over| over >= since)
        };
        self.model.faults().ever_between(one, other).filter(is_it).map(FaultRecord::deed)
    }

    /// What ended the link that carried it.
    fn end_near(&self, lost: &LostCopy) -> Option<Blockage> {
        let ends = self.model.links().both_ends(lost.from, lost.to);
        let near = |link: &'a LinkHistory| {
            let is_near = |step: &&LinkStep| step.is_loss() && step.at <= lost.at + CROSSING_MAX;
            Some((link, link.steps().rev().find(is_near)?))
        };
        let (link, step) = ends.filter_map(near).min_by_key(|(_, step)| step.at)?;
        self.end_of(link, step)
    }

    /// If it took longer than a crossing takes, it was lost to its delay as well.
    fn was_delayed(&self, lost: &LostCopy, sent: Time, block: &mut Blockage) {
        if lost.at.since(sent) > CROSSING_MAX {
            self.also_delayed((lost.from, lost.to), (sent, lost.at), block);
        }
    }

    /// What blocked it did so only because the copy was delayed from one of these times to the other.
    fn also_delayed(&self, (from, to): (Addr, Addr), (sent, until): (Time, Time), block: &mut Blockage) {
        let delaying: Vec<&FaultRecord> = self.delaying(from, to, sent).collect();
        match delaying[..] {
            [record] if record.delay_min() >= until.since(sent) && replaced_by(self.model, record).is_empty() => {
                block.together_with(record.deed());
            }
            _ => {
                block.perhaps.extend(block.sure.drain(..).flatten());
                block.perhaps.extend(delaying.into_iter().map(FaultRecord::deed));
            }
        }
    }

    fn delaying(&self, from: Addr, to: Addr, at: Time) -> impl Iterator<Item = &'a FaultRecord> {
        delaying_at(self.model, from, to, at)
    }

    /// The link was open, and nothing says that the copy was lost.
    fn open_link(&self, from: Addr, to: Addr, at: Time) -> Blockage {
        let mut block = kept_apart(self.model, from, to, at);
        let waited = self.model.now().since(at);
        if self.rumor.copies.contains_key(&from) {
            // A fault that had swallowed it would have been told, but for older recordings.
            block.is_doubtful = is_old(self.model) && block.sure.is_empty();
            block.perhaps.retain(|_| is_old(self.model));
        }
        self.slow_down(from, to, at, &mut block);
        // What has just been sent may still come.
        if self.rumor.copies.contains_key(&from) && block.is_nothing() && waited > CROSSING_MAX {
            return Blockage::always();
        }
        block
    }
}
