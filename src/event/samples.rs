//! Events for the tests of all rooms: one of each kind, by family, and any event at all.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::event::{
    Absence, Attempt, ConnectionId, DeathEvent, DelistReason, DialError, Direction, Event, EventKind, FailureReason,
    FaultError, FaultEvent, GossipEvent, LinkEnd, LinkEvent, LinkId, LossReason, MessageLoss, Methods, NodeEvent,
    NodeState, OffenderHost, Omission, Pace, ProbeEvent, ProbePart, Purpose, Refusal, RepairReason, ReportAction, Rule,
    SeedEvent, Side, SiteError, Stop, SystemError, SystemErrorKind, TextProblem, Unwritable, Verification, Violation,
};
use crate::proto::addr::Addr;
use crate::proto::config::Overlay;
use crate::proto::fault::{Fault, FaultCommand, FaultId, FaultKind, Percent, Scope};
use crate::proto::message::{
    DeathCause, Dialect, GoodbyeReason, MessageId, MessageKind, ProbeId, RefusalReason, RepairId, ReportId, Role,
    Trace, VerificationId,
};
use crate::proto::name::NodeName;
use crate::proto::text::Body;
use crate::proto::time::{ClockTime, Time};

/// 1970-01-02 03:13:02.418 UTC.
pub(crate) const AT: Time = Time::from_micros((86_400 + 3 * 3600 + 13 * 60 + 2) * 1_000_000 + 418_000);

pub(crate) fn seed() -> Addr {
    Addr::loopback(5001)
}

