//! Which messages reached everybody, and how long they took.
//!
//! The model keeps the latest messages; here every message of a run is judged once its time is
//! over, and only those that somebody lacks are kept by name.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::event::{Event, EventKind, GossipEvent};
use crate::model::rumor::DELIVERY_TIME;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::name::name_order;
use crate::proto::time::{Time, micros};

/// How long a copy may take to count: longer than most faults hold one back. Copies that come later
/// do not count.
const TIME_MAX: Duration = Duration::from_secs(60);
/// A message that is younger at the end of a run is on its way: in virtual time, and on one machine,
/// a thousand times what a copy takes.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
/// Messages that somebody lacks which are kept by name.
const LACKED_MAX: usize = 10_000;
/// Delays are kept to three digits, more than anybody compares.
const DIGITS: u8 = 3;

/// Who has each message, while it spreads.
#[derive(Debug)]
pub(super) struct Coverage {
    /// A number for each node that has had a message.
    numbers: Map<Addr, usize>,
    /// Messages that are not judged yet.
    open: Map<MessageId, Spread>,
    /// The same in the order in which they began.
    order: VecDeque<MessageId>,
    pub(super) judged: JudgedMessages,
}

/// Where a message has been.
#[derive(Debug)]
struct Spread {
    began: Time,
    /// A bit for each node.
    have: Vec<u64>,
}

/// Messages whose time is over.
#[derive(Debug)]
pub(super) struct JudgedMessages {
    pub(super) messages: u64,
    pub(super) incomplete: u64,
    /// Who lacks which message.
    pub(super) lacked: BTreeMap<String, Vec<String>>,
    /// From the beginning of a message to each first copy, in microseconds.
    pub(super) delays: Histogram<u64>,
}

impl Spread {
    fn reach(&mut self, number: usize) {
        let word = number / 64;
        if self.have.len() <= word {
            self.have.resize(word + 1, 0);
        }
        self.have[word] |= 1 << (number % 64);
    }

    fn has(&self, number: usize) -> bool {
        self.have.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

impl Coverage {
    pub(super) fn new() -> Option<Self> {
        let delays = Histogram::new(DIGITS).ok()?;
        let judged = JudgedMessages { messages: 0, incomplete: 0, lacked: BTreeMap::new(), delays };
        Some(Self { numbers: Map::default(), open: Map::default(), order: VecDeque::new(), judged })
    }

    /// Takes an event of a network that the model knows up to this event.
    pub(super) fn take(&mut self, event: &Event, model: &Model) {
        let EventKind::Gossip(gossip) = &event.kind else { return };
        match gossip {
            GossipEvent::Generated { id, .. } => self.begins(*id, event),
            GossipEvent::Received { id, .. } => self.arrives(*id, event),
            GossipEvent::Duplicate { .. } | GossipEvent::Forged { .. } | GossipEvent::Lost { .. } => {}
        }
        while let Some(id) = self.order.front().copied() {
            match self.open.get(&id) {
                Some(spread) if event.at.since(spread.began) <= TIME_MAX => break,
                Some(_) | None => self.judge_first(event.at, model),
            }
        }
    }

    fn begins(&mut self, id: MessageId, event: &Event) {
        let number = self.number(event.node);
        let mut spread = Spread { began: event.at, have: Vec::new() };
        spread.reach(number);
        if self.open.insert(id, spread).is_none() {
            self.order.push_back(id);
        }
    }

    fn arrives(&mut self, id: MessageId, event: &Event) {
        let number = self.number(event.node);
        let Some(spread) = self.open.get_mut(&id) else { return };
        if !spread.has(number) {
            spread.reach(number);
            // A histogram of its own size takes any value.
            let _ = self.judged.delays.record(micros(event.at.since(spread.began)));
        }
    }

    fn number(&mut self, node: Addr) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(node).or_insert(next)
    }

    /// The run is over at this time.
    pub(super) fn finish(mut self, end: Time, model: &Model) -> JudgedMessages {
        while !self.order.is_empty() {
            self.judge_first(end, model);
        }
        self.judged
    }

    fn judge_first(&mut self, now: Time, model: &Model) {
        let Some(id) = self.order.pop_front() else { return };
        let Some(spread) = self.open.swap_remove(&id) else { return };
        self.judged.messages += 1;
        if now.since(spread.began) < ON_ITS_WAY {
            return;
        }
        let lacking = self.lacking(id, &spread, now, model);
        if lacking.is_empty() {
            return;
        }
        self.judged.incomplete += 1;
        if self.judged.lacked.len() < LACKED_MAX {
            let name = free_name(&model.message_name(id), &self.judged.lacked);
            self.judged.lacked.insert(name, lacking);
        }
    }

    /// The peers that ran long enough after it began, and lack it, by name.
    fn lacking(&self, id: MessageId, spread: &Spread, now: Time, model: &Model) -> Vec<String> {
        let until = now.min(spread.began + DELIVERY_TIME);
        let lacks = |addr: &Addr| self.numbers.get(addr).is_none_or(|number| !spread.has(*number));
        let is_due = |addr: &Addr| *addr != id.origin && lacks(addr);
        let peers = model.nodes().iter().filter(|node| node.role == Some(Role::Peer) && is_due(&node.addr));
        let ran = peers.filter(|node| node.lives.ran_throughout(spread.began, until));
        let mut names: Vec<String> = ran.map(|node| model.name_of(node.addr).into_owned()).collect();
        names.sort_by_cached_key(|name| name_order(name));
        names
    }
}

/// A node that is restarted counts its messages from 1 again: the second `p3#12` is `p3#12 (2)`.
fn free_name(name: &str, taken: &BTreeMap<String, Vec<String>>) -> String {
    let nth = |nth: usize| if nth == 1 { name.to_owned() } else { format!("{name} ({nth})") };
    (1..=taken.len() + 1).map(nth).find(|name| !taken.contains_key(name)).unwrap_or_else(|| name.to_owned())
}
