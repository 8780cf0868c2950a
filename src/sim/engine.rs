//! All nodes of a network in virtual time: carries out what the engine decides, as `net` does on
//! sockets. The same commands do the same, nodes have the same names, and the same events come out.
//!
//! Addresses are given out in order: seeds from 127.0.0.1:5001 on, peers from 127.0.0.1:3000 on. So
//! the same commands at the same times with the same seed give the same events, to the last one.

use std::time::Duration;

use super::sink::EventSink;
use super::world::World;
use crate::command::limits::NetworkLimits;
use crate::command::{Command, NodeSpec};
use crate::engine::{self, CommandOutcome, Effect, Goodbye, NodeTable, Publication, Refusal, Settings, VirtualSites};
use crate::event::{Attempt, Event, FailureReason, NodeEvent};
use crate::proto::addr::Addr;
use crate::proto::machine::{Gauge, NodeCommand};
use crate::proto::node::Node;
use crate::proto::time::Time;

/// How long the goodbyes of a quitting network may take to arrive: longer than any latency.
const GOODBYE_TIME: Duration = Duration::from_millis(10);

/// A network in virtual time. Time passes only in [`VirtualEngine::run_to`]; events go to `S`.
#[derive(Debug)]
pub struct VirtualEngine<S = Vec<Event>> {
    engine: engine::Engine,
    world: World<Node, S>,
    /// How far the nodes' time of day is from UTC.
    utc_offset_s: i32,
}

impl VirtualEngine {
    /// An engine without nodes that keeps its events. Its time begins at `epoch`.
    pub fn new(settings: Settings, epoch: Time) -> Self {
        Self::with_sink(settings, epoch, Vec::new())
    }

    /// The events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.world.take_events()
    }
}

impl<S: EventSink> VirtualEngine<S> {
    /// An engine without nodes whose events go to the sink.
    pub fn with_sink(settings: Settings, epoch: Time, sink: S) -> Self {
        let (world, utc_offset_s) = (World::beginning(epoch, settings.rng_seed, sink), settings.peer.utc_offset_s);
        let engine = engine::Engine::new(settings, NetworkLimits::VIRTUAL);
        Self { engine, world, utc_offset_s }
    }

    pub const fn nodes(&self) -> &NodeTable {
        self.engine.nodes()
    }

    pub fn now(&self) -> Time {
        self.world.now()
    }

    /// When something will happen next by itself; `None`: never.
    pub fn next_at(&self) -> Option<Time> {
        self.world.next_at()
    }

    /// Lets virtual time pass up to this moment.
    pub fn run_to(&mut self, until: Time) {
        self.world.run_to(until);
    }

    /// The same, but at most `most` steps. Returns whether that moment has come.
    pub fn run_some(&mut self, until: Time, most: usize) -> bool {
        self.world.run_some(until, most)
    }

    /// Everything that is over its bound: see [`World::over_bounds_if_due`].
    pub fn over_bounds_if_due(&mut self) -> Vec<(Addr, Gauge)> {
        self.world.over_bounds_if_due()
    }

    /// Publishes what the driver could not do, as an event.
    pub fn tell_failure(&mut self, what: Attempt, why: FailureReason) {
        self.world.tell(Addr::loopback(0), NodeEvent::failed(what, why).into());
    }

    pub fn sink(&self) -> &S {
        self.world.sink()
    }

    pub fn sink_mut(&mut self) -> &mut S {
        self.world.sink_mut()
    }

    /// Starts one node, and returns its address.
    pub fn start(&mut self, spec: &NodeSpec) -> Result<Addr, Refusal> {
        let started = self.start_all(Command::Start(spec.clone()))?;
        started.first().copied().ok_or(Refusal::Unknown(Addr::loopback(0)))
    }

    /// Starts a lab, seeds first. All nodes listen before any runs.
    pub fn start_lab(&mut self, seeds: usize, peers: usize) -> Result<Vec<Addr>, Refusal> {
        self.start_all(Command::StartLab { seeds, peers })
    }

    /// The new nodes.
    fn start_all(&mut self, command: Command) -> Result<Vec<Addr>, Refusal> {
        let before = self.nodes().len();
        self.apply(command)?;
        Ok(self.nodes().addrs_from(before).collect())
    }

    /// Carries out a command. A refusal is also an event, `Failed`.
    #[expect(clippy::needless_pass_by_value, reason = "on sockets a command is given away, too")]
    pub fn apply(&mut self, command: Command) -> Result<(), Refusal> {
        let CommandOutcome { effects, result } = self.engine.apply(&command, &mut VirtualSites);
        for effect in effects {
            self.carry_out(effect);
        }
        result
    }

    fn carry_out(&mut self, effect: Effect<()>) {
        match effect {
            Effect::Publish(told) => {
                for Publication { node, kind } in told {
                    self.world.tell(node, kind);
                }
            }
            Effect::Start { node, site: () } => {
                if let Some(machine) = self.engine.machine(node, self.utc_offset_s) {
                    self.world.start(node, machine);
                }
            }
            Effect::Crash(node) => self.world.kill(node),
            Effect::Hang(node) => self.world.hang(node),
            Effect::Tell(node, command) => self.world.command(node, command),
            Effect::Faults(view) => self.world.set_faults(&view.table),
            Effect::Junk { node, pause } => self.world.set_junk(node, pause),
            Effect::Leave { goodbyes, crashes } => self.leave(&goodbyes, crashes),
        }
    }

