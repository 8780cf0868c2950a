//! Numbers that tie together what belongs together: probes, misses and deaths; reports, verifications
//! and verdicts; repairs and dials; what happens to one connection.

use std::collections::BTreeMap;

use gossipctl::event::{
    ConnectionId, DeathEvent, DelistReason, Event, EventKind, LinkEvent, ProbeEvent, ReportAction, SeedEvent,
    Verification,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{FaultKind, Scope};
use gossipctl::proto::machine::NodeCommand;
use gossipctl::proto::message::{Dialect, ProbeId, ReportId};

use crate::faults::set;
use crate::losses::{break_much, network};
use crate::virtual_time::{LIVENESS, Network, peer_addr};

/// Who was probed, by asker and number.
fn probes(network: &Network) -> BTreeMap<(Addr, ProbeId), Addr> {
    let mut probes = BTreeMap::new();
    for event in network.world.events() {
        if let EventKind::Probe(ProbeEvent::Sent { peer, probe, .. }) = event.kind {
            let known = probes.insert((event.node, probe.unwrap()), peer);
            assert_eq!(known, None, "two probes with one number: {event:?}");
        }
    }
    probes
}

fn probes_have_numbers(dialect: Dialect) {
    let mut network = network(dialect);
    break_much(&mut network);
    let probes = probes(&network);
    let (mut answered, mut missed) = (0, 0);
    for event in network.world.events() {
        let (peer, probe) = match event.kind {
            EventKind::Probe(ProbeEvent::Answered { peer, probe, .. }) => {
                answered += 1;
                (peer, probe)
            }
            EventKind::Probe(ProbeEvent::Missed { peer, probe, .. }) => {
                missed += 1;
                (peer, probe)
            }
            _ => continue,
        };
        assert_eq!(probes.get(&(event.node, probe.unwrap())), Some(&peer), "{event:?}");
    }
    assert!(answered > 100 && missed > 20, "{answered} answered, {missed} missed");
}

#[test]
fn each_framed_probe_has_its_number_and_its_outcome_names_it() {
    probes_have_numbers(Dialect::Framed);
}

#[test]
fn each_classic_probe_has_its_number_and_its_outcome_names_it() {
    probes_have_numbers(Dialect::Classic);
}

#[test]
fn a_death_names_the_probes_that_were_missed() {
    let mut network = network(Dialect::Classic);
    network.world.hang(peer_addr(3));
    network.world.run_for(LIVENESS * 6);
    let mut deaths = 0;
    for (at, event) in network.world.events().iter().enumerate() {
        let EventKind::Death(DeathEvent::NeighborDied { peer, missed: Some([first, last]), .. }) = event.kind else {
            continue;
        };
        deaths += 1;
        let misses = network.world.events()[..at].iter().filter_map(|before| match before.kind {
            EventKind::Probe(ProbeEvent::Missed { peer: of, probe, misses, .. })
                if (before.node, of) == (event.node, peer) =>
            {
                Some((misses, probe.unwrap()))
            }
            _ => None,
        });
        let misses: Vec<_> = misses.collect();
        let tail = &misses[misses.len() - 3..];
        assert_eq!((tail[0], tail[2]), ((1, first), (3, last)), "{event:?}");
    }
    assert!(deaths >= 3, "{deaths}");
}

/// The reports that a seed got, by its number for them.
fn received(events: &[Event]) -> BTreeMap<(Addr, ReportId), (Addr, Addr)> {
    let report = |event: &Event| match event.kind {
        EventKind::Death(DeathEvent::DeadReportReceived { report, dead, reporter, .. }) => {
            Some(((event.node, report.unwrap()), (dead, reporter)))
        }
        _ => None,
    };
    events.iter().filter_map(report).collect()
}

#[test]
fn what_a_seed_does_about_a_report_names_the_report() {
    let mut network = network(Dialect::Framed);
    network.world.command(peer_addr(1), NodeCommand::Lie(peer_addr(2)));
    network.world.run_for(LIVENESS);
    network.world.kill(peer_addr(4));
    set(&mut network, FaultKind::Cut, Scope::border(vec![peer_addr(5)]));
    network.world.run_for(LIVENESS * 6);
    let reports = received(network.world.events());
    let (mut disputed, mut believed) = (0, 0);
    for event in network.world.events() {
        let (report, dead, reporter) = match event.kind {
            EventKind::Death(DeathEvent::ReportDisputed { report, dead, reporter, .. }) => {
                disputed += 1;
                (report, dead, reporter)
            }
            EventKind::Seed(SeedEvent::PeerDelisted {
                peer,
                reason: DelistReason::Reported { reporter, report } | DelistReason::Unanswered { reporter, report },
                ..
            }) => {
                believed += 1;
                (report, peer, reporter)
            }
            _ => continue,
        };
        assert_eq!(reports.get(&(event.node, report.unwrap())), Some(&(dead, reporter)), "{event:?}");
    }
    assert!(disputed >= 2 && believed >= 2, "{disputed} disputed, {believed} believed");
}

/// The verdict of a seed about a node, and the verification that it comes from.
fn verdict(kind: &EventKind) -> Option<(Addr, Verification)> {
    match *kind {
        EventKind::Death(DeathEvent::ReportDisputed { dead, verification, .. }) => Some((dead, verification?)),
        EventKind::Seed(SeedEvent::PeerDelisted { peer, verification, .. }) => Some((peer, verification?)),
        _ => None,
    }
}

#[test]
fn report_probes_and_verdict_of_a_verification_tie_together() {
    let mut network = network(Dialect::Framed);
    network.world.command(peer_addr(1), NodeCommand::Lie(peer_addr(2)));
    network.world.run_for(LIVENESS);
    network.world.hang(peer_addr(3));
    network.world.run_for(LIVENESS * 8);
    let (events, probes) = (network.world.events(), probes(&network));
    let (mut disputed, mut delisted) = (0, 0);
    for (at, event) in events.iter().enumerate() {
        let Some((node, Verification { id, probes: [first, last] })) = verdict(&event.kind) else { continue };
        let begins = |before: &&Event| {
            before.node == event.node
                && matches!(before.kind, EventKind::Death(DeathEvent::DeadReportReceived { dead, action: ReportAction::Verifying, verification: Some(of), .. })
                    if (dead, of) == (node, id))
        };
        assert!(events[..at].iter().any(|before| begins(&before)), "a report names it: {event:?}");
        assert!([first, last].iter().all(|probe| probes.get(&(event.node, *probe)) == Some(&node)), "{event:?}");
        let is_answer = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { probe: Some(probe), .. }) if *probe == last);
        let is_answered = events[..at].iter().any(|before| before.node == event.node && is_answer(&before.kind));
        let is_dispute = matches!(event.kind, EventKind::Death(_));
        assert_eq!(is_answered, is_dispute, "{event:?}");
        (disputed, delisted) = if is_dispute { (disputed + 1, delisted) } else { (disputed, delisted + 1) };
    }
    assert!(disputed >= 2 && delisted >= 2, "{disputed} disputed, {delisted} off the list");
}

