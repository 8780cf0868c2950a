//! Notices: what went wrong or changed, and what to do about it.
//!
//! ```text
//! 6 Notices 2
//! 03:00:03 ! p3: No connection to 127.0.0.1:5002: refused; will try again
//! ```

use super::list::ListPane;
use super::log::{Depth, Fold, Log, LogLines};
use super::{PaneInfo, Selection};
use crate::model::notice::Severity;
use crate::model::ring::Ring;
use crate::ui::explain::Subject;
use crate::ui::line::Sentence;
use crate::ui::theme::Tone;
use crate::ui::view::{NoticeLine, View, severity_look};

pub(super) const PANE: PaneInfo = PaneInfo {
    title: "Notices",
    word: "notices",
    help: "notices: what went wrong or changed",
    rank: 6,
    count: |view| (view.lines.len(), Tone::Suspect),
    ..PaneInfo::new(ListPane::<LogLines<NoticeLog>>::boxed)
};

struct NoticeLog;

impl Log for NoticeLog {
    type Entry = NoticeLine;
    type Fact = ();

    fn entries<'a>(view: &View<'a>) -> &'a Ring<NoticeLine> {
        view.lines
    }

    fn fact(_line: &NoticeLine, _depth: Depth, _view: &View<'_>) {}

    fn line(line: &NoticeLine, (): &(), _fold: Fold, _columns: usize, view: &View<'_>) -> Sentence {
        let (tone, sign) = severity_look(line.severity);
        let head = vec![(Tone::Stale, format!("{} ", view.second(line.at))), (tone, format!("{sign} "))];
        let tail = vec![(if line.severity == Severity::Info { Tone::Plain } else { tone }, line.text.clone())];
        Sentence { head, tail }
    }

    fn hint(_view: &View<'_>) -> String {
        "Nothing to say: no warning, no error.".to_owned()
    }

    fn selection(number: u64, line: &NoticeLine, _part: Option<u32>, _view: &View<'_>) -> Selection {
        Selection { node: line.node, subject: Some(Subject::Notice(number)), ..Selection::default() }
    }
}
