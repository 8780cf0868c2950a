//! The links that a message could have crossed, and what blocked each crossing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::besides::{Mishap, aftermath, death_takes, done_by, late_starts, let_go_by, may_go_wrong, may_part};
use super::block::{Blockage, DoubtReading, Supposition};
use super::deeds::{
    CROSSING_MAX, FLOODED_WITHIN, Sureness, delay_within, delaying_at, downs_at, is_old, kept_apart, replaced_by,
    turned,
};
use super::link;
use super::reason::{Deed, Reason};
use crate::event::{LossReason, NodeState, Purpose};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::loss::LostCopy;
use crate::model::rumor::Rumor;
use crate::model::{FastHashMap, Model, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// The nodes that would have it without these deeds: it came to them by links that had come up before the first of them,
/// and that nothing else could have ended.
pub(super) fn had_without(model: &Model, rumor: &Rumor, deeds: &[Deed]) -> Set<Addr> {
    let first = deeds.first().map_or(rumor.began(), Deed::at);
    had_by_old_links(model, rumor, first, deeds)
}

/// The nodes to which it came by links that had come up before this time, and that nothing could have ended but the deeds
/// of `without`.
fn had_by_old_links(model: &Model, rumor: &Rumor, first: Time, without: &[Deed]) -> Set<Addr> {
    let mut had = Set::default();
    for (node, copy) in &rumor.copies {
        if copy.from.is_none_or(|from| had.contains(&from) && stood(model, (from, *node), (first, copy.at), without)) {
            had.insert(*node);
        }
    }
    had
}

/// The link was up at the first of these times, and nothing could have ended it up to the other but these deeds.
fn stood(model: &Model, (one, other): (Addr, Addr), (since, until): (Time, Time), deeds: &[Deed]) -> bool {
    let span = (since - aftermath(model, one, other), until);
    model.links().both_ends(one, other).all(|link| link.was_up_at(since))
        && may_part(model, (one, other), span, deeds).is_empty()
}

/// One message, and the links that it could have crossed.
pub(super) struct CrossingMap<'a> {
    model: &'a Model,
    rumor: &'a Rumor,
    /// When nodes that should have had it would have had it.
    then: Time,
    lost: BTreeMap<(Addr, Addr), LostCopy>,
    /// From which node to which.
    crossings: Vec<(Addr, Addr)>,
    /// Of each crossing.
    pub(super) blocks: Vec<Blockage>,
    /// See [`late_starts`].
    starts: Vec<Time>,
    /// When the link of each crossing last came up before the copy was sent.
    came_up: Vec<Option<Time>>,
    /// The crossings from each node, by number.
    ways: FastHashMap<Addr, Vec<usize>>,
    /// The nodes to which it comes, by supposition.
    reached: RefCell<FastHashMap<(u64, DoubtReading), Set<Addr>>>,
}

