//! What came of the proof of one answer.

use serde::Serialize;

use crate::proto::addr::Addr;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofOutcome {
    /// Without what is named it is not so.
    Proven,
    /// It is so all the same.
    False,
    /// The answer is not certain; a candidate was found without which it is not so.
    Tried,
    /// It could not be tried, or that told nothing.
    Open,
}

/// Whether an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerProof {
    pub outcome: ProofOutcome,
    /// A line without a full stop: `Proven: without 'cut p7 p8', p7 gets p3#12 at hop 2 after 1.9 ms`.
    pub text: String,
}

/// What came of one of the questions.
pub(super) struct QuestionProof {
    pub(super) outcome: ProofOutcome,
    pub(super) text: String,
    /// If deeds are proven: what was taken away, as the text begins, and what is enough, as it ends.
    pub(super) deeds: Option<DeedWords>,
    /// A death that does not come about then.
    pub(super) no_death: Option<NoDeath>,
}

#[derive(PartialEq, Eq)]
pub(super) struct DeedWords {
    pub(super) without: String,
    /// Empty if they were all needed.
    pub(super) enough: String,
}

#[derive(Clone, Copy)]
pub(super) struct NoDeath {
    pub(super) dead: Addr,
    pub(super) reporter: Addr,
}

impl QuestionProof {
    pub(super) fn new(outcome: ProofOutcome, text: String) -> Self {
        Self { outcome, text, deeds: None, no_death: None }
    }

    pub(super) fn open(text: String) -> Self {
        Self::new(ProofOutcome::Open, text)
    }
}
