//! What a peer does: rules 1 to 10.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use gossipctl::event::{
    DeathEvent, Direction, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, ProbeEvent, Purpose, RepairReason,
    SeedEvent, Side,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::Overlay;
use gossipctl::proto::machine::{Input, LinkChange, Machine, NodeCommand};
use gossipctl::proto::message::{DeathCause, GoodbyeReason, Hello, Message, Priority, RefusalReason, Role};
use gossipctl::proto::time::Time;
use gossipctl::session::check::Invariant;

use crate::strangers::ListSeed;
use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, GOSSIP, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn rule_1_a_peer_registers_with_a_random_majority_of_the_seeds() {
    for (seeds, majority) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
        let mut network = Network::new(seeds, 11);
        network.start_peers(1..=10);
        network.world.run_for(SECOND * 2);
        let chosen: Vec<BTreeSet<Addr>> =
            network.peers().iter().map(|peer| network.peer(*peer).registrations().collect()).collect();
        assert!(chosen.iter().all(|seeds| seeds.len() == majority), "{seeds} seeds: {chosen:?}");
        let different: BTreeSet<_> = chosen.into_iter().collect();
        assert_eq!(different.len() > 1, majority < usize::from(seeds), "{seeds} seeds: chosen at random");
    }
}

#[test]
fn rule_1_an_unreachable_seed_is_skipped_for_the_next() {
    let mut network = Network::new(3, 12);
    network.world.kill(seed_addr(1));
    network.start_peers(1..=6);
    network.world.run_for(SECOND * 3);
    for peer in network.peers() {
        let registered: Vec<Addr> = network.peer(peer).registrations().collect();
        assert_eq!(registered, [seed_addr(2), seed_addr(3)]);
    }
    assert!(!network.any(|kind| matches!(kind, EventKind::Seed(SeedEvent::TooFewSeeds { .. }))));
}

#[test]
fn rule_1_too_few_seeds_are_told_and_retried_with_growing_waits() {
    let mut network = Network::new(2, 13);
    network.world.kill(seed_addr(1));
    network.world.kill(seed_addr(2));
    network.start_peer(1);
    network.world.run_for(SECOND * 120);
    let peer = peer_addr(1);
    let told = |kind: &EventKind| {
        matches!(kind, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, wanted: 2, known: 2 }))
    };
    assert_eq!(network.count(peer, told), 1, "said once, not at every try");

    let tries: Vec<_> = network
        .world
        .events()
        .iter()
        .filter(|e| matches!(e.kind, EventKind::Link(LinkEvent::Dialing { .. })))
        .collect();
    assert!((8..=60).contains(&tries.len()), "{} tries in two minutes", tries.len());
    let last = tries[tries.len() - 1].at.since(tries[tries.len() - 3].at);
    assert!(last > SECOND * 10, "the waits have grown: {last:?}");

    network.start_seed(1);
    network.world.run_for(SECOND * 40);
    assert_eq!(network.peer(peer).registrations().count(), 1);
    let one = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 1, .. }));
    assert_eq!(network.count(peer, one), 1);
    network.start_seed(2);
    network.world.run_for(SECOND * 40);
    assert_eq!(
        network.count(peer, |kind| matches!(kind, EventKind::Seed(SeedEvent::EnoughSeeds { registered: 2 }))),
        1
    );
}

#[test]
fn rule_2_a_peer_dials_listed_peers_until_it_has_four_links() {
    let mut network = Network::settled(2, 12, 14);
    for peer in network.peers() {
        let neighbors = network.neighbors(peer);
        assert!(neighbors.len() >= 4, "{peer} has {neighbors:?}");
        assert!(!neighbors.contains(&peer));
    }
    let newcomer = peer_addr(13);
    network.start_peer(13);
    network.world.run_for(SECOND * 5);
    let outbound = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Link(LinkEvent::Up { direction: Direction::Outbound, purpose: Purpose::Neighbor, .. })
        )
    };
    assert_eq!(network.count(newcomer, outbound), 4);
    network.assert_symmetric();
}

#[test]
fn rule_3_links_are_accepted_up_to_eight_then_referred() {
    let network = Network::settled(2, 40, 15);
    for peer in network.peers() {
        assert!(network.neighbors(peer).len() <= 8, "{peer} has {:?}", network.neighbors(peer));
    }
    let referred = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { by: Side::Them, reason: RefusalReason::Full, referral, .. }) if !referral.is_empty());
    assert!(network.any(referred), "forty peers at four dials each meet a full one");
    assert!(network.connected());
}

