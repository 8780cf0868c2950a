//! The comparison itself: it finds what contradicts, and it compares what it is meant to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::readings::{
    ToldCopy, ToldCoverage, ToldNode, copy, count_of, coverage, entries, link, names, node, summary,
};
use super::*;
use crate::engine::Settings;
use crate::experiment::run::Watcher;
use crate::proto::config::PeerConfig;
use crate::scenario::Script;

const P7: Addr = Addr::loopback(3006);

fn said(speaker: ToldBy, topic: ToldTopic, claim: ToldClaim) -> Statement {
    Statement { topic, claim, speaker, text: format!("{speaker} says so") }
}

#[test]
fn two_that_contradict_each_other_are_found() {
    let runs = |speaker, runs| said(speaker, ToldTopic::Runs(P7), ToldClaim::Is(runs));
    let count = said(ToldBy::Header, ToldTopic::Warnings, ToldClaim::Count(1));
    let statements = [runs(ToldBy::Node, true), count, runs(ToldBy::Seed, true), runs(ToldBy::Report, false)];
    let (compared, differing) = disagreements(&statements);
    assert_eq!((compared, differing.len()), (2, 1), "nobody else counts warnings");
    assert_eq!((differing[0].0.speaker, differing[0].1.speaker), (ToldBy::Node, ToldBy::Report));
}

#[test]
fn the_same_contradiction_is_told_once_in_a_run() {
    let mut check = AgreementCheck::new(&experiment("lab 1 2\n9s end\n"));
    let statements = [
        said(ToldBy::Header, ToldTopic::Deaths, ToldClaim::Count(1)),
        said(ToldBy::Summary, ToldTopic::Deaths, ToldClaim::Nothing),
    ];
    for second in 1..=3 {
        check.compare(&statements, &Model::new(), crate::sim::EPOCH + Duration::from_secs(second));
    }
    let Agreement { counts, told } = check.finish();
    assert_eq!((counts.compared, counts.untrue, told.len()), (3, 1, 1));
    assert_eq!(told[0].about, "how many deaths there were");
    assert_eq!((told[0].one.speaker, told[0].other.speaker), (ToldBy::Header, ToldBy::Summary));
}

fn experiment(script: &str) -> Experiment {
    let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
    (peer.messages, peer.liveness_interval) = (Some(0), Duration::from_secs(1));
    Experiment::of_script(Script::parse(script).unwrap(), Settings::of_peers(peer, 5))
}

/// How often each topic is compared, at every look of a run.
struct Topics {
    model: Model,
    tally: Tally,
    next: Time,
    compared: BTreeMap<&'static str, u64>,
}

impl Watcher for Topics {
    fn goes_on(&mut self, _played: Duration) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        while self.next <= event.at {
            self.model.pass(self.next);
            let statements = statements::statements(&self.model, &self.tally.overview(), self.next);
            let mut topics: BTreeMap<ToldTopic, u64> = BTreeMap::new();
            for said in &statements {
                *topics.entry(said.topic).or_default() += 1;
            }
            for (topic, count) in topics {
                *self.compared.entry(topic.word()).or_default() += count - 1;
            }
            let (_, differing) = disagreements(&statements);
            assert!(differing.is_empty(), "{differing:#?}");
            self.next = self.next + LOOK_EVERY * 4;
        }
        self.tally.take(event);
        self.model.apply(event);
    }
}

/// Much that goes wrong: warnings of several kinds, deaths, lies, and messages that are kept from peers.
const TROUBLE: &str = "lab 1 8\n3s say p1 a\n4s partition p1 p2\n4500ms say p1 b\n6s cut p5 p6\n7s lie p7 p8\n\
                       9s kill s1\n15s heal partition\n16s hang p3\n18s kill p4\n18100ms say p5 c\n25s end\n";
/// A peer that is alone.
const LONELY: &str = "lab 1 5\n4s partition p3\n20s end\n";
/// A seed whose list names a node that is gone.
const STALE: &str = "lab 2 5\n4s hang s2\n5s kill p2\n30s end\n";
/// The first of two parts has one way to the other.
const FRAGILE: &str = "lab 1 6\n4s cut p1 p2\n4s cut p1 p4\n4s cut p1 p5\n4s cut p1 p6\n30s end\n";
#[test]
fn everything_that_may_contradict_is_compared() {
    let mut compared: BTreeMap<&str, u64> = BTreeMap::new();
    for script in [TROUBLE, LONELY, STALE, FRAGILE] {
        let (model, tally, next) = (Model::new(), Tally::new(crate::sim::EPOCH), crate::sim::EPOCH);
        let mut topics = Topics { model, tally, next, compared: BTreeMap::new() };
        experiment(script).watch(&mut topics).unwrap();
        topics.compared.into_iter().for_each(|(topic, count)| *compared.entry(topic).or_default() += count);
    }
    let never: Vec<&str> = compared.iter().filter(|(_, count)| **count == 0).map(|(topic, _)| *topic).collect();
    assert!(never.is_empty(), "{never:?}: {compared:?}");
    for topic in ["parts", "seed reached", "is so", "wrong on list", "named", "sure", "why lacking", "on its way"] {
        assert!(compared.contains_key(topic), "{topic}: {compared:?}");
    }
}

