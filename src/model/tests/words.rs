//! What an answer claims is true, and names what was done on purpose first.

use super::*;
use crate::event::{DialError, LinkEvent, NodeEvent, SeedEvent};
use crate::model::why::{why_not, why_seed};
use crate::proto::fault::{FaultKind, Percent, Scope};

#[test]
fn a_past_suspicion_is_told_for_a_while_only() {
    let mut story = Story::network(3);
    story.wait(5);
    story.miss(p(1), p(2), 1, 1);
    story.wait(6);
    story.answer(p(1), p(2), 2);
    let told = about_node(&story.model, p(2), 0).verdict;
    assert_eq!(told, "p2 runs in this process since 03:13:00; it was doubted until 03:13:11.");
    story.wait(120);
    story.answer(p(1), p(2), 3);
    let told = about_node(&story.model, p(2), 0).verdict;
    assert_eq!(told, "p2 runs in this process since 03:13:00.");
}

#[test]
fn a_node_tells_when_this_life_began_or_since_when_it_is_known() {
    let mut story = Story::network(2);
    story.wait(7);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(1);
    story.start(p(2), "p2", Role::Peer);
    let told = about_node(&story.model, p(2), 0).verdict;
    assert!(told.starts_with("p2 runs in this process since 03:13:08. It has no neighbor, perhaps because p2 was killed at 03:13:07 (not certain). "), "{told}");
    let elsewhere = p(9);
    story.tell(p(1), EventKind::Seed(SeedEvent::PeerListReceived { seed: s(1), peers: vec![elsewhere], listed: None }));
    story.wait(3);
    let (direction, purpose) = (Direction::Inbound, Purpose::Neighbor);
    story.tell(
        p(1),
        EventKind::Link(LinkEvent::Up { link: LinkId(90), connection: None, peer: elsewhere, direction, purpose }),
    );
    let told = about_node(&story.model, elsewhere, 0).verdict;
    assert_eq!(told, ":3009 runs elsewhere and is known here since 03:13:08.");
}

#[test]
fn failed_dials_of_a_neighbor_are_counted() {
    let mut story = Story::network(3);
    let (peer, purpose) = (p(3), Purpose::Neighbor);
    for _ in 0..4 {
        story.wait(12);
        story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer, purpose, repair: None }));
        story.wait(3);
        let error = DialError::NoAnswer { within_us: 3_000_000 };
        story.tell(p(1), EventKind::Link(LinkEvent::DialFailed { peer, purpose, error, retry_at: None }));
    }
    assert_eq!(
        why_link(&story.model, p(1), peer, 0).verdict,
        "p1 never had a link to p3: at 03:14:00 it could not connect to p3: no answer within 3 s; tried 4 times, last at \
         03:13:57."
    );
    let (_, notice) = story.model.notices().last().unwrap();
    let told = story.model.notice_text(notice);
    assert_eq!(
        told,
        "p1: No connection to p3: no answer within 3 s; tries others while links are missing, and it again if named once \
         more"
    );
}

#[test]
fn a_refusal_names_both_and_denies_no_forgotten_step() {
    let mut story = Story::network(3);
    let refusal = |story: &mut Story| {
        let (by, reason) = (Side::Us, crate::proto::message::RefusalReason::Full);
        story.tell(
            p(1),
            EventKind::Link(LinkEvent::Refused { connection: None, peer: p(3), by, reason, referral: Vec::new() }),
        );
    };
    refusal(&mut story);
    let told = why_link(&story.model, p(1), p(3), 0).verdict;
    assert_eq!(told, "p1 never had a link to p3: at 03:13:00 it refused p3: as many neighbors as it takes.");
    (0..40).for_each(|_| refusal(&mut story));
    let told = why_link(&story.model, p(1), p(3), 0).verdict;
    assert_eq!(
        told,
        "p1 has no link to p3, and had none in the steps that are still kept: at 03:13:00 it refused p3: as many neighbors \
         as it takes."
    );
}

