//! Reruns of a scenario without some of its deeds, each played once.

use std::collections::BTreeMap;

use super::RERUNS_MAX;
use super::deeds::{DeedIx, DeedSteps};
use super::facts::{RerunFacts, RunFacts};
use super::instead::Instead;
use crate::experiment::run::{Experiment, RunError};
use crate::model::cause::Question;

/// Reruns by the deeds that are taken away, in order.
pub(super) struct Reruns<'a, P> {
    steps: &'a DeedSteps,
    experiment: &'a Experiment,
    as_it_was: &'a RunFacts,
    /// What is asked whether or not the model does by itself.
    asked: &'a [Question],
    goes_on: &'a P,
    played: BTreeMap<Vec<DeedIx>, RerunFacts>,
}

impl<'a, P: Fn() -> bool> Reruns<'a, P> {
    pub(super) fn new(
        steps: &'a DeedSteps,
        experiment: &'a Experiment,
        as_it_was: &'a RunFacts,
        asked: &'a [Question],
        goes_on: &'a P,
    ) -> Self {
        Self { steps, experiment, as_it_was, asked, goes_on, played: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.played.len()
    }

    /// What is so without these deeds, which come in order; `None`: that would be one rerun too many.
    pub(super) fn without(&mut self, away: &[DeedIx]) -> Result<Option<&[Question]>, RunError> {
        if away.is_empty() {
            return Ok(Some(self.as_it_was.so()));
        }
        if !self.played.contains_key(away) {
            if self.played.len() >= RERUNS_MAX {
                return Ok(None);
            }
            let facts = self.play(away)?;
            self.played.insert(away.to_vec(), facts);
        }
        Ok(self.played.get(away).map(|rerun| rerun.so.as_slice()))
    }

    /// What a rerun that was played has in place of a question that was asked, by its place.
    pub(super) fn instead(&self, away: &[DeedIx], asked: usize) -> Option<Instead> {
        self.played.get(away)?.instead.get(asked).copied()
    }

    fn play(&self, away: &[DeedIx]) -> Result<RerunFacts, RunError> {
        // It ends when the run did, whatever is left of it.
        let length = Some(self.experiment.lasts());
        let experiment = Experiment { script: self.steps.without(away), length, ..self.experiment.clone() };
        let from = away.iter().filter_map(|deed| self.steps.at(*deed)).min().unwrap_or(self.experiment.epoch);
        Ok(RunFacts::of(experiment, self.goes_on)?.compared_to(self.as_it_was, self.asked, from))
    }
}
