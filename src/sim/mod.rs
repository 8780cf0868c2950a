//! A discrete-event simulator: the same machines that run on sockets, in virtual time.
//!
//! A [`World`] holds nodes and the connections between them. Messages arrive after a latency, in
//! order on each connection; dials to nobody are refused; a killed node's connections break; a hung
//! node keeps them and does nothing; faults do to messages what they do on sockets. The same seed gives
//! the same run, to the last event.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod asked;
mod due;
mod engine;
mod inbox;
mod pacing;
mod pauses;
mod play;
mod sink;
mod trouble;

pub use engine::{Defaults, Engine};
pub use play::{Piece, ScenarioSink, play};
pub use sink::{EventSink, NoEvents};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use self::asked::{Act, Asked};
use self::due::Due;
use self::inbox::UNREAD_MAX;
use self::pacing::Pacer;
use self::pauses::Pauses;
use crate::engine::fault::Faults;
use crate::event::{Event, EventKind, LinkId, Stop};
use crate::proto::addr::Addr;
use crate::proto::machine::{CloseCause, Gauge, Input, LinkChange, Machine, NodeCommand};
use crate::proto::message::Dialect;
use crate::proto::random::Random;
use crate::proto::time::Time;

/// When a world begins: a round moment that is easy to read in events.
pub const EPOCH: Time = Time::from_micros(1_767_225_600_000_000);
/// Shortest and longest time on the way, in microseconds.
const LATENCY_US: std::ops::Range<usize> = 200..2_000;
/// How often it is looked whether all queues and caches are within their bounds: that is a walk through all nodes.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Ports that dialers' ends get, as systems choose them.
const EPHEMERAL_PORTS: std::ops::Range<u16> = 32_768..60_999;

/// Nodes, connections and the time. What happens goes to `S`.
#[derive(Debug)]
pub struct World<M, S = Vec<Event>> {
    now: Time,
    random: Random,
    nodes: BTreeMap<Addr, Node<M>>,
    connections: BTreeMap<u64, Connection>,
    connections_made: u64,
    queue: BinaryHeap<Reverse<Due>>,
    queued: u64,
    sink: S,
    /// What a machine asked for in its turn; empty between turns.
    acts: Vec<Act>,
    faults: Faults,
    /// What is left to chance about junk.
    junk: Random,
    /// Who will get junk next, and when is planned.
    junked: BTreeSet<Addr>,
    /// Ends of connections that do not get through: which connection, and to which end.
    withheld: Vec<(u64, usize, CloseCause)>,
    /// Ends of connections that are not read now.
    pauses: Pauses,
    /// When it is looked next whether all is within its bounds.
    next_look: Time,
}

#[derive(Debug)]
struct Node<M> {
    machine: M,
    condition: Condition,
    /// Those of its connections that are not closed at both ends.
    connections: BTreeSet<u64>,
    /// The wake-up that counts; earlier ones in the queue are stale.
    wake_at: Option<Time>,
    /// What waits because the node is slow or paused, and since when.
    unread: VecDeque<(Time, Input)>,
    /// When the node reads next, if something waits.
    reads_at: Option<Time>,
    /// It was told that more waits to be written than a classic link takes.
    told_backlog: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Up,
    Hung,
    Paused,
}

/// Two ends, the dialer's first; each end knows the connection by a link id of its own.
#[derive(Debug)]
struct Connection {
    ends: [Addr; 2],
    /// Ends that have closed: they send and hear nothing more.
    closed: [bool; 2],
    /// Nothing overtakes on a connection: when the last thing sent to each end arrives.
    arrives: [Time; 2],
    /// Keeps what each end writes apart, in the classic dialect.
    pacers: [Option<Pacer>; 2],
}

#[derive(Debug)]
enum What {
    Wake,
    /// Something reaches this node.
    Deliver(Input),
    /// This slow node reads what waits.
    Read,
    /// The gap after this node's last write is over: on which connection, and at which end.
    Write(u64, usize),
    /// The pause in which this node does not read a connection is over: which one, and at which end.
    Resume(u64, usize),
    /// A dial reaches this node.
    Knock {
        from: Addr,
    },
    /// Somebody sends nonsense to this node.
    Junk,
}

