//! The search for problems of the network.

use std::collections::VecDeque;
use std::time::Duration;

use super::{
    DISPUTED_FOR, FLAPPING_WITHIN, FORGED_FOR, FRAGILE_AFTER, FRAGILE_NODES_MIN, Finding, JOINING, KIND_MAX,
    UNREACHED_FOR,
};
use crate::event::{NodeState, Purpose};
use crate::model::death::DeathCase;
use crate::model::fault::FaultRecord;
use crate::model::graph::{Cuts, Graph};
use crate::model::link::LinkHistory;
use crate::model::node::{COMEBACKS_MAX, NodeRecord, ObservedState};
use crate::model::overlay::OverlaySnapshot;
use crate::model::ring::Ring;
use crate::model::rumor::{Counting, DELIVERY_TIME, Rumor};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::fault::Scope;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

/// Messages that one look judges: more than a network at full speed sends in half a second.
const JUDGED_MAX: usize = 512;
/// Messages that did not reach everyone that are remembered.
const UNREACHED_MAX: usize = 256;

/// Problems in the shape of the overlay.
#[derive(Debug, Clone, PartialEq, Default)]
struct OverlayShape {
    alone: Vec<Addr>,
    parted: Option<Finding>,
    fragile: Option<Finding>,
}

/// What the looks before have found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct WarningSearch {
    /// The overlay's version at the last look.
    version: Option<u64>,
    shape: OverlayShape,
    /// Messages before this number were judged.
    judged: u64,
    unreached: VecDeque<MessageId>,
    /// All of those, and when that was found.
    incomplete: IncompleteMessages,
}

#[derive(Debug, Clone, PartialEq)]
struct IncompleteMessages(Ring<(MessageId, Time)>);

impl Default for IncompleteMessages {
    fn default() -> Self {
        Self(Ring::new(UNREACHED_MAX))
    }
}

impl WarningSearch {
    /// All problems now.
    pub(super) fn look(&mut self, model: &Model, now: Time) -> Vec<Finding> {
        let version = model.changes.version();
        if self.version != Some(version) {
            self.shape = shape(model);
            self.version = Some(version);
        }
        let alone = self.shape.alone.iter().filter(|node| has_others(model, **node));
        let mut found: Vec<Finding> = alone.map(|node| Finding::Alone { node: *node }).collect();
        found.extend(no_seed(model));
        found.extend(self.shape.parted.clone());
        found.extend(self.shape.fragile.clone());
        found.extend(seed_lists(model, now));
        found.extend(flapping(model, now));
        found.extend(one_way(model));
        found.extend(self.unreached(model, now));
        found.extend(disputed(model, now));
        found.extend(forged(model, now));
        found.extend(eclipsed(model));
        found
    }

    pub(super) fn incomplete(&self) -> &Ring<(MessageId, Time)> {
        &self.incomplete.0
    }

    fn unreached(&mut self, model: &Model, now: Time) -> Option<Finding> {
        self.judge(model, now);
        let is_kept = |id: &MessageId| {
            let rumor = model.rumors.get(*id).filter(|rumor| now.since(rumor.began()) <= UNREACHED_FOR + DELIVERY_TIME);
            rumor.is_some_and(|rumor| lacking(model, rumor).next().is_some())
        };
        self.unreached.retain(is_kept);
        let latest = *self.unreached.back()?;
        let lacking = lacking_nodes(model, model.rumors.get(latest)?);
        Some(Finding::Unreached { latest, lacking, messages: self.unreached.len() })
    }

    /// Judges the messages that have had time to reach everyone.
    fn judge(&mut self, model: &Model, now: Time) {
        let ring = model.rumors.ring();
        // At full speed some go unjudged: the latest say as much.
        let newest = ring.end().saturating_sub(JUDGED_MAX as u64 * 8);
        let due = |rumor: &Rumor| rumor.began() + DELIVERY_TIME <= now;
        let rumors = ring.from(self.judged.max(newest)).take_while(|(_, rumor)| due(rumor)).take(JUDGED_MAX);
        for (number, rumor) in rumors {
            self.judged = number + 1;
            if is_unreached(model, rumor) {
                if self.unreached.len() == UNREACHED_MAX {
                    self.unreached.pop_front();
                }
                self.unreached.push_back(rumor.id);
                self.incomplete.0.push((rumor.id, now));
            }
        }
    }
}

