//! Strangers that take another's name, send others somewhere, or come in masses.

use std::time::Duration;

use gossipctl::event::{DeathEvent, Direction, Event, EventKind, LinkEnd, LinkEvent, LinkId, Purpose, Rule, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{HALF_OPEN_MAX, PeerConfig};
use gossipctl::proto::machine::{CloseCause, Input, LinkChange};
use gossipctl::proto::message::{Hello, Message, Priority, Role};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::reach::Reach;
use gossipctl::proto::time::Time;
use gossipctl::sim::World;

use crate::virtual_time::alone::{Alone, Ask};
use crate::virtual_time::{Anyone, Double, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

fn hello(listen: Addr, role: Role) -> Message {
    Message::Hello(Hello { listen, role, priority: Priority::Low })
}

/// Dials a node again and again, and names the address of another.
struct Impostor {
    target: Addr,
    name: Addr,
    next: Option<Time>,
    answered: bool,
}

impl Impostor {
    fn new(target: Addr, name: Addr) -> Self {
        Self { target, name, next: None, answered: true }
    }
}

impl Double for Impostor {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start | Input::Wake => {
                self.next = Some(now + SECOND);
                vec![Ask::Dial(self.target, Purpose::Neighbor)]
            }
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                vec![Ask::Send(link, hello(self.name, Role::Peer))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } if self.answered => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next
    }
}

fn rule_of(kind: &EventKind) -> Option<Rule> {
    if let EventKind::Link(LinkEvent::Violation { violation, .. }) = kind { Some(violation.rule) } else { None }
}

fn more(kind: &EventKind) -> u64 {
    if let EventKind::Link(LinkEvent::MoreOffenses { count, .. }) = kind { *count } else { 0 }
}

#[test]
fn who_names_our_neighbor_takes_neither_its_place_nor_its_link() {
    for rng_seed in 0..20 {
        let mut network = Network::settled(1, 2, 70 + rng_seed);
        // Whichever of them dialed the link.
        for (target, name) in [(peer_addr(1), peer_addr(2)), (peer_addr(2), peer_addr(1))] {
            let before = network.world.events().len();
            network.start_double(peer_addr(99), Impostor::new(target, name));
            network.world.run_for(LIVENESS * 6);
            network.world.kill(peer_addr(99));
            let since = &network.world.events()[before..];
            let down = |event: &&Event| {
                matches!(
                    event.kind,
                    EventKind::Link(LinkEvent::Down { .. }) | EventKind::Death(DeathEvent::NeighborDied { .. })
                )
            };
            assert_eq!(since.iter().find(down), None, "{target} is told that somebody is {name}");
            let told = since.iter().filter(|event| rule_of(&event.kind) == Some(Rule::NameTaken)).count();
            let dismissed = since.iter().all(|event| rule_of(&event.kind).is_none());
            // The link that the lower address dialed stands without asking.
            assert!(told > 0 || (dismissed && target < name), "{target} says nothing of who names {name}");
            network.assert_symmetric();
        }
        assert!(network.connected());
    }
}

#[test]
fn a_silent_neighbor_gives_its_place_to_its_namesake() {
    let mut network = Network::settled(1, 2, 71);
    network.world.hang(peer_addr(1));
    network.start_double(peer_addr(99), Impostor::new(peer_addr(2), peer_addr(1)));
    let ups = |world: &World<Anyone>| {
        let is_up = |event: &&Event| match event.kind {
            EventKind::Link(LinkEvent::Up { peer, direction, .. }) => {
                event.node == peer_addr(2) && peer == peer_addr(1) && direction == Direction::Inbound
            }
            _ => false,
        };
        world.events().iter().filter(is_up).count()
    };
    let before = ups(&network.world);
    // Long before its misses would be enough.
    assert!(network.world.run_until(SECOND * 5, |world| ups(world) > before), "the newcomer is the neighbor now");
}

#[test]
fn who_registers_under_a_live_name_does_not_delist_it() {
    let mut network = Network::settled(1, 3, 72);
    network.start_double(peer_addr(99), Impostor::new(seed_addr(1), peer_addr(2)));
    network.world.run_for(LIVENESS * 6);
    let taken = |kind: &EventKind| rule_of(kind) == Some(Rule::NameTaken);
    assert!(network.count(seed_addr(1), taken) > 0);
    let again = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { again: true, .. }));
    assert_eq!(network.count(seed_addr(1), again), 0);
    let lost = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { purpose: Purpose::Registration, peer, .. }) if *peer == seed_addr(1));
    assert_eq!(network.count(peer_addr(2), lost), 0);
    assert_eq!(network.listed(1), [1, 2, 3].map(peer_addr));
}

#[test]
fn who_registers_under_a_silent_name_takes_its_place() {
    let mut network = Network::settled(1, 3, 73);
    network.world.hang(peer_addr(2));
    network.start_double(peer_addr(99), Impostor::new(seed_addr(1), peer_addr(2)));
    network.world.run_for(SECOND * 5);
    let again = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { again: true, .. }));
    assert_eq!(network.count(seed_addr(1), again), 1);
}

/// A peer and a seed, each on its own.
fn alone() -> [Alone<Node>; 2] {
    Alone::peer_and_seed(Addr::new([10, 0, 0, 1].into(), 3000))
}

