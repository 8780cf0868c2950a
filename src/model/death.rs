//! The deaths, and the evidence for each: who probed the dead node when, what was missed, who
//! reported it to which seed, and what each seed did.
//!
//! Evidence is copied into the case when a death is declared, so that it outlives the logs.

mod outcome;

use std::time::Duration;

use smallvec::SmallVec;

pub use self::outcome::ReportOutcome;
use super::FastHashMap;
use super::link::Miss;
use super::ring::Ring;
use crate::event::{DelistReason, ReportAction};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// Cases that are kept.
pub const CASES_MAX: usize = 1_024;
/// Those who say that a node is dead, of one case: as many as a peer can have links.
pub const TESTIMONIES_MAX: usize = 64;
/// What seeds did, of one case: some steps for each evidence.
pub const STEPS_MAX: usize = 256;
/// Lines of the report log that are kept.
pub const REPORTS_MAX: usize = 4_096;
/// For so long after a sign of life what seeds and reporters still do about the death belongs to
/// the same case.
pub const LINGER: Duration = Duration::from_secs(60);

/// Why one node says that another one is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who says so.
    pub reporter: Addr,
    /// When it declared the death; `None` for a reporter elsewhere, known by its report alone.
    pub declared_at: Option<Time>,
    /// Why, if it tells.
    pub cause: Option<DeathCause>,
    /// When it last heard anything from the dead node.
    pub last_heard: Option<Time>,
    /// The probes that it had no answer to, oldest first.
    pub missed: SmallVec<[Miss; 3]>,
    /// When it sent its report.
    pub reported_at: Option<Time>,
    /// To which seeds.
    pub seeds: SmallVec<[Addr; 2]>,
    /// Its line in the report log.
    pub report: Option<u64>,
}

impl Evidence {
    /// A evidence of which nothing is known but whose it is.
    pub(super) fn of(reporter: Addr) -> Self {
        Self {
            reporter,
            declared_at: None,
            cause: None,
            last_heard: None,
            missed: SmallVec::new(),
            reported_at: None,
            seeds: SmallVec::new(),
            report: None,
        }
    }
}

/// What a seed did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedAct {
    /// It got a report.
    Received {
        reporter: Addr,
        /// Why, if the report told.
        cause: Option<DeathCause>,
        /// What it does about it.
        action: ReportAction,
    },
    /// It asked the node itself, and had no answer.
    NoAnswer,
    /// It asked the node itself, and had an answer.
    Disputed {
        /// Whose report is wrong.
        reporter: Addr,
        /// From its probe to the answer, in microseconds.
        rtt_us: u64,
    },
    /// It took the node off its list.
    Delisted { reason: DelistReason },
    /// It put the node back on its list.
    Relisted,
}

/// One thing that a seed did about a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedStep {
    pub at: Time,
    pub seed: Addr,
    pub act: SeedAct,
}

/// One death of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeathCase {
    /// Who is dead, or is said to be.
    pub dead: Addr,
    /// When that was first declared or reported.
    pub at: Time,
    /// Who says so and why, in the order in which they said it.
    pub evidence: Vec<Evidence>,
    /// What the seeds did, in order.
    pub steps: Vec<SeedStep>,
    /// When there was a sign of life again, for somebody who had lost it.
    pub back_at: Option<Time>,
    /// It told later that it had not run for so long: it was away, and not dead.
    pub away: Option<Duration>,
    /// Testimonies and steps that were not kept because there were too many.
    pub omitted: u64,
}

impl DeathCase {
    /// When a seed last did something about it; when it began, if none did.
    pub fn latest_step_at(&self) -> Time {
        self.steps.last().map_or(self.at, |step| step.at)
    }

    /// Whose reports a seed found false, in the order in which that came out.
    pub fn disputed_reporters(&self) -> Vec<Addr> {
        let mut reporters = Vec::new();
        for (_, reporter, _) in self.disputes() {
            if !reporters.contains(&reporter) {
                reporters.push(reporter);
            }
        }
        reporters
    }

    /// How many reports of this reporter were found false, however many seeds found that, and when the last one was.
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
    fn disputes(&self) -> impl Iterator<Item = (Addr, Addr, Time)> {
        self.steps.iter().filter_map(|step| match step.act {
            SeedAct::Disputed { reporter, .. } => Some((step.seed, reporter, step.at)),
            SeedAct::Received { .. } | SeedAct::NoAnswer | SeedAct::Delisted { .. } | SeedAct::Relisted => None,
        })
    }

