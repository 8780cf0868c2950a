//! Events in words, one line each, for people.
//!
//! The node at which the event happened is its subject and is not named. Whatever came from the
//! network or the system is escaped, see [`crate::proto::text`].

use super::words::{count_text, list_text};
use crate::event::{
    Absence, DeathEvent, DelistReason, Direction, EventKind, FaultEvent, GossipEvent, LinkEnd, LinkEvent, NodeEvent,
    Omission, ProbeEvent, Purpose, RepairReason, ReportAction, SeedEvent, Side, Stop,
};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, MessageId, RefusalReason};
use crate::proto::text::{Body, Escaped};
use crate::proto::time::Time;

/// Addresses and networks that one sentence lists.
const EXPOSED_SHOWN: usize = 8;

/// How a sentence names a node.
pub type NameOf<'a> = &'a dyn Fn(Addr) -> String;

pub fn sentence(kind: &EventKind, name: NameOf<'_>) -> String {
    match kind {
        EventKind::Node(event) => node(event),
        EventKind::Link(event) => link(event, name),
        EventKind::Gossip(event) => gossip(event, name),
        EventKind::Probe(event) => probe(event, name),
        EventKind::Death(event) => death(event, name),
        EventKind::Seed(event) => seed(event, name),
        EventKind::Fault(event) => fault(event, name),
    }
}

fn node(event: &NodeEvent) -> String {
    match event {
        NodeEvent::Started { name: own, role, dialect, .. } => {
            format!("Started as {role} {}, {dialect} dialect", escaped(own))
        }
        NodeEvent::Exposed { bind, opened, allow } => exposed(*bind, opened, allow),
        NodeEvent::Stopped { how: Stop::Left } => "Left the network".to_owned(),
        NodeEvent::Stopped { how: Stop::Killed } => "Killed: links broken off, no goodbye".to_owned(),
        NodeEvent::Hung => "Hung: keeps its sockets and says nothing".to_owned(),
        NodeEvent::WasAway { why, span_us } => was_away(*why, *span_us),
        NodeEvent::Failed { what, why } => format!("Not done: {}: {}", escaped(what), escaped(why)),
    }
}

fn link(event: &LinkEvent, name: NameOf<'_>) -> String {
    match event {
        LinkEvent::Dialing { peer, purpose } => format!("Dialing {} {}", name(*peer), purpose_text(*purpose)),
        LinkEvent::DialFailed { peer, purpose, error, retry_at } => {
            let next = after_failed_dial(*purpose, *retry_at);
            format!("No connection to {}: {}{next}", name(*peer), escaped(error))
        }
        LinkEvent::Up { peer, direction, purpose, .. } => link_up(&name(*peer), *direction, *purpose),
        LinkEvent::Down { peer, purpose, end, .. } => link_down(&name(*peer), *purpose, *end),
        LinkEvent::Refused { peer, by, reason, .. } => refused(&name(*peer), *by, *reason),
        LinkEvent::NotAccepted { peer, .. } => {
            format!(
                "Not accepted by {} so far: the connect succeeded, and nothing was heard; the connection is parked",
                name(*peer)
            )
        }
        LinkEvent::Violation { remote, peer, violation } => {
            let who = remote_text(remote, *peer, name);
            let said = &violation.bytes;
            let said = if said.is_empty() { String::new() } else { format!(": \"{said}\"") };
            format!("Violation: {}, by {who}{said}", violation.rule)
        }
        LinkEvent::MoreOffenses { host, count, span_us } => {
            format!("{} more like it from {} in {}", count, escaped(host), micros(*span_us))
        }
        LinkEvent::Flooding { peer, said, limit } => format!(
            "{} sends more than {limit} messages a second besides gossip ({}): it is read slowly",
            name(*peer),
            escaped(said)
        ),
        LinkEvent::Omitted { what, host, count, span_us } => omitted(*what, &escaped(host), *count, *span_us),
        LinkEvent::OtherDialect { remote, peer, speaks } => other_dialect(remote, *peer, *speaks),
        LinkEvent::HandshakeFailed { remote, peer } => {
            format!("Connection with {} ended before it named itself", remote_text(remote, *peer, name))
        }
        LinkEvent::EclipseSuspected { joiners } => {
            let count = count_text(joiners.len() as u64, "neighbor");
            format!("May be cut off from the others: {count} joined when it was full, which is most of them")
        }
        LinkEvent::Repairing { reason } => repairing(*reason, name),
    }
}

