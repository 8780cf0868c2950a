//! Why a node lacks a message.
//!
//! The message had to cross at least one link to come there. Each crossing was open or blocked: by a
//! fault that swallowed the copy, by a node that hung, by the end of the link and whatever caused that.
//! The node lacks the message for want of a path of open crossings from those that have it.

use std::cell::OnceCell;

use super::besides::{Mishap, death_takes, done_by, needed, weighable};
use super::block::Weighing;
use super::crossing::{CrossingMap, had_without};
use super::deeds::{FLOODED_WITHIN, cut_of};
use super::overlay::{LinksWithout, are_ends_by_rule, done_first, is_refused, reached_at};
use super::reason::{Causes, Deed, ProtocolRule, Reason};
use crate::model::node::Lives;
use crate::model::rumor::Rumor;
use crate::model::warning::JOINING;
use crate::model::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

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

    /// Each of these keeps this node and the origin apart whatever links they find: it is a partition with one on either
    /// side, or stops one of the two. Others do so only until the nodes next to them have noticed, and are linked to others.
    fn part(&self, node: Addr, causes: &Causes) -> bool {
        let (origin, began) = (self.rumor.id.origin, self.rumor.began());
        let is_unnoticed = |deed: &Deed| began.since(deed.at()) < death_takes(self.model, node);
        causes.deeds().iter().all(|deed| match (deed, cut_of(self.model, *deed)) {
            (_, Some(cut)) if cut.fault.is_partition() => cut.fault.on.is_between(origin, node),
            (Deed::Turned { node: stopped, .. }, _) => [node, origin].contains(stopped) || is_unnoticed(deed),
            (Deed::Fault(_) | Deed::Lied { .. }, _) => is_unnoticed(deed),
        })
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
        let until = self.rumor.last_first + FLOODED_WITHIN;
        let deeds = weighable(self.model, done_by(self.model, self.rumor.began()));
        let held = |deed: Deed| {
            let links = LinksWithout::new(self.model, deed, Mishap::Loss, until);
            (deed, links.joined(had_without(self.model, self.rumor, &[deed])))
        };
        deeds.into_iter().map(held).collect()
    }
}
