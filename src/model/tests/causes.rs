//! What was done on purpose is named before all else: a fault, a hang, a crash; and an earlier life counts.

use super::*;
use crate::event::{DeathEvent, FaultEvent, LinkEvent, NodeEvent, SeedEvent};
use crate::event::{Rule, Violation};
use crate::model::death::DeathCounts;
use crate::model::why::{why_not, why_not_each};
use crate::proto::fault::{Fault, FaultKind, Percent, Scope};

impl Story {
    pub(super) fn set(&mut self, what: FaultKind, on: Scope) {
        let fault = Fault { what, on };
        self.tell(fault.subject(), EventKind::Fault(FaultEvent::Set { id: None, fault }));
    }

    pub(super) fn heal(&mut self, what: FaultKind, on: Scope) {
        let fault = Fault { what, on };
        self.tell(fault.subject(), EventKind::Fault(FaultEvent::Cleared { id: None, fault }));
    }

    /// Both ends miss three probes of the other, and give it up.
    pub(super) fn give_up(&mut self, a: Addr, b: Addr) {
        let cause = DeathCause::Misses { misses: 3 };
        self.three_misses(a, b);
        self.declare(a, b, cause);
        self.three_misses(b, a);
        self.declare(b, a, cause);
    }
}

fn half() -> Scope {
    Scope::border(vec![p(1), p(2)])
}

/// p1 - p2 | p3 - p4, parted at 03:14:00 and not healed; p2 and p3 give each other up.
fn parted() -> Story {
    let mut story = Story::network(4);
    for (node, peer) in [(p(2), p(3)), (p(3), p(2))] {
        story.answer(node, peer, 9);
    }
    story.wait(60);
    story.set(FaultKind::Cut, half());
    story.wait(1);
    story.give_up(p(2), p(3));
    story
}

#[test]
fn a_link_that_ended_by_a_partition_names_the_partition_at_once() {
    let story = parted();
    let why = why_link(&story.model, p(2), p(3), 0);
    assert_eq!(
        why.verdict,
        "The link p2 - p3 ended at 03:14:07, after 67 s: p2 had no answer to 3 probes in a row; the two were cut from \
         each other by 'partition p1 p2' since 03:14:00."
    );
    let faults = why.evidence.iter().filter(|line| line.text.contains("partition p1 p2")).count();
    assert_eq!(faults, 1, "{:#?}", why.evidence);
}

#[test]
fn a_node_behind_a_partition_lacks_a_message_because_of_it() {
    let mut story = parted();
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(10);
    for node in [p(3), p(4)] {
        assert_eq!(
            why_not(&story.model, node, id, 0).verdict,
            format!(
                "{} does not have p1#1: it is on the other side of 'partition p1 p2', set at 03:14:00.",
                story.model.name_of(node)
            )
        );
    }
    story.heal(FaultKind::Cut, half());
    assert!(
        why_not(&story.model, p(4), id, 0).verdict.ends_with("set at 03:14:00 and healed at 03:14:23."),
        "{}",
        why_not(&story.model, p(4), id, 0).verdict
    );
}

#[test]
fn a_message_that_passed_the_border_was_not_kept_by_it() {
    let mut story = parted();
    let id = story.generate(p(1), 1);
    // By whatever way: a node elsewhere, say.
    story.receive(p(3), p(9), id, Some(2));
    let told = why_not(&story.model, p(4), id, 0).verdict;
    assert!(!told.contains("on the other side"), "{told}");
}

#[test]
fn an_overlay_parted_after_the_healing_names_the_partition() {
    let mut story = parted();
    story.heal(FaultKind::Cut, half());
    story.wait(30);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(10);
    let told = why_not(&story.model, p(4), id, 0).verdict;
    assert!(
        told.starts_with(
            "p4 does not have p1#1 because of 'partition p1 p2' from 03:14:00 to 03:14:13: it and 1 other were in \
             another part of the overlay than p1; the last link between the two sides, p2 - p3, ended at 03:14:07"
        ),
        "{told}"
    );
}