    fn new(dead: Addr, at: Time) -> Self {
        Self { dead, at, evidence: Vec::new(), steps: Vec::new(), back_at: None, away: None, omitted: 0 }
    }

    /// Nobody says so but those whose link the user cut.
    pub fn is_cut_only(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(|evidence| evidence.cause == Some(DeathCause::Cut))
    }

    /// A seed had an answer from the node itself, and none took it off its list for dead.
    pub fn is_disputed(&self) -> bool {
        let disputed = |step: &SeedStep| matches!(step.act, SeedAct::Disputed { .. });
        self.steps.iter().any(disputed) && !self.is_acted_on()
    }

    /// A seed took it off its list for dead.
    fn is_acted_on(&self) -> bool {
        self.steps.iter().any(|step| match step.act {
            SeedAct::Delisted { reason } => {
                matches!(reason, DelistReason::Reported { .. } | DelistReason::Unanswered { .. } | DelistReason::Silent)
            }
            SeedAct::Received { action, .. } => action == ReportAction::Removed,
            SeedAct::NoAnswer | SeedAct::Disputed { .. } | SeedAct::Relisted => false,
        })
    }

    /// Nobody in this process found the node dead, and no seed acted as if it were: a lie, a report that was disputed. Or
    /// the node was only away. That is no death. Of a report from elsewhere that nobody has answered yet, it is not known.
    pub fn is_unfounded(&self) -> bool {
        self.away.is_some() || self.is_disputed() || (self.is_lie_only() && !self.is_acted_on())
    }

    /// Nobody says so but those whom the user made to lie.
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

    /// The seeds that did something about it, each once, in the order of their first act.
    pub fn seeds(&self) -> Vec<Addr> {
        let mut seeds = Vec::new();
        for step in &self.steps {
            if !seeds.contains(&step.seed) {
                seeds.push(step.seed);
            }
        }
        seeds
    }

    /// A seed told of this reporter's report, and the reporter has not told of it yet: the two nodes run side by side.
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

    fn step(&mut self, step: SeedStep) {
        if self.steps.len() == STEPS_MAX {
            self.omitted += 1;
        } else {
            self.steps.push(step);
        }
    }
}

/// One line of the report log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEntry {
    /// When it was sent; for a reporter elsewhere: when a seed of ours got it.
    pub at: Time,
    /// Who is said to be dead.
    pub dead: Addr,
    /// Who says so.
    pub reporter: Addr,
    /// To which seeds, as far as known.
    pub seeds: SmallVec<[Addr; 2]>,
    /// Why, if it tells.
    pub cause: Option<DeathCause>,
    /// The number of the case.
    pub case: u64,
}

/// How many cases there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeathCounts {
    /// Deaths: somebody was found dead, or taken off a list for dead.
    pub deaths: u64,
    /// Reports of a death that was none (see [`DeathCase::is_unfounded`]).
    pub unfounded: u64,
}

impl DeathCounts {
    fn count(&mut self, case: &DeathCase) {
        let place = if case.is_unfounded() { &mut self.unfounded } else { &mut self.deaths };
        *place += 1;
    }
}

/// All cases, and the log of the reports.
#[derive(Debug, Clone)]
pub struct Deaths {
    cases: Ring<DeathCase>,
    /// Cases that are no longer held.
    gone: DeathCounts,
    latest: FastHashMap<Addr, u64>,
    reports: Ring<ReportEntry>,
}

impl Default for Deaths {
    fn default() -> Self {
        let cases = Ring::new(CASES_MAX);
        Self { cases, gone: DeathCounts::default(), latest: FastHashMap::default(), reports: Ring::new(REPORTS_MAX) }
    }
}

impl Deaths {
    /// The cases, oldest first.
    pub fn cases(&self) -> &Ring<DeathCase> {
        &self.cases
    }

    /// How many there were so far, those that are no longer held included.
    pub fn counts(&self) -> DeathCounts {
        let mut counts = self.gone;
        self.cases.iter().for_each(|(_, case)| counts.count(case));
        counts
    }

    /// The reports, oldest first.
    pub fn reports(&self) -> &Ring<ReportEntry> {
        &self.reports
    }

    /// The latest death of this node, even if it is back.
    pub fn latest_of(&self, dead: Addr) -> Option<&DeathCase> {
        self.cases.get(*self.latest.get(&dead)?)
    }

