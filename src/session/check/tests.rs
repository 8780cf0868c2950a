//! A sound session breaks no rule; each rule is broken once, and told.

use super::*;
use crate::event::samples::link_up;
use crate::event::{Direction, LinkEnd, LinkId, Methods, Pace, Purpose, Stop};
use crate::event::{FaultEvent, GossipEvent, LinkEvent, NodeEvent, SeedEvent};
use crate::proto::fault::{Fault, FaultKind, Scope};
use crate::proto::message::{DeathCause, MessageId, Role};

fn p(number: u16) -> Addr {
    Addr::loopback(3000 + number)
}

const SEED: Addr = Addr::loopback(5001);

/// A network as it should be, and what happens to it then.
struct Session {
    checker: Checker,
    at: Time,
    links: u64,
}

impl Session {
    /// A seed and four peers in a row, settled.
    fn new(policy: DeadPolicy) -> Self {
        let mut session = Self { checker: Checker::new(policy), at: Time::from_micros(1_000_000), links: 0 };
        session.start(SEED, Role::Seed);
        (1..=4).for_each(|number| session.start(p(number), Role::Peer));
        (1..=4).for_each(|number| session.link(p(number), SEED, Purpose::Registration));
        (1..=3).for_each(|number| session.link(p(number), p(number + 1), Purpose::Neighbor));
        session.pass(10);
        session
    }

    fn pass(&mut self, seconds: u64) {
        self.at = self.at + Duration::from_secs(seconds);
    }

    fn tell(&mut self, node: Addr, kind: EventKind) {
        self.checker.apply(&Event { at: self.at, node, kind });
    }

    fn start(&mut self, node: Addr, role: Role) {
        let pace = Pace { gossip_interval_us: 1, liveness_interval_us: 1, liveness_misses: 3 };
        self.tell(
            node,
            EventKind::Node(NodeEvent::Started {
                name: "n".to_owned(),
                role,
                dialect: Dialect::Framed,
                pace,
                methods: Methods::default(),
            }),
        );
    }

    fn link(&mut self, from: Addr, to: Addr, purpose: Purpose) {
        self.links += 1;
        let link = LinkId(self.links);
        self.tell(from, link_up(link, to, Direction::Outbound, purpose));
        self.tell(to, link_up(link, from, Direction::Inbound, purpose));
    }

    fn down(&mut self, node: Addr, peer: Addr) {
        let link = self.checker.network.connection(node, peer).unwrap();
        let end = LinkEnd::Dead { cause: DeathCause::Closed };
        self.tell(node, EventKind::Link(LinkEvent::Down { link, peer, purpose: Purpose::Neighbor, end }));
    }

    /// p1 says something that these have then.
    fn gossip(&mut self, seq: u64, to: &[u16]) -> MessageId {
        let id = MessageId { origin: p(1), run: 1, seq };
        self.tell(
            p(1),
            EventKind::Gossip(GossipEvent::Generated { id, body: "hello".into(), trace: None, forwarded: 1 }),
        );
        for number in to {
            self.receive(*number, id);
        }
        id
    }

    fn receive(&mut self, number: u16, id: MessageId) {
        let from = p(number - 1);
        self.tell(
            p(number),
            EventKind::Gossip(GossipEvent::Received { id, from, body: "hello".into(), trace: None, forwarded: 1 }),
        );
    }

    fn told(mut self) -> Vec<String> {
        self.pass(20);
        self.checker.finish(self.at).0.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_sound_session_breaks_no_rule() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2, 3, 4]);
    session.pass(10);
    session.gossip(2, &[2, 3, 4]);
    assert_eq!(session.told(), [""; 0]);
}

#[test]
fn a_connected_peer_that_did_not_get_a_message_is_told() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2, 3]);
    let way = "though a way of links that stood all the time led to it";
    assert_eq!(session.told(), [format!("00:00:11.000 127.0.0.1:3004: did not get 127.0.0.1:3001#1, {way}")]);
}

#[test]
fn a_peer_cut_off_while_a_message_spread_may_lack_it() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2]);
    session.down(p(2), p(3));
    session.down(p(3), p(2));
    session.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    assert_eq!(session.told(), [""; 0]);
}

