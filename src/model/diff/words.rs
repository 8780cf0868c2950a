//! Differences in words, one line each.

use super::{Apart, Change, Diff, DifferenceKind, Incomplete, MomentDifference, OverlayParts};
use crate::event::Purpose;
use crate::model::node::ObservedState;
use crate::model::words::{count_text, list_text, second_text, span_text, state_word};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::fault::Fault;
use crate::proto::message::MessageId;

/// How many have a message, of how many, and who lacks it why: what makes two messages alike.
type AlikeKey<'a> = (usize, usize, &'a [(Addr, String)]);

/// Names that a line lists before it says how many more there are.
const NAMES_MAX: usize = 12;
/// Messages that a line names.
const MESSAGES_MAX: usize = 4;
/// `OverlayParts` of an overlay that a line names.
const PARTS_MAX: usize = 6;
/// Lines of one group: more than anybody reads; the count of all is told.
const LINES_MAX: usize = 200;

/// What a line is about, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiffGroup {
    Overlay,
    Faults,
    Nodes,
    Messages,
    Links,
    Lists,
    Dead,
    Suspicions,
}

impl DiffGroup {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overlay => "Overlay",
            Self::Faults => "Faults",
            Self::Nodes => "Nodes",
            Self::Messages => "Messages",
            Self::Links => "Links",
            Self::Lists => "Seeds' lists",
            Self::Dead => "Held for dead",
            Self::Suspicions => "Suspicions",
        }
    }

    const fn of(what: &DifferenceKind) -> Self {
        match what {
            DifferenceKind::Overlay { .. } | DifferenceKind::Apart(_) => Self::Overlay,
            DifferenceKind::Fault { .. } => Self::Faults,
            DifferenceKind::Node { .. } => Self::Nodes,
            DifferenceKind::Message { .. } | DifferenceKind::Messages { .. } => Self::Messages,
            DifferenceKind::Link { .. } => Self::Links,
            DifferenceKind::Listed { .. } => Self::Lists,
            DifferenceKind::HeldDead { .. } => Self::Dead,
            DifferenceKind::Suspicion { .. } => Self::Suspicions,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    pub group: DiffGroup,
    pub text: String,
}

/// The differences in words. `model`: the later of the two, for the names.
pub fn lines(diff: &Diff, model: &Model, utc_offset_s: i32) -> Vec<DiffLine> {
    let writer = Writer::new(diff, model, utc_offset_s);
    let mut groups: Map<DiffGroup, Vec<String>> = Map::default();
    for difference in &diff.differences {
        groups.entry(DiffGroup::of(&difference.what)).or_default().extend(writer.lines(difference));
    }
    let told = groups
        .into_iter()
        .flat_map(|(group, texts)| bounded(texts).into_iter().map(move |text| DiffLine { group, text }));
    told.collect()
}

/// The difference in one line, without what is told of each of its parts.
pub(super) fn line(diff: &Diff, difference: &MomentDifference, model: &Model, utc_offset_s: i32) -> String {
    Writer::new(diff, model, utc_offset_s).lines(difference).into_iter().next().unwrap_or_default()
}

fn bounded(mut texts: Vec<String>) -> Vec<String> {
    if texts.len() > LINES_MAX {
        let more = texts.len() - LINES_MAX;
        texts.truncate(LINES_MAX);
        texts.push(format!("and {more} more; --format json has all"));
    }
    texts
}

/// Whether a difference is told from the earlier moment to the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
}

#[derive(Clone, Copy)]
struct Writer<'a> {
    model: &'a Model,
    utc_offset_s: i32,
    order: Order,
}

impl<'a> Writer<'a> {
    fn new(diff: &Diff, model: &'a Model, utc_offset_s: i32) -> Self {
        let order = if diff.from <= diff.to { Order::Forward } else { Order::Backward };
        Self { model, utc_offset_s, order }
    }

