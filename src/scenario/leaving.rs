//! When the nodes of a session began to leave at its end, and the events up to then.

use std::borrow::Cow;
use std::mem::take;
use std::time::Duration;

use super::record::Precision;
use crate::event::{Event, EventKind, NodeEvent, Stop};
use crate::model::Set;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Whatever happens later than this after the first node left belongs to nodes that did not leave with
/// it: those of another terminal.
const LEAVING_MAX: Duration = Duration::from_secs(5);
/// On sockets, hung nodes are ended this long before the others leave, at most.
const ENDED_BEFORE: Duration = Duration::from_secs(1);
/// Events that are held at most: nodes of one terminal leave with fewer.
const HELD_MAX: usize = 1 << 18;

/// Reads the events of a session in order of time. Hung nodes cannot leave: at the end they are killed
/// just before the others leave.
#[derive(Debug, Default)]
pub struct LeavingWatch {
    precision: Precision,
    hung: Set<Addr>,
    /// When hung nodes were last killed: the first of those that were killed together.
    ended: Option<Time>,
    began: Option<Time>,
}

impl LeavingWatch {
    /// The longest that the end of a session takes.
    pub const SPAN: Duration = LEAVING_MAX.saturating_add(ENDED_BEFORE);

    /// Of a session whose times are as exact as this.
    pub fn new(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }

    pub fn take(&mut self, event: &Event) {
        let is_late = |since: &Time, within| event.at.since(*since) > within;
        self.ended.take_if(|ended| is_late(ended, self.precision.ended_before()));
        if event.kind.is_leaving() {
            self.began.get_or_insert(self.ended.unwrap_or(event.at));
        } else {
            self.began.take_if(|began| is_late(began, LEAVING_MAX));
        }
        if self.note_state(event) {
            self.ended.get_or_insert(event.at);
        }
    }

    /// Whether a hung node is killed.
    fn note_state(&mut self, event: &Event) -> bool {
        let EventKind::Node(told) = &event.kind else { return false };
        match told {
            NodeEvent::Hung => {
                self.hung.insert(event.node);
                false
            }
            NodeEvent::Stopped { how } => self.hung.swap_remove(&event.node) && *how == Stop::Killed,
            NodeEvent::Started { .. } => {
                self.hung.swap_remove(&event.node);
                false
            }
            NodeEvent::Exposed { .. } | NodeEvent::WasAway { .. } | NodeEvent::Failed { .. } => false,
        }
    }

    /// When the first of those left that were there to the end; `None` if the session ended otherwise,
    /// or goes on.
    pub const fn began(&self) -> Option<Time> {
        self.began
    }
}

impl Precision {
    /// In virtual time, hung nodes are killed at the moment when the others leave.
    const fn ended_before(self) -> Duration {
        match self {
            Self::Milliseconds => ENDED_BEFORE,
            Self::Microseconds => Duration::ZERO,
        }
    }
}

/// Passes the events of a session on up to the moment when its nodes leave at its end. It holds those that may
/// come after it until that is known.
#[derive(Debug, Default)]
pub struct UntilLeaving {
    watch: LeavingWatch,
    held: Vec<Event>,
    /// More came than could be held: whatever else comes is no longer looked at.
    is_over: bool,
}

impl UntilLeaving {
    /// Of a session whose times are as exact as this.
    pub fn new(precision: Precision) -> Self {
        Self { watch: LeavingWatch::new(precision), ..Self::default() }
    }