#[test]
fn a_link_that_falls_when_a_message_had_its_time_excuses_nobody() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2, 3]);
    let began = session.at;
    // Something happens just before, and then the only way to the fourth is gone.
    session.at = began + SPREAD_TIME;
    session.down(SEED, p(1));
    session.down(p(1), SEED);
    session.at = began + SPREAD_TIME + Duration::from_millis(50);
    session.down(p(3), p(4));
    session.down(p(4), p(3));
    let told = session.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("00:00:11.000 127.0.0.1:3004: did not get "), "{told:?}");
}

#[test]
fn a_node_that_starts_as_a_message_begins_may_lack_it() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2]);
    // No time passes between the two lives, and the links are there again at once.
    session.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    session.start(p(3), Role::Peer);
    session.link(p(3), SEED, Purpose::Registration);
    session.link(p(2), p(3), Purpose::Neighbor);
    session.link(p(3), p(4), Purpose::Neighbor);
    session.pass(10);
    let origin = MessageId { origin: p(1), run: 1, seq: 2 };
    session.tell(
        p(1),
        EventKind::Gossip(GossipEvent::Generated { id: origin, body: "hello".into(), trace: None, forwarded: 1 }),
    );
    session.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    session.start(p(1), Role::Peer);
    session.link(p(1), SEED, Purpose::Registration);
    session.link(p(1), p(2), Purpose::Neighbor);
    assert_eq!(session.told(), [""; 0]);
}

#[test]
fn a_message_that_comes_twice_is_told_but_not_in_another_life() {
    let mut session = Session::new(DeadPolicy::Verify);
    let id = session.gossip(1, &[2, 3, 4]);
    session.pass(3);
    session.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    session.start(p(4), Role::Peer);
    session.receive(4, id);
    session.receive(3, id);
    session.down(p(3), p(4));
    session.tell(SEED, EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    assert_eq!(session.told(), ["00:00:14.000 127.0.0.1:3003: got 127.0.0.1:3001#1 twice"]);
}

#[test]
fn a_message_begun_in_two_lives_of_its_origin_is_not_judged() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.gossip(1, &[2]);
    session.pass(1);
    session.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    session.start(p(1), Role::Peer);
    session.link(p(1), SEED, Purpose::Registration);
    session.link(p(1), p(2), Purpose::Neighbor);
    session.pass(1);
    let id = session.gossip(1, &[2]);
    session.receive(2, id);
    session.pass(10);
    session.gossip(2, &[2, 3, 4]);
    session.gossip(2, &[]);
    assert_eq!(session.told(), ["00:00:23.000 127.0.0.1:3001: got 127.0.0.1:3001#2 twice"]);
}

#[test]
fn a_life_with_a_reused_number_inherits_no_messages() {
    let mut session = Session::new(DeadPolicy::Verify);
    let mut born = 0;
    // More lives than are told apart at once, and each has what the one before it had.
    for _ in 0..100 {
        born += 1;
        let id = session.gossip(born, &[2, 3, 4]);
        session.start(p(4), Role::Peer);
        session.receive(4, id);
        session.pass(10);
    }
    session.receive(4, MessageId { origin: p(1), run: 1, seq: born });
    let lives = session.checker.deliveries.lives.count();
    assert!(lives < 40, "{lives} of a hundred are told apart: as many as began in five minutes");
    let mut told = session.told();
    told.retain(|breach| breach.ends_with(" twice"));
    assert_eq!(told, ["00:16:51.000 127.0.0.1:3004: got 127.0.0.1:3001#100 twice"]);
}

#[test]
fn messages_forgotten_for_want_of_memory_are_not_judged() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.checker.deliveries = delivery::Deliveries::within(300);
    let [forgotten, second, last] = [1, 2, 3].map(|seq| session.gossip(seq, &[2, 3]));
    // Of the first nobody knows who has it; that it comes late makes it no message that p2 and p3 lack.
    session.receive(4, forgotten);
    session.receive(4, last);
    session.receive(4, last);
    let told = session.told();
    assert_eq!(told, ["00:00:11.000 127.0.0.1:3004: got 127.0.0.1:3001#3 twice"], "nothing of {second:?} either");
}

