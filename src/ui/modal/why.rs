//! An explanation: the verdict, and the evidence line by line.

use ratatui::text::{Line, Span};

use super::Covers;
use super::reader::{Reader, Scroll};
use crate::model::why::{EvidenceLine, Explanation};
use crate::ui::action::Action;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 110;
/// Columns of `HH:MM:SS.mmm` and a space.
const TIME: usize = 13;

pub(crate) fn why(explanation: Explanation) -> Reader {
    let evidence = explanation.evidence.iter().map(|line| line.text.as_str());
    let copied: Vec<&str> = [explanation.title.as_str(), &explanation.verdict].into_iter().chain(evidence).collect();
    Reader {
        title: explanation.title.clone(),
        width_max: WIDTH_MAX,
        lines_min: 0,
        covers: Covers::Panes,
        opened_by: Action::Details,
        copied: Some(copied.join("\n")),
        text: Box::new(move |columns, view| lines(&explanation, columns, view)),
        scroll: Scroll::default(),
    }
}

fn lines(Explanation { verdict, evidence, .. }: &Explanation, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let mut lines = view.wrapped(verdict, Tone::Strong, columns);
    lines.push(Line::default());
    // If no line has a time, there is no column for it.
    let times = if evidence.iter().any(|line| line.at.is_some()) { TIME } else { 0 };
    lines.extend(evidence.iter().flat_map(|line| evidence_lines(line, times, columns, view)));
    lines
}

fn evidence_lines(evidence: &EvidenceLine, times: usize, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let time = evidence.at.map_or_else(String::new, |at| view.moment(at));
    let texts = text::wrap(&evidence.text, columns.saturating_sub(times).max(10));
    let times = std::iter::once(format!("{time:<times$}")).chain(std::iter::repeat(" ".repeat(times)));
    let line = |(time, text): (String, String)| {
        Line::from(vec![Span::styled(time, view.style(Tone::Stale)), view.span(Tone::Plain, text)])
    };
    times.zip(texts).map(line).collect()
}