#[test]
fn rule_3_a_joiner_without_neighbors_is_never_refused() {
    // Everybody is full: two neighbors each, and nobody takes more than two.
    let mut network = Network::new(1, 16);
    (network.peer_config.max_dial, network.peer_config.max_neighbors) = (2, 2);
    network.start_peers(1..=6);
    network.world.run_for(LIVENESS * 6);
    let joiner = peer_addr(7);
    network.start_peer(7);
    let linked = network.world.run_until(SECOND * 3, |world| {
        world.events().iter().any(|event| {
            event.node == joiner
                && matches!(event.kind, EventKind::Link(LinkEvent::Up { purpose: Purpose::Neighbor, .. }))
        })
    });
    assert!(linked, "it has a neighbor");
    let refused = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { by: Side::Them, .. }));
    let first_link =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Up { purpose: Purpose::Neighbor, .. }));
    let before = network.kinds(joiner).take_while(|kind| !first_link(kind)).filter(|kind| refused(kind)).count();
    assert_eq!(before, 0, "refused while it had nobody");
    let made_room = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Link(LinkEvent::Down {
                end: LinkEnd::Goodbye { side: Side::Us, reason: GoodbyeReason::MadeRoom },
                ..
            })
        )
    };
    assert!(network.any(made_room), "a full peer dropped a neighbor for it");
    assert!(
        !network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. }))),
        "which is no death"
    );
}

#[test]
fn rule_4_two_peers_that_dial_each_other_end_up_with_one_link() {
    for rng_seed in 0..40 {
        let mut network = Network::new(1, rng_seed);
        network.start_peers(1..=2);
        network.world.run_for(SECOND * 10);
        let (a, b) = (peer_addr(1), peer_addr(2));
        for (node, other) in [(a, b), (b, a)] {
            assert_eq!(network.neighbors(node), BTreeSet::from([other]), "rng seed {rng_seed}");
            let ups =
                network.count(node, |k| matches!(k, EventKind::Link(LinkEvent::Up { purpose: Purpose::Neighbor, .. })));
            let downs = network.count(node, |k| matches!(k, EventKind::Link(LinkEvent::Down { .. })));
            assert_eq!(ups - downs, 1, "rng seed {rng_seed}: {node}");
        }
        assert!(
            !network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. }))),
            "rng seed {rng_seed}"
        );
    }
}

#[test]
fn rule_5_a_peer_generates_numbered_messages_up_to_the_last() {
    let mut network = Network::new(1, 17);
    network.peer_config.messages = Some(4);
    network.start_peer(1);
    network.world.run_for(GOSSIP * 20);
    let generated: Vec<(String, _)> = network
        .world
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Gossip(GossipEvent::Generated { body, .. }) => Some((body.to_string(), event.at)),
            _ => None,
        })
        .collect();
    let texts: Vec<&str> = generated.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["Gossip Message 1", "Gossip Message 2", "Gossip Message 3", "Gossip Message 4"]);
    for pair in generated.windows(2) {
        assert_eq!(pair[1].1.since(pair[0].1), GOSSIP);
    }
}

#[test]
fn rule_5_a_text_of_the_user_reaches_everybody_once() {
    let mut network = Network::settled(2, 10, 18);
    network.command(peer_addr(3), NodeCommand::Say("hello world".into()));
    network.world.run_for(SECOND);
    let said =
        network.first(|e| matches!(&e.kind, EventKind::Gossip(GossipEvent::Generated { body, .. }) if body.as_bytes() == b"hello world"));
    let Some(EventKind::Gossip(GossipEvent::Generated { id, .. })) = said.map(|event| &event.kind) else {
        panic!("it was generated")
    };
    let holders = &network.holders()[id];
    assert_eq!(holders.len(), 10);
    assert!(holders.values().all(|times| *times == 1));
}

#[test]
fn rule_6_a_message_goes_to_all_neighbors_but_its_sender() {
    let network = Network::settled(2, 10, 19);
    for event in network.world.events().iter().rev().take(200) {
        if let EventKind::Gossip(GossipEvent::Received { forwarded, .. }) = event.kind {
            let neighbors = network.neighbors(event.node).len();
            assert!(forwarded + 1 >= neighbors.min(4), "{forwarded} of {neighbors} neighbors");
        }
    }
    let sent: usize = network
        .world
        .events()
        .iter()
        .map(|event| match event.kind {
            EventKind::Gossip(GossipEvent::Generated { forwarded, .. } | GossipEvent::Received { forwarded, .. }) => {
                forwarded
            }
            _ => 0,
        })
        .sum();
    let arrived = network
        .world
        .events()
        .iter()
        .filter(|event| {
            matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. } | GossipEvent::Duplicate { .. }))
        })
        .count();
    assert!(sent.abs_diff(arrived) <= 40, "{sent} copies were sent and {arrived} arrived; only a few are on their way");
}

