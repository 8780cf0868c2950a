//! What is so in a run: what can be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::agreement::AgreementCheck;
use super::instead::Instead;
use crate::event::Event;
use crate::experiment::run::{Experiment, RunError, Watcher};
use crate::model::Model;
use crate::model::cause::{Question, questions};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// A run, folded up to its end.
#[derive(Debug)]
pub(super) struct RunFacts {
    model: Model,
    /// What the model asks, and all that happened: a model forgets the early steps of a busy link.
    so: Vec<Question>,
}

/// The moments at which something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LookWindow {
    /// Before this, both runs are the same.
    pub(super) from: Time,
    /// Up to but not including this; `None`: the end.
    pub(super) until: Option<Time>,
}

/// Whether something is so in another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    Absent,
    /// It is so throughout the end of the run.
    Lasting,
    /// It happened, first at this time.
    At(Time),
}

impl RunFacts {
    pub(super) fn of(experiment: Experiment, goes_on: &impl Fn() -> bool) -> Result<Self, RunError> {
        Self::folded(experiment, goes_on, None)
    }

    /// The same, while what is said of it is compared.
    pub(super) fn listened_to(
        experiment: Experiment,
        goes_on: &impl Fn() -> bool,
        check: &mut AgreementCheck,
    ) -> Result<Self, RunError> {
        Self::folded(experiment, goes_on, Some(check))
    }

    fn folded(
        experiment: Experiment,
        goes_on: &impl Fn() -> bool,
        check: Option<&mut AgreementCheck>,
    ) -> Result<Self, RunError> {
        if !goes_on() {
            return Err(RunError::Interrupted);
        }
        let end = experiment.epoch + experiment.lasts();
        let mut fold = ModelFold { model: Model::new(), happened: Vec::new(), end, check, goes_on };
        experiment.watch(&mut fold)?;
        let ModelFold { mut model, happened: mut so, check, .. } = fold;
        if let Some(check) = check {
            check.pass(end, &mut model);
        }
        model.pass(end);
        so.extend(questions(&model));
        Ok(Self { model, so })
    }

    /// Asks these as well, whether or not the model does by itself.
    pub(super) fn ask(&mut self, asked: &[Question]) {
        for question in asked {
            if let Some(is_so) = question.is_so_in(&self.model) {
                self.so.retain(|so| so != question);
                self.so.extend(is_so.then_some(*question));
            }
        }
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// What is left of it for a comparison with `before`, in whose words it is told: a text of the
    /// user is another message when its origin restarted. `asked`: what is asked as well; of the rerun
    /// without what was done from this time on.
    pub(super) fn compared_to(mut self, before: &Self, asked: &[Question], from: Time) -> RerunFacts {
        let same = same_texts(&self.model, &before.model);
        let renamed = |question: &Question, name: &dyn Fn(MessageId) -> Option<MessageId>| {
            question.message().and_then(name).map_or(*question, |message| question.about(message))
        };
        let here = |question: &Question| {
            renamed(question, &|wanted| same.iter().find(|(_, there)| **there == wanted).map(|(here, _)| *here))
        };
        let asked: Vec<Question> = asked.iter().map(here).collect();
        self.ask(&asked);
        let instead =
            asked.iter().map(|question| Instead::of(question, (&self.model, &self.so), &before.so, from)).collect();
        let told = |question: Question| renamed(&question, &|message| same.get(&message).copied());
        RerunFacts { so: self.so.into_iter().map(told).collect(), instead }
    }

    pub(super) fn so(&self) -> &[Question] {
        &self.so
    }
}

/// What is kept of a rerun.
#[derive(Debug)]
pub(super) struct RerunFacts {
    pub(super) so: Vec<Question>,
    /// For each question that was asked as well.
    pub(super) instead: Vec<Instead>,
}

/// Whether the same is so in a run, within the window, after as many others of its kind.
pub(super) fn presence(so: &[Question], wanted: &Question, window: LookWindow, others: usize) -> Recurrence {
    if wanted.at().is_none() {
        return if so.contains(wanted) { Recurrence::Lasting } else { Recurrence::Absent };
    }
    times(so, wanted, window).into_iter().nth(others).map_or(Recurrence::Absent, Recurrence::At)
}

/// When the same happened within the window.
pub(super) fn times(so: &[Question], wanted: &Question, window: LookWindow) -> BTreeSet<Time> {
    let same = so.iter().filter(|question| question.is_same(wanted));
    same.filter_map(Question::at).filter(|at| window.holds(*at)).collect()
}

impl LookWindow {
    fn holds(self, at: Time) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Recurrence {
    pub fn is_there(self) -> bool {
        self != Self::Absent
    }
}

/// Messages of the one model with the ids that the same texts have in the other. A text that its
/// origin sent twice stands for itself.
fn same_texts(of: &Model, within: &Model) -> BTreeMap<MessageId, MessageId> {
    let (here, there) = (texts(of), texts(within));
    let pairs = here.into_iter().filter_map(|(text, here)| Some((here?, (*there.get(&text)?)?)));
    pairs.collect()
}

fn texts(model: &Model) -> BTreeMap<(Addr, &[u8]), Option<MessageId>> {
    let mut texts: BTreeMap<(Addr, &[u8]), Option<MessageId>> = BTreeMap::new();
    for (_, rumor) in model.rumors().ring() {
        let body: &Body = &rumor.body;
        let text = texts.entry((rumor.id.origin, body.as_bytes()));
        text.and_modify(|id| *id = None).or_insert(Some(rumor.id));
    }
    texts
}

struct ModelFold<'a, P> {
    model: Model,
    happened: Vec<Question>,
    /// All nodes stop then; before they say goodbye, those that hang are killed.
    end: Time,
    check: Option<&'a mut AgreementCheck>,
    goes_on: &'a P,
}

impl<P: Fn() -> bool> Watcher for ModelFold<'_, P> {
    fn goes_on(&mut self, _played: Duration) -> bool {
        (self.goes_on)()
    }

    fn event(&mut self, event: &Event) {
        if event.at < self.end {
            if let Some(check) = &mut self.check {
                check.before(event, &mut self.model);
            }
            self.model.apply(event);
            self.happened.extend(Question::of_event(event));
        }
    }
}
