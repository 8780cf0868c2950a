//! The quirks of the classic dialect, which nodes of ours live with.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use gossipctl::event::{
    Attempt, DeathEvent, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, NodeEvent, ProbeEvent, Purpose, SeedEvent,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::CLASSIC_LIST_LEN;
use gossipctl::proto::machine::{Input, LinkChange, NodeCommand};
use gossipctl::proto::message::{DeathCause, Dialect, Hello, Message, Priority, Role};
use gossipctl::proto::pacing::{CLASSIC_QUEUE_MESSAGES_MAX, CLASSIC_WRITE_GAP};
use gossipctl::proto::time::{ClockTime, Time};

use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, GOSSIP, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A network of the classic dialect: so many seeds, no peer yet.
pub(crate) fn classic(seeds: u16, rng_seed: u64) -> Network {
    let mut network = Network::new(0, rng_seed);
    network.seed_config.dialect = Dialect::Classic;
    network.peer_config.dialect = Dialect::Classic;
    network.seeds = (1..=seeds).map(seed_addr).collect();
    for number in 1..=seeds {
        network.start_seed(number);
    }
    network
}

/// A Python peer with four links: registers, then accepts connections and never says a word.
struct Full {
    own: Addr,
    seed: Addr,
}

impl Double for Full {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => vec![Ask::Send(link, name(self.own))],
            _ => Vec::new(),
        }
    }
}

fn name(listen: Addr) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::Low })
}

/// A Python peer that registers, lets others connect, and closes without ever having said a word.
struct Mute {
    own: Addr,
    seed: Addr,
    close: Option<(Time, LinkId)>,
}

impl Double for Mute {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => vec![Ask::Send(link, name(self.own))],
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                self.close = Some((now + SECOND, link));
                Vec::new()
            }
            Input::Wake => self.close.take().map(|(_, link)| Ask::HangUp(link)).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.close.map(|(at, _)| at)
    }
}

#[test]
fn a_python_peer_that_closes_without_a_word_was_full() {
    let mut network = classic(1, 49);
    let mute = peer_addr(50);
    network.start_double(mute, Mute { own: mute, seed: seed_addr(1), close: None });
    network.world.run_for(SECOND);
    network.start_peer(1);
    network.world.run_for(LIVENESS);
    let given_up = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::HandshakeFailed { peer, .. }) if *peer == Some(mute));
    assert_eq!(network.count(peer_addr(1), given_up), 1);
    assert!(
        !network.any(|k| matches!(
            k,
            EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. })
        ))
    );
}

/// A Python peer that links to somebody and closes without a word.
struct Closer {
    own: Addr,
    target: Addr,
    link: Option<LinkId>,
    close_at: Option<Time>,
}

impl Double for Closer {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.target, Purpose::Neighbor)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                (self.link, self.close_at) = (Some(link), Some(now + SECOND));
                vec![Ask::Send(link, name(self.own))]
            }
            Input::Wake => {
                self.close_at = None;
                self.link.take().map(Ask::HangUp).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.close_at
    }
}

#[test]
fn a_classic_network_of_ours_forms_and_floods() {
    let mut network = classic(2, 41);
    network.start_peers(1..=12);
    network.world.run_for(LIVENESS * 8);
    assert!(network.connected());
    network.assert_symmetric();
    assert!(!network.any(|k| matches!(
        k,
        EventKind::Death(DeathEvent::NeighborDied { .. }) | EventKind::Link(LinkEvent::Violation { .. })
    )));
    let whole = network.holders().values().filter(|holders| holders.len() == 12).count();
    assert!(whole >= 12 * 5, "{whole} messages reached all");
}

#[test]
fn a_full_python_peer_is_not_accepted_rather_than_dead() {
    let mut network = classic(1, 42);
    let full = peer_addr(50);
    network.start_double(full, Full { own: full, seed: seed_addr(1) });
    network.world.run_for(SECOND);
    network.start_peer(1);
    network.world.run_for(LIVENESS * 6);
    let given_up =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::NotAccepted { peer, .. }) if *peer == full);
    assert_eq!(network.count(peer_addr(1), given_up), 1);
    network.world.run_for(SECOND * 3_600);
    let dialed = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { peer, .. }) if *peer == full);
    assert_eq!(network.count(peer_addr(1), dialed), 1, "and dialed no more");
    let neighbor = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Up { peer, .. } | LinkEvent::Down { peer, .. }) if *peer == full);
    assert_eq!(network.count(peer_addr(1), neighbor), 0, "no neighbor, and not closed");
    assert!(
        !network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::DeadReportSent { .. }))),
        "never reported dead"
    );
}

