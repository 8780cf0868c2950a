//! Connections: the nodes, how they answer, and, unfolded, the links of each.
//!
//! ```text
//! 1 Connections 10 nodes, 17 links, by name
//!     NODE   ROLE LINKS   RTT PING 30s   MISS STATE
//!   ● s1     seed     8       ··········    0 up
//! > ● p1     peer     4 0.3ms ⡀⡀⡄⡀⡀⡀⡀⡀⡀⡀    0 up
//!   ├ p2     out        0.2ms ⡀⡀⡀⡀⡀⡀⡀⡀⡀⡀    0 up 12 s
//! ```
//!
//! A line is a node or, indented, a link of the node above; what the keys do to it is done to the
//! node that the line names.

mod cells;
mod rows;

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::{Focus, filter_note, fit, framed, mark, plain_text, render_empty};
use crate::model::Model;
use crate::model::link::LinkKey;
use crate::model::node::NodeRecord;
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::action::{Action, Move, PaneId};
use crate::ui::list_view::ListView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionRow {
    Node(Addr),
    /// A link of the node above, named by the node at its other end.
    Link(LinkKey),
}

impl ConnectionRow {
    /// The node that the line names: what the keys act on.
    pub(crate) const fn target(self) -> Addr {
        match self {
            Self::Node(addr) => addr,
            Self::Link(LinkKey { peer, .. }) => peer,
        }
    }
}

/// The order of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// Seeds, then peers, each by name.
    #[default]
    Name,
    /// Problems first.
    State,
    /// Slow answers first.
    Rtt,
    /// Many links first.
    Links,
}

impl Sort {
    pub(crate) const ALL: [Self; 4] = [Self::Name, Self::State, Self::Rtt, Self::Links];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "state",
            Self::Rtt => "rtt",
            Self::Links => "links",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Name => Self::State,
            Self::State => Self::Rtt,
            Self::Rtt => Self::Links,
            Self::Links => Self::Name,
        }
    }
}

/// The state of the pane.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub(crate) list: ListView<ConnectionRow>,
    pub(crate) sort: Sort,
    open: BTreeSet<Addr>,
}

impl Connections {
    /// The selected line.
    pub(crate) fn selected(&self, view: &View<'_>) -> Option<ConnectionRow> {
        self.chosen(&self.rows(view), view)
    }

    /// At first the selection is on the first peer of ours: a user does not begin with a seed.
    fn chosen(&self, rows: &[ConnectionRow], view: &View<'_>) -> Option<ConnectionRow> {
        let is_peer = |node: &NodeRecord| node.is_ours() && node.role == Some(Role::Peer);
        let is_first = |row: &&ConnectionRow| match row {
            ConnectionRow::Node(addr) => view.model.nodes().get(*addr).is_some_and(is_peer),
            ConnectionRow::Link(_) => false,
        };
        let first = rows.iter().find(is_first).copied();
        if self.list.is_untouched() { first.or_else(|| self.list.selected(rows)) } else { self.list.selected(rows) }
    }

    /// Selects this node, if it has a line.
    pub(crate) fn select(&mut self, addr: Addr, view: &View<'_>) {
        if self.rows(view).contains(&ConnectionRow::Node(addr)) {
            self.list.select(ConnectionRow::Node(addr));
        }
    }

    fn rows(&self, view: &View<'_>) -> Vec<ConnectionRow> {
        rows::rows(view, self.sort, &self.open, self.list.filter())
    }

    pub(crate) fn act(&mut self, wanted: Move, view: &View<'_>) {
        let rows = self.rows(view);
        let chosen = self.chosen(&rows, view);
        if let Some(row) = chosen {
            self.list.select(row);
        }
        match (wanted, chosen) {
            (Move::Sort, _) => self.sort = self.sort.next(),
            (Move::Right, Some(ConnectionRow::Node(node))) => drop(self.open.insert(node)),
            (Move::Left, Some(ConnectionRow::Node(node))) => drop(self.open.remove(&node)),
            (Move::Left, Some(ConnectionRow::Link(LinkKey { node, .. }))) => {
                self.open.remove(&node);
                self.list.select(ConnectionRow::Node(node));
            }
            (wanted, _) => self.list.act(&rows, wanted, |row| plain(row, view)),
        }
    }

    pub(crate) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) {
        let rows = self.rows(view);
        let inside = framed(PaneId::Connections, &self.note(view), frame, area, view, focus);
        if rows.is_empty() {
            render_empty(&self.hint(view), frame, inside, view);
            return;
        }
        let selected = self.chosen(&rows, view);
        if let Some(row) = selected {
            self.list.begin_at(&rows, row);
        }
        let columns = cells::columns(usize::from(inside.width), view);
        let window = self.list.window(&rows, usize::from(inside.height.saturating_sub(1)));
        let seen = cells::Seen::of(view, &rows[window.clone()]);
        let wide = usize::from(inside.width);
        let mut lines = vec![fit(&cells::heading(&columns), wide, view)];
        lines.extend(rows[window].iter().map(|row| {
            let is_selected = selected == Some(*row);
            let parts = cells::parts(*row, &columns, &seen, view, is_selected);
            let line = fit(&parts, wide, view);
            if is_selected { mark(line, wide, focus) } else { line }
        }));
        frame.render_widget(Paragraph::new(lines), inside);
    }

    fn note(&self, view: &View<'_>) -> String {
        let nodes = view.model.nodes().iter().filter(|node| rows::is_shown(node)).count();
        let links = rows::pairs_linked(view);
        let known = view.model.nodes().counts().known;
        let mut note =
            format!("{}, {}, by {}", count_text(nodes as u64, "node"), count_text(links, "link"), self.sort.word());
        if !self.list.filter().is_all() {
            note = format!("{note}, {}", filter_note(self.list.filter()));
        }
        if known > 0 {
            note = format!("{note}, {} more heard of", text::count(known));
        }
        note
    }

    fn hint(&self, view: &View<'_>) -> String {
        if self.list.filter().is_all() {
            format!("No connections yet. Press {} to start a node.", view.keys.key_of(Action::Add))
        } else {
            let back = view.keys.key_of(Action::Back);
            format!("No node matches '{}'. {back} shows all.", self.list.filter().typed())
        }
    }
}

/// How many nodes are shown, and how many of them are not seeds.
pub(crate) fn counts(model: &Model) -> (usize, usize) {
    let shown = || model.nodes().iter().filter(|node| rows::is_shown(node));
    (shown().count(), shown().filter(|node| node.role != Some(Role::Seed)).count())
}

/// The line as text.
pub(crate) fn plain(row: ConnectionRow, view: &View<'_>) -> String {
    let view = view.in_full();
    let columns = cells::columns(usize::MAX, &view);
    let seen = cells::Seen::of(&view, &[row]);
    let parts = cells::parts(row, &columns, &seen, &view, false);
    plain_text(&parts).trim_end().trim_start_matches([' ', '>']).to_owned()
}

/// The style of this node's name in a list that also says its state.
fn tone_of(addr: Addr, view: &View<'_>) -> Tone {
    view.node_tone(addr)
}
