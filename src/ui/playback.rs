//! The moment that is shown of a recorded session, and how it moves on.
//!
//! Events that are still to come wait here, in order, and are given out when their time has come. A
//! long silence is passed over. Nothing here reads a clock: the loop says how late it is.

use std::collections::VecDeque;
use std::time::Duration;

use super::seek::{Rest, SeekId, Upcoming};
use super::speed::Speed;
use crate::feed::Delivery;
use crate::model::moment::SessionSpan;
use crate::proto::time::Time;

/// Time before the screen in which nothing happens, from which on it is passed over.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How long before the end of a silence it goes on.
const RUN_UP: Duration = Duration::from_secs(1);
/// Fewer waiting events than this, and more are asked for: two pictures' worth.
const WAITING_MIN: usize = 8_192;
/// Events that are given out at once: a fifth of a picture's time on a slow machine.
const EVENTS_PER_STEP: usize = 6_000;
/// Time between two steps: that of a picture.
const STEP_TIME: Duration = Duration::from_millis(33);

/// Whether the moment moves on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    Playing,
    Paused,
}

/// How much of what follows is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// More has to be asked for.
    More,
    Asked,
    /// Nothing follows the events that wait.
    End,
}

/// Events whose time has come, and what else happened.
#[derive(Debug, Default)]
pub(crate) struct Elapsed {
    pub(crate) deliveries: Vec<Delivery>,
    /// This much silence was passed over.
    pub(crate) silence: Option<Duration>,
    /// The end was reached just now.
    pub(crate) is_over: bool,
}

/// A session that is shown at a moment of its past.
#[derive(Debug)]
pub(crate) struct Playback {
    /// The request that led to what is shown.
    pub(crate) id: SeekId,
    pub(crate) span: SessionSpan,
    pub(crate) speed: Speed,
    pub(crate) motion: Motion,
    at: Time,
    /// The screen's time up to which the moment has moved on.
    moved_at: Time,
    waiting: VecDeque<Delivery>,
    supply: Supply,
    /// All events up to then are here.
    known_until: Time,
}

impl Playback {
    /// A session of which nothing is known yet, at its beginning.
    pub(crate) fn new(span: SessionSpan, speed: Speed, motion: Motion, now: Time) -> Self {
        Self {
            id: SeekId::default(),
            span,
            speed,
            motion,
            at: span.first,
            moved_at: now,
            waiting: VecDeque::new(),
            // The first moment has to be asked for.
            supply: Supply::Asked,
            known_until: span.first,
        }
    }

    /// The moment that is shown.
    pub(crate) const fn at(&self) -> Time {
        self.at
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.motion == Motion::Playing
    }

    /// Moves on from now.
    pub(crate) fn play(&mut self, now: Time) {
        (self.motion, self.moved_at) = (Motion::Playing, now);
    }

    /// Nothing follows what is shown.
    fn is_at_end(&self) -> bool {
        self.supply == Supply::End && self.waiting.is_empty()
    }

    /// Another moment is shown now, the answer to this request.
    pub(crate) fn jump(&mut self, id: SeekId, at: Time, now: Time) {
        (self.id, self.at, self.moved_at, self.known_until) = (id, at, now, at);
        self.waiting.clear();
        self.supply = Supply::More;
    }

    /// Takes what follows.
    pub(crate) fn supply(&mut self, upcoming: Upcoming) {
        if upcoming.id != self.id {
            return;
        }
        self.known_until = self.known_until.max(upcoming.until);
        self.waiting.extend(upcoming.deliveries);
        self.supply = match upcoming.rest {
            Rest::More => Supply::More,
            Rest::End => Supply::End,
        };
    }

    /// After which moment to ask for more, if that is due.
    pub(crate) fn take_ask(&mut self) -> Option<Time> {
        self.is_ask_due().then(|| {
            self.supply = Supply::Asked;
            self.known_until
        })
    }

    fn is_ask_due(&self) -> bool {
        let few = || self.waiting.iter().map(|delivery| delivery.batch.len()).sum::<usize>() < WAITING_MIN;
        self.is_playing() && self.supply == Supply::More && few()
    }

    /// The host could not take the request.
    pub(crate) fn ask_again(&mut self) {
        if self.supply == Supply::Asked {
            self.supply = Supply::More;
        }
    }

    /// A session that runs has gone on since its end was read: more is asked for in time.
    pub(crate) fn go_on_until(&mut self, last: Time) {
        self.span.last = last;
        let left = self.known_until.since(self.at);
        if self.supply == Supply::End && self.speed.of_screen(left) < RUN_UP {
            self.supply = Supply::More;
        }
    }

    /// Time has passed before the screen.
    pub(crate) fn advance(&mut self, now: Time) -> Elapsed {
        let passed = now.since(self.moved_at);
        self.moved_at = now;
        let mut elapsed = Elapsed::default();
        if !self.is_playing() {
            return elapsed;
        }
        elapsed.silence = self.pass_over_silence();
        let target = self.at + self.speed.of_session(passed);
        let mut taken = 0;
        while taken < EVENTS_PER_STEP
            && let Some(delivery) = self.take_until(target)
        {
            taken += delivery.batch.len().max(1);
            self.at = delivery.batch.last().map_or(self.at, |event| event.at.max(self.at));
            elapsed.deliveries.push(delivery);
        }
        if taken < EVENTS_PER_STEP {
            self.at = self.at.max(target.min(self.known_until));
        }
        elapsed.is_over = self.is_at_end() && self.at >= self.span.last;
        if elapsed.is_over {
            self.motion = Motion::Paused;
        }
        elapsed
    }

    /// The events that wait first, up to this time.
    fn take_until(&mut self, target: Time) -> Option<Delivery> {
        let first = self.waiting.front_mut()?;
        let due = first.batch.partition_point(|event| event.at <= target);
        if due == first.batch.len() {
            return self.waiting.pop_front();
        }
        if due == 0 {
            return None;
        }
        let (gone, left): (Vec<_>, Vec<_>) =
            first.batch.iter().cloned().enumerate().partition(|(place, _)| *place < due);
        let events = |part: Vec<(usize, crate::event::Event)>| part.into_iter().map(|(_, event)| event).collect();
        let skipped = std::mem::take(&mut first.skipped);
        first.batch = events(left);
        Some(Delivery { skipped, batch: events(gone) })
    }

    fn next_event(&self) -> Option<Time> {
        self.waiting.iter().find_map(|delivery| Some(delivery.batch.first()?.at))
    }

    /// Goes to shortly before the next event, or to the end, if that is far away.
    fn pass_over_silence(&mut self) -> Option<Duration> {
        let next = match self.next_event() {
            Some(next) => next,
            None if self.is_at_end() => self.known_until,
            None => return None,
        };
        let silence = next.since(self.at);
        if self.speed.of_screen(silence) <= SILENCE_MAX {
            return None;
        }
        self.at = next - self.speed.of_session(RUN_UP);
        Some(silence)
    }

    /// When to look again by the screen's clock; never, if nothing moves.
    pub(crate) fn next_step(&self) -> Option<Time> {
        if !self.is_playing() || (self.supply == Supply::Asked && self.waiting.is_empty()) {
            return None;
        }
        if self.is_ask_due() {
            return Some(self.moved_at);
        }
        let second = Duration::from_micros(1_000_000 - self.at.as_micros() % 1_000_000);
        let next = self.next_event().map_or(second, |next| next.since(self.at).min(second));
        Some(self.moved_at + self.speed.of_screen(next).max(STEP_TIME))
    }
}

#[cfg(test)]
mod tests;