#[test]
fn rule_7_an_answer_has_a_round_trip_time_and_resets_the_count() {
    let network = Network::settled(1, 5, 20);
    let answered = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { rtt_us, .. }) if (400..=4_000).contains(rtt_us));
    assert!(network.any(answered));
    assert!(!network.any(|kind| matches!(kind, EventKind::Probe(ProbeEvent::Missed { .. }))));
}

#[test]
fn rule_7_a_hung_neighbor_misses_three_probes_and_is_dead() {
    let mut network = Network::settled(2, 6, 21);
    let victim = peer_addr(2);
    let observers = network.neighbors(victim);
    let hung_at = network.world.now();
    network.world.hang(victim);
    network.world.run_for(LIVENESS * 5);
    for observer in observers {
        let misses: Vec<u32> = network
            .kinds(observer)
            .filter_map(|kind| match kind {
                EventKind::Probe(ProbeEvent::Missed { peer, misses, limit: 3, .. }) if *peer == victim => Some(*misses),
                _ => None,
            })
            .collect();
        assert_eq!(misses, [1, 2, 3], "{observer}");
        let died = network.first(|event| {
            event.node == observer
                && matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::Misses { misses: 3 }, .. }) if peer == victim)
        });
        let after = died.expect("it noticed").at.since(hung_at);
        let timeout = SECOND * 2;
        let is_in_time = after > LIVENESS * 2 + timeout && after <= LIVENESS * 3 + timeout;
        assert!(is_in_time, "{observer} noticed after {after:?}");
    }
    assert!(network.listed(1).iter().all(|peer| *peer != victim));
}

#[test]
fn rule_7_a_link_that_breaks_is_death_at_once() {
    let mut network = Network::settled(2, 6, 22);
    let victim = peer_addr(2);
    let observers = network.neighbors(victim);
    let killed_at = network.world.now();
    network.world.kill(victim);
    network.world.run_for(SECOND);
    for observer in observers {
        let died = network.first(|event| {
            event.node == observer
                && matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::LinkError, .. }) if peer == victim)
        });
        assert!(died.expect("it noticed").at.since(killed_at) < Duration::from_millis(10), "{observer}");
    }
}

#[test]
fn rule_8_a_death_is_reported_to_every_seed_of_the_observer() {
    let mut network = Network::settled(3, 8, 23);
    let victim = peer_addr(4);
    let observers = network.neighbors(victim);
    network.world.kill(victim);
    network.world.run_for(SECOND);
    for observer in observers {
        let mut registered: Vec<Addr> = network.peer(observer).registrations().collect();
        registered.sort_unstable();
        let told = network.kinds(observer).find_map(|kind| match kind {
            EventKind::Death(DeathEvent::DeadReportSent { dead, seeds, .. }) if *dead == victim => Some(seeds.clone()),
            _ => None,
        });
        assert_eq!(told, Some(registered));
    }
    for seed in 1..=3 {
        assert!(!network.listed(seed).contains(&victim), "seed {seed}");
    }
}

#[test]
fn rule_9_a_peer_that_lost_links_gets_new_ones() {
    let mut network = Network::silent(2, 20, 24);
    for victim in [2, 5, 9, 13, 17] {
        network.world.kill(peer_addr(victim));
    }
    network.world.run_for(LIVENESS * 4);
    for peer in network.peers() {
        assert!(network.neighbors(peer).len() >= 4, "{peer}: {:?}", network.neighbors(peer));
    }
    network.assert_symmetric();
}

#[test]
fn rule_9_after_any_crash_the_survivors_become_one_graph() {
    for rng_seed in 0..12 {
        let mut network = Network::silent(2, 30, 100 + rng_seed);
        // Two thirds crash at once.
        for victim in (1..=30).filter(|number| (u64::from(*number) + rng_seed) % 3 != 0) {
            network.world.kill(peer_addr(victim));
        }
        network.world.run_for(LIVENESS * 60);
        assert!(network.connected(), "rng seed {rng_seed}: {:?}", network.parts(&network.peers()));
    }
}

