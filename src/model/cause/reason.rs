//! A reason, as a set of deeds.

use crate::event::NodeState;
use crate::model::fault::FaultRef;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Sets of deeds that one reason names: more than a sentence holds.
pub(super) const ALTERNATIVES_MAX: usize = 6;

/// Something that was done to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// A fault was set, at this time.
    Fault(FaultRef),
    /// A node was killed, made to hang, left, or was started: for the first time or again.
    Turned { node: Addr, at: Time, to: NodeState },
    /// A peer reported another dead on purpose.
    Lied { liar: Addr, about: Addr, at: Time },
}

impl Deed {
    pub const fn at(&self) -> Time {
        match self {
            Self::Fault(fault) => fault.at,
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

    /// Each of these was needed. At least one.
    pub fn all(deeds: Vec<Deed>) -> Self {
        Self { alternatives: vec![deeds] }
    }

    /// Each of these sets was enough; `None` if there are none, or more than [`ALTERNATIVES_MAX`].
    pub fn any(alternatives: Vec<Vec<Deed>>) -> Option<Self> {
        (1..=ALTERNATIVES_MAX).contains(&alternatives.len()).then_some(Self { alternatives })
    }

    /// These, if all were needed and none of the others was done, which might have come to the same.
    pub(super) fn unless(self, others: impl Iterator<Item = Deed>) -> Reason {
        let named = self.deeds();
        let others: Vec<Deed> = others.filter(|deed| !named.contains(deed)).collect();
        if others.is_empty() && self.are_all_needed() {
            return Reason::Deeds(self);
        }
        Reason::NotCertain(named.into_iter().chain(others).collect())
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

    /// The deed, if it is a single one.
    pub fn only(&self) -> Option<Deed> {
        match self.alternatives.as_slice() {
            [set] => match set.as_slice() {
                [deed] => Some(*deed),
                _ => None,
            },
            _ => None,
        }
    }

    /// Without any one of its deeds it would not have been so.
    pub fn are_all_needed(&self) -> bool {
        self.alternatives.len() == 1
    }
}

/// Why something is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Of what was done, for certain.
    Deeds(Causes),
    /// Of a rule of the protocol: nothing needed to be done for it.
    Rule(ProtocolRule),
    /// The events do not settle it. What may have done it, most likely first.
    NotCertain(Vec<Deed>),
}

/// All deeds that a reason names.
pub fn deeds_of(reason: &Reason) -> Vec<Deed> {
    match reason {
        Reason::Deeds(causes) => causes.deeds(),
        Reason::NotCertain(deeds) => deeds.clone(),
        Reason::Rule(_) => Vec::new(),
    }
}

/// What happens in every network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolRule {
    /// It started after the message began, and nobody repeats it.
    LateJoiner,
    /// Seeds do not gossip.
    Seed,
    /// It is on its way.
    OnItsWay,
    /// Somebody left the network.
    Goodbye,
    /// Two connections between one pair, or two registrations: one is closed.
    Doubled,
    /// A peer takes so many neighbors, and makes room for one that has none.
    Full,
    /// Peers choose their neighbors at random, and two of them were in different parts of the overlay all along.
    Apart,
}