fn is_unreached(model: &Model, rumor: &Rumor) -> bool {
    model.strategy_of(rumor.id.origin).reaches_everybody()
        && model.is_complete(rumor)
        && lacking(model, rumor).next().is_some()
}

/// Peers that lack it and had time to be linked; the others are excused.
fn lacking<'a>(model: &'a Model, rumor: &'a Rumor) -> impl Iterator<Item = &'a NodeRecord> {
    let was_linked = |node: &&NodeRecord| {
        node.lives.running_since(rumor.began()).is_some_and(|from| from + JOINING <= rumor.began())
    };
    rumor.lacking(&model.nodes, Counting::HadTime).filter(was_linked)
}

pub(super) fn lacking_nodes(model: &Model, rumor: &Rumor) -> Vec<Addr> {
    lacking(model, rumor).map(|node| node.addr).collect()
}

fn shape(model: &Model) -> OverlayShape {
    let overlay = model.overlay();
    let graph = overlay.with_one_elsewhere();
    let (mut alone, mut parts) = graph.alone_and_parts();
    for part in &mut parts {
        part.sort_unstable();
    }
    alone.truncate(KIND_MAX);
    let fragile = fragile(&overlay, &graph);
    let parted = (parts.len() > 1).then_some(Finding::Parted { parts });
    OverlayShape { alone, parted, fragile }
}

/// There are peers here, and none of them reaches a seed.
pub(super) fn is_without_seed(model: &Model) -> bool {
    let mut peers = model.nodes.iter().filter(|node| node.is_running_peer()).peekable();
    let mut seeds = model.nodes.iter().filter(|node| node.role == Some(Role::Seed)).peekable();
    // Peers of which none looks for a seed at the moment may not have noticed yet.
    let none_runs = seeds.peek().is_some() && seeds.all(|seed| seed.is_ours() && !seed.runs());
    peers.peek().is_some() && (none_runs || peers.all(|peer| model.seeds.are_out_of_reach(peer.addr)))
}

/// The peers here have lost all seeds, or never found one.
fn no_seed(model: &Model) -> Option<Finding> {
    if !is_without_seed(model) {
        return None;
    }
    let (ours, others): (Vec<_>, Vec<_>) =
        model.nodes.iter().filter(|node| node.role == Some(Role::Seed)).partition(|node| node.is_ours());
    // A seed of ours can be restarted here.
    let are_ours = !ours.is_empty();
    let seeds = if are_ours { ours } else { others };
    Some(Finding::NoSeed { seeds: seeds.into_iter().map(|seed| seed.addr).take(KIND_MAX).collect(), are_ours })
}

/// There is another node to link to.
fn has_others(model: &Model, node: Addr) -> bool {
    model.nodes.iter().any(|other| {
        let is_there = match other.state() {
            ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Known => true,
            ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => false,
        };
        other.addr != node && other.role == Some(Role::Peer) && is_there
    })
}

fn fragile(overlay: &OverlaySnapshot, graph: &Graph) -> Option<Finding> {
    if graph.len() < FRAGILE_NODES_MIN {
        return None;
    }
    let Cuts { mut nodes, mut links, splits: _ } = graph.cuts();
    // All nodes elsewhere count as one, and so do links to them.
    nodes.retain(|node| !overlay.elsewhere.contains(node));
    let ways_out = |node: Addr| overlay.graph.neighbors(node).filter(|peer| overlay.elsewhere.contains(peer)).count();
    links.retain(|(a, b)| match (overlay.elsewhere.contains(a), overlay.elsewhere.contains(b)) {
        (false, false) => true,
        (true, false) => ways_out(*b) < 2,
        (false, true) => ways_out(*a) < 2,
        (true, true) => false,
    });
    nodes.sort_unstable();
    links.sort_unstable();
    nodes.truncate(KIND_MAX);
    links.truncate(KIND_MAX);
    (!nodes.is_empty() || !links.is_empty()).then_some(Finding::Fragile { nodes, links })
}

