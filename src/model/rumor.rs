//! Rumors: every message, who has it, and by which path it came.

use std::time::Duration;

use super::node::{NodeRecord, NodeRecords};
use super::ring::Ring;
use super::{FastHashMap, Map};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Messages that are kept.
pub const RUMORS_MAX: usize = 4_096;
/// First copies and proofs that are kept, over all messages: one message at 100,000 nodes, or 1,300
/// messages at 200 nodes; about 20 MB.
pub const COPIES_MAX: usize = 262_144;

/// Copies for which a new message makes room at once, if the one before it has as many: so a lab of
/// the usual size grows no tables, and messages that go nowhere take little.
const ROOM_MAX: usize = 128;

/// Bytes of all bodies that are kept, here and in the gossip log each: a thousand texts of 8 KiB.
/// The 60 KiB texts of a flood take no more.
pub const BODIES_LEN_MAX: usize = 8 * 1024 * 1024;

/// How long after its beginning a message has reached every node, unless something is wrong: a
/// thousand times what it takes on one machine, and longer than it takes to notice a reset link.
pub const DELIVERY_TIME: Duration = Duration::from_secs(5);
/// First copies of one message that follow each other so closely belong to one spread.
pub const SETTLED_WITHIN: Duration = Duration::from_secs(1);
/// A node that stops this soon after the spread of a message was over, or before, is excused from it.
pub const EXCUSED_WITHIN: Duration = Duration::from_millis(100);
/// The oldest beginning that a trace may claim: the clock of an origin elsewhere may be wrong.
const TRACE_AGE_MAX: Duration = Duration::from_secs(60);

/// Forgeries that are kept: one in ten seconds for each node, so the last minutes of an attack on a
/// whole lab.
pub const FORGERIES_MAX: usize = 256;

/// How many peers have a message, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Peers of this process that have it and count (see [`Counting`]).
    pub have: usize,
    /// Those, and the ones that should have it.
    pub of: usize,
}

impl Coverage {
    pub fn is_full(self) -> bool {
        self.have == self.of
    }
}

/// Which of the peers of this process that ran when a message began count for its coverage. A peer
/// that started later is not sent earlier messages, and counts only if the message reached it
/// anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Peers that ran on until its spread was over (see [`Rumor::settled`]), whatever became of them
    /// later; one that stopped or hung before is excused. This is what is shown.
    HadTime,
    /// Peers that have run without a break since it began, or since it reached them. This is what a
    /// scenario expects: nothing of a peer that it has just killed or restarted, and a copy that
    /// came in an earlier life does not count.
    StillRun,
}

/// Relative message redundancy of this many copies for this many deliveries, without the origin.
#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
pub(super) fn redundancy(copies: u64, deliveries: usize) -> Option<f64> {
    (deliveries > 0).then(|| copies as f64 / deliveries as f64 - 1.0)
}

/// The first copy of a message at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCopy {
    /// `None` at the origin.
    pub from: Option<Addr>,
    /// Links that it had crossed; 0 at the origin, `None` if unknown.
    pub hop: Option<u16>,
    /// If that is unknown because it came over nodes elsewhere: the links of the shortest path
    /// known here.
    pub hop_known: Option<u16>,
    pub at: Time,
    /// Copies that came later.
    pub duplicates: u32,
    /// Neighbors to which the node sent it on.
    pub forwarded: u32,
}

impl MessageCopy {
    /// Links that it had crossed, for certain or by the shortest path known here.
    pub fn hops(&self) -> Option<u16> {
        self.hop.or(self.hop_known)
    }
}

/// The first copy of a message that a node elsewhere sent to one of ours: it had the message by
/// then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignCopy {
    /// The node of ours that received the copy.
    pub to: Addr,
    pub at: Time,
    /// The nearest node of ours that had sent it the message before. It may have got it from
    /// another node.
    pub perhaps_from: Option<Addr>,
}

/// A first copy on its last link, both ends of which are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    pub from: Addr,
    pub to: Addr,
    /// When it arrived.
    pub at: Time,
    /// From when the sender had the message: in its queue, on the way, and until it was read.
    pub took: Duration,
}

/// One message, and who has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rumor {
    pub id: MessageId,
    pub body: Body,
    /// By its trace, or when our own origin made it.
    pub generated_at: Option<Time>,
    /// When it was first seen here.
    pub first_seen: Time,
    /// When a node here last saw it for the first time.
    pub last_first: Time,
    /// When its spread was over: the latest first copy that came within [`SETTLED_WITHIN`] of the one
    /// before. One that comes later was held up.
    pub settled: Time,
    /// Nodes of ours that have it, in the order in which it came.
    pub copies: Map<Addr, MessageCopy>,
    /// Nodes elsewhere that sent a copy to a node of ours, see [`Rumor::elsewhere`].
    pub(super) proofs: Map<Addr, ForeignCopy>,
    /// Copies after the first, at all nodes together.
    pub duplicates: u64,
    /// The most links that a first copy had crossed, as far as known.
    pub hop_max: u16,
    /// Copies came over nodes elsewhere, so the number of links that they crossed is unknown.
    pub is_hop_uncertain: bool,
    /// Its number in the gossip log.
    pub line: u64,
}

