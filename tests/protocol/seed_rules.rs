//! What a seed does: rules 1 to 4.

use std::time::Duration;

use gossipctl::event::{DeathEvent, DelistReason, EventKind, LinkEvent, ProbeEvent, ReportAction, Rule, SeedEvent};
use gossipctl::event::{LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::DeadPolicy;
use gossipctl::proto::machine::{Input, LinkChange};
use gossipctl::proto::message::{Hello, Message, Priority, RefusalReason, Role};
use gossipctl::proto::time::Time;

use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

/// Registers with a seed and reports somebody dead who is not.
struct Liar {
    own: Addr,
    seed: Addr,
    victim: Addr,
}

impl Double for Liar {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                let hello = Hello { listen: self.own, role: Role::Peer, priority: Priority::Low };
                let (dead, clock, reporter) = (self.victim, now.clock(0), self.own);
                vec![
                    Ask::Send(link, Message::Hello(hello)),
                    Ask::Send(link, Message::DeadReport { dead, clock, reporter, cause: None }),
                ]
            }
            _ => Vec::new(),
        }
    }
}

/// Connects to a seed and says whatever it is told to.
struct Babbler {
    seed: Addr,
    says: Vec<Message>,
}

impl Double for Babbler {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => self.speak(link),
            _ => Vec::new(),
        }
    }
}

impl Babbler {
    fn speak(&mut self, link: LinkId) -> Vec<Ask> {
        std::mem::take(&mut self.says).into_iter().map(|message| Ask::Send(link, message)).collect()
    }
}

#[test]
fn rule_1_a_peer_gets_the_list_and_is_on_it_once() {
    let mut network = Network::new(1, 31);
    // Without neighbors nobody reports the restart as a death.
    network.peer_config.max_dial = 0;
    network.start_peers(1..=3);
    network.world.run_for(SECOND * 2);
    network.start_peer(2);
    network.world.run_for(SECOND * 2);
    assert_eq!(network.listed(1), [peer_addr(1), peer_addr(2), peer_addr(3)]);
    let again = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { peer, again: true }) if *peer == peer_addr(2));
    assert_eq!(network.count(seed_addr(1), again), 1, "the new entry replaced the old one");
    let last = network.kinds(peer_addr(2)).filter_map(|kind| match kind {
        EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) => Some(peers.clone()),
        _ => None,
    });
    assert_eq!(last.last(), Some(vec![peer_addr(1), peer_addr(3)]), "everybody but itself");
}

#[test]
fn rule_2_a_dead_report_about_a_gone_peer_delists_it() {
    let mut network = Network::settled(1, 6, 32);
    network.world.kill(peer_addr(4));
    network.world.run_for(SECOND);
    assert!(!network.listed(1).contains(&peer_addr(4)));
    // The report and the end of the registration race: whichever is first, it goes off the list once.
    let removed = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Seed(SeedEvent::PeerDelisted {
                peer,
                reason: DelistReason::Reported { .. } | DelistReason::Unanswered { .. },
                ..
            }) if *peer == peer_addr(4)
        )
    };
    assert_eq!(network.count(seed_addr(1), removed), 1);
    let late = |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::DeadReportReceived { dead, action: ReportAction::NotListed, .. }) if *dead == peer_addr(4));
    assert!(network.count(seed_addr(1), late) >= 1, "the further reports change nothing");
}

#[test]
fn rule_3_a_false_report_is_disputed_by_the_node_itself() {
    let mut network = Network::settled(1, 5, 33);
    let (victim, liar) = (peer_addr(2), peer_addr(99));
    network.start_double(liar, Liar { own: liar, seed: seed_addr(1), victim });
    network.world.run_for(LIVENESS * 2);
    assert!(network.listed(1).contains(&victim));
    let disputed = |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::ReportDisputed { dead, reporter, disputes: 1, .. }) if (*dead, *reporter) == (victim, liar));
    assert_eq!(network.count(seed_addr(1), disputed), 1);
}

