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
    pub(super) trouble: Option<NodeMark>,
}

/// What is wrong with a node, beside its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeMark {
    pub(super) sign: &'static str,
    kind: LegendKind,
}

/// Kinds of nodes in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LegendKind {
    Seed,
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
const HOPS: [(&str, &str); 10] = [
    ("◆", "0"),
    ("❶", "1"),
    ("❷", "2"),
    ("❸", "3"),
    ("❹", "4"),
    ("❺", "5"),
    ("❻", "6"),
    ("❼", "7"),
    ("❽", "8"),
    ("❾", "9"),
];

/// Whether it has the message, and what is wrong with it. A gone node that never had it is just
/// gone.
pub(super) fn look(node: &NodeRecord, arrival: Arrival, theme: Theme) -> Look {
    let state = node.state();
    let kind = kind_of(node, state);
    let still = Look { sign: kind.sign(theme), tone: kind.tone(), kind, trouble: None };
    let trouble = NodeMark { sign: kind.sign(theme), kind };
    match state {
        ObservedState::Dead | ObservedState::Killed | ObservedState::Left if arrival == Arrival::NotYet => still,
        ObservedState::Suspect { .. }
        | ObservedState::Hung
        | ObservedState::Dead
        | ObservedState::Killed
        | ObservedState::Left => match arrival {
            Arrival::NoWave => still,
            Arrival::NotYet => Look { tone: kind.tone(), trouble: Some(trouble), ..dry(theme) },
            Arrival::Hop(hop) => Look { tone: kind.tone(), trouble: Some(trouble), ..reached(hop, theme) },
        },
        ObservedState::Up | ObservedState::Known => match arrival {
            Arrival::Hop(hop) => reached(hop, theme),
            Arrival::NotYet if kind == LegendKind::Up => dry(theme),
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
        ObservedState::Up | ObservedState::Known if node.role == Some(Role::Seed) => LegendKind::Seed,
        ObservedState::Known => LegendKind::HeardOf,
        ObservedState::Up if !node.is_ours() => LegendKind::Elsewhere,
        ObservedState::Up => LegendKind::Up,
    }
}

fn dry(theme: Theme) -> Look {
    Look { sign: LegendKind::Dry.sign(theme), tone: LegendKind::Dry.tone(), kind: LegendKind::Dry, trouble: None }
}

fn reached(hop: Option<u16>, theme: Theme) -> Look {
    let (kind, sign) = match hop {
        None => (LegendKind::ReachedSomehow, None),
        Some(0) => (LegendKind::Origin, None),
        Some(hop) => match HOPS.get(usize::from(hop)) {
            Some((unicode, ascii)) => (LegendKind::Reached, Some(theme.sign(unicode, ascii))),
            None => (LegendKind::ReachedFar, None),
        },
    };
    Look { sign: sign.unwrap_or(kind.sign(theme)), tone: kind.tone(), kind, trouble: None }
}

impl LegendKind {
    /// Its sign in the legend, and on the map unless there are several.
    const fn sign(self, theme: Theme) -> &'static str {
        match self {
            Self::Seed => theme.sign("■", "s"),
            Self::Origin => theme.sign("◆", "0"),
            Self::Reached => theme.sign("❶❷", "1 2"),
            Self::ReachedFar => theme.sign("⬤", "+"),
            Self::ReachedSomehow | Self::Up => theme.sign("●", "*"),
            Self::Dry => theme.sign("○", "o"),
            Self::Elsewhere => theme.sign("◇", "e"),
            Self::Suspect => "?",
            Self::Hung => theme.sign("‖", "="),
            Self::Dead => theme.sign("✗", "x"),
            Self::Left => theme.sign("◌", "_"),
            Self::HeardOf => theme.sign("·", "."),
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Seed => Tone::Seed,
            Self::Origin | Self::Reached | Self::ReachedFar | Self::ReachedSomehow => Tone::Wave,
            Self::Dry | Self::Up | Self::Elsewhere => Tone::Up,
            Self::Suspect | Self::Hung => Tone::Suspect,
            Self::Dead => Tone::Dead,
            Self::Left | Self::HeardOf => Tone::Stale,
        }
    }

    /// A word for it, and a shorter one for tight places.
    const fn words(self, lacking: Lacking) -> (&'static str, &'static str) {
        match self {
            Self::Seed => ("seed", "seed"),
            Self::Origin => ("begins", "start"),
            Self::Reached => ("has it, by hop", "hop"),
            Self::ReachedFar => ("10 hops and more", "10+"),
            Self::ReachedSomehow => ("has it", "has it"),
            Self::Dry => match lacking {
                Lacking::NotYet => ("not yet", "not yet"),
                Lacking::ForGood => ("lacks it", "lacks"),
                Lacking::Unseen => ("not seen", "unseen"),
            },
            Self::Up => ("up", "up"),
            Self::Elsewhere => ("elsewhere", "elsewhere"),
            Self::Suspect => ("suspect", "suspect"),
            Self::Hung => ("hung", "hung"),
            Self::Dead => ("dead", "dead"),
            Self::Left => ("left", "left"),
            Self::HeardOf => ("heard of", "heard"),
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
    let troubles = looks.iter().filter_map(|look| look.trouble).map(|trouble| trouble.kind);
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
