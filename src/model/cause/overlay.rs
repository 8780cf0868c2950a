//! Why peers have no way to each other, or to a seed: each pair that could be linked is kept apart.

use super::besides::{
    Mishap, aftermath, done_by, is_by_rule, late_starts, let_go_by, may_go_wrong, may_part, needed, weighable,
};
use super::block::{Blockage, Supposition, solve};
use super::deeds::{delaying_at, faults_at, is_cut, kept_apart};
use super::link;
use super::reason::{Deed, ProtocolRule, Reason};
use crate::event::{LinkEvent, Purpose};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::node::NodeRecord;
use crate::model::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Pairs that are weighed.
const PAIRS_MAX: usize = 4_096;

/// No peer reaches a seed.
pub(super) fn no_seed(model: &Model) -> Reason {
    let is_seed = |node: &&NodeRecord| node.role == Some(Role::Seed) && node.is_ours();
    let seeds: Vec<Addr> = model.nodes().iter().filter(is_seed).map(|node| node.addr).collect();
    let peers = model.nodes().iter().filter(|node| node.is_running_peer());
    let pairs = peers.flat_map(|peer| seeds.iter().map(move |seed| (peer.addr, *seed))).take(PAIRS_MAX);
    let blocks: Vec<Blockage> = pairs.map(|(peer, seed)| apart(model, peer, seed)).collect();
    match solve(&blocks, |supposed| (0..blocks.len()).all(|pair| supposed.blocks(pair))) {
        Reason::Deeds(causes) if !causes.are_all_needed() => Reason::NotCertain(causes.deeds()),
        reason => reason,
    }
}

/// A peer has no neighbor.
pub(super) fn alone(model: &Model, node: Addr) -> Reason {
    let is_other = |other: &&NodeRecord| other.addr != node && other.role == Some(Role::Peer) && other.is_ours();
    let others = || model.nodes().iter().filter(is_other).take(PAIRS_MAX).map(|other| other.addr);
    let blocks: Vec<Blockage> = others().map(|other| apart(model, node, other)).collect();
    let reason = solve(&blocks, |supposed| (0..blocks.len()).all(|pair| supposed.blocks(pair)));
    let had_one = |at: Time| {
        let mut links = model.links().of(node).filter(|link| link.purpose == Purpose::Neighbor);
        links.any(|link| link.was_up_at(at))
    };
    let reason = by_one_cut(model, reason, others().map(|other| (node, other)), had_one);
    if matches!(reason, Reason::NotCertain(_)) && is_refused(model, node, model.known_until()) {
        return Reason::Rule(ProtocolRule::Full);
    }
    let keeps_one = |deed: &Deed| {
        let links = LinksWithout::new(model, *deed, Mishap::Parting, model.known_until());
        links.neighbors(node).next().is_some()
    };
    or_needed(model, reason, keeps_one)
}

/// This node never had a neighbor up to this time, because all that it asked refused it, some before anything was done:
/// nothing else was in its way.
pub(super) fn is_refused(model: &Model, node: Addr, until: Time) -> bool {
    let links = || model.links().of(node).filter(|link| link.purpose == Purpose::Neighbor);
    let first = done_first(model).map_or(until, |first| first.min(until));
    let refused = |step: &LinkStep| matches!(step.event(), Some(LinkEvent::Refused { .. })) && step.at <= first;
    let came_up = |link: &LinkHistory| {
        link.forgotten() > 0 || link.was_up_at(until) || link.steps().any(|step| step.is_up() && step.at <= until)
    };
    let span = (model.started().unwrap_or(until), until);
    let is_hindered =
        |link: &LinkHistory| !may_go_wrong(model, (node, link.key.peer), Mishap::Loss, span, &[]).is_empty();
    links().any(|link| link.steps().any(refused)) && !links().any(|link| came_up(link) || is_hindered(link))
}

/// The deeds that were needed, if the events do not settle it.
fn or_needed(model: &Model, reason: Reason, is_needed: impl Fn(&Deed) -> bool) -> Reason {
    if !matches!(reason, Reason::NotCertain(_)) {
        return reason;
    }
    let deeds = weighable(model, done_by(model, model.known_until()));
    needed(deeds.into_iter().filter(is_needed)).map_or(reason, Reason::Deeds)
}

