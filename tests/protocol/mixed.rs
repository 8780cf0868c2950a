//! Networks of ours and Python nodes, in virtual time. No Python node ever dies of us.

use std::time::Duration;

use gossipctl::event::{Event, EventKind, ProbeEvent, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::NodeCommand;
use gossipctl::proto::random::Random;
use gossipctl::sim::EPOCH;

use crate::classic::classic;
use crate::python::Python;
use crate::python_rules::{Dials, Habits};
use crate::virtual_time::{LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn python_nodes_and_ours_form_one_network() {
    let mut network = classic(0, 51);
    let seed = Python::seed(&mut network, seed_addr(1));
    network.seeds = vec![seed.addr];
    network.start_peers(1..=2);
    network.world.run_for(SECOND * 5);
    let pythons = [50, 51].map(|number| {
        let dials = Dials::FromLists(2);
        Python::peer(&mut network, peer_addr(number), &[seed_addr(1)], dials, Habits::default())
    });
    network.world.run_for(LIVENESS * 10);
    for python in [&seed, &pythons[0], &pythons[1]] {
        assert_eq!(python.process().died(), None, "{}", python.addr);
    }
    for python in &pythons {
        assert!(python.process().neighbors().count() >= 2);
        assert!(python.process().has_received("Gossip Message 7"));
        assert!(network.neighbors(peer_addr(1)).contains(&python.addr));
        let answered = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { peer, .. }) if *peer == python.addr);
        assert!(network.count(peer_addr(1), answered) >= 5);
        assert!(python.process().was_answered_by(peer_addr(1)));
    }
    let whole = network.holders().values().filter(|holders| holders.len() == 2).count();
    assert!(whole >= 20, "{whole} messages reached both of ours");
}

#[test]
fn a_peer_whose_address_a_python_seed_knows_says_so() {
    let mut network = classic(0, 52);
    let seed = Python::seed(&mut network, seed_addr(1));
    network.seeds = vec![seed.addr];
    let told = |network: &Network| {
        network.count(peer_addr(1), |kind| matches!(kind, EventKind::Seed(SeedEvent::ListedAlready { .. })))
    };
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    assert_eq!(told(&network), 0);
    network.world.kill(peer_addr(1));
    network.world.run_for(SECOND * 5);
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    assert_eq!(told(&network), 1);
    network.start_peer(2);
    network.world.run_for(SECOND * 5);
    assert!(!network.kinds(peer_addr(2)).any(|kind| matches!(kind, EventKind::Seed(SeedEvent::ListedAlready { .. }))));
}

/// How long each network runs, and how long between two things that happen to it.
const SPAN: Duration = Duration::from_secs(2 * 3600);
const PAUSE: Duration = Duration::from_secs(120);
/// How often it is looked whether all Python nodes live.
const LOOK: Duration = Duration::from_secs(5);
/// Python peers beside ours, and whom each dials.
const PYTHONS: usize = 3;
const DIALS: usize = 2;
/// Entries of the dead that a seed's list may have at one time: those of whom nobody was a neighbor.
const SLACK: usize = 4;
const LINKS_MAX: usize = 4;
/// Slots that must be free: one may be taken before a newcomer of their kind comes.
const ROOM: usize = 3;

/// Ours, a Python seed and Python peers.
struct Mixed {
    network: Network,
    random: Random,
    seed: Python,
    pythons: Vec<Python>,
    ours: Vec<Addr>,
    ports: u16,
    what: String,
}

impl Mixed {
    fn start(size: u16) -> Self {
        let rng_seed = 700 + u64::from(size);
        let mut network = classic(0, rng_seed);
        // Less to say, so that two hours take a second or two.
        network.peer_config.gossip_interval = Duration::from_secs(60);
        let seed = Python::seed(&mut network, seed_addr(1));
        network.seeds = vec![seed.addr];
        let what = format!("{size} of ours, rng seed {rng_seed}");
        let (random, pythons, ours) = (Random::new(rng_seed), Vec::new(), Vec::new());
        let mut mixed = Self { network, random, seed, pythons, ours, ports: 0, what };
        for _ in 0..size {
            mixed.start_ours();
        }
        mixed.run_for(Duration::from_secs(20));
        for _ in 0..PYTHONS {
            mixed.start_python();
            // Whom it dials must not be killed meanwhile: it would die of the refused connection.
            mixed.run_for(Duration::from_secs(20));
        }
        mixed
    }

