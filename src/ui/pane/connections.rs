//! Connections: the nodes, those in trouble first, how they answer, and, unfolded, the links of each.
//!
//! ```text
//! 2 Connections 10 nodes, trouble first, 17 links
//!    NODE   STATE       LINKS PROBES       RTT
//!  ✗ p3     dead 4 s        - 3/3 missed     -
//! >● p1     up              4 answered   0.3ms
//!   └ p2    up 12 s           answered   0.2ms
//! ```
//!
//! A line is a node or, indented, a link of the node above; what the keys do to it is done to the
//! node that the line names.

mod cells;
mod rows;

use std::collections::BTreeSet;

use self::cells::Seen;
use self::rows::Sort;
use super::list::{Done, Fold, Lines, ListPane, fold_hint};
use super::{PaneInfo, PanePlace, PaneSize, Selection, Selects};
use crate::model::link::LinkKey;
use crate::model::node::NodeRecord;
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::action::{Action, Move};
use crate::ui::explain::Subject;
use crate::ui::filter::Filter;
use crate::ui::keys::Hint;
use crate::ui::line::{Parts, Sentence, plain_text};
use crate::ui::list_view::{ListView, Untouched};
use crate::ui::seek::EventScope;
use crate::ui::table;
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::{Target, View, nodes_shown};

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 2,
    title: "Connections",
    word: "nodes",
    help: "connections: the nodes and their links",
    wide: PanePlace { strip: 1, size: PaneSize::Wanted { least: 20, most: 45 } },
    narrow: Some(PanePlace { strip: 0, size: PaneSize::Percent(59) }),
    orders: Sort::WORDS,
    columns: cells::CHOICES,
    selects: Selects::NodeForAll,
    scope: || EventScope::Connections,
    count: Some(|view| (view.model.nodes().len(), Tone::Plain)),
    wanted: |view| nodes_shown(view).count() + 3,
    ..PaneInfo::new(ListPane::<Connections>::boxed)
};

/// Which end of the order stands on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum SortDirection {
    #[default]
    Usual,
    Reversed,
}

impl SortDirection {
    const fn sign(self, theme: Theme) -> &'static str {
        match self {
            Self::Usual => theme.sign("▼", "v"),
            Self::Reversed => theme.sign("▲", "^"),
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Usual => Self::Reversed,
            Self::Reversed => Self::Usual,
        }
    }
}

#[derive(Default)]
struct Connections {
    sort: Sort,
    direction: SortDirection,
    /// The columns that are shown; empty: all.
    columns: Vec<&'static str>,
    /// Nodes that are unfolded.
    open: BTreeSet<Addr>,
}

impl Lines for Connections {
    type Key = Target;
    type Rows = Vec<Target>;
    type Facts = Seen;
    const UNTOUCHED: Untouched = Untouched::First;
    const WORD: Option<&'static str> = Some("node");

    fn rows(&self, filter: &Filter, view: &View<'_>) -> Vec<Target> {
        let mut rows = rows::rows(view, (self.sort, self.direction), &self.open);
        if !filter.is_all() {
            rows.retain(|row| filter.matches(&self.plain(*row, view)));
        }
        rows
    }

    fn facts(&self, rows: &[Target], selected: Option<Target>, view: &View<'_>) -> Seen {
        Seen::of(view, rows, selected)
    }

    fn line(&self, row: Target, seen: &Seen, columns: usize, view: &View<'_>) -> Sentence {
        cells::parts(row, seen, (columns, &self.columns), view).into()
    }

    fn plain(&self, row: Target, view: &View<'_>) -> String {
        let line = Sentence::from(cells::parts(row, &Seen::of(view, &[row], None), (usize::MAX, &[]), view)).text();
        line.trim_end().trim_start().to_owned()
    }

    fn heading(&self, columns: usize, view: &View<'_>) -> Option<Parts> {
        let columns = cells::columns(columns, &self.columns, view);
        let heading = table::heading(&columns, Tone::Strong, view.theme.glyphs);
        let (head, sign) = (self.sort.head(), self.direction.sign(view.theme));
        let text = " ".repeat(cells::SIGNS) + &plain_text(&heading);
        // In place of a blank beside the head, on the side where another one keeps the next head apart.
        let (before, after) = (format!(" {head}"), format!("{head} "));
        let is_last_blank = !text.contains(&format!("{head}  ")) && text.contains(&format!("  {head}"));
        let signed = if is_last_blank {
            text.replacen(&before, &format!("{sign}{head}"), 1)
        } else {
            text.replacen(&after, &format!("{head}{sign}"), 1)
        };
        Some(vec![(Tone::Strong, signed)])
    }

