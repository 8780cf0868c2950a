//! The pace of writing in the classic dialect. A Python node takes whatever it reads at once for
//! one message, so each message is written alone, and the others wait. Drivers keep to these
//! figures on sockets and in virtual time.

use std::time::Duration;

use super::event::{Attempt, EventKind, FailureReason, NodeEvent};
use super::time::micros;

/// Time between two writes on a classic link, so that a Python node reads them one by one.
pub const CLASSIC_WRITE_GAP: Duration = Duration::from_millis(30);
/// The most messages that wait for one classic remote: half a minute's worth. One further behind
/// loses its link.
pub const CLASSIC_QUEUE_MESSAGES_MAX: usize = 1_024;
/// Waiting messages that are reported, once in a node's life: two seconds' worth, a liveness
/// interval of a lab.
pub const CLASSIC_BACKLOG_TOLD: usize = 64;
/// How long a link that was hung up may take to write out its queue and be closed by the remote.
pub const HANG_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// Reports that a node has more to send than a classic link takes.
pub fn backlog_told() -> EventKind {
    let backlog = FailureReason::Backlog { messages: CLASSIC_BACKLOG_TOLD, gap_us: micros(CLASSIC_WRITE_GAP) };
    NodeEvent::failed(Attempt::SendInTime, backlog).into()
}