    /// A port of its own for everybody, each time.
    fn port(&mut self) -> u16 {
        self.ports += 1;
        self.ports
    }

    fn start_ours(&mut self) {
        let number = self.port();
        self.network.start_peer(number);
        self.ours.push(peer_addr(number));
    }

    /// One that dials whom a Python node survives to dial: who lives, and is ours or has room.
    fn start_python(&mut self) {
        let has_room = |peer: &Addr| {
            let python = self.pythons.iter().find(|python| python.addr == *peer);
            self.ours.contains(peer)
                || python.is_some_and(|python| python.process().neighbors().count() + ROOM <= LINKS_MAX)
        };
        let mut listed = self.seed.process().list().to_vec();
        listed.sort_unstable();
        listed.dedup();
        listed.retain(has_room);
        let dials = Dials::These(self.random.sample(&listed, DIALS));
        let addr = peer_addr(self.port());
        let python = Python::peer(&mut self.network, addr, &[self.seed.addr], dials, Habits::default());
        self.pythons.push(python);
    }

    fn one_of_ours(&mut self) -> usize {
        self.random.below(self.ours.len())
    }

    /// Something that happens to networks. What it was.
    fn disturb(&mut self) -> &'static str {
        let (one, other) = (self.one_of_ours(), self.random.below(PYTHONS));
        match self.random.below(6) {
            0 | 1 => {
                self.network.world.kill(self.ours.swap_remove(one));
                self.start_ours();
                "a kill, and a start at a new port"
            }
            2 => {
                self.network.world.leave(self.ours.swap_remove(one));
                self.run_for(Duration::from_secs(20));
                self.start_ours();
                "a goodbye, and a start at a new port"
            }
            3 => {
                let (node, peer) = (self.ours[one], self.pythons[other].addr);
                self.network.command(node, NodeCommand::Cut(peer));
                self.run_for(PAUSE);
                self.network.command(node, NodeCommand::Heal(peer));
                "a cut"
            }
            4 => {
                self.network.world.kill(self.pythons.swap_remove(other).addr);
                self.run_for(Duration::from_secs(20));
                self.start_python();
                "a Python peer that is killed, and another one"
            }
            _ => {
                let node = self.ours[one];
                (0..5).for_each(|n| self.network.command(node, NodeCommand::Say(format!("m{n}").into())));
                "five messages at once"
            }
        }
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.network.world.now() + span;
        while self.network.world.now() < end {
            self.network.world.run_to(end.min(self.network.world.now() + LOOK));
            self.look();
        }
    }

    fn look(&self) {
        for python in self.pythons.iter().chain([&self.seed]) {
            assert_eq!(python.process().died(), None, "{} at {}: {}", python.addr, self.seconds(), self.what);
        }
        let (list, live) = (self.seed.process().list().to_vec(), self.live());
        let most = live.len() + SLACK;
        assert!(list.len() <= most, "listed {list:?}, live {live:?} at {}: {}", self.seconds(), self.what);
    }

    fn live(&self) -> Vec<Addr> {
        self.ours.iter().copied().chain(self.pythons.iter().map(|python| python.addr)).collect()
    }

    fn seconds(&self) -> String {
        format!("{} s", self.network.world.now().since(EPOCH).as_secs())
    }
}

fn assert_python_nodes_live(sizes: std::ops::RangeInclusive<u16>) {
    for size in sizes {
        let mut mixed = Mixed::start(size);
        while mixed.network.world.now() < EPOCH + SPAN {
            let what = mixed.disturb();
            mixed.what = format!("{}, after {what}", mixed.what.split(", after").next().unwrap_or_default());
            mixed.run_for(PAUSE);
        }
        let answered = |event: &&Event| match event.kind {
            EventKind::Probe(ProbeEvent::Answered { peer, .. }) => !mixed.ours.contains(&peer),
            _ => false,
        };
        let answers = mixed.network.world.events().iter().filter(answered).count();
        assert!(answers > 200, "{answers} answers of Python nodes: {}", mixed.what);
    }
}

#[test]
fn python_nodes_live_for_two_hours_with_up_to_four_of_ours() {
    assert_python_nodes_live(1..=4);
}

#[test]
fn python_nodes_live_for_two_hours_with_up_to_eight_of_ours() {
    assert_python_nodes_live(5..=8);
}
