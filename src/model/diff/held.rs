//! Whom each peer holds for dead.
//!
//! A peer that declares a neighbor dead tells so. It holds it for dead until somebody that had lost the node
//! has heard from it again, or until its own life ends.

use super::{Change, DifferenceKind, Existence, MomentDifference, Sides};
use crate::model::death::{DeathCase, Evidence};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// A peer's view of a node that it declared dead.
#[derive(Clone, Copy)]
struct HeldView<'a> {
    by: Addr,
    case: &'a DeathCase,
    evidence: &'a Evidence,
    declared_at: Time,
}

pub(super) fn differences(comparison: Sides<'_>, from: Time, to: Time) -> Vec<MomentDifference> {
    let cases = comparison.after.deaths().cases().iter().map(|(_, case)| case);
    let views = cases.flat_map(|case| case.evidence.iter().filter_map(move |evidence| HeldView::of(case, evidence)));
    views.filter_map(|view| view.difference(comparison, from, to)).collect()
}

impl<'a> HeldView<'a> {
    fn of(case: &'a DeathCase, evidence: &'a Evidence) -> Option<Self> {
        Some(Self { by: evidence.reporter, case, evidence, declared_at: evidence.declared_at? })
    }

    fn difference(self, comparison: Sides<'_>, from: Time, to: Time) -> Option<MomentDifference> {
        let (before, after) = (self.is_held_at(comparison, from), self.is_held_at(comparison, to));
        let is_over = self.declared_at > from && after == Existence::NotThere;
        let change = Change::of(before, after).or_else(|| is_over.then_some(Change::Passed))?;
        let cause = || self.evidence.cause.map(|cause| cause.to_string());
        let (at, why) = match change {
            Change::New => (Some(self.declared_at), cause()),
            Change::Passed => (self.case.back_at, cause()),
            Change::Gone if self.case.back_at.is_some() => {
                (self.case.back_at, Some("it was heard from again".to_owned()))
            }
            Change::Gone => (None, Some(format!("{} itself ended", comparison.name(self.by)))),
        };
        Some(MomentDifference { what: DifferenceKind::HeldDead { change, by: self.by, of: self.case.dead }, at, why })
    }

    fn is_held_at(self, comparison: Sides<'_>, at: Time) -> Existence {
        let node = comparison.after.nodes().get(self.by);
        let ran_since = node.and_then(|node| node.lives.running_since(at));
        let is_same_life = ran_since.is_some_and(|since| since <= self.declared_at);
        let is_held = self.declared_at <= at && self.case.back_at.is_none_or(|back_at| back_at > at);
        Existence::of((is_held && is_same_life).then_some(()))
    }
}