pub(crate) fn peer(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

pub(crate) fn clock() -> ClockTime {
    ClockTime::parse(b"03.05.29").unwrap()
}

pub(crate) fn event(node: Addr, kind: EventKind) -> Event {
    Event { at: AT, node, kind }
}

pub(crate) fn started(name: &str, role: Role) -> EventKind {
    node_started(name, role).into()
}

fn node_started(name: &str, role: Role) -> NodeEvent {
    let pace = Pace { gossip_interval_us: 10_000_000, liveness_interval_us: 13_000_000, liveness_misses: 3 };
    NodeEvent::Started { name: name.to_owned(), role, dialect: Dialect::Framed, pace, methods: Methods::default() }
}

/// A link as one end sees it come up, as older recordings have it.
pub(crate) fn link_up(link: LinkId, peer: Addr, direction: Direction, purpose: Purpose) -> EventKind {
    EventKind::Link(LinkEvent::Up { link, connection: None, peer, direction, purpose })
}

pub(crate) fn received(body: &str) -> EventKind {
    let id = MessageId { origin: peer(2), run: 7, seq: 1 };
    let trace = Some(Trace { sent: AT, hop: 2 });
    EventKind::Gossip(GossipEvent::Received { id, from: peer(1), body: body.into(), trace, forwarded: 3 })
}

/// One event of each kind.
pub(crate) fn one_of_each() -> Vec<EventKind> {
    let nodes = node_events().into_iter().map(EventKind::from);
    nodes
        .chain(fault_events().into_iter().map(EventKind::from))
        .chain(link_events().into_iter().map(EventKind::from))
        .chain(seed_events().into_iter().map(EventKind::from))
        .chain(gossip_events().into_iter().map(EventKind::from))
        .chain(probe_events().into_iter().map(EventKind::from))
        .chain(death_events().into_iter().map(EventKind::from))
        .collect()
}

fn connection() -> ConnectionId {
    ConnectionId { dialer: Addr::loopback(40_001), acceptor: peer(2), began: AT }
}

fn loss(why: LossReason) -> MessageLoss {
    MessageLoss { from: peer(2), to: peer(1), connection: Some(connection()), why }
}

fn node_events() -> Vec<NodeEvent> {
    let at = peer(2);
    vec![
        node_started("p1", Role::Peer),
        NodeEvent::Exposed { bind: at, opened: vec![at], allow: vec!["10.0.0.0/8".to_owned()] },
        NodeEvent::Stopped { how: Stop::Killed },
        NodeEvent::Hung,
        NodeEvent::WasAway { why: Absence::Stopped, span_us: 8_200_000 },
        NodeEvent::failed(Attempt::Start(Role::Peer), Refusal::Site(SiteError::Denied(Addr::loopback(80)))),
    ]
}

fn fault_events() -> Vec<FaultEvent> {
    vec![
        FaultEvent::Set {
            id: Some(FaultId(4)),
            fault: Fault {
                what: FaultKind::Delay { by_us: 100_000, jitter_us: 50_000 },
                on: Scope::link(peer(2), peer(1)),
            },
        },
        FaultEvent::Cleared {
            id: None,
            fault: Fault { what: FaultKind::Cut, on: Scope::border(vec![peer(1), peer(2)]) },
        },
        FaultEvent::Lied { about: peer(2) },
    ]
}

const VERIFICATION: Verification = Verification { id: VerificationId(7), probes: [ProbeId(38), ProbeId(40)] };

fn link_events() -> Vec<LinkEvent> {
    let (peer, host, joiners) = (peer(2), Ipv4Addr::new(10, 0, 0, 1), vec![peer(1), peer(2)]);
    let remote = Addr::new(host, 4711);
    let (purpose, link, cause) = (Purpose::Neighbor, LinkId(9), DeathCause::Misses { misses: 3 });
    vec![
        LinkEvent::Dialing { peer, purpose, repair: Some(RepairId(NonZeroU32::MIN)) },
        LinkEvent::DialFailed { peer, purpose, error: DialError::REFUSED, retry_at: Some(AT) },
        LinkEvent::Up { link, connection: Some(connection()), peer, direction: Direction::Outbound, purpose },
        LinkEvent::Down { link, peer, purpose, end: LinkEnd::Dead { cause } },
        LinkEvent::Refused {
            connection: Some(connection()),
            peer,
            by: Side::Them,
            reason: RefusalReason::Full,
            referral: joiners.clone(),
        },
        LinkEvent::NotAccepted { peer },
        LinkEvent::Violation {
            connection: Some(connection()),
            remote,
            peer: None,
            violation: Violation::new(Rule::Malformed, b"\x1b["),
        },
        LinkEvent::MoreOffenses { host: OffenderHost::One(host), count: 3_117, span_us: 10_000_000 },
        LinkEvent::Flooding { peer, said: MessageKind::Probe, limit: 400 },
        LinkEvent::Omitted { what: Omission::Links, host, count: 19_936, span_us: 10_000_000 },
        LinkEvent::OtherDialect { connection: Some(connection()), remote, peer: None, speaks: Dialect::Classic },
        LinkEvent::HandshakeFailed { remote, peer: Some(peer), connection: Some(connection()) },
        LinkEvent::EclipseSuspected { joiners },
        LinkEvent::Repairing {
            repair: Some(RepairId(NonZeroU32::MIN)),
            reason: RepairReason::TooFewLinks { have: 1, want: 4 },
        },
    ]
}

fn seed_events() -> Vec<SeedEvent> {
    let (seed, peer, peers, registered) = (seed(), peer(2), vec![peer(1), peer(2)], 1);
    vec![
        SeedEvent::TooFewSeeds { registered, wanted: 2, known: 3 },
        SeedEvent::EnoughSeeds { registered },
        SeedEvent::ListedAlready { seed },
        SeedEvent::PeerListReceived { seed, peers: peers.clone(), listed: Some(1_000) },
        SeedEvent::PeerListSent { peer: None, peers, listed: None },
        SeedEvent::PeerListed { peer, again: false },
        SeedEvent::PeerDelisted {
            peer,
            verification: Some(VERIFICATION),
            reason: DelistReason::Unanswered { report: Some(ReportId(5)), reporter: self::peer(1) },
        },
    ]
}

fn gossip_events() -> Vec<GossipEvent> {
    let (id, body) = (MessageId { origin: peer(1), run: 7, seq: 12 }, Body::from("Gossip Message 12"));
    let (peer, trace) = (peer(2), Some(Trace { sent: AT, hop: 1 }));
    vec![
        GossipEvent::Generated { id, body: body.clone(), trace, forwarded: 4 },
        GossipEvent::Received { id, from: peer, body, trace, forwarded: 3 },
        GossipEvent::Duplicate { id, from: peer, trace },
        GossipEvent::Forged { id, from: peer },
        GossipEvent::Lost { id, loss: loss(LossReason::Fault(FaultId(4))) },
    ]
}

fn probe_events() -> Vec<ProbeEvent> {
    let (peer, seq, clock, last_heard) = (peer(2), 88, clock(), AT);
    vec![
        ProbeEvent::Sent { probe: Some(ProbeId(40)), peer, seq },
        ProbeEvent::Received { peer, seq, clock },
        ProbeEvent::Answered { probe: Some(ProbeId(40)), peer, seq, clock, rtt_us: 420 },
        ProbeEvent::Missed { probe: Some(ProbeId(40)), peer, seq, misses: 2, limit: 3, last_heard },
        ProbeEvent::Lost { part: ProbePart::Answer, seq, loss: loss(LossReason::Hung) },
    ]
}

fn death_events() -> Vec<DeathEvent> {
    let (dead, reporter, clock, rtt_us) = (peer(2), peer(1), clock(), 420);
    let (cause, last_heard) = (DeathCause::Misses { misses: 3 }, AT);
    vec![
        DeathEvent::NeighborDied { missed: Some([ProbeId(38), ProbeId(40)]), peer: dead, cause, last_heard },
        DeathEvent::DeadReportSent { report: Some(ReportId(5)), dead, clock, seeds: vec![seed()], cause },
        DeathEvent::DeadReportReceived {
            report: Some(ReportId(5)),
            verification: Some(VerificationId(7)),
            dead,
            clock,
            reporter,
            cause: None,
            action: ReportAction::Verifying,
        },
        DeathEvent::ReportLost { dead, reporter, loss: loss(LossReason::LinkEnded) },
        DeathEvent::ReportDisputed {
            report: Some(ReportId(5)),
            verification: Some(VERIFICATION),
            dead,
            reporter,
            disputes: 2,
            rtt_us,
        },
    ]
}

fn addr() -> impl Strategy<Value = Addr> {
    (any::<[u8; 4]>(), any::<u16>()).prop_map(|(ip, port)| Addr::new(ip.into(), port))
}

fn time() -> impl Strategy<Value = Time> {
    any::<u64>().prop_map(Time::from_micros)
}

fn any_clock() -> impl Strategy<Value = ClockTime> {
    (0..86_400_u32).prop_map(|seconds| ClockTime::from_seconds(seconds).unwrap())
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![vec(any::<u8>(), 0..40).prop_map(|bytes| Bytes::from(bytes).into()), ".*".prop_map(Body::from)]
}

fn id() -> impl Strategy<Value = MessageId> {
    (addr(), any::<u64>(), any::<u64>()).prop_map(|(origin, run, seq)| MessageId { origin, run, seq })
}

fn trace() -> impl Strategy<Value = Option<Trace>> {
    option::of((time(), any::<u16>()).prop_map(|(sent, hop)| Trace { sent, hop }))
}

fn cause() -> impl Strategy<Value = DeathCause> {
    prop_oneof![
        any::<u32>().prop_map(|misses| DeathCause::Misses { misses }),
        select(vec![DeathCause::LinkError, DeathCause::Closed, DeathCause::Cut, DeathCause::Lie]),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    select(vec![Side::Us, Side::Them])
}

fn purpose() -> impl Strategy<Value = Purpose> {
    select(vec![Purpose::Registration, Purpose::Neighbor])
}

fn any_connection() -> impl Strategy<Value = ConnectionId> {
    (addr(), addr(), time()).prop_map(|(dialer, acceptor, began)| ConnectionId { dialer, acceptor, began })
}

fn any_loss() -> impl Strategy<Value = MessageLoss> {
    let why = prop_oneof![
        any::<u64>().prop_map(|id| LossReason::Fault(FaultId(id))),
        select(vec![LossReason::QueueFull, LossReason::LinkEnded, LossReason::Hung]),
    ];
    let way = (addr(), addr(), option::of(any_connection()), why);
    way.prop_map(|(from, to, connection, why)| MessageLoss { from, to, connection, why })
}

fn dialect() -> impl Strategy<Value = Dialect> {
    select(vec![Dialect::Framed, Dialect::Classic])
}

fn addrs() -> impl Strategy<Value = Vec<Addr>> {
    vec(addr(), 0..5)
}

fn end() -> impl Strategy<Value = LinkEnd> {
    use GoodbyeReason::{Duplicate, Leaving, MadeRoom, Replaced};
    prop_oneof![
        (side(), select(vec![Leaving, MadeRoom, Duplicate, Replaced]))
            .prop_map(|(side, reason)| LinkEnd::Goodbye { side, reason }),
        cause().prop_map(|cause| LinkEnd::Dead { cause }),
        select(vec![
            LinkEnd::TooSlow,
            LinkEnd::Violation,
            LinkEnd::RegistrationLost,
            LinkEnd::WhileAway,
            LinkEnd::Refused { reason: RefusalReason::WrongRole }
        ]),
    ]
}

fn delist_reason() -> impl Strategy<Value = DelistReason> {
    prop_oneof![
        addr().prop_map(|reporter| DelistReason::Reported { report: None, reporter }),
        addr().prop_map(|reporter| DelistReason::Unanswered { report: None, reporter }),
        select(vec![DelistReason::Silent, DelistReason::Departed, DelistReason::Left]),
    ]
}

fn about_nodes() -> impl Strategy<Value = EventKind> {
    let roles = select(vec![Role::Seed, Role::Peer]);
    let methods = any::<bool>()
        .prop_map(|make_room| Methods { overlay: Overlay::Assignment { make_room }, ..Methods::default() });
    let pace = any::<(u64, u64, u32)>().prop_map(|(gossip_interval_us, liveness_interval_us, liveness_misses)| Pace {
        gossip_interval_us,
        liveness_interval_us,
        liveness_misses,
    });
    let repair = prop_oneof![
        any::<(usize, usize)>().prop_map(|(have, want)| RepairReason::TooFewLinks { have, want }),
        (addr(), addr()).prop_map(|(root, other)| RepairReason::SplitOverlay { root, other }),
    ];
    prop_oneof![
        (".*", roles, dialect(), pace, methods).prop_map(|(name, role, dialect, pace, methods)| EventKind::Node(
            NodeEvent::Started { name, role, dialect, pace, methods }
        )),
        (addr(), addrs(), vec(".*", 0..3)).prop_map(|(bind, opened, allow)| EventKind::Node(NodeEvent::Exposed {
            bind,
            opened,
            allow
        })),
        select(vec![Stop::Left, Stop::Killed]).prop_map(|how| EventKind::Node(NodeEvent::Stopped { how })),
        Just(EventKind::Node(NodeEvent::Hung)),
        (select(vec![Absence::Stopped, Absence::ReadsLate]), any::<u64>())
            .prop_map(|(why, span_us)| EventKind::Node(NodeEvent::WasAway { why, span_us })),
        (attempt().boxed(), failure().boxed()).prop_map(|(what, why)| NodeEvent::failed(what, why).into()),
        repair.prop_map(|reason| EventKind::Link(LinkEvent::Repairing { repair: None, reason })),
        any::<(usize, usize, usize)>().prop_map(|(registered, wanted, known)| EventKind::Seed(
            SeedEvent::TooFewSeeds { registered, wanted, known }
        )),
        any::<usize>().prop_map(|registered| EventKind::Seed(SeedEvent::EnoughSeeds { registered })),
    ]
}

fn system_error() -> impl Strategy<Value = SystemError> {
    let kinds = select(vec![SystemErrorKind::ConnectionRefused, SystemErrorKind::TimedOut, SystemErrorKind::Other]);
    (kinds, any::<Option<i32>>()).prop_map(|(kind, code)| SystemError { kind, code })
}

fn dial_error() -> impl Strategy<Value = DialError> {
    prop_oneof![
        system_error().prop_map(DialError::from),
        any::<u64>().prop_map(|within_us| DialError::NoAnswer { within_us }),
        Just(DialError::TooManyDials),
        ".*".prop_map(DialError::Quote),
    ]
}

fn offender_host() -> impl Strategy<Value = OffenderHost> {
    prop_oneof![Just(OffenderHost::Others), any::<Ipv4Addr>().prop_map(OffenderHost::One)]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let fault = (trouble(), scope()).prop_map(|(what, on)| FaultCommand::Set(Fault { what, on }));
    prop_oneof![
        addr().prop_map(Attempt::Kill),
        (addr(), addr()).prop_map(|(node, peer)| Attempt::Cut { node, peer }),
        any::<(usize, usize)>().prop_map(|(seeds, peers)| Attempt::StartLab { seeds, peers }),
        fault.prop_map(Attempt::Fault),
        select(vec![Attempt::Start(Role::Seed), Attempt::Fault(FaultCommand::Calm), Attempt::Run, Attempt::SendInTime]),
        ".*".prop_map(Attempt::Quote),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let name = || {
        (select(vec![Role::Seed, Role::Peer]), 1..u32::MAX)
            .prop_map(|(role, number)| NodeName::Numbered { role, number })
    };
    prop_oneof![
        addr().prop_map(Refusal::Unknown),
        (name(), addr()).prop_map(|(name, addr)| Refusal::NotRunning { name, addr, state: NodeState::Hangs }),
        Just(Refusal::SecondLab),
        ".*".prop_map(Refusal::NoSeedList),
        ".*".prop_map(|what| FaultError::None { what }.into()),
        any::<char>().prop_map(|control| TextProblem::Control(control).into()),
        (addr(), system_error()).prop_map(|(addr, source)| SiteError::Io { addr, source }.into()),
        vec(any::<Ipv4Addr>(), 0..3).prop_map(|found| SiteError::WhichInterface { port: 7, found }.into()),
    ]
}

fn failure() -> impl Strategy<Value = FailureReason> {
    prop_oneof![
        refusal().boxed().prop_map(FailureReason::from),
        system_error().prop_map(FailureReason::from),
        any::<(usize, usize)>().prop_map(|(len, max)| Unwritable::BodyTooLong { len, max }.into()),
        any::<(usize, u64)>().prop_map(|(messages, gap_us)| FailureReason::Backlog { messages, gap_us }),
        select(vec![
            FailureReason::SaidAlready,
            FailureReason::Unsent { messages: 1 },
            FailureReason::Panic,
            FailureReason::SlowMachine
        ]),
        ".*".prop_map(FailureReason::Quote),
    ]
}

fn about_links() -> impl Strategy<Value = EventKind> {
    let link = || any::<u64>().prop_map(LinkId);
    let direction = select(vec![Direction::Inbound, Direction::Outbound]);
    let refusal =
        select(vec![RefusalReason::Full, RefusalReason::Cut, RefusalReason::Myself, RefusalReason::WrongRole]);
    let rule = select(vec![Rule::FrameTooLong, Rule::HostilePickle, Rule::TooManyLinks]);
    let message_kind = select(vec![MessageKind::Gossip, MessageKind::ProbeReply, MessageKind::ListRequest]);
    let violation =
        (rule, vec(any::<u8>(), 0..Violation::BYTES_MAX)).prop_map(|(rule, bytes)| Violation::new(rule, &bytes));
    prop_oneof![
        (addr(), purpose()).prop_map(|(peer, purpose)| EventKind::Link(LinkEvent::Dialing {
            peer,
            purpose,
            repair: None
        })),
        (addr(), purpose(), dial_error(), option::of(time())).prop_map(|(peer, purpose, error, retry_at)| {
            EventKind::Link(LinkEvent::DialFailed { peer, purpose, error, retry_at })
        }),
        (link(), option::of(any_connection()), addr(), direction, purpose()).prop_map(
            |(link, connection, peer, direction, purpose)| EventKind::Link(LinkEvent::Up {
                link,
                connection,
                peer,
                direction,
                purpose
            })
        ),
        (link(), addr(), purpose(), end()).prop_map(|(link, peer, purpose, end)| EventKind::Link(LinkEvent::Down {
            link,
            peer,
            purpose,
            end
        })),
        (addr(), side(), refusal, addrs()).prop_map(|(peer, by, reason, referral)| EventKind::Link(
            LinkEvent::Refused { connection: None, peer, by, reason, referral }
        )),
        addr().prop_map(|peer| EventKind::Link(LinkEvent::NotAccepted { peer })),
        addrs().prop_map(|joiners| EventKind::Link(LinkEvent::EclipseSuspected { joiners })),
        (addr(), option::of(addr()), violation).prop_map(|(remote, peer, violation)| EventKind::Link(
            LinkEvent::Violation { connection: None, remote, peer, violation }
        )),
        (offender_host(), any::<u64>(), any::<u64>())
            .prop_map(|(host, count, span_us)| EventKind::Link(LinkEvent::MoreOffenses { host, count, span_us })),
        (addr(), message_kind, any::<u32>()).prop_map(|(peer, said, limit)| EventKind::Link(LinkEvent::Flooding {
            peer,
            said,
            limit
        })),
        (
            select(vec![Omission::Links, Omission::Refusals, Omission::Reports]),
            any::<Ipv4Addr>(),
            any::<u64>(),
            any::<u64>()
        )
            .prop_map(|(what, host, count, span_us)| EventKind::Link(LinkEvent::Omitted {
                what,
                host,
                count,
                span_us
            })),
        (addr(), option::of(addr()), dialect()).prop_map(|(remote, peer, speaks)| EventKind::Link(
            LinkEvent::OtherDialect { connection: None, remote, peer, speaks }
        )),
        (addr(), option::of(addr())).prop_map(|(remote, peer)| EventKind::Link(LinkEvent::HandshakeFailed {
            remote,
            peer,
            connection: None
        })),
    ]
}

fn about_seeds() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        addr().prop_map(|seed| EventKind::Seed(SeedEvent::ListedAlready { seed })),
        (addr(), addrs(), any::<Option<u32>>())
            .prop_map(|(seed, peers, listed)| EventKind::Seed(SeedEvent::PeerListReceived { seed, peers, listed })),
        (option::of(addr()), addrs(), any::<Option<u32>>())
            .prop_map(|(peer, peers, listed)| EventKind::Seed(SeedEvent::PeerListSent { peer, peers, listed })),
        (addr(), any::<bool>()).prop_map(|(peer, again)| EventKind::Seed(SeedEvent::PeerListed { peer, again })),
        (addr(), delist_reason()).prop_map(|(peer, reason)| EventKind::Seed(SeedEvent::PeerDelisted {
            peer,
            verification: None,
            reason
        })),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::All),
        addr().prop_map(Scope::Node),
        (addr(), addr()).prop_map(|(one, other)| Scope::link(one, other)),
        addrs().prop_map(Scope::border),
    ]
}

