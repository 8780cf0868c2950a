//! Events for the tests of this room: any event at all, and one of each kind.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::event::{
    Absence, DelistReason, Direction, Event, EventKind, LinkEnd, LinkId, Omission, Pace, Purpose, RepairReason,
    ReportAction, Rule, Side, Stop, Violation,
};
use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultKind, Percent, Scope};
use crate::proto::message::{DeathCause, Dialect, GoodbyeReason, MessageId, RefusalReason, Role, Trace};
use crate::proto::text::Body;
use crate::proto::time::{ClockTime, Time};

/// 1970-01-02 03:13:02.418 UTC.
pub(super) const AT: Time = Time::from_micros((86_400 + 3 * 3600 + 13 * 60 + 2) * 1_000_000 + 418_000);

pub(super) fn seed() -> Addr {
    Addr::loopback(5001)
}

pub(super) fn peer(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

pub(super) fn clock() -> ClockTime {
    ClockTime::parse(b"03.05.29").unwrap()
}

pub(super) fn event(node: Addr, kind: EventKind) -> Event {
    Event { at: AT, node, kind }
}

pub(super) fn started(name: &str, role: Role) -> EventKind {
    let pace = Pace { gossip_interval_us: 10_000_000, liveness_interval_us: 13_000_000, liveness_misses: 3 };
    EventKind::Started { name: name.to_owned(), role, dialect: Dialect::Framed, pace }
}

pub(super) fn received(body: &str) -> EventKind {
    let id = MessageId { origin: peer(2), run: 7, seq: 1 };
    let trace = Some(Trace { sent: AT, hop: 2 });
    EventKind::Received { id, from: peer(1), body: body.into(), trace, forwarded: 3 }
}

/// One event of each kind.
pub(crate) fn one_of_each() -> Vec<EventKind> {
    let (id, body) = (MessageId { origin: peer(1), run: 7, seq: 12 }, Body::from("Gossip Message 12"));
    let (purpose, link, clock) = (Purpose::Neighbor, LinkId(9), clock());
    let (peers, cause) = (vec![peer(1), peer(2)], DeathCause::Misses { misses: 3 });
    let trace = Some(Trace { sent: AT, hop: 1 });
    let (dead, reporter, remote, misses, limit, rtt_us) = (peer(2), peer(1), "10.0.0.1:4711".to_owned(), 2, 3, 420);
    let (peer, seed, seq, registered, last_heard) = (peer(2), seed(), 88, 1, AT);
    vec![
        started("p1", Role::Peer),
        EventKind::Exposed { bind: dead, opened: vec![dead], allow: vec!["10.0.0.0/8".to_owned()] },
        EventKind::Stopped { how: Stop::Killed },
        EventKind::Hung,
        EventKind::WasAway { why: Absence::Stopped, span_us: 8_200_000 },
        EventKind::Failed { what: "start a peer at 127.0.0.1:80".to_owned(), why: "permission denied".to_owned() },
        EventKind::FaultSet {
            fault: Fault {
                what: FaultKind::Delay { by_us: 100_000, jitter_us: 50_000 },
                on: Scope::link(peer, reporter),
            },
        },
        EventKind::FaultCleared { fault: Fault { what: FaultKind::Cut, on: Scope::border(peers.clone()) } },
        EventKind::Lied { about: dead },
        EventKind::Dialing { peer, purpose },
        EventKind::DialFailed { peer, purpose, error: "Connection refused".to_owned(), retry_at: Some(AT) },
        EventKind::LinkUp { link, peer, direction: Direction::Outbound, purpose },
        EventKind::LinkDown { link, peer, purpose, end: LinkEnd::Dead { cause } },
        EventKind::LinkRefused { peer, by: Side::Them, reason: RefusalReason::Full, referral: peers.clone() },
        EventKind::NotAccepted { peer },
        EventKind::Violation {
            remote: remote.clone(),
            peer: None,
            violation: Violation::new(Rule::Malformed, b"\x1b["),
        },
        EventKind::MoreOffenses { host: "10.0.0.1".to_owned(), count: 3_117, span_us: 10_000_000 },
        EventKind::Flooding { peer, said: "liveness request".to_owned(), limit: 400 },
        EventKind::Omitted { what: Omission::Links, host: "10.0.0.1".to_owned(), count: 19_936, span_us: 10_000_000 },
        EventKind::OtherDialect { remote: remote.clone(), peer: None, speaks: Dialect::Classic },
        EventKind::HandshakeFailed { remote, peer: Some(peer) },
        EventKind::EclipseSuspected { joiners: peers.clone() },
        EventKind::Repairing { reason: RepairReason::TooFewLinks { have: 1, want: 4 } },
        EventKind::TooFewSeeds { registered, wanted: 2, known: 3 },
        EventKind::EnoughSeeds { registered },
        EventKind::ListedAlready { seed },
        EventKind::PeerListReceived { seed, peers: peers.clone(), listed: Some(1_000) },
        EventKind::PeerListSent { peer: None, peers, listed: None },
        EventKind::PeerListed { peer, again: false },
        EventKind::PeerDelisted { peer, reason: DelistReason::Unanswered { reporter } },
        EventKind::Generated { id, body: body.clone(), trace, forwarded: 4 },
        EventKind::Received { id, from: peer, body, trace, forwarded: 3 },
        EventKind::Duplicate { id, from: peer, trace },
        EventKind::Forged { id, from: peer },
        EventKind::ProbeSent { peer, seq },
        EventKind::ProbeReceived { peer, seq, clock },
        EventKind::ProbeAnswered { peer, seq, clock, rtt_us },
        EventKind::ProbeMissed { peer, seq, misses, limit, last_heard },
        EventKind::NeighborDied { peer, cause, last_heard },
        EventKind::DeadReportSent { dead, clock, seeds: vec![seed], cause },
        EventKind::DeadReportReceived { dead, clock, reporter, cause: None, action: ReportAction::Verifying },
        EventKind::ReportDisputed { dead, reporter, disputes: 2, rtt_us },
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
        addr().prop_map(|reporter| DelistReason::Reported { reporter }),
        addr().prop_map(|reporter| DelistReason::Unanswered { reporter }),
        select(vec![DelistReason::Silent, DelistReason::Departed, DelistReason::Left]),
    ]
}

fn about_nodes() -> impl Strategy<Value = EventKind> {
    let roles = select(vec![Role::Seed, Role::Peer]);
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
        (".*", roles, dialect(), pace).prop_map(|(name, role, dialect, pace)| EventKind::Started {
            name,
            role,
            dialect,
            pace
        }),
        (addr(), addrs(), vec(".*", 0..3)).prop_map(|(bind, opened, allow)| EventKind::Exposed { bind, opened, allow }),
        select(vec![Stop::Left, Stop::Killed]).prop_map(|how| EventKind::Stopped { how }),
        Just(EventKind::Hung),
        (select(vec![Absence::Stopped, Absence::ReadsLate]), any::<u64>())
            .prop_map(|(why, span_us)| EventKind::WasAway { why, span_us }),
        (".*", ".*").prop_map(|(what, why)| EventKind::Failed { what, why }),
        repair.prop_map(|reason| EventKind::Repairing { reason }),
        any::<(usize, usize, usize)>().prop_map(|(registered, wanted, known)| EventKind::TooFewSeeds {
            registered,
            wanted,
            known
        }),
        any::<usize>().prop_map(|registered| EventKind::EnoughSeeds { registered }),
    ]
}

