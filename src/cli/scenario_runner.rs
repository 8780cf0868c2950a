//! Plays a scenario on running nodes: a task that sends commands when their time has come and
//! watches the events.

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::feed::{Delivery, Feed};
use crate::proto::time::Time;
use crate::request::Request;
use crate::scenario::{Run, ScenarioAction, ScenarioNotice};

/// Plays one scenario.
pub(crate) struct ScenarioRunner<T> {
    run: Run,
    events: Feed,
    requests: mpsc::Sender<Request>,
    clock: Clock,
    /// Called with what the user should know, and with the scenario's progress.
    tell: T,
}

enum Incoming {
    Events(Option<Delivery>),
    Time,
}

impl<T: FnMut(&Run, Option<ScenarioNotice>)> ScenarioRunner<T> {
    /// A runner for nodes that have all been started.
    pub(crate) fn new(run: Run, events: Feed, requests: mpsc::Sender<Request>, clock: Clock, tell: T) -> Self {
        Self { run, events, requests, clock, tell }
    }

    /// The scenario's state.
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
                Incoming::Events(Some(delivery)) => self.take(&delivery),
                Incoming::Events(None) => return,
                Incoming::Time => {
                    self.take_waiting();
                    let acts = self.run.wake(self.clock.network_now());
                    self.carry_out(acts).await;
                    (self.tell)(&self.run, None);
                }
            }
        }
    }

    async fn wait(&mut self, at: Time) -> Incoming {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(self.clock.network_instant(at)) => Incoming::Time,
            delivery = self.events.recv() => Incoming::Events(delivery),
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

    async fn carry_out(&mut self, acts: Vec<ScenarioAction>) {
        for act in acts {
            match act {
                ScenarioAction::Do { step, command } => {
                    let (request, answer) = Request::new(command.clone());
                    // An engine that has ended has no nodes left to command.
                    let _ = self.requests.send(request).await;
                    if let Err(why) = answer.wait().await {
                        let notice = self.run.refused(step, &command, why);
                        (self.tell)(&self.run, notice);
                    }
                }
                ScenarioAction::Tell(notice) => (self.tell)(&self.run, Some(notice)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::engine::Refusal;
    use crate::event::{Event, EventKind, Methods, NodeEvent, NodeState, Pace};
    use crate::feed::feed;
    use crate::proto::addr::Addr;
    use crate::proto::message::{Dialect, Role};
    use crate::scenario::Script;

    const P1: Addr = Addr::loopback(3000);
    const P2: Addr = Addr::loopback(3001);

    fn started(node: Addr, name: &str) -> Event {
        let pace = Pace { gossip_interval_us: 1, liveness_interval_us: 1, liveness_misses: 3 };
        let (name, role, dialect) = (name.to_owned(), Role::Peer, Dialect::Framed);
        Event {
            at: Time::from_micros(1),
            node,
            kind: EventKind::Node(NodeEvent::Started { name, role, dialect, pace, methods: Methods::default() }),
        }
    }

    /// Carries out every command except those for p1.
    async fn engine(mut requests: mpsc::Receiver<Request>) -> Vec<Command> {
        let mut done = Vec::new();
        while let Some(request) = requests.recv().await {
            let (command, responder) = request.split();
            if command == Command::Kill(P1) {
                responder.answer(Err(Refusal::NotRunning {
                    name: "p1".parse().unwrap(),
                    addr: P1,
                    state: NodeState::Left,
                }));
            } else {
                done.push(command);
                responder.answer(Ok(()));
            }
        }
        done
    }

    #[tokio::test(start_paused = true)]
    async fn refused_commands_are_skipped_and_the_rest_of_the_line_done() {
        let (tap, events) = feed(16);
        tap.publish_one(started(P1, "p1"));
        tap.publish_one(started(P2, "p2"));
        let (requests, asked) = mpsc::channel(1);
        let done = tokio::spawn(engine(asked));
        let (mut told, script) = (Vec::new(), Script::parse("lab 1 2\n1s kill p1 p2\n").unwrap());
        let tell = |_: &Run, notice: Option<ScenarioNotice>| told.extend(notice.map(|notice| notice.text));
        let mut runner = ScenarioRunner::new(Run::new(script), events, requests, Clock::start(), tell);
        runner.play().await;
        let summary = runner.run().summary();
        drop(runner);
        let refusal = "line 2: kill p1 p2: skipped: 'kill p1': p1 has left";
        assert_eq!(told, ["1s: kill p1 p2", refusal]);
        assert_eq!((summary.skipped, summary.in_part), (vec![refusal.to_owned()], 1));
        assert_eq!(done.await.unwrap(), [Command::Kill(P2)]);
    }
}