#[test]
fn a_classic_peer_exceeds_its_limit_rather_than_close_a_link() {
    let mut network = classic(1, 43);
    network.peer_config.max_neighbors = 4;
    network.start_peers(1..=30);
    network.world.run_for(LIVENESS * 8);
    assert!(network.connected());
    assert!(!network.any(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { purpose: Purpose::Neighbor, .. }))));
}

#[test]
fn two_classic_links_between_one_pair_are_kept_and_used_as_one() {
    for rng_seed in 0..40 {
        let mut network = classic(1, rng_seed);
        network.start_peers(1..=2);
        network.world.run_for(LIVENESS * 4);
        assert!(network.neighbors(peer_addr(1)).contains(&peer_addr(2)), "rng seed {rng_seed}");
        let closed =
            |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { purpose: Purpose::Neighbor, .. }));
        assert!(!network.any(closed), "rng seed {rng_seed}");
        assert!(
            !network.any(|k| matches!(k, EventKind::Gossip(GossipEvent::Duplicate { .. }))),
            "rng seed {rng_seed}: nothing is sent twice"
        );
    }
}

#[test]
fn a_classic_link_that_closes_is_a_death_and_is_believed() {
    let mut network = classic(1, 44);
    network.start_peers(1..=3);
    network.world.run_for(LIVENESS * 2);
    let closer = peer_addr(60);
    network.start_double(closer, Closer { own: closer, target: peer_addr(1), link: None, close_at: None });
    network.world.run_for(SECOND * 3);
    let reported =
        |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::DeadReportSent { dead, .. }) if *dead == closer);
    assert_eq!(network.count(peer_addr(1), reported), 1);
    let received = |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::DeadReportReceived { dead, .. }) if *dead == closer);
    assert_eq!(network.count(seed_addr(1), received), 1);
}

#[test]
fn a_classic_seed_sends_at_most_forty_addresses() {
    let mut network = classic(1, 45);
    network.start_peers(1..=60);
    network.world.run_for(SECOND * 5);
    let mut longest = 0;
    for kind in network.kinds(seed_addr(1)) {
        if let EventKind::Seed(SeedEvent::PeerListSent { peers, .. }) = kind {
            longest = longest.max(peers.len());
        }
    }
    assert_eq!(longest, CLASSIC_LIST_LEN);
}

/// A Python peer that accepts after five minutes: until then what comes waits in its kernel.
struct Late {
    own: Addr,
    seed: Addr,
    link: Option<LinkId>,
    speak_at: Option<Time>,
    /// What was sent to it, and when.
    heard: Rc<RefCell<Vec<(Time, Message)>>>,
}

impl Double for Late {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => vec![Ask::Send(link, name(self.own))],
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                (self.link, self.speak_at) = (Some(link), Some(now + SECOND * 300));
                Vec::new()
            }
            Input::Message { link, message } if Some(link) == self.link => {
                self.heard.borrow_mut().push((now, message));
                Vec::new()
            }
            Input::Wake => {
                self.speak_at = None;
                let clock = ClockTime::from_seconds(7).unwrap();
                let probe = Message::Probe { seq: 7, asker: self.own, clock, extras: None };
                self.link.into_iter().map(|link| Ask::Send(link, probe.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.speak_at
    }
}

#[test]
fn a_peer_that_accepts_late_gets_the_name_alone_until_it_speaks() {
    let mut network = classic(1, 53);
    let (late, heard) = (peer_addr(50), Rc::<RefCell<Vec<(Time, Message)>>>::default());
    let double = Late { own: late, seed: seed_addr(1), link: None, speak_at: None, heard: Rc::clone(&heard) };
    network.start_double(late, double);
    network.world.run_for(SECOND);
    let one = peer_addr(1);
    network.start_peer(1);
    network.world.run_for(SECOND * 290);
    assert!(matches!(heard.borrow()[..], [(_, Message::Hello(_))]), "{:?}", heard.borrow());
    assert!(network.neighbors(one).is_empty());
    let counted = |kind: &EventKind| matches!(kind, EventKind::Gossip(GossipEvent::Generated { forwarded: 1.., .. }));
    assert_eq!(network.count(one, counted), 0, "nothing was sent that is told as sent");

    network.world.run_for(SECOND * 15);
    assert_eq!(network.neighbors(one), [late].into());
    let heard = heard.borrow();
    let spoken = heard.iter().skip(1).take_while(|(at, _)| at.since(heard[1].0) < SECOND);
    let (gossip, rest): (Vec<_>, Vec<_>) =
        spoken.map(|(_, message)| message).partition(|message| matches!(message, Message::Gossip(_)));
    assert_eq!(gossip.len(), 8, "the latest, held back for it: {heard:?}");
    assert!(matches!(rest[..], [Message::ProbeReply { .. }]), "{rest:?}");
    let times = heard.iter().skip(1).take(9).map(|(at, _)| *at);
    assert!(times.clone().zip(times.skip(1)).all(|(one, next)| next.since(one) + MILLI * 2 >= CLASSIC_WRITE_GAP));
}

#[test]
fn two_classic_peers_of_ours_do_not_wait_for_each_other() {
    let mut network = classic(1, 54);
    network.start_peers(1..=2);
    network.world.run_for(MILLI * 100);
    let [one, other] = [1, 2].map(peer_addr);
    assert_eq!((network.neighbors(one), network.neighbors(other)), ([other].into(), [one].into()));
}

#[test]
fn a_classic_peer_keeps_at_most_64_unheard_links() {
    let mut network = classic(3, 55);
    network.peer_config.max_dial = 200;
    // Each seed lists 40 of those that are registered with it.
    for number in 101..=280 {
        let (own, seed) = (peer_addr(number), seed_addr(1 + number % 3));
        network.start_double(own, Full { own, seed });
    }
    network.world.run_for(SECOND * 20);
    network.start_peer(1);
    network.world.run_for(LIVENESS * 20);
    let dialed =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { purpose: Purpose::Neighbor, .. }));
    assert_eq!(network.count(peer_addr(1), dialed), 64);
    assert_eq!(network.count(peer_addr(1), |kind| matches!(kind, EventKind::Link(LinkEvent::NotAccepted { .. }))), 64);
}

