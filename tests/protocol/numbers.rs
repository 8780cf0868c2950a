//! Numbers that tie together what belongs together: probes, misses and deaths; reports and what
//! seeds did about them.

use std::collections::BTreeMap;

use gossipctl::event::{DeathEvent, DelistReason, Event, EventKind, ProbeEvent, SeedEvent};
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
