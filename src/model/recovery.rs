//! How the network recovered: what a node that was taken for dead did in truth, how long it took to notice,
//! and how long the overlay took to become whole again.

use std::time::Duration;

use super::Model;
use super::death::{DeathCase, ReportOutcome};
use super::fault::FaultRecord;
use crate::event::NodeState;
use crate::proto::addr::Addr;
use crate::proto::fault::Hindrance;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// What a node that was taken for dead did in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeathKind {
    /// It had been killed: its connections ended.
    Crash,
    /// It had been made to hang: it fell silent.
    Hang,
    /// It had left.
    Left,
    /// It ran, and some could not hear it.
    Unheard,
    /// Nobody took it off a list: a lie, a disputed report, or the node was only away.
    Unfounded,
    /// It runs elsewhere.
    Elsewhere,
}

/// How a death was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    pub kind: DeathKind,
    /// From when it stopped or fell silent to the first who declared it dead.
    pub after: Option<Duration>,
    /// Seeds that took it off their lists, and when.
    pub removed: Vec<(Addr, Time)>,
}

impl Model {
    pub fn detection(&self, case: &DeathCase) -> Detection {
        let kind = self.death_kind(case);
        let stopped = || self.nodes.get(case.dead)?.lives.at(case.at);
        let is_timed = kind == DeathKind::Crash || kind == DeathKind::Hang;
        let declared = case.evidence.iter().filter_map(|evidence| evidence.declared_at).min();
        let after = stopped().filter(|_| is_timed).map(|turn| declared.unwrap_or(case.at).since(turn.at));
        let removed = case.seeds().into_iter().filter_map(|seed| match case.outcome_at(seed)? {
            ReportOutcome::Removed { at, .. } => Some((seed, at)),
            ReportOutcome::AlreadyGone
            | ReportOutcome::NotListed
            | ReportOutcome::Disputed { .. }
            | ReportOutcome::CameBack
            | ReportOutcome::NoAnswer
            | ReportOutcome::Asking => None,
        });
        Detection { kind, after, removed: removed.collect() }
    }

    fn death_kind(&self, case: &DeathCase) -> DeathKind {
        let Some(node) = self.nodes.get(case.dead).filter(|node| node.is_ours()) else { return DeathKind::Elsewhere };
        if case.is_unfounded() {
            return DeathKind::Unfounded;
        }
        match node.lives.at(case.at).map(|turn| turn.life) {
            Some(NodeState::Killed) => DeathKind::Crash,
            Some(NodeState::Hangs) => DeathKind::Hang,
            Some(NodeState::Left) => DeathKind::Left,
            Some(NodeState::Runs) | None => DeathKind::Unheard,
        }
    }

    /// After which time a silent node is found dead by theory, at the earliest and at the latest; `None`
    /// if the peers have different intervals.
    pub fn silence_found(&self) -> Option<(Duration, Duration)> {
        let peers = self.nodes.iter().filter(|node| node.is_ours() && node.role == Some(Role::Peer));
        let mut bounds = peers.filter_map(|node| Some(node.methods.detector.silence_found(node.pace?)));
        let first = bounds.next()?;
        bounds.all(|other| other == first).then_some(first)
    }

    /// Of an overlay that was in parts in this time: the fault whose end let it heal, and how long that took.
    pub fn healed_fault(&self, parted: Time, healed: Time) -> Option<(&FaultRecord, Duration)> {
        let stops = |record: &&FaultRecord| record.fault.what.class().row().hindrance == Hindrance::Stops;
        let ended = self.faults.ever().filter(stops).filter_map(|record| Some((record, record.until?)));
        let of_it = ended.filter(|(record, until)| record.since <= parted && (parted..=healed).contains(until));
        of_it.max_by_key(|(_, until)| *until).map(|(record, until)| (record, healed.since(until)))
    }
}
