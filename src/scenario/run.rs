//! A scenario while it is played.
//!
//! [`Run`] folds events into a model of its own, says when it wants to be woken, and returns what
//! to do and report. A claim with a window is checked every [`LOOK_INTERVAL`] until it is decided.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::claim::{ClaimState, LOOK_INTERVAL};
use super::expect::{ClaimWindow, Expect, Sense};
use super::script::{Script, ScriptStep, Step};
use super::words::commands;
use crate::command::{Command, grammar};
use crate::engine::Refusal;
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::Model;
use crate::model::notice::Severity;
use crate::model::words::{count_text, span_text};
use crate::proto::fault::span_word;
use crate::proto::time::Time;

/// What a run wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioAction {
    /// Do something to the network. If it is refused, [`Run::refused`] must be called.
    Do {
        /// The step that wants it.
        step: usize,
        command: Command,
    },
    /// Tell the user.
    Tell(ScenarioNotice),
}

/// A line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioNotice {
    pub severity: Severity,
    pub text: String,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines that were done or decided.
    pub done: usize,
    /// All lines.
    pub of: usize,
    /// Expectations that failed.
    pub failed: usize,
}

/// What a viewer is told of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioView {
    pub progress: Progress,
    /// Expectations that held.
    pub held: usize,
    /// Every line is done or decided.
    pub is_over: bool,
    /// The latest comment.
    pub comment: String,
    /// The latest lines, oldest first; before other lines, those that failed are kept.
    pub lines: Vec<ScenarioLine>,
}

/// A line of a scenario, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioLine {
    pub text: String,
    pub outcome: LineOutcome,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineOutcome {
    Done,
    /// It was not done, or only in part, for this reason.
    Skipped(String),
    /// An expectation that is not decided yet.
    Waiting,
    Met,
    /// For this reason.
    Failed(String),
}

impl LineOutcome {
    /// Why it did not go as the scenario has it.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Skipped(why) | Self::Failed(why) => Some(why),
            Self::Done | Self::Waiting | Self::Met => None,
        }
    }
}

/// Lines that a viewer is told.
const LINES_TOLD: usize = 3;

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Expectations that held.
    pub held: usize,
    /// Expectations that failed, each with its line and the reason.
    pub failed: Vec<String>,
    /// Expectations that were open when the session ended.
    pub undecided: Vec<String>,
    /// Lines that were not done, or only in part, each with its reasons.
    pub skipped: Vec<String>,
    /// How many of those were done in part.
    pub in_part: usize,
}

/// A scenario that is being played.
#[derive(Debug)]
pub struct Run {
    script: Script,
    model: Model,
    /// A step asks the model more than the names of nodes. Otherwise nothing else is folded.
    expects: bool,
    began: Option<Time>,
    next: usize,
    open: Vec<OpenExpectation>,
    looked_at: Option<Time>,
    held: usize,
    failed: Vec<FailedStep>,
    skipped: Vec<Skipped>,
}

/// An expectation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FailedStep {
    step: usize,
    /// What was so instead, and after what time.
    why: String,
}

/// A line that was not done, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Line number, counted from 1.
    pub line: usize,
    /// The line without its time.
    pub(super) text: String,
    /// Its commands that were not done.
    pub(super) refused: Vec<RefusedCommand>,
    /// The number of commands in the line.
    pub(super) of: usize,
}

/// A command of a line that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefusedCommand {
    /// As it is typed.
    pub(super) what: String,
    pub(super) why: SkipReason,
}

