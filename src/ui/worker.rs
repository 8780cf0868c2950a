//! Computes what takes more than a moment on a thread of its own, while the loop goes on.

use std::any::Any;
use std::io;

use tokio::sync::mpsc;

use super::action::PaneId;

/// Work in progress: more than there are panes, each of which waits for one result before it orders
/// the next.
const ORDERS_MAX: usize = 16;

/// Something to compute elsewhere.
pub(crate) type Work = Box<dyn FnOnce() -> Made + Send>;

/// What was computed; whoever ordered it knows its type.
pub(crate) type Made = Box<dyn Any + Send>;

/// The loop's handle to the thread.
pub(crate) struct Worker {
    orders: mpsc::Sender<(PaneId, Work)>,
    made: mpsc::Receiver<(PaneId, Made)>,
}

impl Worker {
    /// Starts the thread, which works until this is dropped.
    pub(crate) fn new() -> io::Result<Self> {
        let (orders, mut ordered) = mpsc::channel::<(PaneId, Work)>(ORDERS_MAX);
        let (to_loop, made) = mpsc::channel(ORDERS_MAX);
        std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
            while let Some((pane, work)) = ordered.blocking_recv() {
                if to_loop.blocking_send((pane, work())).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders, made })
    }

    /// Orders work for a pane.
    pub(crate) fn order(&self, order: (PaneId, Work)) {
        // There is room, see above; if the thread is gone, the pane goes on with what it has.
        let _ = self.orders.try_send(order);
    }

    /// What was made next, and for which pane; `None` when there will be no more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<(PaneId, Made)> {
        self.made.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_ordered_is_made_by_another_thread() {
        let mut worker = Worker::new().unwrap();
        let here = std::thread::current().id();
        for number in [1, 2] {
            worker.order((PaneId::FIRST, Box::new(move || Box::new((number, std::thread::current().id())))));
            let (pane, made) = worker.next().await.expect("the order is carried out");
            let (made, there) = *made.downcast::<(i32, std::thread::ThreadId)>().unwrap();
            assert_eq!((pane, made), (PaneId::FIRST, number));
            assert_ne!(here, there);
        }
    }
}
