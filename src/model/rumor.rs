//! The rumors: every message, who has it, and by which way it came.

use std::time::Duration;

use super::node::{Life, NodeRecord, NodeRecords};
use super::ring::Ring;
use super::{FastHashMap, Map};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Messages that are kept.
pub const RUMORS_MAX: usize = 4_096;
/// First copies and proofs that are kept, of all messages together: a message each of 100,000 nodes, or 200
/// nodes' share of 1,300 messages; about 20 MB.
pub const COPIES_MAX: usize = 262_144;

/// Bytes of all bodies that are kept together, here and in the log of lines each: a thousand texts of 8 KiB, and the
/// 60 KiB texts of a flood take no more.
pub const BODIES_LEN_MAX: usize = 8 * 1024 * 1024;

/// So long after a message began whoever should have it has it, unless something is wrong: a thousand
/// times what it takes on one machine, and the time in which a reset link is noticed.
pub const DELIVERY_TIME: Duration = Duration::from_secs(5);
/// What a trace says of a message's beginning counts up to this age: the clock of an origin elsewhere may be wrong.
const TRACE_AGE_MAX: Duration = Duration::from_secs(60);

/// How many have a message, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Peers of this process that have it, and count (see [`Counting`]).
    pub have: usize,
    /// And those that should have it.
    pub of: usize,
}

impl Coverage {
    /// Nobody lacks it.
    pub fn is_full(self) -> bool {
        self.have == self.of
    }
}

/// Who counts for the coverage of a message, of the peers of this process that ran when it began. One that started
/// later is not sent what was said before, and counts only if the message came to it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Those that ran on for [`DELIVERY_TIME`] at least, whatever became of them later; one that stopped or hung before is
    /// excused. It is what is shown: a figure that is true once stays.
    HadTime,
    /// Those that still run, without a break: since it began, or since it came to them. It is what a scenario expects: of
    /// whom it has just killed or started anew it expects nothing, and nothing that came to it in an earlier life counts.
    StillRun,
}

/// Relative message redundancy of so many copies for so many deliveries, the origin not counted.
#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
pub(super) fn redundancy(copies: u64, deliveries: usize) -> Option<f64> {
    (deliveries > 0).then(|| copies as f64 / deliveries as f64 - 1.0)
}

/// The first copy of a message at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCopy {
    /// The neighbor that sent it; `None` at the origin.
    pub from: Option<Addr>,
    /// Links that it had crossed; 0 at the origin, `None` if that is not known.
    pub hop: Option<u16>,
    /// Where that is not known because it came over nodes elsewhere: the links of the shortest way that is known here.
    pub hop_known: Option<u16>,
    /// When it came.
    pub at: Time,
    /// Further copies that came later.
    pub duplicates: u32,
    /// Its number in the gossip log.
    pub entry: u64,
}

impl MessageCopy {
    /// Links that it had crossed, for certain or by the shortest way that is known here.
    pub fn hops(&self) -> Option<u16> {
        self.hop.or(self.hop_known)
    }
}

/// The first copy of a message that a node elsewhere sent to one of ours: it had the message by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignCopy {
    /// The node of ours that the copy came to.
    pub to: Addr,
    pub at: Time,
    /// The nearest node of ours that had sent it the message before. It may have had it from somebody else.
    pub perhaps_from: Option<Addr>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Rumor {
    pub id: MessageId,
    /// What it says.
    pub body: Body,
    /// When it began its way: by its trace, or when our own origin made it.
    pub generated_at: Option<Time>,
    /// When it was first seen here.
    pub first_seen: Time,
    /// When a node here last saw it for the first time.
    pub last_first: Time,
    /// Who has it, in the order in which it came; nodes of ours only.
    pub copies: Map<Addr, MessageCopy>,
    /// Who runs elsewhere and sent a copy to a node of ours, see [`Rumor::elsewhere`].
    pub(super) proofs: Map<Addr, ForeignCopy>,
    /// Further copies, at all nodes together.
    pub duplicates: u64,
    /// The most links that a first copy had crossed, as far as known.
    pub hop_max: u16,
    /// Copies came over nodes elsewhere, so that nobody can tell how many links these had crossed.
    pub is_hop_uncertain: bool,
}

