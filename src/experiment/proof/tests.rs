//! The prover itself: it finds a false answer, and lets a true one stand.

use std::time::Duration;

use super::random::RandomScenario;
use super::report::ScenarioReport;
use super::shrink::{ShrunkKind, shrink};
use super::{Answer, AnswerVerdict, FalseKind, Falsehood, Reasons, RunProof, Uncertainty};
use crate::engine::Settings;
use crate::event::NodeState;
use crate::experiment::run::{Experiment, RunError};
use crate::model::Model;
use crate::model::cause::{Causes, Deed, ProtocolRule, Question, Reason};
use crate::model::fault::FaultRef;
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::scenario::Script;
use crate::sim::EPOCH;

mod asked;

fn always() -> bool {
    true
}

fn experiment(script: &str) -> Experiment {
    let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
    peer.messages = Some(0);
    peer.liveness_interval = Duration::from_secs(1);
    Experiment::of_script(Script::parse(script).unwrap(), Settings::of_peers(peer, 5))
}

fn proof(script: &str, reasons: Reasons) -> RunProof {
    RunProof::of(&experiment(script), reasons, &always).unwrap()
}

/// Verdicts of the answers about deaths, of which there are some.
fn deaths(proof: &RunProof) -> Vec<&AnswerVerdict> {
    let deaths = proof.answers.iter().filter(|answer| matches!(answer.question, Question::Death { .. }));
    let verdicts: Vec<_> = deaths.map(|answer| &answer.verdict).collect();
    assert!(!verdicts.is_empty(), "nobody died");
    verdicts
}

/// Every node that stopped or hung, by the time.
fn turned(model: &Model) -> Vec<Deed> {
    let faults = model.faults().ever().map(|record| Deed::Fault(FaultRef { id: record.id, at: record.since }));
    let stopped = model.nodes().iter().filter_map(|node| {
        let turn = node.lives.at(model.now())?;
        let is_down = turn.life != NodeState::Runs;
        is_down.then_some(Deed::Turned { node: node.addr, at: turn.at, to: turn.life })
    });
    let mut deeds: Vec<Deed> = faults.chain(stopped).collect();
    deeds.sort_by_key(Deed::at);
    deeds
}

fn the_first(model: &Model, _: &Question) -> Reason {
    Reason::Deeds(Causes::one(turned(model)[0]))
}

fn the_last(model: &Model, _: &Question) -> Reason {
    Reason::Deeds(Causes::one(*turned(model).last().unwrap()))
}

fn all_together(model: &Model, _: &Question) -> Reason {
    Reason::Deeds(Causes::all(turned(model)))
}

fn any_of_them(model: &Model, _: &Question) -> Reason {
    Reason::Deeds(Causes::any(turned(model).into_iter().map(|deed| vec![deed]).collect()).unwrap())
}

fn a_rule(_: &Model, _: &Question) -> Reason {
    Reason::Rule(ProtocolRule::Goodbye)
}

fn no_idea(_: &Model, _: &Question) -> Reason {
    Reason::NotCertain(Vec::new())
}

fn somebody(_: &Model, question: &Question) -> Reason {
    let at = EPOCH + Duration::from_millis(1);
    let Question::Death { dead, .. } = *question else { return no_idea_at_all() };
    Reason::Deeds(Causes::one(Deed::Turned { node: dead, at, to: NodeState::Killed }))
}

const fn no_idea_at_all() -> Reason {
    Reason::NotCertain(Vec::new())
}

const HANG: &str = "lab 2 6\n5s hang p3\n15s end\n";
/// The cut has nothing to do with the deaths of p3.
const HANG_AND_JUNK: &str = "lab 2 6\n4s junk p1 1/s\n5s hang p3\n15s end\n";
/// A node that is cut off and then hangs: either is enough.
const EITHER: &str = "lab 2 6\n5s partition p3\n5001ms hang p3\n20s end\n";

#[test]
fn a_true_answer_stands_and_needs_few_reruns() {
    let proof = proof(HANG, the_first);
    let verdicts = deaths(&proof);
    assert!(verdicts.len() >= 3 && verdicts.iter().all(|verdict| **verdict == AnswerVerdict::True), "{verdicts:?}");
    assert_eq!((proof.deeds(), proof.reruns), (1, 1), "all answers share a rerun");
}

