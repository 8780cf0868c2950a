//! Faults: what can be done to the network on purpose, as data.
//!
//! A fault lasts until it is cleared: what it does, and where. Machines know nothing of faults;
//! they are the drivers' business, and `crate::engine::fault` tells drivers what becomes of a
//! message.

use std::fmt;
use std::iter;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::EnumDiscriminants;

use super::addr::Addr;
use super::name::name_order;

/// The number of a fault, counted by the session in which it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

/// Something wrong with the network, from when it is set until it is cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub what: FaultKind,
    pub on: Scope,
}

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    All,
    /// At one node: on all that it sends and gets.
    Node(Addr),
    /// Between two nodes, both ways; the lower address first: see [`Scope::link`].
    Link(Addr, Addr),
    /// Between these nodes and all others, in order: see [`Scope::border`].
    Border(Vec<Addr>),
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(FaultClass),
    derive(PartialOrd, Ord, Hash, Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
#[strum_discriminants(doc = "A [`FaultKind`] without its amounts: what a command names when it clears one.")]
#[serde(rename_all = "snake_case", tag = "trouble")]
pub enum FaultKind {
    /// Nothing gets through, not even a dial, and nobody is told: like a cable that was cut.
    Cut,
    /// Messages take longer, and keep their order.
    Delay {
        /// Microseconds.
        by_us: u64,
        /// Up to this many microseconds more, at random.
        jitter_us: u64,
    },
    /// Messages get lost.
    Loss { percent: Percent },
    /// Messages come twice.
    Duplicate { percent: Percent },
    /// Messages are held back, so that later ones overtake them.
    Reorder {
        percent: Percent,
        /// The longest time that they are held, in microseconds.
        window_us: u64,
    },
    /// The node reads slowly; what it does not read waits with its neighbors.
    Slow {
        /// Messages per second.
        per_s: u32,
    },
    /// The node's clock is wrong, and so are the times that it writes.
    Skew {
        /// Microseconds ahead of the true time.
        by_us: i64,
    },
    /// A stranger connects to the node again and again and sends junk.
    Junk {
        /// Connections per second.
        per_s: u32,
    },
}

/// What a user wants of the faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCommand {
    /// Set a fault. It replaces a fault of the same kind at the same place.
    Set(Fault),
    /// Clear a fault.
    Clear { kind: FaultClass, on: Scope },
    /// Clear all partitions.
    HealPartitions,
    /// Clear all cuts and partitions.
    HealAll,
    /// Make a peer tell its seeds that a live node is dead.
    Lie {
        /// A peer of this process.
        liar: Addr,
        /// Any other node.
        about: Addr,
    },
    /// Clear all faults, and restart killed and hung nodes.
    Calm,
}

/// What there is to know of a kind of fault besides its amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRow {
    /// The command that sets it.
    pub word: &'static str,
    /// It affects messages on their way. Others are about a node as a whole.
    pub meets_messages: bool,
    pub hindrance: Hindrance,
}

/// What a fault does to the arrival of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    None,
    /// They arrive later.
    Delays,
    /// They do not arrive.
    Stops,
}

/// An amount as a command has it. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Span(u64),
    /// Ahead of the true time.
    Offset(i64),
    Percent(Percent),
    PerSecond(u32),
}

/// A span in one word: `100ms`, `1s500ms`.
pub fn span_word(span: Duration) -> String {
    humantime::format_duration(span).to_string().replace(' ', "")
}

