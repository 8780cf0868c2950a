//! Small space-time diagrams beside what they explain: deaths, and messages that did not reach everybody.
//!
//! While the recording is folded, the model knows when each of them was. Their events are read again
//! afterwards, each from the place in the recording where its time begins.

use std::path::Path;

use super::deaths::DeathFigures;
use super::messages::{LackedMessage, MessageFigures};
use crate::model::Model;
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject};
use crate::model::diagram::{DiagramSpec, diagram};
use crate::session::diagram_svg::{SvgPlace, SvgStyle, svg};
use crate::session::journal::JournalError;
use crate::session::past::Past;

/// Diagrams of one page: more than anybody looks at, and half a megabyte.
pub const DIAGRAMS_MAX: usize = 24;
/// Bytes of one diagram. One in a network of 300 takes 40,000.
pub const DIAGRAM_LEN_MAX: usize = 64 * 1024;
/// Columns of a diagram: as many as a sheet of paper is wide, with a line beside the last.
const COLUMNS_MAX: usize = 8;

/// The diagrams of a page.
#[derive(Debug, Default)]
pub struct ReportDiagrams {
    drawn: Vec<(DiagramSubject, String)>,
    /// Deaths and messages on the page that have none.
    pub left_out: usize,
    /// Why there are none at all, although there is something to draw.
    pub why_none: Option<String>,
}

/// Something that deserves a diagram, and when it was.
#[derive(Debug, Clone)]
struct DiagramWish {
    subject: DiagramSubject,
    span: DiagramSpan,
}

impl ReportDiagrams {
    /// Draws what the page tells in full. `model`: of the end, for the names and the faults.
    pub(super) fn draw(
        path: &Path,
        model: &Model,
        (deaths, messages): (&[DeathFigures], &MessageFigures),
        utc_offset_s: i32,
    ) -> Self {
        let wishes = wishes(deaths, messages);
        if wishes.is_empty() {
            return Self::default();
        }
        let past = match Past::open(path) {
            Ok(past) => past,
            Err(error) => return Self { left_out: wishes.len(), why_none: Some(error.to_string()), drawn: Vec::new() },
        };
        let drawn = wishes.iter().take(DIAGRAMS_MAX).filter_map(|wish| {
            let picture = wish.picture(&past, model, utc_offset_s).ok()?;
            (picture.len() <= DIAGRAM_LEN_MAX).then(|| (wish.subject.clone(), picture))
        });
        let drawn: Vec<_> = drawn.collect();
        Self { left_out: wishes.len() - drawn.len(), why_none: None, drawn }
    }

    pub fn is_empty(&self) -> bool {
        self.drawn.is_empty()
    }

    /// The picture of this, if the page has it: an SVG element.
    pub fn of(&self, subject: &DiagramSubject) -> Option<&str> {
        self.drawn.iter().find(|(drawn, _)| drawn == subject).map(|(_, picture)| picture.as_str())
    }
}

impl DiagramWish {
    fn picture(&self, past: &Past, model: &Model, utc_offset_s: i32) -> Result<String, JournalError> {
        let DiagramSpan { from, to } = self.span;
        let (subject, picked) = (self.subject.clone(), Vec::new());
        let spec = DiagramSpec { subject, from, to, picked, columns_max: COLUMNS_MAX, utc_offset_s };
        let drawn = diagram(&spec, past.events(from, to)?, model);
        Ok(svg(&drawn, &SvgStyle { place: SvgPlace::Page, title: String::new(), caption: Vec::new() }))
    }
}

/// What the page tells in full, the most instructive first: deaths and a message of each reason, then the
/// rest.
fn wishes(deaths: &[DeathFigures], messages: &MessageFigures) -> Vec<DiagramWish> {
    let deaths: Vec<DiagramWish> = deaths.iter().filter(|death| death.answer.is_some()).map(of_death).collect();
    let (early, late) = deaths.split_at(deaths.len().min(DIAGRAMS_MAX / 2));
    let firsts = messages.reasons.iter().filter_map(|lacked| lacked.examples.first());
    let others = messages.reasons.iter().flat_map(|lacked| lacked.examples.iter().skip(1));
    let messages = firsts.chain(others).map(of_message);
    early.iter().cloned().chain(messages).chain(late.iter().cloned()).collect()
}

fn of_death(death: &DeathFigures) -> DiagramWish {
    DiagramWish { subject: death.subject(), span: death.span }
}

fn of_message(message: &LackedMessage) -> DiagramWish {
    DiagramWish { subject: message.subject(), span: message.span }
}
