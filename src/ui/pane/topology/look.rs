//! The signs of nodes, and the legend that explains them.

use ratatui::text::{Line, Span};

use super::graph::Harm;
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::message::Role;
use crate::ui::options::Glyphs;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::View;

/// How far the wave came to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// No wave is shown, or it does not concern the node.
    NoWave,
    /// The wave has not come yet.
    NotYet,
    /// It came, after this many hops if that is known.
    Hop(Option<u16>),
}

/// The sign of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) sign: &'static str,
    pub(super) tone: Tone,
    kind: LegendKind,
    /// What is wrong with it, if the sign itself shows the wave.
    pub(super) trouble: Option<LegendKind>,
}

/// Kinds of nodes in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LegendKind {
    Seed,
    SeedUnlinked,
    Origin,
    Reached,
    ReachedFar,
    ReachedSomehow,
    Dry,
    Up,
    Elsewhere,
    Suspect,
    Hung,
    Dead,
    Left,
    HeardOf,
}

const SELECTED: &str = "[ ] selected";

/// Hops that have a sign of their own.
const HOPS: [&str; 10] = ["◆", "❶", "❷", "❸", "❹", "❺", "❻", "❼", "❽", "❾"];
const HOPS_ASCII: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// For each kind its sign in the legend, which is also that on the map unless there are several; the
/// same in ASCII; its color; a word for it, and a shorter one for tight places.
const KINDS: [(&str, &str, Tone, &str, &str); 14] = [
    ("■", "s", Tone::Seed, "seed", "seed"),
    ("□", "S", Tone::Stale, "seed, no link", "no link"),
    ("◆", "0", Tone::Wave, "begins", "start"),
    ("❶❷", "1 2", Tone::Wave, "has it, by hop", "hop"),
    ("⬤", "+", Tone::Wave, "10 hops and more", "10+"),
    ("●", "*", Tone::Wave, "has it", "has it"),
    ("○", "o", Tone::Up, "not yet", "not yet"),
    ("●", "*", Tone::Up, "up", "up"),
    ("◇", "e", Tone::Up, "elsewhere", "elsewhere"),
    ("?", "?", Tone::Suspect, "suspect", "suspect"),
    ("‖", "=", Tone::Suspect, "hung", "hung"),
    ("✗", "x", Tone::Dead, "dead", "dead"),
    ("◌", "_", Tone::Stale, "left", "left"),
    ("·", ".", Tone::Stale, "heard of", "heard"),
];

/// Whether it has the message, and what is wrong with it. A gone node that never had it is just
/// gone.
pub(super) fn look(node: &NodeRecord, arrival: Arrival, theme: Theme) -> Look {
    let state = node.state();
    let kind = kind_of(node, state);
    let still = kind.look(theme);
    match state {
        ObservedState::Dead | ObservedState::Killed | ObservedState::Left if arrival == Arrival::NotYet => still,
        ObservedState::Suspect { .. }
        | ObservedState::Hung
        | ObservedState::Dead
        | ObservedState::Killed
        | ObservedState::Left => match arrival {
            Arrival::NoWave => still,
            Arrival::NotYet => Look { tone: kind.tone(), trouble: Some(kind), ..LegendKind::Dry.look(theme) },
            Arrival::Hop(hop) => Look { tone: kind.tone(), trouble: Some(kind), ..reached(hop, theme) },
        },
        ObservedState::Up | ObservedState::Known => match arrival {
            Arrival::Hop(hop) => reached(hop, theme),
            Arrival::NotYet if kind == LegendKind::Up => LegendKind::Dry.look(theme),
            Arrival::NotYet | Arrival::NoWave => still,
        },
    }
}

/// Its kind while no wave is shown.
fn kind_of(node: &NodeRecord, state: ObservedState) -> LegendKind {
    match state {
        ObservedState::Suspect { .. } => LegendKind::Suspect,
        ObservedState::Hung => LegendKind::Hung,
        ObservedState::Dead | ObservedState::Killed => LegendKind::Dead,
        ObservedState::Left => LegendKind::Left,
        ObservedState::Up if node.role == Some(Role::Seed) => LegendKind::Seed,
        // Whether it lives is not known.
        ObservedState::Known if node.role == Some(Role::Seed) => LegendKind::SeedUnlinked,
        ObservedState::Known => LegendKind::HeardOf,
        ObservedState::Up if !node.is_ours() => LegendKind::Elsewhere,
        ObservedState::Up => LegendKind::Up,
    }
}