/// `100ms`, `+5s`, `30%`, `5/s`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(micros) => f.write_str(&span_word(Duration::from_micros(*micros))),
            Self::Offset(micros) => {
                let sign = if *micros < 0 { '-' } else { '+' };
                write!(f, "{sign}{}", Self::Span(micros.unsigned_abs()))
            }
            Self::Percent(percent) => percent.fmt(f),
            Self::PerSecond(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// A percentage from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

/// A percentage above 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}% is more than 100%")]
pub struct TooMuch(u8);

impl Percent {
    /// `None` above 100.
    pub const fn new(of_hundred: u8) -> Option<Self> {
        if of_hundred <= 100 { Some(Self(of_hundred)) } else { None }
    }

    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = TooMuch;

    fn try_from(of_hundred: u8) -> Result<Self, TooMuch> {
        Self::new(of_hundred).ok_or(TooMuch(of_hundred))
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Scope {
    /// Between two nodes, in whichever order they are named.
    pub fn link(one: Addr, other: Addr) -> Self {
        Self::Link(one.min(other), one.max(other))
    }

    /// Between these nodes and all others, in whichever order and however often they are named.
    pub fn border(mut nodes: Vec<Addr>) -> Self {
        nodes.sort_unstable();
        nodes.dedup();
        Self::Border(nodes)
    }

    /// Whether traffic between these nodes passes here.
    pub fn is_between(&self, one: Addr, other: Addr) -> bool {
        match self {
            Self::All => true,
            Self::Node(node) => *node == one || *node == other,
            Self::Link(low, high) => (*low, *high) == (one.min(other), one.max(other)),
            Self::Border(inside) => inside.binary_search(&one).is_ok() != inside.binary_search(&other).is_ok(),
        }
    }

    /// Whether this node is within it: the node itself, an end of the link, a node inside the
    /// border.
    pub fn names(&self, node: Addr) -> bool {
        self.nodes().contains(&node)
    }

    /// Whether it concerns the node as a whole, not just one of its links.
    pub fn is_at(&self, node: Addr) -> bool {
        match self {
            Self::All => true,
            Self::Node(here) => *here == node,
            Self::Link(..) | Self::Border(_) => false,
        }
    }

    /// The nodes that it names; none if it is everywhere.
    pub fn nodes(&self) -> Vec<Addr> {
        match self {
            Self::All => Vec::new(),
            Self::Node(node) => vec![*node],
            Self::Link(one, other) => vec![*one, *other],
            Self::Border(nodes) => nodes.clone(),
        }
    }
}

impl FaultClass {
    pub const fn row(self) -> FaultRow {
        let (word, meets_messages, hindrance) = match self {
            Self::Cut => ("cut", true, Hindrance::Stops),
            Self::Delay => ("delay", true, Hindrance::Delays),
            Self::Loss => ("loss", true, Hindrance::Stops),
            Self::Duplicate => ("duplicate", true, Hindrance::None),
            Self::Reorder => ("reorder", true, Hindrance::Delays),
            Self::Slow => ("slow", false, Hindrance::Delays),
            Self::Skew => ("skew", false, Hindrance::None),
            Self::Junk => ("junk", false, Hindrance::None),
        };
        FaultRow { word, meets_messages, hindrance }
    }

    /// The fault with these amounts; `None` if it takes others.
    pub fn with(self, amounts: &[Amount]) -> Option<FaultKind> {
        use Amount::{Offset, PerSecond, Percent, Span};
        Some(match (self, amounts) {
            (Self::Cut, []) => FaultKind::Cut,
            (Self::Delay, &[Span(by_us), Span(jitter_us)]) => FaultKind::Delay { by_us, jitter_us },
            (Self::Loss, &[Percent(percent)]) => FaultKind::Loss { percent },
            (Self::Duplicate, &[Percent(percent)]) => FaultKind::Duplicate { percent },
            (Self::Reorder, &[Percent(percent), Span(window_us)]) => FaultKind::Reorder { percent, window_us },
            (Self::Slow, &[PerSecond(per_s)]) => FaultKind::Slow { per_s },
            (Self::Skew, &[Offset(by_us)]) => FaultKind::Skew { by_us },
            (Self::Junk, &[PerSecond(per_s)]) => FaultKind::Junk { per_s },
            (_, _) => return None,
        })
    }
}

impl FaultKind {
    /// The kind of fault, without its amounts.
    pub fn class(self) -> FaultClass {
        self.into()
    }

    /// Its amounts, in the order in which a command has them.
    pub fn amounts(self) -> Vec<Amount> {
        match self {
            Self::Cut => vec![],
            Self::Delay { by_us, jitter_us } => vec![Amount::Span(by_us), Amount::Span(jitter_us)],
            Self::Loss { percent } | Self::Duplicate { percent } => vec![Amount::Percent(percent)],
            Self::Reorder { percent, window_us } => vec![Amount::Percent(percent), Amount::Span(window_us)],
            Self::Slow { per_s } | Self::Junk { per_s } => vec![Amount::PerSecond(per_s)],
            Self::Skew { by_us } => vec![Amount::Offset(by_us)],
        }
    }

    /// The longest delay that it adds to a message. What a slow reader has left with its neighbors
    /// is not known.
    pub fn delay_max(self) -> Duration {
        let spans = self.amounts().into_iter().filter_map(|amount| match amount {
            Amount::Span(micros) => Some(micros),
            Amount::Offset(_) | Amount::Percent(_) | Amount::PerSecond(_) => None,
        });
        Duration::from_micros(spans.fold(0, u64::saturating_add))
    }
}

impl Fault {
    /// Whether this fault takes the other's place when both are set: the same kind at the same
    /// place.
    pub fn replaces(&self, other: &Self) -> bool {
        self.what.class() == other.what.class() && self.on == other.on
    }

    /// Whether nothing passes between some nodes and all others.
    pub const fn is_partition(&self) -> bool {
        matches!((&self.on, self.what), (Scope::Border(_), FaultKind::Cut))
    }

    /// The node of its events: the first that it names, or `127.0.0.1:0` if it is everywhere.
    pub fn subject(&self) -> Addr {
        self.on.nodes().first().copied().unwrap_or(Addr::loopback(0))
    }

    /// The fault as the command that sets it: `loss p1 p2 30%`, `partition p1 p2 p3`.
    pub fn text(&self, name: &dyn Fn(Addr) -> String) -> String {
        let word = if self.is_partition() { "partition" } else { self.what.class().row().word };
        let mut amounts = self.what.amounts();
        // Without jitter there is one amount.
        if matches!(self.what, FaultKind::Delay { jitter_us: 0, .. }) {
            amounts.pop();
        }
        let begin = format!("{word}{}", self.on.text(name));
        iter::once(begin).chain(amounts.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
    }

    /// The command that ends it: `loss p1 p2 off`, `heal p1 p2`; a partition ends with all others.
    pub fn end_text(&self, name: &dyn Fn(Addr) -> String) -> String {
        if self.is_partition() { "heal partition".to_owned() } else { self.on.end_text(self.what.class(), name) }
    }
}

impl Scope {
    /// The scope as a command has it: ` p1 p2`, ` all`.
    pub fn text(&self, name: &dyn Fn(Addr) -> String) -> String {
        match self {
            Self::All => " all".to_owned(),
            Self::Node(_) | Self::Link(..) | Self::Border(_) => {
                iter::once(String::new()).chain(self.names_in_order(name)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// The command that ends a fault of this kind here.
    pub fn end_text(&self, kind: FaultClass, name: &dyn Fn(Addr) -> String) -> String {
        match kind {
            FaultClass::Cut => format!("heal{}", self.text(name)),
            kind => format!("{}{} off", kind.row().word, self.text(name)),
        }
    }

    /// The names of its nodes: p2 before p10, whatever their addresses.
    pub fn names_in_order(&self, name: &dyn Fn(Addr) -> String) -> Vec<String> {
        let mut names: Vec<String> = self.nodes().into_iter().map(name).collect();
        names.sort_by_cached_key(|name| name_order(name));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_in_or_out_passes_a_border() {
        let [a, b, c, d] = [3000, 3001, 3002, 3003].map(Addr::loopback);
        let border = Scope::border(vec![b, a, b]);
        assert_eq!(border, Scope::Border(vec![a, b]));
        assert!(border.is_between(a, c) && border.is_between(d, b));
        assert!(!border.is_between(a, b) && !border.is_between(c, d));
    }

    #[test]
    fn a_fault_of_each_kind_is_made_of_its_amounts() {
        let percent = Percent::new(30).unwrap();
        for kind in [
            FaultKind::Cut,
            FaultKind::Delay { by_us: u64::MAX, jitter_us: 2 },
            FaultKind::Loss { percent },
            FaultKind::Duplicate { percent },
            FaultKind::Reorder { percent, window_us: 3 },
            FaultKind::Slow { per_s: 4 },
            FaultKind::Skew { by_us: i64::MIN },
            FaultKind::Junk { per_s: 5 },
        ] {
            assert_eq!(kind.class().with(&kind.amounts()), Some(kind));
            assert_eq!(kind.class().with(&[Amount::Span(1); 3]), None);
        }
    }

    #[test]
    fn a_fault_reads_as_the_command_that_sets_it() {
        let [a, b] = [3000, 3001].map(Addr::loopback);
        let name = |addr: Addr| format!("p{}", addr.port() - 2999);
        let text = |what, on| Fault { what, on }.text(&name);
        assert_eq!(text(FaultKind::Cut, Scope::link(b, a)), "cut p1 p2");
        assert_eq!(text(FaultKind::Cut, Scope::border(vec![b, a])), "partition p1 p2");
        let delay = FaultKind::Delay { by_us: 1_500_000, jitter_us: 50_000 };
        assert_eq!(text(delay, Scope::Node(b)), "delay p2 1s500ms 50ms");
        let percent = Percent::new(30).unwrap();
        assert_eq!(text(FaultKind::Loss { percent }, Scope::All), "loss all 30%");
        assert_eq!(text(FaultKind::Skew { by_us: -5_000_000 }, Scope::Node(a)), "skew p1 -5s");
        assert_eq!(text(FaultKind::Junk { per_s: 5 }, Scope::Node(a)), "junk p1 5/s");
    }

    #[test]
    fn a_fault_reads_back_from_a_file_and_over_100_is_refused() {
        let on = Scope::link(Addr::loopback(1), Addr::loopback(2));
        let fault = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on };
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(json, r#"{"trouble":"loss","percent":30,"on":{"link":["127.0.0.1:1","127.0.0.1:2"]}}"#);
        assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
        assert!(serde_json::from_str::<Fault>(&json.replace("30", "130")).is_err());
    }
}