#[test]
fn a_death_and_a_suspicion_by_a_cut_say_so_of_a_node_that_runs() {
    let mut story = Story::network(3);
    story.answer(p(1), p(2), 9);
    story.wait(10);
    story.set(FaultKind::Cut, Scope::link(p(1), p(2)));
    story.three_misses(p(1), p(2));
    let suspect = about_node(&story.model, p(2), 0).verdict;
    assert!(
        suspect.contains("because of 'cut p1 p2' since 03:13:10: p1 had no answer to 3 probes in a row"),
        "{suspect}"
    );
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    let dead = why_dead(&story.model, p(2), 0);
    let told = "p2 runs, but is taken for dead because of 'cut p1 p2' since 03:13:10: p1 had no answer to 3 probes";
    assert!(dead.verdict.starts_with(told), "{}", dead.verdict);
    assert!(says(&dead, "fault: cut p1 p2"), "{dead:#?}");
}

#[test]
fn a_fault_that_keeps_only_some_is_told_as_not_certain() {
    let mut story = Story::network(2);
    story.answer(p(1), p(2), 9);
    story.set(FaultKind::Loss { percent: Percent::new(60).unwrap() }, Scope::link(p(1), p(2)));
    story.three_misses(p(1), p(2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    let link = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(link.contains("'loss p1 p2 60%' since 03:13:00 may be why, which is not certain"), "{link}");
    let dead = why_dead(&story.model, p(2), 0).verdict;
    assert!(dead.contains("perhaps because of 'loss p1 p2 60%' since 03:13:00 (not certain)"), "{dead}");
}

#[test]
fn a_cut_healed_long_before_is_not_blamed_for_certain() {
    let mut story = Story::network(2);
    story.answer(p(1), p(2), 9);
    story.set(FaultKind::Cut, Scope::link(p(1), p(2)));
    for misses in 1..=3 {
        story.probe(p(1), p(2), u64::from(misses));
        story.wait(2);
        story.miss(p(1), p(2), u64::from(misses), misses);
        if misses == 1 {
            story.heal(FaultKind::Cut, Scope::link(p(1), p(2)));
        }
    }
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    let link = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(link.contains("'cut p1 p2' from 03:13:00 to 03:13:02 may be why, which is not certain"), "{link}");
}

#[test]
fn a_link_to_a_node_that_hung_or_was_killed_names_that_and_when() {
    let story = a_death_of_missed_probes();
    let hung = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(hung.ends_with("p1 had no answer to 3 probes in a row; p2 hung at 03:13:00."), "{hung}");
    let mut story = Story::network(2);
    story.wait(5);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.declare(p(1), p(2), DeathCause::LinkError);
    let killed = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(killed.contains("p2 was killed"), "{killed}");
}

#[test]
fn a_link_that_stands_across_a_cut_says_that_nothing_passes() {
    let mut story = Story::network(2);
    story.set(FaultKind::Cut, Scope::link(p(1), p(2)));
    let told = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(told.ends_with("; nothing passes between them: 'cut p1 p2' since 03:13:00."), "{told}");
}

#[test]
fn a_partition_of_many_names_some_and_counts_the_rest() {
    let mut story = Story::network(12);
    story.set(FaultKind::Cut, Scope::border((1..=9).map(p).collect()));
    let id = story.generate(p(1), 1);
    let told = why_not(&story.model, p(12), id, 0).verdict;
    assert!(told.contains("on the other side of 'partition p1 p2 p3 p4 p5 and 4 more', set at 03:13:00."), "{told}");
}

#[test]
fn a_node_that_was_down_then_and_is_back_now_is_told_both() {
    let mut story = Story::network(3);
    story.wait(10);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(2);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(3);
    story.start(p(3), "p3", Role::Peer);
    assert_eq!(
        why_not(&story.model, p(3), id, 0).verdict,
        "p3 does not have p1#1: it was down when the message began: it was killed at 03:13:10, and was started again at \
         03:13:15."
    );
    let coverage = story.model.rumors().get(id).unwrap().coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of), (2, 2));
}

#[test]
fn a_restart_does_not_excuse_the_life_before() {
    let mut story = Story::network(3);
    story.set(FaultKind::Cut, Scope::link(p(2), p(3)));
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(20);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(1);
    story.start(p(3), "p3", Role::Peer);
    let rumor = story.model.rumors().get(id).unwrap();
    let coverage = rumor.coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of), (2, 3), "it ran then, and lacked it");
    let clauses = why_not_each(&story.model, rumor, &[p(3)], 0);
    assert!(clauses[0].why.contains("it was cut from p2, which had it at 03:13:00, by 'cut p2 p3'"), "{clauses:?}");
    let still = rumor.coverage(story.model.nodes(), Counting::StillRun);
    assert_eq!((still.have, still.of), (2, 2), "a scenario expects nothing of whom it has started anew");
}