impl<'a> CrossingMap<'a> {
    pub(super) fn new(model: &'a Model, rumor: &'a Rumor) -> Self {
        let lost = model.lost_copies(rumor.id).map(|lost| ((lost.from, lost.to), *lost)).collect();
        let mut flood = Self {
            model,
            rumor,
            then: rumor.settled,
            lost,
            crossings: Vec::new(),
            blocks: Vec::new(),
            starts: late_starts(model),
            came_up: Vec::new(),
            ways: FastHashMap::default(),
            reached: RefCell::default(),
        };
        // Whatever is not done: these have it.
        let first = done_by(model, rumor.began()).map(|deed| deed.at()).min();
        let had = first.map_or_else(|| flood.have(), |first| had_by_old_links(model, rumor, first, &[]));
        for (one, other) in flood.pairs() {
            for (from, to) in [(one, other), (other, one)] {
                if !had.contains(&to)
                    && let Some(block) = flood.block(from, to)
                {
                    flood.ways.entry(from).or_default().push(flood.crossings.len());
                    flood.crossings.push((from, to));
                    flood.blocks.push(block);
                    flood.came_up.push(flood.last_up(from, to));
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
    pub(super) fn is_on_its_way(&self, node: Addr) -> bool {
        self.reached(self.have(), |crossing| !self.blocks[crossing].is_nothing()).contains(&node)
    }

    /// It comes there if nothing but this is done.
    pub(super) fn comes_to(&self, node: Addr, supposed: Supposition<'_>) -> bool {
        let mut known = self.reached.borrow_mut();
        let reached = known.entry(supposed.key()).or_insert_with(|| {
            let undone = supposed.undone();
            if undone.is_empty() {
                return self.reached(self.have(), |crossing| supposed.blocks(crossing));
            }
            self.reached(had_without(self.model, self.rumor, &undone), |crossing| {
                supposed.blocks(crossing) || !self.is_there_without(crossing, &undone)
            })
        });
        reached.contains(&node)
    }

    fn have(&self) -> Set<Addr> {
        self.rumor.copies.keys().copied().collect()
    }

    /// The nodes to which it comes from these over the crossings that are not blocked.
    fn reached(&self, from: Set<Addr>, is_blocked: impl Fn(usize) -> bool) -> Set<Addr> {
        let mut reached = from;
        let mut next = 0;
        while let Some(from) = reached.get_index(next).copied() {
            next += 1;
            let open = self.ways.get(&from).into_iter().flatten().filter(|crossing| !is_blocked(**crossing));
            reached.extend(open.map(|crossing| self.crossings[*crossing].1));
        }
        reached
    }

    /// If these deeds had not been done, the first of them first, the link would have been there: it was before, and
    /// nothing else could have ended it.
    fn is_there_without(&self, crossing: usize, deeds: &[Deed]) -> bool {
        let (since, (from, to)) = (deeds[0].at(), self.crossings[crossing]);
        self.came_up[crossing].is_none_or(|came_up| {
            let until = self.sent_at(from);
            let is_let_go = let_go_by(self.model, (from, to), &self.starts, until).is_some_and(|at| at > since);
            !is_let_go && (came_up <= since || stood(self.model, (from, to), (since, until), deeds))
        })
    }

    /// When the link between the two last came up before the copy was sent.
    fn last_up(&self, from: Addr, to: Addr) -> Option<Time> {
        let at = self.sent_at(from) + CROSSING_MAX;
        let ends = self.model.links().both_ends(from, to);
        ends.filter_map(|link| link.came_up_before(at).or_else(|| link.up_since(at))).max()
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
        let waited = self.model.known_until().since(at);
        // Without what else was done the two might have given each other up for the delay.
        let takes = death_takes(self.model, from).min(death_takes(self.model, to));
        let is_short = |most: Duration| most + CROSSING_MAX < waited && most * 2 + CROSSING_MAX < takes;
        if most.is_some_and(|most| is_short(most) && self.stands(from, to, at, at + most)) {
            return;
        }
        for record in delaying_at(self.model, from, to, at) {
            let is_sure = !waited.is_zero() && record.delay_min() >= waited && record.was_at(at);
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
        let mut block = self.block_when_sent(from, to)?;
        if !self.rumor.copies.contains_key(&from) {
            self.may_come_later((from, to), &mut block);
        }
        // Without what delayed it, it would have been sent earlier.
        let (began, at) = (self.rumor.began(), self.sent_at(from));
        if at.since(began) > CROSSING_MAX {
            let earlier = self.hindering((from, to), (began, at));
            block.perhaps.extend(earlier);
        }
        Some(block)
    }

    /// The sender would have had it a little later, or much later if something delays messages. What is set by then may
    /// block it as well, and what is over by then need not.
    fn may_come_later(&self, ends: (Addr, Addr), block: &mut Blockage) {
        let until = if self.is_anything_delayed() {
            let is_over = |deed: &Deed| !self.is_in_force(*deed, self.model.known_until());
            let (over, lasts): (Vec<_>, Vec<_>) =
                std::mem::take(&mut block.sure).into_iter().partition(|set| set.iter().any(is_over));
            block.sure = lasts;
            block.perhaps.extend(over.into_iter().flatten());
            self.model.known_until()
        } else {
            self.then + FLOODED_WITHIN
        };
        // Whoever stops itself is told so.
        let is_own = |deed: &Deed| matches!(deed, Deed::Turned { node, .. } if *node == ends.1);
        let later = self.hindering(ends, (self.then, until));
        block.perhaps.extend(later.filter(|deed| deed.at() > self.then && !is_own(deed)));
    }

    /// Something may have delayed it on its way to those who would have sent it on.
    fn is_anything_delayed(&self) -> bool {
        let mut delaying = self.model.faults().ever().filter(|record| record.delays() && record.hinders());
        delaying.any(|record| record.since <= self.then && record.until.is_none_or(|until| until > self.rumor.began()))
    }

    fn block_when_sent(&self, from: Addr, to: Addr) -> Option<Blockage> {
        let at = self.sent_at(from);
        let ends = [self.model.links().get(from, to), self.model.links().get(to, from)];
        if let Some(lost) = self.lost.get(&(from, to)) {
            let mut block = self.lost_copy(lost, at);
            // The receiver may have given up the link before, unseen by the sender.
            if let Some(ended) = self.ended(ends, at).filter(|_| !ends[1].is_some_and(|link| link.was_up_at(at))) {
                block.sure.extend(ended.sure);
                block.perhaps.extend(ended.perhaps);
            }
            return Some(block);
        }
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

    /// What would have ended the link between these two otherwise, up to the second time. That a node starts ends no link:
    /// that it had stopped does.
    fn hindering(&self, ends: (Addr, Addr), (since, until): (Time, Time)) -> impl Iterator<Item = Deed> {
        let may = may_go_wrong(self.model, ends, Mishap::Loss, (since, until + Duration::from_micros(1)), &[]);
        may.into_iter().filter(|deed| !matches!(deed, Deed::Turned { to: NodeState::Runs, .. }))
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
        let waited = self.model.known_until().since(at);
        if self.rumor.copies.contains_key(&from) {
            // A fault that had swallowed it would have been told, but for older recordings.
            block.is_doubtful = is_old(self.model) && block.sure.is_empty();
            block.perhaps.retain(|_| is_old(self.model));
        }
        self.slow_down(from, to, at, &mut block);
        // What has just been sent may still come.
        let has_come = self.rumor.copies.contains_key(&to);
        if self.rumor.copies.contains_key(&from) && !has_come && block.is_nothing() && waited > CROSSING_MAX {
            return Blockage::always();
        }
        block
    }
}
