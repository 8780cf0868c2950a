//! Links in words.

use std::net::Ipv4Addr;

use super::{GossipLine, LineTone, LogPlace, NameOf, Readers, Severity, Words, count_text, escaped, micros};
use crate::event::{Direction, LinkEnd, LinkEvent, OffenderHost, Omission, Purpose, RepairReason, Side};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Dialect, RefusalReason};
use crate::proto::time::Time;

impl Words for LinkEvent {
    fn readers(&self) -> Readers {
        match self {
            // Its outcome is told.
            Self::Dialing { .. } => Readers::NOBODY,
            Self::Up { .. } => Readers::BOTH_LOGS,
            Self::Down { end, .. } => match end {
                LinkEnd::TooSlow => Readers::BOTH_LOGS.and_user(Severity::Warning),
                LinkEnd::RegistrationLost => Readers::BOTH_LOGS.and_user(Severity::Info),
                LinkEnd::Goodbye { .. }
                | LinkEnd::Dead { .. }
                | LinkEnd::Violation
                | LinkEnd::Refused { .. }
                | LinkEnd::WhileAway => Readers::BOTH_LOGS,
            },
            Self::OtherDialect { .. } => Readers::LOG_FILE.and_user(Severity::Error),
            Self::Violation { .. }
            | Self::MoreOffenses { .. }
            | Self::Flooding { .. }
            | Self::Omitted { .. }
            | Self::EclipseSuspected { .. }
            | Self::HandshakeFailed { .. }
            | Self::DialFailed { .. }
            | Self::NotAccepted { .. } => Readers::LOG_FILE.and_user(Severity::Warning),
            Self::Repairing { .. } | Self::Refused { .. } => Readers::LOG_FILE.and_user(Severity::Info),
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::Dialing { peer, purpose, .. } => format!("Dialing {} {}", name(*peer), purpose_text(*purpose)),
            Self::DialFailed { peer, purpose, error, retry_at } => {
                let next = after_failed_dial(*purpose, *retry_at);
                format!("No connection to {}: {}{next}", name(*peer), escaped(&error.to_string()))
            }
            Self::Up { peer, direction, purpose, .. } => link_up(&name(*peer), *direction, *purpose),
            Self::Down { peer, purpose, end, .. } => link_down(&name(*peer), *purpose, *end),
            Self::Refused { peer, by, reason, .. } => refused(&name(*peer), *by, *reason),
            Self::NotAccepted { peer, .. } => {
                format!(
                    "Not accepted by {} so far: the connect succeeded, and nothing was heard; the connection is parked",
                    name(*peer)
                )
            }
            Self::Violation { remote, peer, violation, .. } => {
                let who = remote_text(*remote, *peer, name);
                let said = &violation.bytes;
                let said = if said.is_empty() { String::new() } else { format!(": \"{said}\"") };
                format!("Violation: {}, by {who}{said}", violation.rule)
            }
            Self::MoreOffenses { host, count, span_us } => {
                let from = match host {
                    OffenderHost::One(ip) => ip.to_string(),
                    OffenderHost::Others => "other addresses".to_owned(),
                };
                format!("{count} more like it from {from} in {}", micros(*span_us))
            }
            Self::Flooding { peer, said, limit } => format!(
                "{} sends more than {limit} messages a second besides gossip ({}): it is read slowly",
                name(*peer),
                said.name()
            ),
            Self::Omitted { what, host, count, span_us } => omitted(*what, *host, *count, *span_us),
            Self::OtherDialect { remote, peer, speaks, .. } => other_dialect(*remote, *peer, *speaks),
            Self::HandshakeFailed { remote, peer, .. } => {
                format!("Connection with {} ended before it named itself", remote_text(*remote, *peer, name))
            }
            Self::EclipseSuspected { joiners } => {
                let count = count_text(joiners.len() as u64, "neighbor");
                format!("May be cut off from the others: {count} joined when it was full, which is most of them")
            }
            Self::Repairing { reason, .. } => repairing(*reason, name),
        }
    }

