//! The links that the runtime has something for.
//!
//! A node waits for all of its links at once, in its own task. Each link has its own [`LinkWaker`],
//! with which the runtime wakes the node, so the node looks only at links that have something for
//! it: a seed has thousands that are silent.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::proto::event::LinkId;

/// The links that wait for the node's next turn, each at most once.
#[derive(Debug, Default)]
pub(super) struct ReadySet {
    waiting: Arc<Mutex<ReadyList>>,
}

#[derive(Debug, Default)]
struct ReadyList {
    links: VecDeque<LinkId>,
    /// The node's waker, while it sleeps.
    node: Option<Waker>,
}

/// Wakes the node for one link.
#[derive(Debug)]
pub(super) struct LinkWaker {
    link: LinkId,
    /// The link is in the set already.
    made: AtomicBool,
    waiting: Arc<Mutex<ReadyList>>,
}

fn lock(waiting: &Mutex<ReadyList>) -> MutexGuard<'_, ReadyList> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReadySet {
    /// Adds a new link, to be looked at in the next turn.
    pub(super) fn new_link(&self, link: LinkId) -> Arc<LinkWaker> {
        let call = Arc::new(LinkWaker { link, made: AtomicBool::new(false), waiting: Arc::clone(&self.waiting) });
        call.make();
        call
    }

    /// Moves up to `max` waiting links to `links`; if there are none, the next one wakes the task.
    pub(super) fn poll(&self, cx: &Context<'_>, links: &mut Vec<LinkId>, max: usize) -> Poll<()> {
        let mut waiting = lock(&self.waiting);
        if waiting.links.is_empty() {
            match &mut waiting.node {
                Some(node) => node.clone_from(cx.waker()),
                node @ None => *node = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        let count = waiting.links.len().min(max);
        links.extend(waiting.links.drain(..count));
        Poll::Ready(())
    }
}

impl LinkWaker {
    /// The link waits for the next turn, unless it does already.
    pub(super) fn make(&self) {
        if self.made.swap(true, Ordering::AcqRel) {
            return;
        }
        let node = {
            let mut waiting = lock(&self.waiting);
            waiting.links.push_back(self.link);
            waiting.node.take()
        };
        if let Some(node) = node {
            node.wake();
        }
    }

    /// The node looks at the link now: what comes from here on is a new call.
    pub(super) fn rearm(&self) {
        self.made.store(false, Ordering::Release);
    }
}

impl Wake for LinkWaker {
    fn wake(self: Arc<Self>) {
        self.make();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.make();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_queues_its_link_once_until_it_is_rearmed() {
        let calls = ReadySet::default();
        let call = calls.new_link(LinkId(7));
        call.make();
        let mut links = Vec::new();
        let cx = Context::from_waker(Waker::noop());
        assert!(calls.poll(&cx, &mut links, 8).is_ready());
        assert_eq!(links, [LinkId(7)]);
        assert!(calls.poll(&cx, &mut links, 8).is_pending());
        call.rearm();
        call.make();
        assert!(calls.poll(&cx, &mut links, 8).is_ready());
        assert_eq!(links, [LinkId(7), LinkId(7)]);
    }
}