fn about_links() -> impl Strategy<Value = EventKind> {
    let link = || any::<u64>().prop_map(LinkId);
    let direction = select(vec![Direction::Inbound, Direction::Outbound]);
    let refusal =
        select(vec![RefusalReason::Full, RefusalReason::Cut, RefusalReason::Myself, RefusalReason::WrongRole]);
    let rule = select(vec![Rule::FrameTooLong, Rule::HostilePickle, Rule::TooManyLinks]);
    let violation =
        (rule, vec(any::<u8>(), 0..Violation::BYTES_MAX)).prop_map(|(rule, bytes)| Violation::new(rule, &bytes));
    prop_oneof![
        (addr(), purpose()).prop_map(|(peer, purpose)| EventKind::Dialing { peer, purpose }),
        (addr(), purpose(), ".*", option::of(time()))
            .prop_map(|(peer, purpose, error, retry_at)| EventKind::DialFailed { peer, purpose, error, retry_at }),
        (link(), addr(), direction, purpose()).prop_map(|(link, peer, direction, purpose)| EventKind::LinkUp {
            link,
            peer,
            direction,
            purpose
        }),
        (link(), addr(), purpose(), end()).prop_map(|(link, peer, purpose, end)| EventKind::LinkDown {
            link,
            peer,
            purpose,
            end
        }),
        (addr(), side(), refusal, addrs()).prop_map(|(peer, by, reason, referral)| EventKind::LinkRefused {
            peer,
            by,
            reason,
            referral
        }),
        addr().prop_map(|peer| EventKind::NotAccepted { peer }),
        addrs().prop_map(|joiners| EventKind::EclipseSuspected { joiners }),
        (".*", option::of(addr()), violation).prop_map(|(remote, peer, violation)| EventKind::Violation {
            remote,
            peer,
            violation
        }),
        (".*", any::<u64>(), any::<u64>()).prop_map(|(host, count, span_us)| EventKind::MoreOffenses {
            host,
            count,
            span_us
        }),
        (addr(), ".*", any::<u32>()).prop_map(|(peer, said, limit)| EventKind::Flooding { peer, said, limit }),
        (select(vec![Omission::Links, Omission::Refusals, Omission::Reports]), ".*", any::<u64>(), any::<u64>())
            .prop_map(|(what, host, count, span_us)| EventKind::Omitted { what, host, count, span_us }),
        (".*", option::of(addr()), dialect()).prop_map(|(remote, peer, speaks)| EventKind::OtherDialect {
            remote,
            peer,
            speaks
        }),
        (".*", option::of(addr())).prop_map(|(remote, peer)| EventKind::HandshakeFailed { remote, peer }),
        addr().prop_map(|seed| EventKind::ListedAlready { seed }),
        (addr(), addrs(), any::<Option<u32>>()).prop_map(|(seed, peers, listed)| EventKind::PeerListReceived {
            seed,
            peers,
            listed
        }),
        (option::of(addr()), addrs(), any::<Option<u32>>()).prop_map(|(peer, peers, listed)| EventKind::PeerListSent {
            peer,
            peers,
            listed
        }),
        (addr(), any::<bool>()).prop_map(|(peer, again)| EventKind::PeerListed { peer, again }),
        (addr(), delist_reason()).prop_map(|(peer, reason)| EventKind::PeerDelisted { peer, reason }),
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
        fault().prop_map(|fault| EventKind::FaultSet { fault }),
        fault().prop_map(|fault| EventKind::FaultCleared { fault }),
        addr().prop_map(|about| EventKind::Lied { about }),
    ]
}

