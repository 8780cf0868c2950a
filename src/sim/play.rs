//! Plays a scenario in virtual time, as fast as possible.

use std::time::Duration;

use super::engine::VirtualEngine;
use super::sink::EventSink;
use crate::command::Command;
use crate::engine::Refusal;
use crate::event::Event;
use crate::proto::addr::Addr;
use crate::proto::machine::Gauge;
use crate::proto::time::Time;
use crate::scenario::{Run, ScenarioAction, ScenarioNotice};

/// Virtual time that passes between two checks of the nodes' bounds and of the listener.
const SLICE: Duration = Duration::from_millis(500);

/// What playing produces, bit by bit.
#[derive(Debug)]
pub enum Piece<'a> {
    Event(&'a Event),
    /// A line for the user.
    Told(ScenarioNotice),
    /// A node holds more of something than it may.
    OverBound {
        at: Time,
        node: Addr,
        gauge: Gauge,
    },
}

/// The sink of a scenario in virtual time: hands each event to the run and to a listener, and keeps
/// none.
#[derive(Debug)]
pub struct ScenarioSink<'r, S, E> {
    run: &'r mut Run,
    listener: S,
    /// The listener's error, after which it hears nothing more.
    outcome: Result<(), E>,
}

impl<'r, E, S: FnMut(Piece<'_>) -> Result<(), E>> ScenarioSink<'r, S, E> {
    /// For this run, before its network exists.
    pub fn new(run: &'r mut Run, listener: S) -> Self {
        Self { run, listener, outcome: Ok(()) }
    }

    fn tell(&mut self, piece: Piece<'_>) {
        if self.outcome.is_ok() {
            self.outcome = (self.listener)(piece);
        }
    }

    fn take_outcome(&mut self) -> Result<(), E> {
        std::mem::replace(&mut self.outcome, Ok(()))
    }
}

impl<E, S: FnMut(Piece<'_>) -> Result<(), E>> EventSink for ScenarioSink<'_, S, E> {
    fn take(&mut self, event: Event) {
        self.run.take(&event);
        self.tell(Piece::Event(&event));
    }
}

/// A scenario that is being played.
struct Play<'r, S, E> {
    engine: VirtualEngine<ScenarioSink<'r, S, E>>,
}

/// Starts the lab of the scenario and plays it to its end, or for `length` if that is given; then
/// all nodes say goodbye. Returns when that was, or the listener's error, which ends it.
pub fn play<E: From<Refusal>, S: FnMut(Piece<'_>) -> Result<(), E>>(
    engine: VirtualEngine<ScenarioSink<'_, S, E>>,
    length: Option<Duration>,
) -> Result<Time, E> {
    let mut play = Play { engine };
    play.begin()?;
    let end = length.map(|length| play.engine.now() + length);
    while !play.is_over(end) {
        play.pass(end)?;
    }
    // Nothing keeps a node from leaving.
    let _ = play.engine.apply(Command::Quit);
    play.look()?;
    Ok(play.engine.now())
}

impl<E: From<Refusal>, S: FnMut(Piece<'_>) -> Result<(), E>> Play<'_, S, E> {
    fn begin(&mut self) -> Result<(), E> {
        let (seeds, peers) = self.run().lab();
        self.engine.start_lab(seeds, peers)?;
        self.look()?;
        let now = self.engine.now();
        let actions = self.run().begin(now);
        self.carry_out(actions)
    }

    fn run(&mut self) -> &mut Run {
        self.engine.sink_mut().run
    }

    fn is_over(&mut self, end: Option<Time>) -> bool {
        match end {
            Some(end) => self.engine.now() >= end,
            None => self.run().is_over(),
        }
    }

    /// Time passes until something is due, but no more than a slice.
    fn pass(&mut self, end: Option<Time>) -> Result<(), E> {
        let now = self.engine.now();
        let until = [end, self.run().next_at()].into_iter().flatten().fold(now + SLICE, Time::min);
        self.engine.run_to(until);
        self.look()?;
        let now = self.engine.now();
        let actions = self.run().wake(now);
        self.carry_out(actions)
    }

    /// Reports what is over its bound, and whether the listener has had enough.
    fn look(&mut self) -> Result<(), E> {
        let at = self.engine.now();
        for (node, gauge) in self.engine.over_bounds_if_due() {
            self.engine.sink_mut().tell(Piece::OverBound { at, node, gauge });
        }
        self.engine.sink_mut().take_outcome()
    }

    fn carry_out(&mut self, actions: Vec<ScenarioAction>) -> Result<(), E> {
        for action in actions {
            match action {
                ScenarioAction::Do { step, command } => {
                    if let Err(why) = self.engine.apply(command.clone())
                        && let Some(notice) = self.run().refused(step, &command, why)
                    {
                        self.engine.sink_mut().tell(Piece::Told(notice));
                    }
                }
                ScenarioAction::Tell(notice) => self.engine.sink_mut().tell(Piece::Told(notice)),
            }
        }
        self.engine.sink_mut().take_outcome()
    }
}
