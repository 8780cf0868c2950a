//! Proofs: whether the answers to "why" are true.
//!
//! *Because of X* means that without X it would not have been so. In virtual time that can be tried:
//! the scenario is played again without X, and runs with the same random seed share their luck. A
//! [`RunProof`] asks everything that can be asked of a run ([`questions`]), has each [`Reason`] given by
//! the rules of the model, and holds the reason against reruns of the scenario without some of its
//! commands. What an answer must stand up to is told at [`AnswerVerdict`].
//!
//! Whether the answers agree with each other, and with all else that tells of the network, is held by
//! [`agreement`].
//!
//! An [`asked::AnswerProof`] does the same for one answer that a user was given, and tells what happens
//! instead. [`random`] makes scenarios, [`shrink`] makes one small whose answer is false.

pub mod agreement;
pub mod asked;
mod deeds;
mod facts;
mod instead;
mod outcome;
pub mod random;
pub mod report;
mod reruns;
mod sentence;
pub mod shrink;
mod verdict;
pub mod words;

#[cfg(test)]
mod tests;

use agreement::{Agreement, AgreementCheck};
use deeds::DeedSteps;
pub use facts::Recurrence;
use facts::RunFacts;
use reruns::Reruns;
use verdict::Judge;
pub use verdict::{AnswerVerdict, FalseKind, Falsehood, Uncertainty};

use super::run::{Experiment, RunError};
use crate::model::Model;
use crate::model::cause::{Question, QuestionKind, Reason, questions};
use crate::proto::time::Time;

/// Reruns of one scenario at most, the run without any deed included: each takes as long as the run.
pub const RERUNS_MAX: usize = 32;

/// Gives the reason of something in this model.
pub type Reasons = fn(&Model, &Question) -> Reason;

/// An answer, and whether it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub question: Question,
    pub reason: Reason,
    pub verdict: AnswerVerdict,
}

/// All answers about one run, each proven.
#[derive(Debug)]
pub struct RunProof {
    pub answers: Vec<Answer>,
    /// Runs that were played besides the first.
    pub reruns: usize,
    /// Whether all that tells of the first run tells the same.
    pub agreement: Agreement,
    facts: RunFacts,
    steps: DeedSteps,
    began: Time,
}

impl RunProof {
    /// Plays it, asks everything, and proves each answer. Now and then it asks whether it goes on.
    pub fn of(experiment: &Experiment, reasons: Reasons, goes_on: &impl Fn() -> bool) -> Result<Self, RunError> {
        Self::of_some(experiment, reasons, goes_on, |_| true)
    }

    /// The same with the questions of one kind.
    fn of_kind(
        experiment: &Experiment,
        reasons: Reasons,
        goes_on: &impl Fn() -> bool,
        kind: QuestionKind,
    ) -> Result<Self, RunError> {
        Self::of_some(experiment, reasons, goes_on, |question| question.kind() == kind)
    }

    fn of_some(
        experiment: &Experiment,
        reasons: Reasons,
        goes_on: &impl Fn() -> bool,
        is_asked: impl Fn(&Question) -> bool,
    ) -> Result<Self, RunError> {
        let mut check = AgreementCheck::new(experiment);
        let facts = RunFacts::listened_to(experiment.clone(), goes_on, &mut check)?;
        let steps = DeedSteps::of(experiment, facts.model());
        let mut judge = Judge::new(&steps, &facts, Reruns::new(&steps, experiment, &facts, &[], goes_on));
        let mut answers = Vec::new();
        for question in questions(facts.model()).into_iter().filter(is_asked) {
            let reason = reasons(facts.model(), &question);
            let verdict = judge.verdict(&question, &reason)?;
            answers.push(Answer { question, reason, verdict });
        }
        let reruns = judge.reruns();
        drop(judge);
        Ok(Self { answers, reruns, agreement: check.finish(), facts, steps, began: experiment.epoch })
    }

    /// Deeds of the scenario.
    pub fn deeds(&self) -> usize {
        self.steps.len()
    }

    /// The network at the end of the run.
    pub fn model(&self) -> &Model {
        self.facts.model()
    }
}
