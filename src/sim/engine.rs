//! All nodes of a network in virtual time, and what a user commands them to do: the counterpart of the engine on sockets.
//! The same commands do the same, nodes have the same names, and the same events come out.
//!
//! Addresses are given out in order: seeds from 127.0.0.1:5001 on, peers from 127.0.0.1:3000 on. So the same commands at
//! the same times with the same seed give the same events, to the last one.

use std::time::Duration;

use super::sink::EventSink;
use super::world::World;
use crate::command::{Command, FaultCommand, NodeSpec};
use crate::engine::fault::Nodes as _;
use crate::engine::{NodeEntry, NodeState, NodeTable, Refusal, derive_seed, describe, subject};
use crate::event::{Event, EventKind, Pace};
use crate::proto::addr::Addr;
use crate::proto::config::{PeerConfig, SeedConfig};
use crate::proto::machine::{Gauge, NodeCommand};
use crate::proto::message::{Dialect, Role};
use crate::proto::node::Node;
use crate::proto::peer::Peer;
use crate::proto::seed::Seed;
use crate::proto::time::Time;

/// How long the goodbyes of a network that quits may take to arrive: longer than any time on the way.
const GOODBYE_TIME: Duration = Duration::from_millis(10);

/// What the nodes are like.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Every peer's settings; `listen` is ignored, and `seeds` counts where there is no lab.
    pub peer: PeerConfig,
    /// Every seed's settings; `listen` is ignored.
    pub seed: SeedConfig,
    /// What all random choices follow from, the latencies included.
    pub rng_seed: u64,
    /// When virtual time begins.
    pub epoch: Time,
}

/// A network in virtual time. Time passes only in [`Engine::run_to`]; what happens goes to `S`.
#[derive(Debug)]
pub struct Engine<S = Vec<Event>> {
    defaults: Defaults,
    world: World<Node, S>,
    table: NodeTable,
    /// The seeds of the lab, if this is one.
    lab: Option<Vec<Addr>>,
}

impl Engine {
    /// An engine without nodes that keeps its events.
    pub fn new(defaults: Defaults) -> Self {
        Self::with_sink(defaults, Vec::new())
    }

    /// What has happened since this was asked last, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.world.take_events()
    }
}

impl<S: EventSink> Engine<S> {
    /// An engine without nodes whose events go to the sink.
    pub fn with_sink(defaults: Defaults, sink: S) -> Self {
        let world = World::beginning(defaults.epoch, defaults.rng_seed, sink);
        let table = NodeTable::new(defaults.peer.dialect);
        Self { defaults, world, table, lab: None }
    }

    /// The virtual time.
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

    /// The same, but no more than so many things happen. Whether that moment has come.
    pub fn run_some(&mut self, until: Time, most: usize) -> bool {
        self.world.run_some(until, most)
    }

    /// What there is more of than there may be, anywhere: see [`World::over_bounds_if_due`].
    pub fn over_bounds_if_due(&mut self) -> Vec<(Addr, Gauge)> {
        self.world.over_bounds_if_due()
    }

    /// Tells what whoever drives this could not do, as an event.
    pub fn tell_failure(&mut self, what: &str, why: &str) {
        let kind = EventKind::Failed { what: what.to_owned(), why: why.to_owned() };
        self.world.tell(Addr::loopback(0), kind);
    }

    /// Where the events go.
    pub fn sink(&self) -> &S {
        self.world.sink()
    }

    /// The same, to take out what came.
    pub fn sink_mut(&mut self) -> &mut S {
        self.world.sink_mut()
    }

    /// Starts one node, and tells where it listens.
    pub fn start(&mut self, spec: &NodeSpec) -> Result<Addr, Refusal> {
        let addr = self.table.virtual_addr(spec);
        self.enter(addr, spec.role)?;
        if spec.role == Role::Seed
            && let Some(lab) = &mut self.lab
        {
            lab.push(addr);
        }
        self.run(addr, spec.role, 0);
        Ok(addr)
    }

