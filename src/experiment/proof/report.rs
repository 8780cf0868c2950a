//! What proofs found, as people and programs read it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::agreement::{AgreementCounts, Disagreement};
use super::words::{kind_words, moment_text};
use super::{Answer, AnswerVerdict, FalseKind, RunProof, Uncertainty};
use crate::experiment::comparison::in_columns;
use crate::model::cause::QuestionKind;
use crate::model::words::count_text;
use crate::proto::time::Time;
use crate::session::text::printed_json;

/// Uncertain answers that are told of one scenario of many, of each kind: enough to see why.
const UNCERTAIN_TOLD_MAX: usize = 5;

/// The row of all that tells of the network and is held against each other.
const AGREEMENT: &str = "what else is said";

/// What the columns of the table mean.
const LEGEND: [&str; 4] = [
    "DEEDS: what was done is the cause. RULE: a rule of the protocol is.",
    "RULE BY DEEDS: a rule that applied only because of what was done.",
    "NOT CHECKED: that would take too many reruns.",
    "What else is said: statements of all that tells of a run, each held against another; FALSE: they differ.",
];

/// Answers of one kind, by what they are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AnswerCounts {
    /// Deeds are named, and it is true.
    pub deeds: u64,
    /// A rule of the protocol is named, and it needs no deed.
    pub rules: u64,
    /// A rule is named that the deeds made apply.
    pub rules_among_deeds: u64,
    pub uncertain: u64,
    /// Of the uncertain ones, those that do not name the only deed first.
    pub misses: u64,
    pub unchecked: u64,
    #[serde(rename = "false")]
    pub untrue: u64,
}

/// An answer in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldAnswer {
    pub asked: String,
    pub said: String,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    #[serde(rename = "false")]
    pub is_false: bool,
}

/// What a scenario's proof found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScenarioReport {
    /// What is proven: a file, or the number of a random scenario.
    pub name: String,
    pub counts: BTreeMap<&'static str, AnswerCounts>,
    pub agreement: AgreementCounts,
    pub reruns: usize,
    /// The false answers, the uncertain ones, and what is said that does not agree.
    pub answers: Vec<ToldAnswer>,
    /// The scenario, if it is a random one with a false answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Of each way in which an answer is false, the smallest scenario that was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shrunk: Vec<ShrunkReport>,
}

/// A scenario that was made small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShrunkReport {
    pub scenario: String,
    pub answer: ToldAnswer,
}

/// What all proofs found together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProofReport {
    /// Of each kind of question.
    pub counts: BTreeMap<&'static str, AnswerCounts>,
    pub agreement: AgreementCounts,
    pub proven: usize,
    /// Scenarios that were to be proven.
    pub of: usize,
    pub reruns: usize,
    /// Scenarios of which something is to be told.
    pub scenarios: Vec<ScenarioReport>,
}

impl AnswerCounts {
    pub const fn asked(&self) -> u64 {
        let Self { deeds, rules, rules_among_deeds, uncertain, misses: _, unchecked, untrue } = self;
        *deeds + *rules + *rules_among_deeds + *uncertain + *unchecked + *untrue
    }

    fn note(&mut self, verdict: &AnswerVerdict) {
        let count = match verdict {
            AnswerVerdict::True => &mut self.deeds,
            AnswerVerdict::Rule => &mut self.rules,
            AnswerVerdict::RuleAmongDeeds => &mut self.rules_among_deeds,
            AnswerVerdict::Uncertain(Uncertainty::Open) => &mut self.uncertain,
            AnswerVerdict::Uncertain(Uncertainty::Misses) => {
                self.misses += 1;
                &mut self.uncertain
            }
            AnswerVerdict::Unchecked => &mut self.unchecked,
            AnswerVerdict::False(_) => &mut self.untrue,
        };
        *count += 1;
    }

    fn add(&mut self, other: &Self) {
        self.deeds += other.deeds;
        self.rules += other.rules;
        self.rules_among_deeds += other.rules_among_deeds;
        self.uncertain += other.uncertain;
        self.misses += other.misses;
        self.unchecked += other.unchecked;
        self.untrue += other.untrue;
    }

