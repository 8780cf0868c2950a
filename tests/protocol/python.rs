//! Python nodes in virtual time: the rules of `python_rules`, with a kernel's buffers around them.
//!
//! A thread of a process runs [`WAKE_DELAY`] after there is something for it, so that its `recv` takes whatever has come
//! on that link meanwhile: less than a write gap apart, and two messages are one.

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use gossipctl::event::{Direction, LinkId, Purpose};
use gossipctl::net::wire::{LinkContext, LinkDecoder, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::{CloseCause, Input, LinkChange};
use gossipctl::proto::message::{Dialect, Message, Role};
use gossipctl::proto::time::Time;
use tokio_util::codec::{Decoder as _, Encoder as _};

use crate::python_rules::{Act, Dials, Habits, Process, RECV_LEN, Recv, pickle};
use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, Network};

/// What a thread takes to run. What arrives within it is read at once; a write gap is 30 ms, less up to 2 ms on the
/// way.
const WAKE_DELAY: Duration = Duration::from_millis(25);

/// A look into a Python process that runs in a network.
#[derive(Clone)]
pub(crate) struct Python {
    pub(crate) addr: Addr,
    process: Rc<RefCell<Process>>,
}

impl Python {
    pub(crate) fn seed(network: &mut Network, addr: Addr) -> Self {
        Self::start(network, addr, Process::seed(addr))
    }

    /// A peer that registers with these seeds, then dials whom `dials` says.
    pub(crate) fn peer(network: &mut Network, addr: Addr, seeds: &[Addr], dials: Dials, habits: Habits) -> Self {
        Self::start(network, addr, Process::peer(addr, seeds, dials, habits))
    }

    fn start(network: &mut Network, addr: Addr, process: Process) -> Self {
        let process = Rc::new(RefCell::new(process));
        let host = Host { own: addr, process: Rc::clone(&process), links: BTreeMap::new(), backlog: VecDeque::new() };
        network.start_double(addr, host);
        Self { addr, process }
    }

    /// What of it can be asked.
    pub(crate) fn process(&self) -> Ref<'_, Process> {
        self.process.borrow()
    }
}

/// A process and what the kernel holds for it.
struct Host {
    own: Addr,
    process: Rc<RefCell<Process>>,
    links: BTreeMap<LinkId, Link>,
    /// Connected, not accepted.
    backlog: VecDeque<LinkId>,
}

/// One end of a connection.
struct Link {
    /// Who is at the other end, as soon as that is known; its answers to probes name it.
    remote: Option<Addr>,
    unread: Vec<u8>,
    end: Option<End>,
    /// When a thread that waits for it runs.
    ready_at: Option<Time>,
    /// Sends since the remote has closed: the second one fails.
    sent_in_vain: u32,
    decoder: LinkDecoder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Stream,
    Reset,
}

impl Host {
    fn link(&self, direction: Direction, purpose: Purpose) -> Link {
        let other = match direction {
            Direction::Inbound => Direction::Outbound,
            Direction::Outbound => Direction::Inbound,
        };
        let decoder = LinkDecoder::new(context(self.own, other, purpose));
        Link { remote: None, unread: Vec::new(), end: None, ready_at: None, sent_in_vain: 0, decoder }
    }

    fn arrives(&mut self, now: Time, link: LinkId, message: &Message) {
        let Some(open) = self.links.get_mut(&link) else { return };
        assert!(message.has_words_in(Dialect::Classic), "no bytes stand for a {}", message.name());
        if let Message::Hello(hello) = message {
            open.remote = Some(hello.listen);
        }
        open.unread.extend(open.bytes(message));
        open.ready_at.get_or_insert(now + WAKE_DELAY);
    }

    fn closes(&mut self, now: Time, link: LinkId, cause: &CloseCause) {
        let Some(open) = self.links.get_mut(&link) else { return };
        open.end = Some(if *cause == CloseCause::Error { End::Reset } else { End::Stream });
        open.ready_at.get_or_insert(now + WAKE_DELAY);
    }

    /// What its threads do in this moment.
    fn turn(&mut self, now: Time, acts: &mut Vec<Ask>) {
        if self.process.borrow().next_deadline().is_some_and(|at| at <= now) {
            let asked = self.process.borrow_mut().wake(now);
            self.carry_out(asked, acts);
        }
        self.accept(acts);
        let ready = |(link, open): (&LinkId, &Link)| open.ready_at.filter(|at| *at <= now).map(|_| *link);
        let ready: Vec<LinkId> = self.links.iter().filter_map(ready).collect();
        for link in ready {
            self.recv(now, link, acts);
            self.accept(acts);
        }
        if self.process.borrow().died().is_some() {
            self.backlog.clear();
            acts.extend(std::mem::take(&mut self.links).into_keys().map(Ask::HangUp));
        }
    }

    fn accept(&mut self, acts: &mut Vec<Ask>) {
        while self.process.borrow().accepts()
            && let Some(link) = self.backlog.pop_front()
        {
            let asked = self.process.borrow_mut().accepted(link);
            self.carry_out(asked, acts);
        }
    }

