//! Remotes that keep the protocol and say too much.

use std::time::Duration;

use gossipctl::event::{
    DeathEvent, Event, EventKind, LinkEvent, LinkId, Omission, ProbeEvent, Purpose, Rule, SeedEvent,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::budget::{BURST, MESSAGES_A_SECOND};
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::{CloseCause, Input, LinkChange, Machine};
use gossipctl::proto::message::{Hello, Message, Priority, Role};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::{ClockTime, Time};

use crate::network::{Double, DoubleAct, Network, Told, peer_addr, seed_addr};

const STEP: Duration = Duration::from_millis(10);
/// Messages that a flooder sends in each step: two and a half times what a link may bring.
const MESSAGES_A_STEP: u64 = 10;

fn clock() -> ClockTime {
    ClockTime::from_seconds(0).unwrap()
}

fn probe(number: u64) -> Message {
    Message::Probe { seq: number, asker: peer_addr(99), clock: clock(), extras: None }
}

fn report(number: u64) -> Message {
    let dead = Addr::new([10, 0, 0, 1].into(), u16::try_from(number % 60_000).unwrap() + 1);
    Message::DeadReport { dead, clock: clock(), reporter: peer_addr(99), cause: None }
}

fn list_request(_: u64) -> Message {
    Message::ListRequest
}

/// Says hello and then the same kind of message without end.
struct Flooder {
    target: Addr,
    message: fn(u64) -> Message,
    link: Option<LinkId>,
    sent: u64,
    next: Option<Time>,
}

impl Flooder {
    fn new(target: Addr, message: fn(u64) -> Message) -> Self {
        Self { target, message, link: None, sent: 0, next: None }
    }
}

impl Double for Flooder {
    fn handle(&mut self, now: Time, input: Input) -> Vec<DoubleAct> {
        match input {
            Input::Start => vec![DoubleAct::Dial(self.target, Purpose::Neighbor)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                (self.link, self.next) = (Some(link), Some(now + STEP));
                let hello = Hello { listen: peer_addr(99), role: Role::Peer, priority: Priority::High };
                vec![DoubleAct::Send(link, Message::Hello(hello))]
            }
            // A seed that dials back to see who listens there closes a link of its own.
            Input::Link { link, change: LinkChange::Closed { .. } } if self.link == Some(link) => {
                (self.link, self.next) = (None, None);
                Vec::new()
            }
            Input::Wake => {
                self.next = Some(now + STEP);
                let numbers = self.sent..self.sent + MESSAGES_A_STEP;
                self.sent = numbers.end;
                let link = self.link;
                numbers.filter_map(|number| Some(DoubleAct::Send(link?, (self.message)(number)))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next
    }
}

fn is_too_many(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Link(LinkEvent::Violation { violation, .. }) if violation.rule == Rule::TooManyMessages)
}

fn is_flooding(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Link(LinkEvent::Flooding { peer, .. }) if *peer == peer_addr(99))
}

#[test]
fn who_floods_a_node_is_slowed_then_told_of_then_dropped() {
    for (target, message) in
        [(peer_addr(1), probe as fn(u64) -> Message), (seed_addr(1), report), (seed_addr(1), list_request)]
    {
        let mut network = Network::settled(1, 4, 80);
        let before = network.world.events().len();
        network.start_double(peer_addr(99), Flooder::new(target, message));
        network.world.run_for(Duration::from_secs(30));
        let since = &network.world.events()[before..];
        let place = |wanted: fn(&EventKind) -> bool| {
            let fits = |event: &Event| event.node == target && wanted(&event.kind);
            let count = since.iter().filter(|event| fits(event)).count();
            assert_eq!(count, 1, "at {target}, flooded with {}", message(1).name());
            since.iter().position(fits).unwrap()
        };
        assert!(place(is_flooding) < place(is_too_many));
        let begun = since.iter().find(|event| matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }))).unwrap().at;
        let ended = since[place(is_too_many)].at;
        let answered = |event: &&Event| match event.kind {
            EventKind::Probe(ProbeEvent::Received { peer, .. }) => peer == peer_addr(99),
            EventKind::Death(DeathEvent::DeadReportReceived { reporter, .. }) => reporter == peer_addr(99),
            EventKind::Seed(SeedEvent::PeerListSent { peer, .. }) => peer == Some(peer_addr(99)),
            _ => false,
        };
        let count = since.iter().filter(answered).count() as u64;
        let most = u64::from(BURST) + u64::from(MESSAGES_A_SECOND) * (ended.since(begun).as_secs() + 1);
        assert!(count <= most && count > 0, "{count} were answered, and {most} may be");
        let harmed = |event: &&Event| match event.kind {
            EventKind::Death(DeathEvent::NeighborDied { peer, .. }) | EventKind::Link(LinkEvent::Down { peer, .. }) => {
                peer != peer_addr(99)
            }
            _ => false,
        };
        assert_eq!(since.iter().find(harmed), None);
        assert!(network.connected());
    }
}

