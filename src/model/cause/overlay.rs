//! Why peers have no way to each other, or to a seed: each pair that could be linked is kept apart.

use super::block::{Blockage, Supposition, solve};
use super::deeds::{delaying_at, faults_at, is_cut, kept_apart};
use super::link;
use super::reason::{Deed, Reason};
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::link::LinkHistory;
use crate::model::node::NodeRecord;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

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
    let others = model.nodes().iter().filter(is_other).take(PAIRS_MAX);
    let blocks: Vec<Blockage> = others.map(|other| apart(model, node, other.addr)).collect();
    by_one_cut(model, solve(&blocks, |supposed| (0..blocks.len()).all(|pair| supposed.blocks(pair))))
}

/// Peers look for others all the time, so only a single cut is sure to keep them apart.
fn by_one_cut(model: &Model, reason: Reason) -> Reason {
    let Reason::Deeds(causes) = &reason else { return reason };
    if causes.only().is_some_and(|deed| is_cut(model, deed)) { reason } else { Reason::NotCertain(causes.deeds()) }
}

/// The overlay is in these parts.
pub(super) fn parted(model: &Model, parts: &[Vec<Addr>]) -> Reason {
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
    by_one_cut(model, solve(&blocks, |supposed| !is_joined(parts.len(), &pairs, supposed)))
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