/// Why a command of a line was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SkipReason {
    /// The line cannot be read with the nodes as they are now: what was expected.
    #[error("{0}")]
    Line(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Skipped {
    /// Nothing of the line was done.
    pub(super) const fn is_whole(&self) -> bool {
        self.refused.len() >= self.of
    }

    /// The reason; with several commands, the reason for each that was not done.
    pub(super) fn why(&self) -> String {
        self.refused.iter().map(|refused| self.reason(refused)).collect::<Vec<_>>().join("; ")
    }

    fn reason(&self, RefusedCommand { what, why }: &RefusedCommand) -> String {
        if self.of == 1 { why.to_string() } else { format!("'{what}': {why}") }
    }

    fn told(&self, why: &str) -> String {
        format!("line {}: {}: skipped: {why}", self.line, self.text)
    }
}

#[derive(Debug)]
struct OpenExpectation {
    step: usize,
    since: Time,
    expect: Expect,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    Open,
    Held,
    Failed(String),
}

impl Run {
    /// A run that has not begun.
    pub fn new(script: Script) -> Self {
        let expects = script.steps.iter().any(|step| matches!(step.what, Step::Expect(_)));
        let (model, open) = (Model::new().without_warnings(), Vec::new());
        let (held, failed, skipped) = (0, Vec::new(), Vec::new());
        let (began, next, looked_at) = (None, 0, None);
        Self { script, model, expects, began, next, open, looked_at, held, failed, skipped }
    }

    /// The number of seeds and peers in its lab.
    pub fn lab(&self) -> (usize, usize) {
        (self.script.seeds, self.script.peers)
    }

    /// All nodes of the lab have been started: times count from now on.
    pub fn begin(&mut self, now: Time) -> Vec<ScenarioAction> {
        self.began = Some(now);
        remark(&self.script.about).into_iter().collect()
    }

    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        if self.expects || matches!(event.kind, EventKind::Node(NodeEvent::Started { .. })) {
            self.model.apply(event);
        }
    }

    /// This many events will never come.
    pub fn note_skipped(&mut self, events: u64) {
        self.model.note_skipped(events);
    }

    /// When it wants to be woken; `None`: it has not begun, or is over.
    pub fn next_at(&self) -> Option<Time> {
        let look = self.looked_at.filter(|_| !self.open.is_empty()).map(|looked_at| looked_at + LOOK_INTERVAL);
        self.next_turn_at().into_iter().chain(look).min()
    }

    /// When a line is due, or an expectation is decided at the latest.
    pub(super) fn next_turn_at(&self) -> Option<Time> {
        let began = self.began?;
        let step = self.script.steps.get(self.next).map(|step| began + step.at);
        step.into_iter().chain(self.open.iter().map(OpenExpectation::decided_at)).min()
    }

    /// Returns what is due at `now`.
    pub fn wake(&mut self, now: Time) -> Vec<ScenarioAction> {
        let Some(began) = self.began else { return Vec::new() };
        let mut acts = Vec::new();
        while self.script.steps.get(self.next).is_some_and(|step| began + step.at <= now) {
            self.next += 1;
            self.step(self.next - 1, now, &mut acts);
        }
        self.look(now, &mut acts);
        acts
    }

    /// All lines are done or decided.
    pub fn is_over(&self) -> bool {
        self.began.is_some() && self.next == self.script.steps.len() && self.open.is_empty()
    }

    pub fn progress(&self) -> Progress {
        let failed = self.failed.len();
        Progress { done: self.next - self.open.len(), of: self.script.steps.len(), failed }
    }

    /// What has happened lately, for a viewer.
    pub fn view(&self) -> ScenarioView {
        let done = self.script.steps.get(..self.next).unwrap_or_default();
        let comment = done.iter().map(|step| &step.comment).rfind(|comment| !comment.is_empty());
        let lines: Vec<usize> = (0..done.len()).filter(|number| done[*number].what != Step::End).collect();
        let told = most_telling(lines.len(), LINES_TOLD, |line| self.is_bad(lines[line])).into_iter();
        let told =
            told.map(|line| ScenarioLine { text: done[lines[line]].text.clone(), outcome: self.outcome(lines[line]) });
        ScenarioView {
            progress: self.progress(),
            held: self.held,
            is_over: self.is_over(),
            comment: comment.unwrap_or(&self.script.about).join(" "),
            lines: told.collect(),
        }
    }

    /// What came of each line so far, by its number.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (usize, LineOutcome)> {
        self.script.steps.iter().take(self.next).enumerate().map(|(number, step)| (step.line, self.outcome(number)))
    }

    /// The step failed, or was not done.
    fn is_bad(&self, number: usize) -> bool {
        let line = self.script.steps.get(number).map(|step| step.line);
        self.failed.iter().any(|failed| failed.step == number)
            || self.skipped.iter().any(|skipped| Some(skipped.line) == line)
    }

    fn outcome(&self, number: usize) -> LineOutcome {
        let Some(step) = self.script.steps.get(number) else { return LineOutcome::Done };
        match step.what {
            Step::Expect(_) if self.open.iter().any(|open| open.step == number) => LineOutcome::Waiting,
            Step::Expect(_) => match self.failed.iter().find(|failed| failed.step == number) {
                Some(failed) => LineOutcome::Failed(failed.why.clone()),
                None => LineOutcome::Met,
            },
            Step::Command => match self.skipped.iter().find(|skipped| skipped.line == step.line) {
                Some(skipped) => LineOutcome::Skipped(skipped.why()),
                None => LineOutcome::Done,
            },
            Step::End => LineOutcome::Done,
        }
    }

    /// The outcome so far.
    pub fn summary(&self) -> Summary {
        let failed = self.failed.iter().filter_map(|failed| self.told(failed.step, &failed.why)).collect();
        let skipped = self.skipped.iter().map(|skipped| skipped.told(&skipped.why())).collect();
        let in_part = self.skipped.iter().filter(|skipped| !skipped.is_whole()).count();
        let undecided =
            self.undecided().map(|step| format!("line {}: {}: not decided", step.line, step.text)).collect();
        Summary { held: self.held, failed, undecided, skipped, in_part }
    }

    fn undecided(&self) -> impl Iterator<Item = &ScriptStep> {
        let is_open = |number: usize| number >= self.next || self.open.iter().any(|open| open.step == number);
        let steps = self.script.steps.iter().enumerate().filter(move |(number, _)| is_open(*number));
        steps.map(|(_, step)| step).filter(|step| matches!(step.what, Step::Expect(_)))
    }

    /// A step with its line, and what came of it.
    fn told(&self, step: usize, outcome: &str) -> Option<String> {
        let ScriptStep { line, text, .. } = self.script.steps.get(step)?;
        Some(format!("line {line}: {text}: {outcome}"))
    }

    /// Lines that were not done, or only in part.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// A command of a step was refused for this reason. Reports it, and counts its line once.
    pub fn refused(&mut self, step: usize, command: &Command, why: Refusal) -> Option<ScenarioNotice> {
        let text = &self.script.steps.get(step)?.text;
        let of = commands(text, &self.model).map_or(1, |commands| commands.len());
        let what = grammar::text(command, &|node| self.model.name_of(node).into_owned());
        self.skip(step, of, RefusedCommand { what, why: why.into() })
    }

    /// One of a step's commands (`of` in all) was not done.
    fn skip(&mut self, step: usize, of: usize, refused: RefusedCommand) -> Option<ScenarioNotice> {
        let ScriptStep { line, text, .. } = self.script.steps.get(step)?;
        if self.skipped.last().is_none_or(|skipped| skipped.line != *line) {
            self.skipped.push(Skipped { line: *line, text: text.clone(), refused: Vec::new(), of });
        }
        let skipped = self.skipped.last_mut()?;
        let text = skipped.told(&skipped.reason(&refused));
        skipped.refused.push(refused);
        Some(ScenarioNotice { severity: Severity::Error, text })
    }

    fn step(&mut self, number: usize, now: Time, acts: &mut Vec<ScenarioAction>) {
        let Some(step) = self.script.steps.get(number) else { return };
        acts.extend(remark(&step.comment));
        match &step.what {
            Step::Expect(expect) => {
                let expect = expect.clone();
                self.open.push(OpenExpectation { step: number, since: now, expect });
            }
            Step::Command => {
                acts.push(tell(Severity::Info, format!("{}: {}", span_word(step.at), step.text)));
                match commands(&step.text, &self.model) {
                    Ok(commands) => {
                        acts.extend(commands.into_iter().map(|command| ScenarioAction::Do { step: number, command }));
                    }
                    Err(why) => {
                        let refused = RefusedCommand { what: step.text.clone(), why: SkipReason::Line(why) };
                        acts.extend(self.skip(number, 1, refused).map(ScenarioAction::Tell));
                    }
                }
            }
            Step::End => acts.push(tell(Severity::Info, format!("{}: the scenario ends", span_word(step.at)))),
        }
    }

    /// Decides what can be decided.
    fn look(&mut self, now: Time, acts: &mut Vec<ScenarioAction>) {
        self.looked_at = Some(now);
        for open in std::mem::take(&mut self.open) {
            match open.decide(&self.model, now) {
                Decision::Open => self.open.push(open),
                decided => self.decided(&open, decided, now, acts),
            }
        }
    }

    fn decided(&mut self, open: &OpenExpectation, decision: Decision, now: Time, acts: &mut Vec<ScenarioAction>) {
        let Some(ScriptStep { line, text, .. }) = self.script.steps.get(open.step) else { return };
        let span = span_text(now.since(open.since));
        let (held, after) = match open.expect.window {
            ClaimWindow::Now => ("held".to_owned(), String::new()),
            ClaimWindow::Within(_) | ClaimWindow::For(_) if now == open.since => {
                ("held at once".to_owned(), String::new())
            }
            ClaimWindow::Within(_) | ClaimWindow::For(_) => (format!("held after {span}"), format!("after {span} ")),
        };
        match decision {
            Decision::Open => {}
            Decision::Held => {
                self.held += 1;
                acts.push(tell(Severity::Info, format!("line {line}: {text}: {held}")));
            }
            Decision::Failed(why) => {
                let skipped = self.model.totals().skipped;
                let doubt = match skipped {
                    0 => String::new(),
                    _ => format!("; not certain: {} missed", count_text(skipped, "event")),
                };
                let why = format!("{after}{why}{doubt}");
                acts.extend(self.told(open.step, &why).map(|text| tell(Severity::Error, text)));
                self.failed.push(FailedStep { step: open.step, why });
            }
        }
    }
}