#[test]
fn rule_3_a_hung_node_does_not_answer_the_seed_and_is_removed() {
    let mut network = Network::settled(1, 5, 34);
    let (victim, liar) = (peer_addr(2), peer_addr(99));
    // It has just answered the seed, which will not ask it of its own accord for three intervals.
    let begin = network.world.now();
    let answered = network.world.run_until(LIVENESS * 4, |world| {
        world.events().iter().rev().take_while(|event| event.at > begin).any(|event| {
            event.node == seed_addr(1)
                && matches!(event.kind, EventKind::Probe(ProbeEvent::Answered { peer, .. }) if peer == victim)
        })
    });
    assert!(answered, "the seed asks whoever is silent");
    network.world.run_for(SECOND);
    network.world.hang(victim);
    let hung_at = network.world.now();
    network.world.run_for(SECOND * 5);
    network.start_double(liar, Liar { own: liar, seed: seed_addr(1), victim });
    network.world.run_for(SECOND);
    assert!(network.listed(1).contains(&victim), "not before it had the time to answer");
    network.world.run_for(LIVENESS);
    assert!(!network.listed(1).contains(&victim));
    let unanswered = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerDelisted { peer, reason: DelistReason::Unanswered { reporter, .. }, .. }) if (*peer, *reporter) == (victim, liar));
    assert_eq!(network.count(seed_addr(1), unanswered), 1);
    let heard = network.kinds(seed_addr(1)).find_map(|kind| match kind {
        EventKind::Probe(ProbeEvent::Missed { peer, last_heard, .. }) if *peer == victim => Some(*last_heard),
        _ => None,
    });
    assert!(heard.is_some_and(|heard| heard < hung_at), "evidence: nothing since it hangs, {heard:?}");
}

/// Registers, asks for the list once more after a while, and then says nothing, not even to a probe.
struct LastWords {
    seed: Addr,
    own: Addr,
    speak_at: Time,
    link: Option<LinkId>,
    registration: Option<LinkId>,
}

impl Double for LastWords {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                (self.link, self.registration) = (Some(link), Some(link));
                let hello = Hello { listen: self.own, role: Role::Peer, priority: Priority::Low };
                vec![Ask::Send(link, Message::Hello(hello))]
            }
            Input::Wake if now >= self.speak_at => {
                self.link.take().map(|link| Ask::Send(link, Message::ListRequest)).into_iter().collect()
            }
            // It lives after all, and finds its registration closed.
            Input::Link { link, change: LinkChange::Closed { .. } } if self.registration == Some(link) => {
                vec![Ask::Dial(self.seed, Purpose::Registration)]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.link.map(|_| self.speak_at)
    }
}

#[test]
fn rule_3_evidence_says_when_the_seed_last_heard_the_node() {
    let mut network = Network::new(1, 37);
    let (silent, liar) = (peer_addr(90), peer_addr(99));
    let speak_at = network.world.now() + SECOND * 30;
    network
        .start_double(silent, LastWords { seed: seed_addr(1), own: silent, speak_at, link: None, registration: None });
    network.world.run_for(SECOND * 50);
    network.start_double(liar, Liar { own: liar, seed: seed_addr(1), victim: silent });
    network.world.run_for(LIVENESS * 2);
    assert!(network.listed(1).contains(&silent), "its link was closed, so that it could register again");
    let heard = network.kinds(seed_addr(1)).find_map(|kind| match kind {
        EventKind::Probe(ProbeEvent::Missed { peer, last_heard, .. }) if *peer == silent => Some(*last_heard),
        _ => None,
    });
    let after = heard.expect("it was asked").since(speak_at);
    assert!(
        heard >= Some(speak_at) && after < SECOND,
        "its last words, not its first: {heard:?}, said at {speak_at:?}"
    );
}

#[test]
fn rule_3_under_the_trust_policy_every_report_is_acted_on() {
    let mut network = Network::new(0, 35);
    network.seed_config.dead_policy = DeadPolicy::Trust;
    network.seeds = vec![seed_addr(1)];
    network.start_seed(1);
    network.start_peers(1..=5);
    network.world.run_for(LIVENESS * 3);
    let (victim, liar) = (peer_addr(2), peer_addr(99));
    network.start_double(liar, Liar { own: liar, seed: seed_addr(1), victim });
    network.world.run_for(SECOND);
    assert!(!network.listed(1).contains(&victim), "it lives, and is off the list");
}