    /// What happened, whichever moment is told first.
    const fn happened(self, change: Change) -> Change {
        match self.order {
            Order::Forward => change,
            Order::Backward => change.reversed(),
        }
    }

    fn name(self, addr: Addr) -> String {
        self.model.name_of(addr).into_owned()
    }

    fn names(self, addrs: &[Addr]) -> String {
        self.model.names_in_order(addrs.iter().copied(), NAMES_MAX)
    }

    fn lines(self, difference: &MomentDifference) -> Vec<String> {
        let MomentDifference { what, at, why } = difference;
        let clock = at.map(|at| second_text(at, self.utc_offset_s));
        let word = |word: &str| clock.as_ref().map_or_else(String::new, |at| format!(" {word} {at}"));
        let because = why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        vec![match what {
            DifferenceKind::Messages { began, incomplete, .. } => return self.messages(*began, incomplete),
            DifferenceKind::Overlay { before, after } => self.overlay(before, after, &word("since"), why.as_deref()),
            DifferenceKind::Apart(apart) => self.apart(apart, why.as_deref()),
            DifferenceKind::Fault { change, fault } => self.fault(*change, fault, &word("at")),
            DifferenceKind::Node { node, before, after } => {
                let [before, after] = [before, after].map(|state| state_text(*state));
                format!("{}: {before} -> {after}{because}", self.name(*node))
            }
            DifferenceKind::Message { message, before, after } => {
                let name = self.model.message_name(*message);
                format!("{name}: {}/{} -> {}/{}", before.have, before.of, after.have, after.of)
            }
            DifferenceKind::Link { change, ends, purpose } => {
                self.link(*change, *ends, *purpose, (&word("since"), why.as_deref()))
            }
            DifferenceKind::Listed { change, seed, peer } => {
                let (seed, peer) = (self.name(*seed), self.name(*peer));
                let verb = match self.happened(*change) {
                    Change::Gone => "off",
                    Change::New | Change::Passed => "on",
                };
                format!("{} {peer} {verb} the list of {seed}{}{because}", sign(*change), word("at"))
            }
            DifferenceKind::HeldDead { change, by, of } => {
                let (by, of, sign) = (self.name(*by), self.name(*of), sign(*change));
                match self.happened(*change) {
                    Change::New => format!("{sign} {by} holds {of} for dead{}{because}", word("since")),
                    Change::Gone => format!("{sign} {by} held {of} for dead{}{because}", word("until")),
                    Change::Passed => format!("{sign} {by} held {of} for dead for a time{}{because}", word("until")),
                }
            }
            DifferenceKind::Suspicion { by, of, before, after, limit } => {
                let (by, of) = (self.name(*by), self.name(*of));
                format!("{by} had no answer from {of}: {before} -> {after} of {limit} probes in a row")
            }
        }]
    }

    fn overlay(self, first: &OverlayParts, second: &OverlayParts, since: &str, why: Option<&str>) -> String {
        let (earlier, later, then) = match self.order {
            Order::Forward => (first, second, ""),
            Order::Backward => (second, first, "later "),
        };
        let cause = cause(why);
        match (earlier.len(), later.len()) {
            (0 | 1, 0 | 1) => format!("{then}whole, of other nodes: {} -> {}", self.parts(earlier), self.parts(later)),
            (parts, 0 | 1) => {
                format!("{then}whole again{since}; it was in {parts} parts: {}{cause}", self.parts(earlier))
            }
            (_, parts) => format!("{then}in {parts} parts{since}: {}{cause}", self.parts(later)),
        }
    }

    fn apart(self, apart: &Apart, why: Option<&str>) -> String {
        let [from, until] = [("from", apart.from), ("until", apart.until)].map(|(word, at)| {
            at.map_or_else(String::new, |at| format!(" {word} {}", second_text(at, self.utc_offset_s)))
        });
        let span = apart.from.zip(apart.until).map(|(from, until)| format!(", for {}", span_text(until.since(from))));
        let (parts, span) = (apart.parts.len(), span.unwrap_or_default());
        let up_to = if parts > 2 { "up to " } else { "" };
        format!("in {up_to}{parts} parts{from}{until}{span}: {}{}", self.parts(&apart.parts), cause(why))
    }

