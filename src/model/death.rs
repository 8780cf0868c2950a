//! Deaths, and the evidence for each: who probed the dead node and when, what was missed, who
//! reported it to which seed, and what each seed did.
//!
//! Evidence belongs to the case from when a death is declared, so it outlives the logs. The row of
//! missed probes is the one that the link holds.

mod outcome;

use std::time::Duration;

use smallvec::SmallVec;

pub use self::outcome::ReportOutcome;
pub(super) use self::outcome::delisting;
use super::FastHashMap;
use super::link::{Miss, MissRow};
use super::ring::Ring;
use crate::event::{DeathEvent, DelistReason, Event, EventKind};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// Cases that are kept.
pub const CASES_MAX: usize = 1_024;
/// Reporters of one case: as many as a peer can have links.
pub const TESTIMONIES_MAX: usize = 64;
/// Steps of seeds in one case: several for each reporter.
pub const STEPS_MAX: usize = 256;
/// What seeds and reporters do about a death this long after a sign of life still belongs to its
/// case.
pub const LINGER: Duration = Duration::from_secs(60);

/// Why one node says that another is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub reporter: Addr,
    /// `None` for a reporter elsewhere, known by its report alone.
    pub declared_at: Option<Time>,
    pub cause: Option<DeathCause>,
    pub last_heard: Option<Time>,
    pub(super) missed: Option<MissRow>,
    pub reported_at: Option<Time>,
    /// The seeds that it was reported to, as far as known.
    pub seeds: SmallVec<[Addr; 2]>,
}

impl Evidence {
    /// Evidence of which only the reporter is known.
    pub(super) fn of(reporter: Addr) -> Self {
        Self {
            reporter,
            declared_at: None,
            cause: None,
            last_heard: None,
            missed: None,
            reported_at: None,
            seeds: SmallVec::new(),
        }
    }

    /// Unanswered probes, oldest first.
    pub fn missed(&self) -> &[Miss] {
        self.missed.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// One death of one node: what was said, and what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeathCase {
    pub dead: Addr,
    /// When the death was first declared or reported.
    pub at: Time,
    /// In the order in which it was given.
    pub evidence: Vec<Evidence>,
    /// What seeds did about it, in order: reports that they got or disputed, probes of theirs that
    /// the node did not answer, and that they took it off their lists or put it there again.
    pub steps: Vec<Event>,
    /// When somebody that had lost the node heard from it again.
    pub back_at: Option<Time>,
    /// The node said later that it had been away for this long, so it was not dead.
    pub away: Option<Duration>,
    /// Evidence and steps dropped over the limits.
    pub omitted: u64,
    /// Its number in the gossip log.
    line: Option<u64>,
}

impl DeathCase {
    /// When a seed last acted on it; the beginning of the case if none did.
    pub fn latest_step_at(&self) -> Time {
        self.steps.last().map_or(self.at, |step| step.at)
    }

    /// Reporters whose reports a seed found false, in the order of the findings.
    pub fn disputed_reporters(&self) -> Vec<Addr> {
        let mut reporters = Vec::new();
        for (_, reporter, _) in self.disputes() {
            if !reporters.contains(&reporter) {
                reporters.push(reporter);
            }
        }
        reporters
    }

    /// How many of this reporter's reports were found false, by however many seeds, and when that
    /// last happened.
    pub fn disputes_of(&self, reporter: Addr) -> (u32, Time) {
        let mut by_seed: Vec<(Addr, u32)> = Vec::new();
        let mut latest = self.at;
        for (seed, _, at) in self.disputes().filter(|(_, told, _)| *told == reporter) {
            latest = latest.max(at);
            match by_seed.iter_mut().find(|(known, _)| *known == seed) {
                Some((_, count)) => *count += 1,
                None => by_seed.push((seed, 1)),
            }
        }
        (by_seed.into_iter().map(|(_, count)| count).max().unwrap_or(0), latest)
    }

    /// Which seed found whose report false, and when.
    pub fn disputes(&self) -> impl Iterator<Item = (Addr, Addr, Time)> {
        self.steps.iter().filter_map(|step| Some((step.node, dispute(step)?.0, step.at)))
    }

    fn new(dead: Addr, at: Time) -> Self {
        Self { dead, at, evidence: Vec::new(), steps: Vec::new(), back_at: None, away: None, omitted: 0, line: None }
    }

    /// Only nodes whose link the user cut say so.
    pub fn is_cut_only(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(|evidence| evidence.cause == Some(DeathCause::Cut))
    }

    /// The node answered a seed's probe, and no seed took it off its list as dead.
    pub fn is_disputed(&self) -> bool {
        self.disputes().next().is_some() && !self.is_acted_on()
    }

