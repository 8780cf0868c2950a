//! What happens at a node.
//!
//! Everything that is shown, stored, checked or reported is a fold over these. The core emits most
//! of them; a driver adds the few about the node itself (`Started`, `Exposed`, `Stopped`, `Hung`,
//! `Failed`) and about its faults (`FaultSet`, `FaultCleared`). In files an event is one JSON
//! object, tagged by `event`; times and durations are in microseconds.

use serde::{Deserialize, Serialize};

use super::addr::Addr;
pub use super::config::Pace;
use super::fault::Fault;
use super::message::{DeathCause, Dialect, GoodbyeReason, MessageId, ProbeSeq, RefusalReason, Role, Trace};
pub use super::reason::{DelistReason, RepairReason};
use super::text::Body;
use super::time::{ClockTime, Time};
pub use super::violation::{Omission, Rule, Violation};

/// A number that a driver gives each connection of a node, and never reuses for that node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub u64);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Between a peer and a seed.
    Registration,
    /// Between two peers.
    Neighbor,
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The other side dialed.
    Inbound,
    /// This node dialed.
    Outbound,
}

/// Which side did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Us,
    /// The node at the other end.
    Them,
}

/// Why a link ended, as seen by the node that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum LinkEnd {
    /// One side said goodbye.
    Goodbye { side: Side, reason: GoodbyeReason },
    /// The other end was declared dead.
    Dead { cause: DeathCause },
    /// The other end read so slowly that its queue was full.
    TooSlow,
    /// The other end broke a rule of the protocol; a `Violation` says which.
    Violation,
    /// The other end found out, once the link was up, that it does not want it.
    Refused { reason: RefusalReason },
    /// A registration closed.
    RegistrationLost,
    /// It closed while this node was away, which says nothing about the other end.
    WhileAway,
}

/// Why a node was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// It did not run: a stopped process, a closed lid, a computer that stood still.
    Stopped,
    /// It read so slowly that messages waited.
    ReadsLate,
}

/// What a seed did about a dead report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportAction {
    /// Took the node off its list.
    Removed,
    /// Probes the node itself first.
    Verifying,
    /// Nothing: the node is not on its list.
    NotListed,
}

/// How a node of ours ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It left politely.
    Left,
    /// It was crashed: its sockets end as those of a dead process of its dialect do, without a
    /// goodbye.
    Killed,
}