/// The links that would stand without a deed: those that were up when it was done, and with which nothing else could
/// have gone wrong since.
pub(super) struct LinksWithout<'a> {
    model: &'a Model,
    deed: Deed,
    mishap: Mishap,
    until: Time,
    /// See [`late_starts`].
    starts: Vec<Time>,
}

impl<'a> LinksWithout<'a> {
    pub(super) fn new(model: &'a Model, deed: Deed, mishap: Mishap, until: Time) -> Self {
        Self { model, deed, mishap, until, starts: late_starts(model) }
    }

    fn neighbors(&self, node: Addr) -> impl Iterator<Item = Addr> + '_ {
        let links = self.model.links().of(node).filter(|link| link.purpose == Purpose::Neighbor);
        links.map(|link| link.key.peer).filter(move |peer| self.stands(node, *peer))
    }

    fn stands(&self, node: Addr, peer: Addr) -> bool {
        let (model, since) = (self.model, self.deed.at());
        let ended_by_rule = |link: &LinkHistory| {
            link.steps().any(|step| (since..=self.until).contains(&step.at) && step.end().is_some_and(is_by_rule))
        };
        let span = (since - aftermath(model, node, peer), self.until);
        model.links().get(node, peer).is_some_and(|link| link.was_up_at(since))
            && !model.links().both_ends(node, peer).any(ended_by_rule)
            && let_go_by(model, (node, peer), &self.starts, self.until).is_none_or(|at| at <= since)
            && may_go_wrong(model, (node, peer), self.mishap, span, &[self.deed]).is_empty()
    }

    /// The peers that hang together with one of these by such links.
    pub(super) fn joined(&self, from: Set<Addr>) -> Set<Addr> {
        joined(from, |node| self.neighbors(node))
    }
}

/// All nodes to which steps lead from these.
fn joined<I: Iterator<Item = Addr>>(from: Set<Addr>, next_to: impl Fn(Addr) -> I) -> Set<Addr> {
    let mut reached = from;
    let mut next = 0;
    while let Some(node) = reached.get_index(next).copied() {
        next += 1;
        reached.extend(next_to(node));
    }
    reached
}

/// All peers that ran hung together before anything was done.
fn was_whole_before_all(model: &Model) -> bool {
    let Some(first) = done_first(model) else { return true };
    let ran = |node: &&NodeRecord| node.role == Some(Role::Peer) && node.lives.running_since(first).is_some();
    let mut peers = model.nodes().iter().filter(ran).map(|node| node.addr);
    peers.next().is_none_or(|one| {
        let reached = reached_at(model, one, first);
        peers.all(|other| reached.contains(&other))
    })
}

/// When anything was first done, if anything was.
pub(super) fn done_first(model: &Model) -> Option<Time> {
    done_by(model, model.known_until()).map(|deed| deed.at()).min()
}

/// All links between neighbors that had ended by then ended by rules of the protocol.
pub(super) fn are_ends_by_rule(model: &Model, by: Time) -> bool {
    let links = model.links().iter().filter(|link| link.purpose == Purpose::Neighbor);
    let is_by_rule = |link: &LinkHistory, step: &LinkStep| matches!(link::of_step(model, link, step), Reason::Rule(_));
    links
        .flat_map(|link| link.steps().map(move |step| (link, step)))
        .filter(|(_, step)| step.is_loss() && step.at <= by)
        .all(|(link, step)| is_by_rule(link, step))
}

/// The peers that hung together with this one at this time.
pub(super) fn reached_at(model: &Model, node: Addr, at: Time) -> Set<Addr> {
    joined(Set::from_iter([node]), |from| {
        let up = model.links().of(from).filter(move |link| link.purpose == Purpose::Neighbor && link.was_up_at(at));
        up.map(|link| link.key.peer)
    })
}