    fn cells(&self, title: &str) -> Vec<String> {
        let Self { deeds, rules, rules_among_deeds, uncertain, misses: _, unchecked, untrue } = *self;
        let certain = [self.asked(), deeds, rules, rules_among_deeds, unchecked, untrue].map(|count| count.to_string());
        let uncertain =
            if uncertain == 0 { "0".to_owned() } else { format!("{uncertain} ({})", self.share(uncertain)) };
        let [asked, deeds, rules, among, unchecked, untrue] = certain;
        vec![title.to_owned(), asked, deeds, rules, among, uncertain, unchecked, untrue]
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn share(&self, count: u64) -> String {
        format!("{:.1}%", count as f64 * 100.0 / self.asked().max(1) as f64)
    }
}

impl ScenarioReport {
    /// `uncertain_max`: the most uncertain answers of a kind that are told.
    fn of(name: String, proof: &RunProof, uncertain_max: usize) -> Self {
        let mut counts: BTreeMap<&'static str, AnswerCounts> = BTreeMap::new();
        let mut told: BTreeMap<QuestionKind, usize> = BTreeMap::new();
        let mut answers = Vec::new();
        for answer in &proof.answers {
            let kind = answer.question.kind();
            counts.entry(kind_words(kind)).or_default().note(&answer.verdict);
            let is_told = match answer.verdict {
                AnswerVerdict::False(_) => true,
                AnswerVerdict::Uncertain(_) => {
                    let told = told.entry(kind).or_default();
                    *told += 1;
                    *told <= uncertain_max
                }
                AnswerVerdict::True
                | AnswerVerdict::Rule
                | AnswerVerdict::RuleAmongDeeds
                | AnswerVerdict::Unchecked => false,
            };
            if is_told {
                answers.push(ToldAnswer::of(proof, answer));
            }
        }
        answers.extend(proof.agreement.told.iter().map(|told| ToldAnswer::of_disagreement(proof.began, told)));
        let agreement = proof.agreement.counts;
        Self { name, counts, agreement, reruns: proof.reruns, answers, scenario: None, shrunk: Vec::new() }
    }

    /// Of one scenario: all that is false or uncertain is told.
    pub fn of_one(name: String, proof: &RunProof) -> Self {
        Self::of(name, proof, usize::MAX)
    }

    /// Of one random scenario of many. The scenario is told if an answer is false or not certain.
    pub fn of_random(number: u64, text: &str, proof: &RunProof) -> Self {
        let report = Self::of(number.to_string(), proof, UNCERTAIN_TOLD_MAX);
        let scenario = (!report.answers.is_empty()).then(|| text.to_owned());
        Self { scenario, ..report }
    }

    pub fn has_false(&self) -> bool {
        self.answers.iter().any(|answer| answer.is_false)
    }

    fn text_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("Scenario {}", self.name)];
        let indented = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>();
        lines.extend(self.scenario.as_deref().map(indented).unwrap_or_default());
        let untrue = self.answers.iter().filter(|answer| answer.is_false);
        lines.extend(untrue.map(|answer| format!("  {}", answer.line())));
        for shrunk in &self.shrunk {
            lines.push("  The same in a smaller scenario:".to_owned());
            lines.extend(indented(&shrunk.scenario));
            lines.push(format!("  {}", shrunk.answer.line()));
        }
        lines
    }
}

impl ToldAnswer {
    pub fn of(proof: &RunProof, answer: &Answer) -> Self {
        Self {
            asked: proof.question_text(answer),
            said: proof.reason_text(answer),
            wrong: proof.wrong_text(answer),
            is_false: FalseKind::of(answer).is_some(),
        }
    }

    /// Two that differ about something; `began`: when the run began.
    pub fn of_disagreement(began: Time, told: &Disagreement) -> Self {
        let Disagreement { at, about, one, other, .. } = told;
        Self {
            asked: format!("{about} at {}", moment_text(began, *at)),
            said: format!("{}, by {}", one.text, one.speaker),
            wrong: Some(format!("but: {}, by {}", other.text, other.speaker)),
            is_false: true,
        }
    }

    fn line(&self) -> String {
        let wrong = self.wrong.as_ref().map(|wrong| format!("; {wrong}")).unwrap_or_default();
        format!("{}; said: {}{wrong}", self.asked, self.said)
    }
}