#[test]
fn the_dials_of_a_repair_name_it() {
    let mut network = network(Dialect::Framed);
    network.world.kill(peer_addr(1));
    network.world.kill(peer_addr(2));
    network.world.run_for(LIVENESS * 4);
    let (mut begun, mut dials) = (BTreeMap::new(), 0);
    for event in network.world.events() {
        match event.kind {
            EventKind::Link(LinkEvent::Repairing { repair: Some(repair), .. }) => {
                assert_eq!(
                    begun.insert((event.node, repair), event.at),
                    None,
                    "two repairs with one number: {event:?}"
                );
            }
            EventKind::Link(LinkEvent::Dialing { repair: Some(repair), .. }) => {
                dials += 1;
                // Those of its first round come just before it is told.
                let told = |other: &&Event| {
                    other.node == event.node
                        && matches!(other.kind, EventKind::Link(LinkEvent::Repairing { repair: Some(of), .. }) if of == repair)
                };
                assert!(network.world.events().iter().any(|other| told(&other)), "{event:?}");
            }
            _ => {}
        }
    }
    assert!(begun.len() >= 2 && dials >= 2, "{} repairs, {dials} dials", begun.len());
}

#[test]
fn both_ends_of_a_refused_connection_name_it_alike() {
    let mut network = Network::new(1, 5);
    network.peer_config.max_neighbors = 4;
    network.start_peers(1..=12);
    network.world.run_for(LIVENESS * 4);
    let mut told: BTreeMap<ConnectionKey, Vec<Addr>> = BTreeMap::new();
    for event in network.world.events() {
        if let EventKind::Link(LinkEvent::Refused { connection, .. }) = event.kind {
            told.entry(key(connection.expect("there is one"))).or_default().push(event.node);
        }
    }
    assert!(told.len() >= 3, "{told:?}");
    assert!(told.values().all(|ends| ends.len() == 2 && ends[0] != ends[1]), "{told:?}");
}

type ConnectionKey = (Addr, Addr, u64);

fn key(connection: ConnectionId) -> ConnectionKey {
    (connection.dialer, connection.acceptor, connection.began.as_micros())
}
