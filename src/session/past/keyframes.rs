//! What is kept of a recording, in bounded memory: keyframes, an index of places, the timeline.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Goal, PastMoment, Position};
use crate::model::timeline::Timeline;
use crate::proto::time::Time;
use crate::session::replay::Checkpoint;

/// Bytes that keyframes may take, as [`crate::model::Model::memory_len`] estimates them; when they take more, every
/// second one goes.
pub const KEYFRAMES_LEN_MAX: usize = 256 * 1024 * 1024;
/// Keyframes, however small: what a search among them takes.
pub const KEYFRAMES_MAX: usize = 2_048;
/// Events between two keyframes in the beginning.
const KEYFRAME_EVERY: u64 = 4_096;
/// Events, at least, between two places in the index: what is read in some ten milliseconds.
pub(super) const INDEX_EVERY: u64 = 2_048;
/// Places in the index: a gigabyte of frames; when there are more, every second one goes.
const INDEX_MAX: usize = 32_768;
/// Ranges of a place in the index. Events that are as much out of order as that are rare.
const INDEX_POINT_LEN_MAX: usize = 2_048;
/// Places in the index before a moment at which keyframes are kept: the next steps back begin there.
const NEAR_POINTS: usize = 2;
/// Keyframes near the moments that were shown last.
const RECENT_MAX: usize = 8;
/// Events between two of them where no index is yet.
pub(super) const NEAR_EVERY: u64 = 65_536;

/// How far a pass has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassProgress {
    /// The time of the latest event.
    pub read_to: Option<Time>,
    pub events: u64,
    /// The whole recording was read, as it was then.
    pub is_whole: bool,
}

/// The model at a moment, and where to read on.
#[derive(Debug)]
pub(super) struct Keyframe {
    pub(super) checkpoint: Checkpoint,
    pub(super) moment: PastMoment,
}

impl Keyframe {
    fn is_before(&self, goal: Goal) -> bool {
        match goal {
            Goal::Time(at) => self.moment.model.now() <= at,
            Goal::Position(position) => self.moment.position <= position,
        }
    }

    fn memory_len(&self, before: Option<&Self>) -> usize {
        self.checkpoint.memory_len() + self.moment.model.memory_len(before.map(|before| &before.moment.model))
    }
}

/// A place in the file, and what comes before it.
#[derive(Debug, Clone)]
pub(super) struct IndexPoint {
    pub(super) position: Position,
    /// The latest time before it.
    pub(super) at: Time,
    pub(super) checkpoint: Checkpoint,
}

impl IndexPoint {
    fn is_before(&self, goal: Goal) -> bool {
        match goal {
            Goal::Time(at) => self.at <= at,
            Goal::Position(position) => self.position <= position,
        }
    }
}

/// Everything that is kept.
#[derive(Debug)]
pub(super) struct Shelf {
    /// In order.
    keyframes: Vec<(Arc<Keyframe>, usize)>,
    len: usize,
    len_max: usize,
    every: u64,
    recent: VecDeque<(Arc<Keyframe>, usize)>,
    index: Vec<IndexPoint>,
    index_every: u64,
    pub(super) timeline: Timeline,
    pub(super) progress: PassProgress,
    pub(super) first: Option<Time>,
    /// The timeline at the last keyframe, from which a pass goes on.
    resume: Option<(Arc<Keyframe>, Timeline)>,
    /// Bytes of the file when a pass last began.
    pub(super) file_len: u64,
}

/// What is kept of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub keyframes: usize,
    /// Bytes that they take, about.
    pub bytes: usize,
}

impl Shelf {
    /// Nothing yet, and at most so many bytes of keyframes later.
    pub(super) fn within(len_max: usize) -> Self {
        Self {
            keyframes: Vec::new(),
            len: 0,
            len_max,
            every: KEYFRAME_EVERY,
            recent: VecDeque::new(),
            index: Vec::new(),
            index_every: INDEX_EVERY,
            timeline: Timeline::new(),
            progress: PassProgress::default(),
            first: None,
            resume: None,
            file_len: 0,
        }
    }

    /// Another file is there.
    pub(super) fn reset(&mut self) {
        *self = Self::within(self.len_max);
    }

    pub(super) fn kept(&self) -> Kept {
        Kept { keyframes: self.keyframes.len(), bytes: self.len }
    }