#[test]
fn a_scenario_does_not_count_receipts_of_earlier_lives() {
    let mut story = Story::network(3);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.start(p(2), "p2", Role::Peer);
    story.start(p(4), "p4", Role::Peer);
    story.wait(1);
    story.receive(p(4), p(1), id, Some(1));
    let rumor = story.model.rumors().get(id).unwrap();
    let still = rumor.coverage(story.model.nodes(), Counting::StillRun);
    assert_eq!((still.have, still.of), (2, 3), "p1 and p4 have it, p3 lacks it, and p2 was started anew");
}

#[test]
fn a_peer_killed_before_the_message_came_is_excused() {
    let mut story = Story::network(3);
    let id = story.generate(p(1), 1);
    story.pass_ms(50);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.start(p(3), "p3", Role::Peer);
    let rumor = story.model.rumors().get(id).unwrap();
    assert!(rumor.lacking(story.model.nodes(), Counting::HadTime).all(|node| node.addr != p(3)));
    let told = why_not(&story.model, p(3), id, 0).verdict;
    assert!(told.contains("it went down before the message came: it was killed at 03:13:00"), "{told}");
}

#[test]
fn seeds_that_did_the_same_are_told_together() {
    let mut story = Story::network(3);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.declare(p(1), p(2), DeathCause::LinkError);
    let reporter = p(1);
    for seed in [s(1), s(2)] {
        story.report(seed, p(2), reporter, ReportAction::Removed);
        story.tell(
            seed,
            EventKind::Seed(SeedEvent::PeerDelisted {
                peer: p(2),
                verification: None,
                reason: DelistReason::Reported { report: None, reporter },
            }),
        );
    }
    let told = why_dead(&story.model, p(2), 0).verdict;
    assert!(told.contains("s1 and s2 took it off their lists at 03:13:00 without asking it"), "{told}");
}

#[test]
fn a_lie_is_told_as_one_and_not_as_a_death() {
    let mut story = Story::network(3);
    let cause = DeathCause::Lie;
    story.tell(p(1), EventKind::Fault(FaultEvent::Lied { about: p(3) }));
    story.tell(
        p(1),
        EventKind::Death(DeathEvent::DeadReportSent {
            report: None,
            dead: p(3),
            clock: clock(),
            seeds: vec![s(1), s(2)],
            cause,
        }),
    );
    for seed in [s(1), s(2)] {
        story.report(seed, p(3), p(1), ReportAction::Verifying);
        story.dispute(seed, p(3), p(1), 1);
    }
    assert_eq!(
        why_dead(&story.model, p(3), 0).verdict,
        "p3 runs, and was reported dead, which is disputed: p1 made a false report, on purpose; it was reported to s1 and s2; s1 and \
         s2 asked it, had an answer after 900 us at most and kept it on their lists."
    );
}

/// A node reports another to s1, which it knows to be alive.
fn lie(story: &mut Story, reporter: Addr, dead: Addr, cause: DeathCause) {
    story.tell(reporter, EventKind::Fault(FaultEvent::Lied { about: dead }));
    let seeds = vec![s(1)];
    let report = DeathEvent::DeadReportSent { report: None, dead, clock: clock(), seeds, cause };
    story.tell(reporter, EventKind::Death(report));
}

#[test]
fn a_lie_and_a_later_death_are_two_cases() {
    let mut story = Story::network(3);
    let cause = DeathCause::Misses { misses: 3 };
    lie(&mut story, p(1), p(3), cause);
    story.report(s(1), p(3), p(1), ReportAction::Verifying);
    story.dispute(s(1), p(3), p(1), 1);
    let told = why_dead(&story.model, p(3), 0).verdict;
    assert!(told.contains("p1 made a false report, on purpose"), "{told}");
    story.wait(2);
    story.tell(p(3), EventKind::Node(NodeEvent::Hung));
    story.three_misses(p(2), p(3));
    story.declare(p(2), p(3), cause);
    let told = why_dead(&story.model, p(3), 0).verdict;
    assert!(told.starts_with("p3 hangs since 03:13:02") && !told.contains("p1"), "{told}");
}