fn trouble() -> impl Strategy<Value = FaultKind> {
    let percent = || (0..=100_u8).prop_map(|of_hundred| Percent::new(of_hundred).unwrap());
    prop_oneof![
        Just(FaultKind::Cut),
        any::<(u64, u64)>().prop_map(|(by_us, jitter_us)| FaultKind::Delay { by_us, jitter_us }),
        percent().prop_map(|percent| FaultKind::Loss { percent }),
        percent().prop_map(|percent| FaultKind::Duplicate { percent }),
        (percent(), any::<u64>()).prop_map(|(percent, window_us)| FaultKind::Reorder { percent, window_us }),
        any::<u32>().prop_map(|per_s| FaultKind::Slow { per_s }),
        any::<i64>().prop_map(|by_us| FaultKind::Skew { by_us }),
        any::<u32>().prop_map(|per_s| FaultKind::Junk { per_s }),
    ]
}

fn about_faults() -> impl Strategy<Value = EventKind> {
    let fault = || (trouble(), scope()).prop_map(|(what, on)| Fault { what, on });
    prop_oneof![
        (option::of(any::<u64>().prop_map(FaultId)), fault())
            .prop_map(|(id, fault)| FaultEvent::Set { id, fault }.into()),
        (option::of(any::<u64>().prop_map(FaultId)), fault())
            .prop_map(|(id, fault)| FaultEvent::Cleared { id, fault }.into()),
        addr().prop_map(|about| EventKind::Fault(FaultEvent::Lied { about })),
    ]
}

