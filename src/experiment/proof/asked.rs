//! The proof of one answer that a user was given: what was done is played again up to the moment of the
//! answer, the same question is asked there, and then again without the cause.

use std::time::Duration;

use super::deeds::{DeedSteps, DoneBy};
use super::facts::RunFacts;
use super::instead::Instead;
pub use super::outcome::{AnswerProof, ProofOutcome};
use super::outcome::{DeedWords, NoDeath, QuestionProof};
use super::reruns::Reruns;
use super::sentence::ProofTeller;
use super::verdict::{AnswerVerdict, Judge, union};
use super::{RERUNS_MAX, Reasons};
use crate::experiment::run::{Experiment, RunError};
use crate::model::cause::{Deed, Question, Reason};
use crate::model::why::{AskedAnswer, AskedQuestion, because};
use crate::proto::time::Time;

/// Candidates of an answer that is not certain that are tried, each with a rerun.
pub const CANDIDATES_MAX: usize = 8;

impl AnswerProof {
    /// Of an answer about what this experiment repeats. Now and then it asks whether it goes on.
    pub fn of(
        experiment: &Experiment,
        answer: &AskedAnswer,
        reasons: Reasons,
        goes_on: &impl Fn() -> bool,
    ) -> Result<Self, RunError> {
        let experiment = up_to(experiment, answer.as_of);
        let mut facts = RunFacts::of(experiment.clone(), goes_on)?;
        let wanted: Vec<Option<Question>> =
            answer.questions.iter().map(|question| question.within(facts.model())).collect();
        facts.ask(&wanted.iter().copied().flatten().collect::<Vec<_>>());
        let again: Vec<Option<Question>> =
            wanted.iter().map(|wanted| recurring(facts.so(), wanted.as_ref()?)).collect();
        let asked: Vec<Question> = again.iter().copied().flatten().collect();
        let steps = DeedSteps::of(&experiment, facts.model());
        let teller = ProofTeller { model: facts.model(), steps: &steps, utc_offset_s: answer.utc_offset_s };
        let judge = Judge::new(&steps, &facts, Reruns::new(&steps, &experiment, &facts, &asked, goes_on));
        let mut prover = QuestionProver { judge, teller, steps: &steps, asked: &asked, reasons };
        let mut proofs = Vec::new();
        for (place, question) in answer.questions.iter().enumerate() {
            proofs.push(match (again[place], wanted[place]) {
                (Some(again), _) => prover.prove(question, again)?,
                (None, Some(wanted)) => {
                    let instead = Instead::of(&wanted, (facts.model(), facts.so()), &[], experiment.epoch);
                    QuestionProof::open(format!("run again as it was, {}", teller.instead(&wanted, &instead)))
                }
                (None, None) => {
                    QuestionProof::open("run again as it was, not all that the answer names is there".to_owned())
                }
            });
        }
        Ok(teller.joined(&proofs, answer.tried_part()))
    }
}

/// The same, played no longer than to this moment.
fn up_to(experiment: &Experiment, as_of: Time) -> Experiment {
    // What happened at that very moment is part of it.
    let length = as_of.since(experiment.epoch).min(experiment.lasts()) + Duration::from_micros(1);
    let mut script = experiment.script.clone();
    script.steps.retain(|step| step.at < length);
    Experiment { script, length: Some(length), ..experiment.clone() }
}

/// The same as it came about in the run: on sockets it was at another time.
fn recurring(so: &[Question], wanted: &Question) -> Option<Question> {
    let same = so.iter().filter(|question| question.is_same(wanted));
    let distance = |question: &&Question| {
        question.at().zip(wanted.at()).map(|(one, other)| one.since(other).max(other.since(one)))
    };
    same.min_by_key(distance).copied()
}

struct QuestionProver<'a, P> {
    judge: Judge<'a, P>,
    teller: ProofTeller<'a>,
    steps: &'a DeedSteps,
    /// What is asked of each rerun.
    asked: &'a [Question],
    reasons: Reasons,
}

