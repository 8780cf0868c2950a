//! Suspicion, death, and reports that turn out false.

use super::*;
use crate::model::gossip;
use crate::model::gossip::Folded;

#[test]
fn a_hung_node_turns_suspect_and_then_dead() {
    let mut story = Story::network(3);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    assert_eq!(story.state(p(2)), ObservedState::Hung);
    story.probe(p(1), p(2), 1);
    story.wait(2);
    story.miss(p(1), p(2), 1, 1);
    assert_eq!(story.state(p(2)), ObservedState::Suspect { misses: 1, limit: 3 });
    let counts = story.model.nodes().counts();
    assert_eq!((counts.up, counts.suspect, counts.dead, counts.seeds), (4, 1, 0, 2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    assert_eq!(story.state(p(2)), ObservedState::Dead);
    assert_eq!(story.model.nodes().counts().dead, 1);
}

#[test]
fn an_answer_clears_the_suspicion_of_the_one_who_asked_only() {
    let mut story = Story::network(3);
    story.miss(p(1), p(2), 1, 2);
    story.miss(p(3), p(2), 1, 1);
    story.answer(p(1), p(2), 2);
    assert_eq!(story.state(p(2)), ObservedState::Suspect { misses: 1, limit: 3 });
    story.answer(p(3), p(2), 2);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    let link = story.model.links().get(p(1), p(2)).unwrap();
    assert_eq!((link.misses, link.rtt_us), (0, Some(400)));
    assert_eq!(link.pings().map(|ping| ping.rtt_us).collect::<Vec<_>>(), [None, Some(400)]);
}

#[test]
fn why_dead_names_the_witnesses_and_what_each_seed_did() {
    let story = a_death_of_missed_probes();
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(
        why.verdict,
        "p2 hangs since 03:13:00, and its neighbors take it for dead: p1 and p3 had no answer to 3 probes in a row; \
         it was reported to s1 and s2; s1 asked it, got no answer and took it off its list at 03:13:14; \
         s2 took it off its list at 03:13:12 without asking it."
    );
    for words in [
        "p1 sent it probe 2",
        "p1: no answer to probe 3 after 2 s (3/3)",
        "p3 declared it dead: 3 probes in a row unanswered",
        "p1 reported it to s1 and s2",
        "s1 got the report of p1: asking the node itself first",
        "s1 asked it and had no answer",
        "s2 got the report of p3: not on the list, nothing to do",
    ] {
        assert!(says(&why, words), "'{words}' is missing from {:#?}", why.evidence);
    }
    let timed: Vec<_> = why.evidence.iter().filter_map(|line| line.at).collect();
    assert!(timed.is_sorted());
}

#[test]
fn the_evidence_of_a_death_outlives_the_logs() {
    let mut story = a_death_of_missed_probes();
    for seq in 0..30_000 {
        story.probe(p(1), p(3), seq);
        story.answer(p(1), p(3), seq);
        story.generate(p(1), seq);
    }
    assert_eq!(story.model.gossip().len(), gossip::ENTRIES_MAX);
    assert!(says(&why_dead(&story.model, p(2), 0), "p1: no answer to probe 3 after 2 s (3/3)"));
}

#[test]
fn each_report_counts_once_whichever_side_is_seen_first() {
    let mut story = Story::network(3);
    let dead = p(2);
    story.report(s(1), dead, p(1), ReportAction::Verifying);
    story.declare(p(1), dead, DeathCause::LinkError);
    story.report(s(2), dead, p(1), ReportAction::Removed);
    let elsewhere = p(99);
    story.report(s(1), dead, elsewhere, ReportAction::Verifying);
    story.report(s(2), dead, elsewhere, ReportAction::NotListed);
    let case = story.model.deaths().latest_of(dead).unwrap();
    let reports: Vec<_> = case.evidence.iter().map(|told| (told.reporter, told.seeds.len())).collect();
    assert_eq!(reports, [(p(1), 2), (elsewhere, 2)]);
    assert_eq!(story.model.deaths().cases().len(), 1);
}

#[test]
fn a_killed_node_stays_killed_until_it_starts_again() {
    let mut story = Story::network(3);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(why.verdict, "p2 was killed at 03:13:00; nobody has noticed yet.");
    story.declare(p(1), p(2), DeathCause::LinkError);
    story.wait(1);
    story.answer(p(3), p(2), 1);
    assert_eq!(story.state(p(2)), ObservedState::Killed, "a late answer brings no crashed node back");
    story.wait(1);
    story.start(p(2), "p2", Role::Peer);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    let why = why_dead(&story.model, p(2), 0);
    let told = "p2 was killed at 03:13:00, was taken for dead, and is back since 03:13:02";
    assert!(why.verdict.starts_with(told), "{}", why.verdict);
}

#[test]
fn a_link_that_the_user_cut_is_not_told_as_a_certain_death() {
    let mut story = Story::network(1);
    let elsewhere: Addr = "10.0.0.7:3000".parse().unwrap();
    story.links += 1;
    let up = |link| {
        EventKind::Link(LinkEvent::Up {
            link,
            connection: None,
            peer: elsewhere,
            direction: Direction::Inbound,
            purpose: Purpose::Neighbor,
        })
    };
    story.tell(p(1), up(LinkId(77)));
    story.declare(p(1), elsewhere, DeathCause::Cut);
    let why = why_dead(&story.model, elsewhere, 0);
    assert!(why.verdict.contains("our link to it was cut by you; p1 treats it as dead"), "{}", why.verdict);
    assert!(why.verdict.contains("the process itself may be alive"), "{}", why.verdict);
    assert!(why.verdict.contains("what s1 and s2 did is not certain"), "{}", why.verdict);
    assert_eq!(story.state(elsewhere), ObservedState::Dead);
}

#[test]
fn a_report_of_a_live_node_elsewhere_is_told_as_disputed() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.dispute(s(1), p(2), p(1), 1);
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(why.title, "Is :3002 dead?");
    assert!(why.verdict.starts_with(":3002 was reported dead, which is disputed:"), "{}", why.verdict);
    assert!(why.verdict.contains("s1 asked it, had an answer after 900 us and kept it on its list"), "{}", why.verdict);
    assert!(!why.verdict.contains("is dead:"), "{}", why.verdict);
    assert!(says(&about_node(&story.model, p(2), 0), ":3001 reported it dead: disputed"));
}

#[test]
fn a_cut_in_another_process_is_not_told_as_done_here() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    let cut = Some(DeathCause::Cut);
    let action = ReportAction::Removed;
    story.tell(
        s(1),
        EventKind::Death(DeathEvent::DeadReportReceived {
            report: None,
            verification: None,
            dead: p(2),
            reporter: p(1),
            cause: cut,
            action,
            clock: clock(),
        }),
    );
    let verdict = why_dead(&story.model, p(2), 0).verdict;
    assert!(verdict.contains("the link of :3001 to it was cut there"), "{verdict}");
    assert!(!verdict.contains("by you"), "{verdict}");
}

