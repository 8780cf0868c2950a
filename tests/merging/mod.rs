//! Recordings of several machines, whose clocks differ, read as one.
//!
//! A network runs in virtual time, its events are dealt out to several recordings by node, and each
//! of them gets a clock of its own. What is merged must then tell what happened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gossipctl::event::revise::Revision;
use gossipctl::event::{Event, EventKind, NodeEvent, Stop};
use gossipctl::model::Model;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::FaultId;
use gossipctl::proto::time::Time;
use gossipctl::session::journal::{Header, Journal, JournalRecord};
use gossipctl::session::merge::{Merge, MergeError};
use gossipctl::session::replay::Recording;

use super::virtual_time::{GOSSIP, Network, peer_addr, seed_addr};

const MACHINES: usize = 3;
/// The clocks of three machines in microseconds: an hour apart, which no latency explains.
const AHEAD_US: [i64; MACHINES] = [0, 3_600_000_000, -3_599_000_123];
/// No message takes longer in virtual time, so no clock is set worse.
const ERROR_MAX: Duration = Duration::from_millis(60);

/// The clock of one machine.
struct Clock<'a> {
    ahead_us: i64,
    home: &'a dyn Fn(Addr) -> usize,
    clocks: &'a [i64; MACHINES],
}

impl Revision for Clock<'_> {
    fn time(&self, at: Time) -> Time {
        at.skewed(self.ahead_us)
    }

    fn time_at(&self, origin: Addr, at: Time) -> Time {
        at.skewed(self.clocks[(self.home)(origin)])
    }

    fn fault(&self, id: FaultId) -> FaultId {
        id
    }
}

/// A day and a network in which messages spread and a peer dies.
fn events(rng_seed: u64) -> Vec<Event> {
    let mut network = Network::settled(2, 8, rng_seed);
    network.world.run_for(GOSSIP * 3);
    network.world.kill(peer_addr(3));
    network.world.run_for(GOSSIP * 6);
    let day = Duration::from_secs(24 * 60 * 60);
    let later = |event: &Event| {
        let mut event = event.clone();
        let by = i64::try_from(day.as_micros()).unwrap();
        event.revise(&Clock { ahead_us: by, home: &|_| 0, clocks: &[by; MACHINES] });
        event
    };
    network.world.events().iter().map(later).collect()
}

/// Deals the events out to recordings in this directory, by the machine on which each node runs.
fn deal_out(dir: &Path, events: &[Event], home: &dyn Fn(Addr) -> usize, clocks: &[i64; MACHINES]) -> Vec<PathBuf> {
    let record = |machine: usize| {
        let path = dir.join(format!("machine-{machine}.jsonl.zst"));
        let header = Header::new(events[0].at.skewed(clocks[machine]), 0);
        let mut journal = Journal::create(&path, &header, u64::MAX).unwrap();
        let clock = Clock { ahead_us: clocks[machine], home, clocks };
        for event in events.iter().filter(|event| home(event.node) == machine) {
            let mut event = event.clone();
            event.revise(&clock);
            journal.append(&[event]).unwrap();
        }
        journal.close().unwrap();
        path
    };
    (0..MACHINES).map(record).collect()
}

fn merged(dir: &Path, recordings: &[PathBuf]) -> (Merge, Vec<Event>) {
    let merge = Merge::survey(recordings).unwrap();
    let path = dir.join("merged.jsonl.zst");
    merge.write(&path).unwrap();
    let events = Recording::open(&path).unwrap().map(|record| match record.unwrap() {
        JournalRecord::Event { event, .. } => event,
        other @ (JournalRecord::Skipped(_) | JournalRecord::Torn) => panic!("{other:?}"),
    });
    (merge, events.collect())
}

fn folded(events: &[Event]) -> Model {
    let mut model = Model::new();
    for event in events {
        model.apply(event);
    }
    model
}

/// Anybody may run anywhere.
fn homes(rng_seed: u64) -> impl Fn(Addr) -> usize {
    // The golden ratio in 64 bits spreads neighboring ports.
    move |node| {
        let spread = (u64::from(node.port()) ^ (rng_seed << 16)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from((spread >> 32) % MACHINES as u64).unwrap()
    }
}

#[test]
fn clocks_an_hour_apart_are_set_by_the_messages() {
    for rng_seed in 1..=4 {
        let (dir, events, home) = (tempfile::tempdir().unwrap(), events(rng_seed), homes(rng_seed));
        let recordings = deal_out(dir.path(), &events, &home, &AHEAD_US);
        let (merge, _) = merged(dir.path(), &recordings);
        for (source, ahead_us) in merge.header().merged.iter().zip(AHEAD_US) {
            let (off_us, uncertain_us) = (source.ahead_us.abs_diff(ahead_us), source.uncertain_us.unwrap());
            assert!(off_us <= uncertain_us, "seed {rng_seed}: {source:?} is off by {off_us}");
            assert!(Duration::from_micros(uncertain_us) <= ERROR_MAX, "seed {rng_seed}: {source:?}");
        }
    }
}

#[test]
fn what_several_recordings_tell_is_what_happened() {
    for rng_seed in 1..=4 {
        let (dir, events, home) = (tempfile::tempdir().unwrap(), events(rng_seed), homes(rng_seed));
        let recordings = deal_out(dir.path(), &events, &home, &AHEAD_US);
        let (_, merged) = merged(dir.path(), &recordings);
        let (one, other) = (folded(&events), folded(&merged));
        assert_eq!(one.totals(), other.totals(), "seed {rng_seed}");
        assert_eq!(one.deaths().counts(), other.deaths().counts(), "seed {rng_seed}");
        for (_, rumor) in one.rumors().ring().from(0) {
            let again = other.rumors().get(rumor.id).unwrap();
            assert_eq!((rumor.reached(), rumor.redundancy()), (again.reached(), again.redundancy()), "seed {rng_seed}");
        }
    }
}

#[test]
fn recordings_of_one_machine_stay_as_they_are() {
    let (dir, mut events, home) = (tempfile::tempdir().unwrap(), events(3), homes(3));
    let recordings = deal_out(dir.path(), &events, &home, &[0; MACHINES]);
    let (merge, mut merged) = merged(dir.path(), &recordings);
    assert!(merge.told().iter().all(|line| line.contains("its clock agrees")), "{:?}", merge.told());
    let order = |event: &Event| (event.at, event.node);
    events.sort_by_key(order);
    merged.sort_by_key(order);
    assert_eq!(events, merged);
}

#[test]
fn a_recording_of_another_network_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let left = |node| {
        let kind = EventKind::Node(NodeEvent::Stopped { how: Stop::Left });
        Event { at: Time::from_micros(1), node, kind }
    };
    let record = |name: &str, node: Addr| {
        let path = dir.path().join(format!("{name}.jsonl"));
        let mut journal = Journal::create(&path, &Header::new(Time::from_micros(0), 0), u64::MAX).unwrap();
        journal.append(&[left(node)]).unwrap();
        journal.close().unwrap();
        path
    };
    let recordings = [record("one", seed_addr(1)), record("other", seed_addr(2))];
    let told = Merge::survey(&recordings).unwrap().told();
    assert_eq!(told, ["other shares no link and no seed with the first recording: it is of another network"]);
    let twice = Merge::survey(&[recordings[0].clone(), recordings[0].clone()]).unwrap_err();
    assert!(matches!(twice, MergeError::Twice(_)), "{twice}");
}
