//! What an answer must stand up to.

use std::mem::{Discriminant, discriminant};

use super::Answer;
use super::deeds::{DeedIx, DeedSteps, DoneBy};
use super::facts::{LookWindow, Recurrence, RunFacts, presence, times};
use super::instead::Instead;
use super::reruns::Reruns;
use crate::experiment::run::RunError;
use crate::model::cause::{Causes, Deed, Question, QuestionKind, Reason};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Whether an answer is true.
///
/// *It is there* in a rerun means: the same subject, observer and way, after the first deed that was
/// taken away and before the next deed of the scenario takes place; and if the same had happened before in that
/// time, once more than that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerVerdict {
    /// It names deeds. Without all of them it is not there, nor with any single one of a set missing
    /// while the other sets are away; with each set alone it is there.
    True,
    /// It names a rule of the protocol, and it is there without any deed.
    Rule,
    /// It names a rule, and the deeds of the scenario made that rule apply.
    RuleAmongDeeds,
    /// It says that it is not certain.
    Uncertain(Uncertainty),
    /// Too many reruns would have been needed.
    Unchecked,
    False(Falsehood),
}

/// What an uncertain answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uncertainty {
    /// The only deed that there was comes first among those that it names, or there were several.
    Open,
    /// There was one deed, without which it is not there, and it does not come first.
    Misses,
}

/// Why an answer is false, with what is so in the rerun that shows it. `away`: the deeds that were
/// taken away in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Falsehood {
    /// It names a deed that nobody did.
    NobodyDid(Deed),
    /// It names a deed that came later.
    CameLater(Deed),
    /// It names deeds, and it is there without any.
    NeedsNone { found: Recurrence },
    /// It is there without all deeds that it names.
    NotNeeded { away: Vec<DeedIx>, found: Recurrence },
    /// One of the sets that it names is not enough.
    NotEnough { kept: Vec<DeedIx>, away: Vec<DeedIx> },
    /// A deed of a set can be left out.
    CanBeLeftOut { deed: DeedIx, away: Vec<DeedIx>, found: Recurrence },
    /// It names a rule, and it is not there without the only deed.
    NotByRule,
}

/// Which answers are false, and in which way, whatever the nodes and the deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FalseKind {
    pub(super) kind: QuestionKind,
    way: Discriminant<Falsehood>,
}

impl FalseKind {
    /// `None`: the answer is not false.
    pub fn of(answer: &Answer) -> Option<Self> {
        match &answer.verdict {
            AnswerVerdict::False(why) => Some(Self { kind: answer.question.kind(), way: discriminant(why) }),
            AnswerVerdict::True
            | AnswerVerdict::Rule
            | AnswerVerdict::RuleAmongDeeds
            | AnswerVerdict::Uncertain(_)
            | AnswerVerdict::Unchecked => None,
        }
    }
}

/// Judges answers about one run.
pub(super) struct Judge<'a, P> {
    steps: &'a DeedSteps,
    as_it_was: &'a RunFacts,
    reruns: Reruns<'a, P>,
}

/// A set of deeds of which some may be the lab's own start, which cannot be taken away.
pub(super) type DeedSet = Vec<DeedIx>;

impl<'a, P: Fn() -> bool> Judge<'a, P> {
    pub(super) fn new(steps: &'a DeedSteps, as_it_was: &'a RunFacts, reruns: Reruns<'a, P>) -> Self {
        Self { steps, as_it_was, reruns }
    }

    pub(super) fn reruns(&self) -> usize {
        self.reruns.len()
    }

    pub(super) fn verdict(&mut self, question: &Question, reason: &Reason) -> Result<AnswerVerdict, RunError> {
        match reason {
            Reason::Deeds(causes) => self.deeds(question, causes),
            Reason::Rule(_) => self.rule(question),
            Reason::NotCertain(candidates) => self.uncertain(question, candidates),
        }
    }

