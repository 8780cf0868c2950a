//! Computes the layout of large graphs on a thread of its own, while the loop goes on.

use std::io;

use tokio::sync::mpsc;

use super::pane::topology::{Delivered, LayoutRequest};

/// Layouts in progress: a pane waits for one before it orders the next.
const ORDERS_MAX: usize = 1;

/// The loop's handle to the thread.
pub(crate) struct Layouter {
    orders: mpsc::Sender<LayoutRequest>,
    made: mpsc::Receiver<Delivered>,
}

impl Layouter {
    /// Starts the thread, which works until this is dropped.
    pub(crate) fn new() -> io::Result<Self> {
        let (orders, mut ordered) = mpsc::channel::<LayoutRequest>(ORDERS_MAX);
        let (to_loop, made) = mpsc::channel(ORDERS_MAX);
        std::thread::Builder::new().name("layout".to_owned()).spawn(move || {
            while let Some(order) = ordered.blocking_recv() {
                if to_loop.blocking_send(order.carry_out()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders, made })
    }

    /// Orders a layout.
    pub(crate) fn order(&self, order: LayoutRequest) {
        // There is room, because a pane orders one at a time; if the thread is gone, all nodes stay
        // where they are.
        let _ = self.orders.try_send(order);
    }

    /// The next layout that was made; `None` when there will be no more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Delivered> {
        self.made.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_ordered_is_made_by_another_thread_as_it_would_be_here() {
        let mut layouter = Layouter::new().unwrap();
        let order = LayoutRequest::ring(200);
        layouter.order(order.clone());
        assert_eq!(layouter.next().await, Some(order.carry_out()));
        layouter.order(order.clone());
        assert!(layouter.next().await.is_some(), "and the next one");
    }
}