    /// A neighbor was declared dead.
    pub(super) fn declared(&mut self, dead: Addr, evidence: Evidence, at: Time) {
        let number = self.open(dead, evidence.reporter, at, evidence.last_heard);
        let kept = self.cases.get_mut(number).and_then(|case| case.evidence(evidence.reporter));
        let Some(kept) = kept else { return };
        // A seed's event about the report may come first: the two nodes run side by side.
        let Evidence { reported_at, report, .. } = *kept;
        let seeds = std::mem::take(&mut kept.seeds);
        *kept = Evidence { reported_at, seeds, report, ..evidence };
    }

    /// A report went out.
    pub(super) fn reported(&mut self, dead: Addr, reporter: Addr, seeds: &[Addr], cause: DeathCause, at: Time) {
        // A lie has nothing to do with a death before it.
        let number =
            if cause == DeathCause::Lie { self.open(dead, reporter, at, None) } else { self.current(dead, at) };
        let Some(evidence) = self.cases.get_mut(number).and_then(|case| case.evidence(reporter)) else { return };
        evidence.cause = Some(cause);
        evidence.reported_at = Some(at);
        evidence.seeds = SmallVec::from_slice(seeds);
        self.line(number, dead, reporter, at);
    }

    /// A seed got a report. Of a reporter elsewhere, what our seeds get is all that is known.
    pub(super) fn received(&mut self, dead: Addr, step: SeedStep, reporter: Addr, told: Option<DeathCause>) {
        let number = self.current(dead, step.at);
        let Some(case) = self.cases.get_mut(number) else { return };
        case.step(step);
        let Some(evidence) = case.evidence(reporter) else { return };
        evidence.cause = evidence.cause.or(told);
        if !evidence.seeds.contains(&step.seed) && evidence.seeds.len() < TESTIMONIES_MAX {
            evidence.seeds.push(step.seed);
        }
        self.line(number, dead, reporter, step.at);
    }

    /// Writes the line of a evidence in the report log, or brings it up to date.
    fn line(&mut self, number: u64, dead: Addr, reporter: Addr, at: Time) {
        let Some(evidence) = self.cases.get_mut(number).and_then(|case| case.evidence(reporter)) else { return };
        let (seeds, cause) = (evidence.seeds.clone(), evidence.cause);
        if let Some(line) = evidence.report.and_then(|line| self.reports.get_mut(line)) {
            (line.seeds, line.cause) = (seeds, cause);
        } else {
            let (line, _) = self.reports.push(ReportEntry { at, dead, reporter, seeds, cause, case: number });
            evidence.report = Some(line);
        }
    }

    /// A seed did something else about a death, if there is one.
    pub(super) fn acted(&mut self, dead: Addr, step: SeedStep) {
        if let Some(case) = self.current_if_any(dead, step.at).and_then(|number| self.cases.get_mut(number)) {
            case.step(step);
        }
    }

    /// The node tells that it had not run for so long: what was said of its death meanwhile is no death.
    pub(super) fn was_away(&mut self, node: Addr, at: Time, span: Duration) {
        let number = self.latest.get(&node).copied();
        let case = number.and_then(|number| self.cases.get_mut(number)).filter(|case| at.since(case.at) <= span);
        if let Some(case) = case {
            case.away = Some(span);
        }
    }

    /// A seed took a node off its list that nobody had to report.
    pub(super) fn found_silent(&mut self, dead: Addr, step: SeedStep) {
        let number = self.current(dead, step.at);
        if let Some(case) = self.cases.get_mut(number) {
            case.step(step);
        }
    }

    /// There is a sign of life.
    pub(super) fn back(&mut self, dead: Addr, at: Time) {
        let number = self.latest.get(&dead).copied();
        if let Some(case) = number.and_then(|number| self.cases.get_mut(number)) {
            case.back_at.get_or_insert(at);
        }
    }

    /// The open case, or a new one. What was disputed is settled; and whoever heard from it long after the case had
    /// begun, `last_heard`, tells of another death.
    fn open(&mut self, dead: Addr, reporter: Addr, at: Time, last_heard: Option<Time>) -> u64 {
        let is_another = |case: &DeathCase| last_heard.is_some_and(|heard| heard.since(case.at) > LINGER);
        let is_settled = |case: &DeathCase| case.back_at.is_some() || case.is_disputed() || is_another(case);
        let is_open = self.latest_of(dead).is_some_and(|case| case.awaits(reporter) || !is_settled(case));
        match self.latest.get(&dead) {
            Some(number) if is_open => *number,
            Some(_) | None => self.begin(dead, at),
        }
    }

    /// The case to which reports about this node belong now, or a new one.
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