/// A Python peer that never accepts a link, and after a while dials a peer itself.
struct FullDialer {
    own: Addr,
    seed: Addr,
    target: Addr,
    dial_at: Option<Time>,
    dialed: Option<LinkId>,
}

impl Double for FullDialer {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => {
                self.dial_at = Some(now + SECOND * 3);
                vec![Ask::Dial(self.seed, Purpose::Registration)]
            }
            Input::Wake => {
                self.dial_at = None;
                vec![Ask::Dial(self.target, Purpose::Neighbor)]
            }
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.dialed = Some(link);
                vec![Ask::Send(link, name(self.own))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, extras } }
                if Some(link) == self.dialed =>
            {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras })]
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.dial_at
    }
}

#[test]
fn a_link_dialed_by_python_is_preferred_to_an_unaccepted_one() {
    let mut network = classic(1, 47);
    let (full, target) = (peer_addr(50), peer_addr(1));
    let double = FullDialer { own: full, seed: seed_addr(1), target, dial_at: None, dialed: None };
    network.start_double(full, double);
    network.world.run_for(SECOND);
    network.start_peer(1);
    network.world.run_for(LIVENESS * 8);
    let up = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Up { peer, .. }) if *peer == full);
    assert_eq!(network.count(target, up), 1, "the one on which something was heard");
    assert!(network.neighbors(target).contains(&full));
    let answered =
        |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { peer, .. }) if *peer == full);
    assert!(network.count(target, answered) >= 5);
    assert_eq!(network.count(target, |kind| matches!(kind, EventKind::Link(LinkEvent::NotAccepted { .. }))), 0);
}

/// A Python seed after a while of peers that came back: its list repeats them. It takes its time to send it.
struct AppendingSeed {
    list: Vec<Addr>,
    lists: VecDeque<(Time, LinkId)>,
    registrations: Rc<Cell<usize>>,
}

impl Double for AppendingSeed {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                self.lists.push_back((now + SECOND * 4, link));
                Vec::new()
            }
            Input::Message { message: Message::Hello(hello), .. } => {
                self.registrations.set(self.registrations.get() + 1);
                self.list.push(hello.listen);
                Vec::new()
            }
            Input::Wake => {
                let list = self.list.clone();
                let sent = self.lists.pop_front();
                sent.map(|(_, link)| Ask::Send(link, Message::PeerList(list.into()))).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.lists.front().map(|(at, _)| *at)
    }
}

#[test]
fn a_classic_peer_registers_once_however_long_it_is_alone() {
    let mut network = classic(0, 48);
    network.seeds = vec![seed_addr(1)];
    let registrations = Rc::new(Cell::new(0));
    let seed = AppendingSeed { list: Vec::new(), lists: VecDeque::new(), registrations: Rc::clone(&registrations) };
    network.start_double(seed_addr(1), seed);
    network.start_peer(1);
    network.world.run_for(SECOND * 3_600);
    assert_eq!(registrations.get(), 1);
    assert_eq!(network.count(peer_addr(1), |kind| matches!(kind, EventKind::Link(LinkEvent::Up { .. }))), 1);
}