impl<P: Fn() -> bool> QuestionProver<'_, P> {
    /// Of a question that came up again.
    fn prove(&mut self, told: &AskedQuestion, question: Question) -> Result<QuestionProof, RunError> {
        let teller = self.teller;
        let reason = (self.reasons)(teller.model, &question);
        if !told.names_the_same(&AskedQuestion::of(teller.model, question, &reason)) {
            let because = because(teller.model, &reason, teller.utc_offset_s);
            let because = because.unwrap_or_else(|| "for no reason that is known".to_owned());
            return Ok(QuestionProof::open(format!("run again as it was, it is so{} {because}", teller.at(&question))));
        }
        if let Reason::NotCertain(candidates) = &reason {
            return self.try_each(&question, candidates);
        }
        let verdict = self.judge.verdict(&question, &reason)?;
        Ok(match verdict {
            AnswerVerdict::True => self.proven(&question, &reason),
            AnswerVerdict::Rule => QuestionProof::new(
                ProofOutcome::Proven,
                format!("{}: with nothing done, it is so as well", teller.rule(&reason)),
            ),
            AnswerVerdict::RuleAmongDeeds => {
                let instead = self.instead(&question, &self.steps.all());
                QuestionProof::open(format!("{}; with nothing done, {instead}", teller.rule(&reason)))
            }
            AnswerVerdict::False(why) => {
                let instead = |away: &[usize]| self.instead(&question, away);
                let (outcome, text) = teller.falsehood(&why, &instead);
                QuestionProof::new(outcome, text)
            }
            AnswerVerdict::Unchecked | AnswerVerdict::Uncertain(_) => {
                QuestionProof::open(format!("that takes more than {RERUNS_MAX} reruns"))
            }
        })
    }

    /// What happens without these.
    fn instead(&self, question: &Question, away: &[usize]) -> String {
        let place = self.asked.iter().position(|asked| asked == question);
        let instead = place.and_then(|place| self.judge.instead(away, place)).unwrap_or(Instead::Nothing);
        self.teller.instead(question, &instead)
    }

    fn proven(&self, question: &Question, reason: &Reason) -> QuestionProof {
        let teller = self.teller;
        let sets = match reason {
            Reason::Deeds(causes) => self.judge.sets(question, causes).unwrap_or_default(),
            Reason::Rule(_) | Reason::NotCertain(_) => Vec::new(),
        };
        let named = union(&sets);
        let (without, away) = match sets.as_slice() {
            [set] if set.len() > 1 => {
                let needed = if set.len() == 2 { "both" } else { "all" };
                let first = &set[..1];
                (format!("{} were {needed} needed: without {}", teller.steps(set), teller.steps(first)), first.to_vec())
            }
            _ => (format!("without {}", teller.steps(&named)), named),
        };
        let enough = teller.enough(&sets);
        let instead = self.instead(question, &away);
        let no_death = match question {
            Question::Death { reporter, dead, .. } if instead == teller.instead(question, &Instead::Nothing) => {
                Some(NoDeath { dead: *dead, reporter: *reporter })
            }
            Question::Death { .. }
            | Question::Lack { .. }
            | Question::LinkEnd { .. }
            | Question::Stale { .. }
            | Question::Unlisted { .. }
            | Question::NoSeed
            | Question::Alone { .. }
            | Question::Parted => None,
        };
        let text = format!("{without}, {instead}{enough}");
        QuestionProof { outcome: ProofOutcome::Proven, text, deeds: Some(DeedWords { without, enough }), no_death }
    }

    /// Takes each of these away alone.
    fn try_each(&mut self, question: &Question, candidates: &[Deed]) -> Result<QuestionProof, RunError> {
        let mut deeds = Vec::new();
        for candidate in candidates {
            if let DoneBy::Step(deed) = self.steps.done_by(candidate, self.teller.model)
                && !deeds.contains(&deed)
            {
                deeds.push(deed);
            }
        }
        let untried = deeds.len().saturating_sub(CANDIDATES_MAX);
        deeds.truncate(CANDIDATES_MAX);
        let tried = self.judge.one_by_one(question, &deeds)?;
        let (still, changed): (Vec<_>, Vec<_>) = tried.into_iter().partition(|(_, found)| found.is_there());
        let changed: Vec<String> = changed
            .iter()
            .map(|(deed, _)| format!("without {}, {}", self.teller.steps(&[*deed]), self.instead(question, &[*deed])))
            .collect();
        let still: Vec<usize> = still.into_iter().map(|(deed, _)| deed).collect();
        Ok(self.teller.tried(&changed, &still, untried))
    }
}