fn gossip(event: &GossipEvent, name: NameOf<'_>) -> String {
    match event {
        GossipEvent::Generated { id, body, forwarded, .. } => {
            let to = count_text(*forwarded as u64, "neighbor");
            format!("Generated {} \"{body}\", sent to {to}", message(*id, name))
        }
        GossipEvent::Received { id, from, body, .. } => received(*id, *from, body, name),
        GossipEvent::Duplicate { id, from, .. } => {
            format!("Another copy of {} from {}", message(*id, name), name(*from))
        }
        GossipEvent::Forged { id, from } => {
            let (message, from) = (message(*id, name), name(*from));
            format!("Forged: {message} came from {from}, and {} never sent it", name(id.origin))
        }
    }
}

fn probe(event: &ProbeEvent, name: NameOf<'_>) -> String {
    match event {
        ProbeEvent::Sent { peer, seq } => format!("Probe {seq} to {}", name(*peer)),
        ProbeEvent::Received { peer, seq, .. } => format!("Probe {seq} from {}, answered", name(*peer)),
        ProbeEvent::Answered { peer, seq, rtt_us, .. } => {
            format!("Probe {seq} answered by {} after {}", name(*peer), micros(*rtt_us))
        }
        ProbeEvent::Missed { peer, seq, misses, limit, .. } => {
            format!("No answer from {} to probe {seq} ({misses}/{limit})", name(*peer))
        }
    }
}

fn death(event: &DeathEvent, name: NameOf<'_>) -> String {
    match event {
        DeathEvent::NeighborDied { peer, cause, .. } => format!("{} is dead: {cause}", name(*peer)),
        DeathEvent::DeadReportSent { dead, seeds, cause, .. } => {
            let to = count_text(seeds.len() as u64, "seed");
            format!("Reported to {to} that {} is dead: {cause}", name(*dead))
        }
        DeathEvent::DeadReportReceived { dead, reporter, action, .. } => {
            format!("{} reports that {} is dead: {}", name(*reporter), name(*dead), action_text(*action))
        }
        DeathEvent::ReportDisputed { dead, reporter, disputes, rtt_us } => {
            let (dead, reporter, after) = (name(*dead), name(*reporter), micros(*rtt_us));
            format!("{dead} is alive (answered after {after}): {reporter} was wrong, {}", times(*disputes))
        }
    }
}

fn seed(event: &SeedEvent, name: NameOf<'_>) -> String {
    match event {
        SeedEvent::TooFewSeeds { registered, wanted, known } => too_few_seeds(*registered, *wanted, *known),
        SeedEvent::ListedAlready { seed } => format!(
            "{} lists this address already: a Python neighbor of the node that was here keeps its old socket, takes this \
             one for dead and later dies of it; start it at another port",
            name(*seed)
        ),
        SeedEvent::EnoughSeeds { registered } => {
            format!("Registered with {}, which is enough", count_text(*registered as u64, "seed"))
        }
        SeedEvent::PeerListReceived { seed, peers, listed } => {
            format!("List of {} from {}", peers_text(peers, *listed), name(*seed))
        }
        SeedEvent::PeerListSent { peer, peers, listed } => {
            let to = peer.map_or_else(|| "a newcomer".to_owned(), name);
            format!("List of {} sent to {to}", peers_text(peers, *listed))
        }
        SeedEvent::PeerListed { peer, again: false } => format!("{} is on the list", name(*peer)),
        SeedEvent::PeerListed { peer, again: true } => format!("{} registered again", name(*peer)),
        SeedEvent::PeerDelisted { peer, reason } => {
            format!("{} is off the list: {}", name(*peer), delisted(*reason, name))
        }
    }
}

fn fault(event: &FaultEvent, name: NameOf<'_>) -> String {
    match event {
        FaultEvent::Set { fault } => format!("Fault: {}", fault.text(name)),
        FaultEvent::Cleared { fault } => format!("No longer: {}", fault.text(name)),
        FaultEvent::Lied { about } => format!("Lies to its seeds, as told: {} is dead", name(*about)),
    }
}

