//! The columns of a line, as far as they fit.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ConnectionRow, tone_of};
use crate::event::{Direction, Purpose};
use crate::model::link::{LinkHistory, LinkKey, LinkState, Ping};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::span_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::ui::pane::Parts;
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::{View, state_sign, state_tone, state_word};

/// The time that the pings show.
const PING_SPAN: Duration = Duration::from_secs(30);
/// Columns of the pings.
const PING_CELLS: usize = 10;
/// Microseconds per column.
const CELL_US: u64 = 3_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Address,
    Role,
    Links,
    Rtt,
    Pings,
    Misses,
    State,
}

/// The columns from left to right, each with its width and its rank: the highest is left out first.
const COLUMNS: [(Column, usize, u8); 8] = [
    (Column::Name, 0, 0),
    (Column::Address, 15, 7),
    (Column::Role, 4, 4),
    (Column::Links, 5, 3),
    (Column::Rtt, 6, 2),
    (Column::Pings, 10, 6),
    (Column::Misses, 4, 5),
    (Column::State, 11, 1),
];

/// Sign of the selection, sign of the state, a space.
const SIGNS: usize = 4;

/// The columns that fit, with their widths.
pub(super) fn columns(width: usize, view: &View<'_>) -> Vec<(Column, usize)> {
    // A link is indented by one, and `NODE` must fit.
    let name = view.names.all.max(4) + 1;
    let mut columns: Vec<_> = COLUMNS.into();
    let needed = |columns: &[(Column, usize, u8)]| -> usize {
        SIGNS + name + columns.iter().map(|(_, width, _)| width + 1).sum::<usize>()
    };
    while needed(&columns) > width {
        let Some(least) = columns.iter().enumerate().max_by_key(|(_, column)| column.2) else { break };
        if least.1.2 == 0 {
            break;
        }
        columns.remove(least.0);
    }
    columns.into_iter().map(|(column, width, _)| (column, if column == Column::Name { name } else { width })).collect()
}

pub(super) fn heading(columns: &[(Column, usize)]) -> Parts {
    let mut text = " ".repeat(SIGNS);
    for (column, width) in columns {
        let (title, right) = match column {
            Column::Name => ("NODE", false),
            Column::Address => ("ADDRESS", false),
            Column::Role => ("ROLE", false),
            Column::Links => ("LINKS", true),
            Column::Rtt => ("RTT", true),
            Column::Pings => ("PING 30s", false),
            Column::Misses => ("MISS", true),
            Column::State => ("STATE", false),
        };
        let fill = " ".repeat(width.saturating_sub(title.len()));
        let (before, after) = if right { (fill, String::new()) } else { (String::new(), fill) };
        text.extend([before.as_str(), title, after.as_str(), " "]);
    }
    vec![(Tone::Strong, text)]
}

/// What is known of the answers of the shown nodes, from one walk through the links.
#[derive(Debug, Default)]
pub(super) struct Seen {
    nodes: BTreeMap<Addr, Answers>,
}

/// How one node answers those that probe it.
#[derive(Debug, Default)]
struct Answers {
    latest: Option<(Time, u64)>,
    misses: u32,
    pings: Vec<Ping>,
}

impl Answers {
    fn take(&mut self, link: &LinkHistory, now: Time) {
        self.misses = self.misses.max(link.misses);
        for ping in link.pings_since(now, PING_SPAN) {
            if let Some(rtt_us) = ping.rtt_us {
                self.latest = self.latest.max(Some((ping.at, rtt_us)));
            }
            self.pings.push(ping);
        }
        if self.latest.is_none() {
            self.latest = link.rtt_us.map(|rtt_us| (Time::from_micros(0), rtt_us));
        }
    }

    /// A dash for a node that nobody has probed lately.
    fn misses_cell(&self, width: usize, theme: Theme) -> (Tone, String) {
        if self.pings.is_empty() { (Tone::Stale, right("-", width, theme)) } else { misses(self.misses, width, theme) }
    }
}