fn about_messages() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        (id(), body(), trace(), any::<usize>()).prop_map(|(id, body, trace, forwarded)| EventKind::Gossip(
            GossipEvent::Generated { id, body, trace, forwarded }
        )),
        (id(), addr(), body(), trace(), any::<usize>()).prop_map(|(id, from, body, trace, forwarded)| {
            EventKind::Gossip(GossipEvent::Received { id, from, body, trace, forwarded })
        }),
        (id(), addr(), trace()).prop_map(|(id, from, trace)| EventKind::Gossip(GossipEvent::Duplicate {
            id,
            from,
            trace
        })),
        (id(), any_loss()).prop_map(|(id, loss)| GossipEvent::Lost { id, loss }.into()),
        (select(vec![ProbePart::Question, ProbePart::Answer]), any::<u64>(), any_loss())
            .prop_map(|(part, seq, loss)| ProbeEvent::Lost { part, seq, loss }.into()),
        (addr(), addr(), any_loss())
            .prop_map(|(dead, reporter, loss)| DeathEvent::ReportLost { dead, reporter, loss }.into()),
        (id(), addr()).prop_map(|(id, from)| EventKind::Gossip(GossipEvent::Forged { id, from })),
    ]
}

fn about_life() -> impl Strategy<Value = EventKind> {
    let action = select(vec![ReportAction::Removed, ReportAction::Verifying, ReportAction::NotListed]);
    prop_oneof![
        (option::of(any::<u32>().prop_map(ProbeId)), addr(), any::<u64>())
            .prop_map(|(probe, peer, seq)| EventKind::Probe(ProbeEvent::Sent { probe, peer, seq })),
        (addr(), any::<u64>(), any_clock()).prop_map(|(peer, seq, clock)| EventKind::Probe(ProbeEvent::Received {
            peer,
            seq,
            clock
        })),
        (option::of(any::<u32>().prop_map(ProbeId)), addr(), any::<u64>(), any_clock(), any::<u64>()).prop_map(
            |(probe, peer, seq, clock, rtt_us)| ProbeEvent::Answered { probe, peer, seq, clock, rtt_us }.into()
        ),
        (addr(), any::<u64>(), any::<u32>(), any::<u32>(), time()).prop_map(
            |(peer, seq, misses, limit, last_heard)| EventKind::Probe(ProbeEvent::Missed {
                probe: None,
                peer,
                seq,
                misses,
                limit,
                last_heard
            })
        ),
        (addr(), cause(), time()).prop_map(|(peer, cause, last_heard)| EventKind::Death(DeathEvent::NeighborDied {
            missed: None,
            peer,
            cause,
            last_heard
        })),
        (addr(), any_clock(), addrs(), cause()).prop_map(|(dead, clock, seeds, cause)| EventKind::Death(
            DeathEvent::DeadReportSent { report: None, dead, clock, seeds, cause }
        )),
        (addr(), any_clock(), addr(), option::of(cause()), action).prop_map(
            |(dead, clock, reporter, cause, action)| EventKind::Death(DeathEvent::DeadReportReceived {
                report: None,
                verification: None,
                dead,
                clock,
                reporter,
                cause,
                action
            })
        ),
        (addr(), addr(), any::<u32>(), any::<u64>()).prop_map(|(dead, reporter, disputes, rtt_us)| {
            EventKind::Death(DeathEvent::ReportDisputed {
                report: None,
                verification: None,
                dead,
                reporter,
                disputes,
                rtt_us,
            })
        }),
    ]
}

/// Any event, whatever its texts, times and numbers.
pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        about_nodes().boxed(),
        about_links().boxed(),
        about_seeds().boxed(),
        about_messages().boxed(),
        about_life().boxed(),
        about_faults().boxed()
    ];
    (time(), addr(), kind).prop_map(|(at, node, kind)| Event { at, node, kind })
}
