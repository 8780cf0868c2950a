//! How fast the classic dialect is written: who reads it takes what comes at once for one message, so each message has
//! its time to itself, and what is to be said meanwhile waits. A driver keeps to these figures, on sockets and in
//! virtual time.

use std::time::Duration;

use super::event::EventKind;

/// Time between two writes on a classic link, so that a Python node reads them one by one.
pub const CLASSIC_WRITE_GAP: Duration = Duration::from_millis(30);
/// Messages that wait for one classic remote at most: half a minute's worth. One further behind loses its link.
pub const CLASSIC_QUEUE_MESSAGES_MAX: usize = 1_024;
/// So many waiting messages are told, once a life of a node: two seconds' worth, a liveness interval of a lab.
pub const CLASSIC_BACKLOG_TOLD: usize = 64;
/// How long a link that was hung up may take to write out its queue and be closed by the remote.
pub const HANG_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// Tells that a node has more to say than a classic link takes.
pub fn backlog_told() -> EventKind {
    let gap_ms = CLASSIC_WRITE_GAP.as_millis();
    let why = format!(
        "{CLASSIC_BACKLOG_TOLD} messages wait for one link, and the classic dialect takes one each {gap_ms} ms: \
         gossip comes late; use a longer --gossip-interval or fewer nodes"
    );
    EventKind::Failed { what: "send in time".to_owned(), why }
}
