//! One node: a task that owns a state machine and works in turns.
//!
//! A turn takes everything that is ready (commands, what links have read, new connections, the
//! machine's deadline), hands it to the machine, writes to each link once and publishes the events
//! as one batch. Between turns the task waits for all of these at once; it never waits for anything
//! else.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::ending::Endings;
use super::link::Pulled;
use super::links::{DIALS_MAX, Identity, Links};
use super::node_faults::{InFlight, NodeFaults, Outgoing};
use super::says::Says;
use super::sources::{CONTROLS_MAX, Control, Ready, Sources};
use crate::clock::Clock;
use crate::event::{Batch, Event};
use crate::feed::Tap;
use crate::platform::slept;
use crate::proto::addr::Addr;
use crate::proto::event::{Absence, Attempt, EventKind, FailureReason, LinkId, NodeEvent, Rule, Stop};
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine, NodeCommand, Output};
use crate::proto::pacing::HANG_UP_TIMEOUT;
use crate::proto::reach::Reach;
use crate::proto::time::Time;

/// A suspended machine sleeps for longer; two clocks that are read one after the other differ by
/// less.
const SLEEP_MIN: Duration = Duration::from_millis(1);
/// How long all links of a leaving node may take to close, once each has had its own time.
const LEAVE_TIMEOUT: Duration = HANG_UP_TIMEOUT.saturating_add(Duration::from_millis(200));

/// What a node begins with.
pub(super) struct Setup {
    pub(super) me: Identity,
    pub(super) listener: TcpListener,
    /// Who may link.
    pub(super) reach: Reach,
    pub(super) clock: Clock,
    pub(super) taps: Arc<[Tap]>,
    pub(super) faults: NodeFaults,
}

/// The engine's handle to a running node. Dropping it crashes the node.
pub(super) struct Handle {
    task: AbortOnDropHandle<()>,
    pub(super) control: mpsc::Sender<Control>,
}

impl Handle {
    /// Ends the node in the middle of whatever it does; its sockets end as its dialect requires.
    pub(super) async fn crash(self) {
        self.task.abort();
        // Canceled, as it should be.
        let _ = self.task.await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for a node that was told to leave.
    pub(super) async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }
}

/// Runs a node on a task of its own.
pub(super) fn spawn<M: Machine + Send + 'static>(machine: M, setup: Setup) -> Handle {
    let (control, controls) = mpsc::channel(CONTROLS_MAX);
    let node = NodeTask::new(machine, setup, controls);
    Handle { task: AbortOnDropHandle::new(tokio::spawn(node.run())), control }
}

struct NodeTask<M> {
    /// The first field, so the first to be dropped.
    notice: CrashNotice,
    machine: M,
    reach: Reach,
    links: Links,
    faults: NodeFaults,
    /// Links with something to read later because the node is slow, and since when.
    unread: BTreeMap<LinkId, Time>,
    says: Says,
    /// How long the computer had slept at the last turn.
    slept: Duration,
    sources: Sources,
}

/// Publishes the end of a node that does not leave. Dropped before its sockets end, so the event
/// comes before what others notice.
struct CrashNotice {
    node: Addr,
    clock: Clock,
    /// Empty once the node has left.
    taps: Arc<[Tap]>,
}

impl CrashNotice {
    fn withdraw(&mut self) {
        self.taps = Arc::default();
    }

    fn publish(&self, kind: EventKind) {
        let event = Event { at: self.clock.now(), node: self.node, kind };
        let batch = Batch::from([event]);
        for tap in &*self.taps {
            tap.publish(&batch);
        }
    }
}

impl Drop for CrashNotice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.publish(NodeEvent::failed(Attempt::Run, FailureReason::Panic).into());
        }
        self.publish(EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    }
}

/// Why the task stops taking turns.
enum NodeEnd {
    Leave { after: Duration },
    Hang,
}

