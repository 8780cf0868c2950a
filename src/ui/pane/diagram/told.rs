//! The events of a diagram: what the host has told of them, and what it is asked next.
//!
//! The model holds no events. What was told stays, and the host is asked for the rest alone: at most once
//! in [`ASK_EVERY`], and only if something has happened since.

use std::time::Duration;

use crate::event::Event;
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject};
use crate::proto::time::Time;
use crate::ui::host::{EventsQuestion, EventsTold};

/// Time between two questions while the network goes on.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(1);
/// After this time without an answer the question is asked once more: a busy host may have dropped it.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// So much before the end of what was told is asked for again. Nodes run side by side, so the recording may
/// get an event a little after a later one.
const OVERLAP: Duration = Duration::from_secs(1);

/// What is known of the events of one subject.
#[derive(Default)]
pub(super) struct ToldEvents {
    /// In order.
    events: Vec<Event>,
    /// The time of which they are all events; `None`: nothing was told yet.
    span: Option<DiagramSpan>,
    /// How many more there are, over the host's limit.
    left_out: u64,
    /// Why the host has none.
    failed: Option<String>,
    /// Answers that came.
    answers: u64,
    /// Nothing before this is needed any more.
    begin: Option<Time>,
    /// What is to be asked, and how many events the network has had by then.
    wanted: Option<(EventsQuestion, u64)>,
    /// How many it had had when the host was last asked.
    happened: Option<u64>,
    /// When the host was last asked, by the clock on the wall.
    asked_at: Option<Time>,
    /// Since when it owes an answer.
    waits_since: Option<Time>,
}

impl ToldEvents {
    /// Wants all events of this span. `happened` is how many events the network has had in all: as long as
    /// that stays the same, none is missing. Returns whether something is to be asked.
    pub(super) fn want(&mut self, subject: &DiagramSubject, span: DiagramSpan, happened: u64) -> Wanting {
        self.begin = Some(span.from);
        let told = self.span.filter(|told| (told.from..=told.to).contains(&span.from));
        let is_all = |told: DiagramSpan| told.to >= span.to || self.happened == Some(happened);
        if told.is_some_and(is_all) {
            self.wanted = None;
            return Wanting::Nothing;
        }
        let from = told.map_or(span.from, |told| span.from.max(told.to - OVERLAP));
        self.wanted = Some((EventsQuestion { subject: subject.clone(), from, to: span.to }, happened));
        Wanting::Events
    }

    /// The question to be asked now, if it is time for one.
    pub(super) fn question(&mut self, now: Time) -> Option<EventsQuestion> {
        let (question, happened) = self.wanted.take()?;
        let is_within = |since: Option<Time>, span: Duration| since.is_some_and(|since| now.since(since) < span);
        if is_within(self.waits_since, ANSWER_TIME) || is_within(self.asked_at, ASK_EVERY) {
            return None;
        }
        (self.asked_at, self.waits_since, self.happened) = (Some(now), Some(now), Some(happened));
        Some(question)
    }

    pub(super) fn hear(&mut self, question: &EventsQuestion, answer: Result<EventsTold, String>) {
        self.waits_since = None;
        self.answers += 1;
        match answer {
            Ok(told) => {
                self.failed = None;
                self.extend(question, &told);
            }
            Err(why) => (self.failed, self.happened) = (Some(why), None),
        }
    }

    /// The answer goes on where an earlier one ends, or replaces it.
    fn extend(&mut self, question: &EventsQuestion, told: &EventsTold) {
        let goes_on =
            |before: &DiagramSpan| (before.from..=before.to).contains(&question.from) && before.to <= question.to;
        let before = self.span.filter(goes_on);
        let begin = self.begin.unwrap_or(question.from).min(question.to);
        match before {
            Some(_) => self.events.retain(|event| (begin..question.from).contains(&event.at)),
            None => self.events.clear(),
        }
        self.events.extend(told.events.iter().cloned());
        self.left_out = told.left_out;
        let from = before.map_or(question.from, |before| before.from.max(begin));
        self.span = Some(DiagramSpan { from, to: question.to });
    }

    /// Another moment is shown: what is missing there is asked for at once.
    pub(super) fn jump(&mut self) {
        (self.happened, self.asked_at) = (None, None);
    }

    /// The time that was told.
    pub(super) const fn span(&self) -> Option<DiagramSpan> {
        self.span
    }

    /// The events up to a moment.
    pub(super) fn up_to(&self, at: Time) -> &[Event] {
        let count = self.events.partition_point(|event| event.at <= at);
        self.events.get(..count).unwrap_or_default()
    }

    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Answers that came so far: another number means other events.
    pub(super) const fn answers(&self) -> u64 {
        self.answers
    }
}

/// Whether events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanting {
    Nothing,
    Events,
}
