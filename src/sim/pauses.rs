//! Connections that are not read for a while, because the machine at one end has asked for that.
//!
//! What arrives meanwhile waits, in order, as in the buffers of a socket.

use std::collections::VecDeque;

use super::due::Due;
use super::ids::End;
use super::inbox::is_read;
use super::pause::Pause;
use super::sink::EventSink;
use super::world::{UNREAD_MAX, World};
use crate::proto::machine::{Input, LinkChange, Machine};
use crate::proto::time::Time;

impl<M: Machine, S: EventSink> World<M, S> {
    /// This link is not read before that time.
    pub(super) fn rest(&mut self, end: End, until: Time) {
        if self.connections.open(end).is_none() {
            return;
        }
        let pause = self.pauses.entry(end).or_insert_with(|| Pause { until, held: VecDeque::new() });
        pause.until = pause.until.max(until);
        let until = pause.until;
        self.plan(until, Due::Resume(end));
    }

    /// What arrives on a link that is not read now waits; anything else is given back.
    pub(super) fn hold_back(&mut self, input: Input) -> Option<Input> {
        if self.pauses.is_empty() || !is_read(&input) {
            return Some(input);
        }
        let (Input::Message { link, .. } | Input::Link { link, change: LinkChange::Closed { .. } }) = &input else {
            return Some(input);
        };
        let Some(pause) = self.pauses.get_mut(&End::of(*link)) else { return Some(input) };
        if pause.held.len() >= UNREAD_MAX && matches!(input, Input::Message { .. }) {
            self.give_up(&input);
        } else {
            pause.held.push_back(input);
        }
        None
    }

    /// The time may have come to read this end again.
    pub(super) fn read_on(&mut self, end: End) {
        while let Some(pause) = self.pauses.get_mut(&end).filter(|pause| pause.until <= self.now) {
            match (pause.held.pop_front(), self.connections.node(end)) {
                (Some(input), Some(node)) => self.take_in(node, input),
                (Some(_) | None, _) => {
                    self.pauses.remove(&end);
                }
            }
        }
    }
}