/// Which connection a link id belongs to, and which of its ends.
const fn connection_of(link: LinkId) -> (u64, usize) {
    (link.0 / 2, if link.0.is_multiple_of(2) { 0 } else { 1 })
}

const fn link_of(connection: u64, end: usize) -> LinkId {
    LinkId(connection * 2 + end as u64)
}

/// The port that a dialer's end of a connection gets.
fn ephemeral_port(connection: u64) -> u16 {
    let (first, count) = (u64::from(EPHEMERAL_PORTS.start), EPHEMERAL_PORTS.len() as u64);
    u16::try_from(first + connection % count).unwrap_or(EPHEMERAL_PORTS.start)
}

impl<M: Machine> World<M> {
    /// An empty world that keeps its events; `seed` decides every latency.
    pub fn new(seed: u64) -> Self {
        Self::beginning(EPOCH, seed, Vec::new())
    }

    /// What has happened so far, in order.
    pub fn events(&self) -> &[Event] {
        &self.sink
    }

    /// What has happened since this was asked last, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.sink)
    }
}

impl<M: Machine, S: EventSink> World<M, S> {
    /// An empty world that begins at this moment; what happens in it goes to the sink.
    pub fn beginning(epoch: Time, seed: u64, sink: S) -> Self {
        Self {
            now: epoch,
            random: Random::new(seed),
            nodes: BTreeMap::new(),
            connections: BTreeMap::new(),
            connections_made: 0,
            queue: BinaryHeap::new(),
            queued: 0,
            sink,
            acts: Vec::new(),
            faults: Faults::new(!seed),
            junk: Random::new(!seed),
            junked: BTreeSet::new(),
            withheld: Vec::new(),
            pauses: Pauses::new(),
            next_look: epoch,
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Where the events go.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// The same, to take out what came.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// What only a driver can say of a node: that it was started, with which name and figures.
    pub fn tell(&mut self, addr: Addr, kind: EventKind) {
        self.emit(addr, || kind);
    }

    fn emit(&mut self, node: Addr, event: impl FnOnce() -> EventKind) {
        if self.sink.listens() {
            self.sink.take(Event { at: self.now, node, kind: event() });
        }
    }

    /// When something will happen next by itself.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    /// The machine of a node that is there, hung or not.
    pub fn machine(&self, addr: Addr) -> Option<&M> {
        self.nodes.get(&addr).map(|node| &node.machine)
    }

    /// What there is more of than there may be, in the nodes and in what waits for them.
    pub fn over_bounds(&self) -> Vec<(Addr, Gauge)> {
        let mut over = Vec::new();
        for (addr, node) in &self.nodes {
            let mut weigh = |gauge: Gauge| over.extend(gauge.is_over().then_some((*addr, gauge)));
            node.machine.gauges(&mut weigh);
            // Of each connection the end waits, too.
            let unread_max = UNREAD_MAX + node.connections.len();
            weigh(Gauge::new("things to be read", node.unread.len(), unread_max));
        }
        over
    }

    /// The same, if nobody has asked for [`LOOK_EVERY`]; nothing if somebody has.
    pub fn over_bounds_if_due(&mut self) -> Vec<(Addr, Gauge)> {
        if self.now < self.next_look {
            return Vec::new();
        }
        self.next_look = self.now + LOOK_EVERY;
        self.over_bounds()
    }

    /// The addresses of the nodes that are there, hung or not.
    pub fn addrs(&self) -> impl Iterator<Item = Addr> {
        self.nodes.keys().copied()
    }

    /// Starts a node; one that is already there is killed first.
    pub fn start(&mut self, addr: Addr, machine: M) {
        self.kill(addr);
        let (condition, connections, unread) = (Condition::Up, BTreeSet::new(), VecDeque::new());
        let (wake_at, reads_at, told_backlog) = (None, None, false);
        self.nodes.insert(addr, Node { machine, condition, connections, wake_at, unread, reads_at, told_backlog });
        self.handle(addr, Input::Start);
        self.set_clock(addr);
        self.plan_junk(addr);
    }

    /// A crash: the node is gone, and its connections break; in the classic dialect they only end, as those of a killed
    /// process do.
    pub fn kill(&mut self, addr: Addr) {
        let cause = match self.machine(addr).map(Machine::dialect) {
            Some(Dialect::Classic) => CloseCause::EndOfStream,
            Some(Dialect::Framed) | None => CloseCause::Error,
        };
        self.drop_unwritten(addr);
        self.end(addr, Stop::Killed, &cause);
    }

    /// The user wants something of a node.
    pub fn command(&mut self, addr: Addr, command: NodeCommand) {
        self.handle(addr, Input::Command(command));
    }

    /// A polite end: the node says goodbye, then its connections close.
    pub fn leave(&mut self, addr: Addr) {
        self.handle(addr, Input::Command(NodeCommand::Leave));
        self.end(addr, Stop::Left, &CloseCause::EndOfStream);
    }

    /// From now on the node keeps its connections, accepts new ones and does nothing.
    pub fn hang(&mut self, addr: Addr) {
        if let Some(node) = self.nodes.get_mut(&addr) {
            node.condition = Condition::Hung;
            self.emit(addr, || EventKind::Hung);
        }
    }

    fn end(&mut self, addr: Addr, how: Stop, cause: &CloseCause) {
        let Some(node) = self.nodes.remove(&addr) else { return };
        self.emit(addr, || EventKind::Stopped { how });
        for id in node.connections {
            let end = usize::from(self.connections.get(&id).is_some_and(|c| c.ends[1] == addr));
            self.close(id, end, cause.clone());
        }
    }

    /// Lets virtual time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_to(self.now + span);
    }

    /// Lets virtual time pass up to this moment; nothing if it is over.
    pub fn run_to(&mut self, until: Time) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// The same, but no more than so many things happen. Whether that moment has come.
    pub fn run_some(&mut self, until: Time, most: usize) -> bool {
        let has_come = (0..most).any(|_| !self.step(until));
        if has_come {
            self.now = self.now.max(until);
        }
        has_come
    }

    /// Lets time pass until `done` holds; false when `limit` has passed before.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now + limit;
        loop {
            if done(self) {
                return true;
            }
            if !self.step(until) {
                self.now = until;
                return done(self);
            }
        }
    }

