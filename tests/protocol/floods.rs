//! Remotes that keep the protocol and say too much.

use std::time::Duration;

use gossipctl::event::{
    DeathEvent, Event, EventKind, LinkEvent, LinkId, Omission, ProbeEvent, Purpose, Rule, SeedEvent,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::budget::{BURST, MESSAGES_A_SECOND};
use gossipctl::proto::machine::{CloseCause, Input, LinkChange};
use gossipctl::proto::message::{Hello, Message, Priority, Role};
use gossipctl::proto::node::Node;
use gossipctl::proto::time::{ClockTime, Time};

use crate::virtual_time::alone::{Alone, Ask, Asks};
use crate::virtual_time::{Double, Network, peer_addr, seed_addr};

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
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.target, Purpose::Neighbor)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                (self.link, self.next) = (Some(link), Some(now + STEP));
                let hello = Hello { listen: peer_addr(99), role: Role::Peer, priority: Priority::High };
                vec![Ask::Send(link, Message::Hello(hello))]
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
                numbers.filter_map(|number| Some(Ask::Send(link?, (self.message)(number)))).collect()
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

/// A peer and a seed, each on its own.
fn peer_and_seed() -> [Alone<Node>; 2] {
    Alone::peer_and_seed(Addr::loopback(3_000))
}

/// Somebody with a name of its own links to it: the n-th.
fn hello(alone: &mut Alone<Node>, n: u64, priority: Priority) -> LinkId {
    let listen = Addr::loopback(u16::try_from(n % 500).unwrap() + 4_000);
    alone.joins(listen, listen, priority)
}

const HELLOS: u64 = 10_000;

#[test]
fn links_that_come_and_go_in_masses_are_told_as_a_number() {
    for mut alone in peer_and_seed() {
        for n in 1..=HELLOS {
            let link = hello(&mut alone, n, Priority::High);
            alone.ends(link, CloseCause::EndOfStream);
            alone.pass(Duration::from_millis(1));
        }
        alone.pass(Duration::from_secs(30));
        let (up, down) = (
            alone.asks.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Up { .. }))),
            alone.asks.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { .. }))),
        );
        assert_eq!((up, up + alone.asks.omitted(Omission::Links)), (down, HELLOS));
        assert!((1..=200).contains(&up), "{up} links were told one by one");
        let all = alone.asks.told().count();
        assert!(all <= 1_000, "{all} events");
    }
}

#[test]
fn a_link_that_stands_in_a_flood_is_told_and_so_is_its_end() {
    for mut alone in peer_and_seed() {
        for n in 1..=1_000 {
            let link = hello(&mut alone, n, Priority::High);
            alone.ends(link, CloseCause::EndOfStream);
        }
        let stays = hello(&mut alone, 1_001, Priority::High);
        let tells = |told: &Asks| {
            told.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Up { link, .. }) if *link == stays))
        };
        assert_eq!(tells(&alone.asks), 0, "nobody knows yet whether it stands");
        alone.pass(Duration::from_secs(3));
        assert_eq!(tells(&alone.asks), 1);
        alone.ends(stays, CloseCause::EndOfStream);
        assert_eq!(
            alone.asks.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { link, .. }) if *link == stays)),
            1
        );
    }
}

const REFUSED: u64 = 400;

#[test]
fn masses_of_refusals_and_reports_are_told_as_numbers() {
    let [mut peer, mut seed] = peer_and_seed();
    for n in 1..=8 + REFUSED {
        hello(&mut peer, n, if n <= 8 { Priority::High } else { Priority::Low });
    }
    peer.pass(Duration::from_secs(11));
    let refused = peer.asks.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Refused { .. })));
    assert_eq!(refused + peer.asks.omitted(Omission::Refusals), REFUSED);
    assert!((1..=300).contains(&refused), "{refused} were told one by one");

    let link = hello(&mut seed, 1, Priority::High);
    for number in 0..3_000 {
        seed.say(link, report(number));
        seed.pass(Duration::from_millis(3));
    }
    seed.pass(Duration::from_secs(11));
    let told = seed.asks.count(|kind| matches!(kind, EventKind::Death(DeathEvent::DeadReportReceived { .. })));
    assert_eq!(told + seed.asks.omitted(Omission::Reports), 3_000);
    assert!((1..=600).contains(&told), "{told} were told one by one");
}
