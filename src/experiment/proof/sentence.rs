//! The proof of one answer, in a line.

use super::deeds::{DeedIx, DeedSteps, DoneBy};
use super::facts::Recurrence;
use super::instead::Instead;
use super::outcome::{AnswerProof, DeedWords, NoDeath, ProofOutcome, QuestionProof};
use super::verdict::Falsehood;
use super::words::rule_words;
use crate::model::Model;
use crate::model::cause::{Deed, Question, Reason};
use crate::model::words::link::end_text;
use crate::model::words::{count_text, list_text, second_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Commands that a line names.
const COMMANDS_MAX: usize = 4;
/// Causes that a line tells apart.
const GROUPS_MAX: usize = 3;
/// Nodes that a line names.
const NODES_MAX: usize = 6;

/// Tells with the names of the network that was played again, and the clock of the session.
#[derive(Clone, Copy)]
pub(super) struct ProofTeller<'a> {
    pub(super) model: &'a Model,
    pub(super) steps: &'a DeedSteps,
    pub(super) utc_offset_s: i32,
}

impl ProofTeller<'_> {
    fn clock(self, at: Time) -> String {
        second_text(at, self.utc_offset_s)
    }

    fn name(self, node: Addr) -> String {
        self.model.name_of(node).into_owned()
    }

    /// `'cut p7 p8'`; with its time if the same was done twice.
    fn step(self, deed: DeedIx) -> String {
        let Some(step) = self.steps.step(deed) else { return String::new() };
        let same = self.steps.all().into_iter().filter_map(|other| self.steps.step(other));
        let is_twice = same.filter(|other| other.text == step.text).count() > 1;
        let at = self.steps.at(deed).filter(|_| is_twice);
        let at = at.map(|at| format!(" of {}", self.clock(at))).unwrap_or_default();
        format!("'{}'{at}", step.text)
    }

    pub(super) fn steps(self, deeds: &[DeedIx]) -> String {
        list_text(&deeds.iter().map(|deed| self.step(*deed)).collect::<Vec<_>>(), COMMANDS_MAX)
    }

    fn deed(self, deed: &Deed) -> String {
        match self.steps.done_by(deed, self.model) {
            DoneBy::Step(step) => self.step(step),
            DoneBy::Lab => "the start of the lab".to_owned(),
            DoneBy::Nobody => format!("what was done at {}", self.clock(deed.at())),
        }
    }

    /// `a rule of the protocol (seeds do not gossip)`.
    pub(super) fn rule(self, reason: &Reason) -> String {
        match reason {
            Reason::Rule(rule) => format!("a rule of the protocol makes it so ({})", rule_words(*rule)),
            Reason::Deeds(causes) => {
                let deeds = causes.deeds();
                list_text(&deeds.iter().map(|deed| self.deed(deed)).collect::<Vec<_>>(), COMMANDS_MAX)
            }
            Reason::NotCertain(_) => String::new(),
        }
    }

    /// `; 'cut p7 p8' alone is enough, and so is 'hang p7'`.
    pub(super) fn enough(self, sets: &[Vec<DeedIx>]) -> String {
        let alone = |set: &Vec<DeedIx>| {
            let (who, is) = (self.steps(set), if set.len() == 1 { "is" } else { "are" });
            (who, is)
        };
        let [first, others @ ..] = sets else { return String::new() };
        if others.is_empty() {
            return String::new();
        }
        let (who, is) = alone(first);
        let together = if first.len() == 1 { "alone" } else { "together" };
        let others =
            others.iter().map(alone).fold(String::new(), |text, (who, is)| format!("{text}, and so {is} {who}"));
        format!("; {who} {together} {is} enough{others}")
    }

    /// What happens in place of what is asked.
    pub(super) fn instead(self, question: &Question, instead: &Instead) -> String {
        let name = |node| self.name(node);
        match (question, instead) {
            (Question::Death { reporter, dead, .. }, Instead::Nothing) => {
                format!("{} does not declare {} dead", name(*reporter), name(*dead))
            }
            (Question::LinkEnd { node, peer, .. }, Instead::Nothing) => {
                format!("the link {} - {} does not end", name(*node), name(*peer))
            }
            (question, Instead::Otherwise(found)) => self.otherwise(question, found),
            (Question::Lack { node, message }, Instead::Came { hop, after }) => {
                let hop = hop.map(|hop| format!(" at hop {hop}")).unwrap_or_default();
                let after = span_text(*after);
                format!("{} gets {}{hop} after {after}", name(*node), self.model.message_name(*message))
            }
            (Question::Lack { message, .. }, Instead::NotSent) => {
                format!("{} does not send {}", name(message.origin), self.model.message_name(*message))
            }
            (Question::Lack { node, .. } | Question::Alone { node }, Instead::NotStarted) => {
                format!("{} is not started", name(*node))
            }
            (
                Question::Stale { seed, peer } | Question::Unlisted { seed, peer },
                Instead::Listed { is_listed, runs },
            ) => {
                let (runs, is) =
                    (if *runs { "runs" } else { "does not run" }, if *is_listed { "is" } else { "is not" });
                format!("{} {runs}, and it {is} on the list of {}", name(*peer), name(*seed))
            }
            (Question::Alone { node }, Instead::Neighbors(count)) => {
                format!("{} has {}", name(*node), count_text(u64::from(*count), "neighbor"))
            }
            (Question::NoSeed, _) => "peers reach a seed".to_owned(),
            (Question::Parted, _) => "the overlay is in one part".to_owned(),
            (
                Question::Death { .. }
                | Question::Lack { .. }
                | Question::LinkEnd { .. }
                | Question::Stale { .. }
                | Question::Unlisted { .. }
                | Question::Alone { .. },
                _,
            ) => "it is not so".to_owned(),
        }
    }

    /// ` at 03:13:02`, if it has a time.
    pub(super) fn at(self, question: &Question) -> String {
        question.at().map_or_else(String::new, |at| format!(" at {}", self.clock(at)))
    }

    /// It happened at another time, or in another way.
    fn otherwise(self, asked: &Question, found: &Question) -> String {
        let name = |node| self.name(node);
        let is_late = |at: Time| asked.is_same(found) && asked.at().is_some_and(|asked| asked < at);
        let when = |at: Time| format!("{}at {}", if is_late(at) { "only " } else { "" }, self.clock(at));
        match found {
            Question::Death { reporter, dead, at, way } => {
                format!("{} declares {} dead {}: {way}", name(*reporter), name(*dead), when(*at))
            }
            Question::LinkEnd { node, peer, at, end } => {
                format!("the link {} - {} ends {}: {}", name(*node), name(*peer), when(*at), end_text(*end))
            }
            Question::Lack { .. }
            | Question::Stale { .. }
            | Question::Unlisted { .. }
            | Question::NoSeed
            | Question::Alone { .. }
            | Question::Parted => "it is not so".to_owned(),
        }
    }

    /// Why it does not hold; an answer about what cannot be repeated is open. `instead`: what happens
    /// without these.
    pub(super) fn falsehood(self, why: &Falsehood, instead: &impl Fn(&[DeedIx]) -> String) -> (ProofOutcome, String) {
        let text = match why {
            Falsehood::NobodyDid(deed) => {
                return (ProofOutcome::Open, format!("{} is not among what can be done again", self.deed(deed)));
            }
            Falsehood::CameLater(deed) => format!("{} came later", self.deed(deed)),
            Falsehood::NeedsNone { found } => {
                format!("without {}, it is still so{}", self.steps(&self.steps.all()), self.still(*found))
            }
            Falsehood::NotNeeded { away, found } => {
                format!("without {}, it is still so{}", self.steps(away), self.still(*found))
            }
            Falsehood::NotEnough { kept, away } => {
                format!("{} alone is not enough: without {}, {}", self.steps(kept), self.steps(away), instead(away))
            }
            Falsehood::CanBeLeftOut { deed, away, found } => format!(
                "{} is not needed: without {}, it is still so{}",
                self.step(*deed),
                self.steps(away),
                self.still(*found)
            ),
            Falsehood::NotByRule => {
                let all = self.steps.all();
                format!("without {}, {}", self.steps(&all), instead(&all))
            }
        };
        (ProofOutcome::False, text)
    }

    fn still(self, found: Recurrence) -> String {
        match found {
            Recurrence::At(at) => format!(", at {}", self.clock(at)),
            Recurrence::Lasting | Recurrence::Absent => String::new(),
        }
    }

    /// Of candidates that were taken away one by one: without which it came otherwise, without which it
    /// is still so, and how many were not tried.
    pub(super) fn tried(self, changed: &[String], still: &[DeedIx], untried: usize) -> QuestionProof {
        let more = if untried == 0 { String::new() } else { format!("; {untried} more not tried") };
        let without = || list_text(&still.iter().map(|deed| self.step(*deed)).collect::<Vec<_>>(), COMMANDS_MAX);
        let (outcome, text) = match (changed, still) {
            ([], []) => (ProofOutcome::Open, "it is not certain, and nothing that was done may be why".to_owned()),
            ([], [_]) => (ProofOutcome::Open, format!("it is not certain, and without {} it is still so", without())),
            ([], _) => {
                let text = format!("it is not certain, and without {}, each alone, it is still so", without());
                (ProofOutcome::Open, text)
            }
            (changed, []) => (ProofOutcome::Tried, changed.join("; ")),
            (changed, _) => {
                (ProofOutcome::Tried, format!("{}; without {} it is still so", changed.join("; "), without()))
            }
        };
        QuestionProof::new(outcome, text + &more)
    }

    /// All questions of an answer in one line: what is false comes first, then what is proven.
    /// `tried`: which part of them, if that is not all.
    pub(super) fn joined(self, proofs: &[QuestionProof], tried: Option<String>) -> AnswerProof {
        let of = |outcome: ProofOutcome| proofs.iter().filter(move |proof| proof.outcome == outcome);
        let order = [ProofOutcome::False, ProofOutcome::Proven, ProofOutcome::Tried, ProofOutcome::Open];
        let first = order.into_iter().find_map(|outcome| of(outcome).next());
        let Some(QuestionProof { outcome, text, .. }) = first else {
            return AnswerProof {
                outcome: ProofOutcome::Open,
                text: "Cannot be proven: nothing is explained".to_owned(),
            };
        };
        let told = match outcome {
            ProofOutcome::Proven => "Proven",
            ProofOutcome::False => "Does not hold",
            ProofOutcome::Tried => "Not certain, so tried one by one",
            ProofOutcome::Open => "Cannot be proven",
        };
        let text = match outcome {
            ProofOutcome::Proven => self.grouped(of(*outcome)),
            ProofOutcome::False | ProofOutcome::Tried | ProofOutcome::Open => {
                format!("{text}{}", likewise(of(*outcome).count() - 1))
            }
        };
        let open = of(ProofOutcome::Open).next().filter(|_| *outcome != ProofOutcome::Open);
        let open = open.map(|proof| {
            let count = of(ProofOutcome::Open).count();
            format!("; {count} of {} cannot be proven: {}", proofs.len(), proof.text)
        });
        let tried = tried.map_or_else(String::new, |part| format!("; only {part} were tried"));
        AnswerProof { outcome: *outcome, text: format!("{told}: {text}{}{tried}", open.unwrap_or_default()) }
    }

    /// What is proven by taking away the same is told together.
    fn grouped<'p>(self, proofs: impl Iterator<Item = &'p QuestionProof>) -> String {
        let mut groups: Vec<Vec<&QuestionProof>> = Vec::new();
        for proof in proofs {
            match groups.iter_mut().find(|group| group[0].deeds == proof.deeds) {
                Some(group) => group.push(proof),
                None => groups.push(vec![proof]),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let rest = groups.iter().skip(GROUPS_MAX).map(Vec::len).sum();
        let told = groups.iter().take(GROUPS_MAX).map(|group| {
            self.no_deaths(group).unwrap_or_else(|| format!("{}{}", group[0].text, likewise(group.len() - 1)))
        });
        told.collect::<Vec<_>>().join("; ") + &likewise(rest)
    }

    /// Several that do not declare one node dead.
    fn no_deaths(self, group: &[&QuestionProof]) -> Option<String> {
        let deaths: Vec<NoDeath> = group.iter().map(|proof| proof.no_death).collect::<Option<_>>()?;
        let ([NoDeath { dead, .. }, _, ..], DeedWords { without, enough }) =
            (deaths.as_slice(), group[0].deeds.as_ref()?)
        else {
            return None;
        };
        let is_same = deaths.iter().all(|death| death.dead == *dead);
        let nobody = if let [one, other] = deaths.as_slice() {
            format!("neither {} nor {}", self.name(one.reporter), self.name(other.reporter))
        } else {
            let reporters = deaths.iter().map(|death| death.reporter);
            format!("none of {}", self.model.names_in_order(reporters, NODES_MAX))
        };
        is_same.then(|| format!("{without}, {nobody} declares {} dead{enough}", self.name(*dead)))
    }
}

fn likewise(more: usize) -> String {
    if more == 0 { String::new() } else { format!("; likewise for {more} more") }
}
