//! A scenario made as small as it goes while the same kind of answer is still false, or the same two
//! still disagree.

use super::agreement::{AgreementCheck, DisagreementKind};
use super::facts::RunFacts;
use super::random::{RandomScenario, Sizes};
use super::report::{ShrunkReport, ToldAnswer};
use super::{FalseKind, Reasons, RunProof};
use crate::experiment::run::{Experiment, RunError};

/// Scenarios that are tried: each takes as long as a proof.
const TRIED_MAX: usize = 300;

/// What is still to be so in the smaller scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShrunkKind {
    /// An answer is false in this way.
    Answer(FalseKind),
    /// Two of these disagree about such a thing.
    Disagreement(DisagreementKind),
}

impl ShrunkKind {
    /// All that is wrong in a run, each kind once.
    pub fn all_of(proof: &RunProof) -> Vec<Self> {
        let answers = proof.answers.iter().filter_map(FalseKind::of).map(Self::Answer);
        let disagreements = proof.agreement.told.iter().map(|told| Self::Disagreement(told.kind()));
        let mut kinds = Vec::new();
        for kind in answers.chain(disagreements) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }
}

/// Drops lines, then peers, while this is still so. `None`: nothing can be dropped.
pub fn shrink(
    scenario: RandomScenario,
    kept: ShrunkKind,
    reasons: Reasons,
    goes_on: &impl Fn() -> bool,
) -> Result<Option<ShrunkReport>, RunError> {
    let mut shrinking = Shrinking { scenario, kept, reasons, goes_on, tried: 0, smallest: None };
    while shrinking.drop_line()? || shrinking.drop_peers()? {}
    Ok(shrinking.smallest)
}

struct Shrinking<'a, P> {
    scenario: RandomScenario,
    kept: ShrunkKind,
    reasons: Reasons,
    goes_on: &'a P,
    tried: usize,
    smallest: Option<ShrunkReport>,
}

impl<P: Fn() -> bool> Shrinking<'_, P> {
    /// Drops the last line that is not needed; whether there was one.
    fn drop_line(&mut self) -> Result<bool, RunError> {
        let lines: Vec<String> = self.scenario.text.lines().map(str::to_owned).collect();
        for place in (0..lines.len()).rev().filter(|place| is_droppable(&lines[*place])) {
            let mut fewer = lines.clone();
            fewer.remove(place);
            if self.try_out(&fewer)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fewer peers, or seeds; whether fewer do.
    fn drop_peers(&mut self) -> Result<bool, RunError> {
        let lines: Vec<String> = self.scenario.text.lines().map(str::to_owned).collect();
        let Some((place, seeds, peers)) = lab(&lines) else { return Ok(false) };
        let smaller =
            (Sizes::PEERS_MIN..peers).map(|peers| (seeds, peers)).chain((1..seeds).map(|seeds| (seeds, peers)));
        for (seeds, peers) in smaller {
            let mut fewer = lines.clone();
            fewer[place] = format!("lab {seeds} {peers}");
            if self.try_out(&fewer)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes these lines if they can be played and the same is wrong.
    fn try_out(&mut self, lines: &[String]) -> Result<bool, RunError> {
        let smaller = RandomScenario { text: lines.join("\n") + "\n", ..self.scenario.clone() };
        let Ok(experiment) = smaller.experiment() else { return Ok(false) };
        if self.tried >= TRIED_MAX {
            return Ok(false);
        }
        self.tried += 1;
        let Some(answer) = self.wrong_in(&experiment)? else { return Ok(false) };
        self.smallest = Some(ShrunkReport { scenario: smaller.text.clone(), answer });
        self.scenario = smaller;
        Ok(true)
    }

    /// What is wrong in this run in the same way.
    fn wrong_in(&self, experiment: &Experiment) -> Result<Option<ToldAnswer>, RunError> {
        Ok(match self.kept {
            ShrunkKind::Answer(kept) => {
                let proof = RunProof::of_kind(experiment, self.reasons, self.goes_on, kept.kind)?;
                let answer = proof.answers.iter().find(|answer| FalseKind::of(answer) == Some(kept));
                answer.map(|answer| ToldAnswer::of(&proof, answer))
            }
            ShrunkKind::Disagreement(kept) => {
                let mut check = AgreementCheck::new(experiment);
                RunFacts::listened_to(experiment.clone(), self.goes_on, &mut check)?;
                let agreement = check.finish();
                let told = agreement.told.iter().find(|told| told.kind() == kept);
                told.map(|told| ToldAnswer::of_disagreement(experiment.epoch, told))
            }
        })
    }
}

/// What is done, said or expected: not the network, and not the end.
fn is_droppable(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit()) && !line.ends_with(" end")
}

/// The line of the lab, its seeds, and its peers.
fn lab(lines: &[String]) -> Option<(usize, usize, usize)> {
    let place = lines.iter().position(|line| line.starts_with("lab "))?;
    let mut words = lines[place].split_whitespace().skip(1);
    Some((place, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
