//! Questions, reasons and verdicts in words.

use std::time::Duration;

use super::deeds::{DeedIx, DeedSteps, DoneBy};
use super::verdict::{AnswerVerdict, Falsehood, Uncertainty};
use super::{Answer, Recurrence, RunProof};
use crate::model::Model;
use crate::model::cause::{Deed, ProtocolRule, Question, QuestionKind, Reason};
use crate::model::words::link::end_text;
use crate::proto::fault::span_word;
use crate::proto::time::Time;
use crate::scenario::ScriptStep;

/// Which kind of question it is, as a table names it.
pub const fn kind_words(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Death => "deaths",
        QuestionKind::Lack => "lacked messages",
        QuestionKind::LinkEnd => "ended links",
        QuestionKind::Listing => "seeds' lists",
        QuestionKind::Warning => "warnings",
    }
}

impl RunProof {
    /// `p3 declared p7 dead at 9s203ms: 3 probes in a row unanswered`.
    pub fn question_text(&self, answer: &Answer) -> String {
        self.teller().question(&answer.question)
    }

    /// What was answered: `5s cut p7 p8, or 7s hang p7`.
    pub fn reason_text(&self, answer: &Answer) -> String {
        self.teller().reason(&answer.reason)
    }

    /// What is wrong with it: `false: without '5s cut p7 p8' it is still so, at 9s203ms`.
    pub fn wrong_text(&self, answer: &Answer) -> Option<String> {
        match &answer.verdict {
            AnswerVerdict::False(why) => Some(format!("false: {}", self.teller().falsehood(why))),
            AnswerVerdict::Uncertain(Uncertainty::Misses) => {
                Some("the only command that was given is not named first".to_owned())
            }
            AnswerVerdict::True
            | AnswerVerdict::Rule
            | AnswerVerdict::RuleAmongDeeds
            | AnswerVerdict::Uncertain(Uncertainty::Open)
            | AnswerVerdict::Unchecked => None,
        }
    }

    fn teller(&self) -> Teller<'_> {
        Teller { model: self.facts.model(), steps: &self.steps, began: self.began }
    }
}

/// A moment of a run that began at this time, in whole milliseconds: nobody reads more.
pub(super) fn moment_text(began: Time, at: Time) -> String {
    let ms = at.since(began).as_millis();
    span_word(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
}

/// Tells with the names and the times of one run.
struct Teller<'a> {
    model: &'a Model,
    steps: &'a DeedSteps,
    began: Time,
}

impl Teller<'_> {
    fn when(&self, at: Time) -> String {
        moment_text(self.began, at)
    }

    fn question(&self, question: &Question) -> String {
        let name = |node| self.model.name_of(node);
        match question {
            Question::Death { reporter, dead, at, way } => {
                format!("{} declared {} dead at {}: {way}", name(*reporter), name(*dead), self.when(*at))
            }
            Question::Lack { node, message } => {
                let text = self.model.rumors().get(*message).map(|rumor| rumor.body.to_string());
                let text = text.map(|text| format!(" ('{text}')")).unwrap_or_default();
                format!("{} lacks {}{text}", name(*node), self.model.message_name(*message))
            }
            Question::LinkEnd { node, peer, at, end } => {
                format!("{}: the link to {} ended at {}: {}", name(*node), name(*peer), self.when(*at), end_text(*end))
            }
            Question::Stale { seed, peer } => format!("{} lists {}, which does not run", name(*seed), name(*peer)),
            Question::Unlisted { seed, peer } => format!("{} does not list {}, which runs", name(*seed), name(*peer)),
            Question::NoSeed => "no peer reaches a seed".to_owned(),
            Question::Alone { node } => format!("{} has no neighbor", name(*node)),
            Question::Parted => "the overlay is in several parts".to_owned(),
        }
    }

    fn reason(&self, reason: &Reason) -> String {
        match reason {
            Reason::Deeds(causes) => {
                let sets: Vec<String> = causes.alternatives().iter().map(|set| self.deeds(set, " and ")).collect();
                sets.join(", or ")
            }
            Reason::Rule(rule) => format!("a rule: {}", rule_words(*rule)),
            Reason::NotCertain(candidates) if candidates.is_empty() => "not certain".to_owned(),
            Reason::NotCertain(candidates) => format!("not certain, perhaps {}", self.deeds(candidates, ", ")),
        }
    }

    fn deeds(&self, deeds: &[Deed], joined: &str) -> String {
        deeds.iter().map(|deed| self.deed(deed)).collect::<Vec<_>>().join(joined)
    }

    fn deed(&self, deed: &Deed) -> String {
        match self.steps.done_by(deed, self.model) {
            DoneBy::Step(step) => self.step(step),
            DoneBy::Lab => "the start of the lab".to_owned(),
            DoneBy::Nobody => format!("something at {} that no line did", self.when(deed.at())),
        }
    }

    fn step(&self, deed: DeedIx) -> String {
        let text = |step: &ScriptStep| format!("'{} {}'", span_word(step.at), step.text);
        self.steps.step(deed).map(text).unwrap_or_default()
    }

    fn steps(&self, deeds: &[DeedIx]) -> String {
        deeds.iter().map(|deed| self.step(*deed)).collect::<Vec<_>>().join(" and ")
    }

    fn falsehood(&self, why: &Falsehood) -> String {
        match why {
            Falsehood::NobodyDid(deed) => format!("no line of the scenario did that at {}", self.when(deed.at())),
            Falsehood::CameLater(deed) => format!("{} came later", self.deed(deed)),
            Falsehood::NeedsNone { found } => format!("it is so with nothing done, {}", self.presence(*found)),
            Falsehood::NotNeeded { away, found } => {
                format!("without {} it is still so, {}", self.steps(away), self.presence(*found))
            }
            Falsehood::NotEnough { kept, away } => {
                format!("without {}, {} alone is not enough", self.steps(away), self.steps(kept))
            }
            Falsehood::CanBeLeftOut { deed, away, found } => {
                let (deed, away) = (self.step(*deed), self.steps(away));
                format!("{deed} is not needed: without {away} it is still so, {}", self.presence(*found))
            }
            Falsehood::NotByRule => "without the only deed it is not so".to_owned(),
        }
    }

    fn presence(&self, found: Recurrence) -> String {
        match found {
            Recurrence::Absent => "never".to_owned(),
            Recurrence::Lasting => "to the end".to_owned(),
            Recurrence::At(at) => format!("at {}", self.when(at)),
        }
    }
}

pub(super) const fn rule_words(rule: ProtocolRule) -> &'static str {
    match rule {
        ProtocolRule::LateJoiner => "it started after the message began",
        ProtocolRule::Seed => "seeds do not gossip",
        ProtocolRule::OnItsWay => "it is on its way",
        ProtocolRule::Goodbye => "somebody left the network",
        ProtocolRule::Doubled => "of two connections between one pair one is closed",
        ProtocolRule::Full => "a peer takes so many neighbors, and makes room for one that has none",
        ProtocolRule::Apart => "the overlay was in several parts before anything was done",
    }
}