/// What is known of the beginning of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Began {
    /// An origin of this process begins it now, whatever its own clock says.
    Here,
    /// Its trace says when; ignored if that is too long ago to be true.
    Trace(Time),
}

impl Rumor {
    /// A lower bound of the links that it has crossed, when it comes from a node of ours that has it.
    pub(super) fn hop_known_from(&self, from: Addr) -> Option<u16> {
        self.copies.get(&from)?.hop_known?.checked_add(1)
    }

    /// Links that it has crossed when it comes from this neighbor, as far as its path is known: the
    /// classic dialect does not carry it.
    pub(super) fn hop_from(&self, from: Addr) -> Option<u16> {
        self.copies.get(&from)?.hop?.checked_add(1)
    }

    /// How its first copies came, in the order in which they did.
    pub fn crossings(&self) -> impl Iterator<Item = Crossing> {
        self.copies.iter().filter_map(|(to, copy)| {
            let from = copy.from?;
            let sender = self.copies.get(&from)?;
            Some(Crossing { from, to: *to, at: copy.at, took: copy.at.since(sender.at) })
        })
    }

    /// Nodes of ours that have it.
    pub fn reached(&self) -> usize {
        self.copies.len()
    }

    /// The time from its beginning to the latest first copy, in microseconds.
    pub fn spread_us(&self) -> u64 {
        u64::try_from(self.last_first.since(self.began()).as_micros()).unwrap_or(u64::MAX)
    }

    /// When it began, as far as known. The clock of an origin elsewhere may be wrong, so its claim
    /// counts only until the message was first seen here.
    pub fn began(&self) -> Time {
        self.generated_at.map_or(self.first_seen, |at| at.min(self.first_seen))
    }

    /// Whether this node should have it. The origin never should: a message that it did not send
    /// was forged.
    pub fn is_due_at(&self, node: &NodeRecord, counting: Counting) -> bool {
        node.role == Some(Role::Peer) && node.addr != self.id.origin && self.ran(node, counting)
    }

    /// Every node that ran until then had time to get it.
    pub(super) fn had_time_by(&self) -> Time {
        (self.settled + EXCUSED_WITHIN).min(self.began() + DELIVERY_TIME)
    }

    fn ran(&self, node: &NodeRecord, counting: Counting) -> bool {
        let began = self.began();
        match counting {
            Counting::HadTime => node.lives.ran_throughout(began, self.had_time_by()),
            Counting::StillRun => node.runs() && node.life_since() <= began,
        }
    }

    /// The nodes that should have it and do not.
    pub fn lacking<'a>(&'a self, nodes: &'a NodeRecords, counting: Counting) -> impl Iterator<Item = &'a NodeRecord> {
        nodes.iter().filter(move |node| self.is_due_at(node, counting) && !self.copies.contains_key(&node.addr))
    }

    /// How many have it, of those that have it or should have it.
    pub fn coverage(&self, nodes: &NodeRecords, counting: Counting) -> Coverage {
        let still_runs = |(node, copy): &(&Addr, &MessageCopy)| {
            nodes.get(**node).is_some_and(|node| node.runs() && node.life_since() <= copy.at)
        };
        let have = match counting {
            Counting::HadTime => self.reached(),
            Counting::StillRun => self.copies.iter().filter(still_runs).count(),
        };
        Coverage { have, of: have + self.lacking(nodes, counting).count() }
    }

    /// Copies for each delivery beyond the one that is needed: relative message redundancy
    /// (Plumtree, section 4.1), m / (n - 1) - 1 with m copies at n nodes; `None` if it went
    /// nowhere.
    pub fn redundancy(&self) -> Option<f64> {
        let deliveries = self.copies.values().filter(|copy| copy.from.is_some()).count();
        redundancy(deliveries as u64 + self.duplicates, deliveries)
    }
}

/// Messages that made room.
pub(super) type Forgotten = Vec<Rumor>;

/// The latest messages, by number (see [`Ring`]) and by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Rumors {
    held: Ring<Rumor>,
    numbers: FastHashMap<MessageId, u64>,
    copies: usize,
    bodies_len: usize,
}

impl Default for Rumors {
    fn default() -> Self {
        Self { held: Ring::new(RUMORS_MAX), numbers: FastHashMap::default(), copies: 0, bodies_len: 0 }
    }
}

impl Rumors {
    pub fn ring(&self) -> &Ring<Rumor> {
        &self.held
    }

    /// Half of what can be held is held: the oldest may be forgotten soon.
    pub fn is_crowded(&self) -> bool {
        let limits = [(self.held.len(), RUMORS_MAX), (self.copies, COPIES_MAX), (self.bodies_len, BODIES_LEN_MAX)];
        limits.into_iter().any(|(held, most)| held > most / 2)
    }

    /// The message with this id, if it is still held.
    pub fn get(&self, id: MessageId) -> Option<&Rumor> {
        self.held.get(self.number(id)?)
    }

