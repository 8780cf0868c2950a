//! A seed that attests a root that there is not, and a peer that sends its beacons everywhere.

use std::time::Duration;

use gossipctl::event::{EventKind, LinkEvent, LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::{Input, LinkChange};
use gossipctl::proto::message::{Hello, Message, PeerSample, Priority, ProbeExtras, Role, RootNews};
use gossipctl::proto::time::Time;

use crate::hostile::FalseRoot;
use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, LIVENESS, Network, peer_addr, seed_addr};

/// Lower than any other, and nobody's.
const ROOT: Addr = Addr::new(std::net::Ipv4Addr::new(127, 0, 0, 0), 1);

/// Registers everybody, names nobody, and attests the false root.
struct HostileSeed {
    own: Addr,
    links: Vec<LinkId>,
    next_at: Option<Time>,
}

impl HostileSeed {
    fn start(network: &mut Network, number: u16) {
        let own = seed_addr(number);
        network.seeds.push(own);
        network.start_double(own, Self { own, links: Vec::new(), next_at: None });
    }
}

impl Double for HostileSeed {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        let extras = Some(ProbeExtras { neighbors: 14, root: RootNews::Attested(ROOT) });
        match input {
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                self.links.push(link);
                self.next_at.get_or_insert(now + LIVENESS);
                let hello = Hello { listen: self.own, role: Role::Seed, priority: Priority::Low };
                vec![Ask::Send(link, Message::Hello(hello))]
            }
            Input::Message { link, message: Message::Hello(_) | Message::ListRequest } => {
                let list = PeerSample { peers: Vec::new(), listed: 14, lowest: Some(ROOT) };
                vec![Ask::Send(link, Message::PeerList(list))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras })]
            }
            Input::Wake => {
                self.next_at = Some(now + LIVENESS);
                let probe = Message::Probe { seq: now.as_micros(), asker: self.own, clock: now.clock(0), extras };
                self.links.iter().map(|link| Ask::Send(*link, probe.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }
}

/// A network of honest seeds and one hostile one; everybody is content with one link, so pairs and chains stay apart.
fn split_network(honest: u16, rng_seed: u64) -> Option<Network> {
    let mut network = Network::new(honest, rng_seed);
    HostileSeed::start(&mut network, honest + 1);
    network.peer_config.max_dial = 1;
    network.start_peers(1..=14);
    network.world.run_for(Duration::from_secs(5));
    if network.connected() {
        return None;
    }
    let peers = network.peers();
    network.start_double(peer_addr(99), FalseRoot::of(peer_addr(99), ROOT, peers));
    Some(network)
}

/// The peers that the hostile seed has not caught.
fn free(network: &Network, honest: u16) -> Vec<Addr> {
    let caught = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Up { peer, purpose: Purpose::Registration, .. }) if *peer == seed_addr(honest + 1));
    network.peers().into_iter().filter(|peer| network.count(*peer, caught) == 0).collect()
}

#[test]
fn a_hostile_seed_holds_apart_only_parts_it_has_caught_whole() {
    let split = (600..700).filter_map(|rng_seed| split_network(2, rng_seed));
    let is_free = |network: &Network| {
        let free = free(network, 2);
        network.parts(&network.peers()).iter().all(|part| part.iter().any(|peer| free.contains(peer)))
    };
    let mut count = 0;
    for mut network in split.filter(is_free).take(4) {
        count += 1;
        let whole = (1..=60).find(|_| {
            network.world.run_for(LIVENESS);
            network.connected()
        });
        assert!(whole.is_some(), "{:?}", network.parts(&network.peers()));
    }
    assert_eq!(count, 4, "so many of 100 overlays were split");
}
