//! Notices: what went wrong or changed, and what to do about it.
//!
//! ```text
//! 6 Notices 2
//! 03:00:03 ! p3: Registered with 1 of 2 seeds, wants 2; still trying
//! 03:00:03 ! x12, last 03:01:40: p3: No connection to 127.0.0.1:5002: refused; will try again
//! ```

use std::convert::Infallible;

use super::list::{Fold, ListPane, rows_of};
use super::log::{Depth, Log, LogLines};
use super::{PaneInfo, PanePlace, PaneSize, Selection};
use crate::model::notice::Severity;
use crate::model::ring::Ring;
use crate::ui::explain::Subject;
use crate::ui::line::Sentence;
use crate::ui::seek::EventScope;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::{NoticeLine, View, severity_look};

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 6,
    title: "Notices",
    word: "notices",
    help: "notices: what went wrong or changed",
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(HEIGHT_MAX) },
    rank: 7,
    rank_empty: None,
    scope: || EventScope::Notices,
    count: Some(|view| (view.lines.len(), Tone::Suspect)),
    wanted: |view| match view.lines.iter().map(|(_, line)| rows(line)).sum::<usize>() {
        0 => 0,
        rows => rows + 2,
    },
    ..PaneInfo::new(ListPane::<LogLines<NoticeLog>>::boxed)
};

/// Lines of the pane, frame included, beside all others.
const HEIGHT_MAX: u16 = 10;

/// Columns of `x12, last 03:01:40: `.
const AGAIN_WIDTH: usize = 20;

/// The rows that a notice takes there.
fn rows(line: &NoticeLine) -> usize {
    let again = if line.again.is_some() { AGAIN_WIDTH } else { 0 };
    rows_of(text::width(&line.text) + again)
}

struct NoticeLog;

impl Log for NoticeLog {
    type Entry = NoticeLine;
    /// A line stands for itself.
    type Part = Infallible;
    type Fact = ();
    type PartsFact = ();

    fn entries<'a>(view: &View<'a>) -> &'a Ring<NoticeLine> {
        view.lines
    }

    fn fact(_line: &NoticeLine, _depth: Depth, _view: &View<'_>) {}

    fn line(line: &NoticeLine, (): &(), _fold: Fold, _columns: usize, view: &View<'_>) -> Sentence {
        let (tone, sign) = severity_look(line.severity);
        let head = vec![(Tone::Stale, format!("{} ", view.second(line.at))), (tone, format!("{sign} "))];
        let again = line.again.map(|again| format!("x{}, last {}: ", again.times, view.second(again.last)));
        let said = (if line.severity == Severity::Info { Tone::Plain } else { tone }, line.text.clone());
        let tail = again.map(|again| (Tone::Stale, again)).into_iter().chain([said]).collect();
        Sentence { head, tail }
    }

    fn hint(_view: &View<'_>) -> String {
        "Nothing to say: no warning, no error.".to_owned()
    }

    /// What repeats itself is counted in its line.
    fn settled(view: &View<'_>) -> u64 {
        view.lines.first()
    }

    fn selection(number: u64, line: &NoticeLine, _part: Option<Infallible>, _view: &View<'_>) -> Selection {
        Selection { node: line.node, subject: Some(Subject::Notice(number)), ..Selection::default() }
    }
}