#[test]
fn removing_a_live_peer_is_a_breach_under_verify_only() {
    for (policy, count) in [(DeadPolicy::Verify, 1), (DeadPolicy::Trust, 0)] {
        let mut session = Session::new(policy);
        let reason = DelistReason::Reported { report: None, reporter: p(1) };
        session.tell(SEED, EventKind::Seed(SeedEvent::PeerDelisted { peer: p(2), verification: None, reason }));
        assert_eq!(session.told().len(), count);
    }
    let mut session = Session::new(DeadPolicy::Verify);
    session.tell(p(2), EventKind::Node(NodeEvent::Hung));
    let reason = DelistReason::Unanswered { report: None, reporter: p(1) };
    session.tell(SEED, EventKind::Seed(SeedEvent::PeerDelisted { peer: p(2), verification: None, reason }));
    assert_eq!(session.told(), [""; 0], "a node that hangs may be removed");
}

#[test]
fn a_lopsided_link_is_reported_once_after_it_had_time() {
    let mut session = Session::new(DeadPolicy::Verify);
    session.down(p(2), p(3));
    session.pass(1);
    assert_eq!(session.checker.breaches(), []);
    session.pass(9);
    session.tell(SEED, EventKind::Node(NodeEvent::Hung));
    assert_eq!(session.told(), ["00:00:11.000 127.0.0.1:3003: holds a link to 127.0.0.1:3002, which knows of none"]);
}

#[test]
fn faults_excuse_lost_messages_until_a_while_after_their_end() {
    let mut session = Session::new(DeadPolicy::Verify);
    let (what, on) = (FaultKind::Cut, Scope::border(vec![p(3), p(4)]));
    session.tell(p(3), EventKind::Fault(FaultEvent::Set { id: None, fault: Fault { what, on: on.clone() } }));
    session.gossip(1, &[2]);
    session.pass(3);
    let reason = DelistReason::Unanswered { report: None, reporter: p(2) };
    session.tell(SEED, EventKind::Seed(SeedEvent::PeerDelisted { peer: p(3), verification: None, reason }));
    session.tell(p(3), EventKind::Fault(FaultEvent::Cleared { id: None, fault: Fault { what, on } }));
    session.pass(20);
    session.gossip(2, &[2, 3]);
    let way = "though a way of links that stood all the time led to it";
    assert_eq!(session.told(), [format!("00:00:34.000 127.0.0.1:3004: did not get 127.0.0.1:3001#2, {way}")]);
}

#[test]
fn a_fault_that_keeps_nothing_from_arriving_excuses_nothing() {
    let mut session = Session::new(DeadPolicy::Verify);
    let fault = Fault { what: FaultKind::Skew { by_us: 5_000_000 }, on: Scope::Node(p(2)) };
    session.tell(p(2), EventKind::Fault(FaultEvent::Set { id: None, fault }));
    session.gossip(1, &[2, 3]);
    assert_eq!(session.told().len(), 1);
}

#[test]
fn a_queue_over_its_bound_is_reported_once_a_full_one_not() {
    let mut session = Session::new(DeadPolicy::Verify);
    for count in [10, 11, 12] {
        let ids = crate::proto::machine::Gauge { what: "message ids", count, limit: 10 };
        session.checker.weigh_gauge(session.at, p(2), ids);
    }
    assert_eq!(session.told(), ["00:00:11.000 127.0.0.1:3002: 11 message ids, at most 10 are allowed"]);
}

#[test]
fn too_many_neighbors_or_referrals_are_reported() {
    let mut session = Session::new(DeadPolicy::Verify);
    let referral = vec![p(1); REFERRAL_LEN + 1];
    let (by, reason) = (crate::event::Side::Us, crate::proto::message::RefusalReason::Full);
    session.tell(p(2), EventKind::Link(LinkEvent::Refused { connection: None, peer: p(9), by, reason, referral }));
    for number in 0..=u16::try_from(LINKS_MAX).unwrap() {
        session.link(p(1), p(100 + number), Purpose::Neighbor);
    }
    let told = session.told();
    assert!(told[0].contains(&format!("{} addresses in a referral", REFERRAL_LEN + 1)), "{told:?}");
    assert!(told[1].contains(&format!("3001: {} neighbors, at most {LINKS_MAX}", LINKS_MAX + 1)), "{told:?}");
}

#[test]
fn a_list_beyond_its_bound_is_told() {
    let mut session = Session::new(DeadPolicy::Verify);
    let peers = vec![p(1); LIST_LEN_MAX + 1];
    session.tell(p(2), EventKind::Seed(SeedEvent::PeerListReceived { seed: SEED, peers, listed: None }));
    assert_eq!(session.told(), ["00:00:11.000 127.0.0.1:3002: 65 addresses in a peer list, at most 64 are allowed"]);
}
