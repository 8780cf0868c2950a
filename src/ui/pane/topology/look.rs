//! What a node looks like, and the legend that says so.

use super::graph::Harm;
use crate::model::node::{Node, NodeState};
use crate::proto::message::Role;
use crate::ui::items::Item;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::{View, state_sign, state_tone};

/// How far the wave came to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wet {
    /// No wave is shown, or it is none of the node's business.
    Still,
    /// The wave has not come yet.
    Dry,
    /// It came, after so many hops if that is known.
    Reached(Option<u16>),
}

/// What stands for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) sign: &'static str,
    pub(super) tone: Tone,
    kind: Kind,
}

/// What the legend tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Seed,
    Origin,
    Reached,
    Dry,
    Up,
    Elsewhere,
    Suspect,
    Hung,
    Dead,
    Left,
    HeardOf,
}

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

/// What is wrong with a node counts most, then whether it has the message.
pub(super) fn look(node: &Node, wet: Wet, theme: Theme) -> Look {
    let state = node.state();
    let by_state = |kind| Look { sign: state_sign(theme, state), tone: state_tone(state), kind };
    match state {
        NodeState::Suspect { .. } => by_state(Kind::Suspect),
        NodeState::Hung => by_state(Kind::Hung),
        NodeState::Dead | NodeState::Killed => by_state(Kind::Dead),
        NodeState::Left => Look { sign: theme.sign("◌", "_"), tone: Tone::Stale, kind: Kind::Left },
        NodeState::Up | NodeState::Known if node.role == Some(Role::Seed) => {
            Look { sign: theme.sign("■", "s"), tone: Tone::Seed, kind: Kind::Seed }
        }
        NodeState::Up | NodeState::Known => match wet {
            Wet::Reached(hop) => reached(hop, theme),
            Wet::Dry | Wet::Still if state == NodeState::Known => by_state(Kind::HeardOf),
            Wet::Dry | Wet::Still if !node.is_ours() => {
                Look { sign: theme.sign("◇", "e"), tone: Tone::Up, kind: Kind::Elsewhere }
            }
            Wet::Dry => Look { sign: theme.sign("○", "o"), tone: Tone::Up, kind: Kind::Dry },
            Wet::Still => by_state(Kind::Up),
        },
    }
}

fn reached(hop: Option<u16>, theme: Theme) -> Look {
    let beyond = ("⬤", "+");
    let (unicode, ascii) = match hop {
        None => ("◆", "*"),
        Some(hop) => HOPS.get(usize::from(hop)).copied().unwrap_or(beyond),
    };
    let kind = if hop == Some(0) { Kind::Origin } else { Kind::Reached };
    Look { sign: theme.sign(unicode, ascii), tone: Tone::Wave, kind }
}

/// What the signs that are on the screen mean.
pub(super) fn legend(looks: &[Look], harms: &[Harm], view: &View<'_>) -> Vec<Item> {
    let mut kinds: Vec<Look> = looks.to_vec();
    kinds.sort_by_key(|look| (look.kind, look.sign));
    kinds.dedup_by_key(|look| look.kind);
    let items = kinds.into_iter().map(|look| {
        let sign = match look.kind {
            Kind::Reached => view.theme.sign("❶❷", "1 2"),
            Kind::Seed
            | Kind::Origin
            | Kind::Dry
            | Kind::Up
            | Kind::Elsewhere
            | Kind::Suspect
            | Kind::Hung
            | Kind::Dead
            | Kind::Left
            | Kind::HeardOf => look.sign,
        };
        let (word, rank) = word(look.kind);
        Item { group: 0, rank, parts: vec![(look.tone, sign.to_owned()), (Tone::Stale, format!(" {word}"))] }
    });
    let mut items: Vec<Item> = items.collect();
    let dots = view.theme.sign("┈", ".");
    for (harm, tone, word) in [(Harm::Faulty, Tone::Suspect, "faulty"), (Harm::Cut, Tone::Dead, "cut")] {
        if harms.contains(&harm) {
            let parts = vec![(tone, dots.to_owned()), (Tone::Stale, format!(" {word}"))];
            items.push(Item { group: 0, rank: 2, parts });
        }
    }
    items.push(Item::new(0, 9, Tone::Stale, "[ ] selected"));
    items
}

/// A word for each sign, and how easily it is given up: what everybody can guess goes first.
const fn word(kind: Kind) -> (&'static str, u8) {
    match kind {
        Kind::Seed => ("seed", 5),
        Kind::Origin => ("begins", 4),
        Kind::Reached => ("has it, by hop", 0),
        Kind::Dry => ("not yet", 1),
        Kind::Up => ("up", 3),
        Kind::Elsewhere => ("elsewhere", 2),
        Kind::Suspect => ("suspect", 6),
        Kind::Hung => ("hung", 6),
        Kind::Dead => ("dead", 6),
        Kind::Left => ("left", 8),
        Kind::HeardOf => ("heard of", 3),
    }
}