#[test]
fn a_deed_without_which_it_is_still_so_is_false() {
    let proof = proof(HANG_AND_JUNK, the_first);
    let verdicts = deaths(&proof);
    let is_found = |verdict: &&AnswerVerdict| matches!(verdict, AnswerVerdict::False(Falsehood::NotNeeded { away, .. }) if away == &[0]);
    assert!(verdicts.len() >= 3 && verdicts.iter().all(is_found), "{verdicts:?}");
    let answer = proof.answers.iter().find(|answer| FalseKind::of(answer).is_some()).unwrap();
    let wrong = proof.wrong_text(answer).unwrap();
    let told = [proof.question_text(answer), proof.reason_text(answer), wrong].join("; ");
    assert!(told.contains("declared p3 dead at") && told.contains("'4s junk p1 1/s'; false: without"), "{told}");
}

#[test]
fn one_of_two_that_are_both_needed_is_found_to_be_too_many() {
    let verdicts = proof(HANG_AND_JUNK, all_together);
    let is_found =
        |verdict: &&AnswerVerdict| matches!(verdict, AnswerVerdict::False(Falsehood::CanBeLeftOut { deed: 0, .. }));
    assert!(deaths(&verdicts).iter().all(is_found), "{:?}", deaths(&verdicts));
}

#[test]
fn of_alternatives_each_has_to_be_enough() {
    let proof_of = |script| proof(script, any_of_them);
    let (either, not_enough) = (proof_of(EITHER), proof_of(HANG_AND_JUNK));
    assert!(deaths(&either).contains(&&AnswerVerdict::True), "{:?}", deaths(&either));
    let is_found = |verdict: &&AnswerVerdict| matches!(verdict, AnswerVerdict::False(Falsehood::NotEnough { kept, .. }) if kept == &[0]);
    assert!(deaths(&not_enough).iter().all(is_found), "{:?}", deaths(&not_enough));
    // Naming one of the two is false: without it the other does it.
    let one = proof(EITHER, the_last);
    assert!(deaths(&one).iter().all(|verdict| matches!(verdict, AnswerVerdict::False(_))), "{:?}", deaths(&one));
}

#[test]
fn a_rule_is_false_where_the_only_deed_did_it() {
    let ruled = proof(HANG, a_rule);
    assert!(deaths(&ruled).iter().all(|verdict| **verdict == AnswerVerdict::False(Falsehood::NotByRule)));
    let unsure = proof(HANG, no_idea);
    assert!(deaths(&unsure).iter().all(|verdict| **verdict == AnswerVerdict::Uncertain(Uncertainty::Misses)));
    let counts = ScenarioReport::of_one("x".to_owned(), &unsure).counts["deaths"];
    assert_eq!((counts.uncertain, counts.misses, counts.untrue), (counts.asked(), counts.asked(), 0));
}

#[test]
fn what_nobody_did_or_what_came_later_is_no_cause() {
    let invented = proof(HANG, somebody);
    assert!(deaths(&invented).iter().all(|verdict| matches!(verdict, AnswerVerdict::False(Falsehood::NobodyDid(_)))));
    let later = proof("lab 2 6\n5s hang p3\n15s junk p1 1/s\n20s end\n", the_first_fault);
    assert!(deaths(&later).iter().all(|verdict| matches!(verdict, AnswerVerdict::False(Falsehood::CameLater(_)))));
}

fn the_first_fault(model: &Model, _: &Question) -> Reason {
    let deed = turned(model).into_iter().find(|deed| matches!(deed, Deed::Fault(_)));
    Reason::Deeds(Causes::one(deed.unwrap()))
}

#[test]
fn a_line_about_several_nodes_is_taken_away_node_by_node() {
    let proof = proof("lab 2 6\n5s hang p3 p4\n15s end\n", its_own_stop);
    let verdicts = deaths(&proof);
    assert!(verdicts.len() >= 6 && verdicts.iter().all(|verdict| **verdict == AnswerVerdict::True), "{verdicts:?}");
    assert_eq!(proof.deeds(), 2);
}

fn its_own_stop(model: &Model, question: &Question) -> Reason {
    let Question::Death { dead: wanted, .. } = *question else { return no_idea_at_all() };
    let deeds = turned(model);
    let own = deeds.iter().find(|deed| matches!(deed, Deed::Turned { node, .. } if *node == wanted));
    Reason::Deeds(Causes::one(*own.unwrap()))
}

