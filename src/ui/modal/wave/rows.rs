//! The lines of the table: first the nodes that lack the message, then those that have it, in order
//! of arrival.

use std::time::Duration;

use crate::model::rumor::ForeignCopy;
use crate::model::wave::{Wave, WaveRow};
use crate::model::why::Lack;
use crate::proto::addr::Addr;
use crate::ui::line::Parts;
use crate::ui::table::{self, Align, Column};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Stands in place of the sender at the origin.
const BEGINS: &str = "begins";

#[derive(Debug)]
pub(super) enum WaveTableRow {
    Lacks(Addr),
    Has(WaveRow),
    /// Runs elsewhere and has it for certain, this long after the message began.
    Elsewhere(Addr, ForeignCopy, Duration),
    /// The same for the node where it began.
    Origin(Addr, ForeignCopy),
}

pub(super) fn rows(wave: &Wave) -> Vec<WaveTableRow> {
    let lacking = wave.lacking.iter().copied().map(WaveTableRow::Lacks);
    let elsewhere = |(node, proof): &(Addr, ForeignCopy)| {
        let delay = proof.at.since(wave.began);
        if *node == wave.id.origin {
            WaveTableRow::Origin(*node, *proof)
        } else {
            WaveTableRow::Elsewhere(*node, *proof, delay)
        }
    };
    lacking
        .chain(wave.rows.iter().copied().map(WaveTableRow::Has))
        .chain(wave.elsewhere.iter().map(elsewhere))
        .collect()
}

/// The cells of a node that has the message.
pub(super) struct ArrivalCells {
    node: Addr,
    from: String,
    hop: String,
    delay: String,
    duplicates: String,
}

/// `names`: columns of a name.
fn table_columns(names: usize) -> Vec<Column<ArrivalCells>> {
    type Cell = fn(&ArrivalCells, &View<'_>) -> Parts;
    let column = |title, width, align, cell: Cell| Column { title, width, rank: 0, align, cell };
    vec![
        column("NODE", names, Align::Left, |row, view| vec![(view.node_tone(row.node), view.name(row.node))]),
        column("FROM", names, Align::Left, |row, _| vec![(Tone::Plain, row.from.clone())]),
        column("HOP", 4, Align::Right, |row, _| vec![(Tone::Plain, row.hop.clone())]),
        column("DELAY", 7, Align::Right, |row, _| vec![(Tone::Plain, row.delay.clone())]),
        column("DUP", 4, Align::Right, |row, _| vec![(Tone::Plain, row.duplicates.clone())]),
    ]
}

pub(super) fn heading(names: usize, view: &View<'_>) -> Parts {
    let sign = vec![(Tone::Stale, "  ".to_owned())];
    [sign, table::heading(&table_columns(names), Tone::Stale, view.theme.glyphs)].concat()
}

/// Columns that hold the names, those of nodes elsewhere too, and `begins`.
pub(super) fn name_width(wave: &Wave, view: &View<'_>) -> usize {
    let senders = wave.rows.iter().filter_map(|row| row.from);
    let elsewhere = wave.elsewhere.iter().map(|(node, _)| *node).chain(senders);
    let widest = elsewhere.map(|node| text::width(&view.name(node))).max().unwrap_or_default();
    view.names.all.max(BEGINS.len()).max(widest)
}

/// Piece by piece, so that what does not fit is left out whole: Enter shows all of it.
fn pieces(why: &str, tone: Tone) -> Parts {
    let pieces = why.split("; ").flat_map(|clause| clause.split(": ")).enumerate();
    pieces.map(|(place, piece)| (tone, if place == 0 { piece.to_owned() } else { format!(", {piece}") })).collect()
}

impl WaveTableRow {
    pub(super) fn node(&self) -> Addr {
        match self {
            Self::Lacks(node) | Self::Elsewhere(node, ..) | Self::Origin(node, _) => *node,
            Self::Has(row) => row.node,
        }
    }

    /// `lack`: why it lacks the message; `names`: the width of a name.
    pub(super) fn parts(&self, lack: Option<&Lack>, names: usize, view: &View<'_>) -> Parts {
        match self {
            Self::Lacks(node) => {
                let is_on_its_way = lack.is_some_and(|lack| lack.is_on_its_way);
                let (tone, sign) = if is_on_its_way {
                    (Tone::Plain, view.theme.sign("○", "o"))
                } else {
                    (Tone::Suspect, view.theme.sign("✗", "x"))
                };
                let name = text::left(&view.name(*node), names, view.theme.glyphs);
                let (sign, name) = ((tone, format!("{sign} ")), (view.node_tone(*node), format!("{name} ")));
                let why = lack.map_or("", |lack| lack.why.as_str());
                [sign, name].into_iter().chain(pieces(why, tone)).collect()
            }
            Self::Has(row) => {
                let hop = match (row.hop, row.hop_known) {
                    (Some(hop), _) => hop.to_string(),
                    (None, Some(hop)) => format!("~{hop}"),
                    (None, None) => "?".to_owned(),
                };
                let cells = ArrivalCells {
                    node: row.node,
                    from: row.from.map_or_else(|| BEGINS.to_owned(), |from| view.name(from)),
                    hop,
                    delay: row.from.map_or_else(|| "-".to_owned(), |_| rtt(row.delay)),
                    duplicates: if row.duplicates > 0 { row.duplicates.to_string() } else { "-".to_owned() },
                };
                cells.parts(view.theme.sign("●", "*"), names, view)
            }
            Self::Elsewhere(node, proof, delay) => {
                let from = proof.perhaps_from.map_or_else(|| "?".to_owned(), |from| format!("{}?", view.name(from)));
                elsewhere(*node, *proof, [&from, "?", &rtt(*delay)], names, view)
            }
            Self::Origin(node, proof) => elsewhere(*node, *proof, [BEGINS, "0", "-"], names, view),
        }
    }
}

impl ArrivalCells {
    fn parts(&self, sign: &str, names: usize, view: &View<'_>) -> Parts {
        let sign = vec![(Tone::Wave, format!("{sign} "))];
        [sign, table::cells(&table_columns(names), self, view)].concat()
    }
}

/// A node elsewhere: from whom, hop and delay.
fn elsewhere(node: Addr, proof: ForeignCopy, cells: [&str; 3], names: usize, view: &View<'_>) -> Parts {
    let [from, hop, delay] = cells.map(str::to_owned);
    let cells = ArrivalCells { node, from, hop, delay, duplicates: "-".to_owned() };
    let mut parts = cells.parts(view.theme.sign("◇", "+"), names, view);
    parts.push((Tone::Stale, format!(" sent a copy to {}", view.name(proof.to))));
    parts
}

fn rtt(delay: Duration) -> String {
    text::rtt(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX))
}
