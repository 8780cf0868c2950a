//! Small labs in virtual time to which random things are done, and their journals.

use std::path::PathBuf;
use std::time::Duration;

use gossipctl::engine::{Refusal, Settings};
use gossipctl::event::Event;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::scenario::{Run, Script};
use gossipctl::session::journal::{Header, Journal};
use gossipctl::session::past::Past;
use gossipctl::sim::{EPOCH, Piece, ScenarioSink, VirtualEngine, play};
use tempfile::TempDir;

/// Numbers from a seed: `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Frames,
    Lines,
    /// One zstd frame around everything.
    Others,
}

pub(crate) struct Session {
    pub(crate) script: String,
    pub(crate) events: Vec<Event>,
}

/// A journal; the directory goes with it.
pub(crate) struct Recorded {
    pub(crate) path: PathBuf,
    _dir: TempDir,
}

impl Recorded {
    pub(crate) fn past(&self) -> Past {
        Past::open(&self.path).unwrap()
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.jsonl.zst");
        std::fs::write(&path, bytes).unwrap();
        Self { path, _dir: dir }
    }
}

impl Session {
    /// A session of some twelve seconds: a killed node is found dead after two.
    pub(crate) fn play(random: &mut Random) -> Self {
        let seconds = 9 + random.below(7) as u64;
        Self::play_for(random, Duration::from_secs(seconds))
    }

    pub(crate) fn play_for(random: &mut Random, length: Duration) -> Self {
        let script = script(random, length);
        let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(2), Duration::from_millis(700));
        let mut run = Run::new(Script::parse(&script).unwrap_or_else(|error| panic!("{error}\n{script}")));
        let mut events = Vec::new();
        let listener = |piece: Piece<'_>| {
            if let Piece::Event(event) = piece {
                events.push(event.clone());
            }
            Ok::<(), Refusal>(())
        };
        let settings = Settings::of_peers(peer, random.below(1_000_000) as u64);
        let engine = VirtualEngine::with_sink(settings, EPOCH, ScenarioSink::new(&mut run, listener));
        play(engine, Some(length)).unwrap();
        assert!(events.is_sorted_by_key(|event| event.at), "virtual time does not go back");
        Self { script, events }
    }

    pub(crate) fn record(&self, packing: Packing) -> Recorded {
        let dir = tempfile::tempdir().unwrap();
        let name = if packing == Packing::Frames { "session.jsonl.zst" } else { "session.jsonl" };
        let path = dir.path().join(name);
        let mut journal = Journal::create(&path, &Header::new(EPOCH, 0), u64::MAX).unwrap();
        // Parts that are written at a time, as the recorder does.
        for part in self.events.chunks(1_500) {
            journal.append(part).unwrap();
            journal.flush().unwrap();
        }
        journal.close().unwrap();
        if packing == Packing::Others {
            let packed = zstd::encode_all(std::fs::File::open(&path).unwrap(), 3).unwrap();
            std::fs::write(&path, packed).unwrap();
        }
        Recorded { path, _dir: dir }
    }
}

/// Faults at random times, and their ends; what cannot be done then is left out.
fn script(random: &mut Random, length: Duration) -> String {
    let peers = 4 + random.below(7);
    let mut script = format!("lab 2 {peers}\n");
    let (mut second, end) = (2 + random.below(3), usize::try_from(length.as_secs()).unwrap());
    while second + 2 < end {
        let (one, other) = (1 + random.below(peers), 1 + random.below(peers - 1));
        let other = if other >= one { other + 1 } else { other };
        let what = match random.below(10) {
            0 | 1 => format!("kill p{one}"),
            2 => format!("hang p{one}"),
            3 => format!("partition p{one} p{other} s1"),
            4 => format!("loss p{one} 60%"),
            5 => format!("cut p{one} p{other}"),
            6 => format!("lie p{one} p{other}"),
            7 => "heal".to_owned(),
            8 => "calm".to_owned(),
            _ => format!("say p{one} number {second}"),
        };
        let longer = format!("{script}{second}s {what}\n");
        if Script::parse(&longer).is_ok() {
            script = longer;
        }
        second += 1 + random.below(6);
    }
    script
}