    /// The times of the first and the last event, once all were read.
    pub(super) fn span(&self) -> Option<(Time, Time)> {
        self.first.zip(self.progress.read_to).filter(|_| self.progress.is_whole)
    }

    pub(super) fn has_grown(&self, file_len: u64) -> bool {
        self.progress.is_whole && self.file_len != file_len
    }

    /// The last keyframe before this.
    pub(super) fn before(&self, goal: Goal) -> Option<Arc<Keyframe>> {
        let end = self.keyframes.partition_point(|(keyframe, _)| keyframe.is_before(goal));
        let made = end.checked_sub(1).map(|last| &self.keyframes[last].0);
        let recent = self.recent.iter().map(|(keyframe, _)| keyframe).filter(|keyframe| keyframe.is_before(goal));
        recent.chain(made).max_by_key(|keyframe| keyframe.moment.position).cloned()
    }

    /// The positions of the last places in the index before this: near it, on both sides of a step back.
    pub(super) fn index_before(&self, goal: Goal) -> Vec<Position> {
        let end = self.index.partition_point(|point| point.is_before(goal));
        self.index[end.saturating_sub(NEAR_POINTS)..end].iter().map(|point| point.position).collect()
    }

    pub(super) fn point_before(&self, goal: Goal) -> Option<IndexPoint> {
        let end = self.index.partition_point(|point| point.is_before(goal));
        end.checked_sub(1).map(|last| self.index[last].clone())
    }

    /// Keeps a keyframe near what is shown, in half as much memory again at most.
    pub(super) fn keep_recent(&mut self, keyframe: Keyframe) {
        let position = keyframe.moment.position;
        if self.recent.iter().any(|(other, _)| other.moment.position == position) {
            return;
        }
        let len = keyframe.memory_len(None);
        self.recent.push_back((Arc::new(keyframe), len));
        let is_too_much = |recent: &VecDeque<(Arc<Keyframe>, usize)>| {
            recent.len() > RECENT_MAX || recent.iter().map(|(_, len)| len).sum::<usize>() > self.len_max / 2
        };
        while is_too_much(&self.recent) {
            self.recent.pop_front();
        }
    }

    /// Another place in the index is due here.
    pub(super) fn wants_point(&self, position: Position) -> bool {
        self.index.last().map_or(0, |point| point.position.0) + self.index_every <= position.0
    }

    pub(super) fn keep_point(&mut self, point: IndexPoint) {
        if point.checkpoint.memory_len() > INDEX_POINT_LEN_MAX {
            return;
        }
        if self.index.len() == INDEX_MAX {
            keep_every_second(&mut self.index);
            self.index_every *= 2;
        }
        self.index.push(point);
    }

    /// Another keyframe is due here.
    pub(super) fn wants_keyframe(&self, position: Position) -> bool {
        self.keyframes.last().map_or(0, |(last, _)| last.moment.position.0) + self.every <= position.0
    }

    pub(super) fn keep_keyframe(&mut self, keyframe: Keyframe, timeline: &Timeline) {
        let keyframe = Arc::new(keyframe);
        self.resume = Some((Arc::clone(&keyframe), timeline.clone()));
        let len = keyframe.memory_len(self.keyframes.last().map(|(last, _)| &**last));
        self.keyframes.push((keyframe, len));
        self.len += len;
        while self.keyframes.len() > KEYFRAMES_MAX || self.len > self.len_max {
            self.every = self.every.saturating_mul(2);
            if self.keyframes.len() == 1 {
                // A network this large is folded from its beginning.
                self.keyframes.clear();
            }
            self.thin_out();
        }
    }

    fn thin_out(&mut self) {
        keep_every_second(&mut self.keyframes);
        let mut before: Option<Arc<Keyframe>> = None;
        for (keyframe, len) in &mut self.keyframes {
            // What it shared with one that went is its own now.
            *len = keyframe.memory_len(before.as_deref());
            before = Some(Arc::clone(keyframe));
        }
        self.len = self.keyframes.iter().map(|(_, len)| len).sum();
    }

    /// Where a pass goes on.
    pub(super) fn resume(&self) -> Option<(Arc<Keyframe>, Timeline)> {
        self.resume.clone()
    }
}

/// The second, the fourth and so on stay.
fn keep_every_second<T>(list: &mut Vec<T>) {
    let mut stays = true;
    list.retain(|_| {
        stays = !stays;
        stays
    });
}