    /// The next thing that happens no later than `until`; false when there is none.
    fn step(&mut self, until: Time) -> bool {
        if self.queue.peek().is_none_or(|Reverse(due)| due.at > until) {
            return false;
        }
        let Some(Reverse(due)) = self.queue.pop() else { return false };
        self.now = due.at;
        match due.what {
            What::Wake => self.wake(due.node),
            What::Knock { from } => self.knock(from, due.node),
            What::Deliver(input) => self.arrive(due.node, input),
            What::Read => self.read(due.node),
            What::Resume(id, end) => self.read_on(id, end),
            What::Write(id, end) => self.write(due.node, id, end),
            What::Junk => self.vandalize(due.node),
        }
        true
    }

    fn wake(&mut self, addr: Addr) {
        if self.nodes.get(&addr).is_some_and(|node| node.wake_at == Some(self.now)) {
            self.tell_late(addr);
            self.handle(addr, Input::Wake);
        }
    }

    fn knock(&mut self, from: Addr, to: Addr) {
        if !self.nodes.contains_key(&to) {
            let input = Input::DialFailed { peer: to, error: "connection refused".to_owned() };
            return self.plan_in_a_while(from, What::Deliver(input));
        }
        let id = self.connections_made;
        self.connections_made += 1;
        let pacers = [self.pacer_of(from), self.pacer_of(to)];
        self.connect(id, Connection { ends: [from, to], closed: [false; 2], arrives: [self.now; 2], pacers });
        let remote = from.with_port(ephemeral_port(id)).socket();
        self.deliver(id, 0, |link| Input::Link { link, change: LinkChange::Dialed { peer: to } });
        self.handle(to, Input::Link { link: link_of(id, 1), change: LinkChange::Accepted { remote } });
    }