#[test]
fn a_suspicion_says_how_many_misses_make_a_death() {
    let mut story = Story::network(3);
    story.miss(p(1), p(2), 1, 1);
    let told = about_node(&story.model, p(2), 0).verdict;
    assert!(told.contains("p1 had no answer to 1 probe (3 in a row count as dead)"), "{told}");
    story.miss(p(1), p(2), 2, 2);
    let told = about_node(&story.model, p(2), 0).verdict;
    assert!(told.contains("p1 had no answer to 2 probes in a row (3 in a row count as dead)"), "{told}");
}

#[test]
fn the_list_of_a_seed_elsewhere_is_not_told_as_empty() {
    let mut story = Story::new();
    story.start(p(1), "p1", Role::Peer);
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: s(1), purpose: Purpose::Registration, repair: None }));
    story
        .tell(p(1), EventKind::Seed(SeedEvent::PeerListReceived { seed: s(1), peers: vec![p(1), p(2)], listed: None }));
    let told = about_node(&story.model, s(1), 0);
    assert!(
        says(&told, "its list is not known here; the last one that came from it, at 03:13:00, named 2 peers"),
        "{told:#?}"
    );
    assert!(!says(&told, "0 peers") && !says(&told, "report"), "{told:#?}");
    let told = about_node(&story.model, p(1), 0);
    assert!(!says(&told, "on the list of"), "{told:#?}");
}

#[test]
fn a_seed_that_hangs_or_is_cut_off_is_said_not_to_know_who_died() {
    let mut story = Story::network(3);
    story.wait(1);
    story.tell(s(1), EventKind::Node(NodeEvent::Hung));
    story.set(FaultKind::Cut, Scope::border(vec![s(2)]));
    story.wait(1);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.declare(p(2), p(3), DeathCause::LinkError);
    let of = |seed| why_seed(&story.model, seed, Time::from_micros(story.at), 0).verdict;
    assert_eq!(
        of(s(1)),
        "s1 has 3 peers on its list, 2 run here: p3 was killed at 03:13:02, which it does not know, because it hangs."
    );
    let cut = of(s(2));
    assert!(
        cut.contains("p3 was killed at 03:13:02, which it cannot know, because of 'partition s2' since 03:13:01"),
        "{cut}"
    );
}

/// p1 is linked to each of p2 to p8.
fn star() -> Story {
    let mut story = Story::new();
    (1..=8).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
    (2..=8).for_each(|n| story.link(p(1), p(n), Purpose::Neighbor));
    story
}

#[test]
fn a_node_that_was_cut_off_link_by_link_blames_all_of_the_cuts() {
    let mut story = star();
    story.wait(1);
    (2..=8).for_each(|n| story.set(FaultKind::Cut, Scope::link(p(1), p(n))));
    let told = about_node(&story.model, p(1), 0).verdict;
    assert!(
        told.ends_with(
            "Nothing passes between it and p2, p3, p4, p5, p6 and 2 more: 'cut p1 p2' since 03:13:01 and 6 more."
        ),
        "{told}"
    );
    let open = story.generate(p(2), 1);
    let told = "p1 does not have p2#1: it was cut from p2, which had it at 03:13:01, by 'cut p1 p2' since 03:13:01.";
    assert_eq!(why_not(&story.model, p(1), open, 0).verdict, told, "the others do not have it either");
    (2..=8).for_each(|n| story.give_up(p(1), p(n)));
    story.wait(10);
    let gone = story.generate(p(2), 2);
    let told = why_not(&story.model, p(1), gone, 0).verdict;
    assert!(
        told.starts_with("p1 does not have p2#2 because of 'cut p1 p2' since 03:13:01: it had no neighbor"),
        "{told}"
    );
}

#[test]
fn a_node_with_one_open_link_is_not_cut_from_all() {
    let mut story = star();
    story.wait(1);
    (2..=7).for_each(|n| story.set(FaultKind::Cut, Scope::link(p(1), p(n))));
    let id = story.generate(p(2), 1);
    let told = why_not(&story.model, p(1), id, 0).verdict;
    assert!(told.contains("it was cut from p2, which had it at 03:13:01, by 'cut p1 p2'"), "{told}");
}