    fn note(&self, _list: &ListView<Target>, _rows: &Vec<Target>, view: &View<'_>) -> String {
        let known = Some(view.model.nodes().counts().known).filter(|known| *known > 0);
        let mut items = vec![
            count_text(nodes_shown(view).count() as u64, "node"),
            match self.direction {
                SortDirection::Usual => self.sort.title().to_owned(),
                SortDirection::Reversed => format!("{} reversed", self.sort.title()),
            },
        ];
        items.extend(view.links_text(rows::neighbors_linked(view)));
        items.extend(known.map(|known| format!("{} more heard of", text::count(known))));
        items.join(", ")
    }

    fn hint(&self, view: &View<'_>) -> String {
        view.none_yet("connections", "a node")
    }

    /// The first peer of ours by name, whatever becomes of the others: the selection moves only with
    /// the user.
    fn begin_at(&self, rows: &Vec<Target>, view: &View<'_>) -> Option<Target> {
        let is_peer = |node: &NodeRecord| node.is_ours() && node.role == Some(Role::Peer);
        let peers = rows.iter().filter(|row| match row {
            Target::Node(addr) => view.model.nodes().get(*addr).is_some_and(is_peer),
            Target::Link(_) => false,
        });
        peers.min_by_key(|row| view.by_name(row.node())).copied()
    }

    fn act(&mut self, wanted: Move, list: &mut ListView<Target>, chosen: Option<Target>, view: &View<'_>) -> Done {
        if let Some(row) = chosen {
            list.select(row);
        }
        match (wanted, chosen) {
            (Move::Sort, _) => (self.sort, self.direction) = (self.sort.next(), SortDirection::Usual),
            (Move::Reverse, _) => self.direction = self.direction.other(),
            (Move::Right, Some(Target::Node(node))) => {
                self.open.insert(node);
                list.show_below(rows::links_of(node, view).len());
            }
            (Move::Left, Some(Target::Node(node))) => drop(self.open.remove(&node)),
            (Move::Left, Some(Target::Link(LinkKey { node, .. }))) => {
                self.open.remove(&node);
                list.select(Target::Node(node));
            }
            (Move::Right, Some(Target::Link(_)) | None)
            | (Move::Left, None)
            | (
                Move::Up
                | Move::Down
                | Move::PageUp
                | Move::PageDown
                | Move::Top
                | Move::Bottom
                | Move::Follow
                | Move::NextMatch
                | Move::PreviousMatch
                | Move::ZoomIn
                | Move::ZoomOut,
                _,
            ) => return Done::No,
        }
        Done::Yes
    }

    fn hints(&self, chosen: Option<Target>, view: &View<'_>) -> Vec<(Action, Hint)> {
        let sort = (Action::Move(Move::Sort), Hint { word: "sort", rank: 4 });
        let reverse = (Action::Move(Move::Reverse), Hint { word: "reverse", rank: 5 });
        let node = chosen
            .map(|row| match row {
                Target::Node(node) | Target::Link(LinkKey { node, .. }) => node,
            })
            .filter(|node| !rows::links_of(*node, view).is_empty());
        let fold = node.map(|node| if self.open.contains(&node) { Fold::Unfolded } else { Fold::Folded });
        [sort, reverse].into_iter().chain(fold.map(|fold| fold_hint(fold, 6))).collect()
    }

    fn of_node(&self, node: Addr) -> Option<Target> {
        Some(Target::Node(node))
    }

    fn selection(&self, row: Target, _view: &View<'_>) -> Selection {
        match row {
            Target::Node(addr) => Selection::of_node(addr),
            Target::Link(link) => {
                Selection { target: Some(row), subject: Some(Subject::Link(link)), ..Selection::of_node(row.node()) }
            }
        }
    }

    fn show_columns(&mut self, columns: &[&'static str]) {
        self.columns = columns.to_vec();
    }

    fn sort(&mut self, order: &str) {
        self.direction = SortDirection::Usual;
        self.sort = Sort::ALL.into_iter().find(|sort| sort.word() == order).unwrap_or(self.sort);
    }
}