/// Which of so many lines are told if there is room for `most`, in their order: the newest, then those
/// that did not go as planned, then the latest of the others.
pub fn most_telling(lines: usize, most: usize, is_bad: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut told: Vec<usize> = (0..lines).collect();
    told.sort_by_cached_key(|line| (line + 1 != lines, !is_bad(*line), Reverse(*line)));
    told.truncate(most);
    told.sort_unstable();
    told
}

impl OpenExpectation {
    fn decided_at(&self) -> Time {
        self.since + self.expect.window.span()
    }

    fn decide(&self, model: &Model, now: Time) -> Decision {
        let ClaimState { holds, words } = self.expect.claim.judge(model, self.since);
        let as_expected = match self.expect.sense {
            Sense::Holds => holds == Some(true),
            Sense::DoesNot => holds == Some(false),
        };
        let is_over = now >= self.decided_at();
        match self.expect.window {
            ClaimWindow::Within(_) | ClaimWindow::For(_) if holds.is_none() && !is_over => Decision::Open,
            ClaimWindow::Now | ClaimWindow::Within(_) if as_expected => Decision::Held,
            ClaimWindow::Within(_) if !is_over => Decision::Open,
            ClaimWindow::For(_) if as_expected && !is_over => Decision::Open,
            ClaimWindow::For(_) if as_expected => Decision::Held,
            ClaimWindow::Now | ClaimWindow::Within(_) | ClaimWindow::For(_) => Decision::Failed(words),
        }
    }
}

