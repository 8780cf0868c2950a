//! When the nodes of a session began to leave at its end.

use std::time::Duration;

use crate::event::{Event, EventKind, NodeEvent, Stop};
use crate::model::Set;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Whatever happens later than this after the first node left belongs to nodes that did not leave with
/// it: those of another terminal.
const LEAVING_MAX: Duration = Duration::from_secs(5);
/// Hung nodes cannot leave and are ended this long before the others leave, at most.
const ENDED_BEFORE: Duration = Duration::from_secs(1);

/// Reads the events of a session in order of time.
#[derive(Debug, Default)]
pub(super) struct LeavingWatch {
    hung: Set<Addr>,
    /// When hung nodes were last ended: the first of those that were ended together.
    ended: Option<Time>,
    began: Option<Time>,
}

impl LeavingWatch {
    pub(super) fn take(&mut self, event: &Event) {
        let ends_hung = matches!(event.kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }))
            && self.hung.swap_remove(&event.node);
        match event.kind {
            EventKind::Node(NodeEvent::Hung) => drop(self.hung.insert(event.node)),
            EventKind::Node(NodeEvent::Started { .. }) => drop(self.hung.swap_remove(&event.node)),
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => {}
        }
        let is_late = |since: Option<Time>, within| since.is_some_and(|since: Time| event.at.since(since) > within);
        if event.kind.is_leaving() {
            let ended = self.ended.filter(|ended| event.at.since(*ended) <= ENDED_BEFORE);
            self.began.get_or_insert(ended.unwrap_or(event.at));
        } else if is_late(self.began, LEAVING_MAX) {
            (self.began, self.ended) = (None, None);
        }
        if ends_hung && (self.ended.is_none() || is_late(self.ended, ENDED_BEFORE)) {
            self.ended = Some(event.at);
        }
    }

    /// When the first of those left that were there to the end; `None` if the session ended otherwise.
    pub(super) const fn began(&self) -> Option<Time> {
        self.began
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, node: u16, event: NodeEvent) -> Event {
        Event { at: Time::from_micros(ms * 1_000), node: Addr::loopback(node), kind: event.into() }
    }

    fn began(events: &[Event]) -> Option<u64> {
        let mut watch = LeavingWatch::default();
        for event in events {
            watch.take(event);
        }
        watch.began().map(|at| at.as_micros() / 1_000)
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
        assert_eq!(began(&[hung.clone(), at(9_000, 1, KILLED), at(9_002, 2, LEFT)]), Some(9_000));
        assert_eq!(began(&[hung, at(5_000, 1, KILLED), at(9_000, 2, LEFT)]), Some(9_000), "killed by hand");
    }
}
