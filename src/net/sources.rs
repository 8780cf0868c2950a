//! What a node waits for, all at once: commands, dials, links, new connections, and the next
//! deadline.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::coop;
use tokio::time::{Sleep, sleep_until};

use super::dial::Dialed;
use super::ending::{Endings, Introduction};
use super::error::system_error;
use super::links::{DIALS_MAX, Links};
use crate::clock::Clock;
use crate::engine::fault::FaultView;
use crate::proto::addr::Addr;
use crate::proto::event::{LinkId, SystemError};
use crate::proto::machine::NodeCommand;
use crate::proto::time::Time;

/// Commands that wait for the node.
pub(super) const CONTROLS_MAX: usize = 16;
/// Connections that one turn accepts.
const TURN_ACCEPTS_MAX: usize = 64;
/// The wait after a failed accept, which usually means that no descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What the engine tells a node.
#[derive(Debug)]
pub(super) enum Control {
    /// For the machine.
    Command(NodeCommand),
    /// The faults from now on.
    Faults(Arc<FaultView>),
    /// Fall silent from now on.
    Hang,
    /// Do nothing from now on, and leave after this long.
    Leave {
        /// So that the nodes of a process do not all leave at once.
        after: Duration,
    },
}

/// What a node waits for.
pub(super) struct Sources {
    pub(super) endings: Endings,
    controls: mpsc::Receiver<Control>,
    dialed: mpsc::Receiver<Dialed>,
    /// Until the node leaves.
    listener: Option<TcpListener>,
    clock: Clock,
    alarm: Pin<Box<Sleep>>,
    /// When the alarm goes off, if it is set.
    alarm_at: Option<Time>,
    accept_again: Option<Time>,
    /// The last accept failed, and that was reported.
    accept_fails: bool,
    /// Whether commands are read, too.
    pub(super) takes_controls: bool,
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.close();
    }
}

/// What there is to do in a turn.
#[derive(Default)]
pub(super) struct Ready {
    pub(super) controls: Vec<Control>,
    pub(super) dialed: Vec<Dialed>,
    pub(super) links: Vec<LinkId>,
    pub(super) accepted: Vec<(TcpStream, Addr)>,
    pub(super) accept_error: Option<SystemError>,
}

impl Ready {
    fn is_empty(&self) -> bool {
        let asked = !self.controls.is_empty() || !self.dialed.is_empty() || !self.links.is_empty();
        !asked && self.accepted.is_empty() && self.accept_error.is_none()
    }
}

impl Sources {
    pub(super) fn new(
        endings: Endings,
        controls: mpsc::Receiver<Control>,
        dialed: mpsc::Receiver<Dialed>,
        listener: TcpListener,
        clock: Clock,
    ) -> Self {
        let (alarm, listener) = (Box::pin(sleep_until(clock.instant(clock.epoch()))), Some(listener));
        let (alarm_at, accept_again, accept_fails, takes_controls) = (None, None, false, true);
        Self { endings, controls, dialed, listener, clock, alarm, alarm_at, accept_again, accept_fails, takes_controls }
    }

    /// Takes nothing new from outside from now on.
    pub(super) fn close(&mut self) {
        self.controls.close();
        if let Some(listener) = self.listener.take() {
            self.endings.close(listener);
        }
        self.dialed.close();
        while let Ok(dialed) = self.dialed.try_recv() {
            dialed.result.into_iter().for_each(|stream| self.endings.end(stream, Introduction::Due));
        }
    }

    /// Waits until there is something to do, but no longer than until `deadline`.
    pub(super) async fn ready(&mut self, deadline: Option<Time>, links: &Links) -> Ready {
        self.set_alarm([deadline, links.next_alarm(), self.accept_again]);
        let mut ready = Ready::default();
        poll_fn(|cx| self.poll(cx, links, &mut ready)).await;
        ready
    }

    fn set_alarm(&mut self, deadlines: [Option<Time>; 3]) {
        let at = deadlines.into_iter().flatten().min();
        if at != self.alarm_at {
            self.alarm_at = at;
            if let Some(at) = at {
                self.alarm.as_mut().reset(self.clock.instant(at));
            }
        }
    }

    /// Takes all that is ready.
    fn poll(&mut self, cx: &mut Context<'_>, links: &Links, ready: &mut Ready) -> Poll<()> {
        // Each registers for its next wake-up only if it finds nothing (more).
        if self.takes_controls {
            let _ = self.controls.poll_recv_many(cx, &mut ready.controls, CONTROLS_MAX);
        }
        let _ = self.dialed.poll_recv_many(cx, &mut ready.dialed, DIALS_MAX);
        poll_ready(cx, links, &mut ready.links);
        self.poll_accept(cx, ready);
        let alarm = self.poll_alarm(cx);
        if alarm || !ready.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>, ready: &mut Ready) {
        let Some(listener) = &self.listener else { return };
        while self.accept_again.is_none() && ready.accepted.len() < TURN_ACCEPTS_MAX {
            match listener.poll_accept(cx) {
                Poll::Ready(Ok((stream, remote))) => {
                    self.accept_fails = false;
                    // A node listens at an IPv4 address, and so nothing else can connect to it.
                    ready.accepted.extend(Addr::try_from(remote).map(|remote| (stream, remote)));
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Poll::Ready(Err(error)) => {
                    if !std::mem::replace(&mut self.accept_fails, true) {
                        ready.accept_error = Some(system_error(&error));
                    }
                    self.accept_again = Some(self.clock.now() + ACCEPT_PAUSE);
                }
                Poll::Pending => break,
            }
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> bool {
        if self.alarm_at.is_none() || self.alarm.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.alarm_at = None;
        self.accept_again = self.accept_again.filter(|again| *again > self.clock.now());
        true
    }
}

/// Takes the links that are ready, unless the task has had its share and must let others run.
fn poll_ready(cx: &mut Context<'_>, links: &Links, ready: &mut Vec<LinkId>) {
    if let Poll::Ready(share) = coop::poll_proceed(cx)
        && links.poll_ready(cx, ready).is_ready()
    {
        share.made_progress();
    }
}