fn reached(hop: Option<u16>, theme: Theme) -> Look {
    let hops = match theme.glyphs {
        Glyphs::Unicode => HOPS,
        Glyphs::Ascii => HOPS_ASCII,
    };
    match hop.map(usize::from) {
        None => LegendKind::ReachedSomehow.look(theme),
        Some(0) => LegendKind::Origin.look(theme),
        Some(hop) => match hops.get(hop) {
            Some(sign) => Look { sign, ..LegendKind::Reached.look(theme) },
            None => LegendKind::ReachedFar.look(theme),
        },
    }
}

impl LegendKind {
    const fn look(self, theme: Theme) -> Look {
        Look { sign: self.sign(theme), tone: self.tone(), kind: self, trouble: None }
    }

    pub(super) const fn sign(self, theme: Theme) -> &'static str {
        let (unicode, ascii, ..) = KINDS[self as usize];
        theme.sign(unicode, ascii)
    }

    const fn tone(self) -> Tone {
        KINDS[self as usize].2
    }

    /// A word for it, and a shorter one.
    const fn words(self, lacking: Lacking) -> (&'static str, &'static str) {
        match (self, lacking) {
            (Self::Dry, Lacking::ForGood) => ("lacks it", "lacks"),
            (Self::Dry, Lacking::Unseen) => ("not seen", "unseen"),
            (kind, Lacking::NotYet | Lacking::ForGood | Lacking::Unseen) => {
                let (.., word, short) = KINDS[kind as usize];
                (word, short)
            }
        }
    }
}

/// What it means that nothing is known of the message at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// It is on its way.
    NotYet,
    /// It should have come by now.
    ForGood,
    /// Events were skipped, and its arrival may be among them.
    Unseen,
}

/// The meaning of the signs on the screen: in one line if they fit, otherwise in shorter words, at
/// last in further lines. No sign goes without its word.
pub(super) fn legend(
    looks: &[Look],
    harms: &[Harm],
    lacking: Lacking,
    columns: usize,
    view: &View<'_>,
) -> Vec<Line<'static>> {
    let entries = entries(looks, harms, lacking, view.theme);
    let long: Vec<_> = entries.iter().map(|entry| entry.spans(" ", entry.word, view)).collect();
    let short = entries.iter().map(|entry| entry.spans(" ", entry.short, view)).collect();
    let tie = match view.theme.glyphs {
        Glyphs::Unicode => "",
        Glyphs::Ascii => "=",
    };
    let dense = entries.iter().map(|entry| entry.spans(tie, entry.short, view)).collect();
    let selected = long.iter().cloned().chain([vec![view.span(Tone::Stale, SELECTED)]]).collect();
    let in_one = [selected, long, short].into_iter().map(|items| lines(items, "  ", columns));
    in_one.into_iter().find(|lines| lines.len() == 1).unwrap_or_else(|| lines(dense, " ", columns))
}

/// As many of these per line as fit, none cut.
fn lines(items: Vec<Vec<Span<'static>>>, gap: &'static str, columns: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    for item in items {
        let width = item.iter().map(Span::width).sum::<usize>() + gap.len();
        if lines.last().is_some_and(|line| line.width() > 0 && line.width() + width > columns) {
            lines.push(Line::default());
        }
        let Some(line) = lines.last_mut() else { continue };
        if line.width() > 0 {
            line.push_span(gap);
        }
        line.extend(item);
    }
    lines
}

/// A sign, and a word for it.
struct LegendEntry {
    tone: Tone,
    sign: &'static str,
    word: &'static str,
    short: &'static str,
}

impl LegendEntry {
    fn spans(&self, tie: &str, word: &str, view: &View<'_>) -> Vec<Span<'static>> {
        vec![view.span(self.tone, self.sign), view.span(Tone::Stale, format!("{tie}{word}"))]
    }
}

fn entries(looks: &[Look], harms: &[Harm], lacking: Lacking, theme: Theme) -> Vec<LegendEntry> {
    let troubles = looks.iter().filter_map(|look| look.trouble);
    let mut kinds: Vec<LegendKind> = looks.iter().map(|look| look.kind).chain(troubles).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of_kind = |kind: LegendKind| {
        let (word, short) = kind.words(lacking);
        LegendEntry { tone: kind.tone(), sign: kind.sign(theme), word, short }
    };
    let of_harm = [
        (Harm::Faulty, Tone::Suspect, theme.sign("┈", "."), "faulty"),
        (Harm::Cut, Tone::Dead, cut_sign(theme), "cut"),
    ];
    let of_harm = of_harm.into_iter().filter(|(harm, ..)| harms.contains(harm));
    let of_harm = of_harm.map(|(_, tone, sign, word)| LegendEntry { tone, sign, word, short: word });
    kinds.into_iter().map(of_kind).chain(of_harm).collect()
}

/// Stands in the middle of a link across which nothing passes.
pub(super) const fn cut_sign(theme: Theme) -> &'static str {
    theme.sign("╳", "/")
}
