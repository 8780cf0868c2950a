//! What happened when, over a whole session: marks, and how many events there were.
//!
//! A fold beside the model: [`Timeline::follow`] is called after each event that the model has taken.
//! It takes bounded memory however long the session is: when there are too many marks, those of
//! one kind that are close to each other become one, and buckets of events double in width.
//!
//! A mark has its text from when it was made: the model of another moment may not know the nodes.

mod density;

use std::time::Duration;

use self::density::Density;
use super::Model;
use crate::event::{DeathEvent, DelistReason, Event, EventKind, FaultEvent, NodeEvent, NodeState, SeedEvent, Stop};
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::{Time, micros};

pub use self::density::BUCKETS_MAX;

/// Marks that are kept: some 600 kB with their texts.
pub const MARKS_MAX: usize = 4_096;
/// Messages that did not reach everybody within this time are one mark: a partition makes dozens.
const INCOMPLETE_WITHIN: Duration = Duration::from_secs(5);
/// The least width within which marks of a kind become one when there are too many.
const MERGE_WIDTH_MIN: Duration = Duration::from_secs(1);

/// What kind of thing a mark stands for, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// A node crashed, or was found dead.
    Death,
    Warning,
    /// A message did not reach everybody.
    Incomplete,
    /// A fault was set, or a node was made to hang.
    FaultSet,
    FaultCleared,
    /// A node was started again.
    Restart,
    /// Events are missing.
    Gap,
}

/// Something that a person may want to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineMark {
    pub at: Time,
    pub kind: MarkKind,
    /// The node that it is about, if it is about one.
    pub node: Option<Addr>,
    /// The message that it is about, if it is about one.
    pub message: Option<MessageId>,
    /// A sentence without its period: `p3 crashed`.
    pub text: Box<str>,
    /// Further ones of its kind soon after it, which have no mark of their own.
    pub more: u64,
}

impl TimelineMark {
    /// The text, and how many more it stands for.
    pub fn summary(&self) -> String {
        if self.more == 0 { self.text.to_string() } else { format!("{}, and {} more", self.text, self.more) }
    }
}

/// The marks of a session, and its events by time.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// In order of time.
    marks: Vec<TimelineMark>,
    density: Density,
    last: Option<Time>,
    /// Warnings and messages of the model before these numbers have a mark.
    warned: u64,
    incomplete: u64,
    /// Within which marks of a kind are one.
    merge_width: Duration,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            density: Density::default(),
            last: None,
            warned: 0,
            incomplete: 0,
            merge_width: MERGE_WIDTH_MIN,
        }
    }
}

impl Timeline {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event that this model has just taken.
    pub fn follow(&mut self, model: &Model, event: &Event) {
        self.density.count(event.at, 1);
        self.last = self.last.max(Some(event.at));
        self.follow_looks(model);
        if let Some((kind, node, text)) = said(model, event) {
            self.push(TimelineMark { at: event.at, kind, node, message: None, text: text.into(), more: 0 });
        }
    }

    /// Takes what looks at this model have found, for a caller that has let time pass in it.
    pub fn follow_looks(&mut self, model: &Model) {
        let warnings = model.warnings().list();
        if self.warned < warnings.end() {
            for (_, warning) in warnings.from(self.warned) {
                let (node, message) = (warning.finding.node(), warning.finding.message());
                let text = model.warning_text(&warning.finding).into();
                self.push(TimelineMark { at: warning.at, kind: MarkKind::Warning, node, message, text, more: 0 });
            }
            self.warned = warnings.end();
        }
        let incomplete = model.warnings().incomplete();
        if self.incomplete < incomplete.end() {
            for (_, (id, at)) in incomplete.from(self.incomplete) {
                self.push_incomplete(model, *id, *at);
            }
            self.incomplete = incomplete.end();
        }
    }

    /// This many plentiful events were left out here.
    pub fn thinned(&mut self, at: Time, events: u64) {
        self.density.count(at, events);
    }

    /// This many events are missing here.
    pub fn missing(&mut self, at: Time, events: u64) {
        if events > 0 {
            let were = if events == 1 { "is" } else { "are" };
            self.gap(at, format!("{} {were} missing here", count_text(events, "event")));
        }
    }

    /// Something is missing here, as this text says.
    pub fn gap(&mut self, at: Time, text: String) {
        self.push(TimelineMark { at, kind: MarkKind::Gap, node: None, message: None, text: text.into(), more: 0 });
    }

    /// The time of the latest event that was taken.
    pub fn last(&self) -> Option<Time> {
        self.last
    }

    /// All marks, in order of time.
    pub fn marks(&self) -> &[TimelineMark] {
        &self.marks
    }

    /// The marks between these times, both included.
    pub fn marks_between(&self, from: Time, to: Time) -> &[TimelineMark] {
        let start = self.marks.partition_point(|mark| mark.at < from);
        let end = self.marks.partition_point(|mark| mark.at <= to);
        self.marks.get(start..end).unwrap_or_default()
    }

