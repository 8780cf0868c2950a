//! The lines of the table: first the nodes that lack the message, then those that have it, in order
//! of arrival.

use std::time::Duration;

use crate::model::rumor::ForeignCopy;
use crate::model::wave::{Wave, WaveRow};
use crate::model::why::Lack;
use crate::proto::addr::Addr;
use crate::ui::line::Parts;
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

pub(super) fn heading(names: usize, view: &View<'_>) -> Parts {
    let name = |word| text::left(word, names, view.theme.glyphs);
    vec![(Tone::Stale, format!("  {} {}  HOP   DELAY  DUP", name("NODE"), name("FROM")))]
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

/// A node elsewhere: from whom, hop and delay.
fn elsewhere(node: Addr, proof: ForeignCopy, [from, hop, delay]: [&str; 3], names: usize, view: &View<'_>) -> Parts {
    let name = |text: &str| text::left(text, names, view.theme.glyphs);
    vec![
        (Tone::Wave, format!("{} ", view.theme.sign("◇", "+"))),
        (view.node_tone(node), format!("{} ", name(&view.name(node)))),
        (Tone::Plain, format!("{}{hop:>5}{delay:>8}{:>5}", name(from), "-")),
        (Tone::Stale, format!("  sent a copy to {}", view.name(proof.to))),
    ]
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
        let glyphs = view.theme.glyphs;
        let name = |addr| text::left(&view.name(addr), names, glyphs);
        match self {
            Self::Lacks(node) => {
                let is_on_its_way = lack.is_some_and(|lack| lack.is_on_its_way);
                let (tone, sign) = if is_on_its_way {
                    (Tone::Plain, view.theme.sign("○", "o"))
                } else {
                    (Tone::Suspect, view.theme.sign("✗", "x"))
                };
                let (sign, name) = ((tone, format!("{sign} ")), (view.node_tone(*node), format!("{} ", name(*node))));
                let why = lack.map_or("", |lack| lack.why.as_str());
                [sign, name].into_iter().chain(pieces(why, tone)).collect()
            }
            Self::Has(row) => {
                let from = row.from.map_or_else(|| text::left(BEGINS, names, glyphs), name);
                let hop = match (row.hop, row.hop_known) {
                    (Some(hop), _) => hop.to_string(),
                    (None, Some(hop)) => format!("~{hop}"),
                    (None, None) => "?".to_owned(),
                };
                let delay = u64::try_from(row.delay.as_micros()).unwrap_or(u64::MAX);
                let delay = if row.from.is_some() { text::rtt(delay) } else { "-".to_owned() };
                let duplicates = if row.duplicates > 0 { row.duplicates.to_string() } else { "-".to_owned() };
                vec![
                    (Tone::Wave, format!("{} ", view.theme.sign("●", "*"))),
                    (view.node_tone(row.node), format!("{} ", name(row.node))),
                    (Tone::Plain, format!("{from}{hop:>5}{delay:>8}{duplicates:>5}")),
                ]
            }
            Self::Elsewhere(node, proof, delay) => {
                let delay = text::rtt(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
                let from = proof.perhaps_from.map_or_else(|| "?".to_owned(), |from| format!("{}?", view.name(from)));
                elsewhere(*node, *proof, [&from, "?", &delay], names, view)
            }
            Self::Origin(node, proof) => elsewhere(*node, *proof, [BEGINS, "0", "-"], names, view),
        }
    }
}