#[test]
fn rule_9_an_overlay_in_parts_that_lack_nothing_becomes_one() {
    let mut split = 0;
    for rng_seed in 0..200 {
        if split == 4 {
            break;
        }
        // Everybody is content with one link, so pairs and chains stay among themselves.
        let mut network = Network::new(2, 200 + rng_seed);
        (network.peer_config.max_dial, network.peer_config.messages) = (1, Some(0));
        network.start_peers(1..=14);
        network.world.run_for(SECOND * 5);
        if network.connected() {
            continue;
        }
        split += 1;
        network.world.run_for(LIVENESS * 60);
        assert!(network.connected(), "rng seed {rng_seed}: {:?}", network.parts(&network.peers()));
    }
    assert!(split >= 4, "only {split} of 200 overlays were split to begin with: this shows nothing");
}

#[test]
fn rule_9_seeds_with_nobody_new_are_asked_ever_less() {
    let lists = |network: &Network| {
        let is_list = |kind: &&EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListReceived { .. }));
        network.world.events().iter().map(|event| &event.kind).filter(is_list).count()
    };
    let mut network = Network::new(1, 28);
    network.peer_config.liveness_interval = SECOND * 2;
    network.start_peers(1..=3);
    network.world.run_for(SECOND * 600);
    let before = lists(&network);
    network.world.run_for(SECOND * 600);
    let pauses = (lists(&network) - before, before);
    // The root looks every 48 s, and each of the three asks every 150 s at most.
    assert!(pauses.0 <= 13 + 3 * 4, "three peers asked {pauses:?} times in ten minutes");

    let before = lists(&network);
    network.world.kill(peer_addr(2));
    network.world.run_for(SECOND * 2);
    assert!(lists(&network) >= before + 2, "both survivors ask at once");
}

#[test]
fn rule_9_a_connected_overlay_builds_no_bridges() {
    let mut network = Network::silent(2, 30, 26);
    let settled_at = network.world.now();
    network.world.run_for(LIVENESS * 40);
    let bridged = network.first(|event| {
        event.at > settled_at
            && matches!(
                event.kind,
                EventKind::Link(LinkEvent::Repairing { reason: RepairReason::SplitOverlay { .. }, .. })
            )
    });
    assert_eq!(bridged, None);
}

#[test]
fn rule_10_a_polite_leave_is_a_departure_and_no_death() {
    let mut network = Network::settled(2, 8, 27);
    let leaver = peer_addr(3);
    let observers = network.neighbors(leaver);
    network.world.leave(leaver);
    network.world.run_for(LIVENESS * 5);
    for observer in observers {
        let departed = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { peer, end: LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Leaving }, .. }) if *peer == leaver);
        assert_eq!(network.count(observer, departed), 1, "{observer}");
    }
    assert!(!network.any(|kind| matches!(
        kind,
        EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. })
    )));
    assert!(!network.listed(1).contains(&leaver));
}

#[test]
fn a_neighbor_that_the_user_cut_is_away_until_healed() {
    let mut network = Network::settled(1, 3, 28);
    let (a, b) = (peer_addr(1), peer_addr(2));
    network.command(a, NodeCommand::Cut(b));
    let dials = |network: &Network| {
        network.count(a, |kind| matches!(kind, EventKind::Link(LinkEvent::Dialing { peer, .. }) if *peer == b))
    };
    let before = dials(&network);
    network.world.run_for(LIVENESS * 30);
    assert!(!network.neighbors(a).contains(&b));
    assert_eq!(dials(&network), before, "however often the seeds name it");
    let reported = |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::DeadReportSent { dead, cause: DeathCause::Cut, .. }) if *dead == b);
    assert_eq!(network.count(a, reported), 1);
    network.command(a, NodeCommand::Heal(b));
    network.world.run_for(SECOND * 2);
    assert!(network.neighbors(a).contains(&b) && network.neighbors(b).contains(&a));
}

#[test]
fn a_restarted_peer_rejoins_and_its_messages_are_new_ones() {
    let mut network = Network::settled(2, 8, 29);
    network.world.kill(peer_addr(5));
    network.world.run_for(SECOND * 5);
    network.start_peer(5);
    let restarted_at = network.world.now();
    network.world.run_for(LIVENESS * 4);
    assert!(network.neighbors(peer_addr(5)).len() >= 4);
    let again = network.world.events().iter().find_map(|event| match &event.kind {
        EventKind::Gossip(GossipEvent::Generated { id, body, .. })
            if event.at > restarted_at && event.node == peer_addr(5) && body.as_bytes() == b"Gossip Message 1" =>
        {
            Some(*id)
        }
        _ => None,
    });
    assert_eq!(network.holders()[&again.expect("it began to count anew")].len(), 8);
}

