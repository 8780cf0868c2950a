//! The columns of a line, as far as they fit.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{Direction, Purpose};
use crate::model::link::{LinkHistory, LinkState, Ping};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::span_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::ui::line::Parts;
use crate::ui::table::{self, Align, Column};
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::{Target, View, state_sign, state_tone, state_word};

/// The time that the pings show.
const PING_SPAN: Duration = Duration::from_secs(30);
/// Columns of the pings.
const PING_CELLS: usize = 10;
/// Microseconds per column.
const CELL_US: u64 = 3_000_000;

/// Sign of the selection, sign of the state, a space.
pub(super) const SIGNS: usize = 4;

/// What a line shows.
pub(super) enum Row<'a> {
    Node(&'a NodeRecord, &'a Answers),
    Link(&'a LinkHistory),
}

/// The columns that fit, from left to right.
pub(super) fn columns<'a>(width: usize, view: &View<'_>) -> Vec<Column<Row<'a>>> {
    // A link is indented by one, and `NODE` must fit.
    let name = view.names.all.max(4) + 1;
    let left = |title, width, rank, cell| Column { title, width, rank, align: Align::Left, cell };
    let right = |title, width, rank, cell| Column { title, width, rank, align: Align::Right, cell };
    let columns = vec![
        left("NODE", name, 0, name_cell),
        left("ADDRESS", 15, 7, |row, _| vec![(Tone::Stale, row.addr().to_string())]),
        left("ROLE", 4, 4, role_cell),
        right("LINKS", 5, 3, links_cell),
        right("RTT", 6, 2, |row, _| vec![(Tone::Plain, row.rtt_us().map_or_else(|| "-".to_owned(), text::rtt))]),
        left("PING 30s", PING_CELLS, 6, pings_cell),
        right("MISS", 4, 5, misses_cell),
        Column { title: "STATE", width: 11, rank: 1, align: Align::Last, cell: state_cell },
    ];
    table::fitting(columns, width.saturating_sub(SIGNS))
}

impl Row<'_> {
    /// The node that the line names.
    fn addr(&self) -> Addr {
        match self {
            Self::Node(node, _) => node.addr,
            Self::Link(link) => link.key.peer,
        }
    }

    fn rtt_us(&self) -> Option<u64> {
        match self {
            Self::Node(_, answers) => answers.latest.map(|(_, rtt_us)| rtt_us),
            Self::Link(link) => link.rtt_us,
        }
    }
}

/// What is known of the answers of the shown nodes, from one walk through the links.
#[derive(Debug, Default)]
pub(super) struct Seen {
    nodes: BTreeMap<Addr, Answers>,
    selected: Option<Target>,
}

/// How one node answers those that probe it.
#[derive(Debug, Default)]
pub(super) struct Answers {
    latest: Option<(Time, u64)>,
    misses: u32,
    pings: Vec<Ping>,
}

impl Answers {
    fn take(&mut self, link: &LinkHistory, now: Time) {
        self.misses = self.misses.max(link.misses);
        self.pings.extend(link.pings_since(now, PING_SPAN));
        self.latest = self.latest.max(link.answer());
    }
}

impl Seen {
    pub(super) fn of(view: &View<'_>, rows: &[Target], selected: Option<Target>) -> Self {
        let shown = rows.iter().filter_map(|row| match row {
            Target::Node(addr) => Some((*addr, Answers::default())),
            Target::Link(_) => None,
        });
        let mut nodes: BTreeMap<Addr, Answers> = shown.collect();
        for link in view.model.links().up() {
            if let Some(answers) = nodes.get_mut(&link.key.peer) {
                answers.take(link, view.now);
            }
        }
        Self { nodes, selected }
    }
}

pub(super) fn parts(target: Target, seen: &Seen, columns: usize, view: &View<'_>) -> Parts {
    let sign = if seen.selected == Some(target) { ">" } else { lit_sign(target, view) };
    let row = match target {
        Target::Node(addr) => view.model.nodes().get(addr).zip(seen.nodes.get(&addr)).map(|(node, answers)| {
            let sign = format!("{} ", state_sign(view.theme, node.state()));
            ((state_tone(node.state()), sign), Row::Node(node, answers))
        }),
        Target::Link(key) => {
            let link = view.model.links().get(key.node, key.peer);
            link.map(|link| ((Tone::Stale, view.theme.sign(" └", " `").to_owned()), Row::Link(link)))
        }
    };
    let mut parts = vec![(Tone::Wave, format!("{sign} "))];
    if let Some((sign, row)) = row {
        parts.push(sign);
        parts.extend(table::cells(&self::columns(columns, view), &row, view));
    }
    parts
}

/// A dash for the nodes that the highlighted node is linked to, a sign for those that have the
/// highlighted message.
fn lit_sign(row: Target, view: &View<'_>) -> &'static str {
    let Target::Node(addr) = row else { return " " };
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

fn name_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    let name = (view.node_tone(row.addr()), view.name(row.addr()));
    match row {
        Row::Node(..) => vec![name],
        Row::Link(_) => vec![(Tone::Stale, " ".to_owned()), name],
    }
}

/// For a link who dialed, or that it is a registration.
fn role_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    let (tone, word) = match row {
        Row::Node(node, _) => {
            let role = node.role.map_or_else(|| "-".to_owned(), |role| role.to_string());
            (view.node_tone(node.addr), role)
        }
        Row::Link(link) => {
            let kind = match (link.purpose, link.direction) {
                (Purpose::Registration, _) => "reg",
                (Purpose::Neighbor, Direction::Inbound) => "in",
                (Purpose::Neighbor, Direction::Outbound) => "out",
            };
            (Tone::Stale, kind.to_owned())
        }
    };
    vec![(tone, word)]
}

/// For a node of ours its links; for one elsewhere our links to it.
fn links_cell(row: &Row<'_>, _view: &View<'_>) -> Parts {
    match row {
        Row::Node(node, _) => {
            let links = match node.role {
                _ if !node.is_ours() => node.linked,
                Some(Role::Seed) => node.registrations,
                Some(Role::Peer) | None => node.neighbors,
            };
            vec![(Tone::Plain, links.to_string())]
        }
        Row::Link(_) => Parts::new(),
    }
}

fn pings_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    match row {
        Row::Node(_, answers) => pings(answers.pings.iter().copied(), view),
        Row::Link(link) => pings(link.pings_since(view.now, PING_SPAN), view),
    }
}

/// A dash for a node that nobody has probed lately.
fn misses_cell(row: &Row<'_>, _view: &View<'_>) -> Parts {
    let misses = match row {
        Row::Node(_, answers) => Some(answers.misses).filter(|_| !answers.pings.is_empty()),
        Row::Link(link) => Some(link.misses),
    };
    let tone = if misses.is_none_or(|misses| misses == 0) { Tone::Stale } else { Tone::Suspect };
    vec![(tone, misses.map_or_else(|| "-".to_owned(), |misses| misses.to_string()))]
}

fn state_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    match row {
        Row::Node(node, _) => vec![(state_tone(node.state()), state_text(node, view))],
        Row::Link(link) => {
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

fn state_text(node: &NodeRecord, view: &View<'_>) -> String {
    let word = state_word(node.state());
    match node.state() {
        ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Known => word,
        ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => {
            format!("{word} {}", view.ago(node.since))
        }
    }
}

/// A sign for each three seconds: the slowest answer, or a miss.
fn pings(pings: impl Iterator<Item = Ping>, view: &View<'_>) -> Parts {
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
    cells.iter().map(|(tone, sign)| (*tone, (*sign).to_owned())).collect()
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