/// Peers look for others all the time, so only a single cut is sure to keep these pairs apart, if nothing else could have
/// since it was set. `was_linked`: before that, they had been.
fn by_one_cut(
    model: &Model,
    reason: Reason,
    mut pairs: impl Iterator<Item = (Addr, Addr)>,
    was_linked: impl Fn(Time) -> bool,
) -> Reason {
    let Reason::Deeds(causes) = &reason else { return reason };
    let alone = |deed: &Deed| {
        pairs.all(|(one, other)| {
            let span = (deed.at() - aftermath(model, one, other), model.known_until());
            may_part(model, (one, other), span, &[*deed]).is_empty()
        })
    };
    let cut = causes.only().filter(|deed| is_cut(model, *deed) && was_linked(deed.at()));
    let is_sure = cut.as_ref().is_some_and(alone);
    if is_sure { reason } else { Reason::NotCertain(causes.deeds()) }
}

/// The overlay is in these parts.
pub(super) fn parted(model: &Model, parts: &[Vec<Addr>]) -> Reason {
    let peers = || model.nodes().iter().filter(|node| node.is_running_peer()).map(|node| node.addr);
    // Two that are alone now might else be a part of their own.
    let is_in_part = |peer: &Addr| parts.iter().any(|part| part.contains(peer));
    let parts: Vec<Vec<Addr>> =
        parts.iter().cloned().chain(peers().filter(|peer| !is_in_part(peer)).map(|peer| vec![peer])).collect();
    let (mut pairs, mut blocks) = (Vec::new(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        for (other_number, other) in parts.iter().enumerate().skip(number + 1) {
            for (a, b) in part.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))) {
                if blocks.len() < PAIRS_MAX {
                    pairs.push((number, other_number));
                    blocks.push(apart(model, a, b));
                }
            }
        }
    }
    let reason = solve(&blocks, |supposed| !is_joined(parts.len(), &pairs, supposed));
    let is_held = |deed: &Deed| {
        let links = LinksWithout::new(model, *deed, Mishap::Parting, model.known_until());
        let held = links.joined(peers().take(1).collect());
        peers().all(|peer| held.contains(&peer))
    };
    // Peers look for others all the time, and one that stopped may have joined the rest.
    let reason = match reason {
        Reason::Deeds(causes) => Reason::NotCertain(causes.deeds()),
        reason => reason,
    };
    match or_needed(model, reason, is_held) {
        Reason::Deeds(causes) if !was_whole_before_all(model) => Reason::NotCertain(causes.deeds()),
        reason => reason,
    }
}

/// All parts are one, by pairs that nothing keeps apart.
fn is_joined(parts: usize, pairs: &[(usize, usize)], supposed: Supposition<'_>) -> bool {
    let mut side: Vec<usize> = (0..parts).collect();
    for (pair, (one, other)) in pairs.iter().enumerate() {
        if !supposed.blocks(pair) && side[*one] != side[*other] {
            let (from, to) = (side[*one], side[*other]);
            side.iter_mut().filter(|part| **part == from).for_each(|part| *part = to);
        }
    }
    side.iter().all(|part| *part == side[0])
}

/// What keeps these two from being linked. If nothing does now, that they are not is doubtful.
fn apart(model: &Model, one: Addr, other: Addr) -> Blockage {
    let at = model.known_until();
    let mut block = kept_apart(model, one, other, at);
    block.perhaps.extend(faults_at(model, one, other, at).filter(|record| record.hinders()).map(FaultRecord::deed));
    block.perhaps.extend(delaying_at(model, one, other, at).map(FaultRecord::deed));
    block.is_doubtful = block.sure.is_empty();
    if block.is_doubtful {
        block.perhaps.extend(ended(model, one, other));
    }
    block.perhaps.retain(|deed| !block.sure.contains(&vec![*deed]));
    block
}

/// What had ended the link between them.
fn ended(model: &Model, one: Addr, other: Addr) -> Vec<Deed> {
    let ends = model.links().both_ends(one, other);
    let lost = |link: &'_ LinkHistory| {
        let step = link.steps().rev().find(|step| step.is_loss()).filter(|_| !link.is_up())?;
        Some((step.at, super::reason::deeds_of(&link::of_step(model, link, step))))
    };
    ends.filter_map(lost).min_by_key(|(at, _)| *at).map(|(_, deeds)| deeds).unwrap_or_default()
}
