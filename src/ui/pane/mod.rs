//! The panes: each draws one part of the model and moves a selection through it.

pub(crate) mod connections;
pub(crate) mod gossip;
pub(crate) mod liveness;
pub(crate) mod notices;
pub(crate) mod reports;
pub(crate) mod topology;
pub(crate) mod warnings;
mod wrapped;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use self::connections::Connections;
use self::liveness::LivenessPane;
use self::topology::Topology;
use self::warnings::WarningsPane;
use super::action::{Move, PaneId};
use super::filter::Filter;
use super::log_view::{LogView, LogWindow};
use super::text;
use super::theme::{Tone, selected};
use super::view::View;
use crate::proto::addr::Addr;

/// The state of each pane.
#[derive(Debug, Default)]
pub(crate) struct Panes {
    pub(crate) topology: Topology,
    pub(crate) connections: Connections,
    pub(crate) gossip: LogView,
    pub(crate) liveness: LivenessPane,
    pub(crate) reports: LogView,
    pub(crate) notices: LogView,
    pub(crate) warnings: WarningsPane,
    /// Where the panes were last drawn, for clicks.
    pub(crate) areas: Vec<(PaneId, Rect)>,
    /// The notice, and the warning, in each row of the last drawing.
    notice_rows: Vec<usize>,
    warning_rows: Vec<usize>,
}

/// Whether the keys go to a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    Here,
    Elsewhere,
}

impl Panes {
    /// Draws a pane with its frame.
    pub(crate) fn render(&mut self, pane: PaneId, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) {
        match pane {
            PaneId::Topology => {
                let selected = self.node(view);
                self.topology.render(selected, frame, area, view, focus);
            }
            PaneId::Connections => self.connections.render(frame, area, view, focus),
            PaneId::Gossip => gossip::render(&mut self.gossip, frame, area, view, focus),
            PaneId::Liveness => self.liveness.render(frame, area, view, focus),
            PaneId::Reports => reports::render(&mut self.reports, frame, area, view, focus),
            PaneId::Notices => self.notice_rows = notices::render(&mut self.notices, frame, area, view, focus),
            PaneId::Warnings => self.warning_rows = self.warnings.render(frame, area, view, focus),
        }
    }

    /// Does what a key asks of a pane.
    pub(crate) fn act(&mut self, pane: PaneId, wanted: Move, view: &View<'_>) {
        match pane {
            PaneId::Topology => self.move_on_map(wanted, view),
            PaneId::Connections => {
                self.connections.act(wanted, view);
                self.topology.select(self.connections.selected(view).map(connections::ConnectionRow::target));
            }
            PaneId::Gossip => self.gossip.act(view.model.gossip(), wanted, |entry| gossip::plain(entry, view)),
            PaneId::Liveness => self.liveness.act(wanted, view),
            PaneId::Reports => {
                self.reports.act(view.model.deaths().reports(), wanted, |report| reports::plain(report, view));
            }
            PaneId::Notices => self.notices.act(view.lines, wanted, |line| notices::plain(line, view)),
            PaneId::Warnings => self.warnings.act(wanted, view),
        }
    }

    /// Selects the line or node that this pane has drawn here, if any.
    pub(crate) fn click(&mut self, pane: PaneId, at: Position, view: &View<'_>) {
        let Some((_, area)) = self.areas.iter().find(|(drawn, _)| *drawn == pane) else { return };
        let heading = u16::from(pane == PaneId::Connections);
        let row = at.y.checked_sub(area.y + 1 + heading).filter(|_| at.y + 1 < area.bottom());
        if pane == PaneId::Topology {
            if let Some(addr) = self.topology.node_at(at) {
                self.topology.select(Some(addr));
                self.connections.select(addr, view);
            }
        } else if let Some(line) = row.and_then(|row| self.line_in(pane, usize::from(row))) {
            self.act(pane, Move::Row(line), view);
        }
    }

