//! Warnings: current and past problems of the network as a whole.
//!
//! ```text
//! 7 Warnings 1, 3 gone
//! ! 12 s   p7 has no live neighbor
//! . 03:14:02 to 03:14:20 the overlay is in 2 parts: p1, p2 | p4, p5
//! ```

use super::list::{Lines, ListPane, rows_wanted};
use super::{PaneInfo, PanePlace, PaneSize, Selection};
use crate::model::notice::Severity;
use crate::ui::explain::Subject;
use crate::ui::filter::Filter;
use crate::ui::line::Sentence;
use crate::ui::list_view::{ListView, Untouched};
use crate::ui::notices::gravity;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Lines of the pane, frame included, beside all others.
const HEIGHT_MAX: u16 = 6;

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 7,
    title: "Warnings",
    word: "warnings",
    help: "warnings: problems of the network as a whole",
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(HEIGHT_MAX) },
    rank: 6,
    rank_empty: None,
    explains: Some(Severity::Warning),
    count: Some(|view| (view.model.warnings().count(), Tone::Suspect)),
    wanted: |view| {
        let active = view.model.warnings().list().iter().filter(|(_, warning)| warning.gone_at.is_none());
        match active.map(|(_, warning)| rows_wanted(&view.model.warning_text(&warning.finding))).sum::<usize>() {
            0 => 0,
            rows => rows + 2,
        }
    },
    ..PaneInfo::new(ListPane::<WarningList>::boxed)
};

/// A line is a warning, by its number.
#[derive(Default)]
struct WarningList;

impl Lines for WarningList {
    type Key = u64;
    type Rows = Vec<u64>;
    type Facts = ();
    const UNTOUCHED: Untouched = Untouched::First;

    /// Current warnings first, the most serious and newest on top.
    fn rows(&self, filter: &Filter, view: &View<'_>) -> Vec<u64> {
        let list = view.model.warnings().list();
        let (mut active, gone): (Vec<_>, Vec<_>) =
            list.iter().rev().partition(|(_, warning)| warning.gone_at.is_none());
        active.sort_by_key(|(_, warning)| gravity(&warning.finding));
        let rows = active.into_iter().chain(gone).map(|(number, _)| number);
        rows.filter(|number| filter.is_all() || filter.matches(&self.plain(*number, view))).collect()
    }

    fn facts(&self, _rows: &[u64], _selected: Option<u64>, _view: &View<'_>) {}

    fn line(&self, number: u64, (): &(), _columns: usize, view: &View<'_>) -> Sentence {
        sentence(number, view).unwrap_or_default()
    }

    fn note(&self, _list: &ListView<u64>, _rows: &Vec<u64>, view: &View<'_>) -> String {
        let (active, all) = (view.model.warnings().count(), view.model.warnings().list().len());
        let gone = Some(all.saturating_sub(active)).filter(|gone| *gone > 0).map(|gone| format!("{gone} gone"));
        [Some(active.to_string()), gone].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn hint(&self, view: &View<'_>) -> String {
        let sight = view.model.sight();
        if sight.is_whole() {
            return "Nothing is wrong with the network as a whole.".to_owned();
        }
        format!("Nothing seems wrong here. What is known of {} says little about the whole network.", sight.text())
    }

    fn selection(&self, number: u64, view: &View<'_>) -> Selection {
        let Some(warning) = view.model.warnings().list().get(number) else { return Selection::default() };
        // A message's table says who lacks it and why, and leads on from there.
        let message = warning.finding.message().filter(|id| view.model.rumors().get(*id).is_some());
        let subject = message.map_or(Subject::Warning(number), Subject::Message);
        Selection { node: warning.finding.node(), subject: Some(subject), ..Selection::default() }
    }
}

fn sentence(number: u64, view: &View<'_>) -> Option<Sentence> {
    let warning = view.model.warnings().list().get(number)?;
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
