//! What happens at a node.
//!
//! Everything that is shown, stored, checked or reported is a fold over these. The core emits most
//! of them; a driver adds the few that are about the node itself (`Started`, `Exposed`, `Stopped`,
//! `Hung`, `Failed`) and about the faults that it makes (`FaultSet`, `FaultCleared`). In files an event is one JSON object, tagged by `event`; times and durations are
//! microseconds.

use serde::{Deserialize, Serialize};

use super::addr::Addr;
pub use super::config::Pace;
use super::fault::Fault;
use super::message::{DeathCause, Dialect, GoodbyeReason, MessageId, ProbeSeq, RefusalReason, Role, Trace};
pub use super::reason::{DelistReason, RepairReason};
use super::text::Body;
use super::time::{ClockTime, Time};
pub use super::violation::{Omission, Rule, Violation};

/// A number that a driver gives each connection of a node; never used twice by that node.
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
    /// This node.
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
    /// The other end was taken for dead.
    Dead {
        /// On what evidence.
        cause: DeathCause,
    },
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
    /// It did not run: a stopped process, a closed lid, a machine that stood still.
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
    /// Asks the node itself first.
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
    /// It was crashed: its sockets end as those of a dead process of its dialect do, without a goodbye.
    Killed,
}

/// Something that happened at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum EventKind {
    /// A node of this process runs and listens. Again at the same address: restarted.
    Started {
        /// `s1`, `p7`.
        name: String,
        /// Seed or peer.
        role: Role,
        /// What it speaks.
        dialect: Dialect,
        /// Its figures.
        pace: Pace,
    },
    /// A node of this process listens where other machines can reach it.
    Exposed {
        /// What it listens on: an address of this machine, or `0.0.0.0` for all of them.
        bind: Addr,
        /// The addresses of this machine that this comes to.
        opened: Vec<Addr>,
        /// Networks whose machines may link; empty: all.
        allow: Vec<String>,
    },
    /// A node of this process ended.
    Stopped { how: Stop },
    /// A node of this process keeps its sockets and says nothing from now on.
    Hung,
    /// The node was away, and has noticed that itself. It takes nobody for dead for that time.
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
    /// From now on something is wrong on purpose. The event stands at the first node that the fault
    /// names, and at `127.0.0.1:0` when it is everywhere.
    FaultSet {
        /// What, and where.
        fault: Fault,
    },
    /// That is over.
    FaultCleared {
        /// The fault as it was set.
        fault: Fault,
    },
    /// Peer: the user has it report to its seeds that this node is dead, which it is not; the report
    /// follows as `DeadReportSent`.
    Lied {
        /// Who is said to be dead.
        about: Addr,
    },

    /// The node opens a connection.
    Dialing {
        /// To whom.
        peer: Addr,
        /// What for.
        purpose: Purpose,
    },
    /// It did not come about.
    DialFailed {
        /// To whom.
        peer: Addr,
        /// What for.
        purpose: Purpose,
        /// What the system said.
        error: String,
        /// Not tried again before this. `None`: a neighbor, which repair dials when links are missing, or a seed whose
        /// registration stands.
        retry_at: Option<Time>,
    },
    /// Both ends know each other; the link is in use.
    LinkUp {
        link: LinkId,
        /// The node at the other end.
        peer: Addr,
        /// Who dialed.
        direction: Direction,
        /// What for.
        purpose: Purpose,
    },
    /// A link that was up is gone.
    LinkDown {
        link: LinkId,
        /// The node at the other end.
        peer: Addr,
        /// What it was for.
        purpose: Purpose,
        end: LinkEnd,
    },
    /// A link was asked for and refused.
    LinkRefused {
        /// The node at the other end.
        peer: Addr,
        /// Who refused.
        by: Side,
        reason: RefusalReason,
        /// Addresses that were named instead.
        referral: Vec<Addr>,
    },
    /// A dialed link on which nothing was heard (a full classic peer). It is parked: kept and read, but no neighbor, and its
    /// address is not dialed again.
    NotAccepted {
        /// Who did not accept so far.
        peer: Addr,
    },
    /// A remote broke the protocol; its link is closed.
    Violation {
        /// The remote end of the connection, as the system names it.
        remote: String,
        /// Who it said it was, if it did.
        peer: Option<Addr>,
        /// What it did.
        #[serde(flatten)]
        violation: Violation,
    },
    /// Further offenses by remotes at one address, after some had been told one by one.
    MoreOffenses {
        /// The address of the remotes' machine, or words for several.
        host: String,
        count: u64,
        /// In how long a time, in microseconds.
        span_us: u64,
    },
    /// A neighbor or registered peer says more than a link may, gossip aside, and is read slowly. If it goes on, its link
    /// is closed for that.
    Flooding {
        peer: Addr,
        /// What kind of message came when that was told.
        said: String,
        /// So many a second are allowed.
        limit: u32,
    },
    /// Further things that remotes at one address did, after some had been told one by one.
    Omitted {
        what: Omission,
        /// The address of the remotes' machine.
        host: String,
        count: u64,
        /// In how long a time, in microseconds.
        span_us: u64,
    },
    /// A remote speaks the other dialect; its link is closed.
    OtherDialect {
        /// The remote end of the connection.
        remote: String,
        /// The node that was dialed, if we dialed; else who it said it was, if it did.
        #[serde(default)]
        peer: Option<Addr>,
        /// What it speaks.
        speaks: Dialect,
    },
    /// A connection ended before the remote had named itself.
    HandshakeFailed {
        /// The remote end of the connection.
        remote: String,
        /// The node that was dialed, if we dialed.
        peer: Option<Addr>,
    },
    /// Most of the peer's neighbors joined when it was full, each saying that it had no neighbor: see `proto::peer::room`.
    EclipseSuspected {
        /// These neighbors.
        joiners: Vec<Addr>,
    },
    /// The peer looks for more links.
    Repairing { reason: RepairReason },

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
    /// Peer, classic: it starts, and a seed lists its address already. A node was there before.
    ListedAlready { seed: Addr },
    /// Peer: a seed sent some of its list.
    PeerListReceived {
        seed: Addr,
        /// What it sent; of a longer list, the first addresses.
        peers: Vec<Addr>,
        /// How many are on the list; sessions of before that do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<u32>,
    },
    /// Seed: some of the list went out.
    PeerListSent {
        /// To whom; unknown in the classic dialect, where the list comes before the name.
        peer: Option<Addr>,
        /// What was sent.
        peers: Vec<Addr>,
        /// How many are on the list; sessions of before that do not tell.
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

    /// A message begins its way here.
    Generated {
        id: MessageId,
        /// What it says.
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
        /// What it says.
        body: Body,
        /// What it tells of its way.
        trace: Option<Trace>,
        /// Neighbors that it was sent on to.
        forwarded: usize,
    },
    /// Another copy of a message that had been seen here.
    Duplicate {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        /// What it tells of its way.
        trace: Option<Trace>,
    },

    /// A message in this node's name that it has not sent; neither forwarded nor counted. The first in ten seconds.
    Forged {
        id: MessageId,
        /// The neighbor that sent it, who may only have forwarded it.
        from: Addr,
    },

    /// A probe went out.
    ProbeSent {
        /// To whom.
        peer: Addr,
        seq: ProbeSeq,
    },
    /// A probe came in and was answered.
    ProbeReceived {
        /// From whom.
        peer: Addr,
        seq: ProbeSeq,
        /// The time that it named.
        clock: ClockTime,
    },
    /// A probe was answered.
    ProbeAnswered {
        /// By whom.
        peer: Addr,
        seq: ProbeSeq,
        /// The time that the probe had named.
        clock: ClockTime,
        /// From probe to answer.
        rtt_us: u64,
    },
    /// A probe was not answered in time.
    ProbeMissed {
        /// By whom.
        peer: Addr,
        seq: ProbeSeq,
        /// Misses in a row, this one included.
        misses: u32,
        /// So many in a row make it dead.
        limit: u32,
        /// When anything was last heard from it.
        last_heard: Time,
    },
    /// A neighbor is taken for dead.
    NeighborDied {
        peer: Addr,
        cause: DeathCause,
        /// When anything was last heard from it.
        last_heard: Time,
    },
    /// A death was reported to the seeds.
    DeadReportSent {
        /// Who is dead.
        dead: Addr,
        /// When, as the report says it.
        clock: ClockTime,
        /// To whom the report went.
        seeds: Vec<Addr>,
        cause: DeathCause,
    },
    /// Seed: a report came in.
    DeadReportReceived {
        /// Who is said to be dead.
        dead: Addr,
        /// The time that the report names.
        clock: ClockTime,
        /// Who says so.
        reporter: Addr,
        /// Why, if the report tells.
        cause: Option<DeathCause>,
        /// What the seed does about it.
        action: ReportAction,
    },
    /// Seed: the node that was reported dead answered.
    ReportDisputed {
        /// Who is alive.
        dead: Addr,
        /// Who had said otherwise.
        reporter: Addr,
        /// Reports of this reporter that were disputed so far.
        disputes: u32,
        /// From the seed's probe to the answer.
        rtt_us: u64,
    },
}
