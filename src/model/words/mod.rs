//! Events in words: one file a family, one place an event.
//!
//! People read an event in several styles: as a sentence (the journal's export, the notices), as a
//! line of a log file, as a line of the gossip log, as evidence in an answer. A family says all of
//! it side by side, and who gets to read it ([`Readers`]).

pub(super) mod death;
mod failure;
mod fault;
mod gossip;
pub mod link;
mod node;
mod probe;
mod reason;
mod seed;
#[cfg(test)]
mod tests;
mod text;

pub use death::action_text;
pub use seed::delisted;
pub use text::{clock_text, count_text, hops_text, list_text, second_text, size_text, span_text};

use std::time::Duration;

use super::notice::Severity;
use crate::event::{Event, EventKind, LossReason, MessageLoss};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::message::MessageId;
use crate::proto::text::Escaped;
use crate::proto::time::Time;

/// How words name a node.
pub type NameOf<'a> = &'a dyn Fn(Addr) -> String;

/// Who gets to read an event, besides those who look at all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readers {
    /// How much it matters to a user who did not look for it; `None`: not at all.
    pub notice: Option<Severity>,
    /// It has a line in the gossip log.
    pub gossip_log: bool,
    /// It has a line in its node's log file.
    pub log_file: bool,
}

impl Readers {
    /// Nobody: another event tells the same.
    const NOBODY: Self = Self { notice: None, gossip_log: false, log_file: false };
    const LOG_FILE: Self = Self { log_file: true, ..Self::NOBODY };
    const BOTH_LOGS: Self = Self { gossip_log: true, ..Self::LOG_FILE };

    const fn and_user(self, severity: Severity) -> Self {
        Self { notice: Some(severity), ..self }
    }
}

/// A line of the gossip log, without its time and the text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipLine {
    pub from: Addr,
    /// `None`: it concerns one node alone.
    pub to: Option<Addr>,
    /// What kind of thing happened: `GOSSIP`, `LINK`.
    pub tag: &'static str,
    pub tone: LineTone,
    pub text: String,
}

/// What a line means for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineTone {
    /// Something begins.
    Good,
    Plain,
    /// Said by the way.
    Aside,
    /// Something may be wrong.
    Doubtful,
    Bad,
}

/// The events of one family in words. What came from the network is escaped, so whatever is said is
/// one line.
trait Words {
    fn readers(&self) -> Readers;

    /// With nodes by name. The node where it happened is not named.
    fn sentence(&self, name: NameOf<'_>) -> String;

    /// Its line in the gossip log of `node`, if its readers look there.
    fn line(&self, _node: Addr, _name: NameOf<'_>) -> Option<GossipLine> {
        None
    }

    /// Its line in the log files of the original programs, byte for byte, if they have one.
    fn python_line(&self, _place: LogPlace) -> Option<String> {
        None
    }
}

/// Where and when an event is written into a log file.
#[derive(Clone, Copy)]
struct LogPlace {
    at: Time,
    node: Addr,
    /// Times of day are those of a clock this far ahead of UTC.
    utc_offset_s: i32,
}

fn words(kind: &EventKind) -> &dyn Words {
    match kind {
        EventKind::Node(event) => event,
        EventKind::Link(event) => event,
        EventKind::Gossip(event) => event,
        EventKind::Probe(event) => event,
        EventKind::Death(event) => event,
        EventKind::Seed(event) => event,
        EventKind::Fault(event) => event,
    }
}

pub fn readers(kind: &EventKind) -> Readers {
    words(kind).readers()
}

pub fn sentence(kind: &EventKind, name: NameOf<'_>) -> String {
    words(kind).sentence(name)
}

/// The line that this event leaves in its node's log file, without a line end; `None` if it leaves
/// none. Those of the original programs come out byte for byte; anything else is a sentence.
pub fn log_line(event: &Event, utc_offset_s: i32) -> Option<String> {
    let words = words(&event.kind);
    let place = LogPlace { at: event.at, node: event.node, utc_offset_s };
    let known = || words.python_line(place).unwrap_or_else(|| words.sentence(&|addr| addr.python().to_string()));
    words.readers().log_file.then(known)
}

/// The line that an event at `node` leaves in the gossip log.
pub(super) fn gossip_line(kind: &EventKind, node: Addr, name: NameOf<'_>) -> Option<GossipLine> {
    words(kind).line(node, name)
}

fn message(id: MessageId, name: NameOf<'_>) -> String {
    format!("{}{id}", name(id.origin))
}

/// What became of a message on its way, and why.
fn lost(what: &str, loss: &MessageLoss, name: NameOf<'_>) -> String {
    let (from, to, why) = (name(loss.from), name(loss.to), loss_text(loss, name));
    format!("{what} from {from} to {to} did not arrive: {why}")
}

/// Why a message did not arrive.
pub(super) fn loss_text(loss: &MessageLoss, name: NameOf<'_>) -> String {
    match loss.why {
        LossReason::Fault(FaultId(number)) => format!("fault {number} swallowed it"),
        LossReason::QueueFull => "the queue was full".to_owned(),
        LossReason::LinkEnded => "the link had ended".to_owned(),
        LossReason::Hung => format!("{} hangs", name(loss.to)),
    }
}

fn micros(micros: u64) -> String {
    span_text(Duration::from_micros(micros))
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