impl Rumor {
    /// Nodes of ours that have it.
    pub fn reached(&self) -> usize {
        self.copies.len()
    }

    /// From its beginning to the latest first copy, in microseconds.
    pub fn spread_us(&self) -> u64 {
        u64::try_from(self.last_first.since(self.began()).as_micros()).unwrap_or(u64::MAX)
    }

    /// When it began its way, as far as known: the clock of an origin elsewhere may be wrong, so that
    /// what it says counts no more than when it was first seen here.
    pub fn began(&self) -> Time {
        self.generated_at.map_or(self.first_seen, |at| at.min(self.first_seen))
    }

    /// Should this node have it? Not its origin: whatever that did not send was forged.
    pub fn is_due_at(&self, node: &NodeRecord, counting: Counting) -> bool {
        node.role == Some(Role::Peer) && node.addr != self.id.origin && self.ran(node, counting)
    }

    fn ran(&self, node: &NodeRecord, counting: Counting) -> bool {
        let began = self.began();
        match counting {
            Counting::HadTime => node.lives.ran_throughout(began, began + DELIVERY_TIME),
            Counting::StillRun => node.life == Life::Running && node.life_since <= began,
        }
    }

    /// The nodes that should have it and do not.
    pub fn lacking<'a>(&'a self, nodes: &'a NodeRecords, counting: Counting) -> impl Iterator<Item = &'a NodeRecord> {
        nodes.iter().filter(move |node| self.is_due_at(node, counting) && !self.copies.contains_key(&node.addr))
    }

    /// How many have it, and of how many that have it or should have it.
    pub fn coverage(&self, nodes: &NodeRecords, counting: Counting) -> Coverage {
        let still_runs = |(node, copy): &(&Addr, &MessageCopy)| {
            nodes.get(**node).is_some_and(|node| node.life == Life::Running && node.life_since <= copy.at)
        };
        let have = match counting {
            Counting::HadTime => self.reached(),
            Counting::StillRun => self.copies.iter().filter(still_runs).count(),
        };
        Coverage { have, of: have + self.lacking(nodes, counting).count() }
    }

    /// Copies that came for each delivery, beyond the one that is needed: relative message redundancy
    /// (Plumtree, section 4.1), m / (n - 1) - 1 with m copies at n nodes; `None` if it went nowhere.
    pub fn redundancy(&self) -> Option<f64> {
        let deliveries = self.copies.values().filter(|copy| copy.from.is_some()).count();
        redundancy(deliveries as u64 + self.duplicates, deliveries)
    }
}

