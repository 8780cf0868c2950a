//! How events come from those who make them to those who listen.
//!
//! A feed is a bounded queue of batches. When a listener is too slow its queue is full and batches
//! are skipped, so that no listener ever slows the network; the listener is told how many events it
//! missed, at the place where they are missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::event::{Batch, Event};

/// What a listener gets.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Events that were skipped just before this batch because the queue was full.
    pub skipped: u64,
    /// The events, in order.
    pub batch: Batch,
}

/// The listener's end.
#[derive(Debug)]
pub struct Feed {
    receiver: mpsc::Receiver<Delivery>,
    skipped: Arc<AtomicU64>,
}

/// The end of those who make events; clones share the queue.
#[derive(Debug, Clone)]
pub struct Tap {
    sender: mpsc::Sender<Delivery>,
    skipped: Arc<AtomicU64>,
}

/// A feed that holds at most `batches_max` batches.
pub fn feed(batches_max: usize) -> (Tap, Feed) {
    let (sender, receiver) = mpsc::channel(batches_max);
    let skipped = Arc::new(AtomicU64::new(0));
    (Tap { sender, skipped: Arc::clone(&skipped) }, Feed { receiver, skipped })
}

impl Feed {
    /// The next batch; `None` when all taps are gone and the queue is empty. Cancel safe.
    pub async fn recv(&mut self) -> Option<Delivery> {
        self.receiver.recv().await
    }

    /// The next batch if one is there.
    pub fn try_recv(&mut self) -> Option<Delivery> {
        self.receiver.try_recv().ok()
    }

    /// The next batch, for a thread of its own; `None` as in [`Feed::recv`].
    pub fn blocking_recv(&mut self) -> Option<Delivery> {
        self.receiver.blocking_recv()
    }

    /// Batches that are waiting now.
    pub fn waiting(&self) -> usize {
        self.receiver.len()
    }

    /// Events were skipped of which nobody was told yet.
    pub fn has_skipped(&self) -> bool {
        self.skipped.load(Ordering::Relaxed) > 0
    }

    /// Events skipped since the last delivery that nobody was told of yet: to ask at the end.
    pub fn take_skipped(&self) -> u64 {
        self.skipped.swap(0, Ordering::Relaxed)
    }
}

impl Tap {
    /// Hands a batch to the listener, or counts its events as skipped when the queue is full.
    pub fn publish(&self, batch: &Batch) {
        match self.sender.try_reserve() {
            Ok(place) => {
                let skipped = self.skipped.swap(0, Ordering::Relaxed);
                place.send(Delivery { skipped, batch: Arc::clone(batch) });
            }
            Err(mpsc::error::TrySendError::Full(())) => {
                self.skipped.fetch_add(batch.len() as u64, Ordering::Relaxed);
            }
            Err(mpsc::error::TrySendError::Closed(())) => {}
        }
    }

    /// Hands this to the listener as soon as there is room: for who can wait, on a thread of its own.
    pub fn deliver_blocking(&self, delivery: Delivery) {
        // A listener that is gone misses nothing.
        let _ = self.sender.blocking_send(delivery);
    }

    /// Nobody listens any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// One event as a batch of its own.
    pub fn publish_one(&self, event: Event) {
        self.publish(&Arc::from([event]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::proto::addr::Addr;
    use crate::proto::time::Time;

    #[test]
    fn a_slow_listener_is_told_how_much_it_missed_and_where() {
        let (tap, mut feed) = feed(2);
        let hung = |port| Event { at: Time::from_micros(1), node: Addr::loopback(port), kind: EventKind::Hung };
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
}
