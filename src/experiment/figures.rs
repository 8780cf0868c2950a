//! A run in figures: what two runs are compared by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::coverage::RunCoverage;
use super::links::RunLinks;
use crate::event::{Event, NodeState};
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::proto::time::{Time, micros};
use crate::scenario::leaving::UntilLeaving;
use crate::scenario::record::Precision;

/// A run in figures. Times are microseconds since its first node started. The goodbyes at its end do
/// not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Figures {
    pub lasted_us: u64,
    /// Nodes of the session, whatever became of them.
    pub nodes: usize,
    /// Nodes that were found dead when they did not run, in the order of time.
    pub deaths: Vec<Death>,
    /// Nodes that were found or reported dead while they ran.
    pub false_deaths: Vec<Death>,
    /// Messages that began.
    pub messages: u64,
    /// Messages that a peer lacks which ran for the five seconds after they began. One that was a
    /// second old at the end of the run, or less, does not count.
    pub incomplete: u64,
    /// The peers that lack a message, by its name; the first 10,000 such messages.
    pub lacked: BTreeMap<String, Vec<String>>,
    /// From the beginning of a message to a first copy; absent if there was none.
    pub delay_us: Option<Delay>,
    /// Links between peers.
    pub links_made: u64,
    pub links_ended: u64,
    pub links_at_end: BTreeSet<String>,
    /// Warnings that the console would have shown, the latest 256.
    pub warnings: Vec<WarningTold>,
    /// Events that are missing, because a recording lacks them.
    pub skipped: u64,
}

/// A death that was found, rightly or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Death {
    pub node: String,
    /// When it was first declared or reported.
    pub at_us: u64,
    /// Neighbors that declared or reported it.
    pub by: usize,
    /// Seeds that took the node off their lists.
    pub removed_by: usize,
}

/// Delays in microseconds, to three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delay {
    pub median: u64,
    pub p95: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningTold {
    pub text: String,
    pub at_us: u64,
    /// When its cause was gone; absent if it never was.
    pub gone_us: Option<u64>,
}

/// A run that is folded into figures.
#[derive(Debug)]
pub struct FiguresFold {
    model: Model,
    coverage: Option<RunCoverage>,
    links: RunLinks,
    began: Option<Time>,
    newest: Time,
    until: UntilLeaving,
}

impl FiguresFold {
    /// Of a run whose times are as exact as this.
    pub fn new(precision: Precision) -> Self {
        Self {
            model: Model::new(),
            coverage: RunCoverage::new(),
            links: RunLinks::default(),
            began: None,
            newest: Time::from_micros(0),
            until: UntilLeaving::new(precision),
        }
    }

    /// Takes an event; they come in order of time.
    pub fn take(&mut self, event: &Event) {
        for event in self.until.take(event) {
            self.fold(&event);
        }
    }

    fn fold(&mut self, event: &Event) {
        self.began.get_or_insert(event.at);
        self.newest = self.newest.max(event.at);
        self.model.apply(event);
        self.links.take(event);
        if let Some(coverage) = &mut self.coverage {
            coverage.take(event, &self.model);
        }
    }

    /// This many events never came.
    pub fn note_skipped(&mut self, events: u64) {
        self.model.note_skipped(events);
    }

    /// The figures of a run that lasted so long.
    pub fn finish(mut self, lasted: Duration) -> Figures {
        for event in self.until.finish() {
            self.fold(&event);
        }
        let began = self.began.unwrap_or(self.newest);
        let end = self.newest.max(began + lasted);
        self.model.pass(end);
        let since = |at: Time| micros(at.since(began));
        let Self { model, coverage, links, .. } = self;
        let (false_deaths, deaths): (Vec<_>, Vec<_>) =
            model.deaths().cases().iter().map(|(_, case)| case).partition(|case| is_false(case, &model));
        let told = |cases: Vec<&DeathCase>| cases.into_iter().map(|case| death(case, &model, &since)).collect();
        let mut figures = Figures {
            lasted_us: micros(end.since(began)),
            nodes: model.nodes().iter().filter(|node| node.is_ours()).count(),
            deaths: told(deaths),
            false_deaths: told(false_deaths),
            links_made: links.made,
            links_ended: links.ended,
            links_at_end: links.at_end(&model),
            warnings: warnings(&model, &since),
            skipped: model.totals().skipped,
            ..Figures::default()
        };
        if let Some(judged) = coverage.map(|coverage| coverage.finish(end, &model)) {
            let delays = &judged.delays;
            let delay = Delay { median: delays.value_at_quantile(0.5), p95: delays.value_at_quantile(0.95) };
            figures.delay_us = (!delays.is_empty()).then_some(delay);
            (figures.messages, figures.incomplete) = (judged.messages, judged.incomplete);
            figures.lacked = judged.lacked;
        }
        figures
    }
}

