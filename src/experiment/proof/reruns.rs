//! Reruns of a scenario without some of its deeds, each played once.

use std::collections::BTreeMap;

use super::RERUNS_MAX;
use super::deeds::{DeedIx, DeedSteps};
use super::facts::RunFacts;
use crate::experiment::run::{Experiment, RunError};
use crate::model::cause::Question;

/// Reruns by the deeds that are taken away, in order.
pub(super) struct Reruns<'a, P> {
    steps: &'a DeedSteps,
    experiment: &'a Experiment,
    as_it_was: &'a RunFacts,
    goes_on: &'a P,
    played: BTreeMap<Vec<DeedIx>, Vec<Question>>,
}

impl<'a, P: Fn() -> bool> Reruns<'a, P> {
    pub(super) fn new(
        steps: &'a DeedSteps,
        experiment: &'a Experiment,
        as_it_was: &'a RunFacts,
        goes_on: &'a P,
    ) -> Self {
        Self { steps, experiment, as_it_was, goes_on, played: BTreeMap::new() }
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
        Ok(self.played.get(away).map(Vec::as_slice))
    }

    fn play(&self, away: &[DeedIx]) -> Result<Vec<Question>, RunError> {
        // It ends when the run did, whatever is left of it.
        let length = Some(self.experiment.lasts());
        let experiment = Experiment { script: self.steps.without(away), length, ..self.experiment.clone() };
        Ok(RunFacts::of(experiment, self.goes_on)?.compared_to(self.as_it_was))
    }
}