/// Something that happened at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum EventKind {
    /// A node of this process runs and listens. If it comes again at the same address: it
    /// restarted.
    Started {
        /// `s1`, `p7`.
        name: String,
        role: Role,
        dialect: Dialect,
        /// Its intervals.
        pace: Pace,
    },
    /// A node of this process listens where other machines can reach it.
    Exposed {
        /// Where it listens: an address of this machine, or `0.0.0.0` for all of them.
        bind: Addr,
        /// The addresses of this machine that this opens.
        opened: Vec<Addr>,
        /// Networks whose machines may link; empty: all.
        allow: Vec<String>,
    },
    /// A node of this process ended.
    Stopped {
        how: Stop,
    },
    /// A node of this process keeps its sockets and says nothing from now on.
    Hung,
    /// The node was away, and has noticed that itself. It declares nobody dead for that time.
    WasAway {
        why: Absence,
        /// For how long, in microseconds.
        span_us: u64,
    },
    /// Something that the user asked of a node was not done.
    Failed {
        /// What was asked.
        what: String,
        /// Why not, and what to do.
        why: String,
    },
    /// A fault is set. The event is at the first node that the fault names, or at `127.0.0.1:0` if
    /// it is everywhere.
    FaultSet {
        fault: Fault,
    },
    /// A fault is cleared.
    FaultCleared {
        /// The fault as it was set.
        fault: Fault,
    },
    /// Peer: the user makes it report to its seeds that a live node is dead; the report follows as
    /// `DeadReportSent`.
    Lied {
        about: Addr,
    },

    /// The node opens a connection.
    Dialing {
        peer: Addr,
        purpose: Purpose,
    },
    /// The connection did not come up.
    DialFailed {
        peer: Addr,
        purpose: Purpose,
        /// The system's error.
        error: String,
        /// Not tried again before this. `None`: a neighbor, which repair dials when links are
        /// missing, or a seed whose registration is up.
        retry_at: Option<Time>,
    },
    /// Both ends know each other; the link is in use.
    LinkUp {
        link: LinkId,
        peer: Addr,
        /// Who dialed.
        direction: Direction,
        purpose: Purpose,
    },
    /// A link that was up is gone.
    LinkDown {
        link: LinkId,
        peer: Addr,
        purpose: Purpose,
        end: LinkEnd,
    },
    /// A link was asked for and refused.
    LinkRefused {
        peer: Addr,
        by: Side,
        reason: RefusalReason,
        /// Addresses that were named instead.
        referral: Vec<Addr>,
    },
    /// A dialed link on which nothing was heard (a full classic peer). It is parked: kept and read,
    /// but no neighbor, and its address is not dialed again.
    NotAccepted {
        peer: Addr,
    },
    /// A remote broke the protocol; its link is closed.
    Violation {
        /// The remote end of the connection, as the system names it.
        remote: String,
        /// The address in its hello, if it sent one.
        peer: Option<Addr>,
        #[serde(flatten)]
        violation: Violation,
    },
    /// Further offenses by remotes at one address, after some had been reported one by one.
    MoreOffenses {
        /// The address of the remotes' machine, or words for several.
        host: String,
        count: u64,
        /// The time that the count covers, in microseconds.
        span_us: u64,
    },
    /// A neighbor or registered peer sends more than a link may, gossip aside, and is read slowly.
    /// If it goes on, its link is closed.
    Flooding {
        peer: Addr,
        /// The kind of the last message.
        said: String,
        /// Messages that are allowed per second.
        limit: u32,
    },
    /// Further things that remotes at one address did, after some had been reported one by one.
    Omitted {
        what: Omission,
        /// The address of the remotes' machine.
        host: String,
        count: u64,
        /// The time that the count covers, in microseconds.
        span_us: u64,
    },
    /// A remote speaks the other dialect; its link is closed.
    OtherDialect {
        /// The remote end of the connection.
        remote: String,
        /// The node that was dialed, if we dialed; else the address in its hello, if it sent one.
        #[serde(default)]
        peer: Option<Addr>,
        /// The remote's dialect.
        speaks: Dialect,
    },
    /// A connection ended before the remote had named itself.
    HandshakeFailed {
        /// The remote end of the connection.
        remote: String,
        /// The node that was dialed, if we dialed.
        peer: Option<Addr>,
    },
    /// Most of the peer's neighbors joined when it was full, each saying that it had no neighbor:
    /// see `proto::peer::room`.
    EclipseSuspected {
        /// These neighbors.
        joiners: Vec<Addr>,
    },
    /// The peer looks for more links.
    Repairing {
        reason: RepairReason,
    },

    /// Peer: fewer seeds are reachable than it needs.
    TooFewSeeds {
        /// Registrations that are up.
        registered: usize,
        /// floor(n/2)+1.
        wanted: usize,
        /// n.
        known: usize,
    },
    /// Peer: enough seeds, after there had been too few.
    EnoughSeeds {
        /// Registrations that are up.
        registered: usize,
    },
    /// Peer, classic: it starts, and a seed lists its address already, so there was a node before.
    ListedAlready {
        seed: Addr,
    },
    /// Peer: a seed sent some of its list.
    PeerListReceived {
        seed: Addr,
        /// What it sent; of a longer list, the first addresses.
        peers: Vec<Addr>,
        /// How many are on the list; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<u32>,
    },
    /// Seed: some of the list went out.
    PeerListSent {
        /// Unknown in the classic dialect, where the list comes before the name.
        peer: Option<Addr>,
        /// What was sent.
        peers: Vec<Addr>,
        /// How many are on the list; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<u32>,
    },
    /// Seed: a peer is on the list.
    PeerListed {
        peer: Addr,
        /// It had been on the list already.
        again: bool,
    },
    /// Seed: a peer is off the list.
    PeerDelisted {
        peer: Addr,
        #[serde(flatten)]
        reason: DelistReason,
    },

    /// A message begins here.
    Generated {
        id: MessageId,
        body: Body,
        /// When, in the classic dialect to the second only.
        trace: Option<Trace>,
        /// Neighbors that it was sent to.
        forwarded: usize,
    },
    /// A message was seen here for the first time.
    Received {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        body: Body,
        /// What it carries about its path.
        trace: Option<Trace>,
        /// Neighbors that it was forwarded to.
        forwarded: usize,
    },
    /// Another copy of a message that had been seen here.
    Duplicate {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        /// What it carries about its path.
        trace: Option<Trace>,
    },

    /// A message in this node's name that it did not send; neither forwarded nor counted. The first
    /// in ten seconds.
    Forged {
        id: MessageId,
        /// The neighbor that sent it, which may only have forwarded it.
        from: Addr,
    },

    ProbeSent {
        peer: Addr,
        seq: ProbeSeq,
    },
    /// A probe came in and was answered.
    ProbeReceived {
        peer: Addr,
        seq: ProbeSeq,
        /// The time in the probe.
        clock: ClockTime,
    },
    /// A probe was answered.
    ProbeAnswered {
        peer: Addr,
        seq: ProbeSeq,
        /// The time that the probe had named.
        clock: ClockTime,
        /// From probe to answer.
        rtt_us: u64,
    },
    /// A probe was not answered in time.
    ProbeMissed {
        peer: Addr,
        seq: ProbeSeq,
        /// Misses in a row, this one included.
        misses: u32,
        /// Misses in a row at which it is dead.
        limit: u32,
        /// When anything was last heard from it.
        last_heard: Time,
    },
    /// A neighbor was declared dead.
    NeighborDied {
        peer: Addr,
        cause: DeathCause,
        /// When anything was last heard from it.
        last_heard: Time,
    },
    /// A death was reported to the seeds.
    DeadReportSent {
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        seeds: Vec<Addr>,
        cause: DeathCause,
    },
    /// Seed: a report came in.
    DeadReportReceived {
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        reporter: Addr,
        /// If the report carries it.
        cause: Option<DeathCause>,
        action: ReportAction,
    },
    /// Seed: the node that was reported dead answered.
    ReportDisputed {
        /// The node that is alive.
        dead: Addr,
        reporter: Addr,
        /// Reports of this reporter that were disputed so far.
        disputes: u32,
        /// From the seed's probe to the answer.
        rtt_us: u64,
    },
}