    pub(super) fn number(&self, id: MessageId) -> Option<u64> {
        self.numbers.get(&id).copied()
    }

    /// The message with this number: found once for an event.
    pub(super) fn at(&self, number: Option<u64>) -> Option<&Rumor> {
        self.held.get(number?)
    }

    /// The message that was first seen last.
    pub fn latest(&self) -> Option<&Rumor> {
        self.held.last().map(|(_, rumor)| rumor)
    }

    /// A node of ours has this message for the first time. `number`: the message's, if it is held.
    /// `line`: that of a new message. `began`: see [`Began`]. Returns the messages that had to go.
    pub(super) fn first_copy(
        &mut self,
        number: Option<u64>,
        (id, body, line): (MessageId, &Body, Option<u64>),
        (node, copy): (Addr, MessageCopy),
        began: Option<Began>,
    ) -> Forgotten {
        let mut gone = Forgotten::new();
        let number = number.unwrap_or_else(|| {
            let (number, oldest) = self.hold(id, body, copy.at, line.unwrap_or(u64::MAX));
            gone.extend(oldest);
            number
        });
        let Some(rumor) = self.held.get_mut(number) else { return gone };
        rumor.hop_max = rumor.hop_max.max(copy.hops().unwrap_or(0));
        rumor.is_hop_uncertain |= copy.hop.is_none();
        rumor.last_first = copy.at;
        if copy.at.since(rumor.settled) <= SETTLED_WITHIN {
            rumor.settled = rumor.settled.max(copy.at);
        }
        match began {
            Some(Began::Here) => rumor.generated_at = Some(copy.at),
            Some(Began::Trace(at)) if rumor.first_seen.since(at) <= TRACE_AGE_MAX => {
                rumor.generated_at.get_or_insert(at);
            }
            Some(Began::Trace(_)) | None => {}
        }
        // A second first copy: the node had forgotten that it has the message. The first one
        // counts.
        if let indexmap::map::Entry::Vacant(place) = rumor.copies.entry(node) {
            place.insert(copy);
            self.copies += 1;
        }
        gone.extend(self.make_room());
        gone
    }

    fn get_mut(&mut self, id: MessageId) -> Option<&mut Rumor> {
        self.held.get_mut(*self.numbers.get(&id)?)
    }

    /// Counts another copy at this node.
    pub(super) fn duplicate(&mut self, id: MessageId, node: Addr) {
        let Some(rumor) = self.get_mut(id) else { return };
        rumor.duplicates += 1;
        if let Some(copy) = rumor.copies.get_mut(&node) {
            copy.duplicates = copy.duplicates.saturating_add(1);
        }
    }

    /// A node elsewhere has this message: it sent a copy.
    /// Returns the messages that had to go.
    pub(super) fn proved(&mut self, id: MessageId, node: Addr, proof: ForeignCopy) -> Forgotten {
        let Some(rumor) = self.get_mut(id) else { return Forgotten::new() };
        if let indexmap::map::Entry::Vacant(place) = rumor.proofs.entry(node) {
            place.insert(proof);
            self.copies += 1;
        }
        self.make_room()
    }

    fn hold(&mut self, id: MessageId, body: &Body, at: Time, line: u64) -> (u64, Option<Rumor>) {
        let room = self.latest().map_or(0, |before| before.copies.len().min(ROOM_MAX));
        let rumor = Rumor {
            id,
            body: body.clone(),
            generated_at: None,
            first_seen: at,
            last_first: at,
            settled: at,
            copies: Map::with_capacity_and_hasher(room, foldhash::fast::RandomState::default()),
            proofs: Map::default(),
            duplicates: 0,
            hop_max: 0,
            is_hop_uncertain: false,
            line,
        };
        self.bodies_len += body.len();
        let (number, gone) = self.held.push(rumor);
        self.forget(gone.as_ref());
        self.numbers.insert(id, number);
        (number, gone)
    }

    /// Forgets the oldest messages while there are too many copies or bytes; the latest always
    /// stays.
    fn make_room(&mut self) -> Forgotten {
        let mut gone = Forgotten::new();
        while (self.copies > COPIES_MAX || self.bodies_len > BODIES_LEN_MAX) && self.held.len() > 1 {
            let oldest = self.held.pop();
            self.forget(oldest.as_ref());
            gone.extend(oldest);
        }
        gone
    }

    fn forget(&mut self, gone: Option<&Rumor>) {
        if let Some(rumor) = gone {
            self.copies -= rumor.copies.len() + rumor.proofs.len();
            self.bodies_len -= rumor.body.len();
            self.numbers.remove(&rumor.id);
        }
    }
}

/// A node got a message in its own name that it had not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgery {
    pub at: Time,
    /// Its origin is the node in whose name it was forged.
    pub id: MessageId,
    /// The neighbor that brought it.
    pub from: Addr,
}

pub type Forgeries = Ring<Forgery>;

pub(super) fn no_forgeries() -> Forgeries {
    Ring::new(FORGERIES_MAX)
}