    fn deeds(&mut self, question: &Question, causes: &Causes) -> Result<AnswerVerdict, RunError> {
        let sets = match self.sets(question, causes) {
            Ok(sets) => sets,
            Err(falsehood) => return Ok(AnswerVerdict::False(falsehood)),
        };
        if sets.iter().any(Vec::is_empty) {
            // That the lab was started is enough.
            return self.rule(question);
        }
        let Some(found) = self.without_any(question)? else { return Ok(AnswerVerdict::Unchecked) };
        if found.is_there() {
            return Ok(AnswerVerdict::False(Falsehood::NeedsNone { found }));
        }
        let trials = trials(&sets);
        let named = union(&sets);
        for trial in trials {
            let others = match trial.tries {
                Tries::All | Tries::Without(_) => self.earlier(question, &named),
                Tries::Alone(_) => 0,
            };
            let found = self.look(question, &trial.away, &named, others)?;
            let Some(found) = found else { return Ok(AnswerVerdict::Unchecked) };
            if let Some(falsehood) = trial.falsehood(found) {
                return Ok(AnswerVerdict::False(falsehood));
            }
        }
        Ok(AnswerVerdict::True)
    }

    /// The alternatives as steps of the scenario.
    pub(super) fn sets(&self, question: &Question, causes: &Causes) -> Result<Vec<DeedSet>, Falsehood> {
        let late = |deed: &Deed| question.at().is_some_and(|at| deed.at() > at);
        let step = |deed: &Deed| match self.steps.done_by(deed, self.as_it_was.model()) {
            DoneBy::Nobody => Err(Falsehood::NobodyDid(*deed)),
            DoneBy::Step(_) | DoneBy::Lab if late(deed) => Err(Falsehood::CameLater(*deed)),
            DoneBy::Step(step) => Ok(Some(step)),
            DoneBy::Lab => Ok(None),
        };
        let set = |deeds: &Vec<Deed>| {
            let steps = deeds.iter().map(step).collect::<Result<Vec<_>, _>>()?;
            Ok(in_order(steps.into_iter().flatten().collect()))
        };
        causes.alternatives().iter().map(set).collect()
    }

    fn rule(&mut self, question: &Question) -> Result<AnswerVerdict, RunError> {
        Ok(match self.without_any(question)? {
            None => AnswerVerdict::Unchecked,
            Some(found) if found.is_there() => AnswerVerdict::Rule,
            // How a link ended is the event of its rule.
            Some(_) if question.kind() == QuestionKind::LinkEnd => AnswerVerdict::RuleAmongDeeds,
            Some(_) if self.steps.len() == 1 && !self.is_about_newcomer(question) => {
                AnswerVerdict::False(Falsehood::NotByRule)
            }
            Some(_) => AnswerVerdict::RuleAmongDeeds,
        })
    }

    /// It is about a node that started later than the lab: without that it could not be so.
    fn is_about_newcomer(&self, question: &Question) -> bool {
        let model = self.as_it_was.model();
        let first = |node: Addr| model.nodes().lives(node).and_then(|lives| lives.turns().first()).map(|turn| turn.at);
        let nodes = question.nodes().into_iter().chain(question.message().map(|message| message.origin));
        nodes.filter_map(first).any(|first| Some(first) > model.started())
    }

    /// Only where there is one deed is it known what should have been named.
    fn uncertain(&mut self, question: &Question, candidates: &[Deed]) -> Result<AnswerVerdict, RunError> {
        let is_first = |deed: &Deed| self.steps.done_by(deed, self.as_it_was.model()) == DoneBy::Step(0);
        let misses = self.steps.len() == 1
            && !candidates.first().is_some_and(is_first)
            && self.without_any(question)?.is_some_and(|found| !found.is_there());
        Ok(AnswerVerdict::Uncertain(if misses { Uncertainty::Misses } else { Uncertainty::Open }))
    }