#[test]
fn why_a_link_to_a_hung_node_stands_names_the_hang() {
    let mut story = Story::network(2);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.probe(p(1), p(2), 1);
    story.wait(2);
    story.miss(p(1), p(2), 1, 1);
    for (a, b) in [(1, 2), (2, 1)] {
        let told = why_link(&story.model, p(a), p(b), 0).verdict;
        assert!(told.contains("1 probe of 3 unanswered") && told.ends_with("; p2 hangs since 03:13:00."), "{told}");
    }
}

#[test]
fn a_seed_behind_a_partition_tells_its_losses_in_one_clause() {
    use crate::model::why::why_seed;
    let mut story = Story::network(4);
    story.set(FaultKind::Cut, Scope::border(vec![p(1), p(2), s(1)]));
    story.wait(9);
    for peer in [p(3), p(4)] {
        story.tell(
            p(2),
            EventKind::Death(DeathEvent::NeighborDied {
                missed: None,
                peer,
                cause: DeathCause::LinkError,
                last_heard: Time::from_micros(START),
            }),
        );
        story.report(s(1), peer, p(2), ReportAction::Verifying);
        story.tell(
            s(1),
            EventKind::Seed(SeedEvent::PeerDelisted {
                peer,
                verification: None,
                reason: DelistReason::Unanswered { report: None, reporter: p(2) },
            }),
        );
    }
    let told = why_seed(&story.model, s(1), Time::from_micros(story.at), 0).verdict;
    assert!(
        told.contains(
            "p3 and p4 run, but are cut off from it by 'partition p1 p2 s1' since 03:13:00; they were taken off the list \
             at 03:13:09: p2 reported them dead, and they did not answer"
        ),
        "{told}"
    );
}

#[test]
fn a_report_that_could_not_arrive_is_not_said_to_be_unknown() {
    let mut story = Story::network(3);
    story.set(FaultKind::Cut, Scope::border(vec![p(1), p(2), s(1)]));
    story.three_misses(p(2), p(3));
    story.declare(p(2), p(3), DeathCause::Misses { misses: 3 });
    story.report(s(1), p(3), p(2), ReportAction::Verifying);
    let told = why_dead(&story.model, p(3), 0).verdict;
    assert!(
        told.ends_with("s1 is asking it; no report reached s2, because of 'partition p1 p2 s1' since 03:13:00."),
        "{told}"
    );
}

#[test]
fn a_node_at_a_border_says_from_whom_it_is_cut_off() {
    let mut story = Story::network(3);
    story.set(FaultKind::Cut, Scope::border(vec![p(1), s(1)]));
    let told = about_node(&story.model, p(3), 0).verdict;
    assert!(told.ends_with("Nothing passes between it and p1 and s1: 'partition p1 s1' since 03:13:00."), "{told}");
}

