//! How events get from their makers to their listeners.
//!
//! A feed is a queue of batches, bounded in batches, events and bytes. When a listener is too slow
//! its queue is full and batches are skipped, so no listener slows the network and no remote can
//! fill the memory. The listener is told how many events it missed, at the place where they are
//! missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::event::{Batch, Event};

/// The most events that wait for one listener: five seconds of a lab that delivers 25,000 messages
/// a second, so at most that much of a flood to work off before it is up to date again.
pub const EVENTS_MAX: usize = 131_072;
/// The most bytes that those events take. Listeners share the events, so this is about what a flood
/// adds to the memory of the process, however many listen: a fifth of what one flooding link may
/// cost in all.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a caller that can wait sleeps before it checks for room again.
const ROOM_PAUSE: Duration = Duration::from_millis(1);

/// What a listener gets.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Events that were skipped just before this batch because the queue was full.
    pub skipped: u64,
    /// In order.
    pub batch: Batch,
}

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub batches: usize,
    pub events: usize,
    pub bytes: usize,
}

impl Bounds {
    /// The usual bounds of a session: this many batches, [`EVENTS_MAX`] events and [`BYTES_MAX`]
    /// bytes.
    pub const fn of_session(batches: usize) -> Self {
        Self { batches, events: EVENTS_MAX, bytes: BYTES_MAX }
    }
}

/// How much waits, and how much did not fit.
#[derive(Debug)]
struct FeedLoad {
    bounds: Bounds,
    events: AtomicUsize,
    bytes: AtomicUsize,
    skipped: AtomicU64,
}

impl FeedLoad {
    /// Admits a batch if there is room for it. An empty queue admits a batch of any size.
    fn admit(&self, batch: &Batch) -> bool {
        let (events, bytes) = (batch.len(), memory_len(batch));
        let waiting = self.events.load(Ordering::Relaxed);
        let is_over =
            waiting + events > self.bounds.events || self.bytes.load(Ordering::Relaxed) + bytes > self.bounds.bytes;
        if is_over && waiting > 0 {
            return false;
        }
        self.events.fetch_add(events, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }

    /// An admitted batch no longer waits.
    fn release(&self, batch: &Batch) {
        self.events.fetch_sub(batch.len(), Ordering::Relaxed);
        self.bytes.fetch_sub(memory_len(batch), Ordering::Relaxed);
    }
}

fn memory_len(batch: &Batch) -> usize {
    batch.iter().map(Event::memory_len).sum()
}

/// The listener's end.
#[derive(Debug)]
pub struct Feed {
    receiver: mpsc::Receiver<Delivery>,
    load: Arc<FeedLoad>,
}

/// The event maker's end; clones share the queue.
#[derive(Debug, Clone)]
pub struct Tap {
    sender: mpsc::Sender<Delivery>,
    load: Arc<FeedLoad>,
}

/// A feed that holds at most `batches_max` batches, [`EVENTS_MAX`] events and [`BYTES_MAX`] bytes.
pub fn feed(batches_max: usize) -> (Tap, Feed) {
    bounded(Bounds::of_session(batches_max))
}

/// A feed with these bounds.
pub fn bounded(bounds: Bounds) -> (Tap, Feed) {
    let (sender, receiver) = mpsc::channel(bounds.batches);
    let (events, bytes, skipped) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicU64::new(0));
    let load = Arc::new(FeedLoad { bounds, events, bytes, skipped });
    (Tap { sender, load: Arc::clone(&load) }, Feed { receiver, load })
}

impl Feed {
    /// The next batch; `None` when all taps are gone and the queue is empty. Cancel safe.
    pub async fn recv(&mut self) -> Option<Delivery> {
        let delivery = self.receiver.recv().await;
        self.taken(delivery)
    }

    /// The next batch if one is there.
    pub fn try_recv(&mut self) -> Option<Delivery> {
        let delivery = self.receiver.try_recv().ok();
        self.taken(delivery)
    }

    /// The next batch, for a thread of its own; `None` as in [`Feed::recv`].
    pub fn blocking_recv(&mut self) -> Option<Delivery> {
        let delivery = self.receiver.blocking_recv();
        self.taken(delivery)
    }

    fn taken(&self, delivery: Option<Delivery>) -> Option<Delivery> {
        delivery.inspect(|delivery| self.load.release(&delivery.batch))
    }

    /// Batches that wait now.
    pub fn waiting(&self) -> usize {
        self.receiver.len()
    }

    /// Events were skipped that nobody was told about yet.
    pub fn has_skipped(&self) -> bool {
        self.load.skipped.load(Ordering::Relaxed) > 0
    }