    /// Is this for an end that has closed its connection? The end that hears of the other's close
    /// is closed by that.
    fn is_late(&mut self, input: &Input) -> bool {
        let (link, closes) = match input {
            Input::Link { link, change } => (*link, matches!(change, LinkChange::Closed { .. })),
            Input::Message { link, .. } => (*link, false),
            Input::Start
            | Input::Rejected { .. }
            | Input::DialFailed { .. }
            | Input::Late { .. }
            | Input::Command(_)
            | Input::Wake => return false,
        };
        let (id, end) = connection_of(link);
        let Some(connection) = self.connections.get_mut(&id) else { return true };
        let late = connection.closed[end];
        connection.closed[end] |= closes;
        if connection.closed == [true; 2] {
            self.forget(id);
        }
        late
    }

    fn connect(&mut self, id: u64, connection: Connection) {
        for end in connection.ends {
            if let Some(node) = self.nodes.get_mut(&end) {
                node.connections.insert(id);
            }
        }
        self.connections.insert(id, connection);
    }

    /// A connection is closed at both ends.
    fn forget(&mut self, id: u64) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if !self.pauses.is_empty() {
            self.pauses.retain(|(paused, _), _| *paused != id);
        }
        for end in connection.ends {
            if let Some(node) = self.nodes.get_mut(&end) {
                node.connections.remove(&id);
            }
        }
    }

    fn handle(&mut self, addr: Addr, input: Input) {
        if self.is_paused(addr) {
            return self.keep(addr, input);
        }
        if self.is_late(&input) {
            return;
        }
        let Some(node) = self.nodes.get_mut(&addr).filter(|node| node.condition == Condition::Up) else { return };
        let mut acts = std::mem::take(&mut self.acts);
        let mut asked = Asked { at: self.now, node: addr, acts: &mut acts, sink: &mut self.sink };
        node.machine.handle(self.now, input, &mut asked);
        let (at, wake_at) = (self.now, node.machine.next_deadline().map(|at| at.max(self.now)));
        let changed = std::mem::replace(&mut node.wake_at, wake_at) != wake_at;
        if let Some(wake_at) = wake_at.filter(|wake_at| changed || *wake_at == at) {
            self.plan(wake_at, addr, What::Wake);
        }
        for act in acts.drain(..) {
            self.act(addr, act);
        }
        self.acts = acts;
    }

    fn act(&mut self, from: Addr, act: Act) {
        match act {
            Act::Send(link, message) => {
                let (id, end) = connection_of(link);
                self.send(id, end, message);
            }
            Act::Dial(to) if self.faults.is_cut(from, to) => self.lose_dial(from, to),
            Act::Dial(to) => self.plan_in_a_while(to, What::Knock { from }),
            Act::HangUp(link) => {
                let (id, end) = connection_of(link);
                self.close(id, end, CloseCause::EndOfStream);
            }
            Act::Pause(link, until) => self.rest(link, until),
        }
    }

    /// One end closes the connection: the other hears of it after all that was sent before.
    fn close(&mut self, id: u64, end: usize, cause: CloseCause) {
        if self.is_withheld(id, end, &cause) {
            return;
        }
        let leaves = self.write_out(id, end, &cause);
        self.deliver_from(leaves, id, 1 - end, |link| Input::Link { link, change: LinkChange::Closed { cause } });
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.closed[end] = true;
        }
    }

    fn deliver(&mut self, id: u64, end: usize, input: impl FnOnce(LinkId) -> Input) {
        self.deliver_from(self.now, id, end, input);
    }

    /// Delivers what leaves at this time. Nothing overtakes it.
    fn deliver_from(&mut self, leaves: Time, id: u64, end: usize, input: impl FnOnce(LinkId) -> Input) {
        let latency = self.latency();
        let Some(connection) = self.connections.get_mut(&id).filter(|c| !c.closed[1 - end]) else { return };
        let node = connection.ends[end];
        let at = (leaves + latency).max(connection.arrives[end]);
        connection.arrives[end] = at;
        self.plan(at, node, What::Deliver(input(link_of(id, end))));
    }

    fn plan_in_a_while(&mut self, node: Addr, what: What) {
        let latency = self.latency();
        self.plan(self.now + latency, node, what);
    }

    fn latency(&mut self) -> Duration {
        Duration::from_micros((LATENCY_US.start + self.random.below(LATENCY_US.len())) as u64)
    }

    fn plan(&mut self, at: Time, node: Addr, what: What) {
        self.queued += 1;
        self.queue.push(Reverse(Due { at, order: self.queued, node, what }));
    }
}
