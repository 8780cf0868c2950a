//! The pace of writing in the classic dialect. A Python node takes whatever it reads at once for
//! one message, so each message is written alone, and the others wait. Drivers keep to these
//! figures on sockets and in virtual time.

use std::time::Duration;

use super::event::{EventKind, NodeEvent};

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
    let gap_ms = CLASSIC_WRITE_GAP.as_millis();
    let why = format!(
        "{CLASSIC_BACKLOG_TOLD} messages wait for one link, and the classic dialect takes one each {gap_ms} ms: \
         gossip comes late; use a longer --gossip-interval or fewer nodes"
    );
    EventKind::Node(NodeEvent::Failed { what: "send in time".to_owned(), why })
}
