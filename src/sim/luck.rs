//! What is left to chance in a world, and what each draw is about.

use std::time::Duration;

use super::connection::Connection;
use super::ids::LinkSide;
use crate::engine::fault::key_of;
use crate::proto::chance::{Chance, Topic};
use crate::proto::message::Message;

/// The shortest and the longest latency, in microseconds.
const LATENCY_US: std::ops::Range<u64> = 200..2_000;

/// How long something takes to arrive.
pub(super) fn latency(chance: Chance) -> Duration {
    let width = usize::try_from(LATENCY_US.end - LATENCY_US.start).unwrap_or(0);
    Duration::from_micros(LATENCY_US.start + chance.below(width) as u64)
}

impl Connection {
    /// What is left to chance about the close of this end.
    pub(super) fn luck_of_close(&self, side: LinkSide) -> Chance {
        self.chance[side].about(Topic::Close).of(u64::from(self.dial))
    }

    /// What is left to chance about a message that this end sends.
    pub(super) fn luck_of_message(&mut self, side: LinkSide, message: &Message) -> Chance {
        let (luck, dial) = (self.chance[side], u64::from(self.dial));
        match (message, key_of(message)) {
            // A copy goes each way once, whichever connection that is.
            (Message::Gossip(_), Some(key)) => luck.about(Topic::Numbered).of(key),
            (_, Some(key)) => luck.about(Topic::Numbered).of(dial).of(key),
            (_, None) => {
                self.unnumbered[side] = self.unnumbered[side].wrapping_add(1);
                luck.about(Topic::Unnumbered).of(dial).of(u64::from(self.unnumbered[side]))
            }
        }
    }
}