    /// The line of a pane in this row.
    fn line_in(&self, pane: PaneId, row: usize) -> Option<usize> {
        match pane {
            PaneId::Notices => self.notice_rows.get(row).copied(),
            PaneId::Warnings => self.warning_rows.get(row).copied(),
            PaneId::Topology | PaneId::Connections | PaneId::Gossip | PaneId::Liveness | PaneId::Reports => Some(row),
        }
    }

    /// The node that is selected in the topology: the same as among the connections, unless only
    /// the topology shows it.
    pub(crate) fn node(&self, view: &View<'_>) -> Option<Addr> {
        self.topology.selected(view).or_else(|| self.connections.selected(view).map(connections::ConnectionRow::target))
    }

    /// The selection of the connections follows that of the topology.
    fn move_on_map(&mut self, wanted: Move, view: &View<'_>) {
        if wanted == Move::Follow {
            self.gossip.act(view.model.gossip(), Move::Bottom, |entry| gossip::plain(entry, view));
            return;
        }
        let selected = self.node(view);
        self.topology.act(wanted, selected, view);
        if let Some(addr) = self.topology.selected(view) {
            self.connections.select(addr, view);
        }
    }

    pub(crate) fn filter(&self, pane: PaneId) -> &Filter {
        match pane {
            PaneId::Topology => &self.topology.filter,
            PaneId::Connections => self.connections.list.filter(),
            PaneId::Gossip => self.gossip.filter(),
            PaneId::Liveness => self.liveness.list.filter(),
            PaneId::Reports => self.reports.filter(),
            PaneId::Notices => self.notices.filter(),
            PaneId::Warnings => self.warnings.list.filter(),
        }
    }

    pub(crate) fn set_filter(&mut self, pane: PaneId, filter: Filter) {
        match pane {
            PaneId::Topology => self.topology.set_filter(filter),
            PaneId::Connections => self.connections.list.set_filter(filter),
            PaneId::Gossip => self.gossip.set_filter(filter),
            PaneId::Liveness => self.liveness.list.set_filter(filter),
            PaneId::Reports => self.reports.set_filter(filter),
            PaneId::Notices => self.notices.set_filter(filter),
            PaneId::Warnings => self.warnings.list.set_filter(filter),
        }
    }

    /// The node that the selected line of a pane is about.
    pub(crate) fn node_of(&self, pane: PaneId, view: &View<'_>) -> Option<Addr> {
        match pane {
            PaneId::Topology => self.node(view),
            PaneId::Connections => self.connections.selected(view).map(connections::ConnectionRow::target),
            PaneId::Gossip => {
                let log = view.model.gossip();
                log.get(self.gossip.selected(log)?).map(|entry| entry.node)
            }
            PaneId::Liveness => self.liveness.selected(view),
            PaneId::Reports => {
                let log = view.model.deaths().reports();
                log.get(self.reports.selected(log)?).map(|report| report.dead)
            }
            PaneId::Notices => view.lines.get(self.notices.selected(view.lines)?)?.node,
            PaneId::Warnings => self.warnings.node(view),
        }
    }

    /// The selected line of a pane as text.
    pub(crate) fn line_of(&self, pane: PaneId, view: &View<'_>) -> Option<String> {
        match pane {
            PaneId::Topology => Some(connections::plain(connections::ConnectionRow::Node(self.node(view)?), view)),
            PaneId::Connections => Some(connections::plain(self.connections.selected(view)?, view)),
            PaneId::Gossip => {
                let log = view.model.gossip();
                log.get(self.gossip.selected(log)?).map(|entry| gossip::plain(entry, view))
            }
            PaneId::Liveness => Some(liveness::plain(self.liveness.selected(view)?, view)),
            PaneId::Reports => {
                let log = view.model.deaths().reports();
                log.get(self.reports.selected(log)?).map(|report| reports::plain(report, view))
            }
            PaneId::Notices => {
                view.lines.get(self.notices.selected(view.lines)?).map(|line| notices::plain(line, view))
            }
            PaneId::Warnings => Some(warnings::plain(self.warnings.selected(view)?, view)),
        }
    }
}

/// One line of a pane: pieces of text, each with its tone.
pub(crate) type Parts = Vec<(Tone, String)>;

