//! The columns of a line, as far as they fit.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{Direction, Purpose};
use crate::model::link::{LinkHistory, LinkState, Ping};
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Role};
use crate::proto::time::Time;
use crate::ui::line::Parts;
use crate::ui::table::{self, Align, Column};
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::{Target, View, state_sign, state_tone};

/// The time that the pings show.
const PING_SPAN: Duration = Duration::from_secs(30);
/// Columns of the pings.
const PING_CELLS: usize = 10;
/// Microseconds per column.
const CELL_US: u64 = 3_000_000;

/// What can be chosen beside the node itself, which always stands first.
pub(super) const CHOICES: &[&str] = &["all", "address", "role", "state", "links", "probes", "rtt", "30s"];

/// Sign of the selection, sign of the state, a space.
pub(super) const SIGNS: usize = 3;

/// What a line shows.
pub(super) enum Row<'a> {
    Node(&'a NodeRecord, &'a Answers),
    Link(&'a LinkHistory),
}

/// The columns that fit of those that are chosen, from left to right; none chosen: all.
pub(super) fn columns<'a>(width: usize, chosen: &[&str], view: &View<'_>) -> Vec<Column<Row<'a>>> {
    // A link is indented by one, and `NODE` must fit.
    let name = view.names.all.max(4) + 1;
    let left = |title, width, rank, cell| Column { title, width, rank, align: Align::Left, cell };
    let right = |title, width, rank, cell| Column { title, width, rank, align: Align::Right, cell };
    let mut columns = vec![
        left("NODE", name, 0, name_cell),
        left("ADDRESS", 15, 7, |row, _| vec![(Tone::Stale, row.addr().to_string())]),
        left("ROLE", 4, 4, role_cell),
        left("STATE", 11, 1, state_cell),
        right("LINKS", 5, 3, links_cell),
        left("PROBES", 10, 0, probes_cell),
        right("RTT", 5, 2, |row, _| vec![(Tone::Plain, row.rtt_us().map_or_else(|| "-".to_owned(), text::rtt_coarse))]),
        left("30 s", PING_CELLS, 6, pings_cell),
    ];
    let is_chosen = |title: &str| chosen.contains(&title.to_lowercase().replace(' ', "").as_str());
    columns.retain(|column| chosen.is_empty() || column.title == "NODE" || is_chosen(column.title));
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
    /// When the latest answer came, and its round-trip time.
    latest: Option<(Time, u64)>,
    pings: Vec<Ping>,
}

impl Answers {
    fn take(&mut self, link: &LinkHistory, now: Time) {
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

impl Seen {
    /// The round-trip time that the line of a node shows; 0 if none.
    pub(super) fn rtt_us(&self, addr: Addr) -> u64 {
        self.nodes.get(&addr).and_then(|answers| answers.latest).map_or(0, |(_, rtt_us)| rtt_us)
    }
}

/// A line with the columns that are chosen, for this width.
pub(super) fn parts(target: Target, seen: &Seen, (columns, chosen): (usize, &[&str]), view: &View<'_>) -> Parts {
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
    let mut parts = vec![(Tone::Wave, sign.to_owned())];
    if let Some((sign, row)) = row {
        parts.push(sign);
        parts.extend(table::cells(&self::columns(columns, chosen, view), &row, view));
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

/// What came of the latest probes; of a dead node what gave it away. Nobody probes seeds.
fn probes_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    let (tone, text) = match row {
        Row::Node(node, answers) => match node.state() {
            ObservedState::Suspect { misses, limit } => (Tone::Suspect, missed(misses, limit)),
            ObservedState::Dead | ObservedState::Killed => (Tone::Dead, given_away(node, view)),
            ObservedState::Up | ObservedState::Hung | ObservedState::Left | ObservedState::Known => {
                answered(answers.latest.is_some())
            }
        },
        Row::Link(link) if link.misses > 0 => (Tone::Suspect, missed(link.misses, link.limit)),
        Row::Link(link) => answered(link.rtt_us.is_some()),
    };
    vec![(tone, text)]
}

fn missed(misses: u32, limit: u32) -> String {
    format!("{misses}/{limit} missed")
}

fn answered(is_answered: bool) -> (Tone, String) {
    if is_answered { (Tone::Up, "answered".to_owned()) } else { (Tone::Stale, "-".to_owned()) }
}

/// Why the first of its neighbors that said so took it for dead.
fn given_away(node: &NodeRecord, view: &View<'_>) -> String {
    let case = view.model.deaths().latest_of(node.addr).filter(|case| case.back_at.is_none());
    match case.and_then(|case| case.evidence.iter().find_map(|evidence| evidence.cause)) {
        Some(DeathCause::Misses { misses }) => missed(misses, misses),
        Some(DeathCause::LinkError | DeathCause::Closed) => "link lost".to_owned(),
        Some(DeathCause::Cut) => "link cut".to_owned(),
        Some(DeathCause::Lie) | None => "-".to_owned(),
    }
}

fn state_cell(row: &Row<'_>, view: &View<'_>) -> Parts {
    let (tone, word, since) = match row {
        Row::Node(node, _) => {
            let (word, is_over) = match node.state() {
                ObservedState::Up => ("up", false),
                ObservedState::Suspect { .. } => ("suspect", false),
                ObservedState::Known => ("heard of", false),
                ObservedState::Hung => ("hung", true),
                ObservedState::Dead | ObservedState::Killed => ("dead", true),
                ObservedState::Left => ("left", true),
            };
            (state_tone(node.state()), word, Some(node.since).filter(|_| is_over))
        }
        Row::Link(link) => {
            let (tone, word) = match link.state {
                LinkState::Up => (Tone::Up, "up"),
                LinkState::Dialing => (Tone::Stale, "dialing"),
                LinkState::Parked => (Tone::Stale, "parked"),
                LinkState::Ended => (Tone::Stale, "ended"),
            };
            (tone, word, Some(link.since).filter(|_| link.state != LinkState::Dialing))
        }
    };
    vec![(tone, since.map_or_else(|| word.to_owned(), |since| format!("{word} {}", view.age(since))))]
}

/// A sign for each three seconds: the slowest answer, or a miss.
fn pings(pings: impl Iterator<Item = Ping>, view: &View<'_>) -> Parts {
    let newest = view.now.as_micros() / CELL_US;
    let mut cells = [(Tone::Stale, view.theme.sign("·", " ")); PING_CELLS];
    let mut worst = [0_u64; PING_CELLS];
    for ping in pings {
        view.aging.note(Duration::from_micros(CELL_US - view.now.as_micros() % CELL_US));
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
