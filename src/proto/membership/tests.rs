//! Membership alone: connections come up, close, and bring messages.

use super::*;
use crate::proto::event::EventKind;
use crate::proto::event::{DeathEvent, DialError, SeedEvent};
use crate::proto::machine::CloseCause;
use crate::proto::message::{Dialect, PeerSample};
use crate::proto::testing::Surroundings;

const SEED: u16 = 5001;

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

struct Alone {
    membership: Membership,
    around: Surroundings,
    links: u64,
}

/// A peer at 3000 that has just started.
fn alone(dialect: Dialect, seeds: &[u16]) -> Alone {
    let mut around = Surroundings::new(3000, seeds);
    (around.config.dialect, around.config.max_neighbors) = (dialect, 3);
    let mut membership = Membership::new(&around.config);
    membership.start(&mut around.cx());
    Alone { membership, around, links: 0 }
}

impl Alone {
    fn hear(&mut self, link: LinkId, message: Message) -> Heard {
        let heard = self.membership.hear(&mut self.around.cx(), link, &message);
        if matches!(heard, Heard::Other) {
            self.membership.on_message(&mut self.around.cx(), link, message);
        }
        heard
    }

    fn hello(listen: Addr, role: Role, priority: Priority) -> Message {
        Message::Hello(Hello { listen, role, priority })
    }

    /// A peer dials this one and says hello.
    fn joins(&mut self, peer: Addr, priority: Priority) -> LinkId {
        self.links += 1;
        let link = LinkId(self.links);
        self.membership.on_accepted(&mut self.around.cx(), link, Addr::loopback(40_000));
        self.hear(link, Self::hello(peer, Role::Peer, priority));
        link
    }

    /// The dial that was asked for comes up.
    fn dialed(&mut self, peer: Addr) -> LinkId {
        self.links += 1;
        let link = LinkId(self.links);
        self.membership.on_dialed(&mut self.around.cx(), link, peer);
        link
    }

    /// Registers with the seed, which lists these peers.
    fn registers(&mut self, peers: Vec<Addr>) -> LinkId {
        let seed = Addr::loopback(SEED);
        let link = self.dialed(seed);
        self.hear(link, Self::hello(seed, Role::Seed, Priority::Low));
        self.hear(link, Message::PeerList(PeerSample { listed: 9, peers, lowest: None }));
        link
    }

    fn news(&mut self) -> Vec<String> {
        self.membership.take_news().into_iter().map(|news| format!("{news:?}")).collect()
    }
}

#[test]
fn a_joiner_is_a_neighbor_until_it_says_goodbye() {
    let mut alone = alone(Dialect::Framed, &[]);
    let link = alone.joins(p(1), Priority::Low);
    assert_eq!(alone.news(), ["Up(127.0.0.1:3001)"]);
    assert!(matches!(alone.hear(link, Message::ListRequest), Heard::Neighbor { peer, .. } if peer == p(1)));
    let goodbye = Message::Goodbye { reason: GoodbyeReason::Leaving, referral: Vec::new() };
    alone.membership.on_neighbor_message(&mut alone.around.cx(), link, p(1), goodbye);
    assert_eq!(alone.news(), ["Down(127.0.0.1:3001)"]);
    assert_eq!(alone.membership.neighbors().count(), 0);
}

#[test]
fn a_closed_link_is_a_death_unless_this_node_was_away() {
    let mut alone = alone(Dialect::Framed, &[]);
    let [one, other] = [1, 2].map(|n| alone.joins(p(n), Priority::Low));
    alone.news();
    alone.membership.on_closed(&mut alone.around.cx(), one, &CloseCause::Error);
    assert_eq!(alone.news(), ["Died { peer: 127.0.0.1:3001, cause: LinkError }"]);
    let until = alone.around.now + alone.around.config.liveness_interval;
    alone.membership.on_absence(&alone.around.cx(), until);
    alone.membership.on_closed(&mut alone.around.cx(), other, &CloseCause::EndOfStream);
    assert_eq!(alone.news(), ["Down(127.0.0.1:3002)"]);
    assert_eq!(alone.around.take().dialed, [p(2)], "it is dialed again");
}

#[test]
fn the_dead_are_reported_to_the_seeds() {
    let mut alone = alone(Dialect::Framed, &[SEED]);
    let registration = alone.registers(Vec::new());
    alone.joins(p(1), Priority::Low);
    alone.around.take();
    let (cause, last_heard) = (DeathCause::Misses { misses: 3 }, alone.around.now);
    alone.membership.bury(&mut alone.around.cx(), p(1), cause, last_heard, None);
    let wishes = alone.around.take();
    let is_report = |message: &Message| matches!(message, Message::DeadReport { dead, .. } if *dead == p(1));
    assert!(wishes.sent_on.iter().any(|(link, message)| *link == registration && is_report(message)));
    let is_death = |event: &EventKind| matches!(event, EventKind::Death(DeathEvent::NeighborDied { .. }));
    assert!(wishes.events.iter().any(is_death));
}