/// The latest messages, by number (see [`Ring`]) and by id.
#[derive(Debug, Clone)]
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
    /// All that are held, oldest first.
    pub fn ring(&self) -> &Ring<Rumor> {
        &self.held
    }

    /// The message with this id, if it is still held.
    pub fn get(&self, id: MessageId) -> Option<&Rumor> {
        self.held.get(*self.numbers.get(&id)?)
    }

    /// The message that was first seen last.
    pub fn latest(&self) -> Option<&Rumor> {
        self.held.last().map(|(_, rumor)| rumor)
    }

    /// A node of ours has this message for the first time. `hop`: what the message told of it.
    pub(super) fn first_copy(&mut self, id: MessageId, body: &Body, node: Addr, copy: MessageCopy) {
        let number = self.number_of(id, body, copy.at);
        let Some(rumor) = self.held.get_mut(number) else { return };
        rumor.hop_max = rumor.hop_max.max(copy.hops().unwrap_or(0));
        rumor.is_hop_uncertain |= copy.hop.is_none();
        rumor.last_first = copy.at;
        // A second first copy: the node had forgotten that it has the message. The first one counts.
        if let indexmap::map::Entry::Vacant(place) = rumor.copies.entry(node) {
            place.insert(copy);
            self.copies += 1;
        }
        self.make_room();
    }

    /// A body to keep: the one that is kept for this message already, if it says the same, or a copy in
    /// memory of its own.
    pub(super) fn body_to_keep(&self, id: MessageId, body: &Body) -> Body {
        match self.get(id) {
            Some(rumor) if rumor.body == *body => rumor.body.clone(),
            Some(_) | None => body.detached(),
        }
    }

    /// An origin of this process began this message now, whatever its own clock says.
    pub(super) fn begins(&mut self, id: MessageId, at: Time) {
        if let Some(rumor) = self.get_mut(id) {
            rumor.generated_at = Some(at);
        }
    }

    /// When this message began, as its trace says; ignored if that is too long ago to be true.
    pub(super) fn began(&mut self, id: MessageId, at: Time) {
        if let Some(rumor) = self.get_mut(id).filter(|rumor| rumor.first_seen.since(at) <= TRACE_AGE_MAX) {
            rumor.generated_at.get_or_insert(at);
        }
    }

    fn get_mut(&mut self, id: MessageId) -> Option<&mut Rumor> {
        self.held.get_mut(*self.numbers.get(&id)?)
    }

    /// Another copy came to this node. The first one, if it is known.
    pub(super) fn duplicate(&mut self, id: MessageId, node: Addr) -> Option<MessageCopy> {
        let rumor = self.held.get_mut(*self.numbers.get(&id)?)?;
        rumor.duplicates += 1;
        let copy = rumor.copies.get_mut(&node)?;
        copy.duplicates = copy.duplicates.saturating_add(1);
        Some(*copy)
    }

    /// A node elsewhere has this message: it sent a copy.
    pub(super) fn proved(&mut self, id: MessageId, node: Addr, proof: ForeignCopy) {
        let Some(rumor) = self.get_mut(id) else { return };
        if let indexmap::map::Entry::Vacant(place) = rumor.proofs.entry(node) {
            place.insert(proof);
            self.copies += 1;
        }
        self.make_room();
    }

    /// The same, not for certain, when it comes from a node of ours that has it.
    pub(super) fn hop_known_from(&self, id: MessageId, from: Addr) -> Option<u16> {
        self.get(id)?.copies.get(&from)?.hop_known?.checked_add(1)
    }

    /// Links that a message has crossed when it comes from this neighbor, as far as its way is
    /// known: the classic dialect does not tell.
    pub(super) fn hop_from(&self, id: MessageId, from: Addr) -> Option<u16> {
        if id.origin == from {
            return Some(1);
        }
        self.get(id)?.copies.get(&from)?.hop?.checked_add(1)
    }

    fn number_of(&mut self, id: MessageId, body: &Body, at: Time) -> u64 {
        if let Some(number) = self.numbers.get(&id) {
            return *number;
        }
        let rumor = Rumor {
            id,
            body: body.clone(),
            generated_at: None,
            first_seen: at,
            last_first: at,
            copies: Map::default(),
            proofs: Map::default(),
            duplicates: 0,
            hop_max: 0,
            is_hop_uncertain: false,
        };
        self.bodies_len += body.len();
        let (number, gone) = self.held.push(rumor);
        self.forget(gone);
        self.numbers.insert(id, number);
        number
    }

    /// Forgets the oldest messages while there are too many copies or bytes; the latest always stays.
    fn make_room(&mut self) {
        while (self.copies > COPIES_MAX || self.bodies_len > BODIES_LEN_MAX) && self.held.len() > 1 {
            let gone = self.held.pop();
            self.forget(gone);
        }
    }

    fn forget(&mut self, gone: Option<Rumor>) {
        if let Some(rumor) = gone {
            self.copies -= rumor.copies.len() + rumor.proofs.len();
            self.bodies_len -= rumor.body.len();
            self.numbers.remove(&rumor.id);
        }
    }
}