    fn fault(self, change: Change, fault: &Fault, at: &str) -> String {
        let fault = fault.text(&|addr| self.name(addr));
        let verb = match self.happened(change) {
            Change::New => "set",
            Change::Gone => "ended",
            Change::Passed => "set and ended",
        };
        format!("{} {fault}, {verb}{at}", sign(change))
    }

    /// `p1 and p2 | p3, p4 and p5`.
    fn parts(self, parts: &OverlayParts) -> String {
        let mut told: Vec<String> = parts.iter().take(PARTS_MAX).map(|part| self.names(part)).collect();
        if parts.len() > PARTS_MAX {
            told.push(format!("{} more", parts.len() - PARTS_MAX));
        }
        told.join(" | ")
    }

    /// How many began, and which of them did not reach everybody: those that the same nodes lack for
    /// the same reasons in one line, the largest group first.
    fn messages(self, began: usize, incomplete: &[Incomplete]) -> Vec<String> {
        let count = count_text(began as u64, "message");
        let all = match incomplete.len() {
            0 => format!("{count} began, and reached everybody or are on their way"),
            late => format!("{count} began, of which {late} did not reach everybody"),
        };
        let mut alike: Map<AlikeKey<'_>, Vec<MessageId>> = Map::default();
        for Incomplete { message, coverage, lacking } in incomplete {
            alike.entry((coverage.have, coverage.of, lacking.as_slice())).or_default().push(*message);
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_by_key(|(_, messages)| std::cmp::Reverse(messages.len()));
        let groups = alike.into_iter().map(|((have, of, lacking), messages)| {
            let names: Vec<String> = messages.iter().map(|message| self.model.message_name(*message)).collect();
            format!("{} {have}/{of}: {}", list_text(&names, MESSAGES_MAX), self.lacks(lacking))
        });
        std::iter::once(all).chain(groups).collect()
    }

    /// `p4 lacks it: it was killed, and so do p5 and p6`.
    fn lacks(self, lacking: &[(Addr, String)]) -> String {
        let mut reasons: Map<&str, Vec<Addr>> = Map::default();
        for (node, why) in lacking {
            reasons.entry(why).or_default().push(*node);
        }
        let told = reasons.iter().filter_map(|(why, nodes)| {
            let (first, others) = nodes.split_first()?;
            let others = if others.is_empty() { String::new() } else { format!("; so does {}", self.names(others)) };
            let others = if nodes.len() > 2 { others.replacen("so does", "so do", 1) } else { others };
            Some(format!("{} lacks it: {why}{others}", self.name(*first)))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    fn link(self, change: Change, [a, b]: [Addr; 2], purpose: Purpose, told: (&str, Option<&str>)) -> String {
        let ((since, why), [a, b]) = (told, [self.name(a), self.name(b)]);
        let what = match purpose {
            Purpose::Neighbor => "link",
            Purpose::Registration => "registration",
        };
        let sign = sign(change);
        let why = why.unwrap_or_default();
        // Why a link ended is a sentence that begins with the link.
        for (one, other) in [(&a, &b), (&b, &a)] {
            if let Some(rest) = why.strip_prefix(&format!("The {what} {one} - {other} ")) {
                return format!("{sign} {what} {one} - {other}: {rest}");
            }
        }
        let because = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("{sign} {what} {a} - {b}{since}{because}")
    }
}

const fn sign(change: Change) -> &'static str {
    match change {
        Change::Gone => "-",
        Change::New => "+",
        Change::Passed => " ",
    }
}

/// Why, after what.
fn cause(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!("; cause: {why}"))
}

pub(super) fn state_text(state: Option<ObservedState>) -> String {
    state.map_or_else(|| "not known".to_owned(), state_word)
}
