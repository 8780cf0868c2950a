//! The proof of one answer, in the words in which it is told.

use std::time::Duration;

use super::{EITHER, HANG, HANG_AND_JUNK, all_together, always, any_of_them, experiment, no_idea, the_first, the_last};
use crate::experiment::proof::Reasons;
use crate::experiment::proof::asked::{AnswerProof, ProofOutcome};
use crate::experiment::proof::facts::RunFacts;
use crate::experiment::run::{Experiment, RunError};
use crate::model::Model;
use crate::model::cause::{Question, Reason, reason};
use crate::model::why::{AskedAnswer, AskedQuestion, Explanation, NamedSubject};
use crate::sim::EPOCH;

/// The network as it is so many milliseconds after the beginning.
fn network(script: &str, millis: u64) -> (Experiment, Model) {
    let experiment = experiment(script);
    let length = Some(Duration::from_millis(millis));
    let facts = RunFacts::of(Experiment { length, ..experiment.clone() }, &always).unwrap();
    (experiment, facts.model().clone())
}

/// What is answered to these words then.
fn asked(model: &Model, words: &[&str], millis: u64) -> AskedAnswer {
    let now = EPOCH + Duration::from_millis(millis);
    let why = NamedSubject::find(words, model).unwrap().explain(model, now, 0);
    why.asked(model, now, 0).expect("it explains something")
}

/// The proof of what is answered then, by these rules.
fn proof_by(script: &str, words: &[&str], millis: u64, reasons: Reasons) -> AnswerProof {
    let (experiment, model) = network(script, millis);
    let mut answer = asked(&model, words, millis);
    for question in &mut answer.questions {
        let asked = question.within(&model).unwrap();
        *question = AskedQuestion::of(&model, asked, &reasons(&model, &asked));
    }
    AnswerProof::of(&experiment, &answer, reasons, &always).unwrap()
}

fn proof(script: &str, words: &[&str], millis: u64) -> AnswerProof {
    proof_by(script, words, millis, reason)
}

/// The only message of a script, by name.
fn message(script: &str, millis: u64) -> String {
    let (_, model) = network(script, millis);
    let messages: Vec<String> = model.rumors().ring().iter().map(|(_, rumor)| model.message_name(rumor.id)).collect();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    message.clone()
}

#[test]
fn a_true_answer_about_a_death_is_proven() {
    let AnswerProof { outcome, text } = proof(HANG, &["p3"], 15_000);
    assert_eq!(outcome, ProofOutcome::Proven);
    assert_eq!(text, "Proven: without 'hang p3', none of p1, p2, p4, p5 and p6 declares p3 dead");
}

#[test]
fn of_a_message_it_says_how_it_arrives_instead() {
    let script = "lab 1 4\n5s partition p4\n6s say p1 hello\n20s end\n";
    let message = message(script, 12_000);
    let AnswerProof { outcome, text } = proof(script, &["p4", &message], 12_000);
    assert_eq!(outcome, ProofOutcome::Proven, "{text}");
    let told = format!("Proven: without 'partition p4', p4 gets {message} at hop ");
    assert!(text.starts_with(&told) && text.contains(" after ") && text.ends_with('s'), "{text}");
}

#[test]
fn a_message_counts_as_lacked_before_it_had_time() {
    let script = "lab 1 4\n5s partition p4\n6s say p1 hello\n20s end\n";
    let message = message(script, 12_000);
    assert_eq!(proof(script, &["p4", &message], 6_100).outcome, ProofOutcome::Proven);
}

#[test]
fn a_cause_that_is_not_needed_does_not_hold() {
    let AnswerProof { outcome, text } = proof_by(HANG_AND_JUNK, &["p3"], 15_000, the_first);
    assert_eq!(outcome, ProofOutcome::False);
    assert!(text.starts_with("Does not hold: without 'junk p1 1/s', it is still so, at "), "{text}");
    assert!(text.ends_with("; likewise for 4 more"), "{text}");
    let too_many = proof_by(HANG_AND_JUNK, &["p3"], 15_000, all_together).text;
    assert!(too_many.starts_with("Does not hold: 'junk p1 1/s' is not needed: without 'junk p1 1/s', "), "{too_many}");
}

#[test]
fn of_two_that_are_enough_both_have_to_go() {
    let (either, one) = (proof_by(EITHER, &["p3"], 20_000, any_of_them), proof_by(EITHER, &["p3"], 20_000, the_last));
    let told = "without 'partition p3' and 'hang p3', none of p1, ";
    assert!(either.text.contains(told), "{either:?}");
    assert!(either.text.contains("; 'partition p3' alone is enough, and so is 'hang p3'"), "{either:?}");
    assert_eq!(one.outcome, ProofOutcome::False, "{one:?}");
}