/// Events that were too many to log one by one.
fn omitted(what: Omission, host: &str, count: u64, span_us: u64) -> String {
    let (what, did) = match what {
        Omission::Links => (count_text(count, "more link"), "came and went"),
        Omission::Refusals => (count_text(count, "more link"), "were refused"),
        Omission::Reports => (count_text(count, "more report"), "told of nodes that are not on the list"),
    };
    format!("{what} from {host} {did} in {}", micros(span_us))
}

pub fn action_text(action: ReportAction) -> &'static str {
    match action {
        ReportAction::Removed => "taken off the list",
        ReportAction::Verifying => "asking the node itself first",
        ReportAction::NotListed => "not on the list, nothing to do",
    }
}

fn was_away(why: Absence, span_us: u64) -> String {
    let span = micros(span_us);
    match why {
        Absence::Stopped => format!("Was away for {span}: takes nobody for dead for that time"),
        Absence::ReadsLate => format!("Reads late, by {span}: takes nobody for dead meanwhile"),
    }
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

pub fn delisted(reason: DelistReason, name: NameOf<'_>) -> String {
    match reason {
        DelistReason::Reported { reporter } => format!("{} reported it dead", name(reporter)),
        DelistReason::Unanswered { reporter } => format!("{} reported it dead, and it did not answer", name(reporter)),
        DelistReason::Silent => "it was silent and did not answer".to_owned(),
        DelistReason::Departed => "its registration closed and no new one came".to_owned(),
        DelistReason::Left => "it said goodbye".to_owned(),
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

fn other_dialect(remote: &str, peer: Option<Addr>, speaks: Dialect) -> String {
    let who = match peer.map(|peer| peer.to_string()) {
        Some(peer) if peer != remote => format!("{peer} (connected from {})", escaped(remote)),
        Some(_) | None => escaped(remote),
    };
    format!("{who} speaks the {speaks} dialect; start this node with --wire {speaks}")
}

/// What a node opens to other machines, and to which.
fn exposed(bind: Addr, at: &[Addr], allow: &[String]) -> String {
    let at = list_text(&at.iter().map(Addr::to_string).collect::<Vec<_>>(), EXPOSED_SHOWN);
    let place = if bind.ip().is_unspecified() { format!("all interfaces of this machine: {at}") } else { at };
    if allow.is_empty() {
        return format!("Listens on {place}; anyone who can reach that may link; --allow CIDR limits it");
    }
    let allow: Vec<String> = allow.iter().map(|network| escaped(network)).collect();
    format!("Listens on {place}; {} may link, and this machine", list_text(&allow, EXPOSED_SHOWN))
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

fn too_few_seeds(registered: usize, wanted: usize, known: usize) -> String {
    if registered == 0 {
        return format!("No seed reachable (of {known}); still trying");
    }
    format!("Registered with {registered} of {known} seeds, wants {wanted}; still trying")
}

fn received(id: MessageId, from: Addr, body: &Body, name: NameOf<'_>) -> String {
    format!("Received {} \"{body}\" from {}", message(id, name), name(from))
}

fn message(id: MessageId, name: NameOf<'_>) -> String {
    format!("{}{id}", name(id.origin))
}

fn remote_text(remote: &str, peer: Option<Addr>, name: NameOf<'_>) -> String {
    match peer {
        Some(peer) => name(peer),
        None => escaped(remote),
    }
}

fn purpose_text(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Registration => "to register",
        Purpose::Neighbor => "as a neighbor",
    }
}

/// `64 of 1000 peers`, or `12 peers` if these are all.
fn peers_text(peers: &[Addr], listed: Option<u32>) -> String {
    let (named, listed) = (peers.len() as u64, listed.map(u64::from));
    match listed.filter(|listed| *listed > named) {
        Some(listed) => format!("{named} of {}", count_text(listed, "peer")),
        None => count_text(named, "peer"),
    }
}

fn times(count: u32) -> String {
    if count == 1 { "for the first time".to_owned() } else { format!("{count} times now") }
}

fn micros(micros: u64) -> String {
    super::words::span_text(std::time::Duration::from_micros(micros))
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
