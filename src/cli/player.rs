//! A scenario, played to nodes that run: a task that sends commands when their time has come and watches the events.

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::command::Order;
use crate::feed::{Delivery, Feed};
use crate::proto::time::Time;
use crate::scenario::{Act, Run, Telling};

/// Plays one scenario.
pub(crate) struct Player<T> {
    run: Run,
    events: Feed,
    orders: mpsc::Sender<Order>,
    clock: Clock,
    /// Is told what the user is to know, and how far the scenario is.
    tell: T,
}

/// What came.
enum Came {
    Events(Option<Delivery>),
    Time,
}

impl<T: FnMut(&Run, Option<Telling>)> Player<T> {
    /// A player for nodes that have all been started.
    pub(crate) fn new(run: Run, events: Feed, orders: mpsc::Sender<Order>, clock: Clock, tell: T) -> Self {
        Self { run, events, orders, clock, tell }
    }

    /// The scenario as far as it is.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Plays to the end. Cancel safe: what was done stays done.
    pub(crate) async fn play(&mut self) {
        self.take_waiting();
        let acts = self.run.begin(self.clock.network_now());
        self.carry_out(acts).await;
        while let Some(at) = self.run.next_at() {
            match self.wait(at).await {
                Came::Events(Some(delivery)) => self.take(&delivery),
                Came::Events(None) => return,
                Came::Time => {
                    self.take_waiting();
                    let acts = self.run.wake(self.clock.network_now());
                    self.carry_out(acts).await;
                    (self.tell)(&self.run, None);
                }
            }
        }
    }

    async fn wait(&mut self, at: Time) -> Came {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(self.clock.network_instant(at)) => Came::Time,
            delivery = self.events.recv() => Came::Events(delivery),
        }
    }

    fn take_waiting(&mut self) {
        for _ in 0..self.events.waiting() {
            let Some(delivery) = self.events.try_recv() else { return };
            self.take(&delivery);
        }
    }

    fn take(&mut self, delivery: &Delivery) {
        self.run.note_skipped(delivery.skipped);
        delivery.batch.iter().for_each(|event| self.run.take(event));
    }

    async fn carry_out(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Do { step, command } => {
                    let (order, answer) = Order::new(command.clone());
                    // An engine that has ended has no nodes left to command.
                    let _ = self.orders.send(order).await;
                    if let Err(why) = answer.wait().await {
                        let telling = self.run.refused(step, &command, &why);
                        (self.tell)(&self.run, telling);
                    }
                }
                Act::Tell(telling) => (self.tell)(&self.run, Some(telling)),
            }
        }
    }
}
