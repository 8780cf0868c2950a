//! The one shape of a node: input and time in, messages and events out.
//!
//! A machine has no clock, no socket and no task. Whoever drives it (tokio, the simulator, a test)
//! hands it what happened and carries out what it asks for. It keeps its deadlines itself and
//! tells when it next wants to be woken, so that no timer can be stale.

use std::time::Duration;

use super::addr::Addr;
use super::event::{Absence, EventKind, LinkId, Purpose, Rule, Violation};
use super::message::{Dialect, Message};
use super::text::Body;
use super::time::Time;

/// A node as a state machine.
pub trait Machine {
    /// Takes one input. Infallible: what a remote does wrong is an event, not an error. `now` must
    /// not be before that of an earlier call.
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output);

    /// When the machine wants an [`Input::Wake`]; `None`: not until something happens. May change
    /// after any `handle`.
    fn next_deadline(&self) -> Option<Time>;

    /// What it speaks: what is written in the classic dialect needs time.
    fn dialect(&self) -> Dialect {
        Dialect::Framed
    }

    /// Tells what it keeps of all that has a bound, for whoever checks that the bounds hold.
    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        let _ = tell;
    }
}

/// How much there is of something, and how much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// Of what.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
    /// How many there may be.
    pub limit: usize,
}

impl Gauge {
    /// So many of these, where so many may be.
    pub const fn new(what: &'static str, count: usize, limit: usize) -> Self {
        Self { what, count, limit }
    }

    /// There are more than there may be.
    pub const fn is_over(&self) -> bool {
        self.count > self.limit
    }
}

/// What can happen to a node.
#[derive(Debug, Clone)]
pub enum Input {
    /// The node begins its work; once, first.
    Start,
    /// A message came in on a link that was not hung up.
    Message {
        link: LinkId,
        /// What it said.
        message: Message,
    },
    /// A connection changed.
    Link { link: LinkId, change: LinkChange },
    /// The driver closed a connection at once, for breaking this rule.
    Rejected {
        /// The remote end.
        remote: Addr,
        rule: Rule,
    },
    /// A dial came to nothing.
    DialFailed {
        /// The address that was dialed.
        peer: Addr,
        /// What the system said.
        error: String,
    },
    /// The node was away without being able to see it by its deadlines: no answer that is missing says anything about
    /// the others.
    Late {
        /// For how long; how long the oldest message has waited that it has not read.
        by: Duration,
        why: Absence,
    },
    /// The user wants something.
    Command(NodeCommand),
    /// The deadline has come.
    Wake,
}

/// How a connection changed.
#[derive(Debug, Clone)]
pub enum LinkChange {
    /// Somebody connected to this node.
    Accepted {
        /// The remote end. Not where the node listens.
        remote: Addr,
    },
    /// A dial came about.
    Dialed {
        /// The address that was dialed.
        peer: Addr,
    },
    /// The connection is gone, except as [`CloseCause::OtherDialect`] says. After `hang_up` a driver
    /// does not say so.
    Closed { cause: CloseCause },
}

/// Why a connection closed under a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseCause {
    /// The remote closed it.
    EndOfStream,
    /// It failed.
    Error,
    /// The queue to the remote was full.
    TooSlow,
    /// The decoder found bytes that break a rule.
    Violation(Violation),
    /// The decoder found the other dialect. Nothing more will be read, but what the machine still
    /// sends goes out; then it hangs up.
    OtherDialect {
        /// What the remote speaks.
        speaks: Dialect,
        /// Where it listens, if it said so.
        named: Option<Addr>,
    },
}

/// What a user can ask of one node.
#[derive(Debug, Clone)]
pub enum NodeCommand {
    /// Peer: send a message of the user's own.
    Say(Body),
    /// Peer: treat this neighbor as dead and do not link to it until [`NodeCommand::Heal`].
    Cut(Addr),
    /// Peer: link to it again.
    Heal(Addr),
    /// Peer: report to the seeds that this node is dead, whatever is known of it.
    Lie(Addr),
    /// From now on the times that it writes are so many microseconds ahead of the time that it is
    /// handed. Its own timers keep to that.
    Skew(i64),
    /// Say goodbye to everybody. After this the machine asks for nothing more.
    Leave,
}

/// Where a machine puts what it wants done.
pub trait Output {
    /// Send this on that link. To a link that is gone: nothing happens.
    fn send(&mut self, link: LinkId, message: &Message);
    /// Connect to this address; ends in `Dialed` or `DialFailed`.
    fn dial(&mut self, peer: Addr, purpose: Purpose);
    /// Close this link once all that was sent on it is out.
    fn hang_up(&mut self, link: LinkId);
    /// Read nothing from this link before then. What was read already, and is under way to the machine, may still come.
    fn pause(&mut self, link: LinkId, until: Time);
    /// Something happened. The event is only made if somebody listens.
    fn emit(&mut self, event: impl FnOnce() -> EventKind);
}
