//! A scenario in virtual time, as fast as it goes.

use std::time::Duration;

use super::engine::Engine;
use crate::command::Command;
use crate::engine::Refusal;
use crate::event::Event;
use crate::proto::addr::Addr;
use crate::proto::machine::Gauge;
use crate::proto::time::Time;
use crate::scenario::{Run, ScenarioAction, ScenarioNotice};

/// Virtual time that passes before events are handed on: a large network makes some hundred thousand in it.
const SLICE: Duration = Duration::from_millis(500);

/// What comes of playing, bit by bit.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Events, in order.
    Events(&'a [Event]),
    /// A line for the user.
    Told(ScenarioNotice),
    /// A node holds more of something than it may.
    OverBound {
        at: Time,
        node: Addr,
        /// Of what, and how much.
        gauge: Gauge,
    },
}

/// What is being played, and to whom.
struct Play<'r, S> {
    engine: Engine,
    run: &'r mut Run,
    sink: S,
}

/// Starts the lab of the scenario and plays it to its end, or for `length` if that is given; then all nodes say goodbye.
/// The sink's error ends it.
pub fn play<E: From<Refusal>>(
    engine: Engine,
    run: &mut Run,
    length: Option<Duration>,
    sink: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut play = Play { engine, run, sink };
    play.begin()?;
    let end = length.map(|length| play.engine.now() + length);
    while !play.is_over(end) {
        play.pass(end)?;
    }
    // Nothing keeps anybody from leaving.
    let _ = play.engine.apply(Command::Quit);
    play.hand_on()
}

impl<E: From<Refusal>, S: FnMut(Piece<'_>) -> Result<(), E>> Play<'_, S> {
    fn begin(&mut self) -> Result<(), E> {
        let (seeds, peers) = self.run.lab();
        self.engine.start_lab(seeds, peers)?;
        self.hand_on()?;
        let acts = self.run.begin(self.engine.now());
        self.carry_out(acts)
    }

    fn is_over(&self, end: Option<Time>) -> bool {
        match end {
            Some(end) => self.engine.now() >= end,
            None => self.run.is_over(),
        }
    }

    /// Time passes until something is due, but no more than a slice.
    fn pass(&mut self, end: Option<Time>) -> Result<(), E> {
        let now = self.engine.now();
        let until = [end, self.run.next_at()].into_iter().flatten().fold(now + SLICE, Time::min);
        self.engine.run_to(until);
        self.hand_on()?;
        let acts = self.run.wake(self.engine.now());
        self.carry_out(acts)
    }

    fn hand_on(&mut self) -> Result<(), E> {
        let events = self.engine.take_events();
        for event in &events {
            self.run.take(event);
        }
        (self.sink)(Piece::Events(&events))?;
        let at = self.engine.now();
        for (node, gauge) in self.engine.over_bounds_if_due() {
            (self.sink)(Piece::OverBound { at, node, gauge })?;
        }
        Ok(())
    }

    fn carry_out(&mut self, acts: Vec<ScenarioAction>) -> Result<(), E> {
        for act in acts {
            match act {
                ScenarioAction::Do { step, command } => {
                    if let Err(why) = self.engine.apply(command.clone())
                        && let Some(notice) = self.run.refused(step, &command, &why.to_string())
                    {
                        (self.sink)(Piece::Told(notice))?;
                    }
                }
                ScenarioAction::Tell(notice) => (self.sink)(Piece::Told(notice))?,
            }
        }
        Ok(())
    }
}