impl Seen {
    pub(super) fn of(view: &View<'_>, rows: &[ConnectionRow]) -> Self {
        let shown = rows.iter().filter_map(|row| match row {
            ConnectionRow::Node(addr) => Some((*addr, Answers::default())),
            ConnectionRow::Link(_) => None,
        });
        let mut nodes: BTreeMap<Addr, Answers> = shown.collect();
        for link in view.model.links().up() {
            if let Some(answers) = nodes.get_mut(&link.key.peer) {
                answers.take(link, view.now);
            }
        }
        Self { nodes }
    }
}

pub(super) fn parts(
    row: ConnectionRow,
    columns: &[(Column, usize)],
    seen: &Seen,
    view: &View<'_>,
    is_selected: bool,
) -> Parts {
    let sign = if is_selected { ">" } else { lit_sign(row, view) };
    let mut parts = vec![(Tone::Wave, format!("{sign} "))];
    match row {
        ConnectionRow::Node(addr) => {
            if let Some(node) = view.model.nodes().get(addr) {
                let none = Answers::default();
                let answers = seen.nodes.get(&addr).unwrap_or(&none);
                parts.push((state_tone(node.state()), format!("{} ", state_sign(view.theme, node.state()))));
                parts
                    .extend(columns.iter().flat_map(|(column, width)| node_cell(node, answers, *column, *width, view)));
            }
        }
        ConnectionRow::Link(key) => {
            parts.push((Tone::Stale, view.theme.sign(" └ ", " ` ").to_owned()));
            if let Some(link) = view.model.links().get(key.node, key.peer) {
                parts.extend(columns.iter().flat_map(|(column, width)| link_cell(link, *column, *width, view)));
            }
        }
    }
    parts
}

/// A dash for the nodes that the highlighted node is linked to, a sign for those that have the
/// highlighted message.
fn lit_sign(row: ConnectionRow, view: &View<'_>) -> &'static str {
    let ConnectionRow::Node(addr) = row else { return " " };
    if let Some(rumor) = view.lit.message.and_then(|id| view.model.rumors().get(id)) {
        return if rumor.holders(view.model.nodes()).any(|holder| holder == addr) {
            view.theme.sign("◆", "+")
        } else {
            " "
        };
    }
    let is_linked = |node, peer| view.model.links().get(node, peer).is_some_and(LinkHistory::is_up);
    match view.lit.node {
        Some(lit) if is_linked(lit, addr) || is_linked(addr, lit) => view.theme.sign("─", "-"),
        Some(_) | None => " ",
    }
}

fn node_cell(node: &NodeRecord, answers: &Answers, column: Column, width: usize, view: &View<'_>) -> Parts {
    let state = node.state();
    match column {
        Column::Name => vec![(tone_of(node.addr, view), left(&view.short_name(node.addr), width, view.theme))],
        Column::Address => vec![(Tone::Stale, left(&node.addr.to_string(), width, view.theme))],
        Column::Role => {
            let role = node.role.map_or_else(|| "-".to_owned(), |role| role.to_string());
            vec![(tone_of(node.addr, view), left(&role, width, view.theme))]
        }
        Column::Links => vec![(Tone::Plain, right(&links(node), width, view.theme))],
        Column::Rtt => vec![(Tone::Plain, right(&rtt(answers.latest.map(|(_, rtt_us)| rtt_us)), width, view.theme))],
        Column::Pings => pings(&answers.pings, view),
        Column::Misses => vec![answers.misses_cell(width, view.theme)],
        Column::State => vec![(state_tone(state), state_text(node, view))],
    }
}

fn state_text(node: &NodeRecord, view: &View<'_>) -> String {
    let word = state_word(node.state());
    match node.state() {
        ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Known => word,
        ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => {
            format!("{word} {}", view.ago(node.since))
        }
    }
}

/// For a node of ours its links; for one elsewhere our links to it.
fn links(node: &NodeRecord) -> String {
    let links = if node.is_ours() {
        if node.role == Some(Role::Seed) { node.registrations } else { node.neighbors }
    } else {
        node.linked
    };
    links.to_string()
}

fn link_cell(link: &LinkHistory, column: Column, width: usize, view: &View<'_>) -> Parts {
    let LinkKey { peer, .. } = link.key;
    match column {
        Column::Name => vec![(tone_of(peer, view), left(&view.short_name(peer), width.saturating_sub(1), view.theme))],
        Column::Address => vec![(Tone::Stale, left(&peer.to_string(), width, view.theme))],
        Column::Role => vec![(Tone::Stale, left(kind(link), width, view.theme))],
        Column::Links => vec![(Tone::Plain, " ".repeat(width + 1))],
        Column::Rtt => vec![(Tone::Plain, right(&rtt(link.rtt_us), width, view.theme))],
        Column::Pings => pings(&link.pings_since(view.now, PING_SPAN).collect::<Vec<_>>(), view),
        Column::Misses => vec![misses(link.misses, width, view.theme)],
        Column::State => {
            let (tone, word) = match link.state {
                LinkState::Up => (Tone::Up, "up"),
                LinkState::Dialing => (Tone::Stale, "dialing"),
                LinkState::Parked => (Tone::Stale, "parked"),
                LinkState::Ended => (Tone::Stale, "ended"),
            };
            vec![(tone, format!("{word} {}", span_text(view.now.since(link.since))))]
        }
    }
}

/// Who dialed, or that it is a registration.
const fn kind(link: &LinkHistory) -> &'static str {
    match (link.purpose, link.direction) {
        (Purpose::Registration, _) => "reg",
        (Purpose::Neighbor, Direction::Inbound) => "in",
        (Purpose::Neighbor, Direction::Outbound) => "out",
    }
}

