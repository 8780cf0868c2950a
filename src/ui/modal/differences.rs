//! What changed between two moments: the groups of differences, line by line.

use ratatui::text::Line;

use super::Covers;
use super::reader::{Reader, Scroll};
use crate::model::diff::DiffLine;
use crate::ui::action::Action;
use crate::ui::host::Differences;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 110;
/// Columns by which the second line of a difference is set in.
const INDENT: usize = 2;

pub(crate) fn differences(found: Differences) -> Reader {
    let title = format!("What changed {}", found.title);
    let told = found.lines.iter().map(|line| line.text.as_str());
    let copied = std::iter::once(title.as_str()).chain(told).collect::<Vec<_>>().join("\n");
    Reader {
        title,
        width_max: WIDTH_MAX,
        lines_min: 0,
        covers: Covers::Panes,
        opened_by: Action::Details,
        copied: Some(copied),
        text: Box::new(move |columns, view| lines(&found, columns, view)),
        scroll: Scroll::default(),
    }
}

fn lines(found: &Differences, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> =
        found.doubt.iter().flat_map(|doubt| view.wrapped(doubt, Tone::Stale, columns)).collect();
    if found.lines.is_empty() {
        lines.extend(view.wrapped("Nothing changed.", Tone::Plain, columns));
    }
    let mut group = None;
    for line in &found.lines {
        if group != Some(line.group) {
            lines.extend((!lines.is_empty()).then(Line::default));
            lines.extend(view.wrapped(line.group.title(), Tone::Strong, columns));
        }
        group = Some(line.group);
        lines.extend(difference(line, columns, view));
    }
    lines
}

fn difference(line: &DiffLine, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let texts = text::wrap(&line.text, columns.saturating_sub(INDENT).max(10));
    let indents = std::iter::once(0).chain(std::iter::repeat(INDENT));
    let line =
        |(indent, text): (usize, String)| Line::from(view.span(Tone::Plain, format!("{}{text}", " ".repeat(indent))));
    indents.zip(texts).map(line).collect()
}
