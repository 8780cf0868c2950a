//! Nodes that keep the protocol and mean harm.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use gossipctl::event::{
    DeathEvent, Direction, EventKind, GossipEvent, LinkEvent, LinkId, NodeEvent, Purpose, Rule, SeedEvent,
};
use gossipctl::model::Model;
use gossipctl::model::node::ObservedState;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::SeedConfig;
use gossipctl::proto::machine::{Input, LinkChange, NodeCommand};
use gossipctl::proto::message::{
    Dialect, Gossip, Hello, Message, MessageId, Priority, ProbeExtras, Role, RootBeacon, RootNews, Trace,
};
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::Time;

use crate::virtual_time::alone::{Alone, Ask};
use crate::virtual_time::{Double, GOSSIP, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

fn hello(listen: Addr, priority: Priority) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority })
}

/// What a forger says in its victim's name.
const NOT_ME: &str = "not me";

/// A neighbor of its victim and of somebody else. It answers probes and, whenever it hears a message of its victim, sends
/// both the next ones in its name.
struct Forger {
    own: Addr,
    victim: Addr,
    other: Addr,
    links: Vec<LinkId>,
}

impl Forger {
    fn forge(&self, heard: &Gossip, seq: u64) -> Vec<Ask> {
        let id = MessageId { seq, ..heard.id };
        let trace = heard.trace.map(|trace| Trace { hop: 1, ..trace });
        let message = Message::Gossip(std::sync::Arc::new(Gossip { id, body: NOT_ME.into(), trace }));
        self.links.iter().map(|link| Ask::Send(*link, message.clone())).collect()
    }
}

impl Double for Forger {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => [self.victim, self.other].map(|target| Ask::Dial(target, Purpose::Neighbor)).into(),
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.links.push(link);
                vec![Ask::Send(link, hello(self.own, Priority::High))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            Input::Message { message: Message::Gossip(heard), .. } if heard.id.origin == self.victim => {
                let next = heard.id.number().map_or(1, |number| number + 1);
                let mut acts = self.forge(&heard, next);
                acts.extend(self.forge(&heard, MessageId::own_text(1)));
                acts
            }
            _ => Vec::new(),
        }
    }
}

fn generated(network: &Network, node: Addr) -> Vec<MessageId> {
    let id = |kind: &EventKind| {
        if let EventKind::Gossip(GossipEvent::Generated { id, .. }) = kind { Some(*id) } else { None }
    };
    network.kinds(node).filter_map(id).collect()
}

#[test]
fn a_node_whose_next_messages_are_forged_speaks_on_and_says_so() {
    let mut network = Network::settled(1, 5, 201);
    let victim = peer_addr(1);
    let (own, other) = (peer_addr(99), peer_addr(2));
    network.start_double(own, Forger { own, victim, other, links: Vec::new() });
    network.world.run_for(GOSSIP * 2);
    let before = generated(&network, victim).len();
    network.world.run_for(GOSSIP * 6);
    network.command(victim, NodeCommand::Say("it is me".into()));
    network.world.run_for(SECOND);

    let own = generated(&network, victim);
    let ours = own.len() - before;
    assert!((6..=8).contains(&ours), "six intervals and a text of the user's own: {ours} messages");
    let holders = network.holders();
    for id in &own[before..] {
        assert_eq!(holders[id].len(), 5, "{id} reached everyone");
    }
    // The forger can still race the copies of a text that it has heard, in the same number.
    let is_taken_for_ours = |kind: &EventKind| matches!(kind, EventKind::Gossip(GossipEvent::Received { id, body, .. }) if id.number().is_some() && own[before..].contains(id) && *body == NOT_ME.into());
    assert!(!network.any(is_taken_for_ours), "what reached everyone is what the node said");
    let failed = |kind: &EventKind| matches!(kind, EventKind::Node(NodeEvent::Failed { .. }));
    assert_eq!(network.count(victim, failed), 0, "what the user says is sent");
    let told = network.count(
        victim,
        |kind| matches!(kind, EventKind::Gossip(GossipEvent::Forged { from, .. }) if *from == peer_addr(99)),
    );
    assert!((2..=8).contains(&told), "once in ten seconds, not for each of the copies: {told}");
    assert!(network.neighbors(victim).contains(&peer_addr(99)), "it may only have forwarded them");
    let forged =
        |kind: &EventKind| matches!(kind, EventKind::Gossip(GossipEvent::Received { id, .. }) if id.origin == victim);
    assert_eq!(network.count(victim, forged), 0, "nothing in our own name is news");
}

/// Links to its target, again whenever it has to, and answers probes.
struct Joiner {
    name: Addr,
    target: Addr,
    priority: Priority,
    again_at: Option<Time>,
    /// How long it stays each time; `None`: for ever.
    stays: Option<Duration>,
    link: Option<LinkId>,
}