fn rtt(micros: Option<u64>) -> String {
    micros.map_or_else(|| "-".to_owned(), text::rtt)
}

fn misses(misses: u32, width: usize, theme: Theme) -> (Tone, String) {
    (if misses == 0 { Tone::Stale } else { Tone::Suspect }, right(&misses.to_string(), width, theme))
}

fn left(text: &str, width: usize, theme: Theme) -> String {
    text::left(text, width, theme.glyphs) + " "
}

fn right(text: &str, width: usize, theme: Theme) -> String {
    text::right(text, width, theme.glyphs) + " "
}

/// A sign for each three seconds: the slowest answer, or a miss.
fn pings(pings: &[Ping], view: &View<'_>) -> Parts {
    let newest = view.now.as_micros() / CELL_US;
    let mut cells = [(Tone::Stale, view.theme.sign("·", " ")); PING_CELLS];
    let mut worst = [0_u64; PING_CELLS];
    for ping in pings {
        let back = usize::try_from(newest.saturating_sub(ping.at.as_micros() / CELL_US)).unwrap_or(usize::MAX);
        let Some(cell) = cells.len().checked_sub(back + 1) else { continue };
        let weight = ping.rtt_us.map_or(u64::MAX, |rtt_us| rtt_us.max(1));
        if weight > worst[cell] {
            worst[cell] = weight;
            cells[cell] = ping_sign(ping.rtt_us, view.theme);
        }
    }
    let mut parts: Parts = cells.iter().map(|(tone, sign)| (*tone, (*sign).to_owned())).collect();
    parts.push((Tone::Plain, " ".to_owned()));
    parts
}

/// The heights stand for under 1, 10 and 100 ms, and above.
const fn ping_sign(rtt_us: Option<u64>, theme: Theme) -> (Tone, &'static str) {
    match rtt_us {
        None => (Tone::Dead, theme.sign("✗", "x")),
        Some(0..1_000) => (Tone::Up, theme.sign("⡀", ".")),
        Some(1_000..10_000) => (Tone::Up, theme.sign("⡄", ":")),
        Some(10_000..100_000) => (Tone::Up, theme.sign("⡆", "!")),
        Some(100_000..) => (Tone::Suspect, theme.sign("⡇", "|")),
    }
}