/// How long the network may take to notice a death and delist the node: the probes that a node may
/// miss, the seed's own probes, and the wait after a registration closes.
pub(in crate::model) fn noticing_time(model: &Model) -> Duration {
    let paces = model.nodes.iter().filter_map(|node| node.pace);
    let longest = paces.map(|pace| {
        // A recording may hold any figure.
        Duration::from_micros(pace.liveness_interval_us).saturating_mul(pace.liveness_misses.saturating_add(2))
    });
    longest.max().unwrap_or(Duration::from_secs(65)).saturating_add(DELIVERY_TIME)
}

/// How long after the last event a look may still find something else: every span that findings are
/// compared with counts from an event, and is over by then.
pub(super) fn settling_time(model: &Model) -> Duration {
    let spans = [FLAPPING_WITHIN, UNREACHED_FOR + DELIVERY_TIME, DISPUTED_FOR, FORGED_FOR, noticing_time(model)];
    let longest = spans.into_iter().max().unwrap_or_default();
    // The grace of what is found last, with looks that are an eighth of the silence apart.
    longest.saturating_add(FRAGILE_AFTER).saturating_mul(2)
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::model) struct ListDifference {
    pub(in crate::model) gone: Vec<Addr>,
    pub(in crate::model) missing: Vec<Addr>,
}

/// Nodes on the list of a seed of ours that are not alive, and nodes that should be on it, for
/// longer than `grace`.
pub(in crate::model) fn difference(model: &Model, seed: Addr, now: Time, grace: Duration) -> ListDifference {
    let Some(view) = model.seeds.get(seed) else { return ListDifference::default() };
    let is_gone =
        |addr: &&Addr| model.nodes.get(**addr).is_some_and(|node| !is_alive(node) && now.since(node.since) >= grace);
    let registered = model.links.registered_with(seed).filter(|link| now.since(link.since) >= grace);
    let is_missing = |addr: &Addr| {
        let runs = model.nodes.get(*addr).is_some_and(NodeRecord::runs);
        let is_off = view.delisted.get(addr).is_none_or(|at| now.since(*at) >= grace);
        runs && is_off && !view.listed.contains_key(addr)
    };
    ListDifference {
        gone: view.listed.keys().filter(is_gone).copied().collect(),
        missing: registered.map(|link| link.key.node).filter(is_missing).collect(),
    }
}

/// A node of ours that runs is alive, whoever took it for dead.
fn is_alive(node: &NodeRecord) -> bool {
    if node.runs() {
        return true;
    }
    match node.state() {
        // Of a node known by hearsay alone, nothing suggests that it is dead.
        ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Known => true,
        ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => false,
    }
}

fn seed_lists(model: &Model, now: Time) -> Vec<Finding> {
    // A hung seed still has its list, and nobody maintains it.
    let is_there = |seed: &Addr| {
        model.nodes.get(*seed).is_some_and(|node| matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs)))
    };
    let grace = noticing_time(model);
    let seeds = model.seeds.iter().map(|(seed, _)| seed).filter(is_there);
    let found = seeds.filter_map(|seed| {
        let ListDifference { mut gone, mut missing } = difference(model, seed, now, grace);
        missing.retain(|peer| !is_parted(model, seed, *peer));
        gone.truncate(KIND_MAX);
        missing.truncate(KIND_MAX);
        let is_wrong = !gone.is_empty() || !missing.is_empty();
        is_wrong.then_some(Finding::SeedList { seed, gone, missing })
    });
    found.take(KIND_MAX).collect()
}