    /// A seed took the node off its list as dead.
    fn is_acted_on(&self) -> bool {
        self.steps.iter().filter_map(outcome::removal).any(|(_, reason)| match reason {
            DelistReason::Reported { .. } | DelistReason::Unanswered { .. } | DelistReason::Silent => true,
            DelistReason::Departed | DelistReason::Left => false,
        })
    }

    /// Nobody in this process found the node dead and no seed acted on it (a lie, a disputed
    /// report), or the node was only away. Unknown while a report from elsewhere has no answer.
    pub fn is_unfounded(&self) -> bool {
        self.away.is_some() || self.is_disputed() || (self.is_lie_only() && !self.is_acted_on())
    }

    /// Only nodes that the user made lie say so.
    fn is_lie_only(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(|evidence| evidence.cause == Some(DeathCause::Lie))
    }

    /// Nodes of ours declared it dead, and none of them has heard from it since.
    pub(super) fn is_open_and_declared(&self) -> bool {
        self.back_at.is_none() && self.evidence.iter().any(|told| told.declared_at.is_some())
    }

    /// This node declared it dead before.
    pub(super) fn is_declared_by(&self, reporter: Addr, before: Time) -> bool {
        let is_it = |told: &Evidence| told.reporter == reporter && told.declared_at.is_some_and(|at| at < before);
        self.evidence.iter().any(is_it)
    }

    /// The seeds that acted on it, each once, in the order of their first act.
    pub fn seeds(&self) -> Vec<Addr> {
        let mut seeds = Vec::new();
        for step in &self.steps {
            if !seeds.contains(&step.node) {
                seeds.push(step.node);
            }
        }
        seeds
    }

    /// A seed has told of this reporter's report before the reporter has: the two nodes run side by
    /// side.
    fn awaits(&self, reporter: Addr) -> bool {
        let is_it = |told: &Evidence| told.reporter == reporter && told.declared_at.is_none();
        self.evidence.iter().any(|told| is_it(told) && told.reported_at.is_none())
    }

    fn evidence(&mut self, reporter: Addr) -> Option<&mut Evidence> {
        if let Some(place) = self.evidence.iter().position(|evidence| evidence.reporter == reporter) {
            return self.evidence.get_mut(place);
        }
        if self.evidence.len() == TESTIMONIES_MAX {
            self.omitted += 1;
            return None;
        }
        self.evidence.push(Evidence::of(reporter));
        self.evidence.last_mut()
    }

    fn step(&mut self, step: &Event) {
        if self.steps.len() == STEPS_MAX {
            self.omitted += 1;
        } else {
            self.steps.push(step.clone());
        }
    }
}

/// If a seed found a report false with this step: whose report, and how long the answer took, in
/// microseconds.
pub(super) const fn dispute(step: &Event) -> Option<(Addr, u64)> {
    let EventKind::Death(DeathEvent::ReportDisputed { reporter, rtt_us, .. }) = &step.kind else { return None };
    Some((*reporter, *rtt_us))
}

/// Cases so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeathCounts {
    /// Nodes found dead, or taken off a list as dead.
    pub deaths: u64,
    /// Reports of a death that did not happen (see [`DeathCase::is_unfounded`]).
    pub unfounded: u64,
}

