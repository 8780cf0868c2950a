//! Back-pressure: a link whose traffic fills the queues of others is read slowly, so TCP slows a
//! sender that is too fast, and nobody else is dropped for it.
//!
//! While a queue is crowded, each link is still read, but what it brings for that queue is limited
//! to [`FILLED_A_SECOND`]: messages that were seen already, probes and answers cost nothing. So
//! peers in a circle that all wait for each other go on: less comes into the circle, and their
//! probes get through. A queue that the system takes nothing of for [`STUCK_AFTER`] belongs to a
//! remote that does not read: it is the one at fault, and its link is dropped as too slow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

use super::outbox::Outbox;
use crate::platform::limit_unsent;
use crate::proto::event::LinkId;
use crate::proto::time::Time;

/// Bytes that one link may add to crowded queues: with the bytes that the system holds of a link in
/// front of it, a probe gets through in about a second, and a remote that reads this much keeps its
/// link whatever one other sends.
const FILLED_A_SECOND: u64 = 512 * 1024;
/// What a link may add in one turn: as much as one turn reads of it.
const FILLED_A_TURN: usize = 64 * 1024;
/// What a message costs beside its text.
const MESSAGE_LEN: usize = 64;
/// A crowded queue that does not move for this long belongs to a remote that does not read: a
/// program that was stopped for a moment has time to go on, and nobody waits for longer than a
/// probe's timeout.
pub(super) const STUCK_AFTER: Duration = Duration::from_secs(2);

/// Bytes that the system holds of a link that is not read: they are in front of every probe. Half
/// of this costs a tenth more CPU with large messages.
const RECEIVED_LEN_MAX: usize = 512 * 1024;
/// Bytes that the system takes before it can send them: a probe can overtake only what waits in our
/// own queue.
const UNSENT_LEN_MAX: u32 = 128 * 1024;

/// Bounds what the system holds of a link, so that back-pressure reaches the sender. If the system
/// does not allow that, it only takes longer.
pub(super) fn bound_buffers(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_recv_buffer_size(RECEIVED_LEN_MAX);
    let _ = limit_unsent(stream, UNSENT_LEN_MAX);
}

/// What a link has brought for crowded queues in one turn.
#[derive(Debug, Default)]
pub(super) struct Filling {
    bytes: usize,
    /// This message is counted already: it may be for several queues.
    is_counted: bool,
}

impl Filling {
    /// What follows is another message.
    pub(super) fn next_message(&mut self) {
        self.is_counted = false;
    }

    /// A text of this length goes to a crowded queue.
    pub(super) fn add(&mut self, len: usize) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.bytes += MESSAGE_LEN + len;
        }
    }

    /// The link has had its share of the turn.
    pub(super) fn is_enough(&self) -> bool {
        self.bytes >= FILLED_A_TURN
    }

    /// How long the link is not read for that.
    pub(super) fn rest(&self) -> Duration {
        Duration::from_micros(self.bytes as u64 * 1_000_000 / FILLED_A_SECOND)
    }
}

/// A crowded queue.
#[derive(Debug)]
struct Queue {
    /// What the system had taken of it when it last moved.
    taken: u64,
    moved_at: Time,
}

/// Which queues are crowded, and which links are held for that.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    queues: BTreeMap<LinkId, Queue>,
    held: BTreeSet<LinkId>,
}

impl Pressure {
    /// Some queue is crowded.
    pub(super) fn is_on(&self) -> bool {
        !self.queues.is_empty()
    }

    /// Checks a queue that was just written. True when it was crowded and is no longer.
    pub(super) fn weigh(&mut self, now: Time, link: LinkId, outbox: &Outbox) -> bool {
        let taken = outbox.taken();
        match self.queues.get(&link) {
            Some(_) if outbox.has_room() => return self.forget(link),
            Some(queue) if queue.taken == taken => return false,
            None if !outbox.is_crowded() => return false,
            Some(_) | None => {}
        }
        self.queues.insert(link, Queue { taken, moved_at: now });
        false
    }

    /// This link is gone, or its queue has room. True if it was crowded.
    pub(super) fn forget(&mut self, link: LinkId) -> bool {
        self.held.remove(&link);
        self.queues.remove(&link).is_some()
    }

    /// This link has brought something for a crowded queue.
    pub(super) fn hold(&mut self, link: LinkId) {
        self.held.insert(link);
    }

    /// A queue has room again: returns the links that were held, which may be read now.
    pub(super) fn release(&mut self) -> BTreeSet<LinkId> {
        std::mem::take(&mut self.held)
    }

    /// When a queue will have stood still for too long.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.queues.values().map(|queue| queue.moved_at + STUCK_AFTER).min()
    }

    /// Links whose queues have stood still for too long.
    pub(super) fn stuck(&self, now: Time) -> Vec<LinkId> {
        let stuck = self.queues.iter().filter(|(_, queue)| queue.moved_at + STUCK_AFTER <= now);
        stuck.map(|(link, _)| *link).collect()
    }
}