#[test]
fn what_an_answer_says_of_a_node_is_read_from_its_words() {
    use NodeState::{Hangs, Killed, Left, Runs};
    for (verdict, state, life) in [
        ("p7 runs in this process since 03:13:02; it was doubted until 03:13:05.", ToldState::Up, Some(Runs)),
        ("p7 hangs since 03:13:02: its sockets are open, it says nothing.", ToldState::Suspect, Some(Hangs)),
        (
            "p7 is suspect since 03:13:02: p3 had no answer to 1 probe; it hangs since 03:13:01.",
            ToldState::Suspect,
            Some(Hangs),
        ),
        ("p7 hangs since 03:13:02, and its neighbors take it for dead: p3 had ..", ToldState::Dead, Some(Hangs)),
        ("p7 was killed at 03:13:02, and its neighbors noticed: p3 had ..", ToldState::Dead, Some(Killed)),
        ("p7 was killed at 03:13:02, was taken for dead, and is back since 03:13:09: ..", ToldState::Up, Some(Runs)),
        (
            "p7 was killed at 03:13:02, was taken for dead, and was back at 03:13:09, and hung at 03:13:20 after that: ..",
            ToldState::Dead,
            Some(Hangs),
        ),
        ("p7 was killed at 03:13:02, was taken for dead, and runs again since 03:13:02: ..", ToldState::Up, Some(Runs)),
        (
            "p7 was taken for dead because of 'cut p3 p7' since 03:13:02, and was killed at 03:13:09 after that: ..",
            ToldState::Dead,
            Some(Killed),
        ),
        ("p7 runs, but is taken for dead: ..", ToldState::Dead, Some(Runs)),
        ("p7 runs, and was reported dead, which is disputed: ..", ToldState::Up, Some(Runs)),
        ("p7 left politely at 03:13:02.", ToldState::Left, Some(Left)),
    ] {
        assert_eq!(node("p7", verdict), Some(ToldNode { state, life }), "{verdict}");
    }
    assert_eq!(node("p7", "p7 sleeps."), None);
}

#[test]
fn who_holds_a_link_is_read_from_the_answer() {
    for (verdict, told) in [
        ("p1 is linked to p2, which it dialed, since 03:13:02: its probes are answered.", Some((true, true))),
        ("p2 is registered with p1 since 03:13:02: its probes are answered.", Some((true, true))),
        (
            "The link p1 - p2 ended at 03:13:02: p1 was killed. p2 has not noticed, as far as is known here.",
            Some((false, true)),
        ),
        ("The link p2 - p1 ended at 03:13:02: .. p1 hangs since 03:13:02 and has not noticed.", Some((true, false))),
        ("p2 holds a link to p1 since 03:13:02, of which p1 knows nothing: ..", Some((false, true))),
        ("There never was a link between p1 and p2: neither dialed the other.", Some((false, false))),
        ("p1 has been dialing p2 since 03:13:02.", Some((false, false))),
        ("p1 likes p2.", None),
    ] {
        assert_eq!(link(("p1", "p2"), verdict), told, "{verdict}");
    }
}

#[test]
fn messages_and_summaries_are_read_from_their_words() {
    let has = |verdict| copy(("p7", "p3#1"), verdict);
    assert_eq!(has("p7 did get p3#1: at 03:13:02 from p3"), Some(ToldCopy::Has));
    assert_eq!(has("p7 does not have p3#1 yet: it may be on its way: .."), Some(ToldCopy::Lacks { is_due: true }));
    let late = "p7 does not have p3#1: it was down when the message began: it was killed at 03:13:02.";
    assert_eq!(has(late), Some(ToldCopy::Lacks { is_due: false }));
    assert_eq!(
        readings::reach("\"it reached 1 of 2\", generated by p3, reached at least 7 of 8 peers here"),
        Some((7, 8))
    );
    let told = "at least 2 of 3 messages reached every peer; the last, p1#1: at least 7/8 in 2 hops";
    assert_eq!(coverage(told), Some(ToldCoverage { everywhere: 2, last: (7, 8) }));
    let lines = summary(
        "The session lasted 9 s.\n  nodes     1 seed, 3 peers, 2 killed\n  deaths    p2 at 1, noticed by p1;\n            7 more\n",
    );
    assert_eq!(["seed", "peer", "killed", "hung"].map(|what| count_of(&lines["nodes"], what)), [1, 3, 2, 0]);
    assert_eq!(entries(&lines["deaths"], ", noticed by "), 8);
    assert_eq!(names("linked to", "linked to p1, p2 and p3"), Some(vec!["p1", "p2", "p3"]));
    assert_eq!(names("linked to", "linked to p1, p2 and 3 more"), None);
}