impl DeathCounts {
    fn count(&mut self, case: &DeathCase) {
        let place = if case.is_unfounded() { &mut self.unfounded } else { &mut self.deaths };
        *place += 1;
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deaths {
    cases: Ring<DeathCase>,
    /// Cases that are no longer held.
    gone: DeathCounts,
    latest: FastHashMap<Addr, u64>,
}

impl Default for Deaths {
    fn default() -> Self {
        Self { cases: Ring::new(CASES_MAX), gone: DeathCounts::default(), latest: FastHashMap::default() }
    }
}

impl Deaths {
    pub fn cases(&self) -> &Ring<DeathCase> {
        &self.cases
    }

    /// Includes the cases that are no longer held.
    pub fn counts(&self) -> DeathCounts {
        let mut counts = self.gone;
        self.cases.iter().for_each(|(_, case)| counts.count(case));
        counts
    }

    /// The latest death of this node, even if it is back.
    pub fn latest_of(&self, dead: Addr) -> Option<&DeathCase> {
        self.cases.get(self.number_of(dead)?)
    }

    /// The number of that case.
    pub(super) fn number_of(&self, dead: Addr) -> Option<u64> {
        self.latest.get(&dead).copied()
    }

    /// The line of this case in the gossip log.
    pub(super) fn line_of(&self, case: u64) -> Option<u64> {
        self.cases.get(case)?.line
    }

    pub(super) fn logged(&mut self, case: u64, line: u64) {
        if let Some(case) = self.cases.get_mut(case) {
            case.line = Some(line);
        }
    }

    pub(super) fn declared(&mut self, dead: Addr, evidence: Evidence, at: Time) {
        let number = self.open(dead, evidence.reporter, at, evidence.last_heard);
        let kept = self.cases.get_mut(number).and_then(|case| case.evidence(evidence.reporter));
        let Some(kept) = kept else { return };
        // The seed's event about the report may come first: the two nodes run side by side.
        let (reported_at, seeds) = (kept.reported_at, std::mem::take(&mut kept.seeds));
        *kept = Evidence { reported_at, seeds, ..evidence };
    }

    pub(super) fn reported(&mut self, dead: Addr, reporter: Addr, seeds: &[Addr], cause: DeathCause, at: Time) {
        // A lie has nothing to do with an earlier death.
        let number =
            if cause == DeathCause::Lie { self.open(dead, reporter, at, None) } else { self.current(dead, at) };
        let Some(evidence) = self.cases.get_mut(number).and_then(|case| case.evidence(reporter)) else { return };
        // Who lies about a node that it has taken for dead says what it believes.
        if cause != DeathCause::Lie || evidence.declared_at.is_none() {
            evidence.cause = Some(cause);
        }
        evidence.reported_at = Some(at);
        evidence.seeds = SmallVec::from_slice(seeds);
    }

    /// A seed got a report. If the reporter runs elsewhere, this is all that is known of it.
    pub(super) fn received(&mut self, dead: Addr, step: &Event, reporter: Addr, told: Option<DeathCause>) {
        let number = self.current(dead, step.at);
        let Some(case) = self.cases.get_mut(number) else { return };
        case.step(step);
        let Some(evidence) = case.evidence(reporter) else { return };
        evidence.cause = evidence.cause.or(told);
        if !evidence.seeds.contains(&step.node) && evidence.seeds.len() < TESTIMONIES_MAX {
            evidence.seeds.push(step.node);
        }
    }

    /// A seed took another step in a death, if there is one.
    pub(super) fn acted(&mut self, dead: Addr, step: &Event) {
        if let Some(case) = self.current_if_any(dead, step.at).and_then(|number| self.cases.get_mut(number)) {
            case.step(step);
        }
    }

    /// The node says that it was away for this long: deaths declared meanwhile did not happen.
    pub(super) fn was_away(&mut self, node: Addr, at: Time, span: Duration) {
        let number = self.latest.get(&node).copied();
        let case = number.and_then(|number| self.cases.get_mut(number)).filter(|case| at.since(case.at) <= span);
        if let Some(case) = case {
            case.away = Some(span);
        }
    }

    /// A seed took a silent node off its list without a report.
    pub(super) fn found_silent(&mut self, dead: Addr, step: &Event) {
        let number = self.current(dead, step.at);
        if let Some(case) = self.cases.get_mut(number) {
            case.step(step);
        }
    }

    pub(super) fn back(&mut self, dead: Addr, at: Time) {
        let number = self.latest.get(&dead).copied();
        if let Some(case) = number.and_then(|number| self.cases.get_mut(number)) {
            case.back_at.get_or_insert(at);
        }
    }

    /// The open case, or a new one. A disputed case is settled, and evidence from a node that heard
    /// from it long after the case began (`last_heard`) is about another death.
    fn open(&mut self, dead: Addr, reporter: Addr, at: Time, last_heard: Option<Time>) -> u64 {
        let is_another = |case: &DeathCase| last_heard.is_some_and(|heard| heard.since(case.at) > LINGER);
        let is_settled = |case: &DeathCase| case.back_at.is_some() || case.is_disputed() || is_another(case);
        let is_open = self.latest_of(dead).is_some_and(|case| case.awaits(reporter) || !is_settled(case));
        match self.latest.get(&dead) {
            Some(number) if is_open => *number,
            Some(_) | None => self.begin(dead, at),
        }
    }

    /// The case to which reports about this node now belong, or a new one.
    fn current(&mut self, dead: Addr, at: Time) -> u64 {
        self.current_if_any(dead, at).unwrap_or_else(|| self.begin(dead, at))
    }

    fn current_if_any(&self, dead: Addr, at: Time) -> Option<u64> {
        let number = *self.latest.get(&dead)?;
        let case = self.cases.get(number)?;
        case.back_at.is_none_or(|back_at| at.since(back_at) <= LINGER).then_some(number)
    }

    fn begin(&mut self, dead: Addr, at: Time) -> u64 {
        let (number, gone) = self.cases.push(DeathCase::new(dead, at));
        if let Some(case) = &gone {
            self.gone.count(case);
        }
        if let Some(gone) = gone
            && self.latest.get(&gone.dead).is_some_and(|latest| *latest < self.cases.first())
        {
            self.latest.remove(&gone.dead);
        }
        self.latest.insert(dead, number);
        number
    }
}
