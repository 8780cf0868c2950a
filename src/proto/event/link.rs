//! Events about connections.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{DialError, EventSubject, Omission, RepairReason, Violation};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::message::{DeathCause, Dialect, GoodbyeReason, MessageKind, RefusalReason, RepairId};
use crate::proto::time::Time;

/// A number that a driver gives each connection of a node, and never reuses for that node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub u64);

/// The name of a connection, which both ends give it alike.
///
/// In virtual time the names at both ends are equal. On sockets each end takes `began` from its own
/// clock: two ends with the same pair of addresses belong together if, of all with that pair, their
/// beginnings are nearest. Nothing of it crosses the wire. An end of a link is tied to its beginning
/// by the node and its [`LinkId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionId {
    /// The dialer's end of the connection, which is not where it listens.
    pub dialer: Addr,
    /// Where the other end listens.
    pub acceptor: Addr,
    pub began: Time,
}

/// Why a message that was sent did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// A fault swallowed it.
    Fault(FaultId),
    /// It met a queue that was full.
    QueueFull,
    /// Its connection ended before it arrived.
    LinkEnded,
    /// The receiver hangs.
    Hung,
}

impl LossReason {
    /// An end of its link is why, which other events tell more of.
    pub const fn is_of_an_end(self) -> bool {
        match self {
            Self::LinkEnded | Self::Hung => true,
            Self::Fault(_) | Self::QueueFull => false,
        }
    }
}

/// The way of a message that did not arrive.
///
/// A loss is told where it is known: in virtual time at the receiver, and each is. On sockets the
/// receiver tells what faults swallow (the sender, if the receiver is in another process), and the
/// sender what waited in its own queue when the connection ended; what the system had taken by then
/// shows when the events of both ends are compared. A node that crashes tells nothing. A loss stands in place of a receipt, so a flood that is lost causes no
/// more events than one that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageLoss {
    pub from: Addr,
    pub to: Addr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    pub why: LossReason,
}

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

/// Whose offenses are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffenderHost {
    /// More machines than are told apart.
    #[serde(rename = "other addresses")]
    Others,
    #[serde(untagged)]
    One(Ipv4Addr),
}

/// Something about a connection, or about who may connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum LinkEvent {
    /// The node opens a connection.
    Dialing {
        peer: Addr,
        purpose: Purpose,
        /// The repair that it is part of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repair: Option<RepairId>,
    },
    /// The connection did not come up.
    DialFailed {
        peer: Addr,
        purpose: Purpose,
        error: DialError,
        /// Not tried again before this. `None`: a neighbor, which repair dials when links are
        /// missing, or a seed whose registration is up.
        retry_at: Option<Time>,
    },
    /// Both ends know each other; the link is in use.
    #[serde(rename = "link_up")]
    #[strum(serialize = "link_up")]
    Up {
        link: LinkId,
        /// Absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
        peer: Addr,
        /// Who dialed.
        direction: Direction,
        purpose: Purpose,
    },
    /// A link that was up is gone.
    #[serde(rename = "link_down")]
    #[strum(serialize = "link_down")]
    Down { link: LinkId, peer: Addr, purpose: Purpose, end: LinkEnd },
    /// A link was asked for and refused.
    #[serde(rename = "link_refused")]
    #[strum(serialize = "link_refused")]
    Refused {
        peer: Addr,
        by: Side,
        reason: RefusalReason,
        /// Addresses that were named instead.
        referral: Vec<Addr>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
    },
    /// A dialed link on which nothing was heard (a full classic peer). It is parked: kept and read,
    /// but no neighbor, and its address is not dialed again.
    NotAccepted { peer: Addr },
    /// A remote broke the protocol; its link is closed.
    Violation {
        /// The remote end of the connection.
        remote: Addr,
        /// The address in its hello, if it sent one.
        peer: Option<Addr>,
        #[serde(flatten)]
        violation: Violation,
        /// Absent if the driver closed it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
    },
    /// Further offenses by remotes at one address, after some had been reported one by one.
    MoreOffenses {
        /// The remotes' machine.
        host: OffenderHost,
        count: u64,
        /// The time that the count covers, in microseconds.
        span_us: u64,
    },
    /// A neighbor or registered peer sends more than a link may, gossip aside, and is read slowly.
    /// If it goes on, its link is closed.
    Flooding {
        peer: Addr,
        /// The kind of the last message.
        said: MessageKind,
        /// Messages that are allowed per second.
        limit: u32,
    },
    /// Further things that remotes at one address did, after some had been reported one by one.
    Omitted {
        what: Omission,
        /// The remotes' machine.
        host: Ipv4Addr,
        count: u64,
        /// The time that the count covers, in microseconds.
        span_us: u64,
    },
    /// A remote speaks the other dialect; its link is closed.
    OtherDialect {
        /// The remote end of the connection.
        remote: Addr,
        /// The node that was dialed, if we dialed; else the address in its hello, if it sent one.
        #[serde(default)]
        peer: Option<Addr>,
        /// The remote's dialect.
        speaks: Dialect,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
    },
    /// A connection ended before the remote had named itself.
    HandshakeFailed {
        /// The remote end of the connection.
        remote: Addr,
        /// The node that was dialed, if we dialed.
        peer: Option<Addr>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
    },
    /// Most of the peer's neighbors joined when it was full, each saying that it had no neighbor:
    /// see `proto::membership::policy`.
    EclipseSuspected {
        /// These neighbors.
        joiners: Vec<Addr>,
    },
    /// The peer looks for more links.
    Repairing {
        /// Absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repair: Option<RepairId>,
        reason: RepairReason,
    },
}

impl LinkEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::Violation { peer, .. } | Self::OtherDialect { peer, .. } | Self::HandshakeFailed { peer, .. } => {
                EventSubject::peer(*peer)
            }
            Self::Dialing { peer, .. }
            | Self::DialFailed { peer, .. }
            | Self::Up { peer, .. }
            | Self::Down { peer, .. }
            | Self::Refused { peer, .. }
            | Self::NotAccepted { peer, .. }
            | Self::Flooding { peer, .. } => EventSubject::peer(*peer),
            Self::MoreOffenses { .. }
            | Self::Omitted { .. }
            | Self::EclipseSuspected { .. }
            | Self::Repairing { .. } => EventSubject::default(),
        }
    }

    pub(super) fn heap_len(&self) -> usize {
        match self {
            Self::EclipseSuspected { joiners: list } | Self::Refused { referral: list, .. } => {
                size_of_val(list.as_slice())
            }
            Self::Violation { violation, .. } => violation.bytes.len(),
            Self::Dialing { .. }
            | Self::DialFailed { .. }
            | Self::Up { .. }
            | Self::Down { .. }
            | Self::NotAccepted { .. }
            | Self::OtherDialect { .. }
            | Self::HandshakeFailed { .. }
            | Self::MoreOffenses { .. }
            | Self::Flooding { .. }
            | Self::Omitted { .. }
            | Self::Repairing { .. } => 0,
        }
    }
}
