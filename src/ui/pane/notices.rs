//! Notices: what went wrong or changed, and what to do about it.
//!
//! ```text
//! 5 Notices 2
//! 00:03.102 ! p3: No connection to 127.0.0.1:5002: refused; will try again
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::wrapped::{self, Sentence};
use super::{Focus, framed, log_note, plain_text, render_empty};
use crate::model::notice::Severity;
use crate::ui::action::PaneId;
use crate::ui::log_view::LogView;
use crate::ui::theme::Tone;
use crate::ui::view::{NoticeLine, View};

/// Returns the line in each row.
pub(crate) fn render(
    log: &mut LogView,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    focus: Focus,
) -> Vec<usize> {
    log.look(view.lines, |line| plain(line, view));
    let window = log.window(view.lines, usize::from(area.height.saturating_sub(2)));
    let inside = framed(PaneId::Notices, &log_note(log, &window), frame, area, view, focus);
    if window.numbers.is_empty() {
        render_empty("Nothing to say: no warning, no error.", frame, inside, view);
        return Vec::new();
    }
    let selected = window.numbers.iter().position(|number| window.selected == Some(*number));
    let lines = window.numbers.iter().filter_map(|number| view.lines.get(*number));
    let sentences: Vec<Sentence> = lines.map(|line| sentence(line, view)).collect();
    wrapped::render(&sentences, selected, frame, inside, view, focus)
}

/// The line as text.
pub(crate) fn plain(line: &NoticeLine, view: &View<'_>) -> String {
    plain_text(&sentence(line, view).parts())
}

fn sentence(line: &NoticeLine, view: &View<'_>) -> Sentence {
    let (tone, sign) = look(line.severity);
    let head = vec![(Tone::Stale, format!("{} ", view.second(line.at))), (tone, format!("{sign} "))];
    let tail = vec![(if line.severity == Severity::Info { Tone::Plain } else { tone }, line.text.clone())];
    Sentence { head, tail }
}

/// The color and the sign of a notice.
pub(crate) const fn look(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Info => (Tone::Stale, "i"),
        Severity::Warning => (Tone::Suspect, "!"),
        Severity::Error => (Tone::Dead, "x"),
    }
}
