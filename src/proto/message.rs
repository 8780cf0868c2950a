//! What nodes say to each other, in either dialect.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::EnumDiscriminants;

use super::addr::Addr;
pub use super::dialect::Dialect;
use super::text::Body;
use super::time::{ClockTime, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hands out peer lists.
    Seed,
    Peer,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Seed => "seed",
            Self::Peer => "peer",
        })
    }
}

/// Names one message in the whole network: the same at every node.
///
/// In the framed dialect `run` is the microsecond (since the Unix epoch) at which the origin
/// started, so a restarted node's messages are new ones, and `seq` is the `k` of `Gossip Message k`
/// or, for a text of the user, [`MessageId::own_text`]. The classic dialect carries neither; there
/// the identity is the whole message, see [`MessageId::classic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    /// Who generated the message.
    pub origin: Addr,
    /// Which life of the origin.
    pub run: u64,
    /// Which message of that life.
    pub seq: u64,
}

impl MessageId {
    /// Ids with this bit in `seq` stand for a text of the user.
    const TEXT_BIT: u64 = 1 << 63;

    /// The id of a classic message `time:origin:body`: its time of day as `run`; as `seq` the `k`
    /// of `Gossip Message k`, or a hash of any other text.
    pub fn classic(origin: Addr, time: ClockTime, body: &[u8]) -> Self {
        let seq = classic_number(body).unwrap_or_else(|| fnv1a(body) | Self::TEXT_BIT);
        Self { origin, run: u64::from(time.seconds()), seq }
    }

    /// The `seq` of the user's `nth` text in the framed dialect.
    pub const fn own_text(nth: u64) -> u64 {
        nth | Self::TEXT_BIT
    }

    /// The number that people see, or `None` for a text of the user.
    pub const fn number(self) -> Option<u64> {
        if self.seq & Self::TEXT_BIT == 0 { Some(self.seq) } else { None }
    }

    /// Which text of the user a framed message is: the `n` of [`MessageId::own_text`].
    pub const fn text_number(self) -> Option<u64> {
        if self.seq & Self::TEXT_BIT == 0 { None } else { Some(self.seq & !Self::TEXT_BIT) }
    }
}

/// `#12`, or `#~1a2b` for a text of the user. Whoever shows an id puts the origin's name in front.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.number() {
            Some(number) => format!("#{number}"),
            None => format!("#~{:04x}", self.seq & 0xffff),
        };
        f.pad(&text)
    }
}

/// The beginning of a generated message: `Gossip Message k`.
pub const GENERATED_PREFIX: &str = "Gossip Message ";

/// `k` of `Gossip Message k`, in the only spelling that a node writes: no sign, no leading zero.
fn classic_number(body: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(body.strip_prefix(GENERATED_PREFIX.as_bytes())?).ok()?;
    let number: u64 = digits.parse().ok().filter(|n| n & MessageId::TEXT_BIT == 0)?;
    (number.to_string() == digits).then_some(number)
}

/// FNV-1a, 64 bit: fixed for all time, because ids derived from it travel in files.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A gossip message, shared by all that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gossip {
    pub id: MessageId,
    pub body: Body,
    /// What only the framed dialect carries.
    pub trace: Option<Trace>,
}

/// What a framed message carries about its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// When the origin generated the message, by the origin's clock.
    pub sent: Time,
    /// Links crossed when this copy arrives; the origin sends 1.
    pub hop: u16,
}

/// Number of a probe. Framed: counts up on each link. Classic, which carries none: the time of day
/// in seconds.
pub type ProbeSeq = u64;

/// The number of a probe among all that its asker has sent since it started, to whomever. It does not
/// cross the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbeId(pub u32);

/// The number of a repair among all of its node since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepairId(pub NonZeroU32);

/// The number of a verification among all of its seed since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerificationId(pub u32);

/// The number of a dead report among all that its reporter has sent or, at a seed, among all that
/// the seed has received, since the node started. It does not cross the wire: what a seed received is what the reporter sent
/// about that node with that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportId(pub u32);

/// A sign of life of the root, the node with the lowest address; it rides on probes. A peer that
/// hears no fresh one is in another part of the overlay than the root. See `membership::root` for what is
/// done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RootBeacon {
    pub root: Addr,
    /// A moment by the root's clock; it only ever grows.
    pub fresh: Time,
}

/// What the sender of a probe or an answer says about the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootNews {
    /// It has heard nothing.
    #[default]
    Nothing,
    /// From a peer: the freshest sign of life that reached it.
    Beacon(RootBeacon),
    /// From a seed: the lowest living address on its list, which makes that node the root.
    Attested(Addr),
}

/// What rides on framed probes and their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeExtras {
    /// How many neighbors the sender has; for a seed, how many peers are on its list, as far as
    /// that fits.
    pub neighbors: u16,
    pub root: RootNews,
}

/// Why a node was declared dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum DeathCause {
    /// This many probes in a row went unanswered.
    Misses { misses: u32 },
    /// The link failed: a reset, a broken pipe.
    LinkError,
    /// The link closed without a goodbye.
    Closed,
    /// The user cut the link and wants the node treated as dead.
    Cut,
    /// A false report, made on purpose.
    Lie,
}