#[test]
fn a_list_with_repetitions_is_told_without_them() {
    let mut network = classic(0, 48);
    network.seeds = vec![seed_addr(1)];
    let list = [7, 8, 7, 7, 8].map(peer_addr).to_vec();
    let seed = AppendingSeed { list, lists: VecDeque::new(), registrations: Rc::default() };
    network.start_double(seed_addr(1), seed);
    network.start_peer(1);
    network.world.run_for(SECOND * 10);
    let once = [7, 8].map(peer_addr);
    let told =
        |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) if *peers == once);
    assert_eq!(network.count(peer_addr(1), told), 1);
}

#[test]
fn each_later_classic_peer_is_told_of_the_earlier_ones() {
    let mut network = classic(1, 41);
    network.start_peers(1..=20);
    network.world.run_for(SECOND);
    let lens: BTreeSet<usize> = network
        .kinds(seed_addr(1))
        .filter_map(|kind| match kind {
            EventKind::Seed(SeedEvent::PeerListSent { peers, .. }) => Some(peers.len()),
            _ => None,
        })
        .collect();
    assert_eq!(lens, (0..20).collect(), "each list names all that came before");
}

#[test]
fn a_silent_newcomer_holds_up_a_classic_seed_only_briefly() {
    let mut network = classic(1, 41);
    for number in 51..=60 {
        network.start_double(peer_addr(number), Caller { target: seed_addr(1) });
    }
    network.world.run_for(Duration::from_millis(3));
    network.start_peer(1);
    let registered = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { .. }));
    network.world.run_for(Duration::from_millis(900));
    assert_eq!(network.count(seed_addr(1), registered), 0, "ten turns of 100 ms come first");
    network.world.run_for(Duration::from_millis(200));
    assert_eq!(network.count(seed_addr(1), registered), 1);
}

/// Connects, and says nothing.
struct Caller {
    target: Addr,
}

impl Double for Caller {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(self.target, Purpose::Registration)],
            _ => Vec::new(),
        }
    }
}

/// Four classic peers in a chain, the first of which got an empty list.
fn chain(rng_seed: u64) -> Option<Network> {
    let mut network = classic(1, rng_seed);
    network.peer_config.max_dial = 1;
    for number in 1..=4 {
        network.start_peer(number);
        network.world.run_for(SECOND);
    }
    let links = [2, 3, 4].map(|number| network.neighbors(peer_addr(number)).contains(&peer_addr(number - 1)));
    links.into_iter().all(|linked| linked).then_some(network)
}

#[test]
fn a_classic_peer_that_is_left_alone_dials_whom_it_heard_of() {
    let mut network = (0..200).find_map(chain).unwrap();
    network.world.run_for(GOSSIP * 3);
    network.world.kill(peer_addr(2));
    network.world.run_for(SECOND * 10);
    assert!(network.connected(), "{:?}", network.parts(&network.peers()));
    let again = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { again: true, .. }));
    assert!(!network.any(again), "nobody registered twice for that");
}

/// What this node generated, as it says it, and what it was asked for and refused.
fn said(network: &Network, node: Addr) -> (Vec<String>, Vec<(Attempt, String)>) {
    let (mut sent, mut refused) = (Vec::new(), Vec::new());
    for kind in network.kinds(node) {
        match kind {
            EventKind::Gossip(GossipEvent::Generated { body, .. }) => {
                sent.push(String::from_utf8_lossy(body.as_bytes()).into_owned());
            }
            EventKind::Node(NodeEvent::Failed { what, why }) => refused.push((what.clone(), why.to_string())),
            _ => {}
        }
    }
    (sent, refused)
}

#[test]
fn a_text_said_twice_in_a_second_is_refused_with_the_reason() {
    let mut network = classic(1, 7);
    network.peer_config.messages = Some(0);
    network.start_peers(1..=2);
    network.world.run_for(5 * SECOND);
    let [one, other] = [1, 2].map(peer_addr);
    for wait in [1, 999] {
        network.command(one, NodeCommand::Say("x".into()));
        network.world.run_for(Duration::from_millis(wait));
    }
    network.command(one, NodeCommand::Say("x".into()));
    network.command(one, NodeCommand::Say("y".into()));
    network.world.run_for(SECOND);
    let (sent, refused) = said(&network, one);
    assert_eq!(sent, ["x", "x", "y"]);
    let why =
        "the classic dialect cannot tell it from the same text of this second: wait a second, or say something else";
    assert_eq!(refused, [(Attempt::Say(one), why.to_owned())]);
    assert_eq!(
        network.count(other, |kind| matches!(kind, EventKind::Gossip(GossipEvent::Received { .. }))),
        3,
        "what was sent arrived"
    );
}

