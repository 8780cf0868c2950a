//! What was not done, and why, in words. A refusal has the same words wherever it is read.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::{NameOf, count_text, span_text};
use crate::command::limits::NetworkLimits;
use crate::command::words::WordError;
use crate::command::{Command, grammar};
use crate::event::Unwritable;
use crate::event::{
    Attempt, DialError, FailureReason, FaultError, Refusal, SiteError, SystemError, SystemErrorKind, TextProblem,
};
use crate::proto::message::Role;
use crate::proto::text::Escaped;

/// What was to be done.
pub(super) fn attempt(attempt: &Attempt, name: NameOf<'_>) -> String {
    match attempt {
        Attempt::Start(role) => format!("start a {role}"),
        Attempt::StartLab { seeds, peers } => format!("start a lab of {seeds} seeds and {peers} peers"),
        Attempt::Kill(node) => format!("kill {}", name(*node)),
        Attempt::Hang(node) => format!("hang {}", name(*node)),
        Attempt::Restart(node) => format!("restart {}", name(*node)),
        Attempt::Cut { node, peer } => format!("cut {} from {}", name(*node), name(*peer)),
        Attempt::Heal { node, peer } => format!("link {} to {} again", name(*node), name(*peer)),
        Attempt::Say(node) => format!("send a message from {}", name(*node)),
        Attempt::Fault(fault) => grammar::text(&Command::Fault(fault.clone()), name),
        Attempt::Quit => grammar::text(&Command::Quit, name),
        Attempt::Run => "run".to_owned(),
        Attempt::Accept => "accept a connection".to_owned(),
        Attempt::Send => "send a message".to_owned(),
        Attempt::SendInTime => "send in time".to_owned(),
        Attempt::SendBeforeLeaving => "send everything before leaving".to_owned(),
        Attempt::KeepUp => "keep up with the clock".to_owned(),
        Attempt::HoldInvariant => "hold an invariant".to_owned(),
        Attempt::Quote(text) => text.clone(),
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::System(error) => error.fmt(f),
            Self::Unwritable(why) => why.fmt(f),
            Self::SaidAlready => f.write_str(
                "the classic dialect cannot tell it from the same text of this second: wait a second, or say \
                 something else",
            ),
            Self::Backlog { messages, gap_us } => write!(
                f,
                "{messages} messages wait for one link, and the classic dialect takes one each {}: gossip comes late; \
                 use a longer --gossip-interval or fewer nodes",
                span_text(Duration::from_micros(*gap_us))
            ),
            Self::Unsent { messages } => {
                let were = if *messages == 1 { "was" } else { "were" };
                let messages = count_text(*messages as u64, "message");
                write!(f, "{messages} {were} not sent: others read too slowly")
            }
            Self::Panic => f.write_str("a fault in this program: please report it; the node can be restarted"),
            Self::SlowMachine => {
                f.write_str("this machine is too slow for this network: its time goes on more slowly than the clock")
            }
            Self::Quote(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(problem) => problem.fmt(f),
            Self::BodyTooLong { len, max } => {
                write!(f, "a text of {len} bytes is too long: the framed dialect takes up to {max}")
            }
            Self::ListTooLong { len, max } => {
                write!(f, "a peer list of {len} bytes is too long: the classic dialect takes up to {max}")
            }
            Self::TooManyAddresses { len, max } => {
                write!(f, "a list of {len} addresses is too long: the framed dialect takes up to {max}")
            }
            Self::NoTrace => {
                f.write_str("a gossip message without its time and hop count cannot be sent in the framed dialect")
            }
            Self::NoTime => f.write_str("a gossip message without a time of day cannot be sent in the classic dialect"),
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::NoAnswer { within_us } => {
                write!(f, "no answer within {}", span_text(Duration::from_micros(*within_us)))
            }
            Self::TooManyDials => f.write_str("too many dials at once"),
            Self::Quote(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SystemErrorKind::ConnectionRefused => "connection refused: nobody listens there",
            SystemErrorKind::ConnectionReset => "connection reset",
            SystemErrorKind::ConnectionAborted => "connection aborted",
            SystemErrorKind::NoRoute => "no route to that address",
            SystemErrorKind::NetworkDown => "the network is down",
            SystemErrorKind::AddressInUse => "the address is in use",
            SystemErrorKind::AddressNotAvailable => "no such address on this machine",
            SystemErrorKind::PermissionDenied => "permission denied",
            SystemErrorKind::TimedOut => "timed out",
            SystemErrorKind::OutOfMemory => "out of memory",
            SystemErrorKind::Other => {
                return match self.code {
                    Some(code) => io::Error::from_raw_os_error(code).fmt(f),
                    None => f.write_str("an error of the system"),
                };
            }
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(addr) => write!(f, "{addr} is not a node of this process"),
            Self::Taken { addr, name, state } => {
                write!(f, "{addr} belongs to {name}, which {state}: choose another address")
            }
            Self::NotRunning { name, state, .. } => write!(f, "{name} {state}"),
            Self::Up { name, .. } => write!(f, "{name} runs: kill or hang it first"),
            Self::NotAPeer { name, .. } => write!(f, "{name} is a seed, and seeds do not gossip: choose a peer"),
            Self::NobodyThere(addr) => WordError::NobodyThere(*addr).fmt(f),
            Self::SecondLab => f.write_str("there is a lab already: add nodes with 'seed' and 'peer'"),
            Self::NoNodes { role, most } => {
                let what = match role {
                    Role::Seed => "seeds",
                    Role::Peer => "peers",
                };
                WordError::NotACount { given: "0".to_owned(), what, most: *most }.fmt(f)
            }
            Self::Full { role, most } => {
                write!(f, "this process has room for {most} {role}s{}", room_elsewhere(*role, *most))
            }
            Self::NoSeedList(said) => f.write_str(said),
            Self::Fault(error) => error.fmt(f),
            Self::NoText => WordError::NoText.fmt(f),
            Self::TextTooLong { len } => WordError::TextTooLong(*len).fmt(f),
            Self::Classic(problem) => problem.fmt(f),
            Self::Site(error) => error.fmt(f),
        }
    }
}

fn room_elsewhere(role: Role, most: usize) -> String {
    let elsewhere = match role {
        Role::Seed => NetworkLimits::VIRTUAL.seeds,
        Role::Peer => NetworkLimits::VIRTUAL.peers,
    };
    if most < elsewhere {
        format!("; in virtual time (--virtual) there is room for {elsewhere}")
    } else {
        String::new()
    }
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { addr, next: None } => write!(f, "{addr} is in use"),
            Self::InUse { addr, next: Some(next) } => write!(f, "{addr} is in use; the next free address is {next}"),
            Self::WhichInterface { port, found } => write!(
                f,
                "this machine has several addresses ({}), and a node's address is its name: choose one with \
                 --advertise {first}, or listen on one of them, such as {first}:{port}",
                list(found),
                first = found.first().map_or_else(String::new, ToString::to_string)
            ),
            Self::NoInterface { port } => write!(
                f,
                "this machine has no address that others can reach, and a node's address is its name: name one with \
                 --advertise, or listen on 127.0.0.1:{port}"
            ),
            Self::NoSeedAddress(addrs) => {
                let listed = if addrs.is_empty() { "it is empty".to_owned() } else { list(addrs) };
                write!(f, "no address of the seed list is free on this machine ({listed}): choose one with --listen")
            }
            Self::NoFreePort(first) => {
                write!(f, "no free port from {first} on: choose an address with --listen")
            }
            Self::NotLocal(addr) => write!(
                f,
                "{addr} is not an address of this machine: listen on one that is, such as 127.0.0.1:{}",
                addr.port()
            ),
            Self::Denied(addr) => write!(f, "no permission to listen on {addr}: choose a port from 1024 on"),
            Self::Io { addr, source } => write!(f, "cannot listen on {addr}: {source}"),
            Self::TooManyFiles { nodes, need, limit, peers_max } => write!(
                f,
                "{nodes} more nodes need about {need} file descriptors in all, and this process may have {limit}: \
                 {} too few; start fewer ({peers_max} peers fit), or raise the limit with 'ulimit -n {need}'",
                need.saturating_sub(*limit)
            ),
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { name } => write!(f, "{name} is gone: restart it first"),
            Self::Elsewhere { name } => {
                write!(f, "{name} runs in another process: a fault needs a node of this one")
            }
            Self::Itself { name } => write!(f, "{name} is named twice: name two different nodes"),
            Self::Nobody => f.write_str("a partition needs nodes: name those to separate from the others"),
            Self::Everybody => {
                f.write_str("these are all nodes of this process: leave at least one for the other side")
            }
            Self::None { what } => write!(f, "no such fault is set: {what}"),
            Self::TooMany { most } => write!(f, "{most} faults are set: clear some first"),
        }
    }
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text is empty: the classic dialect cannot send that"),
            Self::TooLong { len, max } => {
                write!(f, "the text has {len} bytes and the classic dialect takes {max}: shorten it")
            }
            Self::NotUtf8 => f.write_str("the text is not UTF-8: classic nodes read nothing else"),
            Self::Control(control) => write!(
                f,
                "the text contains the control character '{}', which acts on the terminals of classic nodes",
                Escaped(control.to_string().as_bytes())
            ),
            Self::Boundary(words) => {
                write!(f, "'{words}' in the text would start another message in the classic dialect: reword it")
            }
        }
    }
}

impl Error for Refusal {}
impl Error for SiteError {}
impl Error for FaultError {}
impl Error for TextProblem {}
impl Error for Unwritable {}