fn about_messages() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        (id(), body(), trace(), any::<usize>()).prop_map(|(id, body, trace, forwarded)| EventKind::Generated {
            id,
            body,
            trace,
            forwarded
        }),
        (id(), addr(), body(), trace(), any::<usize>()).prop_map(|(id, from, body, trace, forwarded)| {
            EventKind::Received { id, from, body, trace, forwarded }
        }),
        (id(), addr(), trace()).prop_map(|(id, from, trace)| EventKind::Duplicate { id, from, trace }),
        (id(), addr()).prop_map(|(id, from)| EventKind::Forged { id, from }),
    ]
}

fn about_life() -> impl Strategy<Value = EventKind> {
    let action = select(vec![ReportAction::Removed, ReportAction::Verifying, ReportAction::NotListed]);
    prop_oneof![
        (addr(), any::<u64>()).prop_map(|(peer, seq)| EventKind::ProbeSent { peer, seq }),
        (addr(), any::<u64>(), any_clock()).prop_map(|(peer, seq, clock)| EventKind::ProbeReceived {
            peer,
            seq,
            clock
        }),
        (addr(), any::<u64>(), any_clock(), any::<u64>())
            .prop_map(|(peer, seq, clock, rtt_us)| EventKind::ProbeAnswered { peer, seq, clock, rtt_us }),
        (addr(), any::<u64>(), any::<u32>(), any::<u32>(), time()).prop_map(
            |(peer, seq, misses, limit, last_heard)| EventKind::ProbeMissed { peer, seq, misses, limit, last_heard }
        ),
        (addr(), cause(), time()).prop_map(|(peer, cause, last_heard)| EventKind::NeighborDied {
            peer,
            cause,
            last_heard
        }),
        (addr(), any_clock(), addrs(), cause()).prop_map(|(dead, clock, seeds, cause)| EventKind::DeadReportSent {
            dead,
            clock,
            seeds,
            cause
        }),
        (addr(), any_clock(), addr(), option::of(cause()), action).prop_map(
            |(dead, clock, reporter, cause, action)| EventKind::DeadReportReceived {
                dead,
                clock,
                reporter,
                cause,
                action
            }
        ),
        (addr(), addr(), any::<u32>(), any::<u64>()).prop_map(|(dead, reporter, disputes, rtt_us)| {
            EventKind::ReportDisputed { dead, reporter, disputes, rtt_us }
        }),
    ]
}

/// Any event, whatever its texts, times and numbers.
pub(super) fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![about_nodes(), about_links(), about_messages(), about_life(), about_faults()];
    (time(), addr(), kind).prop_map(|(at, node, kind)| Event { at, node, kind })
}