impl Summary {
    /// All expectations held.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && self.undecided.is_empty()
    }

    /// In a line: `2 of 3 expectations held, 1 failed`.
    pub fn text(&self) -> String {
        let all = self.held + self.failed.len() + self.undecided.len();
        let mut text = match all {
            0 => "done; nothing was expected".to_owned(),
            all => format!("{} of {} held", self.held, count_text(all as u64, "expectation")),
        };
        for (count, what) in [(self.failed.len(), "failed"), (self.undecided.len(), "not decided")] {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        for (count, what) in [(self.skipped.len() - self.in_part, "skipped"), (self.in_part, "done in part")] {
            if count > 0 {
                let _ = write!(text, ", {} {what}", count_text(count as u64, "line"));
            }
        }
        text
    }
}

/// A comment as one line.
fn remark(comment: &[String]) -> Option<ScenarioAction> {
    (!comment.is_empty()).then(|| tell(Severity::Info, format!("# {}", comment.join(" "))))
}

fn tell(severity: Severity, text: String) -> ScenarioAction {
    ScenarioAction::Tell(ScenarioNotice { severity, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LinkEvent, Methods, Pace, Purpose};
    use crate::proto::addr::Addr;
    use crate::proto::message::{Dialect, Role};

    /// The commands that are due after a second, and the nodes that the run's model knows.
    fn played(script: &str) -> (Vec<Command>, usize) {
        let (at, node, elsewhere) = (Time::from_micros(0), Addr::loopback(3000), Addr::loopback(4000));
        let pace = Pace { gossip_interval_us: 1, liveness_interval_us: 1, liveness_misses: 1 };
        let mut run = Run::new(Script::parse(script).unwrap());
        for kind in [
            EventKind::Node(NodeEvent::Started {
                name: "p1".to_owned(),
                role: Role::Peer,
                dialect: Dialect::Framed,
                pace,
                methods: Methods::default(),
            }),
            EventKind::Link(LinkEvent::Dialing { peer: elsewhere, purpose: Purpose::Neighbor, repair: None }),
        ] {
            run.take(&Event { at, node, kind });
        }
        run.begin(at);
        let command = |action| match action {
            ScenarioAction::Do { command, .. } => Some(command),
            ScenarioAction::Tell(_) => None,
        };
        let due = run.wake(at + std::time::Duration::from_secs(1)).into_iter().filter_map(command).collect();
        (due, run.model.nodes().iter().count())
    }

    #[test]
    fn a_script_without_expectations_knows_names_and_nothing_more() {
        let kill = vec![Command::Kill(Addr::loopback(3000))];
        assert_eq!(played("lab 1 2\n1s kill p1"), (kill.clone(), 1));
        assert_eq!(played("lab 1 2\n1s kill p1\n5s expect no dead"), (kill, 2));
    }

    #[test]
    fn a_viewer_is_told_why_a_line_failed_until_the_end() {
        let at = Time::from_micros(0);
        let mut run =
            Run::new(Script::parse("lab 1 2\nexpect dead p2\nkill p2\nexpect no dead\ncalm\nheal\n").unwrap());
        run.begin(at);
        run.wake(at);
        let view = run.view();
        let told = |line: &ScenarioLine| (line.text.clone(), line.outcome.why().map(str::to_owned));
        let [failed, skipped, newest] = &view.lines[..] else { panic!("{view:?}") };
        let summary = run.summary();
        assert_eq!(told(failed).0, "expect dead p2");
        assert_eq!(summary.failed, [format!("line 2: expect dead p2: {}", told(failed).1.unwrap())]);
        assert_eq!(summary.skipped, [format!("line 3: kill p2: skipped: {}", told(skipped).1.unwrap())]);
        assert_eq!(told(newest), ("heal".to_owned(), None));
    }
}
