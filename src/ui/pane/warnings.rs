//! Warnings: current and past problems of the network as a whole.
//!
//! ```text
//! 7 Warnings 1, 3 gone
//! ! 12 s   p7 has no live neighbor
//! . 03:14:02 to 03:14:20 the overlay is in 2 parts: p1, p2 | p4, p5
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::wrapped::{self, Sentence};
use super::{Focus, filter_note, framed, plain_text, render_empty};
use crate::model::Model;
use crate::model::warning::{Finding, Warning};
use crate::proto::addr::Addr;
use crate::ui::action::{Move, PaneId};
use crate::ui::list_view::ListView;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// The state of the pane; a line is a warning, by its number.
#[derive(Debug, Default)]
pub(crate) struct WarningsPane {
    pub(crate) list: ListView<u64>,
}

impl WarningsPane {
    /// The selected warning.
    pub(crate) fn selected(&self, view: &View<'_>) -> Option<u64> {
        self.list.selected(&self.rows(view))
    }

    /// The node that the selected warning is about.
    pub(crate) fn node(&self, view: &View<'_>) -> Option<Addr> {
        warning(self.selected(view)?, view.model)?.finding.node()
    }

    pub(crate) fn act(&mut self, wanted: Move, view: &View<'_>) {
        let rows = self.rows(view);
        self.list.act(&rows, wanted, |number| plain(number, view));
    }

    /// Current warnings first, the most serious and newest on top.
    fn rows(&self, view: &View<'_>) -> Vec<u64> {
        let list = view.model.warnings().list();
        let (mut active, gone): (Vec<_>, Vec<_>) =
            list.iter().rev().partition(|(_, warning)| warning.gone_at.is_none());
        active.sort_by_key(|(_, warning)| place(&warning.finding));
        let rows = active.into_iter().chain(gone).map(|(number, _)| number);
        rows.filter(|number| self.list.filter().is_all() || self.list.filter().matches(&plain(*number, view))).collect()
    }

    /// Returns the line in each row.
    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) -> Vec<usize> {
        let rows = self.rows(view);
        let inside = framed(PaneId::Warnings, &self.note(view), frame, area, view, focus);
        if rows.is_empty() {
            render_empty("Nothing is wrong with the network as a whole.", frame, inside, view);
            return Vec::new();
        }
        let shown = &rows[self.list.window(&rows, usize::from(inside.height))];
        let selected = self.list.selected(&rows).and_then(|number| shown.iter().position(|other| *other == number));
        let sentences: Vec<Sentence> = shown.iter().filter_map(|number| sentence(*number, view)).collect();
        wrapped::render(&sentences, selected, frame, inside, view, focus)
    }

    fn note(&self, view: &View<'_>) -> String {
        let (active, all) = (view.model.warnings().count(), view.model.warnings().list().len());
        let gone = all.saturating_sub(active);
        let mut note = active.to_string();
        if gone > 0 {
            note = format!("{note}, {gone} gone");
        }
        if !self.list.filter().is_all() {
            note = format!("{note}, {}", filter_note(self.list.filter()));
        }
        note
    }
}

/// The sort order of a warning: what explains the most comes first. One cut makes an overlay of two
/// parts, and a dozen one-way links.
pub(crate) const fn place(finding: &Finding) -> u8 {
    match finding {
        Finding::Parted { .. } => 0,
        Finding::Alone { .. } => 1,
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

fn warning(number: u64, model: &Model) -> Option<&Warning> {
    model.warnings().list().get(number)
}

/// The line as text.
pub(crate) fn plain(number: u64, view: &View<'_>) -> String {
    sentence(number, view).map_or_else(String::new, |sentence| plain_text(&sentence.parts()))
}

fn sentence(number: u64, view: &View<'_>) -> Option<Sentence> {
    let warning = warning(number, view.model)?;
    let text = view.model.warning_text(&warning.finding);
    let since = (Tone::Stale, format!("{} ", view.second(warning.since)));
    Some(match warning.gone_at {
        None => Sentence { head: vec![since, (Tone::Suspect, "! ".to_owned())], tail: vec![(Tone::Suspect, text)] },
        Some(gone_at) => {
            let sign = (Tone::Stale, format!("{} ", view.theme.sign("·", ".")));
            let gone = (Tone::Stale, format!(", gone at {}", view.second(gone_at)));
            Sentence { head: vec![since, sign], tail: vec![(Tone::Stale, text), gone] }
        }
    })
}