impl<M: Machine> NodeTask<M> {
    fn new(machine: M, setup: Setup, controls: mpsc::Receiver<Control>) -> Self {
        let Setup { me, listener, reach, clock, taps, faults } = setup;
        let (dials, dialed) = mpsc::channel(DIALS_MAX);
        let notice = CrashNotice { node: me.addr, clock, taps: Arc::clone(&taps) };
        let endings = Endings::new(me.addr, me.dialect);
        let links = Links::new(endings.clone(), me, taps, dials, clock);
        let sources = Sources::new(endings, controls, dialed, listener, clock);
        let (unread, says, slept) = (BTreeMap::new(), Says::default(), slept());
        Self { notice, machine, reach, links, faults, unread, says, slept, sources }
    }

    async fn run(mut self) {
        self.handle(Input::Start);
        let end = loop {
            self.end_turn();
            self.sources.takes_controls = self.says.len() < CONTROLS_MAX;
            let ready = self.sources.ready(self.next_deadline(), &self.links).await;
            if let Some(end) = self.turn(ready) {
                break end;
            }
        };
        match end {
            NodeEnd::Leave { after } => self.leave(after).await,
            NodeEnd::Hang => self.hang().await,
        }
    }

    /// When there is something to do, if nothing comes from outside first.
    fn next_deadline(&self) -> Option<Time> {
        let reads_again = self.faults.reads_again().filter(|_| !self.unread.is_empty());
        let deadlines = [self.machine.next_deadline(), self.faults.next_at(), reads_again, self.says.next_at()];
        deadlines.into_iter().flatten().min()
    }

    fn turn(&mut self, ready: Ready) -> Option<NodeEnd> {
        self.links.set_now();
        self.tell_sleep();
        self.arrive();
        for control in ready.controls {
            match control {
                Control::Command(say @ NodeCommand::Say(_)) if self.must_wait() => self.says.push(say),
                Control::Command(command) => self.handle(Input::Command(command)),
                Control::Faults(view) => self.faults.set(self.links.now(), view),
                Control::Leave { after } => return Some(NodeEnd::Leave { after }),
                Control::Hang => return Some(NodeEnd::Hang),
            }
        }
        for dialed in ready.dialed {
            let input = self.links.dialed(dialed);
            self.handle(input);
        }
        for link in ready.links {
            self.links.set_now();
            self.attend(link);
        }
        for (stream, remote) in ready.accepted {
            if let Some(input) = self.accept(stream, remote) {
                self.handle(input);
            }
        }
        if let Some(why) = ready.accept_error {
            self.links.emit(|| NodeEvent::failed(Attempt::Accept, why));
        }
        self.wake();
        None
    }

    /// Nothing is read from a connection that is not allowed.
    fn accept(&mut self, stream: TcpStream, remote: Addr) -> Option<Input> {
        if self.reach.admits(self.notice.node, remote.ip()) {
            return self.links.accept(stream, remote);
        }
        Some(self.links.turn_away(stream, remote, Rule::NotAllowed))
    }

    /// Takes what a link has, unless this node is too slow for it now.
    fn attend(&mut self, link: LinkId) {
        self.links.begin(link);
        while self.may_read(link) {
            let Some(pulled) = self.links.pull(link) else {
                self.unread.remove(&link);
                break;
            };
            match pulled {
                Pulled::Message(message) => self.handle(Input::Message { link, message }),
                Pulled::Ended(cause) => self.on_ended(link, cause),
            }
        }
        self.links.finish(link);
    }

    fn may_read(&mut self, link: LinkId) -> bool {
        let may_read = self.faults.may_read(self.links.now());
        if !may_read {
            self.links.hold(link);
            let now = self.links.now();
            self.unread.entry(link).or_insert(now);
        }
        may_read
    }

    /// While the computer sleeps its clock stands still, and others may declare this node dead.
    fn tell_sleep(&mut self) {
        let slept = slept();
        let by = slept.saturating_sub(std::mem::replace(&mut self.slept, slept));
        if by >= SLEEP_MIN {
            self.tell_machine(Input::Late { by, why: Absence::Stopped });
        }
    }

    /// A slow node must know that what it has not read is not others' silence.
    fn tell_late(&mut self) {
        if let Some(since) = self.unread.values().min() {
            let by = self.links.now().since(*since);
            self.tell_machine(Input::Late { by, why: Absence::ReadsLate });
        }
    }

