//! The limits of a seed that only very many nodes would reach.

use super::checks::REPORTERS_MAX;
use super::*;
use crate::event::{LinkEvent, ProbeEvent, SeedEvent};
use crate::proto::config::DeadPolicy;
use crate::proto::event::Purpose;
use crate::proto::message::RefusalReason;

/// Says nothing to anybody, and keeps what happened.
#[derive(Default)]
struct Told(Vec<EventKind>);

impl Output for Told {
    fn send(&mut self, _link: LinkId, _message: &Message) {}

    fn dial(&mut self, _peer: Addr, _purpose: Purpose) {}

    fn pause(&mut self, _link: LinkId, _until: Time) {}

    fn hang_up(&mut self, _link: LinkId) {}

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.0.push(event().into());
    }
}

const NOW: Time = Time::from_micros(1_000_000);

fn addr(n: usize) -> Addr {
    Addr::new((0x0a00_0000 + u32::try_from(n).unwrap()).into(), 4_000)
}

fn seed() -> Seed {
    Seed::new(SeedConfig::new(Addr::loopback(5_001)), 1)
}

fn join(seed: &mut Seed, link: LinkId, listen: Addr) -> Vec<EventKind> {
    let mut told = Told::default();
    let accepted = LinkChange::Accepted { remote: addr(0) };
    seed.handle(NOW, Input::Link { link, change: accepted }, &mut told);
    let hello = Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::Low });
    seed.handle(NOW, Input::Message { link, message: hello }, &mut told);
    told.0
}

#[test]
fn a_full_list_takes_nobody_new_and_everybody_who_is_on_it() {
    const LIST_MAX: usize = 1_000;
    let mut seed = seed();
    seed.config.list_max = LIST_MAX;
    let host = std::net::Ipv4Addr::LOCALHOST;
    for n in 0..LIST_MAX {
        seed.registry.list.register(addr(n), LinkId(100 + n as u64), host, Proof::Given);
        seed.registry.list.depart(NOW, addr(n), LinkId(100 + n as u64));
        seed.registry.list.note_told(addr(n));
    }
    let refused =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Refused { reason: RefusalReason::Full, .. }));
    assert!(join(&mut seed, LinkId(1), addr(LIST_MAX)).iter().any(refused));
    assert_eq!((seed.registry.list.len(), seed.registry.links.values().count()), (LIST_MAX, 0));
    let listed = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { again: true, .. }));
    assert!(join(&mut seed, LinkId(2), addr(7)).iter().any(listed));
}

#[test]
fn many_reports_of_one_node_start_one_check() {
    let mut seed = seed();
    join(&mut seed, LinkId(1), addr(0));
    let Seed { config, choices, numbers, registry, .. } = &mut seed;
    let out = &mut Told::default();
    let cx = &mut Cx { now: NOW, config: &*config, chance: choices, numbers, skew_us: 0, out };
    for n in 0..10 * REPORTERS_MAX {
        let report = cx.numbers.next_report();
        registry.verify(cx, addr(0), (addr(n), report));
    }
    let checks: Vec<_> = seed.registry.links.values().filter_map(|open| open.check.as_ref()).collect();
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].reporters.len(), REPORTERS_MAX);
}

#[test]
fn disputes_are_counted_for_some_reporters_only() {
    let mut seed = seed();
    for n in 0..2 * DISPUTES_MAX {
        seed.registry.count_dispute(addr(n));
    }
    assert_eq!(seed.registry.disputes.len(), DISPUTES_MAX);
    assert_eq!(seed.registry.count_dispute(addr(2 * DISPUTES_MAX - 1)), 2, "the last ones are still counted");
}

fn says(seed: &mut Seed, now: Time, link: LinkId, message: Message) -> Vec<EventKind> {
    let mut told = Told::default();
    seed.handle(now, Input::Message { link, message }, &mut told);
    told.0
}

fn probe(asker: Addr, seq: u64) -> Message {
    Message::Probe { seq, asker, clock: NOW.clock(0), extras: None }
}

#[test]
fn a_delisted_peer_is_listed_again_when_it_probes() {
    let mut seed = seed();
    seed.config.dead_policy = DeadPolicy::Trust;
    join(&mut seed, LinkId(1), addr(1));
    join(&mut seed, LinkId(2), addr(2));
    let report = Message::DeadReport { dead: addr(1), clock: NOW.clock(0), reporter: addr(2), cause: None };
    says(&mut seed, NOW, LinkId(2), report);
    assert!(!seed.registry.list.contains(addr(1)));
    let told = says(&mut seed, NOW, LinkId(1), probe(addr(1), 1));
    assert!(told.contains(&EventKind::Seed(SeedEvent::PeerListed { peer: addr(1), again: false })), "{told:?}");
    assert!(seed.registry.list.contains(addr(1)));
}

#[test]
fn a_peer_that_always_speaks_hears_of_the_root_all_the_same() {
    let mut seed = seed();
    join(&mut seed, LinkId(1), addr(1));
    let (interval, asker) = (seed.config.liveness_interval, seed.config.listen);
    let mut probes = 0;
    for tick in 1..=30 {
        let (now, mut told) = (NOW + interval * tick, Told::default());
        // A report is heard, and not answered.
        let report = Message::DeadReport { dead: addr(9), clock: now.clock(0), reporter: addr(1), cause: None };
        seed.handle(now, Input::Message { link: LinkId(1), message: report }, &mut told);
        seed.handle(now, Input::Wake, &mut told);
        for kind in told.0 {
            let EventKind::Probe(ProbeEvent::Sent { seq, .. }) = kind else { continue };
            probes += 1;
            says(&mut seed, now, LinkId(1), Message::ProbeReply { seq, asker, clock: now.clock(0), extras: None });
        }
    }
    assert!(probes >= 5, "a probe attests the root: {probes} in 30 intervals");
}