#[test]
fn a_fault_that_may_explain_it_is_named_first() {
    let mut story = Story::network(3);
    let delay = FaultKind::Delay { by_us: 5 * SECOND, jitter_us: 0 };
    story.set(delay, Scope::Node(p(2)));
    story.wait(1);
    for reporter in [p(1), p(3)] {
        story.declare(reporter, p(2), DeathCause::Closed);
    }
    let told = why_dead(&story.model, p(2), 0).verdict;
    let why = "p2 runs, but is taken for dead perhaps because of 'delay p2 5s' since 03:13:00 (not certain): the \
               connection of p1 and p3 to it closed without a goodbye";
    assert!(told.starts_with(why), "{told}");
    story.wait(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let told = why_dead(&story.model, p(2), 0).verdict;
    let why = "p2 was taken for dead perhaps because of 'delay p2 5s' since 03:13:00 (not certain), and was killed \
               at 03:13:02 after that: ";
    assert!(told.starts_with(why), "{told}");

    let mut story = Story::network(3);
    let loss = FaultKind::Loss { percent: Percent::new(30).unwrap() };
    story.set(loss, Scope::link(p(1), p(2)));
    let id = story.generate(p(1), 1);
    assert_eq!(
        why_not(&story.model, p(2), id, 0).verdict,
        "p2 does not have p1#1: 'loss p1 p2 30%' since 03:13:00 may have kept it, which is not certain: p1 had it at \
         03:13:00."
    );
    let told = why_not(&story.model, p(3), id, 0).verdict;
    assert!(
        told.contains("'loss p1 p2 30%' since 03:13:00 may have kept it") && told.ends_with("p2 is next on the way.")
    );
}

#[test]
fn a_silent_node_elsewhere_is_not_dead_for_certain() {
    let mut story = Story::network(1);
    let elsewhere: Addr = "10.0.0.7:3000".parse().unwrap();
    let (direction, purpose) = (Direction::Inbound, Purpose::Neighbor);
    story.tell(
        p(1),
        EventKind::Link(LinkEvent::Up { link: LinkId(77), connection: None, peer: elsewhere, direction, purpose }),
    );
    story.three_misses(p(1), elsewhere);
    story.declare(p(1), elsewhere, DeathCause::Misses { misses: 3 });
    let told = why_dead(&story.model, elsewhere, 0).verdict;
    assert!(
        told.starts_with("10.0.0.7:3000 is taken for dead here: p1 had no answer to 3 probes in a row")
            && told.ends_with("; whether it runs is not certain."),
        "{told}"
    );
}

#[test]
fn a_node_with_fewer_links_than_it_aims_for_says_who_refused_it() {
    use crate::event::RepairReason;
    use crate::proto::message::RefusalReason;
    let mut story = Story::network(6);
    story.wait(1);
    story.tell(
        p(6),
        EventKind::Link(LinkEvent::Repairing { repair: None, reason: RepairReason::TooFewLinks { have: 1, want: 4 } }),
    );
    let (purpose, by) = (Purpose::Neighbor, Side::Them);
    for peer in [p(3), p(2)] {
        story.tell(p(6), EventKind::Link(LinkEvent::Dialing { peer, purpose, repair: None }));
        story.tell(
            p(6),
            EventKind::Link(LinkEvent::Refused {
                connection: None,
                peer,
                by,
                reason: RefusalReason::Full,
                referral: Vec::new(),
            }),
        );
    }
    story.tell(p(6), EventKind::Link(LinkEvent::Dialing { peer: p(4), purpose, repair: None }));
    story.tell(
        p(6),
        EventKind::Link(LinkEvent::DialFailed { peer: p(4), purpose, error: DialError::REFUSED, retry_at: None }),
    );
    let told = about_node(&story.model, p(6), 0).verdict;
    assert_eq!(
        told,
        "p6 runs in this process since 03:13:00. It aims for 4 links and has 1: refused by p2 and p3 (as many neighbors as \
         they take); no connection to p4. It goes on looking for more."
    );
    (1..=3).for_each(|n| story.link(p(6), p(n), purpose));
    let told = about_node(&story.model, p(6), 0).verdict;
    assert_eq!(told, "p6 runs in this process since 03:13:00.", "it has what it aims for");
}