    /// Some remotes still get an answer; after any other end there is nothing to write to.
    fn on_ended(&mut self, link: LinkId, cause: CloseCause) {
        let was_open = if cause.is_answered() { self.links.is_open(link) } else { self.links.forget(link) };
        if was_open {
            self.handle(Input::Link { link, change: LinkChange::Closed { cause } });
            self.links.hang_up(link);
        }
    }

    /// Deadlines may have come while other things were handled, too.
    fn wake(&mut self) {
        self.links.set_now();
        self.arrive();
        self.attend_due();
        self.links.drop_stuck();
        self.say();
        if self.machine.next_deadline().is_some_and(|deadline| deadline <= self.links.now()) {
            self.handle(Input::Wake);
        }
    }

    /// A new message of the user must wait, and nothing overtakes those that wait.
    fn must_wait(&self) -> bool {
        self.links.is_crowded() || !self.says.is_empty()
    }

    fn say(&mut self) {
        for say in self.says.take_due(self.links.now(), self.links.is_crowded()) {
            self.handle(Input::Command(say));
        }
    }

    fn attend_due(&mut self) {
        self.tell_late();
        let unread: Vec<LinkId> = self.unread.keys().copied().collect();
        for link in self.links.take_due().into_iter().chain(unread) {
            self.attend(link);
        }
    }

    fn handle(&mut self, input: Input) {
        if let Some(input) = self.faults.admit(&mut self.links, input) {
            self.tell_machine(input);
        }
    }

    fn tell_machine(&mut self, input: Input) {
        let (links, faults) = (&mut self.links, &mut self.faults);
        self.machine.handle(links.now(), input, &mut Outgoing { links, faults });
    }

    /// What was on its way arrives now.
    fn arrive(&mut self) {
        while let Some(in_flight) = self.faults.next_due(&mut self.links) {
            match in_flight {
                InFlight::In(input) => self.tell_machine(input),
                InFlight::Out(link, message) => self.links.send(link, &message),
                InFlight::HangUp(link) => self.links.hang_up(link),
            }
        }
    }

    fn end_turn(&mut self) {
        self.links.send_pending();
        while let Some(input) = self.links.next_input() {
            self.handle(input);
            self.links.send_pending();
        }
        self.links.publish();
    }

    async fn leave(mut self, after: Duration) {
        // New dials are refused from now on; connections that wait to be accepted are ended.
        self.sources.close();
        self.links.stop_dialing();
        // Meanwhile it declares none of the others dead that leave, too.
        sleep(after).await;
        self.links.set_now();
        self.tell_machine(Input::Command(NodeCommand::Leave));
        self.links.hang_up_all();
        self.links.publish();
        // Links that do not close in time end as in a crash when they are dropped.
        let _ = timeout(LEAVE_TIMEOUT, self.close_links()).await;
        self.notice.withdraw();
        self.links.set_now();
        self.tell_unsent();
        self.links.emit(|| NodeEvent::Stopped { how: Stop::Left });
        self.links.publish();
    }

    fn tell_unsent(&mut self) {
        let messages = self.links.unsent() + self.says.len();
        if messages > 0 {
            self.links.emit(|| NodeEvent::failed(Attempt::SendBeforeLeaving, FailureReason::Unsent { messages }));
        }
    }

    async fn close_links(&mut self) {
        while self.links.is_closing() {
            let ready = self.sources.ready(None, &self.links).await;
            self.links.set_now();
            ready.links.into_iter().for_each(|link| self.attend(link));
            self.attend_due();
        }
    }

    /// Holds all sockets, the listener's too, until the task is aborted. In the classic dialect
    /// incoming bytes are read and discarded all the while: with nothing unread, nobody is reset
    /// when the process ends. The sender cannot tell.
    async fn hang(mut self) {
        self.links.stop_dialing();
        self.links.fall_silent();
        self.links.emit(|| NodeEvent::Hung);
        self.links.publish();
        if self.sources.endings.dialect().may_reset() {
            pending::<()>().await;
        } else {
            self.take_in_silence().await;
        }
    }

    async fn take_in_silence(&mut self) {
        loop {
            let ready = self.sources.ready(None, &self.links).await;
            ready.links.into_iter().for_each(|link| self.links.discard(link));
            ready.accepted.into_iter().for_each(|(stream, _)| self.links.keep(stream));
        }
    }
}

#[cfg(test)]
mod tests;