#[test]
fn a_minute_of_bad_connections_is_a_few_lines_that_count_each() {
    for mut node in alone() {
        let (flood, step) = (60_000_u64, Duration::from_millis(1));
        for n in 0..flood {
            node.now = node.now + step;
            let link = node.accept(([10, 0, 0, 9], u16::try_from(n % 60_000).unwrap()));
            node.say(link, Message::ListRequest);
        }
        node.pass(SECOND * 11);
        let told = node.asks.count(|kind| rule_of(kind) == Some(Rule::HelloExpected));
        let counted: u64 = node.asks.told().map(more).sum();
        let lines = node.asks.count(|kind| rule_of(kind).is_some() || more(kind) > 0);
        assert_eq!(told + counted, flood);
        assert!(lines <= 7 * 4, "{lines} lines in a minute");
        assert_eq!(node.asks.hung_up().len() as u64, flood);
    }
}

#[test]
fn one_machine_with_silent_links_does_not_keep_others_out() {
    for mut node in alone() {
        for _ in 0..HALF_OPEN_MAX * 2 {
            node.accept(([10, 0, 0, 9], 40_000));
        }
        let turned_away = node.asks.hung_up().len();
        assert!(turned_away > HALF_OPEN_MAX, "{turned_away}");
        node.accept(([10, 0, 0, 7], 40_000));
        assert_eq!(node.asks.hung_up().len(), turned_away, "another machine is let in");
    }
}

/// A seed that hands out a list of its own.
pub(crate) struct ListSeed {
    pub(crate) own: Addr,
    pub(crate) list: Vec<Addr>,
}

impl Double for ListSeed {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Link { link, change: LinkChange::Accepted { .. } } => vec![
                Ask::Send(link, hello(self.own, Role::Seed)),
                Ask::Send(link, Message::PeerList(self.list.clone().into())),
            ],
            _ => Vec::new(),
        }
    }
}

/// Whom a peer dials, other than its seed, that is given this list.
fn dialed(own: &str, allow: &[&str], list: &[&str]) -> Vec<String> {
    let (own, seed): (Addr, Addr) = (own.parse().unwrap(), "192.0.2.1:5001".parse().unwrap());
    let mut world = World::new(1);
    let list = list.iter().map(|addr| addr.parse().unwrap()).collect();
    world.start(seed, Anyone::Double(Box::new(ListSeed { own: seed, list })));
    let mut config = PeerConfig::new(own, vec![seed]);
    config.max_dial = 8;
    config.reach = Reach::new(allow.iter().map(|network| network.parse().unwrap()));
    world.start(own, Anyone::Ours(Peer::new(config, 1).into()));
    world.run_for(SECOND * 5);
    let neighbor = |event: &Event| match event.kind {
        EventKind::Link(LinkEvent::Dialing { peer, purpose: Purpose::Neighbor, .. }) => Some(peer.to_string()),
        _ => None,
    };
    let mut dialed: Vec<String> = world.events().iter().filter_map(neighbor).collect();
    dialed.sort_unstable();
    dialed.dedup();
    dialed
}

#[test]
fn a_hostile_list_does_not_make_a_peer_dial_anywhere() {
    let list = ["127.0.0.1:22", "10.0.0.7:3000", "198.51.100.80:80"];
    assert_eq!(dialed("127.0.0.1:3000", &[], &list), ["127.0.0.1:22"]);
    assert_eq!(dialed("10.0.0.5:3000", &[], &list), ["10.0.0.7:3000", "198.51.100.80:80"]);
    assert_eq!(dialed("10.0.0.5:3000", &["10.0.0.0/8"], &list), ["10.0.0.7:3000"]);
    assert_eq!(dialed("127.0.0.1:3000", &["10.0.0.0/8"], &list), ["10.0.0.7:3000", "127.0.0.1:22"]);
}

#[test]
fn a_loopback_name_from_elsewhere_is_told_and_not_listed() {
    for mut node in alone() {
        for ip in [[10, 0, 0, 9], [127, 0, 0, 1]] {
            node.joins((ip, 40_000), Addr::loopback(4000), Priority::Low);
        }
        let told: Vec<Rule> = node.asks.told().filter_map(rule_of).collect();
        assert_eq!(told, [Rule::BadAddress]);
        assert_eq!(node.asks.hung_up(), [LinkId(1)], "who is on this machine may");
    }
}

#[test]
fn a_neighbor_restarted_unnoticed_is_back_once_its_link_fails() {
    let (own, other) = (Addr::loopback(3001), Addr::loopback(3000));
    let mut peer = Alone::new(Peer::new(PeerConfig::new(own, Vec::new()), 1));
    let links = [0, 1].map(|_| peer.joins(([127, 0, 0, 1], 40_000), other, Priority::Low));
    let ups = |peer: &Alone<Peer>| {
        let up =
            |kind: &EventKind| if let EventKind::Link(LinkEvent::Up { link, .. }) = kind { Some(*link) } else { None };
        peer.asks.told().filter_map(up).collect::<Vec<_>>()
    };
    assert_eq!(ups(&peer), links[..1], "the second one waits");
    peer.ends(links[0], CloseCause::Error);
    assert_eq!(ups(&peer), links);
    let down = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::Dead { .. }, .. }));
    assert_eq!(peer.asks.count(down), 1);
    assert_eq!(peer.machine.neighbors().collect::<Vec<_>>(), [other]);
}
