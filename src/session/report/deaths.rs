//! The deaths of a session, each with its answer.
//!
//! The model answers for the latest death of a node, as things stand. So a death is asked about when
//! the next one of its node begins, or at the end.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::event::{DeathEvent, Event, EventKind, SeedEvent};
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject};
use crate::model::recovery::{DeathKind, Detection};
use crate::model::why::{Explanation, why_dead};
use crate::proto::addr::Addr;
use crate::proto::time::{Time, micros};

/// Deaths that are told in full: two dozen pages of print.
pub const ANSWERS_MAX: usize = 60;
/// Lines of evidence of one death.
pub const EVIDENCE_MAX: usize = 40;

/// What is drawn of a death after the last seed took the node off its list: what comes later is the node's
/// return.
const DRAWN_AFTER: Duration = Duration::from_secs(5);

/// A death, and what came of it.
#[derive(Debug, Clone)]
pub struct DeathFigures {
    pub dead: Addr,
    pub at: Time,
    pub kind: DeathKind,
    /// From when it stopped or fell silent to the first who declared it dead.
    pub detection: Option<Duration>,
    /// Peers that declared or reported it.
    pub reporters: Vec<Addr>,
    /// Seeds that took it off their lists, and when.
    pub removed: Vec<(Addr, Time)>,
    pub back_at: Option<Time>,
    /// From its first sign until the seeds had acted.
    pub span: DiagramSpan,
    /// `None`: one of too many.
    pub answer: Option<Explanation>,
}

impl DeathFigures {
    /// What a diagram of it is about.
    pub fn subject(&self) -> DiagramSubject {
        DiagramSubject::Death { dead: self.dead, at: self.at }
    }
}

/// Deaths on their way into the report.
#[derive(Debug)]
pub(super) struct DeathFold {
    told: Vec<DeathFigures>,
    /// Cases before this number that were told, or are gone.
    first_open: u64,
    /// Numbers after it that were told.
    closed: Vec<u64>,
    answers: usize,
    utc_offset_s: i32,
}

impl DeathFold {
    pub(super) fn new(utc_offset_s: i32) -> Self {
        Self { told: Vec::new(), first_open: 0, closed: Vec::new(), answers: 0, utc_offset_s }
    }

    /// This event comes next: tells the death before, if it may begin another one of the same node.
    pub(super) fn before(&mut self, model: &Model, event: &Event) {
        let Some(dead) = dead_of(&event.kind) else { return };
        let cases = model.deaths().cases();
        let is_over = |case: &DeathCase| case.dead == dead && case.back_at.is_some_and(|back_at| back_at < event.at);
        let over = cases.from(self.first_open).find(|(number, case)| is_over(case) && !self.closed.contains(number));
        if let Some((number, case)) = over.filter(|(_, case)| model.deaths().latest_of(dead) == Some(*case)) {
            self.tell(model, case);
            self.closed.push(number);
        }
        self.forget_closed(cases.first());
    }

    /// Tells all that are left, in order of time.
    pub(super) fn finish(mut self, model: &Model) -> Vec<DeathFigures> {
        for (number, case) in model.deaths().cases().from(self.first_open) {
            if !self.closed.contains(&number) {
                self.tell(model, case);
            }
        }
        self.told.sort_by_key(|death| death.at);
        self.told
    }

    fn forget_closed(&mut self, first_held: u64) {
        self.first_open = self.first_open.max(first_held);
        while let Some(place) = self.closed.iter().position(|number| *number <= self.first_open) {
            self.first_open = self.first_open.max(self.closed.swap_remove(place) + 1);
        }
    }

    fn tell(&mut self, model: &Model, case: &DeathCase) {
        let figures = figures(model, case);
        let is_asked = self.answers < ANSWERS_MAX && model.deaths().latest_of(case.dead) == Some(case);
        let answer = is_asked.then(|| answer(model, case.dead, self.utc_offset_s));
        self.answers += usize::from(is_asked);
        self.told.push(DeathFigures { answer, ..figures });
    }
}

/// Who may begin to be dead with this event.
fn dead_of(kind: &EventKind) -> Option<Addr> {
    match kind {
        EventKind::Death(
            DeathEvent::NeighborDied { peer: dead, .. }
            | DeathEvent::DeadReportReceived { dead, .. }
            | DeathEvent::DeadReportSent { dead, .. },
        )
        | EventKind::Seed(SeedEvent::PeerDelisted { peer: dead, .. }) => Some(*dead),
        EventKind::Death(DeathEvent::ReportLost { .. } | DeathEvent::ReportDisputed { .. })
        | EventKind::Node(_)
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Seed(_)
        | EventKind::Fault(_) => None,
    }
}

fn answer(model: &Model, dead: Addr, utc_offset_s: i32) -> Explanation {
    let mut answer = why_dead(model, dead, utc_offset_s);
    answer.evidence.truncate(EVIDENCE_MAX + 1);
    answer
}

fn figures(model: &Model, case: &DeathCase) -> DeathFigures {
    let Detection { kind, after: detection, removed } = model.detection(case);
    let DiagramSpan { from, to } = DiagramSubject::Death { dead: case.dead, at: case.at }.span(model, None);
    let acted = removed.iter().map(|(_, at)| *at).fold(case.at, Time::max);
    DeathFigures {
        dead: case.dead,
        at: case.at,
        kind,
        detection,
        reporters: case.evidence.iter().map(|evidence| evidence.reporter).collect(),
        removed,
        back_at: case.back_at,
        span: DiagramSpan { from, to: to.min(acted + DRAWN_AFTER) },
        answer: None,
    }
}

/// The detection times of the deaths of this kind, in microseconds.
pub(super) fn detection_us(deaths: &[DeathFigures], kind: DeathKind) -> Histogram<u64> {
    let mut times = super::messages::figures();
    let of_kind = deaths.iter().filter(|death| death.kind == kind);
    let found = of_kind.filter_map(|death| death.detection);
    found.for_each(|time| super::messages::record(&mut times, micros(time).max(1), 1));
    times
}