/// A neighbor that answers every probe half a beat too late.
struct Laggard {
    own: Addr,
    target: Addr,
    due: VecDeque<(Time, LinkId, Message)>,
}

impl Double for Laggard {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        let hello = Hello { listen: self.own, role: Role::Peer, priority: Priority::High };
        match input {
            Input::Start => vec![Ask::Dial(self.target, Purpose::Neighbor)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                vec![Ask::Send(link, Message::Hello(hello))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                self.due.push_back((
                    now + LIVENESS * 3 / 2,
                    link,
                    Message::ProbeReply { seq, asker, clock, extras: None },
                ));
                Vec::new()
            }
            Input::Wake => self.due.pop_front().map(|(_, link, reply)| Ask::Send(link, reply)).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.due.front().map(|(at, _, _)| *at)
    }
}

#[test]
fn rule_7_a_late_answer_shows_life_and_has_its_round_trip_time() {
    let mut network = Network::new(1, 30);
    network.start_peer(1);
    network.world.run_for(SECOND);
    let laggard = peer_addr(70);
    network.start_double(laggard, Laggard { own: laggard, target: peer_addr(1), due: VecDeque::new() });
    network.world.run_for(LIVENESS * 20);
    let late = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { rtt_us, .. }) if *rtt_us > 19_000_000);
    assert!(network.count(peer_addr(1), late) >= 3);
    assert!(network.any(|kind| matches!(kind, EventKind::Probe(ProbeEvent::Missed { misses: 1, .. }))));
    assert!(!network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. }))), "slow is not dead");
}

/// Is on the seed's list, as the lowest address there, and says goodbye to whoever dials it.
struct Leaver {
    own: Addr,
    seed: Addr,
    registration: Option<LinkId>,
}

impl Double for Leaver {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        let hello = Message::Hello(Hello { listen: self.own, role: Role::Peer, priority: Priority::Low });
        let goodbye = Message::Goodbye { reason: GoodbyeReason::Leaving, referral: Vec::new() };
        match input {
            Input::Start => vec![Ask::Dial(self.seed, Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.registration = Some(link);
                vec![Ask::Send(link, hello)]
            }
            Input::Message { link, message: Message::Hello(Hello { role: Role::Peer, .. }) } => {
                vec![Ask::Send(link, goodbye), Ask::HangUp(link)]
            }
            // The seed dials it back, or asks whether it lives.
            Input::Message { link, message: Message::Hello(Hello { role: Role::Seed, .. }) }
                if self.registration != Some(link) =>
            {
                vec![Ask::Send(link, hello)]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }
}

#[test]
fn rule_9_a_bridge_that_was_turned_down_is_tried_again() {
    let mut network = Network::new(1, 61);
    network.peer_config.max_dial = 1;
    network.start_peers([20, 21]);
    network.world.run_for(SECOND * 5);
    let (root, leaver) = (peer_addr(20), peer_addr(1));
    network.start_double(leaver, Leaver { own: leaver, seed: seed_addr(1), registration: None });
    network.world.run_for(LIVENESS * 24);
    let bridges = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Repairing { reason: RepairReason::SplitOverlay { other, .. }, .. }) if *other == leaver);
    assert!(network.count(root, bridges) >= 3, "{}", network.count(root, bridges));
    let told = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::HandshakeFailed { peer: Some(peer), .. }) if *peer == leaver);
    assert_eq!(network.count(root, told), network.count(root, bridges), "each dial has an end that is told");
}

#[test]
fn a_peer_cut_while_it_is_dialed_does_not_become_a_neighbor() {
    let dialing =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { purpose: Purpose::Neighbor, .. }));
    let accepted = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Up { purpose: Purpose::Neighbor, .. }));
    // While the connection is made, and while the hello is on its way back.
    for (who, so_far) in [(2, &dialing as &dyn Fn(&EventKind) -> bool), (1, &accepted)] {
        let mut network = Network::new(1, 62);
        network.start_peer(1);
        network.world.run_for(SECOND * 5);
        network.start_peer(2);
        let at = peer_addr(who);
        let soon = network
            .world
            .run_until(SECOND, |world| world.events().iter().any(|event| event.node == at && so_far(&event.kind)));
        assert!(soon);
        network.command(peer_addr(2), NodeCommand::Cut(peer_addr(1)));
        network.world.run_for(LIVENESS * 6);
        assert!(network.neighbors(peer_addr(2)).is_empty());
        let told = |kind: &EventKind| {
            matches!(kind, EventKind::Link(LinkEvent::Refused { by: Side::Us, reason: RefusalReason::Cut, .. }))
        };
        assert!(network.count(peer_addr(2), told) >= 1);
    }
}

