//! An explanation: the verdict, and the evidence line by line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Reply, Scroll, framed, movement};
use crate::model::why::{EvidenceLine, Explanation};
use crate::ui::action::Action;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 110;
/// Columns of `HH:MM:SS.mmm` and a space.
const TIME: usize = 13;

/// An explanation, and its scroll position.
#[derive(Debug)]
pub(crate) struct WhyDialog {
    explanation: Explanation,
    pub(super) scroll: Scroll,
    begun: Option<Key>,
}

impl WhyDialog {
    pub(crate) fn new(explanation: Explanation) -> Self {
        Self { explanation, scroll: Scroll::default(), begun: None }
    }

    pub(crate) fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match movement(key, &mut self.begun, keys) {
            Some(Action::Move(wanted)) => self.scroll.act(wanted),
            Some(Action::Back | Action::Details | Action::Quit) => return Reply::Close,
            Some(Action::Copy) => return Reply::Copy(self.as_text()),
            Some(_) | None => {}
        }
        Reply::Stay
    }

    fn as_text(&self) -> String {
        let evidence = self.explanation.evidence.iter().map(|line| line.text.as_str());
        let mut lines = vec![self.explanation.title.as_str(), self.explanation.verdict.as_str()];
        lines.extend(evidence);
        lines.join("\n")
    }

    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let width = WIDTH_MAX.min(area.width);
        let lines = self.lines(usize::from(width.saturating_sub(4)), view);
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
        let inside = framed(&self.explanation.title, (width, height), frame, area, view);
        let window = self.scroll.window(lines.len(), usize::from(inside.height));
        frame.render_widget(Paragraph::new(lines[window].to_vec()), inside);
        let close = view.keys.key_of(Action::Back);
        let copy = view.keys.key_of(Action::Copy);
        let note = [format!("{close} closes"), format!("{copy} copies"), self.scroll.note()];
        let note = note.iter().filter(|item| !item.is_empty()).cloned().collect::<Vec<_>>().join("  ");
        let foot = Rect { y: inside.bottom(), height: 1, ..inside };
        frame.render_widget(Line::from(view.span(Tone::Strong, format!(" {note} "))).right_aligned(), foot);
    }

    fn lines(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let verdict = text::wrap(&self.explanation.verdict, columns).into_iter();
        let mut lines: Vec<Line<'_>> = verdict.map(|line| Line::from(view.span(Tone::Strong, line))).collect();
        lines.push(Line::default());
        let evidence = &self.explanation.evidence;
        // If no line has a time, there is no column for it.
        let times = if evidence.iter().any(|line| line.at.is_some()) { TIME } else { 0 };
        lines.extend(evidence.iter().flat_map(|line| evidence_lines(line, times, columns, view)));
        lines
    }
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