    /// Whether it is there without each of these alone, most likely ones first.
    pub(super) fn one_by_one(
        &mut self,
        question: &Question,
        deeds: &[DeedIx],
    ) -> Result<Vec<(DeedIx, Recurrence)>, RunError> {
        let mut found = Vec::new();
        for deed in deeds {
            match self.look(question, &[*deed], &[*deed], self.earlier(question, &[*deed]))? {
                Some(recurrence) => found.push((*deed, recurrence)),
                None => break,
            }
        }
        Ok(found)
    }

    /// What there is in its place in a rerun that was played; `asked`: the place of the question.
    pub(super) fn instead(&self, away: &[DeedIx], asked: usize) -> Option<Instead> {
        self.reruns.instead(away, asked)
    }

    /// Whether it is there without anything done.
    fn without_any(&mut self, question: &Question) -> Result<Option<Recurrence>, RunError> {
        let all = self.steps.all();
        self.look(question, &all, &all, self.earlier(question, &all))
    }

    /// Whether it is there without these deeds, after `others` of its kind. `named`: those of the answer.
    fn look(
        &mut self,
        question: &Question,
        away: &[DeedIx],
        named: &[DeedIx],
        others: usize,
    ) -> Result<Option<Recurrence>, RunError> {
        let window = self.window(question, named);
        Ok(self.reruns.without(away)?.map(|so| presence(so, question, window, others)))
    }

    /// How often the same had happened since the first deed of the answer. In a rerun it is there if it happens once
    /// more than that.
    fn earlier(&self, question: &Question, named: &[DeedIx]) -> usize {
        let before = LookWindow { until: question.at(), ..self.window(question, named) };
        times(self.as_it_was.so(), question, before).len()
    }

    /// From the first deed of the answer to the next one after what is explained. What happened
    /// before the first deed is the same in all runs.
    fn window(&self, question: &Question, named: &[DeedIx]) -> LookWindow {
        let first = named.iter().filter_map(|deed| self.steps.at(*deed)).min();
        let from = first.filter(|first| question.at().is_none_or(|at| *first <= at));
        let until = question.at().and_then(|at| self.steps.next_after(at));
        LookWindow { from: from.unwrap_or(Time::from_micros(0)), until }
    }
}

/// A rerun that an answer must stand up to.
struct Trial {
    away: DeedSet,
    tries: Tries,
}

enum Tries {
    /// Without all that is named.
    All,
    /// With one of the sets alone.
    Alone(DeedSet),
    /// With one of the sets alone, without this deed of it.
    Without(DeedIx),
}

impl Trial {
    fn falsehood(self, found: Recurrence) -> Option<Falsehood> {
        let away = self.away;
        match (self.tries, found.is_there()) {
            (Tries::All, true) => Some(Falsehood::NotNeeded { away, found }),
            (Tries::Alone(kept), false) => Some(Falsehood::NotEnough { kept, away }),
            (Tries::Without(deed), true) => Some(Falsehood::CanBeLeftOut { deed, away, found }),
            (Tries::All | Tries::Without(_), false) | (Tries::Alone(_), true) => None,
        }
    }
}

fn trials(sets: &[DeedSet]) -> Vec<Trial> {
    let named = union(sets);
    let mut trials = vec![Trial { away: named.clone(), tries: Tries::All }];
    for set in sets {
        let others: DeedSet = named.iter().filter(|deed| !set.contains(deed)).copied().collect();
        if sets.len() > 1 {
            trials.push(Trial { away: others.clone(), tries: Tries::Alone(set.clone()) });
        }
        if set.len() > 1 {
            let left_out = |deed: &DeedIx| {
                let away = in_order(others.iter().chain([deed]).copied().collect());
                Trial { away, tries: Tries::Without(*deed) }
            };
            trials.extend(set.iter().map(left_out));
        }
    }
    trials
}

pub(super) fn union(sets: &[DeedSet]) -> DeedSet {
    in_order(sets.iter().flatten().copied().collect())
}

fn in_order(mut deeds: DeedSet) -> DeedSet {
    deeds.sort_unstable();
    deeds.dedup();
    deeds
}