impl ProofReport {
    /// Of so many scenarios.
    pub fn new(of: usize) -> Self {
        Self { of, ..Self::default() }
    }

    /// Adds a scenario; those of which nothing is to be told are only counted.
    pub fn add(&mut self, scenario: ScenarioReport) {
        self.proven += 1;
        self.reruns += scenario.reruns;
        self.agreement.add(scenario.agreement);
        for (kind, counts) in &scenario.counts {
            self.counts.entry(kind).or_default().add(counts);
        }
        if !scenario.answers.is_empty() {
            self.scenarios.push(scenario);
        }
    }

    pub fn has_false(&self) -> bool {
        self.total().untrue + self.agreement.untrue > 0
    }

    fn total(&self) -> AnswerCounts {
        let mut total = AnswerCounts::default();
        self.counts.values().for_each(|counts| total.add(counts));
        total
    }

    /// `41 answers: none is false, 3 are not certain (7.3%).` `about`: what they are about. What else is
    /// said is told if it does not agree.
    fn verdict(&self, about: &str) -> String {
        let total = self.total();
        let AnswerCounts { uncertain, unchecked, untrue, .. } = total;
        let differing = match self.agreement.untrue {
            0 => String::new(),
            1 => " One statement contradicts another.".to_owned(),
            more => format!(" {more} statements contradict others."),
        };
        if total.asked() == 0 {
            return format!("Nothing to ask{about}: nobody died, lacks a message or lost a link.{differing}");
        }
        let are = |count: u64| if count == 1 { "1 is".to_owned() } else { format!("{count} are") };
        let untrue = if untrue == 0 { "none is false".to_owned() } else { format!("{} false", are(untrue)) };
        let uncertain =
            (uncertain > 0).then(|| format!(", {} not certain ({})", are(uncertain), total.share(uncertain)));
        let unchecked = (unchecked > 0).then(|| format!(", {} not checked", are(unchecked)));
        let rest = [uncertain, unchecked].map(Option::unwrap_or_default).concat();
        format!("{}{about}: {untrue}{rest}.{differing}", count_text(total.asked(), "answer"))
    }

    fn table(&self) -> Vec<String> {
        let head = ["", "ASKED", "DEEDS", "RULE", "RULE BY DEEDS", "NOT CERTAIN", "NOT CHECKED", "FALSE"];
        let rows = self.counts.iter().map(|(title, counts)| counts.cells(title));
        let AgreementCounts { compared, untrue } = self.agreement;
        let counted = [AGREEMENT, &compared.to_string(), "", "", "", "", "", &untrue.to_string()];
        let rows = rows.chain([counted.map(str::to_owned).to_vec()]);
        in_columns(&std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
    }

    /// Of one scenario, for people.
    pub fn one_text(&self) -> String {
        let mut lines = self.head("");
        let told =
            |is_false| self.scenarios.iter().flat_map(|of| &of.answers).filter(move |told| told.is_false == is_false);
        for (title, is_false) in [("Not certain", false), ("False", true)] {
            if told(is_false).next().is_some() {
                lines.extend([String::new(), title.to_owned()]);
                lines.extend(told(is_false).map(|answer| format!("  {}", answer.line())));
            }
        }
        lines.join("\n") + "\n"
    }

    /// Of random scenarios, for people: those with false answers are told.
    pub fn random_text(&self) -> String {
        let scenarios = count_text(self.of as u64, "scenario");
        let mut lines = self.head(&if self.proven == self.of {
            format!(" about {scenarios}")
        } else {
            format!(" about {} of {scenarios}", self.proven)
        });
        for scenario in self.scenarios.iter().filter(|scenario| scenario.has_false()) {
            lines.push(String::new());
            lines.extend(scenario.text_lines());
        }
        lines.join("\n") + "\n"
    }

    fn head(&self, about: &str) -> Vec<String> {
        let mut lines = vec![self.verdict(about)];
        if self.total().asked() + self.agreement.compared > 0 {
            lines.push(String::new());
            lines.extend(self.table());
            lines.push(String::new());
            lines.extend(LEGEND.map(str::to_owned));
        }
        lines
    }

    /// A line of JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        Ok(printed_json(self)? + "\n")
    }
}
