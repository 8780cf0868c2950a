//! Whatever comes without end, a node keeps no more of it than its limits say: measured in bytes, so that
//! no collection can be forgotten here.

use std::time::Duration;

use gossipctl::event::{DialError, LinkId};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::{CloseCause, Input};
use gossipctl::proto::message::{
    Dialect, GoodbyeReason, Gossip, Hello, Message, MessageId, Priority, RefusalReason, Role,
};
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;

use crate::virtual_time::alone::{Alone, Asks};

/// What a peer may hold that was sent very many addresses: its reserve, in the classic dialect some hundred.
const RESERVE_HELD_MAX: i64 = 8 * 1024;
/// What a seed may hold with an all but empty list: half-open links.
const SEED_HELD_MAX: i64 = 256 * 1024;
/// Strangers that come, links that they open.
const FLOOD: u32 = 10_000;

/// Ids that the peer remembers at least.
const SEEN_MAX: usize = 1_000;

/// Where all strangers connect from.
const REMOTE: Addr = Addr::loopback(50_000);

/// What passes between two inputs.
const STEP: Duration = Duration::from_micros(10);

/// The n-th of many addresses.
fn addr(n: u32) -> Addr {
    Addr::new((0x0a00_0000 + n).into(), 4_000)
}

fn addrs(from: u32, count: u32) -> Vec<Addr> {
    (from..from + count).map(addr).collect()
}

/// What a peer holds after this.
fn held_by_peer(dialect: Dialect, flood: impl FnOnce(&mut Alone<Peer>)) -> i64 {
    let mut kept = None;
    let info = allocation_counter::measure(|| {
        let mut config = PeerConfig::new(Addr::loopback(500), vec![Addr::loopback(501)]);
        (config.dialect, config.seen_max) = (dialect, SEEN_MAX);
        let mut alone = Alone::new(Peer::new(config, 1));
        alone.step = STEP;
        flood(&mut alone);
        alone.asks = Asks::default();
        kept = Some(alone);
    });
    drop(kept);
    info.bytes_current
}

fn held_by_seed(dialect: Dialect, flood: impl FnOnce(&mut Alone<Seed>)) -> i64 {
    let mut kept = None;
    let info = allocation_counter::measure(|| {
        let mut config = SeedConfig::new(Addr::loopback(500));
        config.dialect = dialect;
        let mut alone = Alone::new(Seed::new(config, 1));
        alone.step = STEP;
        flood(&mut alone);
        alone.asks = Asks::default();
        kept = Some(alone);
    });
    drop(kept);
    info.bytes_current
}

/// No more than so many KiB are held after this, in either dialect.
fn assert_peer_is_bounded(held_max_kib: i64, flood: impl Fn(&mut Alone<Peer>)) {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let held = held_by_peer(dialect, &flood);
        assert!(held <= held_max_kib * 1_024, "{dialect}: {held} bytes");
    }
}

/// The peer's link to its seed, up.
fn registered(peer: &mut Alone<Peer>) -> LinkId {
    let seed = Addr::loopback(501);
    let link = peer.dials(seed);
    peer.say(link, Message::Hello(Hello { listen: seed, role: Role::Seed, priority: Priority::Low }));
    link
}

#[test]
fn a_peer_that_is_sent_list_after_list_is_bounded() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let held = held_by_peer(dialect, |peer| {
            let link = match dialect {
                Dialect::Framed => registered(peer),
                // There the list is the first that comes.
                Dialect::Classic => peer.dials(Addr::loopback(501)),
            };
            (0..2_000).for_each(|n| peer.say(link, Message::PeerList(addrs(n * 64, 64).into())));
        });
        assert!(held <= RESERVE_HELD_MAX, "{dialect}: {held} bytes");
    }
}

#[test]
fn a_peer_whose_dials_all_fail_is_bounded() {
    assert_peer_is_bounded(16, |peer| {
        for peer_addr in addrs(0, FLOOD) {
            peer.input(Input::DialFailed { peer: peer_addr, error: DialError::REFUSED });
        }
    });
}

#[test]
fn a_peer_to_which_all_the_world_connects_is_bounded() {
    assert_peer_is_bounded(128, |peer| {
        for _ in 0..FLOOD {
            peer.accept(REMOTE);
        }
    });
    assert_peer_is_bounded(32, |peer| {
        for stranger in addrs(0, FLOOD) {
            peer.joins(REMOTE, stranger, Priority::High);
        }
    });
    assert_peer_is_bounded(16, |peer| {
        for _ in 0..FLOOD {
            peer.joins(REMOTE, addr(1), Priority::High);
        }
    });
}

#[test]
fn a_peer_whose_neighbors_come_and_go_is_bounded() {
    assert_peer_is_bounded(16, |peer| {
        for (n, stranger) in addrs(0, FLOOD).into_iter().enumerate() {
            let link = peer.joins(REMOTE, stranger, Priority::High);
            match n % 4 {
                0 => peer.ends(link, CloseCause::Error),
                1 => peer.ends(link, CloseCause::TooSlow),
                2 => peer.say(link, Message::Refusal { reason: RefusalReason::Full, referral: addrs(0, 100) }),
                _ => peer.say(link, Message::Goodbye { reason: GoodbyeReason::Leaving, referral: addrs(0, 100) }),
            }
        }
    });
}

#[test]
fn a_peer_that_is_told_ever_new_messages_is_bounded() {
    assert_peer_is_bounded(160, |peer| {
        let link = peer.joins(REMOTE, addr(1), Priority::High);
        for seq in 0..20_000 {
            let id = MessageId { origin: addr(2), run: 1, seq };
            peer.say(link, Message::Gossip(std::sync::Arc::new(Gossip { id, body: "x".into(), trace: None })));
        }
        assert!(peer.machine.seen() >= SEEN_MAX, "the flood came in");
    });
}

#[test]
fn a_seed_to_which_all_the_world_connects_is_bounded() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let held = held_by_seed(dialect, |seed| {
            for _ in 0..FLOOD {
                seed.accept(REMOTE);
            }
        });
        assert!(held <= SEED_HELD_MAX, "{dialect}: {held} bytes");
    }
}

#[test]
fn a_seed_whose_peers_turn_away_again_is_bounded() {
    let partings = [
        Message::Refusal { reason: RefusalReason::WrongRole, referral: Vec::new() },
        Message::Goodbye { reason: GoodbyeReason::Leaving, referral: Vec::new() },
    ];
    for parting in partings {
        let held = held_by_seed(Dialect::Framed, |seed| {
            for _ in 0..FLOOD {
                let link = seed.joins(REMOTE, addr(1), Priority::High);
                seed.say(link, parting.clone());
            }
        });
        assert!(held <= SEED_HELD_MAX, "{held} bytes after {}", parting.name());
    }
}

#[test]
fn a_seed_with_which_one_peer_registers_for_ever_is_bounded() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let held = held_by_seed(dialect, |seed| {
            for _ in 0..5_000 {
                seed.joins(REMOTE, addr(1), Priority::High);
            }
        });
        assert!(held <= SEED_HELD_MAX, "{dialect}: {held} bytes");
    }
}
