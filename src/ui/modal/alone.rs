//! An answer that one node alone could give (`:why .. as p3`): the host reads what it knew, and the dialog
//! asks again when that is of another moment than the one that is shown.

use std::sync::Arc;
use std::time::Duration;

use crate::model::Model;
use crate::model::second_text;
use crate::model::why::Explanation;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::ui::explain::{Subject, explain};
use crate::ui::host::LoneQuestion;
use crate::ui::view::View;

/// How often what it knows is read again while time goes on: each time from the beginning of the session.
const REREAD: Duration = Duration::from_secs(2);

/// The node that answers.
#[derive(Debug)]
pub(super) struct LoneReader {
    node: Addr,
    name: String,
    wanted: Option<LoneQuestion>,
    /// What came of it, until the answer is made of it.
    known: Option<(Time, Result<Arc<Model>, String>)>,
    /// The moment of the answer that is shown.
    told_at: Option<Time>,
}

impl LoneReader {
    pub(super) fn new(node: Addr, view: &View<'_>) -> Self {
        let wanted = Some(LoneQuestion { node, at: view.now });
        Self { node, name: view.name(node), wanted, known: None, told_at: None }
    }

    /// What is shown until it is read.
    pub(super) fn reading(&self) -> Explanation {
        self.saying(format!("Reading what {} alone knew ..", self.name))
    }

    pub(super) const fn wanted(&self) -> Option<LoneQuestion> {
        self.wanted
    }

    pub(super) const fn has_told(&self) -> bool {
        self.told_at.is_some()
    }

    pub(super) fn hear(&mut self, question: LoneQuestion, answer: &Result<Arc<Model>, String>) {
        if self.wanted.take_if(|wanted| *wanted == question).is_some() {
            self.known = Some((question.at, answer.clone()));
        }
    }

    /// The answer as of its moment, if a new one was read. Asks for the next one if it is time.
    pub(super) fn answer(&mut self, subject: Subject, view: &View<'_>) -> Option<(Explanation, Time)> {
        let Some((at, known)) = self.known.take() else {
            let is_due = |told: Time| view.now < told || view.now.since(told) >= REREAD;
            if self.wanted.is_none() && self.told_at.is_some_and(is_due) {
                self.wanted = Some(LoneQuestion { node: self.node, at: view.now });
            }
            return None;
        };
        self.told_at = Some(at);
        let why = match &known {
            Err(why) => self.saying(format!("That cannot be read: {why}.")),
            Ok(model) => self.explained(subject, &View { model, now: at, ..*view }, view)?,
        };
        Some((why, at))
    }

    /// `alone`: as the node sees it; `whole`: as the reader of the screen does, who asked.
    fn explained(&self, subject: Subject, alone: &View<'_>, whole: &View<'_>) -> Option<Explanation> {
        let nodes = subject.nodes();
        if let Some(unknown) = nodes.iter().find(|node| alone.model.nodes().get(**node).is_none()) {
            let at = second_text(alone.now, alone.utc_offset_s);
            return Some(self.saying(format!("{} had not heard of {} by {at}.", self.name, whole.name(*unknown))));
        }
        let mut why = explain(subject, alone)?.as_seen_by(&self.name);
        for node in nodes.into_iter().filter(|node| whole.name(*node) != alone.name(*node)) {
            why.verdict = format!("{} (To {}, {} is {}.)", why.verdict, self.name, whole.name(node), alone.name(node));
        }
        Some(why)
    }

    fn saying(&self, verdict: String) -> Explanation {
        Explanation {
            title: format!("As {} alone saw it", self.name),
            verdict,
            is_certain: true,
            evidence: Vec::new(),
            table: None,
            rests_on: Vec::new(),
        }
    }
}