    /// Takes an event, and gives those that came before the end. They come in order of time.
    pub fn take<'a>(&mut self, event: &'a Event) -> impl Iterator<Item = Cow<'a, Event>> + use<'a> {
        let (mut known, mut now) = (Vec::new(), None);
        if !self.is_over {
            self.watch.take(event);
            if let Some(since) = self.watch.began.or(self.watch.ended) {
                known.extend(self.held.drain(..self.held.partition_point(|held| held.at < since)));
                self.hold(event, &mut known);
            } else {
                (known, now) = (take(&mut self.held), Some(Cow::Borrowed(event)));
            }
        }
        known.into_iter().map(Cow::Owned).chain(now)
    }

    fn hold(&mut self, event: &Event, known: &mut Vec<Event>) {
        if self.held.len() == HELD_MAX {
            self.is_over = self.watch.began.is_some();
            known.extend(take(&mut self.held).into_iter().filter(|_| !self.is_over));
        }
        if !self.is_over {
            self.held.push(event.clone());
        }
    }

    /// The last events, after which no more come, if the nodes did not leave.
    pub fn finish(&mut self) -> Vec<Event> {
        let held = take(&mut self.held);
        if self.watch.began.is_some() { Vec::new() } else { held }
    }

    /// See [`LeavingWatch::began`].
    pub const fn began(&self) -> Option<Time> {
        self.watch.began()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, node: u16, event: NodeEvent) -> Event {
        Event { at: Time::from_micros(ms * 1_000), node: Addr::loopback(node), kind: event.into() }
    }

    fn began(events: &[Event]) -> Option<u64> {
        began_within(Precision::Milliseconds, events)
    }

    fn began_within(precision: Precision, events: &[Event]) -> Option<u64> {
        let mut watch = LeavingWatch::new(precision);
        for event in events {
            watch.take(event);
        }
        watch.began().map(|at| at.as_micros() / 1_000)
    }

    /// The times of the events that came before the end.
    fn before(events: &[Event]) -> Vec<u64> {
        let mut until = UntilLeaving::default();
        let mut passed: Vec<u64> = Vec::new();
        for event in events {
            passed.extend(until.take(event).map(|event| event.at.as_micros() / 1_000));
        }
        passed.extend(until.finish().iter().map(|event| event.at.as_micros() / 1_000));
        passed
    }

    const LEFT: NodeEvent = NodeEvent::Stopped { how: Stop::Left };
    const KILLED: NodeEvent = NodeEvent::Stopped { how: Stop::Killed };

    #[test]
    fn the_end_begins_when_the_first_of_the_last_nodes_leaves() {
        assert_eq!(began(&[at(1_000, 1, NodeEvent::Hung), at(2_000, 2, KILLED)]), None);
        assert_eq!(began(&[at(9_000, 1, LEFT), at(9_100, 2, LEFT)]), Some(9_000));
        let other_terminal = [at(1_000, 1, LEFT), at(8_000, 2, NodeEvent::Hung), at(9_000, 3, LEFT)];
        assert_eq!(began(&other_terminal), Some(9_000));
    }

    #[test]
    fn a_hung_node_that_is_ended_with_the_session_was_not_killed() {
        let hung = at(1_000, 1, NodeEvent::Hung);
        let close = [hung.clone(), at(9_000, 1, KILLED), at(9_002, 2, LEFT)];
        assert_eq!(began(&close), Some(9_000));
        assert_eq!(began_within(Precision::Microseconds, &close), Some(9_002), "in virtual time it is at once");
        assert_eq!(began(&[hung, at(5_000, 1, KILLED), at(9_000, 2, LEFT)]), Some(9_000), "killed by hand");
    }

    #[test]
    fn what_comes_before_the_end_is_passed_on_in_order() {
        let hung = [at(1_000, 1, NodeEvent::Hung), at(1_001, 2, NodeEvent::Hung)];
        let killed = |ms| [&hung[..], &[at(ms, 1, KILLED)]].concat();
        let then = |before: Vec<Event>, after: &[Event]| [before, after.to_vec()].concat();
        assert_eq!(before(&killed(9_000)), [1_000, 1_001, 9_000], "it was cut off");
        assert_eq!(before(&then(killed(9_000), &[at(9_002, 3, LEFT)])), [1_000, 1_001]);
        let by_hand = [at(7_500, 3, NodeEvent::Hung), at(8_500, 2, KILLED), at(8_600, 4, LEFT)];
        assert_eq!(before(&then(killed(7_000), &by_hand)), [1_000, 1_001, 7_000, 7_500]);
        let other_terminal = [at(2_000, 3, LEFT), at(2_100, 4, NodeEvent::Hung), at(8_000, 5, KILLED)];
        assert_eq!(before(&other_terminal), [2_000, 2_100, 8_000], "the others went on");
    }

    #[test]
    fn no_more_events_are_held_than_there_is_room_for() {
        let mut until = UntilLeaving::default();
        let left = at(1_000, 1, LEFT);
        for _ in 0..=HELD_MAX {
            assert_eq!(until.take(&left).count(), 0);
        }
        assert_eq!(until.held.len(), 0);
        assert_eq!(until.take(&at(9_000, 2, NodeEvent::Hung)).count() + until.finish().len(), 0, "it is over");
    }
}
