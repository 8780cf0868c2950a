//! The lines of the notices: what the model notes, its warnings, and what the console itself has to say.

use super::view::NoticeLine;
use crate::event::{EventKind, LinkEvent};
use crate::model::Model;
use crate::model::notice::{NOTICES_MAX, Notice, Severity};
use crate::model::ring::Ring;
use crate::model::warning::Finding;
use crate::proto::time::Time;

/// Notices back to which a line is looked for that says the same: several screens.
const REPEATED_WITHIN: usize = 256;

/// The lines of one model, and how much of it they tell already.
#[derive(Debug, Clone)]
pub(crate) struct NoticeLines {
    pub(crate) lines: Ring<NoticeLine>,
    /// Notices of the model before this number were taken over.
    taken: u64,
    /// Warnings before this number were shown.
    warned: u64,
}

impl Default for NoticeLines {
    fn default() -> Self {
        Self { lines: Ring::new(NOTICES_MAX), taken: 0, warned: 0 }
    }
}

impl NoticeLines {
    /// All lines of a model of this moment, and of these notes those that were made until then.
    pub(crate) fn at(model: &Model, notes: &Ring<NoticeLine>, at: Time) -> Self {
        let (mut of_model, warnings) = (Self::default(), model.warnings().list());
        of_model.take(model);
        let mut all: Vec<NoticeLine> = of_model.lines.iter().map(|(_, line)| line.clone()).collect();
        all.extend(warnings.iter().map(|(_, warning)| warned(model, &warning.finding, warning.at)));
        all.extend(notes.iter().map(|(_, note)| note).filter(|note| note.at <= at).cloned());
        all.sort_by_key(|line| line.at);
        let mut told = Self { taken: model.notices().end(), warned: warnings.end(), ..Self::default() };
        for line in all {
            told.lines.push(line);
        }
        told
    }

    /// Adds a line, or counts it in one of so many before that says the same.
    pub(crate) fn keep(&mut self, line: NoticeLine, within: usize) {
        let is_same = |earlier: &NoticeLine| {
            (earlier.severity, &earlier.text, earlier.node) == (line.severity, &line.text, line.node)
        };
        let earlier = self.lines.iter().rev().take(within).find(|(_, earlier)| is_same(earlier));
        let earlier = earlier.map(|(number, _)| number);
        match earlier.and_then(|number| self.lines.get_mut(number)) {
            Some(earlier) => earlier.repeat(line.at),
            None => drop(self.lines.push(line)),
        }
    }

    /// Takes over what the model has noted. Returns what the user must know at once.
    pub(crate) fn take(&mut self, model: &Model) -> Option<(Severity, String)> {
        let mut urgent = None;
        for (number, notice) in model.notices().from(self.taken) {
            let line = line(model, notice);
            if notice.severity == Severity::Error {
                urgent = Some((notice.severity, line.text.clone()));
            }
            // A dial is tried again and again, between others.
            let is_dial = matches!(notice.event.kind, EventKind::Link(LinkEvent::DialFailed { .. }));
            self.keep(line, if is_dial { REPEATED_WITHIN } else { 1 });
            self.taken = number + 1;
        }
        urgent
    }

    /// Takes over new warnings. Returns the gravest of them.
    pub(crate) fn warn(&mut self, model: &Model) -> Option<(Severity, String)> {
        let new: Vec<_> = model.warnings().list().from(self.warned).map(|(_, warning)| warning.clone()).collect();
        let gravest = new.iter().rev().min_by_key(|warning| gravity(&warning.finding));
        let gravest = gravest.map(|warning| model.warning_text(&warning.finding));
        for warning in new {
            self.keep(warned(model, &warning.finding, warning.at), 1);
        }
        self.warned = model.warnings().list().end();
        gravest.map(|text| (Severity::Warning, text))
    }
}

fn line(model: &Model, notice: &Notice) -> NoticeLine {
    let is_node = model.nodes().get(notice.event.node).is_some();
    // What failed may be the start of a node, which then has no name to put in front.
    let text = if is_node { model.notice_text(notice) } else { model.sentence(&notice.event.kind) };
    NoticeLine::new(notice.at, notice.severity, text, Some(notice.event.node))
}

fn warned(model: &Model, finding: &Finding, at: Time) -> NoticeLine {
    let (text, node) = (model.warning_text(finding), finding.node());
    NoticeLine::new(at, Severity::Warning, text, node)
}

/// The sort order of a warning: what explains the most comes first. One cut makes an overlay of two
/// parts, and a dozen one-way links.
pub(crate) const fn gravity(finding: &Finding) -> u8 {
    match finding {
        Finding::Parted { .. } => 0,
        Finding::NoSeed { .. } | Finding::Alone { .. } => 1,
        Finding::Unreached { .. } => 2,
        Finding::Forged { .. } => 3,
        Finding::Eclipsed { .. } => 4,
        Finding::SeedList { .. } => 5,
        Finding::Disputed { .. } => 6,
        Finding::Fragile { .. } => 7,
        Finding::OneWay { .. } => 8,
        Finding::Flapping { .. } => 9,
    }
}
