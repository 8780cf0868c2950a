//! Why peers have no way to each other, or to a seed: each pair that could be linked is kept apart.

use super::besides::{Mishap, aftermath, done_by, may_go_wrong, may_part, needed, weighable};
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
    let reason = by_one_cut(model, reason, others().map(|other| (node, other)));
    let ran_first =
        model.nodes().lives(node).and_then(|lives| lives.turns().first()).map(|turn| turn.at) == model.started();
    if matches!(reason, Reason::NotCertain(_)) && ran_first && is_refused(model, node, model.now()) {
        return Reason::Rule(ProtocolRule::Full);
    }
    let keeps_one =
        |deed: &Deed| neighbors_kept(model, node, Mishap::Parting, (deed.at(), model.now()), *deed).next().is_some();
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
    let deeds = weighable(model, done_by(model, model.now()));
    needed(deeds.into_iter().filter(is_needed)).map_or(reason, Reason::Deeds)
}

/// The neighbors that this node had when the deed was done, at the first of these times, and with whom nothing else
/// could have gone wrong up to the second.
fn neighbors_kept(
    model: &Model,
    node: Addr,
    mishap: Mishap,
    (since, until): (Time, Time),
    deed: Deed,
) -> impl Iterator<Item = Addr> {
    let were_up = model.links().of(node).filter(move |link| link.purpose == Purpose::Neighbor && link.was_up_at(since));
    let peers = were_up.map(|link| link.key.peer);
    peers.filter(move |peer| {
        let span = (since - aftermath(model, node, *peer), until);
        may_go_wrong(model, (node, *peer), mishap, span, &[deed]).is_empty()
    })
}

/// The peers that hang together with one of these by links with which nothing could have gone wrong up to this time but
/// for the deed.
pub(super) fn held_together(model: &Model, from: Set<Addr>, mishap: Mishap, until: Time, deed: Deed) -> Set<Addr> {
    let mut reached = from;
    let mut next = 0;
    while let Some(node) = reached.get_index(next).copied() {
        next += 1;
        reached.extend(neighbors_kept(model, node, mishap, (deed.at(), until), deed));
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
    done_by(model, model.now()).map(|deed| deed.at()).min()
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
    let mut reached = Set::from_iter([node]);
    let mut next = 0;
    while let Some(from) = reached.get_index(next).copied() {
        next += 1;
        let up = model.links().of(from).filter(|link| link.purpose == Purpose::Neighbor && link.was_up_at(at));
        reached.extend(up.map(|link| link.key.peer));
    }
    reached
}

/// Peers look for others all the time, so only a single cut is sure to keep these pairs apart, if nothing else could have
/// since it was set.
fn by_one_cut(model: &Model, reason: Reason, mut pairs: impl Iterator<Item = (Addr, Addr)>) -> Reason {
    let Reason::Deeds(causes) = &reason else { return reason };
    let alone = |deed: &Deed| {
        pairs.all(|(one, other)| {
            let span = (deed.at() - aftermath(model, one, other), model.now());
            may_part(model, (one, other), span, &[*deed]).is_empty()
        })
    };
    let is_sure = causes.only().filter(|deed| is_cut(model, *deed)).as_ref().is_some_and(alone);
    if is_sure { reason } else { Reason::NotCertain(causes.deeds()) }
}

/// The overlay is in these parts.
pub(super) fn parted(model: &Model, parts: &[Vec<Addr>]) -> Reason {
    let (mut pairs, mut ends, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        for (other_number, other) in parts.iter().enumerate().skip(number + 1) {
            for (a, b) in part.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))) {
                if blocks.len() < PAIRS_MAX {
                    pairs.push((number, other_number));
                    ends.push((a, b));
                    blocks.push(apart(model, a, b));
                }
            }
        }
    }
    let reason = solve(&blocks, |supposed| !is_joined(parts.len(), &pairs, supposed));
    let reason = by_one_cut(model, reason, ends.into_iter());
    let peers = || model.nodes().iter().filter(|node| node.is_running_peer()).map(|node| node.addr);
    let is_held = |deed: &Deed| {
        let held = held_together(model, peers().take(1).collect(), Mishap::Parting, model.now(), *deed);
        peers().all(|peer| held.contains(&peer))
    };
    let reason = or_needed(model, reason, is_held);
    match reason {
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
    let at = model.now();
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