#[test]
fn rule_4_a_closed_registration_is_a_departure_in_time() {
    let mut network = Network::new(1, 36);
    network.start_peer(1);
    network.world.run_for(SECOND * 2);
    network.world.kill(peer_addr(1));
    network.world.run_for(Duration::from_secs(12));
    assert_eq!(network.listed(1), [peer_addr(1)]);
    network.world.run_for(SECOND * 2);
    assert!(network.listed(1).is_empty());
    let departed = |kind: &EventKind| {
        matches!(kind, EventKind::Seed(SeedEvent::PeerDelisted { reason: DelistReason::Departed, .. }))
    };
    assert_eq!(network.count(seed_addr(1), departed), 1);
}

#[test]
fn rule_4_a_new_registration_in_time_keeps_the_peer_on_the_list() {
    let mut network = Network::new(1, 37);
    network.start_peer(1);
    network.world.run_for(SECOND * 2);
    network.world.kill(peer_addr(1));
    network.world.run_for(SECOND);
    network.start_peer(1);
    network.world.run_for(LIVENESS * 2);
    assert_eq!(network.listed(1), [peer_addr(1)]);
    assert!(!network.any(|kind| matches!(kind, EventKind::Seed(SeedEvent::PeerDelisted { .. }))));
}

#[test]
fn a_seed_that_restarts_is_found_again_by_all_its_peers() {
    let mut network = Network::settled(1, 6, 38);
    network.world.kill(seed_addr(1));
    network.world.run_for(SECOND * 20);
    network.start_seed(1);
    network.world.run_for(SECOND * 60);
    assert_eq!(network.listed(1).len(), 6);
}

#[test]
fn who_speaks_too_early_or_names_itself_twice_is_shown_the_door() {
    let hello =
        |port| Message::Hello(Hello { listen: Addr::loopback(port), role: Role::Peer, priority: Priority::Low });
    for (rule, shown, says) in [
        (Rule::HelloExpected, "list request", vec![Message::ListRequest]),
        (Rule::HelloTwice, "hello", vec![hello(9000), hello(9000)]),
        (Rule::BadAddress, "127.0.0.1:0", vec![hello(0)]),
        (Rule::Unexpected, "peer list", vec![hello(9000), Message::PeerList(vec![].into())]),
        (Rule::HandshakeTimeout, "", vec![]),
    ] {
        let mut network = Network::settled(1, 3, 39);
        network.start_double(peer_addr(99), Babbler { seed: seed_addr(1), says });
        network.world.run_for(SECOND * 6);
        let seen = |kind: &EventKind| {
            matches!(kind, EventKind::Link(LinkEvent::Violation { violation, .. })
                if violation.rule == rule && violation.bytes.as_bytes() == shown.as_bytes())
        };
        assert_eq!(network.count(seed_addr(1), seen), 1, "{rule}");
        assert_eq!(network.peer(peer_addr(1)).registrations().count(), 1, "{rule}: the rest is undisturbed");
    }
}

#[test]
fn a_flood_of_list_requests_gets_a_trickle_of_lists() {
    let mut network = Network::settled(1, 3, 40);
    let hello = Message::Hello(Hello { listen: peer_addr(99), role: Role::Peer, priority: Priority::Low });
    let says = std::iter::once(hello).chain(std::iter::repeat_n(Message::ListRequest, 10_000)).collect();
    network.start_double(peer_addr(99), Babbler { seed: seed_addr(1), says });
    network.world.run_for(SECOND);
    let lists = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListSent { peer, .. }) if *peer == Some(peer_addr(99)));
    assert_eq!(network.count(seed_addr(1), lists), 1);
}

#[test]
fn who_names_the_seeds_own_address_is_told_so() {
    let mut network = Network::new(1, 46);
    let hello = Message::Hello(Hello { listen: seed_addr(1), role: Role::Peer, priority: Priority::Low });
    network.start_double(peer_addr(99), Babbler { seed: seed_addr(1), says: vec![hello] });
    network.world.run_for(SECOND);
    let refused =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { reason: RefusalReason::Myself, .. }));
    assert_eq!(network.count(seed_addr(1), refused), 1);
}
