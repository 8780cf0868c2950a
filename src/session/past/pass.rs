//! The pass over a recording that makes its keyframes, its index and its timeline.

use std::sync::PoisonError;

use tokio_util::sync::CancellationToken;

use super::keyframes::{IndexPoint, PassProgress};
use super::{Past, PastWalk, Position, Walked};
use crate::model::timeline::Timeline;
use crate::session::journal::JournalError;

/// Events between two looks at whether to stop, and two reports.
const LOOK_EVERY: u64 = 1_024;
const REPORT_EVERY: u64 = 65_536;

impl Past {
    /// Reads the recording on to its end, on this thread and one more, and tells now and then how far it has come.
    /// Stops when it is told to; the next call goes on from the last keyframe. So does a call after the file has grown.
    pub fn read_on(
        &self,
        stop: &CancellationToken,
        mut tell: impl FnMut(PassProgress),
    ) -> Result<PassProgress, JournalError> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pass = self.begin_pass()?;
        let (mut looked, mut reported) = (pass.walk.moment.position.0, pass.walk.moment.position.0);
        loop {
            match pass.walk.next() {
                Walked::Event(event) => pass.take(&event),
                Walked::Gap { events, why } => pass.gap(events, why),
                Walked::Checkpoint => pass.keep(self),
                Walked::End => break,
            }
            let events = pass.walk.moment.position.0;
            if events - looked >= LOOK_EVERY {
                looked = events;
                if stop.is_cancelled() {
                    return Ok(pass.publish(self, false));
                }
            }
            if events - reported >= REPORT_EVERY {
                reported = events;
                tell(pass.publish(self, false));
            }
        }
        let progress = pass.publish(self, true);
        tell(progress);
        Ok(progress)
    }

    fn begin_pass(&self) -> Result<Pass, JournalError> {
        let len = std::fs::metadata(&self.path).map(|about| about.len()).unwrap_or_default();
        let resume = {
            let mut held = self.shelf();
            if len < held.file_len {
                // Another file, or a part of this one.
                held.reset();
            }
            held.file_len = len;
            held.progress.is_whole = false;
            held.resume()
        };
        let (keyframe, timeline) = resume.unzip();
        let walk = PastWalk::from(&self.path, keyframe.as_deref())?;
        let walk = PastWalk { recording: walk.recording.ahead(), ..walk };
        Ok(Pass { walk, timeline: timeline.unwrap_or_default() })
    }
}

struct Pass {
    walk: PastWalk,
    timeline: Timeline,
}

impl Pass {
    fn take(&mut self, event: &crate::event::Event) {
        self.walk.moment.take(event);
        self.timeline.follow(&self.walk.moment.model, event);
    }

    fn gap(&mut self, events: u64, why: Option<String>) {
        let now = self.walk.moment.model.now();
        match why {
            None => self.timeline.missing(now, events),
            Some(why) => self.timeline.gap(now, why),
        }
    }

    /// Keeps what is due at a checkpoint.
    fn keep(&mut self, past: &Past) {
        let position = self.walk.moment.position;
        let (wants_point, wants_keyframe) = {
            let held = past.shelf();
            (held.wants_point(position), held.wants_keyframe(position))
        };
        if wants_point && let Some(checkpoint) = self.walk.recording.checkpoint() {
            let (at, checkpoint) = (self.walk.moment.model.now(), checkpoint.without_nodes());
            past.shelf().keep_point(IndexPoint { position, at, checkpoint });
        }
        if wants_keyframe && let Some(keyframe) = self.walk.keyframe() {
            past.shelf().keep_keyframe(keyframe, &self.timeline);
        }
    }

    fn publish(&self, past: &Past, is_whole: bool) -> PassProgress {
        let model = &self.walk.moment.model;
        let Position(events) = self.walk.moment.position;
        let progress = PassProgress { read_to: model.started().map(|_| model.now()), events, is_whole };
        let mut held = past.shelf();
        held.timeline = self.timeline.clone();
        held.first = model.started();
        held.progress = progress;
        progress
    }
}