/// The node ran when it was first taken for dead.
fn is_false(case: &DeathCase, model: &Model) -> bool {
    let state = model.nodes().get(case.dead).and_then(|node| node.lives.at(case.at)).map(|turn| turn.life);
    case.is_unfounded() || state == Some(NodeState::Runs)
}

fn death(case: &DeathCase, model: &Model, since: &dyn Fn(Time) -> u64) -> Death {
    use crate::model::death::ReportOutcome;
    let removed = |outcome| matches!(outcome, Some(ReportOutcome::Removed { .. } | ReportOutcome::AlreadyGone));
    let seeds = case.seeds();
    Death {
        node: model.name_of(case.dead).into_owned(),
        at_us: since(case.at),
        by: case.evidence.len(),
        removed_by: seeds.into_iter().filter(|seed| removed(case.outcome_at(*seed))).count(),
    }
}

fn warnings(model: &Model, since: &dyn Fn(Time) -> u64) -> Vec<WarningTold> {
    let told = model.warnings().list().iter().map(|(_, warning)| WarningTold {
        text: model.warning_text(&warning.finding),
        at_us: since(warning.at),
        gone_us: warning.gone_at.map(since),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DeathEvent, EventKind, Methods, NodeEvent, Pace, Stop};
    use crate::proto::addr::Addr;
    use crate::proto::message::{DeathCause, Dialect, Role};

    const P1: Addr = Addr::loopback(3000);
    const P2: Addr = Addr::loopback(3001);

    fn event(ms: u64, node: Addr, kind: impl Into<EventKind>) -> Event {
        Event { at: Time::from_micros(ms * 1_000), node, kind: kind.into() }
    }

    fn started(node: Addr, name: &str) -> Event {
        let pace = Pace { gossip_interval_us: 1_000_000, liveness_interval_us: 500_000, liveness_misses: 3 };
        let (dialect, methods) = (Dialect::Framed, Methods::default());
        event(0, node, NodeEvent::Started { name: name.to_owned(), role: Role::Peer, dialect, pace, methods })
    }

    /// Nodes that were found dead, of which one hung from 1 s on and was killed then.
    fn deaths(killed_ms: u64, then: Event) -> Vec<String> {
        let (cause, last_heard) = (DeathCause::Closed, Time::from_micros(900_000));
        let found = DeathEvent::NeighborDied { peer: P2, cause, last_heard, missed: None };
        let mut fold = FiguresFold::new(Precision::Milliseconds);
        for told in [
            started(P1, "p1"),
            started(P2, "p2"),
            event(1_000, P2, NodeEvent::Hung),
            event(killed_ms, P2, NodeEvent::Stopped { how: Stop::Killed }),
            event(killed_ms + 1, P1, found),
            then,
        ] {
            fold.take(&told);
        }
        fold.finish(Duration::from_secs(10)).deaths.into_iter().map(|death| death.node).collect()
    }

    #[test]
    fn a_node_that_hangs_at_the_end_was_not_killed() {
        let left = event(10_000, P1, NodeEvent::Stopped { how: Stop::Left });
        assert_eq!(deaths(9_990, left.clone()), Vec::<String>::new(), "it ended with the session");
        assert_eq!(deaths(5_000, left), ["p2"]);
        assert_eq!(deaths(9_990, event(9_992, P1, NodeEvent::Hung)), ["p2"], "the session was cut off");
    }
}