    /// The last mark before this time.
    pub fn mark_before(&self, at: Time) -> Option<&TimelineMark> {
        self.marks[..self.marks.partition_point(|mark| mark.at < at)].last()
    }

    /// The first mark after this time.
    pub fn mark_after(&self, at: Time) -> Option<&TimelineMark> {
        self.marks.get(self.marks.partition_point(|mark| mark.at <= at))
    }

    /// How many events there were in each of this many equal parts of a span, about.
    pub fn density(&self, from: Time, to: Time, parts: usize) -> Vec<u64> {
        self.density.between(from, to, parts)
    }

    fn push_incomplete(&mut self, model: &Model, id: MessageId, at: Time) {
        let last = self.marks.iter_mut().rev().find(|mark| mark.kind == MarkKind::Incomplete);
        if let Some(last) = last.filter(|last| at.since(last.at) <= INCOMPLETE_WITHIN) {
            last.more += 1;
            return;
        }
        let (kind, node, text) = (MarkKind::Incomplete, Some(id.origin), model.incomplete_text(id).into());
        self.push(TimelineMark { at, kind, node, message: Some(id), text, more: 0 });
    }

    fn push(&mut self, mark: TimelineMark) {
        if self.marks.len() == MARKS_MAX {
            self.merge();
        }
        let place = self.marks.partition_point(|other| other.at <= mark.at);
        self.marks.insert(place, mark);
    }

    /// Makes room for as many marks again.
    fn merge(&mut self) {
        while self.marks.len() > MARKS_MAX / 2 {
            let width = micros(self.merge_width).max(1);
            let mut kept: Vec<TimelineMark> = Vec::with_capacity(self.marks.len());
            for mark in self.marks.drain(..) {
                let part = mark.at.as_micros() / width;
                let near = kept.iter_mut().rev().take_while(|other| other.at.as_micros() / width == part);
                match near.into_iter().find(|other| other.kind == mark.kind) {
                    Some(other) => other.more = other.more.saturating_add(mark.more).saturating_add(1),
                    None => kept.push(mark),
                }
            }
            self.marks = kept;
            self.merge_width = self.merge_width.saturating_mul(2);
        }
    }
}

/// What an event is marked as.
fn said(model: &Model, event: &Event) -> Option<(MarkKind, Option<Addr>, String)> {
    let name = |node| model.name_of(node).into_owned();
    let here = || name(event.node);
    match &event.kind {
        EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }) => {
            Some((MarkKind::Death, Some(event.node), format!("{} crashed", here())))
        }
        EventKind::Node(NodeEvent::Hung) => Some((MarkKind::FaultSet, Some(event.node), format!("{} hangs", here()))),
        EventKind::Node(NodeEvent::Started { .. }) => {
            let lives = model.nodes().get(event.node).map_or(0, |node| node.lives.turns().len());
            (lives > 1).then(|| (MarkKind::Restart, Some(event.node), format!("{} was started again", here())))
        }
        EventKind::Fault(FaultEvent::Set { fault, .. }) => {
            Some((MarkKind::FaultSet, None, format!("set: {}", fault.text(&name))))
        }
        EventKind::Fault(FaultEvent::Cleared { fault, .. }) => {
            Some((MarkKind::FaultCleared, None, format!("ended: {}", fault.text(&name))))
        }
        EventKind::Fault(FaultEvent::Lied { about }) => {
            let text = format!("{} lies to its seeds that {} is dead", here(), name(*about));
            Some((MarkKind::FaultSet, Some(event.node), text))
        }
        EventKind::Death(DeathEvent::NeighborDied { peer, cause, .. }) => is_news(model, *peer, event).then(|| {
            let text = format!("{} is dead to {}: {cause}", name(*peer), here());
            (MarkKind::Death, Some(*peer), text)
        }),
        EventKind::Seed(SeedEvent::PeerDelisted { peer, reason: DelistReason::Silent, .. }) => {
            is_news(model, *peer, event)
                .then(|| (MarkKind::Death, Some(*peer), format!("{} is silent: {} delists it", name(*peer), here())))
        }
        EventKind::Node(
            NodeEvent::Stopped { how: Stop::Left }
            | NodeEvent::Exposed { .. }
            | NodeEvent::WasAway { .. }
            | NodeEvent::Failed { .. },
        )
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_) => None,
    }
}

/// The event opened the case of this node, of which it is not known anyway that it crashed.
fn is_news(model: &Model, dead: Addr, event: &Event) -> bool {
    let is_first = model.deaths().latest_of(dead).is_some_and(|case| case.at == event.at);
    let is_known = model.nodes().get(dead).is_some_and(|node| match node.life() {
        Some(NodeState::Killed | NodeState::Left) => true,
        Some(NodeState::Runs | NodeState::Hangs) | None => false,
    });
    is_first && !is_known
}

#[cfg(test)]
mod tests;
