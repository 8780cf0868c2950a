//! The one shape of a node: input and time in, messages and events out.
//!
//! A machine has no clock, no socket and no task. Its driver (tokio, the simulator, a test) hands
//! it what happened and carries out what it asks for. It keeps its deadlines itself and says when
//! it next wants to be woken, so no timer can be stale.

use std::time::Duration;

use super::addr::Addr;
use super::event::{Absence, ConnectionId, DialError, EventKind, LinkId, Purpose, Rule, Violation};
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

    /// Its dialect: writes in the classic dialect take time.
    fn dialect(&self) -> Dialect {
        Dialect::Framed
    }

    /// Reads what an input needs, and returns something that depends on all that was read. A driver of very many
    /// machines calls this for those whose inputs are next: the processor waits for the memory of all at one time.
    fn touch(&self, what: Touched<'_>) -> u64 {
        let _ = what;
        0
    }

    /// Reports how much it keeps of everything that has a bound, for whoever checks the bounds.
    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        let _ = tell;
    }
}

/// What of a machine is read ahead: see [`Machine::touch`].
#[derive(Debug, Clone, Copy)]
pub enum Touched<'a> {
    /// The machine itself; first.
    Itself,
    /// What it points to; `None`: it will be woken.
    Kept(Option<&'a Input>),
}

/// How much there is of something, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    pub what: &'static str,
    pub count: usize,
    pub limit: usize,
}

impl Gauge {
    pub const fn new(what: &'static str, count: usize, limit: usize) -> Self {
        Self { what, count, limit }
    }

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
        message: Message,
    },
    /// A connection changed.
    Link {
        link: LinkId,
        change: LinkChange,
    },
    /// The driver closed a connection at once, for breaking this rule.
    Rejected {
        /// The remote end.
        remote: Addr,
        rule: Rule,
    },
    DialFailed {
        /// The address that was dialed.
        peer: Addr,
        error: DialError,
    },
    /// The node was away and could not see that by its deadlines: a missing answer says nothing
    /// about the others.
    Late {
        /// For how long: the age of the oldest message that it has not read.
        by: Duration,
        why: Absence,
    },
    Command(NodeCommand),
    /// The deadline has come.
    Wake,
}

/// How a connection changed.
#[derive(Debug, Clone)]
pub enum LinkChange {
    /// Somebody connected to this node.
    Accepted {
        /// The remote end, which is not where the node listens.
        remote: Addr,
    },
    /// A dial came up.
    Dialed {
        /// The address that was dialed.
        peer: Addr,
    },
    /// The connection is gone, except as [`CloseCause::is_answered`] says. After `hang_up` a driver
    /// does not report this.
    Closed { cause: CloseCause },
}

/// Why a connection closed.
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
    /// The decoder found the other dialect.
    OtherDialect {
        /// The remote's dialect.
        speaks: Dialect,
        /// Where it listens, if it said so.
        named: Option<Addr>,
    },
}

impl CloseCause {
    /// The connection just ended: nobody objects to anything.
    pub const fn is_plain_end(&self) -> bool {
        match self {
            Self::EndOfStream | Self::Error => true,
            Self::TooSlow | Self::Violation(_) | Self::OtherDialect { .. } => false,
        }
    }

    /// Whether the remote speaks something else, and its user should learn that from our hello:
    /// nothing more will be read, but what the machine still sends goes out; then it hangs up.
    pub fn is_answered(&self) -> bool {
        match self {
            Self::OtherDialect { .. } => true,
            Self::Violation(violation) => violation.rule == Rule::UnknownVersion,
            Self::EndOfStream | Self::Error | Self::TooSlow => false,
        }
    }
}

/// What a user can ask of one node.
#[derive(Debug, Clone)]
pub enum NodeCommand {
    /// Peer: send a message of the user.
    Say(Body),
    /// Peer: treat this neighbor as dead and do not link to it until [`NodeCommand::Heal`].
    Cut(Addr),
    /// Peer: link to it again.
    Heal(Addr),
    /// Peer: report to the seeds that this node is dead, whatever is known of it.
    Lie(Addr),
    /// From now on the times that it writes are this many microseconds ahead of the time that it is
    /// handed. Its own timers keep to the latter.
    Skew(i64),
    /// Say goodbye to everybody. After this the machine asks for nothing more.
    Leave,
}

/// Where a machine puts what it wants done.
pub trait Output {
    /// Send this on that link. If the link is gone, nothing happens.
    fn send(&mut self, link: LinkId, message: &Message);
    /// Connect to this address; ends in `Dialed` or `DialFailed`.
    fn dial(&mut self, peer: Addr, purpose: Purpose);
    /// Close this link once all that was sent on it is out.
    fn hang_up(&mut self, link: LinkId);
    /// Read nothing from this link before then. What was read already, and is on its way to the
    /// machine, may still come.
    fn pause(&mut self, link: LinkId, until: Time);
    /// The name of this open link's connection to that node, if the driver knows it.
    fn connection(&self, link: LinkId, peer: Addr) -> Option<ConnectionId> {
        let _ = (link, peer);
        None
    }
    /// Something happened. The event is made only if somebody listens.
    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K);
}
