//! The space-time diagram: a column a node, time downward, and what went from one to another.
//!
//! [`diagram`] is a fold of its own over the events of a span of time: a model says who is called what, and the
//! events say what happened. Its items are an arrow each for a copy of a message, a probe and a dead
//! report, and a mark for what happens at a node or to several of them. It is data for whoever draws:
//! [`layout`] says what stands in which row, [`grid`] draws it with characters, `session::diagram_svg`
//! as a picture.
//!
//! After Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System" (1978), whose
//! diagrams run upward.

mod fold;
pub mod grid;
pub mod item;
pub mod layout;
mod places;
pub mod subject;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use self::fold::DiagramFold;
use self::item::{DiagramItem, ItemRoute};
use self::subject::DiagramSubject;
use super::words::{count_text, list_text};
use super::{FastHashMap, Model};
use crate::event::{Event, NodeState};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Items of one diagram: more than anybody scrolls through, and the copies of one message in a network of
/// a thousand peers; 3 MB.
pub const ITEMS_MAX: usize = 10_000;
/// Columns of one diagram: as many as fit on a wide screen.
pub const COLUMNS_MAX: usize = 40;
/// The fewest columns in which a picture says anything.
pub const COLUMNS_MIN: usize = 2;

/// Names and faults that a note names.
const NAMED_MAX: usize = 6;

/// What is to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagramSpec {
    pub subject: DiagramSubject,
    /// Both included.
    pub from: Time,
    pub to: Time,
    /// Nodes that get a column each, whatever they do; none: those that take part.
    pub picked: Vec<Addr>,
    /// Columns that there is room for, that of the folded nodes included; within [`COLUMNS_MIN`] and
    /// [`COLUMNS_MAX`].
    pub columns_max: usize,
    /// Seconds that the session's clock is ahead of UTC.
    pub utc_offset_s: i32,
}

/// A node with a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagramColumn {
    pub node: Addr,
    pub name: String,
    pub role: Option<Role>,
    /// What it was from when on, oldest first; the first is its state when the diagram begins.
    pub lives: Vec<(Time, LifeLine)>,
}

/// What a node is at some time, for the line that time draws below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeLine {
    Runs,
    Hangs,
    /// It was killed or has left, or has not started yet.
    Gone,
    /// It runs in another process: only what it sends is known.
    Elsewhere,
}

/// What is not in a diagram although it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Items over [`ITEMS_MAX`].
    pub items: u64,
    /// Copies after the first, which the diagram of a node, or of all, goes without.
    pub duplicates: u64,
    /// Answered probes, of which the diagram of a death has each neighbor's last alone.
    pub answers: u64,
}

/// What happened, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Diagram {
    /// What it is about: `p3#12`, `the death of p3`.
    pub title: String,
    pub subject: DiagramSubject,
    pub from: Time,
    pub to: Time,
    pub utc_offset_s: i32,
    /// The subject first, then in the order in which they take part.
    pub columns: Vec<DiagramColumn>,
    /// Names of the nodes that share the last column, in the order in which they take part.
    pub folded: Vec<String>,
    /// In order of time.
    pub items: Vec<DiagramItem>,
    /// Faults that were set before it begins: `partition p1 p2`.
    pub standing: Vec<String>,
    pub left_out: LeftOut,
    /// What is not certain because events were skipped.
    pub doubt: Option<String>,
    places: FastHashMap<Addr, usize>,
    /// The nodes of [`Diagram::columns`], then the folded ones.
    order: Vec<Addr>,
}

impl Diagram {
    /// The column of a node, from 0 on: the one after [`Diagram::columns`] holds the folded nodes.
    pub fn place_of(&self, node: Addr) -> Option<usize> {
        self.places.get(&node).copied()
    }

    /// All its nodes: those with a column of their own from left to right, then the folded ones.
    pub fn nodes(&self) -> &[Addr] {
        &self.order
    }

    /// Columns, that of the folded nodes included.
    pub fn width(&self) -> usize {
        self.columns.len() + usize::from(!self.folded.is_empty())
    }

    /// The first and the last column that an item touches; `None`: it is drawn in none of them.
    pub fn reach(&self, item: &DiagramItem) -> Option<(usize, usize)> {
        let ends = |places: &mut dyn Iterator<Item = usize>| {
            places.fold(None, |ends: Option<(usize, usize)>, place| {
                Some(ends.map_or((place, place), |(low, high)| (low.min(place), high.max(place))))
            })
        };
        match &item.route {
            ItemRoute::Between { from, to, .. } => {
                ends(&mut [from, to].into_iter().filter_map(|end| self.place_of(*end)))
            }
            ItemRoute::At(node) => ends(&mut self.place_of(*node).into_iter()),
            ItemRoute::Across(nodes) => ends(&mut nodes.iter().filter_map(|node| self.place_of(*node))),
            ItemRoute::Everywhere => self.width().checked_sub(1).map(|last| (0, last)),
        }
    }

    /// Both ends of it are in the column of the folded nodes.
    pub fn is_inside_fold(&self, item: &DiagramItem) -> bool {
        self.reach(item).is_some_and(|(first, _)| first >= self.columns.len())
    }

    /// The heading of each column; `+12` of that of the folded nodes.
    pub fn heads(&self) -> Vec<String> {
        let folded = Some(format!("+{}", self.folded.len())).filter(|_| !self.folded.is_empty());
        self.columns.iter().map(|column| column.name.clone()).chain(folded).collect()
    }

    /// What a reader must know besides: what was set already, which nodes share a column, what it lacks. A
    /// sentence each.
    pub fn notes(&self) -> Vec<String> {
        let LeftOut { items, duplicates, answers } = self.left_out;
        let count = count_text;
        let copies = if duplicates == 1 { "further copy is" } else { "further copies are" };
        let parts = [
            self.items.is_empty().then(|| "nothing happened in this time".to_owned()),
            (!self.standing.is_empty()).then(|| format!("set before: {}", list_text(&self.standing, NAMED_MAX))),
            (!self.folded.is_empty()).then(|| {
                let nodes = count(self.folded.len() as u64, "node");
                format!("+{} is {nodes}: {}", self.folded.len(), list_text(&self.folded, NAMED_MAX))
            }),
            (items > 0)
                .then(|| format!("{} more left out: choose a shorter time or fewer nodes", count(items, "item"))),
            (duplicates > 0).then(|| format!("{duplicates} {copies} not drawn: the diagram of a message has them")),
            (answers > 0).then(|| format!("not drawn: {}", count(answers, "earlier answered probe"))),
            self.doubt.clone(),
        ];
        parts.into_iter().flatten().collect()
    }
}

/// Draws what these events say of the subject. They come in order; those outside of the span, or about
/// something else, are passed over.
pub fn diagram(spec: &DiagramSpec, events: impl IntoIterator<Item: Borrow<Event>>, model: &Model) -> Diagram {
    let mut fold = DiagramFold::new(spec, model);
    for event in events {
        fold.take(event.borrow());
    }
    fold.finish()
}

impl Model {
    /// The state of a node of ours at this moment, as far as its changes are remembered; `None` of a node
    /// elsewhere, and before it started.
    fn life_at(&self, node: Addr, at: Time) -> Option<NodeState> {
        self.nodes.get(node)?.lives.at(at).map(|turn| turn.life)
    }
}
