//! A reason, as a set of deeds.

use crate::event::NodeState;
use crate::model::fault::FaultRef;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Sets of deeds that one reason names: more than a sentence holds.
pub const ALTERNATIVES_MAX: usize = 6;

/// Something that was done to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// A fault was set, at this time.
    Fault(FaultRef),
    /// A fault was cleared, at this time.
    Cleared(FaultRef),
    /// A node was killed, made to hang, left, or was started: for the first time or again.
    Turned { node: Addr, at: Time, to: NodeState },
    /// A peer reported another dead on purpose.
    Lied { liar: Addr, about: Addr, at: Time },
}

impl Deed {
    pub const fn at(&self) -> Time {
        match self {
            Self::Fault(fault) | Self::Cleared(fault) => fault.at,
            Self::Turned { at, .. } | Self::Lied { at, .. } => *at,
        }
    }
}

/// Deeds that made something so: sets, each of which was enough, and of which nothing can be left out.
///
/// One set: without any one of its deeds it would not have been so. Several: each alone would have
/// done it. Never empty, and neither is a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causes {
    alternatives: Vec<Vec<Deed>>,
}

impl Causes {
    /// Needed by itself.
    pub fn one(deed: Deed) -> Self {
        Self { alternatives: vec![vec![deed]] }
    }

    /// Of all these blockers: each is what stopped one attempt, any one of its deeds by itself, and it
    /// took all attempts to fail. `None` if one of them had no blocker, if there are none, or more sets
    /// than [`ALTERNATIVES_MAX`].
    pub fn of_blockers(blocked: &[Vec<Deed>]) -> Option<Self> {
        let mut sets: Vec<Vec<Deed>> = vec![Vec::new()];
        for blockers in distinct(blocked) {
            let mut next: Vec<Vec<Deed>> = Vec::new();
            for set in &sets {
                if set.iter().any(|deed| blockers.contains(deed)) {
                    next.push(set.clone());
                    continue;
                }
                next.extend(blockers.iter().map(|deed| with(set, *deed)));
            }
            sets = minimal(next);
            if sets.len() > ALTERNATIVES_MAX {
                return None;
            }
        }
        let is_some = !sets.is_empty() && sets.iter().all(|set| !set.is_empty());
        is_some.then_some(Self { alternatives: sets })
    }

    /// This, or another set of deeds that would have been enough.
    #[must_use]
    pub fn or(mut self, other: Vec<Deed>) -> Self {
        self.alternatives.push(other);
        self.alternatives = minimal(self.alternatives);
        self
    }

    /// Each set; at least one.
    pub fn alternatives(&self) -> &[Vec<Deed>] {
        &self.alternatives
    }

    /// All deeds that are named, in order of time, each once.
    pub fn deeds(&self) -> Vec<Deed> {
        let mut deeds: Vec<Deed> = self.alternatives.iter().flatten().copied().collect();
        deeds.sort_unstable_by_key(|deed| (deed.at(), *deed));
        deeds.dedup();
        deeds
    }

    /// Without any one of its deeds it would not have been so.
    pub fn are_all_needed(&self) -> bool {
        self.alternatives.len() == 1
    }
}

fn with(set: &[Deed], deed: Deed) -> Vec<Deed> {
    let mut set = set.to_vec();
    set.push(deed);
    set.sort_unstable();
    set
}

fn distinct(blocked: &[Vec<Deed>]) -> Vec<Vec<Deed>> {
    let mut all: Vec<Vec<Deed>> = blocked.iter().map(|set| sorted(set)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn sorted(set: &[Deed]) -> Vec<Deed> {
    let mut set = set.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

/// Without the sets that contain another one.
fn minimal(sets: Vec<Vec<Deed>>) -> Vec<Vec<Deed>> {
    let mut sets: Vec<Vec<Deed>> = sets.iter().map(|set| sorted(set)).collect();
    sets.sort_unstable_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    sets.dedup();
    let mut kept: Vec<Vec<Deed>> = Vec::new();
    for set in sets {
        if !kept.iter().any(|smaller| smaller.iter().all(|deed| set.contains(deed))) {
            kept.push(set);
        }
    }
    kept
}

/// Why something is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Of what was done, for certain.
    Deeds(Causes),
    /// Of a rule of the protocol: nothing needed to be done for it.
    Rule(Rule),
    /// The events do not settle it. What may have done it, most likely first.
    NotCertain(Vec<Deed>),
}

/// What happens in every network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It started after the message began, and nobody repeats it.
    LateJoiner,
    /// Seeds do not gossip.
    Seed,
    /// It is on its way.
    OnItsWay,
    /// A peer left politely, or closed a link for room: see the link's end.
    Goodbye,
    /// Two connections between one pair: one is closed.
    Doubled,
}