    fn line(&self, node: Addr, _name: NameOf<'_>) -> Option<GossipLine> {
        let (from, to, text) = if let Self::Up { peer, direction, purpose, .. } = self {
            let (from, to) = match direction {
                Direction::Inbound => (*peer, node),
                Direction::Outbound => (node, *peer),
            };
            let text = match purpose {
                Purpose::Neighbor => "up",
                Purpose::Registration => "registered",
            };
            (from, to, text.to_owned())
        } else if let Self::Down { peer, end, .. } = self {
            // A death has a line beside it that says why.
            let is_told = matches!(end, LinkEnd::Dead { .. });
            (node, *peer, if is_told { "down".to_owned() } else { format!("down: {}", end_text(*end)) })
        } else {
            return None;
        };
        Some(GossipLine { from, to: Some(to), tag: "LINK", tone: LineTone::Aside, text })
    }

    fn python_line(&self, _place: LogPlace) -> Option<String> {
        let Self::Up { peer, direction: Direction::Inbound, purpose, .. } = self else { return None };
        Some(match purpose {
            Purpose::Neighbor => format!("New connection from {}", peer.python()),
            Purpose::Registration => format!("Connection accepted from  {}", peer.python()),
        })
    }
}

/// Events that were too many to log one by one.
fn omitted(what: Omission, host: Ipv4Addr, count: u64, span_us: u64) -> String {
    let (what, did) = match what {
        Omission::Links => (count_text(count, "more link"), "came and went"),
        Omission::Refusals => (count_text(count, "more link"), "were refused"),
        Omission::Reports => (count_text(count, "more report"), "told of nodes that are not on the list"),
    };
    format!("{what} from {host} {did} in {}", micros(span_us))
}

pub fn end_text(end: LinkEnd) -> String {
    match end {
        LinkEnd::Goodbye { side: Side::Us, reason } => format!("this side said goodbye: {reason}"),
        LinkEnd::Goodbye { side: Side::Them, reason } => format!("the other side said goodbye: {reason}"),
        LinkEnd::Dead { cause } => format!("taken for dead: {cause}"),
        LinkEnd::TooSlow => "the other side read too slowly: its queue was full".to_owned(),
        LinkEnd::Violation => "the other side broke the protocol".to_owned(),
        LinkEnd::Refused { reason } => format!("refused by the other side: {reason}"),
        LinkEnd::WhileAway => "it closed while this node was away".to_owned(),
        LinkEnd::RegistrationLost => "it closed without a goodbye".to_owned(),
    }
}

/// What follows a failed dial. A neighbor is one of many: repair dials those that it knows, and
/// this one again once a list names it.
const fn after_failed_dial(purpose: Purpose, retry_at: Option<Time>) -> &'static str {
    match (purpose, retry_at) {
        (_, Some(_)) => "; will try again",
        (Purpose::Neighbor, None) => "; tries others while links are missing, and it again if named once more",
        // The registration that was to be renewed is still up.
        (Purpose::Registration, None) => "",
    }
}

fn refused(peer: &str, by: Side, reason: RefusalReason) -> String {
    match by {
        Side::Us => format!("Refused a link to {peer}: {}", own_refusal(reason)),
        Side::Them => format!("{peer} refused a link: {reason}"),
    }
}

/// Why a node refuses a link, in its own log.
pub fn own_refusal(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::Full => "as many neighbors as it takes",
        RefusalReason::Cut => "the link was cut by the user",
        RefusalReason::Myself => "the address is its own",
        RefusalReason::WrongRole => "it is a peer where a seed was expected, or a seed where a peer was",
    }
}

fn link_up(peer: &str, direction: Direction, purpose: Purpose) -> String {
    match (purpose, direction) {
        (Purpose::Neighbor, Direction::Inbound) => format!("Linked to {peer}, which dialed"),
        (Purpose::Neighbor, Direction::Outbound) => format!("Linked to {peer}"),
        (Purpose::Registration, Direction::Inbound) => format!("{peer} registered"),
        (Purpose::Registration, Direction::Outbound) => format!("Registered with {peer}"),
    }
}

fn link_down(peer: &str, purpose: Purpose, end: LinkEnd) -> String {
    let what = match purpose {
        Purpose::Registration => "Registration with",
        Purpose::Neighbor => "Link to",
    };
    format!("{what} {peer} down: {}", end_text(end))
}

