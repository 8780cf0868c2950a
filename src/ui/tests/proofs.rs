//! `p` in an answer: what is asked of the host, what is shown, and what becomes of a stale proof.

use insta::assert_snapshot;

use super::fixture::{P1, Script, at, dead, suspect};
use crate::model::why::AskedAnswer;
use crate::ui::app::App;
use crate::ui::host::{FromHost, ProofTold, ProofVerdict, ToHost};

/// A console in which this answer is open, and its proof is wanted.
fn proving(mut app: App, question: &str) -> App {
    app.command(&format!("why {question}"));
    app.press("p");
    app
}

/// What is asked of the host about proofs, once the picture was drawn.
fn asked(app: &mut App) -> Vec<ToHost> {
    app.picture(80, 24);
    let is_about_proofs = |ask: &ToHost| matches!(ask, ToHost::Prove(_) | ToHost::DropProof);
    app.questions().into_iter().filter(is_about_proofs).collect()
}

/// The answer that the host is to prove.
fn wanted(app: &mut App) -> AskedAnswer {
    match asked(app).as_slice() {
        [ToHost::Prove(answer)] => answer.clone(),
        other => panic!("{other:?}"),
    }
}

fn proof(answer: AskedAnswer, verdict: ProofVerdict, text: &str, notes: &[&str]) -> FromHost {
    let notes = notes.iter().map(|note| (*note).to_owned()).collect();
    FromHost::Proof { answer, told: ProofTold { verdict, text: text.to_owned(), notes } }
}

fn proven(answer: AskedAnswer) -> FromHost {
    proof(answer, ProofVerdict::Holds, "Proven: without 'hang p3', neither p2 nor p4 declares p3 dead", &[])
}

#[test]
fn a_proof_that_runs_says_so_and_what_is_left_out() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    assert_eq!(answer.as_of, at(16_000));
    assert_eq!(answer.commands(), ["hang p3"]);
    assert_snapshot!("proof_runs_80x24", app.picture(80, 24));
    assert_eq!(asked(&mut app), [], "it is asked once");
}

#[test]
fn a_proven_answer_says_what_happens_instead() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    app.hear(proven(answer));
    assert_snapshot!("proof_holds_80x24", app.picture(80, 24));
    assert_eq!(asked(&mut app), [], "the host has nothing to stop");
}

#[test]
fn an_answer_that_does_not_hold_says_so_with_its_notes() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    let text = "Does not hold: without 'hang p3', it is still so, at 03:00:14; likewise for 1 more";
    let note = "It ran on sockets: what was done is run again in virtual time, not the same packets.";
    app.hear(proof(answer, ProofVerdict::Fails, text, &[note]));
    assert_snapshot!("proof_fails_80x24", app.picture(80, 24));
}

#[test]
fn esc_stops_a_proof_and_then_closes_the_answer() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    assert!(app.picture(80, 24).contains("Esc stops the proof"));
    app.press("esc");
    assert_eq!(asked(&mut app), [ToHost::DropProof]);
    assert!(!app.picture(80, 24).contains("Proving"));
    app.hear(proven(answer));
    assert!(!app.picture(80, 24).contains("Proven"), "it was stopped");
    app.press("esc");
    assert!(!app.picture(80, 24).contains("Why is p3 dead?"));
    assert_eq!(asked(&mut app), []);
}

#[test]
fn a_proof_is_dropped_when_its_answer_is_closed() {
    for close in ["q", "down enter"] {
        let mut app = proving(dead(), "p3");
        wanted(&mut app);
        app.press(close);
        assert_eq!(asked(&mut app), [ToHost::DropProof], "{close}");
    }
}

#[test]
fn a_proof_is_dropped_when_the_answer_becomes_another() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    // p1 declares it dead as well: the answer rests on more than what is proven.
    let mut later = Script::default();
    later.at(17_000).dies(P1, 7);
    app.get(later.events);
    app.tick(at(18_000));
    assert_eq!(asked(&mut app), [ToHost::DropProof]);
    app.hear(proven(answer));
    let picture = app.picture(80, 24);
    assert!(!picture.contains("Proven") && !picture.contains("Proving"), "{picture}");
}

#[test]
fn a_proof_stays_while_time_goes_on_and_the_answer_is_the_same() {
    let mut app = proving(dead(), "p3");
    let answer = wanted(&mut app);
    app.tick(at(19_000));
    assert_eq!(asked(&mut app), []);
    app.hear(proven(answer));
    app.tick(at(22_000));
    let picture = app.picture(80, 24);
    assert!(picture.contains("as of 03:00:22") && picture.contains("Proven: without 'hang p3'"), "{picture}");
}

#[test]
fn an_answer_that_explains_nothing_cannot_be_proven() {
    let mut app = proving(suspect(), "p1");
    assert_eq!(asked(&mut app), []);
    assert!(app.picture(120, 40).contains("Cannot be proven: it explains no death, "));
}

#[test]
fn of_a_suspect_it_says_that_only_a_death_can_be_tried() {
    let mut app = proving(suspect(), "p3");
    assert_eq!(asked(&mut app), []);
    let picture = app.picture(80, 24);
    assert!(picture.contains("Cannot be proven: p3 is suspect, not dead, and only a death can be tried"), "{picture}");
}

#[test]
fn without_an_answer_there_is_nothing_to_prove() {
    let mut app = dead();
    app.press("p");
    assert_eq!(app.footer(), "! p proves an answer: Enter opens the one about the selection");
    assert_eq!(asked(&mut app), []);
}