    /// One `recv`, if a thread waits in it.
    fn recv(&mut self, now: Time, link: LinkId, acts: &mut Vec<Ask>) {
        if !self.process.borrow().reads(link) {
            return;
        }
        let Some(open) = self.links.get_mut(&link) else { return };
        let taken: Vec<u8> = open.unread.drain(..open.unread.len().min(RECV_LEN)).collect();
        let recv = match (taken.is_empty(), open.end) {
            (false, _) => Recv::Bytes(&taken),
            (true, Some(End::Stream)) => Recv::End,
            (true, Some(End::Reset)) => Recv::Reset,
            (true, None) => return,
        };
        let more = !open.unread.is_empty() || (!taken.is_empty() && open.end.is_some());
        open.ready_at = more.then(|| now + WAKE_DELAY);
        let asked = self.process.borrow_mut().received(now, link, recv);
        self.carry_out(asked, acts);
    }

    fn carry_out(&mut self, asked: Vec<Act>, acts: &mut Vec<Ask>) {
        for act in asked {
            if self.process.borrow().died().is_some() {
                return;
            }
            match act {
                Act::Write(link, bytes) => acts.extend(self.write(link, &bytes)),
                Act::Dial(to) => acts.push(Ask::Dial(to, Purpose::Neighbor)),
                Act::Close(link) => {
                    self.links.remove(&link);
                    acts.push(Ask::HangUp(link));
                }
            }
        }
    }

    /// The kernel takes what is sent after the remote has closed, and the answer to it is a reset.
    fn write(&mut self, link: LinkId, bytes: &[u8]) -> Option<Ask> {
        let open = self.links.get_mut(&link)?;
        let exception = match open.end {
            Some(End::Reset) => "ConnectionResetError from send",
            Some(End::Stream) if open.sent_in_vain > 0 => "BrokenPipeError",
            Some(End::Stream) => {
                open.sent_in_vain += 1;
                return None;
            }
            None => return Some(Ask::Send(link, open.message(bytes))),
        };
        self.process.borrow_mut().write_failed(exception);
        None
    }
}

impl Link {
    /// What the remote has written.
    fn bytes(&self, message: &Message) -> Vec<u8> {
        if let Message::PeerList(list) = message {
            // That of a Python seed may be longer than one of ours writes.
            return pickle::dumps(&list.peers);
        }
        let local = self.remote.unwrap_or(Addr::loopback(0));
        let mut bytes = BytesMut::new();
        let mut encoder = LinkEncoder::new(context(local, Direction::Outbound, Purpose::Neighbor));
        encoder.encode(message, &mut bytes).expect("a message that cannot be written");
        bytes.to_vec()
    }

    /// What the remote reads in these bytes.
    fn message(&mut self, bytes: &[u8]) -> Message {
        let mut src = BytesMut::from(bytes);
        let read = self.decoder.decode(&mut src).and_then(|message| match message {
            Some(message) => Ok(Some(message)),
            None => self.decoder.flush(&mut src),
        });
        read.unwrap().unwrap_or_else(|| panic!("no message: {}", bytes.escape_ascii()))
    }
}

fn context(local: Addr, direction: Direction, purpose: Purpose) -> LinkContext {
    LinkContext { dialect: Dialect::Classic, local, role: Role::Peer, purpose, direction }
}

impl Double for Host {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        let mut acts = Vec::new();
        let died = self.process.borrow().died().is_some();
        match input {
            // Nobody is there any more.
            Input::Link { link, change: LinkChange::Accepted { .. } | LinkChange::Dialed { .. } } if died => {
                acts.push(Ask::HangUp(link));
            }
            Input::Start => {
                let asked = self.process.borrow_mut().start(now);
                self.carry_out(asked, &mut acts);
            }
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                let purpose = self.process.borrow().serves();
                self.links.insert(link, self.link(Direction::Inbound, purpose));
                self.backlog.push_back(link);
            }
            Input::Link { link, change: LinkChange::Dialed { peer } } => {
                let mut open = self.link(Direction::Outbound, Purpose::Neighbor);
                open.remote = Some(peer);
                self.links.insert(link, open);
                let asked = self.process.borrow_mut().dialed(now, link, peer);
                self.carry_out(asked, &mut acts);
            }
            Input::Link { link, change: LinkChange::Closed { cause } } => self.closes(now, link, &cause),
            Input::Message { link, message } => self.arrives(now, link, &message),
            Input::DialFailed { peer, .. } => {
                let asked = self.process.borrow_mut().dial_failed(now, peer);
                self.carry_out(asked, &mut acts);
            }
            Input::Wake | Input::Late { .. } | Input::Rejected { .. } | Input::Command(_) => {}
        }
        self.turn(now, &mut acts);
        acts
    }

    fn next_deadline(&self) -> Option<Time> {
        let process = self.process.borrow();
        let reads = self.links.iter().filter(|(link, _)| process.reads(**link)).filter_map(|(_, open)| open.ready_at);
        reads.chain(process.next_deadline()).min()
    }

    /// Nodes of its kind write no two messages at once either: among themselves they would not live long.
    fn dialect(&self) -> Dialect {
        Dialect::Classic
    }
}