fn other_dialect(remote: Addr, peer: Option<Addr>, speaks: Dialect) -> String {
    let who = match peer {
        Some(peer) if peer != remote => format!("{peer} (connected from {remote})"),
        Some(_) | None => remote.to_string(),
    };
    format!("{who} speaks the {speaks} dialect; start this node with --wire {speaks}")
}

fn repairing(reason: RepairReason, name: NameOf<'_>) -> String {
    match reason {
        RepairReason::TooFewLinks { have, want } => format!("Has {have} of {want} neighbors, looks for more"),
        RepairReason::SplitOverlay { root, other } => format!(
            "Hears nothing of {}, the root: dials {} as a bridge, in case the overlay is split",
            name(root),
            name(other)
        ),
    }
}

/// By its name; what has named itself nowhere, by the address that the system gives it.
fn remote_text(remote: Addr, peer: Option<Addr>, name: NameOf<'_>) -> String {
    peer.map_or_else(|| remote.to_string(), name)
}

fn purpose_text(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Registration => "to register",
        Purpose::Neighbor => "as a neighbor",
    }
}

/// What a node told about its link to `peer`, as evidence.
pub fn evidence(event: &LinkEvent, node: &str, peer: &str, clock: &dyn Fn(Time) -> String) -> String {
    match event {
        LinkEvent::Dialing { .. } => format!("{node} dialed {peer}"),
        LinkEvent::DialFailed { error, retry_at, .. } => {
            let next = retry_at.map_or_else(String::new, |at| format!("; next try at {}", clock(at)));
            format!("{node} could not connect to {peer}: {}{next}", escaped(&error.to_string()))
        }
        LinkEvent::Refused { by: Side::Us, reason, .. } => format!("{node} refused {peer}: {}", own_refusal(*reason)),
        LinkEvent::Refused { by: Side::Them, reason, .. } => format!("{peer} refused {node}: {reason}"),
        LinkEvent::NotAccepted { .. } => format!(
            "{node} heard nothing from {peer}: not accepted; the connection is parked: kept, and not dialed again"
        ),
        LinkEvent::HandshakeFailed { .. } => format!("{node}: the connection ended before {peer} had named itself"),
        LinkEvent::Violation { violation, .. } => format!("{node}: {peer} broke the protocol: {}", violation.rule),
        LinkEvent::OtherDialect { speaks, .. } => format!("{node}: {peer} speaks the {speaks} dialect"),
        LinkEvent::Up { direction: Direction::Inbound, .. } => format!("{node}: link up, {peer} had dialed"),
        LinkEvent::Up { direction: Direction::Outbound, .. } => format!("{node}: link up, {node} had dialed"),
        LinkEvent::Down { end, .. } => format!("{node}: link down, {}", end_text(*end)),
        LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::Repairing { .. } => format!("{node}: {}", event.sentence(&|_| peer.to_owned())),
    }
}

/// Who closed a link of `node` to `peer`, and why.
pub fn ended_by(node: &str, peer: &str, end: LinkEnd) -> String {
    match end {
        LinkEnd::Goodbye { side: Side::Us, reason } => format!("{node} closed it and said goodbye: {reason}"),
        LinkEnd::Goodbye { side: Side::Them, reason } => format!("{peer} closed it and said goodbye: {reason}"),
        LinkEnd::Dead { cause: DeathCause::Misses { misses } } => {
            let row = if misses == 1 { "" } else { " in a row" };
            format!("{node} had no answer to {}{row}", count_text(u64::from(misses), "probe"))
        }
        LinkEnd::Dead { cause } => format!("{node} took {peer} for dead: {cause}"),
        LinkEnd::TooSlow => {
            format!("{node} dropped it, because {peer} read too slowly: the queue was full, and what was in it is lost")
        }
        LinkEnd::Violation => format!("{node} closed it, because {peer} broke the protocol"),
        LinkEnd::Refused { reason } => format!("{peer} refused it: {reason}"),
        LinkEnd::WhileAway => format!("it closed while {node} was away"),
        LinkEnd::RegistrationLost => format!("{} (seen by {node})", end_text(end)),
    }
}