/// The pieces as one text, for filters and the clipboard.
pub(crate) fn plain_text(parts: &Parts) -> String {
    parts.iter().map(|(_, text)| text.as_str()).collect()
}

/// The pieces in at most `columns`. A clause (`, by p3`) that does not fit is left out whole, with
/// everything after it: what matters comes first.
pub(crate) fn fit(parts: &Parts, columns: usize, view: &View<'_>) -> Line<'static> {
    let mut room = columns;
    let mut spans = Vec::with_capacity(parts.len());
    for (tone, text) in parts {
        let text = text::plain(text.clone(), view.theme.glyphs);
        if text.starts_with(", ") && text::width(&text) > room {
            break;
        }
        let cut = text::truncate(&text, room, view.theme.glyphs).into_owned();
        let is_cut = cut.len() < text.len();
        // Pieces side by side may be wider than each alone.
        room = if is_cut { 0 } else { room.saturating_sub(text::width(&cut)) };
        spans.push(Span::styled(cut, view.style(*tone)));
        if room == 0 {
            break;
        }
    }
    Line::from(spans)
}

/// Marks the selected line; in a pane without the keys, only by its sign.
pub(crate) fn mark(line: Line<'static>, columns: usize, focus: Focus) -> Line<'static> {
    if focus == Focus::Elsewhere {
        return line;
    }
    let fill = columns.saturating_sub(line.width());
    let mut line = line;
    line.spans.push(Span::raw(" ".repeat(fill)));
    for span in &mut line.spans {
        span.style = selected(span.style);
    }
    line
}

/// The frame of a pane; returns the area inside.
pub(crate) fn framed(
    pane: PaneId,
    note: &str,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    focus: Focus,
) -> Rect {
    let tone = if focus == Focus::Here { Tone::Strong } else { Tone::Frame };
    let sign = if focus == Focus::Here { view.theme.sign("▸", ">") } else { " " };
    let room = usize::from(area.width).saturating_sub(4);
    let text = title_text(&format!("{} {}", pane.number(), pane.title()), note, room);
    let title = Line::from(vec![Span::styled(format!("{sign}{text} "), view.style(tone))]);
    let block = Block::bordered().border_set(view.theme.border()).border_style(view.style(tone)).title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// The title with as many of its notes (`a, b, c`) as fit whole.
fn title_text(title: &str, note: &str, room: usize) -> String {
    let mut text = title.to_owned();
    for (index, item) in note.split(", ").filter(|item| !item.is_empty()).enumerate() {
        let gap = if index == 0 { " " } else { ", " };
        if text::width(&text) + gap.len() + text::width(item) > room {
            break;
        }
        text.push_str(gap);
        text.push_str(item);
    }
    text
}

/// What an empty pane says: what to do next.
pub(crate) fn render_empty(hint: &str, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let lines = text::wrap(hint, usize::from(area.width));
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::from(view.span(Tone::Stale, line))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// Draws the rows of a log, each made by `parts`.
pub(crate) fn render_log(
    window: &LogWindow,
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    focus: Focus,
    parts: impl Fn(u64) -> Option<Parts>,
) {
    let columns = usize::from(area.width);
    let line = |number: &u64| {
        let line = fit(&parts(*number)?, columns, view);
        Some(if window.selected == Some(*number) { mark(line, columns, focus) } else { line })
    };
    let lines: Vec<Line<'_>> = window.numbers.iter().filter_map(line).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What a log's title says: `1 284, follow` or `1 284, 42 new below`, and the filter.
pub(crate) fn log_note(log: &LogView, window: &LogWindow) -> String {
    if window.len == 0 && log.filter().is_all() {
        return "0".to_owned();
    }
    let place = if log.follows() { "FOLLOW".to_owned() } else { format!("{} new below", text::count(window.below)) };
    format!("{}, {place}, {}", text::count(window.len), filter_note(log.filter()))
}

/// The filter in a title.
pub(crate) fn filter_note(filter: &Filter) -> String {
    let typed = filter.typed().replace(", ", " ");
    if filter.is_all() { "filter: all".to_owned() } else { format!("filter: {typed}") }
}
