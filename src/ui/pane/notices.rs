//! Notices: what went wrong or changed, and what to do about it.
//!
//! ```text
//! 6 Notices 2
//! 03:00:03 ! p3: No connection to 127.0.0.1:5002: refused; will try again
//! ```

use super::PaneInfo;
use super::list::ListPane;
use super::log::{Log, LogLines};
use crate::model::notice::Severity;
use crate::model::ring::Ring;
use crate::proto::addr::Addr;
use crate::ui::explain::Subject;
use crate::ui::line::Sentence;
use crate::ui::theme::Tone;
use crate::ui::view::{NoticeLine, View, severity_look};

pub(super) const PANE: PaneInfo = PaneInfo {
    rank: 6,
    ..PaneInfo::new("Notices", "notices", "notices: what went wrong or changed", ListPane::<LogLines<Notices>>::boxed)
};

struct Notices;

impl Log for Notices {
    type Entry = NoticeLine;
    const TONE: Tone = Tone::Suspect;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<NoticeLine> {
        view.lines
    }

    fn line(line: &NoticeLine, _columns: usize, view: &View<'_>) -> Sentence {
        let (tone, sign) = severity_look(line.severity);
        let head = vec![(Tone::Stale, format!("{} ", view.second(line.at))), (tone, format!("{sign} "))];
        let tail = vec![(if line.severity == Severity::Info { Tone::Plain } else { tone }, line.text.clone())];
        Sentence { head, tail }
    }

    fn hint(_view: &View<'_>) -> String {
        "Nothing to say: no warning, no error.".to_owned()
    }

    fn node(line: &NoticeLine) -> Option<Addr> {
        line.node
    }

    fn subject(number: u64, _line: &NoticeLine, _view: &View<'_>) -> Subject {
        Subject::Notice(number)
    }
}