    /// Starts a network of its own, seeds first. Nobody runs before everybody listens.
    pub fn start_lab(&mut self, seeds: usize, peers: usize) -> Result<Vec<Addr>, Refusal> {
        let roles = std::iter::repeat_n(Role::Seed, seeds).chain(std::iter::repeat_n(Role::Peer, peers));
        let mut places = Vec::with_capacity(seeds + peers);
        for role in roles {
            let addr = self.table.next_addr(role);
            self.enter(addr, role)?;
            places.push((addr, role));
        }
        let seeds = places.iter().filter(|(_, role)| *role == Role::Seed);
        self.lab = Some(seeds.map(|(addr, _)| *addr).collect());
        self.table.note_lab();
        for (addr, role) in &places {
            self.run(*addr, *role, 0);
        }
        Ok(places.into_iter().map(|(addr, _)| addr).collect())
    }

    /// Does what a user wants. What cannot be done is also an event, `Failed`, as of the engine on sockets.
    pub fn apply(&mut self, command: Command) -> Result<(), Refusal> {
        let (node, what) = (subject(&command), describe(&command, &|node| self.table.name(node)));
        let result = self.carry_out(command);
        if let Err(error) = &result {
            self.world.tell(node, EventKind::Failed { what, why: error.to_string() });
        }
        result
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Refusal> {
        self.table.judge(&command, self.world.fault_table())?;
        match command {
            Command::Start(spec) => self.start(&spec).map(|_| ()),
            Command::StartLab { seeds, peers } => self.start_lab(seeds, peers).map(|_| ()),
            Command::Kill(node) => self.kill(node),
            Command::Hang(node) => self.hang(node),
            Command::Restart(node) => self.restart(node),
            Command::Cut { node, peer } => {
                self.table.cut(node, peer)?;
                self.tell_peer(node, NodeCommand::Cut(peer))
            }
            Command::Heal { node, peer } => {
                self.table.heal(node, peer)?;
                self.tell_peer(node, NodeCommand::Heal(peer))
            }
            Command::Say { node, body } => self.tell_peer(node, NodeCommand::Say(body)),
            Command::Fault(fault) => self.fault(&fault),
            Command::Quit => {
                self.leave();
                Ok(())
            }
        }
    }

    fn fault(&mut self, command: &FaultCommand) -> Result<(), Refusal> {
        self.world.fault(command, &self.table)?;
        if *command == FaultCommand::Calm {
            for remedy in self.table.remedies() {
                // What failed is an event, and keeps nobody else from coming back.
                let _ = self.apply(remedy);
            }
        }
        Ok(())
    }

    /// A new node has a name and listens.
    fn enter(&mut self, addr: Addr, role: Role) -> Result<(), Refusal> {
        let name = self.table.enter(addr, role)?;
        self.note_started(addr, name, role);
        Ok(())
    }

    fn note_started(&mut self, addr: Addr, name: String, role: Role) {
        let (dialect, pace) = self.figures(role);
        self.world.tell(addr, EventKind::Started { name, role, dialect, pace });
    }

    fn figures(&self, role: Role) -> (Dialect, Pace) {
        match role {
            Role::Peer => (self.defaults.peer.dialect, self.defaults.peer.pace()),
            Role::Seed => (self.defaults.seed.dialect, self.defaults.seed.pace()),
        }
    }

    fn run(&mut self, addr: Addr, role: Role, life: u64) {
        let random_seed = derive_seed(self.defaults.rng_seed, addr, life);
        let machine: Node = match role {
            Role::Peer => {
                let seeds = self.lab.clone().unwrap_or_else(|| self.defaults.peer.seeds.clone());
                let config = PeerConfig { listen: addr, seeds, ..self.defaults.peer.clone() };
                Peer::new(config, random_seed).into()
            }
            Role::Seed => Seed::new(SeedConfig { listen: addr, ..self.defaults.seed.clone() }, random_seed).into(),
        };
        self.world.start(addr, machine);
    }

    fn kill(&mut self, addr: Addr) -> Result<(), Refusal> {
        self.table.kill(addr)?;
        self.world.kill(addr);
        Ok(())
    }

    fn hang(&mut self, addr: Addr) -> Result<(), Refusal> {
        self.table.hang(addr)?;
        self.world.hang(addr);
        Ok(())
    }

    fn restart(&mut self, addr: Addr) -> Result<(), Refusal> {
        if self.table.restart(addr)? == NodeState::Hangs {
            self.world.kill(addr);
        }
        let Some(NodeEntry { name, role, life, .. }) = self.table.get(addr).cloned() else {
            return Err(Refusal::Unknown(addr));
        };
        self.note_started(addr, name, role);
        self.run(addr, role, life);
        Ok(())
    }

    fn tell_peer(&mut self, addr: Addr, command: NodeCommand) -> Result<(), Refusal> {
        self.table.running_peer(addr)?;
        self.world.command(addr, command);
        Ok(())
    }

    /// All nodes say goodbye, at the same time; hung ones are crashed.
    fn leave(&mut self) {
        let nodes: Vec<(Addr, NodeState)> = self.table.iter().map(|(addr, entry)| (addr, entry.state)).collect();
        for (addr, state) in &nodes {
            match state {
                NodeState::Runs => self.world.command(*addr, NodeCommand::Leave),
                NodeState::Hangs => self.world.kill(*addr),
                NodeState::Killed | NodeState::Left => {}
            }
        }
        self.world.run_for(GOODBYE_TIME);
        for (addr, state) in nodes {
            // Those that are crashed, or gone, are refused.
            if state == NodeState::Runs && self.table.leave(addr).is_ok() {
                self.world.leave(addr);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Placement;
    use crate::event::Stop;
    use crate::proto::fault::{Fault, FaultKind, Scope};
    use crate::sim::EPOCH;

    fn engine(rng_seed: u64) -> Engine {
        let nowhere = Addr::loopback(0);
        let mut peer = PeerConfig::new(nowhere, Vec::new());
        (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(3), Duration::from_secs(2));
        let seed = SeedConfig { liveness_interval: peer.liveness_interval, ..SeedConfig::new(nowhere) };
        let mut engine = Engine::new(Defaults { peer, seed, rng_seed, epoch: EPOCH });
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
    fn a_hung_node_is_noticed_and_one_that_is_started_again_is_taken_in() {
        let events = run(7);
        let p3 = Addr::loopback(3002);
        let died = |kind: &EventKind| matches!(kind, EventKind::NeighborDied { peer, .. } if *peer == p3);
        assert!(events.iter().any(|event| died(&event.kind)));
        let names: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Started { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["s1", "s2", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p3", "p9"]);
        let back = events.iter().rposition(|event| event.node == p3 && matches!(event.kind, EventKind::Started { .. }));
        let up = |event: &Event| event.node == p3 && matches!(event.kind, EventKind::LinkUp { .. });
        assert!(events[back.unwrap()..].iter().any(up));
    }

    #[test]
    fn calm_starts_again_who_was_killed_or_hangs_and_leaves_no_fault() {
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
            .filter(|event| matches!(event.kind, EventKind::Started { .. }))
            .map(|event| event.node)
            .collect();
        assert_eq!(started, [s1, p1]);
        assert!(events.iter().any(|event| matches!(event.kind, EventKind::FaultCleared { .. })));
        engine.run_to(EPOCH + Duration::from_secs(40));
        let linked = |event: &Event| event.node == p1 && matches!(event.kind, EventKind::LinkUp { .. });
        assert!(engine.take_events().iter().any(linked));
        engine.apply(Command::Fault(FaultCommand::Calm)).unwrap();
        assert_eq!(engine.take_events(), [], "to calm what is calm does nothing");
    }

    #[test]
    fn all_nodes_that_run_say_goodbye_in_the_end_and_nobody_is_taken_for_dead() {
        let mut engine = engine(1);
        engine.run_to(EPOCH + Duration::from_secs(10));
        engine.apply(Command::Quit).unwrap();
        let events = engine.take_events();
        let left = events.iter().filter(|event| event.kind == EventKind::Stopped { how: Stop::Left }).count();
        assert_eq!(left, 10);
        assert!(!events.iter().any(|event| matches!(event.kind, EventKind::NeighborDied { .. })));
    }

    #[test]
    fn what_cannot_be_done_is_an_event_with_the_reason() {
        let mut engine = engine(1);
        let (p1, nobody) = (Addr::loopback(3000), Addr::loopback(9));
        engine.apply(Command::Kill(p1)).unwrap();
        engine.take_events();
        assert!(engine.apply(Command::Say { node: p1, body: "late".into() }).is_err());
        assert!(engine.apply(Command::Kill(nobody)).is_err());
        let told: Vec<String> = engine
            .take_events()
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Failed { what, why } => Some(format!("{what}: {why}")),
                _ => None,
            })
            .collect();
        assert_eq!(
            told,
            [
                "send a message from 127.0.0.1:3000: p1 was killed",
                "kill 127.0.0.1:9: 127.0.0.1:9 is not a node of this process"
            ]
        );
    }
}