#[test]
fn who_lost_a_node_by_a_cut_did_not_notice_its_death() {
    let mut story = Story::network(3);
    story.set(FaultKind::Cut, Scope::link(p(1), p(2)));
    story.three_misses(p(1), p(2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.declare(p(3), p(2), DeathCause::LinkError);
    let told = why_dead(&story.model, p(2), 0).verdict;
    let clause =
        "p1 had no answer to 3 probes in a row, because of 'cut p1 p2' since 03:13:00; the connection of p3 to it";
    assert!(told.starts_with("p2 was killed at 03:13:06") && told.contains(clause), "{told}");
}

#[test]
fn a_seed_that_could_not_ask_is_not_said_to_have_believed() {
    let mut story = Story::network(3);
    let reporter = p(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let (link, purpose) = (story.link_of(s(1), p(2)), Purpose::Registration);
    story.tell(s(1), EventKind::Link(LinkEvent::Down { link, peer: p(2), purpose, end: LinkEnd::RegistrationLost }));
    story.declare(reporter, p(2), DeathCause::LinkError);
    for seed in [s(1), s(2)] {
        story.report(seed, p(2), reporter, ReportAction::Removed);
        story.tell(
            seed,
            EventKind::Seed(SeedEvent::PeerDelisted {
                peer: p(2),
                verification: None,
                reason: DelistReason::Reported { report: None, reporter },
            }),
        );
    }
    let told = why_dead(&story.model, p(2), 0).verdict;
    assert!(told.contains("s1 took it off its list at 03:13:00 and could not ask it: its registration had"), "{told}");
    assert!(told.contains("s2 took it off its list at 03:13:00 without asking it"), "{told}");
}

#[test]
fn who_hears_from_a_node_disagrees_and_brings_it_back_to_nobody() {
    let mut story = Story::network(4);
    story.link(p(4), p(1), Purpose::Neighbor);
    story.set(FaultKind::Cut, Scope::border(vec![p(1), p(2)]));
    let cause = DeathCause::Misses { misses: 3 };
    for (node, peer, seq) in [(p(2), p(3), 1), (p(1), p(4), 2)] {
        story.three_misses(node, peer);
        story.declare(node, peer, cause);
        story.wait(1);
        story.answer(p(4), p(3), seq);
        story.answer(p(3), p(4), seq);
    }
    story.link(p(1), p(3), Purpose::Neighbor);
    story.declare(p(1), p(3), cause);
    assert_eq!(story.model.deaths().counts().deaths, 2, "of p3 and of p4, however often it is said");
    assert!(story.model.nodes().iter().all(|node| node.comebacks().len() < 2), "nobody flaps");
    story.wait(1);
    story.answer(p(4), p(3), 9);
    let told = why_dead(&story.model, p(4), 0).verdict;
    assert!(told.contains("p4 runs, but is taken for dead because of 'partition p1 p2' since 03:13:00"), "{told}");
    assert!(told.contains("p3 disagrees: the link is up, and it was heard from since"), "{told}");
    assert_eq!(story.state(p(4)), ObservedState::Up, "it is heard from");
}

#[test]
fn a_dispute_before_the_report_is_seen_is_of_that_report() {
    for is_lie in [true, false] {
        let mut story = Story::network(3);
        let cause = DeathCause::Misses { misses: 3 };
        story.report(s(1), p(3), p(2), ReportAction::Verifying);
        story.dispute(s(1), p(3), p(2), 1);
        if is_lie {
            lie(&mut story, p(2), p(3), cause);
        } else {
            story.declare(p(2), p(3), cause);
        }
        assert_eq!(story.model.deaths().counts(), DeathCounts { deaths: 0, unfounded: 1 }, "a lie: {is_lie}");
        assert!(why_dead(&story.model, p(3), 0).verdict.contains("s1 asked it, had an answer after 900 us"));
    }
}

#[test]
fn a_link_broken_off_by_its_other_end_says_what_for() {
    let mut story = Story::network(1);
    story.start(p(2), "p2", Role::Peer);
    story.set(FaultKind::Delay { by_us: 3 * SECOND, jitter_us: 0 }, Scope::Node(p(2)));
    let (purpose, rule) = (Purpose::Neighbor, Rule::HandshakeTimeout);
    story.tell(p(2), EventKind::Link(LinkEvent::Dialing { peer: p(1), purpose, repair: None }));
    let (link, direction) = (LinkId(9), Direction::Inbound);
    story.tell(p(1), EventKind::Link(LinkEvent::Up { link, connection: None, peer: p(2), direction, purpose }));
    story.wait(2);
    let violation = Violation { rule, bytes: Body::from("") };
    story.tell(
        p(2),
        EventKind::Link(LinkEvent::Violation { connection: None, peer: Some(p(1)), remote: p(1), violation }),
    );
    let end = LinkEnd::Dead { cause: DeathCause::Closed };
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link, peer: p(2), purpose, end }));
    let told = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(told.contains("'delay p2 3s' since 03:13:00 may be why, which is not certain. p2: p1 broke"), "{told}");
    let alone = about_node(&story.model, p(2), 0).verdict;
    assert!(
        alone.contains("It has no neighbor, perhaps because of 'delay p2 3s' since 03:13:00 (not certain). "),
        "{alone}"
    );
}

#[test]
fn two_that_never_had_a_link_and_could_have_none_now_say_so() {
    let mut story = Story::network(4);
    story.set(FaultKind::Cut, half());
    let told = why_link(&story.model, p(1), p(4), 0).verdict;
    assert!(told.starts_with("There never was a link between p1 and p4: neither dialed the other."), "{told}");
    assert!(told.ends_with(" Now nothing passes between them: 'partition p1 p2' since 03:13:00."), "{told}");
}