#[test]
fn a_disputed_report_counts_against_its_reporter() {
    let mut story = Story::network(3);
    story.declare(p(1), p(2), DeathCause::LinkError);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.wait(1);
    story.dispute(s(1), p(2), p(1), 1);
    assert_eq!(story.model.seeds().get(s(1)).unwrap().disputes[&p(1)].reports, 1);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    assert_eq!(story.model.seeds().listing(p(2)).count(), 2);
    let why = why_dead(&story.model, p(2), 0);
    assert!(why.verdict.contains("s1 asked it, had an answer after 900 us and kept it on its list"), "{}", why.verdict);
}

#[test]
fn a_seed_is_not_shown_dead_because_somebody_took_its_name() {
    let mut story = Story::network(3);
    story.three_misses(p(1), s(1));
    story.declare(p(1), s(1), DeathCause::Closed);
    story.tell(
        s(2),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: s(1),
            verification: None,
            reason: DelistReason::Reported { report: None, reporter: p(1) },
        }),
    );
    assert_eq!(story.model.nodes().get(s(1)).unwrap().state(), ObservedState::Up);
}

#[test]
fn all_that_is_said_about_a_death_is_one_line_of_the_log() {
    let story = a_death_of_missed_probes();
    let lines = story.model.gossip().iter().filter(|(_, line)| matches!(line.kind, EventKind::Death(_)));
    let [(_, line)] = lines.collect::<Vec<_>>()[..] else { panic!("not one line") };
    let Folded::Death(case) = line.folded else { panic!("{line:?}") };
    let case = story.model.deaths().cases().get(case).unwrap();
    assert_eq!((case.dead, case.evidence.len()), (p(2), 2));
}
