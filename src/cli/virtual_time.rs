//! Nodes in virtual time at the pace of the clock, for somebody who watches.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::command::Command;
use crate::event::{Attempt, Batch, Event, FailureReason};
use crate::feed::Tap;
use crate::proto::config::DeadPolicy;
use crate::proto::time::Time;
use crate::request::Request;
use crate::session::check::{Breach, Checker};
use crate::sim::{EventSink, VirtualEngine};

/// The shortest wait between two runs of a network that keeps up with the clock: a frame shows
/// nothing shorter.
const TICK: Duration = Duration::from_millis(5);
/// Steps of the network before the user's commands are looked at again: a few milliseconds' worth.
const STEPS_MAX: usize = 1_000;
/// How far a network may be behind the clock and still catch up: a hiccup. On a machine that is too
/// slow for the network there would be no end to that, so beyond this its time goes on more slowly.
const DEBT_MAX: Duration = Duration::from_millis(500);
/// Runs in a row that find the network too far behind before the user is told: a suspended process
/// is late once, and then catches up.
const LATE_LOOKS_MAX: u32 = 3;
/// Events in one batch: listeners hold a limited number of batches.
pub(super) const BATCH_MAX: usize = 256;

/// Keeps virtual time at the clock's and carries out commands, until [`Command::Quit`] comes or
/// nobody can send more.
pub(crate) async fn keep_pace(
    engine: VirtualEngine<CheckedPublisher>,
    clock: Clock,
    mut requests: mpsc::Receiver<Request>,
) {
    let (mut engine, mut pace) = (engine, ClockFollower::new(clock));
    loop {
        let next = pace.catch_up(&mut engine);
        publish(&mut engine);
        let request = tokio::select! {
            biased;
            request = requests.recv() => request.unwrap_or(Request::from(Command::Quit)),
            () = sleep_until(next, clock) => continue,
        };
        pace.catch_up(&mut engine);
        let (command, responder) = request.split();
        let last = command == Command::Quit;
        let result = engine.apply(command);
        publish(&mut engine);
        responder.answer(result);
        if last {
            return;
        }
    }
}

/// How well a network keeps up with the clock.
struct ClockFollower {
    clock: Clock,
    /// Runs in a row that found it too far behind.
    late: u32,
    /// The user was told that the machine is too slow.
    is_told: bool,
}

impl ClockFollower {
    fn new(clock: Clock) -> Self {
        Self { clock, late: 0, is_told: false }
    }

    /// Lets virtual time catch up with the clock, or a part of the way. Returns when to continue;
    /// `None`: nothing more will happen by itself.
    fn catch_up<S: EventSink>(&mut self, engine: &mut VirtualEngine<S>) -> Option<Time> {
        if engine.run_some(self.clock.network_now(), STEPS_MAX) {
            self.late = 0;
            return engine.next_at().map(|next| next.max(engine.now() + TICK));
        }
        let debt = self.clock.network_now().since(engine.now());
        match debt.checked_sub(DEBT_MAX).filter(|too_much| !too_much.is_zero()) {
            Some(too_much) => self.fall_behind(engine, too_much),
            None => self.late = 0,
        }
        Some(engine.now())
    }

    /// After a pause there is too much once; on a machine that is too slow, each time.
    fn fall_behind<S: EventSink>(&mut self, engine: &mut VirtualEngine<S>, by: Duration) {
        self.clock.fall_behind(by);
        self.late += 1;
        if self.late >= LATE_LOOKS_MAX && !self.is_told {
            self.is_told = true;
            engine.tell_failure(Attempt::KeepUp, FailureReason::SlowMachine);
        }
    }
}

/// Waits until this time of the network; other tasks get their turn in any case.
async fn sleep_until(moment: Option<Time>, clock: Clock) {
    match moment {
        Some(moment) if moment <= clock.network_now() => tokio::task::yield_now().await,
        Some(moment) => tokio::time::sleep_until(clock.network_instant(moment)).await,
        None => std::future::pending().await,
    }
}

/// Publishes events in batches, and checks invariants.
pub(crate) struct CheckedPublisher {
    taps: Vec<Tap>,
    checker: Checker,
    /// Events that are not published yet.
    batch: Vec<Event>,
    /// Breaches that were reported.
    told: usize,
}

impl CheckedPublisher {
    /// For nodes whose seeds have this dead policy.
    pub(crate) fn new(taps: Vec<Tap>, policy: DeadPolicy) -> Self {
        Self { taps, checker: Checker::new(policy), batch: Vec::with_capacity(BATCH_MAX), told: 0 }
    }

    fn hand_on(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch: Batch = self.batch.drain(..).collect();
        for tap in &self.taps {
            tap.publish(&batch);
        }
    }

    fn take_breaches(&mut self) -> Vec<Breach> {
        let breaches = self.checker.breaches()[self.told..].to_vec();
        self.told += breaches.len();
        breaches
    }
}

impl EventSink for CheckedPublisher {
    fn take(&mut self, event: Event) {
        self.checker.apply(&event);
        self.batch.push(event);
        if self.batch.len() >= BATCH_MAX {
            self.hand_on();
        }
    }
}

/// Checks the nodes' bounds, reports breaches, and publishes what waits.
fn publish(engine: &mut VirtualEngine<CheckedPublisher>) {
    let now = engine.now();
    for (node, gauge) in engine.over_bounds_if_due() {
        engine.sink_mut().checker.weigh_gauge(now, node, gauge);
    }
    for breach in engine.sink_mut().take_breaches() {
        engine.tell_failure(Attempt::HoldInvariant, FailureReason::Quote(format!("{breach}: please report it")));
    }
    engine.sink_mut().hand_on();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Settings;
    use crate::event::{EventKind, NodeEvent};
    use crate::proto::addr::Addr;
    use crate::proto::config::PeerConfig;

    /// A network that is an hour behind its clock.
    fn late(clock: Clock) -> VirtualEngine {
        let peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        let epoch = clock.network_now() - Duration::from_secs(3_600);
        let mut engine = VirtualEngine::new(Settings::of_peers(peer, 1), epoch);
        engine.start_lab(2, 30).unwrap();
        engine
    }

    fn told(engine: &mut VirtualEngine) -> usize {
        let events = engine.take_events();
        events.iter().filter(|event| matches!(event.kind, EventKind::Node(NodeEvent::Failed { .. }))).count()
    }

    #[test]
    fn a_network_that_was_paused_goes_on_without_a_word() {
        let clock = Clock::start();
        let (mut engine, mut pace, hour) = (late(clock), ClockFollower::new(clock), Duration::from_secs(3_600));
        assert!(pace.catch_up(&mut engine).is_some());
        assert!(clock.behind() + Duration::from_secs(60) > hour, "{:?}", clock.behind());
        while pace.catch_up(&mut engine).is_some_and(|next| next <= engine.now()) {}
        let ago = clock.now().since(engine.now());
        assert!(ago >= clock.behind(), "{ago:?}: what it lost stays lost");
        assert_eq!((told(&mut engine), pace.late), (0, 0));
    }

    #[test]
    fn a_network_that_is_always_behind_says_so_once() {
        let clock = Clock::start();
        let mut pace = ClockFollower::new(clock);
        // More than the machine gets done while a part passes, again and again.
        let told = [(); 8].map(|()| {
            let mut engine = late(clock);
            pace.catch_up(&mut engine);
            told(&mut engine)
        });
        assert_eq!(told, [0, 0, 1, 0, 0, 0, 0, 0]);
        assert!(clock.behind() > Duration::from_secs(7 * 3_600), "{:?}", clock.behind());
    }
}