/// p1 - p2 | p3 - p4, and a link p2 - p4 that the partition of p1 and p2 cuts; p2 has declared p4 dead, and p3 hears from p4.
fn lost_on_one_side() -> Story {
    let mut story = Story::network(4);
    story.link(p(2), p(4), Purpose::Neighbor);
    story.set(FaultKind::Cut, half());
    story.three_misses(p(2), p(4));
    story.declare(p(2), p(4), DeathCause::Misses { misses: 3 });
    story.wait(1);
    story.answer(p(3), p(4), 1);
    story
}

#[test]
fn a_node_is_back_once_the_one_who_lost_it_links_to_it() {
    let mut story = lost_on_one_side();
    story.wait(1);
    story.heal(FaultKind::Cut, half());
    story.link(p(2), p(4), Purpose::Neighbor);
    let told = why_dead(&story.model, p(4), 0).verdict;
    assert!(told.contains("and is back since 03:13:08") && !told.contains("disagree"), "{told}");
    assert_eq!(story.model.nodes().get(p(4)).unwrap().comebacks().len(), 1);
    story.wait(2);
    story.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.declare(p(2), p(4), DeathCause::LinkError);
    assert_eq!(story.model.deaths().counts().deaths, 2, "the kill is another death");
    let told = why_dead(&story.model, p(4), 0).verdict;
    assert!(told.starts_with("p4 was killed at 03:13:10, and its neighbors noticed"), "{told}");
}

#[test]
fn links_on_ones_own_side_bring_nobody_back_beyond() {
    let mut story = Story::network(6);
    for node in [1, 2] {
        story.link(p(node), p(4), Purpose::Neighbor);
    }
    story.set(FaultKind::Cut, half());
    for (loses_it, is_repaired_with) in [(2, 5), (1, 6)] {
        story.three_misses(p(loses_it), p(4));
        story.declare(p(loses_it), p(4), DeathCause::Misses { misses: 3 });
        story.wait(1);
        story.link(p(4), p(is_repaired_with), Purpose::Neighbor);
    }
    assert_eq!(story.model.deaths().counts().deaths, 1, "one death, however often it is declared");
    assert!(story.model.nodes().get(p(4)).unwrap().comebacks().is_empty(), "it came back to nobody");
}

#[test]
fn a_node_killed_long_after_it_was_given_up_dies_again() {
    let mut story = lost_on_one_side();
    story.wait(90);
    let last_heard = Time::from_micros(story.at);
    story.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(1);
    story.tell(
        p(3),
        EventKind::Death(DeathEvent::NeighborDied {
            missed: None,
            peer: p(4),
            cause: DeathCause::LinkError,
            last_heard,
        }),
    );
    assert_eq!(story.model.deaths().counts().deaths, 2);
}

#[test]
fn of_a_thousand_killed_peers_as_much_is_told_as_is_read() {
    use crate::model::why::{EVIDENCE_MAX, why_seed};
    let peer = |n: u16| Addr::loopback(10_000 + n);
    let mut story = Story::network(1);
    for n in 1..=1_000 {
        story.start(peer(n), &format!("q{n}"), Role::Peer);
        story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: peer(n), again: false }));
        // Each at another second, so that nobody is told together with another one.
        story.wait(1);
        story.tell(peer(n), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    }
    let why = why_seed(&story.model, s(1), Time::from_micros(story.at), 0);
    let told = "q1 was killed at 03:13:01, and nobody has reported it; q2 was killed at 03:13:02";
    assert!(why.verdict.contains(told) && why.verdict.contains("; and 997 more"), "{}", why.verdict);
    assert_eq!(why.evidence.len(), EVIDENCE_MAX + 1);
    assert_eq!(why.evidence.last().unwrap().text, "and what there is of 500 more peers");
}

#[test]
fn a_node_that_registers_again_is_no_longer_asked() {
    let mut story = Story::network(3);
    story.declare(p(1), p(2), DeathCause::LinkError);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(2), again: true }));
    let told = why_dead(&story.model, p(2), 0).verdict;
    assert!(told.contains("s1 asked it, and had it on its list again before an answer came"), "{told}");
}