/// Why a node says goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodbyeReason {
    /// It leaves the network.
    Leaving,
    /// It made room for a node without neighbors (HyParView's high-priority join).
    MadeRoom,
    /// Both had dialed; the other link stays.
    Duplicate,
    /// A newer registration of the same peer replaced this one.
    Replaced,
}

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The node has as many neighbors as it takes.
    Full,
    /// The user cut this link; it stays cut until the user heals it.
    Cut,
    /// The address is the node's own.
    Myself,
    /// A seed links to peers only, a peer to peers and seeds.
    WrongRole,
}

/// How urgently a joiner wants the link (HyParView, section 4.2, and `overlay` for `Bridge`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It has neighbors; a full node may refuse.
    Low,
    /// It has none; nobody refuses.
    High,
    /// It believes that it is in another part of the overlay; nobody refuses.
    Bridge,
}

/// Names the sender, first on every framed link; the classic dialect carries the address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The address on which the sender listens.
    pub listen: Addr,
    /// In the classic dialect only peers say hello.
    pub role: Role,
    /// How much it wants the link.
    pub priority: Priority,
}

/// What a seed sends of its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerSample {
    /// Some listed addresses, drawn at random; at most
    /// [`LIST_LEN_MAX`](super::config::LIST_LEN_MAX), except for the whole list of a Python seed.
    pub peers: Vec<Addr>,
    /// How many are on the list, without the receiver.
    pub listed: u32,
    /// Framed only: the lowest living address on the list.
    pub lowest: Option<Addr>,
}

/// A whole list, as in the classic dialect.
impl From<Vec<Addr>> for PeerSample {
    fn from(peers: Vec<Addr>) -> Self {
        let listed = u32::try_from(peers.len()).unwrap_or(u32::MAX);
        Self { peers, listed, lowest: None }
    }
}

/// One message on one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(name(MessageKind), derive(Hash, Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[strum_discriminants(doc = "A [`Message`] without its fields.")]
pub enum Message {
    // Membership, between any two nodes.
    /// Names the sender; first on every link.
    Hello(Hello),
    /// Framed only: no link for you; try these.
    Refusal {
        reason: RefusalReason,
        /// Addresses to try instead.
        referral: Vec<Addr>,
    },
    /// Framed only: the link closes now, and nobody died.
    Goodbye {
        reason: GoodbyeReason,
        /// Addresses to try instead.
        referral: Vec<Addr>,
    },
    // Membership, between a peer and a seed.
    /// Seed to peer: some listed addresses.
    #[strum_discriminants(serde(rename = "peer list"))]
    PeerList(PeerSample),
    /// Peer to seed, framed only: send the list again.
    #[strum_discriminants(serde(rename = "list request"))]
    ListRequest,
    /// Peer to seed: this neighbor is dead.
    #[strum_discriminants(serde(rename = "dead report"))]
    DeadReport {
        dead: Addr,
        /// When the reporter found out, by its clock.
        clock: ClockTime,
        reporter: Addr,
        /// Framed only.
        cause: Option<DeathCause>,
    },
    // Broadcast.
    #[strum_discriminants(serde(rename = "gossip message"))]
    Gossip(Arc<Gossip>),
    // Liveness.
    /// Are you alive?
    #[strum_discriminants(serde(rename = "liveness request"))]
    Probe {
        seq: ProbeSeq,
        /// The sender, as the probe names it.
        asker: Addr,
        /// When it was sent, by the sender's clock.
        clock: ClockTime,
        /// What rides on it, framed only.
        extras: Option<ProbeExtras>,
    },
    #[strum_discriminants(serde(rename = "liveness reply"))]
    ProbeReply {
        /// The probe that is answered.
        seq: ProbeSeq,
        /// The sender of the probe, as the probe named it.
        asker: Addr,
        /// The time in the probe.
        clock: ClockTime,
        /// What rides on it, framed only.
        extras: Option<ProbeExtras>,
    },
}

impl MessageKind {
    /// What the protocol calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::PeerList => "peer list",
            Self::ListRequest => "list request",
            Self::Gossip => "gossip message",
            Self::Probe => "liveness request",
            Self::ProbeReply => "liveness reply",
            Self::DeadReport => "dead report",
            Self::Refusal => "refusal",
            Self::Goodbye => "goodbye",
        }
    }
}

impl Message {
    pub fn kind(&self) -> MessageKind {
        self.into()
    }

    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// Whether the dialect has words for it. If not, nothing is written.
    pub const fn has_words_in(&self, dialect: Dialect) -> bool {
        let is_request = matches!(self, Self::ListRequest | Self::Refusal { .. } | Self::Goodbye { .. });
        !is_request || dialect.has_words_for_requests()
    }

    /// It is about liveness: it is worth nothing when it comes late, and may overtake earlier
    /// messages.
    pub const fn tells_life(&self) -> bool {
        matches!(self, Self::Probe { .. } | Self::ProbeReply { .. } | Self::DeadReport { .. })
    }

    /// If messages must wait for each other, this one goes before gossip: otherwise a busy network
    /// would declare live nodes dead.
    pub const fn goes_first(&self) -> bool {
        !matches!(self, Self::Gossip(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_message_is_known_by_all_of_its_text() {
        let time = ClockTime::from_seconds(11_131).unwrap();
        let id = |body: &str| MessageId::classic(Addr::loopback(4000), time, body.as_bytes());
        assert_eq!(id("Gossip Message 12").number(), Some(12));
        assert_ne!(id("Gossip Message 12"), id("Gossip Message 012"));
        assert_eq!(id("hello").number(), None);
        assert_ne!(id("hello"), id("hello "));
        assert_eq!(id("Gossip Message 12").to_string(), "#12");
    }
}
