//! Answers in figures: what they say of one and of several, and what they leave out.

use super::*;
use crate::model::why::{NamedSubject, SubjectError, why_unprovable};

fn asked(model: &Model, words: &[&str]) -> Explanation {
    NamedSubject::find(words, model).unwrap().explain(model, model.now(), 0)
}

/// p1 - p2, and apart from them p3 - p4.
fn in_two_parts() -> Story {
    let mut story = Story::network(2);
    for n in [3, 4] {
        story.start(p(n), &format!("p{n}"), Role::Peer);
    }
    story.link(p(3), p(4), Purpose::Neighbor);
    story
}

#[test]
fn in_a_parted_overlay_only_a_part_stays_together() {
    let told = asked(&in_two_parts().model, &["load"]).verdict;
    assert!(
        told.ends_with("The overlay is in 2 parts. Whichever peer goes, the others of its part stay together."),
        "{told}"
    );
    let whole = asked(&Story::network(2).model, &["load"]).verdict;
    assert_eq!(
        whole, "No copy of a message has been sent yet. Whichever peer goes, the others stay together.",
        "nothing was done yet"
    );
}

#[test]
fn one_peer_lacks_others_and_several_lack_them() {
    let mut story = Story::network(3);
    let told = asked(&story.model, &["views"]).verdict;
    assert!(told.starts_with("2 of 3 peers lack others: p1 knows 1 of 2 and p3 knows 1 of 2."), "{told}");
    let named = SeedEvent::PeerListReceived { seed: s(1), peers: vec![p(3)], listed: None };
    story.tell(p(1), EventKind::Seed(named));
    let told = asked(&story.model, &["views"]).verdict;
    assert!(told.starts_with("1 of 3 peers lacks others: p3 knows 1 of 2."), "{told}");
}

#[test]
fn a_table_says_for_which_columns_there_is_no_room() {
    let table = asked(&Story::network(3).model, &["load"]).table.unwrap();
    let all = table.lines(80);
    assert!(all[0].ends_with("PARTS") && !all.last().unwrap().contains("no room"), "{all:?}");
    let some = table.lines(60);
    assert!(some.iter().all(|line| line.chars().count() <= 60), "{some:?}");
    assert_eq!(some.last().unwrap(), "no room for CUTS OFF and PARTS");
}

#[test]
fn where_nobody_runs_there_is_no_empty_matrix() {
    let answer = asked(&Model::new(), &["views"]);
    assert_eq!(answer.table.unwrap().lines(80), Vec::<String>::new());
}

#[test]
fn a_question_about_the_network_takes_no_node() {
    for word in ["load", "waits", "times"] {
        let error = NamedSubject::find(&[word, "p1"], &Story::network(2).model).unwrap_err();
        assert_eq!(error, SubjectError::TakesNothing(word.to_owned()));
    }
}

#[test]
fn of_a_suspect_there_is_no_death_to_prove() {
    let mut story = Story::network(3);
    let why = |story: &Story| why_unprovable(&story.model, Some(p(2)));
    assert!(why(&story).starts_with("it explains no death, "), "{}", why(&story));
    story.miss(p(1), p(2), 1, 1);
    assert_eq!(why(&story), "p2 is suspect, not dead, and only a death can be tried");
    let answer = asked(&story.model, &["p2"]);
    assert!(answer.verdict.starts_with("p2 is suspect since"), "{}", answer.verdict);
    assert!(answer.asked(&story.model, story.model.now(), 0).is_none());
}

/// The neighbors in order of their names, however the links came about.
#[test]
fn neighbors_that_lack_it_too_are_told_in_order() {
    let mut story = Story::network(1);
    for n in [2, 3, 4] {
        story.start(p(n), &format!("p{n}"), Role::Peer);
    }
    for n in [4, 2, 3] {
        story.link(p(1), p(n), Purpose::Neighbor);
    }
    let id = MessageId { origin: p(9), run: 1, seq: 1 };
    story.start(p(9), "p9", Role::Peer);
    assert_eq!(story.generate(p(9), 1), id);
    story.wait(6);
    let lines = crate::model::why::why_not(&story.model, p(1), id, 0).evidence;
    let told: Vec<&str> =
        lines.iter().filter_map(|line| line.text.split_once(", linked to p1")).map(|(n, _)| n).collect();
    assert_eq!(told, ["p2", "p3", "p4"]);
}