    /// Events that were skipped since the last delivery and that nobody was told about yet: to ask
    /// at the end.
    pub fn take_skipped(&self) -> u64 {
        self.load.skipped.swap(0, Ordering::Relaxed)
    }
}

impl Tap {
    /// Hands a batch to the listener, or counts its events as skipped if the queue is full.
    pub fn publish(&self, batch: &Batch) {
        match self.sender.try_reserve() {
            Ok(place) if self.load.admit(batch) => {
                let skipped = self.load.skipped.swap(0, Ordering::Relaxed);
                place.send(Delivery { skipped, batch: Arc::clone(batch) });
            }
            Ok(_) | Err(mpsc::error::TrySendError::Full(())) => {
                self.load.skipped.fetch_add(batch.len() as u64, Ordering::Relaxed);
            }
            Err(mpsc::error::TrySendError::Closed(())) => {}
        }
    }

    /// Hands this to the listener as soon as there is room, for a caller that can wait, on a thread
    /// of its own.
    pub fn deliver_blocking(&self, delivery: Delivery) {
        while !self.is_closed() && !self.load.admit(&delivery.batch) {
            std::thread::sleep(ROOM_PAUSE);
        }
        // A listener that is gone misses nothing.
        let _ = self.sender.blocking_send(delivery);
    }

    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub fn publish_one(&self, event: Event) {
        self.publish(&Arc::from([event]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, NodeEvent, SeedEvent};
    use crate::proto::addr::Addr;
    use crate::proto::time::Time;

    #[test]
    fn a_slow_listener_is_told_how_much_it_missed_and_where() {
        let (tap, mut feed) = feed(2);
        let hung = |port| Event {
            at: Time::from_micros(1),
            node: Addr::loopback(port),
            kind: EventKind::Node(NodeEvent::Hung),
        };
        for port in 1..=5 {
            tap.publish_one(hung(port));
        }
        let first = feed.try_recv().unwrap();
        assert_eq!((first.skipped, first.batch[0].node.port()), (0, 1));
        tap.publish_one(hung(6));
        assert_eq!(feed.try_recv().unwrap().skipped, 0);
        let last = feed.try_recv().unwrap();
        assert_eq!((last.skipped, last.batch[0].node.port()), (3, 6));
        assert!(feed.try_recv().is_none());
    }
    fn lists(len: u16) -> Batch {
        let peers = vec![Addr::loopback(1); usize::from(len)];
        let kind = EventKind::Seed(SeedEvent::PeerListSent { peer: None, peers, listed: None });
        Arc::from([Event { at: Time::from_micros(1), node: Addr::loopback(2), kind }])
    }

    #[test]
    fn a_listener_that_sleeps_costs_no_more_memory_than_a_limit() {
        let (tap, mut feed) = feed(usize::from(u16::MAX));
        let batch = lists(8_192);
        (0..2_000).for_each(|_| tap.publish(&batch));
        let held = feed.waiting() * memory_len(&batch);
        assert!((BYTES_MAX / 2..=BYTES_MAX).contains(&held), "{held} bytes wait");
        let kept = feed.waiting() as u64;
        while feed.try_recv().is_some() {}
        assert_eq!(feed.take_skipped(), 2_000 - kept);
        // A batch that was taken makes room again.
        tap.publish(&batch);
        assert_eq!(feed.waiting(), 1);
    }

    #[test]
    fn a_sleeping_listener_has_a_limit_of_events_to_come() {
        let (tap, feed) = feed(usize::from(u16::MAX));
        let hung = Event { at: Time::from_micros(1), node: Addr::loopback(2), kind: EventKind::Node(NodeEvent::Hung) };
        let batch: Batch = std::iter::repeat_n(hung, 10_000).collect();
        (0..100).for_each(|_| tap.publish(&batch));
        let most = (EVENTS_MAX / 10_000).min(BYTES_MAX / memory_len(&batch));
        assert_eq!(feed.waiting(), most);
    }

    #[test]
    fn a_batch_larger_than_the_limit_gets_through_an_empty_queue() {
        let (tap, mut feed) = feed(4);
        let large: Batch = (0..400).flat_map(|_| lists(8_192).to_vec()).collect();
        assert!(memory_len(&large) > BYTES_MAX);
        tap.publish(&large);
        tap.publish(&lists(1));
        assert_eq!(feed.try_recv().map(|delivery| delivery.batch.len()), Some(400));
        assert!(feed.try_recv().is_none());
        assert_eq!(feed.take_skipped(), 1);
    }
}
