//! What came out otherwise when the session was played again: a sentence, a table, and the details.

use ratatui::text::Line;

use super::Covers;
use super::reader::{Reader, Scroll};
use crate::ui::action::Action;
use crate::ui::host::RerunTold;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 110;

pub(crate) fn rerun(told: RerunTold) -> Reader {
    let copied = [told.verdict.as_str()].into_iter().chain(told.lines.iter().map(String::as_str)).collect::<Vec<_>>();
    Reader {
        title: "Played again".to_owned(),
        width_max: WIDTH_MAX,
        lines_min: 0,
        covers: Covers::Panes,
        opened_by: Action::Details,
        copied: Some(copied.join("\n")),
        text: Box::new(move |columns, view| lines(&told, columns, view)),
        scroll: Scroll::default(),
    }
}

fn lines(told: &RerunTold, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let mut lines = view.wrapped(&told.verdict, Tone::Strong, columns);
    lines.push(Line::default());
    lines.extend(told.lines.iter().flat_map(|line| hanging(line, columns, view)));
    lines
}

/// A long line goes on under its own beginning.
fn hanging(line: &str, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let words = line.trim_start();
    let indent = line.len() - words.len();
    let texts = text::wrap(words, columns.saturating_sub(indent).max(10));
    let indented = |text: String| Line::from(view.span(Tone::Plain, format!("{:indent$}{text}", "")));
    texts.into_iter().map(indented).collect()
}