fn flapping(model: &Model, now: Time) -> Vec<Finding> {
    let found = model.nodes.iter().filter(|node| node.comebacks().len() == COMEBACKS_MAX).filter_map(|node| {
        let (first, last) = (node.comebacks().first()?, node.comebacks().last()?);
        let (node, times, within) = (node.addr, node.comebacks().len(), last.since(*first));
        (now.since(*first) <= FLAPPING_WITHIN).then_some(Finding::Flapping { node, times, within })
    });
    found.take(KIND_MAX).collect()
}

/// A partition lies between them. It has its own warning: links across it and lists add nothing.
fn is_parted(model: &Model, one: Addr, other: Addr) -> bool {
    let is_border = |record: &FaultRecord| matches!(record.fault.on, Scope::Border(_));
    model.faults.on_link(one, other).any(is_border)
}

fn one_way(model: &Model) -> Vec<Finding> {
    let runs = |addr| model.nodes.get(addr).is_some_and(NodeRecord::runs);
    let is_one_way = |link: &&crate::model::link::LinkHistory| {
        let back = model.links.get(link.key.peer, link.key.node);
        let is_back = back.is_some_and(crate::model::link::LinkHistory::is_up);
        runs(link.key.node) && runs(link.key.peer) && !is_back && !is_parted(model, link.key.node, link.key.peer)
    };
    model.links.up().filter(is_one_way).take(KIND_MAX).map(|link| Finding::OneWay { link: link.key }).collect()
}

/// Reports, not verdicts: a report that two seeds found false counts once. If the reporter had
/// missed a node before it restarted, the report was true.
fn disputed(model: &Model, now: Time) -> Vec<Finding> {
    let mut totals: Map<Addr, u32> = Map::default();
    let is_recent = |case: &&DeathCase| now.since(case.latest_step_at()) <= DISPUTED_FOR;
    for case in model.deaths.cases().iter().rev().map(|(_, case)| case).filter(is_recent) {
        for reporter in case.disputed_reporters() {
            let (reports, at) = case.disputes_of(reporter);
            let is_held_against_it = now.since(at) <= DISPUTED_FOR && !was_just_restarted(model, case.dead, at);
            if is_held_against_it {
                let total = totals.entry(reporter).or_default();
                *total = total.saturating_add(reports);
            }
        }
    }
    totals.into_iter().take(KIND_MAX).map(|(reporter, reports)| Finding::Disputed { reporter, reports }).collect()
}

fn was_just_restarted(model: &Model, node: Addr, at: Time) -> bool {
    let Some(lives) = model.nodes.get(node).map(|node| &node.lives) else { return false };
    let is_later_life = |from: &Time| lives.turns().iter().any(|turn| turn.at < *from);
    lives.running_since(at).filter(is_later_life).is_some_and(|from| at.since(from) <= noticing_time(model))
}

/// The latest forgery in the name of each node.
fn forged(model: &Model, now: Time) -> Vec<Finding> {
    let mut latest: Map<Addr, Finding> = Map::default();
    for (_, forgery) in model.forgeries.iter().filter(|(_, forgery)| now.since(forgery.at) <= FORGED_FOR) {
        latest.insert(forgery.id.origin, Finding::Forged { latest: forgery.id, from: forgery.from });
    }
    latest.into_values().take(KIND_MAX).collect()
}

/// Nodes most of whose neighbors joined when they were full, while those stay linked.
fn eclipsed(model: &Model) -> Vec<Finding> {
    let found = model.joiners.iter().filter_map(|(node, joined)| {
        let is_neighbor = |link: &&LinkHistory| link.is_up() && link.purpose == Purpose::Neighbor;
        let neighbors: Vec<Addr> = model.links.open_of(*node).filter(is_neighbor).map(|link| link.key.peer).collect();
        let joiners: Vec<Addr> = neighbors.iter().copied().filter(|neighbor| joined.contains(neighbor)).collect();
        let is_most = joiners.len() * 2 > neighbors.len();
        is_most.then_some(Finding::Eclipsed { node: *node, joiners, neighbors: neighbors.len() })
    });
    found.take(KIND_MAX).collect()
}
