//! Changes what an event takes from the session in which it was recorded: its clock, and the numbers of
//! its faults.

use super::{
    ConnectionId, DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LinkEvent, LossReason, MessageLoss, NodeEvent,
    ProbeEvent, SeedEvent,
};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::time::Time;

/// What becomes of them.
pub trait Revision {
    /// A time of the clock of the node's machine.
    fn time(&self, at: Time) -> Time;
    /// A time of this node's clock, as a message of it tells.
    fn time_at(&self, origin: Addr, at: Time) -> Time;
    fn fault(&self, id: FaultId) -> FaultId;
}

impl Event {
    /// Changes each of them, the time of the event included. What nodes said of the time of day stays
    /// as they said it.
    pub fn revise(&mut self, revision: &impl Revision) {
        self.at = revision.time(self.at);
        match &mut self.kind {
            EventKind::Link(event) => revise_link(event, revision),
            EventKind::Gossip(event) => revise_gossip(event, revision),
            EventKind::Probe(event) => revise_probe(event, revision),
            EventKind::Death(event) => revise_death(event, revision),
            EventKind::Fault(event) => revise_fault(event, revision),
            EventKind::Node(
                NodeEvent::Started { .. }
                | NodeEvent::Exposed { .. }
                | NodeEvent::Stopped { .. }
                | NodeEvent::Hung
                | NodeEvent::WasAway { .. }
                | NodeEvent::Failed { .. },
            )
            | EventKind::Seed(
                SeedEvent::TooFewSeeds { .. }
                | SeedEvent::EnoughSeeds { .. }
                | SeedEvent::ListedAlready { .. }
                | SeedEvent::PeerListReceived { .. }
                | SeedEvent::PeerListSent { .. }
                | SeedEvent::PeerListed { .. }
                | SeedEvent::PeerDelisted { .. },
            ) => {}
        }
    }
}

fn revise_link(event: &mut LinkEvent, revision: &impl Revision) {
    match event {
        LinkEvent::Up { connection, .. }
        | LinkEvent::Refused { connection, .. }
        | LinkEvent::Violation { connection, .. }
        | LinkEvent::OtherDialect { connection, .. }
        | LinkEvent::HandshakeFailed { connection, .. } => revise_connection(connection, revision),
        LinkEvent::DialFailed { retry_at, .. } => *retry_at = retry_at.map(|at| revision.time(at)),
        LinkEvent::Dialing { .. }
        | LinkEvent::Down { .. }
        | LinkEvent::NotAccepted { .. }
        | LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::Repairing { .. } => {}
    }
}

fn revise_gossip(event: &mut GossipEvent, revision: &impl Revision) {
    match event {
        GossipEvent::Lost { loss, .. } => revise_loss(loss, revision),
        GossipEvent::Generated { id, trace, .. }
        | GossipEvent::Received { id, trace, .. }
        | GossipEvent::Duplicate { id, trace, .. } => {
            if let Some(trace) = trace {
                trace.sent = revision.time_at(id.origin, trace.sent);
            }
        }
        GossipEvent::Forged { .. } => {}
    }
}

fn revise_probe(event: &mut ProbeEvent, revision: &impl Revision) {
    match event {
        ProbeEvent::Missed { last_heard, .. } => *last_heard = revision.time(*last_heard),
        ProbeEvent::Lost { loss, .. } => revise_loss(loss, revision),
        ProbeEvent::Sent { .. } | ProbeEvent::Received { .. } | ProbeEvent::Answered { .. } => {}
    }
}

fn revise_death(event: &mut DeathEvent, revision: &impl Revision) {
    match event {
        DeathEvent::NeighborDied { last_heard, .. } => *last_heard = revision.time(*last_heard),
        DeathEvent::ReportLost { loss, .. } => revise_loss(loss, revision),
        DeathEvent::DeadReportSent { .. }
        | DeathEvent::DeadReportReceived { .. }
        | DeathEvent::ReportDisputed { .. } => {}
    }
}

fn revise_fault(event: &mut FaultEvent, revision: &impl Revision) {
    match event {
        FaultEvent::Set { id, .. } | FaultEvent::Cleared { id, .. } => *id = id.map(|id| revision.fault(id)),
        FaultEvent::Lied { .. } => {}
    }
}

fn revise_loss(loss: &mut MessageLoss, revision: &impl Revision) {
    revise_connection(&mut loss.connection, revision);
    match &mut loss.why {
        LossReason::Fault(id) => *id = revision.fault(*id),
        LossReason::QueueFull | LossReason::LinkEnded | LossReason::Hung => {}
    }
}

fn revise_connection(connection: &mut Option<ConnectionId>, revision: &impl Revision) {
    if let Some(connection) = connection {
        connection.began = revision.time(connection.began);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::{DeathCause, MessageId, Trace};

    struct Later;

    impl Revision for Later {
        fn time(&self, at: Time) -> Time {
            at.skewed(7_000_000)
        }

        fn time_at(&self, _: Addr, at: Time) -> Time {
            at.skewed(-3_000_000)
        }

        fn fault(&self, FaultId(id): FaultId) -> FaultId {
            FaultId(id * 2 + 1)
        }
    }

    fn revised(at: u64, kind: EventKind) -> Event {
        let mut event = Event { at: Time::from_micros(at), node: Addr::loopback(1), kind };
        event.revise(&Later);
        event
    }

    #[test]
    fn an_event_moves_to_another_clock_with_its_times() {
        let heard = Time::from_micros(5);
        let died = DeathEvent::NeighborDied {
            peer: Addr::loopback(2),
            cause: DeathCause::Closed,
            last_heard: heard,
            missed: None,
        };
        let moved = revised(10, died.into());
        assert_eq!(moved.at, Time::from_micros(7_000_010));
        let last_heard = match moved.kind {
            EventKind::Death(DeathEvent::NeighborDied { last_heard, .. }) => Some(last_heard),
            _ => None,
        };
        assert_eq!(last_heard, Some(Time::from_micros(7_000_005)));
    }

    #[test]
    fn when_a_message_began_is_of_the_clock_of_its_origin() {
        let id = MessageId { origin: Addr::loopback(9), run: 1, seq: 1 };
        let trace = Some(Trace { sent: Time::from_micros(4_000_000), hop: 1 });
        let moved = revised(5_000_000, GossipEvent::Duplicate { id, from: Addr::loopback(2), trace }.into());
        let sent = match moved.kind {
            EventKind::Gossip(GossipEvent::Duplicate { trace, .. }) => trace.map(|trace| trace.sent),
            _ => None,
        };
        assert_eq!(sent, Some(Time::from_micros(1_000_000)));
    }

    #[test]
    fn a_lost_message_names_the_fault_by_its_new_number() {
        let why = LossReason::Fault(FaultId(3));
        let loss = MessageLoss { from: Addr::loopback(2), to: Addr::loopback(1), connection: None, why };
        let id = MessageId { origin: Addr::loopback(9), run: 1, seq: 1 };
        let moved = revised(1, GossipEvent::Lost { id, loss }.into());
        let why = match moved.kind {
            EventKind::Gossip(GossipEvent::Lost { loss, .. }) => Some(loss.why),
            _ => None,
        };
        assert_eq!(why, Some(LossReason::Fault(FaultId(7))));
    }
}