impl Joiner {
    fn new(name: Addr, target: Addr, priority: Priority) -> Self {
        Self { name, target, priority, again_at: None, stays: None, link: None }
    }

    fn turn(&mut self, now: Time) -> Vec<Ask> {
        self.again_at = Some(now + self.stays.unwrap_or(SECOND));
        match (self.link, self.stays) {
            (Some(_), None) => Vec::new(),
            (Some(link), Some(_)) => {
                self.link = None;
                vec![Ask::HangUp(link)]
            }
            (None, _) => vec![Ask::Dial(self.target, Purpose::Neighbor)],
        }
    }
}

impl Double for Joiner {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start | Input::Wake => self.turn(now),
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.link = Some(link);
                vec![Ask::Send(link, hello(self.name, self.priority))]
            }
            Input::Link { change: LinkChange::Closed { .. }, .. } => {
                self.link = None;
                Vec::new()
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.again_at
    }
}

/// Whom this peer dialed, of its neighbors, in the order in which it did.
fn dialed(network: &Network, peer: Addr) -> Vec<Addr> {
    let neighbors = network.neighbors(peer);
    let up = |kind: &EventKind| match kind {
        EventKind::Link(LinkEvent::Up { peer, direction: Direction::Outbound, purpose: Purpose::Neighbor, .. }) => {
            Some(*peer)
        }
        _ => None,
    };
    network.kinds(peer).filter_map(up).filter(|other| neighbors.contains(other)).collect()
}

#[test]
fn sixty_strangers_do_not_eclipse_a_peer() {
    for (priority, lost_at_once) in [(Priority::High, 1), (Priority::Bridge, 0)] {
        let mut network = Network::silent(1, 16, 202);
        let target = network.peers().into_iter().max_by_key(|peer| network.neighbors(*peer).len()).unwrap();
        let honest: BTreeSet<Addr> = network.neighbors(target);
        let dialed = dialed(&network, target);
        assert!(honest.len() >= 6 && dialed.len() >= 2, "{honest:?} {dialed:?}");
        for number in 0..60 {
            let name = peer_addr(500 + number);
            network.start_double(name, Joiner::new(name, target, priority));
        }
        let lost = |network: &Network| honest.difference(&network.neighbors(target)).count();
        network.world.run_for(SECOND);
        assert_eq!(lost(&network), lost_at_once, "{priority:?}");
        for interval in 1..=20 {
            network.world.run_for(LIVENESS);
            assert!(lost(&network) <= lost_at_once * (interval + 1), "{priority:?}: one an interval");
            let neighbors = network.neighbors(target);
            assert!(neighbors.len() <= network.peer_config.max_neighbors + 8, "{priority:?}: {neighbors:?}");
            let kept = &dialed[dialed.len() - 2..];
            assert!(kept.iter().all(|kept| neighbors.contains(kept)), "{priority:?}: {kept:?} {neighbors:?}");
        }
        let warned = network.count(target, |kind| matches!(kind, EventKind::Link(LinkEvent::EclipseSuspected { .. })));
        assert_eq!(warned > 0, priority == Priority::High, "{warned}");
        assert!(network.connected());
    }
}

#[test]
fn a_link_in_the_name_of_a_seed_is_refused() {
    let mut network = Network::settled(2, 4, 203);
    let (seed, stranger) = (seed_addr(1), peer_addr(99));
    let stays = Some(SECOND * 3);
    network.start_double(stranger, Joiner { stays, ..Joiner::new(seed, peer_addr(1), Priority::High) });
    network.world.run_for(LIVENESS * 6);
    let mut model = Model::new();
    for event in network.world.events() {
        model.apply(event);
        let state = model.nodes().get(seed).map(gossipctl::model::node::NodeRecord::state);
        assert!(state.is_none_or(|state| state == ObservedState::Up), "{state:?} after {event:?}");
    }
    let reported = |kind: &EventKind| {
        matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportReceived { .. }))
    };
    assert!(!network.any(reported), "nobody buries it");
    let refused = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { peer, .. }) if *peer == seed);
    assert!(network.count(peer_addr(1), refused) > 0, "and that is told");
}

/// A seed that sends list after list, each of other addresses at which there is nobody.
struct ListFlood {
    own: Addr,
    links: Vec<LinkId>,
    sent: u16,
    next_at: Option<Time>,
}

