//! Connections that are not read for a while: the machine at one end has asked for that.
//!
//! What arrives meanwhile waits, in order, as it waits in the buffers of a socket.

use std::collections::{BTreeMap, VecDeque};

use super::inbox::{UNREAD_MAX, is_read};
use super::{EventSink, What, World, connection_of};
use crate::event::LinkId;
use crate::proto::machine::{Input, LinkChange, Machine};
use crate::proto::time::Time;

/// An end of a connection.
type End = (u64, usize);

/// The ends that are not read now.
pub(super) type Pauses = BTreeMap<End, Pause>;

/// What waits there, and until when.
#[derive(Debug)]
pub(super) struct Pause {
    until: Time,
    held: VecDeque<Input>,
}

impl<M: Machine, S: EventSink> World<M, S> {
    /// From now on this link is not read before that time.
    pub(super) fn rest(&mut self, link: LinkId, until: Time) {
        let (id, end) = connection_of(link);
        let Some(node) = self.connections.get(&id).filter(|c| !c.closed[end]).map(|c| c.ends[end]) else { return };
        let pause = self.pauses.entry((id, end)).or_insert_with(|| Pause { until, held: VecDeque::new() });
        pause.until = pause.until.max(until);
        let until = pause.until;
        self.plan(until, node, What::Resume(id, end));
    }

    /// What arrives on a link that is not read now waits; anything else is given back.
    pub(super) fn hold_back(&mut self, input: Input) -> Option<Input> {
        if self.pauses.is_empty() || !is_read(&input) {
            return Some(input);
        }
        let (Input::Message { link, .. } | Input::Link { link, change: LinkChange::Closed { .. } }) = &input else {
            return Some(input);
        };
        let Some(pause) = self.pauses.get_mut(&connection_of(*link)) else { return Some(input) };
        if pause.held.len() >= UNREAD_MAX && matches!(input, Input::Message { .. }) {
            self.give_up(&input);
        } else {
            pause.held.push_back(input);
        }
        None
    }

    /// The time may have come to read this end again.
    pub(super) fn read_on(&mut self, id: u64, end: usize) {
        while let Some(pause) = self.pauses.get_mut(&(id, end)).filter(|pause| pause.until <= self.now) {
            let node = self.connections.get(&id).map(|connection| connection.ends[end]);
            match (pause.held.pop_front(), node) {
                (Some(input), Some(node)) => self.take_in(node, input),
                (Some(_) | None, _) => {
                    self.pauses.remove(&(id, end));
                }
            }
        }
    }
}
