//! Puts what several sessions record into one order, while they record it.
//!
//! A recorder writes about once a second, so an event of one session may be on disk before an earlier one of another.
//! Each event therefore waits for a moment. One that comes later than that is told when it comes, and counted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Event;
use crate::proto::time::Time;
use crate::session::journal::{JournalError, JournalFollower, JournalRecord};
use crate::session::merge::{Merge, SourceIx};
use crate::session::replay::DISORDER_MAX;

/// Records that are read before some are handed on.
const PART_LEN: usize = 16_384;
/// Records that wait, whatever their times.
const WAITING_MAX: usize = 65_536;

/// What a session tells.
pub type LiveRecord = Result<JournalRecord, JournalError>;

/// Whether all that was written by now was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadProgress {
    /// More can be read at once.
    Behind,
    Current,
}

#[derive(Debug)]
pub(super) struct LiveOrder {
    streams: Vec<LiveStream>,
    /// By time, then by session, then as they were read.
    waiting: BTreeMap<(Time, SourceIx, u64), LiveRecord>,
    read: u64,
    /// How long an event waits.
    delay: Duration,
    /// Everything before was handed on.
    told_until: Time,
    late: u64,
}

#[derive(Debug)]
struct LiveStream {
    follower: JournalFollower,
    newest: Time,
    progress: ReadProgress,
    /// Nothing more is written.
    is_over: bool,
}

impl LiveOrder {
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            streams: Vec::new(),
            waiting: BTreeMap::new(),
            read: 0,
            delay,
            told_until: Time::from_micros(0),
            late: 0,
        }
    }

    /// Adds the recording that comes next in the merge.
    pub(super) fn add(&mut self, follower: JournalFollower) {
        self.streams.push(LiveStream {
            follower,
            newest: Time::from_micros(0),
            progress: ReadProgress::Behind,
            is_over: false,
        });
    }

    /// Everything before was handed on.
    pub(super) const fn told_until(&self) -> Time {
        self.told_until
    }

    /// Events that came too late for their place since the last call.
    pub(super) fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    /// The time of the newest event of this recording.
    pub(super) fn newest(&self, SourceIx(source): SourceIx) -> Option<Time> {
        self.streams.get(source).map(|stream| stream.newest)
    }

    /// This recording grows no more: nobody waits for it.
    pub(super) fn end(&mut self, SourceIx(source): SourceIx) {
        self.streams.get_mut(source).into_iter().for_each(|stream| stream.is_over = true);
    }

    /// The files may have grown.
    pub(super) fn look_again(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.progress = ReadProgress::Behind);
    }

    /// Reads some records; `seen` gets each event as its session tells it.
    pub(super) fn read_on(
        &mut self,
        now: Time,
        merge: &mut Merge,
        mut seen: impl FnMut(SourceIx, &Event),
    ) -> ReadProgress {
        for _ in 0..PART_LEN {
            let Some(ix) = self.least_read() else { return ReadProgress::Current };
            match self.streams[ix].follower.next_record() {
                None => self.streams[ix].progress = ReadProgress::Current,
                Some(mut record) => {
                    let source = SourceIx(ix);
                    if let Ok(JournalRecord::Event { event, .. }) = &mut record {
                        seen(source, event);
                        merge.learn(source, event);
                        merge.revise(source, event);
                    }
                    self.hold(source, record, now);
                }
            }
        }
        ReadProgress::Behind
    }

    /// The stream of which the least was read, among those that have more.
    fn least_read(&self) -> Option<usize> {
        let behind = self.streams.iter().enumerate().filter(|(_, stream)| stream.progress == ReadProgress::Behind);
        behind.min_by_key(|(_, stream)| stream.newest).map(|(ix, _)| ix)
    }

    /// Holds a record until those before it must have come. A clock that is ahead makes nobody wait.
    pub(super) fn hold(&mut self, source: SourceIx, record: LiveRecord, now: Time) {
        let SourceIx(ix) = source;
        let at = match &record {
            Ok(JournalRecord::Event { event, .. }) => {
                self.late += u64::from(event.at < self.told_until);
                self.streams[ix].newest = self.streams[ix].newest.max(event.at.min(now));
                event.at
            }
            // It stays with the event before it.
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => self.streams[ix].newest,
        };
        self.waiting.insert((at.min(now), source, self.read), record);
        self.read += 1;
    }

    /// The records, in order, before which nothing can come any more.
    pub(super) fn release(&mut self, now: Time) -> Vec<LiveRecord> {
        let complete_until = |stream: &LiveStream| match stream.progress {
            ReadProgress::Behind => stream.newest - DISORDER_MAX,
            ReadProgress::Current if stream.is_over => now,
            ReadProgress::Current => now - self.delay,
        };
        let until = self.streams.iter().map(complete_until).min().unwrap_or(now);
        self.told_until = self.told_until.max(until);
        let mut released = Vec::new();
        while let Some(((at, ..), _)) = self.waiting.first_key_value()
            && (*at < self.told_until || self.waiting.len() > WAITING_MAX)
        {
            released.extend(self.waiting.pop_first().map(|(_, record)| record));
        }
        released
    }
}
