//! Liveness alone: neighbors that answer, fall silent, or are accused by a node that was away.

use super::*;
use crate::proto::event::{EventKind, NodeEvent};
use crate::proto::testing::Surroundings;

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

/// A peer at 3000 with neighbors at 3001 and 3002.
fn liveness() -> (Liveness, Surroundings) {
    let mut around = Surroundings::new(3000, &[]);
    let mut liveness = Liveness::new(&around.config);
    liveness.start(&mut around.cx());
    (1..=2).for_each(|n| liveness.neighbor_up(around.now, p(n)));
    (liveness, around)
}

/// Lets time pass to the next deadline, and does what is due. Returns the probes and the dead.
fn turn(liveness: &mut Liveness, around: &mut Surroundings) -> (Vec<(Addr, ProbeSeq)>, Vec<Addr>) {
    around.now = liveness.next_deadline().unwrap();
    let mut dead = Vec::new();
    while let Some(Dead { peer, .. }) = liveness.judge(&mut around.cx()) {
        liveness.neighbor_down(peer);
        dead.push(peer);
    }
    if liveness.is_due(&around.cx()) {
        liveness.tick(&mut around.cx(), None);
    }
    let probe = |(peer, message)| match message {
        Message::Probe { seq, .. } => Some((peer, seq)),
        _ => None,
    };
    (around.take().sent_to.into_iter().filter_map(probe).collect(), dead)
}

/// Turns, in which the first neighbor answers; until somebody is dead.
fn turns_to_death(liveness: &mut Liveness, around: &mut Surroundings) -> (usize, Vec<Addr>) {
    for probed in 1.. {
        let (probes, mut dead) = turn(liveness, around);
        for (peer, seq) in probes.into_iter().filter(|(peer, _)| *peer == p(1)) {
            liveness.on_reply(&mut around.cx(), peer, seq, ClockTime::from_seconds(1).unwrap());
        }
        if !dead.is_empty() {
            dead.sort_unstable();
            return (probed, dead);
        }
    }
    unreachable!()
}

#[test]
fn a_neighbor_that_does_not_answer_three_times_is_dead() {
    let (mut liveness, mut around) = liveness();
    let began = around.now;
    let (_, dead) = turns_to_death(&mut liveness, &mut around);
    assert_eq!(dead, [p(2)], "the other one answers");
    let found = around.now.since(began);
    let (interval, patience) = (around.config.liveness_interval, around.config.answer_patience());
    assert!(found > interval * 2 + patience && found <= interval * 3 + patience, "{found:?}");
}

#[test]
fn an_answer_begins_the_count_anew_even_if_it_is_late() {
    let (mut liveness, mut around) = liveness();
    let (probes, _) = turn(&mut liveness, &mut around);
    (0..4).for_each(|_| assert_eq!(turn(&mut liveness, &mut around).1, []));
    for (peer, seq) in probes {
        liveness.on_reply(&mut around.cx(), peer, seq, ClockTime::from_seconds(1).unwrap());
    }
    (0..4).for_each(|_| assert_eq!(turn(&mut liveness, &mut around).1, [], "three more are needed"));
    assert_eq!(turn(&mut liveness, &mut around).1.len(), 2);
}

#[test]
fn probes_out_of_turn_hurry_nobodys_death() {
    let (mut liveness, mut around) = liveness();
    for _ in 0..100 {
        assert!(liveness.probe(&mut around.cx(), p(2), None).is_some());
    }
    assert_eq!(liveness.probe(&mut around.cx(), p(9), None), None, "no neighbor");
    around.now = around.now + around.config.answer_patience() * 2;
    assert!(liveness.judge(&mut around.cx()).is_none());
}

#[test]
fn a_node_that_was_away_accuses_nobody() {
    let (mut liveness, mut around) = liveness();
    assert_eq!(liveness.runs(&mut around.cx(), None), None);
    (0..5).for_each(|_| _ = turn(&mut liveness, &mut around));
    let deadline = liveness.next_deadline();
    around.now = around.now + around.config.liveness_interval * 5;
    let until = liveness.runs(&mut around.cx(), deadline).unwrap();
    assert!(until > around.now);
    assert!(liveness.judge(&mut around.cx()).is_none());
    assert!(around.take().events.iter().any(|event| matches!(event, EventKind::Node(NodeEvent::WasAway { .. }))));
}

#[test]
fn a_probe_is_answered_with_what_rides_on_answers() {
    let (_, mut around) = liveness();
    let probe = Probe { seq: 5, asker: p(1), clock: ClockTime::from_seconds(7).unwrap() };
    let extras = Some(ProbeExtras { neighbors: 2, root: crate::proto::message::RootNews::Nothing });
    answer(&mut around.cx(), p(1), probe, extras);
    let reply = Message::ProbeReply { seq: 5, asker: p(1), clock: probe.clock, extras };
    assert_eq!(around.take().sent_to, [(p(1), reply)]);
}