#[test]
fn a_text_of_a_restarted_peer_is_the_same_text() {
    // Its origin hangs and comes back before it speaks, which gives the message another id.
    let script =
        "lab 1 5\n3s kill p1\n4s restart p1\n12s cut p1 p2\ncut p1 p3\ncut p1 p4\ncut p1 p5\n13s say p1 x\n25s end\n";
    let proof = proof(script, the_restart);
    let lacks = proof.answers.iter().filter(|answer| matches!(answer.question, Question::Lack { .. }));
    let is_still_so = |answer: &Answer| matches!(answer.verdict, AnswerVerdict::False(Falsehood::NotNeeded { .. }));
    let lacks: Vec<_> = lacks.collect();
    assert!(lacks.len() == 4 && lacks.iter().all(|answer| is_still_so(answer)), "{lacks:#?}");
}

/// Wrongly: the cuts keep the message.
fn the_restart(model: &Model, _: &Question) -> Reason {
    let p1 = model.nodes().find("p1").unwrap();
    let turn = p1.lives.at(model.now()).unwrap();
    let killed = p1.lives.at(EPOCH + Duration::from_millis(3_500)).unwrap();
    let deeds = [turn, killed].map(|turn| Deed::Turned { node: p1.addr, at: turn.at, to: turn.life });
    Reason::Deeds(Causes::all(deeds.to_vec()))
}

#[test]
fn a_proof_that_is_stopped_says_so() {
    let stopped = RunProof::of(&experiment(HANG), the_first, &|| false);
    assert_eq!(stopped.map(|proof| proof.reruns).unwrap_err(), RunError::Interrupted);
}

#[test]
fn a_false_answer_is_shown_in_the_smallest_scenario() {
    let scenario = RandomScenario {
        number: 0,
        text: "lab 2 8\n3s say p2 x\n4s junk p1 1/s\n5s hang p3\n6s loss p2 p4 1%\n15s end\n".to_owned(),
        settings: experiment(HANG).settings,
    };
    let proof = RunProof::of(&scenario.experiment().unwrap(), the_first, &always).unwrap();
    let kind = proof.answers.iter().find_map(FalseKind::of).unwrap();
    let shrunk = shrink(scenario, ShrunkKind::Answer(kind), the_first, &always).unwrap().unwrap();
    assert_eq!(shrunk.scenario, "lab 1 4\n4s junk p1 1/s\n5s hang p3\n15s end\n");
    assert!(shrunk.answer.is_false);
}

mod generator {
    use std::collections::BTreeSet;

    use super::super::random::{RandomScenario, Sizes};
    use crate::command::grammar::split;

    #[test]
    fn every_random_scenario_can_be_played_and_is_the_same_again() {
        for number in 0..300 {
            let scenario = RandomScenario::draw(number, Sizes::FULL);
            assert!(scenario.experiment().is_ok(), "{number}: {}", scenario.text);
            assert_eq!(scenario.text, RandomScenario::draw(number, Sizes::FULL).text);
        }
    }

    #[test]
    fn all_that_can_be_done_is_done_in_random_scenarios() {
        let texts: Vec<String> = (0..400).map(|number| RandomScenario::draw(number, Sizes::FULL).text).collect();
        let words: BTreeSet<&str> =
            texts.iter().flat_map(|text| text.lines()).map(|line| split(split(line).1).0).collect();
        for word in [
            "kill",
            "hang",
            "restart",
            "peer",
            "say",
            "cut",
            "partition",
            "heal",
            "delay",
            "loss",
            "duplicate",
            "reorder",
            "slow",
            "skew",
            "junk",
            "lie",
            "calm",
        ] {
            assert!(words.contains(word), "no {word} in {words:?}");
        }
        for end in [" off\n", "heal partition\n", "wire classic\n", "join-policy refuse\n", "dead-policy trust\n"] {
            assert!(texts.iter().any(|text| text.contains(end)), "no {end}");
        }
    }

    #[test]
    fn deeds_stand_at_times_of_their_own() {
        for number in 0..300 {
            let scenario = RandomScenario::draw(number, Sizes::FULL);
            let steps = scenario.experiment().unwrap().script.steps;
            let times: BTreeSet<_> = steps.iter().map(|step| step.at).collect();
            assert_eq!(times.len(), steps.len(), "{}", scenario.text);
        }
    }
}