#[test]
fn an_own_message_waits_until_it_differs_from_a_said_one() {
    let mut network = classic(1, 7);
    network.peer_config.messages = Some(1);
    network.peer_config.gossip_interval = Duration::from_millis(900);
    network.start_peers(1..=2);
    let one = peer_addr(1);
    network.command(one, NodeCommand::Say("Gossip Message 1".into()));
    network.world.run_for(5 * SECOND);
    assert_eq!(said(&network, one), (vec!["Gossip Message 1".to_owned(); 2], Vec::new()));
    let told_apart = network.holders().into_keys().filter(|id| id.origin == one);
    assert_eq!(told_apart.count(), 2, "in two different seconds");
}

/// Two classic peers that are linked and say nothing of their own.
fn pair() -> (Network, [Addr; 2]) {
    let mut network = classic(1, 7);
    network.peer_config.messages = Some(0);
    network.peer_config.liveness_interval = SECOND;
    network.start_peers(1..=2);
    network.world.run_for(5 * SECOND);
    (network, [1, 2].map(peer_addr))
}

fn say_at_once(network: &mut Network, node: Addr, count: usize) {
    (0..count).for_each(|n| network.command(node, NodeCommand::Say(format!("m{n}").into())));
}

#[test]
fn what_a_classic_node_says_at_once_leaves_a_write_gap_apart() {
    let (mut network, [one, other]) = pair();
    let began = network.world.now();
    say_at_once(&mut network, one, 40);
    network.world.run_for(3 * SECOND);
    let events = network.world.events().iter().filter(|event| event.node == other);
    let times: Vec<Time> = events
        .filter(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. })))
        .map(|event| event.at)
        .collect();
    assert_eq!(times.len(), 40);
    let took = times[39].since(began);
    assert!(took >= 39 * CLASSIC_WRITE_GAP && took < 45 * CLASSIC_WRITE_GAP, "{took:?}");
}

#[test]
fn an_overloaded_classic_network_says_so_and_loses_nobody() {
    let (mut network, [one, other]) = pair();
    // Two seconds' worth for the link in each second, while a probe that waits for one is missed.
    for _ in 0..5 {
        say_at_once(&mut network, one, 66);
        network.world.run_for(SECOND);
    }
    network.world.run_for(10 * SECOND);
    assert!(
        !network.any(|kind| matches!(kind, EventKind::Probe(ProbeEvent::Missed { .. }))),
        "no probe waited behind gossip"
    );
    let why = "64 messages wait for one link, and the classic dialect takes one each 30 ms: gossip comes late; use a longer \
               --gossip-interval or fewer nodes";
    assert_eq!(said(&network, one).1, [(Attempt::SendInTime, why.to_owned())]);
    assert_eq!(said(&network, other).1, []);
    assert_eq!(network.count(other, |kind| matches!(kind, EventKind::Gossip(GossipEvent::Received { .. }))), 5 * 66);
}

#[test]
fn a_classic_link_half_a_minute_behind_is_dropped_as_too_slow() {
    let (mut network, [one, other]) = pair();
    say_at_once(&mut network, one, CLASSIC_QUEUE_MESSAGES_MAX);
    assert_eq!(network.neighbors(one), [other].into());
    say_at_once(&mut network, one, CLASSIC_QUEUE_MESSAGES_MAX + 2);
    let slow = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::TooSlow, .. }));
    assert!(network.any(slow));
}

#[test]
fn a_classic_peer_that_leaves_is_taken_for_dead() {
    let (mut network, [staying, leaving]) = pair();
    network.world.leave(leaving);
    network.world.run_for(SECOND);
    let ends: Vec<_> = network
        .kinds(staying)
        .filter(|kind| {
            matches!(kind, EventKind::Link(LinkEvent::Down { .. }) | EventKind::Death(DeathEvent::NeighborDied { .. }))
        })
        .collect();
    let closed = |kind: &&EventKind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::Closed, .. }) if *peer == leaving);
    assert_eq!(ends.iter().filter(|kind| closed(kind)).count(), 1, "{ends:?}");
}