impl Double for ListFlood {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                self.links.push(link);
                self.next_at = Some(now);
                let hello = Hello { listen: self.own, role: Role::Seed, priority: Priority::Low };
                vec![Ask::Send(link, Message::Hello(hello))]
            }
            Input::Wake => {
                self.next_at = Some(now + Duration::from_millis(10));
                self.sent += 1;
                let host = [127, 1, self.sent.to_be_bytes()[0], self.sent.to_be_bytes()[1]];
                let list: Vec<Addr> = (1..=64).map(|port| Addr::new(host.into(), port)).collect();
                self.links.iter().map(|link| Ask::Send(*link, Message::PeerList(list.clone().into()))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }
}

#[test]
fn endless_lists_of_a_seed_make_nobody_dial_without_end() {
    let mut network = Network::new(0, 204);
    network.seeds.push(seed_addr(1));
    network.start_double(seed_addr(1), ListFlood { own: seed_addr(1), links: Vec::new(), sent: 0, next_at: None });
    network.start_peer(1);
    network.world.run_for(SECOND * 60);
    let dials =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { purpose: Purpose::Neighbor, .. }));
    let dials = network.count(peer_addr(1), dials);
    assert!((100..=32 + 2 * 60).contains(&dials), "two a second after the first 32: {dials}");
}

/// Links to all peers and tells each of a root that there is not.
pub(crate) struct FalseRoot {
    own: Addr,
    root: Addr,
    peers: Vec<Addr>,
    links: Vec<LinkId>,
    next_at: Option<Time>,
}

impl FalseRoot {
    pub(crate) fn of(own: Addr, root: Addr, peers: Vec<Addr>) -> Self {
        Self { own, root, peers, links: Vec::new(), next_at: None }
    }

    fn extras(&self, now: Time) -> ProbeExtras {
        ProbeExtras { neighbors: 1, root: RootNews::Beacon(RootBeacon { root: self.root, fresh: now }) }
    }
}

impl Double for FalseRoot {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => {
                self.next_at = Some(now + SECOND);
                self.peers.iter().map(|peer| Ask::Dial(*peer, Purpose::Neighbor)).collect()
            }
            Input::Wake => {
                self.next_at = Some(now + LIVENESS / 2);
                let (asker, clock, extras) = (self.own, now.clock(0), Some(self.extras(now)));
                let probe = Message::Probe { seq: now.as_micros(), asker, clock, extras };
                self.links.iter().map(|link| Ask::Send(*link, probe.clone())).collect()
            }
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.links.push(link);
                vec![Ask::Send(link, hello(self.own, Priority::Bridge))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                let extras = Some(self.extras(now));
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras })]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }
}

/// Intervals that a split overlay takes to become one while somebody tells all of a false root; `None`: it was not split.
fn intervals_until_whole(rng_seed: u64) -> Option<u32> {
    // Everybody is content with one link, so pairs and chains stay among themselves.
    let mut network = Network::new(2, rng_seed);
    network.peer_config.max_dial = 1;
    network.start_peers(1..=14);
    network.world.run_for(SECOND * 5);
    if network.connected() {
        return None;
    }
    let (own, root) = (peer_addr(99), Addr::new([127, 0, 0, 0].into(), 1));
    let peers = network.peers();
    network.start_double(own, FalseRoot::of(own, root, peers));
    let whole = (1..=60).find(|_| {
        network.world.run_for(LIVENESS);
        network.connected()
    });
    Some(whole.unwrap_or(u32::MAX))
}

#[test]
fn a_false_root_does_not_keep_an_overlay_split() {
    let taken: Vec<u32> = (200..400).filter_map(intervals_until_whole).take(4).collect();
    println!("intervals until whole: {taken:?}");
    assert_eq!(taken.len(), 4, "so many of 200 overlays were split");
    assert!(taken.iter().all(|intervals| *intervals <= 60), "{taken:?}");
}

#[test]
fn a_connected_overlay_asks_seldom_and_bridges_nothing() {
    let mut network = Network::silent(1, 30, 206);
    let (before, began) = (network.world.events().len(), network.world.now());
    network.world.run_for(LIVENESS * 100);
    let since = &network.world.events()[before..];
    let lists =
        since.iter().filter(|event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerListReceived { .. }))).count();
    assert_eq!(lists, 0, "since {began:?}: whoever has its links and hears the root asks for nothing");
    let bridged = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Repairing { .. }));
    assert!(!since.iter().any(|event| bridged(&event.kind)), "nobody is in another part");
}

/// Registers 500 times a second with names at which there is nobody, and hangs up soon after.
struct Registrant {
    seed: Addr,
    names: u16,
    open: VecDeque<(Time, LinkId)>,
    next_at: Option<Time>,
}