    fn leave(&mut self, goodbyes: &[Goodbye], crashes: Vec<Addr>) {
        for node in crashes {
            self.world.kill(node);
        }
        let begin = self.world.now();
        for Goodbye { node, after } in goodbyes {
            self.world.run_to(begin + *after);
            self.world.command(*node, NodeCommand::Leave);
        }
        self.world.run_for(GOODBYE_TIME);
        for goodbye in goodbyes {
            self.world.leave(goodbye.node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{FaultCommand, Placement};
    use crate::event::{DeathEvent, EventKind, FaultEvent, LinkEvent, Stop};
    use crate::proto::config::PeerConfig;
    use crate::proto::fault::{Fault, FaultKind, Scope};
    use crate::proto::message::Role;
    use crate::sim::EPOCH;

    fn engine(rng_seed: u64) -> VirtualEngine {
        let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(3), Duration::from_secs(2));
        let mut engine = VirtualEngine::new(Settings::of_peers(peer, rng_seed), EPOCH);
        engine.start_lab(2, 8).unwrap();
        engine
    }

    fn run(rng_seed: u64) -> Vec<Event> {
        let mut engine = engine(rng_seed);
        let p3 = Addr::loopback(3002);
        engine.run_to(EPOCH + Duration::from_secs(5));
        engine.apply(Command::Hang(p3)).unwrap();
        engine.run_to(EPOCH + Duration::from_secs(20));
        engine.apply(Command::Restart(p3)).unwrap();
        engine.apply(Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto })).unwrap();
        engine.run_to(EPOCH + Duration::from_secs(30));
        engine.apply(Command::Quit).unwrap();
        engine.take_events()
    }

    #[test]
    fn the_same_commands_with_the_same_seed_give_the_same_events() {
        let first = run(7);
        assert_eq!(first, run(7));
        assert_ne!(first, run(8));
    }

    #[test]
    fn a_hung_node_is_noticed_and_taken_in_again_once_restarted() {
        let events = run(7);
        let p3 = Addr::loopback(3002);
        let died =
            |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { peer, .. }) if *peer == p3);
        assert!(events.iter().any(|event| died(&event.kind)));
        let names: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Node(NodeEvent::Started { name, .. }) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["s1", "s2", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p3", "p9"]);
        let back = events
            .iter()
            .rposition(|event| event.node == p3 && matches!(event.kind, EventKind::Node(NodeEvent::Started { .. })));
        let up = |event: &Event| event.node == p3 && matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }));
        assert!(events[back.unwrap()..].iter().any(up));
    }

    #[test]
    fn calm_restarts_the_killed_and_hung_and_leaves_no_fault() {
        let mut engine = engine(3);
        let [p1, p2, s1] = [3000, 3001, 5001].map(Addr::loopback);
        engine.run_to(EPOCH + Duration::from_secs(5));
        let slow = Fault { what: FaultKind::Slow { per_s: 1 }, on: Scope::Node(p2) };
        for command in [Command::Kill(s1), Command::Hang(p1), Command::Fault(FaultCommand::Set(slow))] {
            engine.apply(command).unwrap();
        }
        engine.run_to(EPOCH + Duration::from_secs(20));
        engine.take_events();
        engine.apply(Command::Fault(FaultCommand::Calm)).unwrap();
        let events = engine.take_events();
        let started: Vec<Addr> = events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Node(NodeEvent::Started { .. })))
            .map(|event| event.node)
            .collect();
        assert_eq!(started, [s1, p1]);
        assert!(events.iter().any(|event| matches!(event.kind, EventKind::Fault(FaultEvent::Cleared { .. }))));
        engine.run_to(EPOCH + Duration::from_secs(40));
        let linked = |event: &Event| event.node == p1 && matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }));
        assert!(engine.take_events().iter().any(linked));
        engine.apply(Command::Fault(FaultCommand::Calm)).unwrap();
        assert_eq!(engine.take_events(), [], "to calm what is calm does nothing");
    }

    #[test]
    fn all_nodes_say_goodbye_at_the_end_and_nobody_is_declared_dead() {
        let mut engine = engine(1);
        engine.run_to(EPOCH + Duration::from_secs(10));
        engine.apply(Command::Quit).unwrap();
        let events = engine.take_events();
        let left =
            events.iter().filter(|event| event.kind == EventKind::Node(NodeEvent::Stopped { how: Stop::Left })).count();
        assert_eq!(left, 10);
        assert!(!events.iter().any(|event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { .. }))));
    }

    #[test]
    fn what_cannot_be_done_is_an_event_with_the_reason() {
        let mut engine = engine(1);
        let (p1, nobody) = (Addr::loopback(3000), Addr::loopback(9));
        engine.apply(Command::Kill(p1)).unwrap();
        engine.take_events();
        assert!(engine.apply(Command::Say { node: p1, body: "late".into() }).is_err());
        assert!(engine.apply(Command::Kill(nobody)).is_err());
        let told: Vec<(Attempt, String)> = engine
            .take_events()
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Node(NodeEvent::Failed { what, why }) => Some((what, why.to_string())),
                _ => None,
            })
            .collect();
        assert_eq!(
            told,
            [
                (Attempt::Say(p1), "p1 was killed".to_owned()),
                (Attempt::Kill(nobody), "127.0.0.1:9 is not a node of this process".to_owned())
            ]
        );
    }
}