#[test]
fn a_full_peer_gives_up_a_neighbor_for_one_that_has_none() {
    let mut alone = alone(Dialect::Framed, &[]);
    (1..=3).for_each(|n| _ = alone.joins(p(n), Priority::Low));
    for n in 1..=3 {
        let extras = Some(ProbeExtras { neighbors: 4, root: RootNews::Nothing });
        alone.membership.on_extras(&alone.around.cx(), p(n), extras);
    }
    alone.news();
    alone.joins(p(4), Priority::Low);
    assert_eq!(alone.news(), [""; 0], "refused: it has others");
    alone.joins(p(5), Priority::High);
    let news = alone.news();
    assert!(news.len() == 2 && news[0].starts_with("Down") && news[1] == "Up(127.0.0.1:3005)", "{news:?}");
}

#[test]
fn no_seed_is_missed_while_one_may_still_answer() {
    let mut it = alone(Dialect::Framed, &[SEED, SEED + 1]);
    let shortages = |it: &mut Alone| {
        let told = |event| match event {
            EventKind::Seed(SeedEvent::TooFewSeeds { registered, .. }) => Some(registered),
            _ => None,
        };
        it.around.take().events.into_iter().filter_map(told).collect::<Vec<_>>()
    };
    let refused = DialError::Quote("refused".to_owned());
    it.membership.on_dial_failed(&mut it.around.cx(), Addr::loopback(SEED + 1), refused);
    assert!(shortages(&mut it).is_empty(), "the other one is on its way");
    it.registers(vec![p(0)]);
    assert_eq!(shortages(&mut it), [1]);
}

#[test]
fn a_peer_dials_what_its_seed_lists() {
    let mut alone = alone(Dialect::Framed, &[SEED]);
    assert_eq!(alone.around.take().dialed, [Addr::loopback(SEED)]);
    alone.registers((1..=9).map(p).collect());
    let dialed = alone.around.take().dialed;
    assert_eq!(dialed.len(), alone.around.config.max_dial, "{dialed:?}");
    let link = alone.dialed(dialed[0]);
    assert_eq!(alone.news(), [""; 0], "nothing was heard yet");
    alone.hear(link, Alone::hello(dialed[0], Role::Peer, Priority::Low));
    assert_eq!(alone.news(), [format!("Up({})", dialed[0])]);
}

#[test]
fn a_classic_node_that_was_dialed_is_a_neighbor_once_it_speaks() {
    let mut alone = alone(Dialect::Classic, &[SEED]);
    alone.registers(vec![p(1)]);
    assert_eq!(alone.around.take().dialed.last(), Some(&p(1)));
    let link = alone.dialed(p(1));
    assert_eq!(alone.news(), ["Awaited(127.0.0.1:3001)"]);
    let heard = alone.hear(link, Message::ListRequest);
    assert!(matches!(heard, Heard::Neighbor { peer, .. } if peer == p(1)));
    assert_eq!(alone.news(), ["Up(127.0.0.1:3001)", "Heard(127.0.0.1:3001)"]);
}

#[test]
fn a_classic_joiner_is_greeted_on_the_link_that_it_dialed() {
    let mut alone = alone(Dialect::Classic, &[]);
    let [one, other] = [1, 1].map(|n| alone.joins(p(n), Priority::Low));
    let greeted = |link: LinkId| format!("Greeted {{ peer: 127.0.0.1:3001, link: {link:?} }}");
    assert_eq!(alone.news(), ["Up(127.0.0.1:3001)".to_owned(), greeted(one), greeted(other)]);
    assert_eq!(alone.membership.link_of(p(1)), Some(one), "it is sent to on the first");
    alone.membership.on_closed(&mut alone.around.cx(), one, &CloseCause::EndOfStream);
    assert_eq!((alone.news().len(), alone.membership.link_of(p(1))), (0, Some(other)));
}

#[test]
fn a_newcomer_under_a_neighbors_address_waits_for_its_probe() {
    let mut alone = alone(Dialect::Framed, &[]);
    alone.joins(p(1), Priority::Low);
    alone.news();
    let newcomer = alone.joins(p(1), Priority::Low);
    assert!(alone.news()[0].starts_with("Contested"));
    let hello = Hello { listen: p(1), role: Role::Peer, priority: Priority::Low };
    alone.membership.await_takeover(&alone.around.cx(), newcomer, hello, 1);
    alone.around.take();
    alone.membership.refute_takeover(&mut alone.around.cx(), p(1), 1);
    assert_eq!(alone.around.take().hung_up, [newcomer]);
}

/// In a lab of a hundred thousand each byte of these is a hundred kilobytes and more.
#[test]
fn what_a_peer_keeps_of_others_stays_small() {
    let sizes = [size_of::<PeerLink>(), size_of::<Neighbor>()];
    assert!(sizes.into_iter().zip([56, 40]).all(|(size, most)| size <= most), "{sizes:?}");
}