#[test]
fn candidates_of_an_uncertain_answer_are_tried_one_by_one() {
    fn perhaps(model: &Model, question: &Question) -> Reason {
        match all_together(model, question) {
            Reason::Deeds(causes) => Reason::NotCertain(causes.deeds()),
            other => other,
        }
    }
    let AnswerProof { outcome, text } = proof_by(HANG_AND_JUNK, &["p3", "p1"], 15_000, perhaps);
    assert_eq!(outcome, ProofOutcome::Tried, "{text}");
    assert!(text.starts_with("Not certain, so tried one by one: without 'hang p3', "), "{text}");
    assert!(text.contains("does not declare p") && text.ends_with("; without 'junk p1 1/s' it is still so"), "{text}");
    let nobody = proof_by(HANG, &["p3"], 15_000, no_idea).text;
    assert!(
        nobody.starts_with("Cannot be proven: it is not certain, and nothing that was done may be why"),
        "{nobody}"
    );
}

#[test]
fn a_rule_needs_nothing_that_was_done() {
    let script = "lab 1 4\n5s hang p4\n6s say p1 hello\n20s end\n";
    let message = message(script, 12_000);
    let AnswerProof { outcome, text } = proof(script, &["s1", &message], 12_000);
    assert_eq!(outcome, ProofOutcome::Proven, "{text}");
    let told = "Proven: a rule of the protocol makes it so (seeds do not gossip): with nothing done, it is so as well";
    assert_eq!(text, told);
}

#[test]
fn what_came_after_the_answer_is_not_played() {
    let script = "lab 2 6\n5s hang p3\n12s restart p3\n14s hang p3\n30s end\n";
    let AnswerProof { outcome, text } = proof(script, &["p3"], 10_000);
    assert_eq!(outcome, ProofOutcome::Proven);
    assert!(text.starts_with("Proven: without 'hang p3', none of "), "the second hang is not there yet: {text}");
    let later = proof(script, &["p3"], 30_000).text;
    assert!(later.contains("'hang p3' of 00:00:14"), "{later}");
}

#[test]
fn what_does_not_come_about_again_cannot_be_proven() {
    let (_, model) = network(HANG, 15_000);
    let answer = asked(&model, &["p3"], 15_000);
    let AnswerProof { outcome, text } =
        AnswerProof::of(&experiment("lab 2 6\n4s junk p1 1/s\n15s end\n"), &answer, reason, &always).unwrap();
    assert_eq!(outcome, ProofOutcome::Open);
    assert!(text.starts_with("Cannot be proven: run again as it was, p"), "{text}");
    assert!(text.contains("does not declare p3 dead"), "{text}");
}

#[test]
fn another_reason_than_was_told_proves_nothing() {
    let (experiment, model) = network(HANG, 15_000);
    let mut answer = asked(&model, &["p3"], 15_000);
    for question in &mut answer.questions {
        let asked = question.within(&model).unwrap();
        *question = AskedQuestion::of(&model, asked, &no_idea(&model, &asked));
    }
    let AnswerProof { outcome, text } = AnswerProof::of(&experiment, &answer, reason, &always).unwrap();
    assert_eq!(outcome, ProofOutcome::Open);
    let told = "Cannot be proven: run again as it was, it is so at 00:00:08 because p3 hung at 00:00:05";
    assert!(text.starts_with(told), "{text}");
}

#[test]
fn what_is_left_out_of_many_is_told() {
    let (experiment, model) = network(HANG, 15_000);
    let now = EPOCH + Duration::from_secs(15);
    let mut why = NamedSubject::find(&["p3"], &model).unwrap().explain(&model, now, 0);
    let told = |why: &Explanation| {
        let answer = why.asked(&model, now, 0).unwrap();
        AnswerProof::of(&experiment, &answer, reason, &always).unwrap().text
    };
    assert!(!told(&why).contains("tried"), "{}", told(&why));
    why.rests_on = why.rests_on.iter().copied().cycle().take(30).collect();
    assert!(told(&why).ends_with("; only the first 12 of 30 were tried"), "{}", told(&why));
}

/// Addresses mean nothing in another session: one in virtual time has its own.
#[test]
fn nodes_are_found_by_name_whatever_their_addresses() {
    let (_, model) = network("lab 2 6\n1s peer 4000\n5s hang p7\n15s end\n", 15_000);
    let answer = asked(&model, &["p7"], 15_000);
    let (other, there) = network("lab 2 7\n5s hang p7\n15s end\n", 15_000);
    let p7 = |model: &Model| model.nodes().find("p7").unwrap().addr;
    assert_ne!(p7(&model), p7(&there));
    let proof = AnswerProof::of(&other, &answer, reason, &always).unwrap();
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof:?}");
    assert!(answer.questions.iter().all(|question| question.within(&Model::new()).is_none()));
}

#[test]
fn a_proof_that_is_stopped_has_no_outcome() {
    let (experiment, model) = network(HANG, 15_000);
    let answer = asked(&model, &["p3"], 15_000);
    assert_eq!(AnswerProof::of(&experiment, &answer, reason, &|| false), Err(RunError::Interrupted));
}