#[test]
fn a_wrong_role_is_refused_and_no_violation() {
    let mut network = Network::new(1, 63);
    // The double registers under a name that is not its own: whoever has that name knows of no link.
    network.expected = |breach| matches!(breach.rule, Invariant::Lopsided { .. });
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    // The second peer's config names the first one as a seed.
    network.seeds = vec![peer_addr(1)];
    network.start_peer(2);
    // The third one was told of the seed as of a peer.
    network.seeds = vec![seed_addr(2)];
    network.start_double(seed_addr(2), ListSeed { own: seed_addr(2), list: vec![seed_addr(1)] });
    network.start_peer(3);
    network.world.run_for(LIVENESS * 3);
    for node in [peer_addr(1), seed_addr(1)] {
        let refused = |kind: &EventKind| {
            matches!(
                kind,
                EventKind::Link(LinkEvent::Down { end: LinkEnd::Refused { reason: RefusalReason::WrongRole }, .. })
            )
        };
        assert!(network.count(node, refused) >= 1, "{node}");
    }
    let listed: Vec<Addr> = network.seed(seed_addr(1)).listed().collect();
    assert!(!listed.contains(&peer_addr(3)), "who wanted a peer does not stay on the seed's list: {listed:?}");
    assert!(!network.any(|kind| matches!(
        kind,
        EventKind::Link(LinkEvent::Violation { .. }) | EventKind::Death(DeathEvent::DeadReportSent { .. })
    )));
}

#[test]
fn who_takes_a_peer_for_a_seed_is_left_alone_by_it_for_a_while() {
    let mut network = Network::new(1, 75);
    let (taken, mistaken) = (peer_addr(1), peer_addr(2));
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    // It registers with the seed, so that the other one hears of it, and takes that one for a seed as well.
    network.seeds = vec![seed_addr(1), taken];
    network.start_peer(2);
    let span = LIVENESS * 50;
    network.world.run_for(span);
    let parted = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { peer, end: LinkEnd::Refused { reason: RefusalReason::WrongRole }, .. }) if *peer == mistaken);
    let dials = |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { peer, purpose: Purpose::Neighbor, .. }) if *peer == mistaken);
    let (parted, dials) = (network.count(taken, parted), network.count(taken, dials));
    assert!(parted >= 5, "it tries again and again: {parted}");
    // Four liveness intervals of peace after each time.
    assert!(dials <= 50 / 4 + 1, "{dials} dials of somebody who wants another role");
    assert!(!network.any(|kind| matches!(
        kind,
        EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. })
    )));
}

#[test]
fn rule_4_a_strict_limit_of_4_cuts_off_every_later_peer() {
    let joined_one_by_one = |make_room, numbers: [u16; 7]| {
        let mut network = Network::new(1, 44);
        (network.peer_config.max_neighbors, network.peer_config.methods.overlay) =
            (4, Overlay::Assignment { make_room });
        for number in numbers {
            network.start_peer(number);
            network.world.run_for(LIVENESS);
        }
        network.world.run_for(LIVENESS * 20);
        network.parts(&network.peers()).iter().map(BTreeSet::len).collect::<Vec<_>>()
    };
    // Whoever comes late may have the lowest address, or the highest.
    for numbers in [[1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1]] {
        let mut parts = joined_one_by_one(false, numbers);
        parts.sort_unstable();
        assert_eq!(parts, [2, 5], "{numbers:?}");
        assert_eq!(joined_one_by_one(true, numbers), [7], "{numbers:?}");
    }
}

#[test]
fn no_neighbor_is_kept_in_reserve() {
    // In a network this small a peer asks for samples again and again, and they name its neighbors alone.
    let network = Network::settled(1, 3, 77);
    let lists = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListReceived { .. }));
    assert!(network.count(peer_addr(1), lists) > 1);
    network.peer(peer_addr(1)).gauges(&mut |gauge| {
        if gauge.what == "addresses to dial" {
            assert_eq!(gauge.count, 0);
        }
    });
}