const OWN: Addr = Addr::loopback(3_000);

/// A node on its own, and links that are opened to it.
struct Alone {
    node: Node,
    now: Time,
    told: Told,
    links: u64,
}

impl Alone {
    fn new(node: Node) -> Self {
        let mut alone = Self { node, now: gossipctl::sim::EPOCH, told: Told::default(), links: 0 };
        alone.input(Input::Start);
        alone
    }

    fn peer_and_seed() -> [Self; 2] {
        let (peer, seed) = (PeerConfig::new(OWN, Vec::new()), SeedConfig::new(OWN));
        [Self::new(Peer::new(peer, 1).into()), Self::new(Seed::new(seed, 1).into())]
    }

    fn input(&mut self, input: Input) {
        self.node.handle(self.now, input, &mut self.told);
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.node.next_deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.input(Input::Wake);
        }
        self.now = until;
    }

    /// Somebody with a name of its own links to it.
    fn hello(&mut self, priority: Priority) -> LinkId {
        self.links += 1;
        let (link, port) = (LinkId(self.links), u16::try_from(self.links % 500).unwrap() + 4_000);
        self.input(Input::Link { link, change: LinkChange::Accepted { remote: ([127, 0, 0, 1], port).into() } });
        let hello = Hello { listen: Addr::loopback(port), role: Role::Peer, priority };
        self.input(Input::Message { link, message: Message::Hello(hello) });
        link
    }

    fn ends(&mut self, link: LinkId) {
        self.input(Input::Link { link, change: LinkChange::Closed { cause: CloseCause::EndOfStream } });
    }
}

const HELLOS: u64 = 10_000;

#[test]
fn links_that_come_and_go_in_masses_are_told_as_a_number() {
    for mut alone in Alone::peer_and_seed() {
        for _ in 0..HELLOS {
            let link = alone.hello(Priority::High);
            alone.ends(link);
            alone.pass(Duration::from_millis(1));
        }
        alone.pass(Duration::from_secs(30));
        let (up, down) = (
            alone.told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Up { .. }))),
            alone.told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { .. }))),
        );
        assert_eq!((up, up + alone.told.omitted(Omission::Links)), (down, HELLOS));
        assert!((1..=200).contains(&up), "{up} links were told one by one");
        let all = alone.told.0.len();
        assert!(all <= 1_000, "{all} events");
    }
}

#[test]
fn a_link_that_stands_in_a_flood_is_told_and_so_is_its_end() {
    for mut alone in Alone::peer_and_seed() {
        for _ in 0..1_000 {
            let link = alone.hello(Priority::High);
            alone.ends(link);
        }
        let stays = alone.hello(Priority::High);
        let tells = |told: &Told| {
            told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Up { link, .. }) if *link == stays))
        };
        assert_eq!(tells(&alone.told), 0, "nobody knows yet whether it stands");
        alone.pass(Duration::from_secs(3));
        assert_eq!(tells(&alone.told), 1);
        alone.ends(stays);
        assert_eq!(
            alone.told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { link, .. }) if *link == stays)),
            1
        );
    }
}

const REFUSED: u64 = 400;

#[test]
fn masses_of_refusals_and_reports_are_told_as_numbers() {
    let [mut peer, mut seed] = Alone::peer_and_seed();
    for number in 0..8 + REFUSED {
        peer.hello(if number < 8 { Priority::High } else { Priority::Low });
    }
    peer.pass(Duration::from_secs(11));
    let refused = peer.told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Refused { .. })));
    assert_eq!(refused + peer.told.omitted(Omission::Refusals), REFUSED);
    assert!((1..=300).contains(&refused), "{refused} were told one by one");

    let link = seed.hello(Priority::High);
    for number in 0..3_000 {
        seed.input(Input::Message { link, message: report(number) });
        seed.pass(Duration::from_millis(3));
    }
    seed.pass(Duration::from_secs(11));
    let told = seed.told.count(|kind| matches!(kind, EventKind::Death(DeathEvent::DeadReportReceived { .. })));
    assert_eq!(told + seed.told.omitted(Omission::Reports), 3_000);
    assert!((1..=600).contains(&told), "{told} were told one by one");
}