impl Double for Registrant {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start | Input::Wake => {
                self.next_at = Some(now + Duration::from_millis(2));
                let mut acts = vec![Ask::Dial(self.seed, Purpose::Registration)];
                while self.open.front().is_some_and(|(since, _)| now.since(*since) > Duration::from_millis(50)) {
                    acts.extend(self.open.pop_front().map(|(_, link)| Ask::HangUp(link)));
                }
                acts
            }
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.names += 1;
                self.open.push_back((now, link));
                let name = Addr::new([127, 3, 0, 1].into(), 1_000 + self.names);
                vec![Ask::Send(link, hello(name, Priority::High))]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }
}

#[test]
fn a_newcomer_joins_while_a_seed_is_flooded_with_names() {
    let mut network = Network::settled(1, 4, 207);
    let registrant = Registrant { seed: seed_addr(1), names: 0, open: VecDeque::new(), next_at: None };
    network.start_double(peer_addr(99), registrant);
    network.world.run_for(SECOND * 10);
    network.start_peer(5);
    network.world.run_for(SECOND * 5);
    let neighbors = network.neighbors(peer_addr(5));
    assert_eq!(neighbors, [1, 2, 3, 4].map(peer_addr).into(), "all that there are");
    let list = |kind: &EventKind| {
        if let EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) = kind { Some(peers.len()) } else { None }
    };
    let lists: Vec<usize> = network.kinds(peer_addr(5)).filter_map(list).collect();
    assert!(lists.iter().all(|len| *len <= 4 + 32), "{lists:?}");
    let listed = network.listed(1).len();
    assert!(listed < 100, "names of nobody stay no longer than their registrations: {listed}");
}

#[test]
fn unproven_names_are_a_quarter_of_a_long_list() {
    let mut network = Network::new(1, 208);
    network.peer_config.messages = Some(0);
    network.start_peers(1..=150);
    network.world.run_for(LIVENESS * 12);
    // These stay, and nobody listens where they say.
    for number in 0..200 {
        let name = Addr::new([127, 4, 0, 1].into(), 1_000 + number);
        network.start_double(peer_addr(1_000 + number), Lister { seed: seed_addr(1), name });
    }
    network.world.run_for(LIVENESS * 3);
    network.start_peer(151);
    network.world.run_for(SECOND);
    let lists = network.kinds(peer_addr(151)).filter_map(|kind| match kind {
        EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) => Some(peers.clone()),
        _ => None,
    });
    for list in lists {
        let (unproven, proven): (Vec<Addr>, Vec<Addr>) = list.iter().partition(|peer| peer.ip().octets()[1] == 4);
        assert_eq!((proven.len(), unproven.len()), (48, 16));
    }
    assert_eq!(network.listed(1).len(), 351);
    let told =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { .. } | LinkEvent::DialFailed { .. }));
    assert_eq!(network.count(seed_addr(1), told), 0, "that it asks is nothing to tell");
    let told =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { peer, .. }) if *peer == seed_addr(1));
    assert!(!network.any(told), "nor that it was asked");
}

/// Registers once, by a name that is not its own, and stays.
pub(crate) struct Lister {
    pub(crate) seed: Addr,
    pub(crate) name: Addr,
}

impl Double for Lister {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                vec![Ask::Send(link, hello(self.name, Priority::High))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }
}

#[test]
fn a_seed_that_is_registered_as_a_peer_elsewhere_is_found_out() {
    let mut network = Network::settled(2, 3, 209);
    network.start_double(peer_addr(99), Lister { seed: seed_addr(1), name: seed_addr(2) });
    network.world.run_for(SECOND * 5);
    let is_told = |kind: &EventKind| {
        matches!(kind, EventKind::Link(LinkEvent::Violation { peer, violation, .. })
            if *peer == Some(seed_addr(2)) && violation.rule == Rule::BadAddress)
    };
    assert_eq!(network.count(seed_addr(1), is_told), 1);
    assert_eq!(network.listed(1), [1, 2, 3].map(peer_addr));
}

#[test]
fn one_other_machine_fills_no_more_than_a_quarter_of_a_list() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let own = Addr::new([10, 0, 0, 1].into(), 5000);
        let list_max = 8_192;
        let mut seed = Alone::new(Seed::new(SeedConfig { dialect, list_max, ..SeedConfig::new(own) }, 1));
        let mut register = |number: u16, machine: u8| {
            let before = seed.asks.hung_up().len();
            let name = Addr::new([10, 0, 0, machine].into(), number + 1);
            seed.joins(([10, 0, 0, machine], 40_000), name, Priority::High);
            seed.asks.hung_up().len() == before
        };
        let taken = (0..3_000).filter(|number| register(*number, 9)).count();
        assert_eq!(taken, list_max / 4, "{dialect}");
        assert!(register(5_000, 7), "{dialect}: another machine has a place");
    }
}
