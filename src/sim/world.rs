//! Nodes, the connections between them, and the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::asked::{Asked, MachineRequest};
use super::connection::{BySide, ConnTable, Connection, DETACHED, Pacer, Pause};
use super::due::{Dial, Due};
use super::gone::GoneConnections;
use super::ids::{End, LinkSide, NodeIx};
use super::luck::latency;
use super::node::{Condition, NodeSites, SimulatedNode};
use super::sink::EventSink;
use super::slab::Slab;
use super::wheel::Wheel;
use crate::engine::fault::Faults;
use crate::event::{DialError, Event, EventKind, LinkId, LossReason, NodeEvent, Stop};
use crate::proto::addr::Addr;
use crate::proto::chance::{Chance, Topic};
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine, NodeCommand};
use crate::proto::time::Time;

/// When a world begins: a round moment that is easy to read in events.
pub const EPOCH: Time = Time::from_micros(1_767_225_600_000_000);
/// The most that may wait at one node: as much as a link's queue holds on sockets. A sender of more
/// gives up its link.
pub(super) const UNREAD_MAX: usize = 16_384;
/// Ports of dialers' ends, as systems choose them.
const EPHEMERAL_PORTS: std::ops::Range<u16> = 32_768..60_999;

/// Nodes, connections and the time. Events go to `S`.
#[derive(Debug)]
pub struct World<M, S = Vec<Event>> {
    pub(super) now: Time,
    pub(super) chance: Chance,
    pub(super) nodes: NodeSites<M>,
    pub(super) connections: ConnTable,
    /// Connections so far.
    connected: u64,
    pub(super) wheel: Wheel<Due>,
    /// Inputs on their way to nodes.
    pub(super) inputs: Slab<Input>,
    dials: Slab<Dial>,
    pub(super) sink: S,
    /// The names of connections that were forgotten while something was still on its way.
    pub(super) gone: GoneConnections,
    /// What a machine asked for in its turn; empty between turns.
    requests: Vec<MachineRequest>,
    pub(super) faults: Faults,
    /// Nodes whose next junk is planned.
    pub(super) junked: BTreeSet<NodeIx>,
    /// Nodes that get junk, and the pause between two pieces.
    pub(super) junk_pauses: BTreeMap<NodeIx, Duration>,
    /// Ends of connections that the other side does not see yet.
    pub(super) withheld: Vec<(End, CloseCause)>,
    /// Ends of connections that are not read now.
    pub(super) pauses: BTreeMap<End, Pause>,
    /// When bounds are checked next, and at which node first.
    pub(super) next_look: Time,
    pub(super) look_from: usize,
    /// Steps that were read ahead and not taken yet.
    steps_read: usize,
}

impl<M: Machine> World<M> {
    /// An empty world that keeps its events; `seed` decides all that is left to chance.
    pub fn new(seed: u64) -> Self {
        Self::beginning(EPOCH, seed, Vec::new())
    }

    /// The events so far, in order.
    pub fn events(&self) -> &[Event] {
        &self.sink
    }

    /// The events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.sink)
    }
}

impl<M: Machine, S: EventSink> World<M, S> {
    /// An empty world that begins at this moment; its events go to the sink.
    pub fn beginning(epoch: Time, seed: u64, sink: S) -> Self {
        let chance = Chance::new(seed);
        Self {
            now: epoch,
            chance,
            nodes: NodeSites::new(),
            connections: ConnTable::default(),
            connected: 0,
            wheel: Wheel::new(epoch),
            inputs: Slab::new(),
            dials: Slab::new(),
            sink,
            gone: GoneConnections::default(),
            requests: Vec::new(),
            faults: Faults::new(chance.about(Topic::Faults)),
            junked: BTreeSet::new(),
            junk_pauses: BTreeMap::new(),
            withheld: Vec::new(),
            pauses: BTreeMap::new(),
            next_look: epoch,
            look_from: 0,
            steps_read: 0,
        }
    }

    pub fn now(&self) -> Time {
        self.now
    }

    pub fn sink(&self) -> &S {
        &self.sink
    }

    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Publishes what only a driver can say of a node, such as that it was started.
    pub fn tell(&mut self, addr: Addr, kind: EventKind) {
        self.emit(addr, || kind);
    }

    pub(super) fn emit<K: Into<EventKind>>(&mut self, node: Addr, event: impl FnOnce() -> K) {
        if self.sink.listens() {
            self.sink.take(Event { at: self.now, node, kind: event().into() });
        }
    }

    /// When something will happen next by itself.
    pub fn next_at(&self) -> Option<Time> {
        self.wheel.next_at()
    }

    /// The machine of a node that is there, hung or not.
    pub fn machine(&self, addr: Addr) -> Option<&M> {
        self.nodes.get(self.nodes.find(addr)?).map(|node| &node.machine)
    }

    /// The addresses of the nodes that are there, hung or not, in the order of their first start.
    pub fn addrs(&self) -> impl Iterator<Item = Addr> {
        self.nodes.iter().map(|(_, site, _)| site.addr)
    }

    /// Starts a node; one that is already there is killed first.
    pub fn start(&mut self, addr: Addr, machine: M) {
        self.kill(addr);
        let node = self.nodes.enter(addr);
        self.nodes[node].node = Some(SimulatedNode::new(machine));
        self.handle(node, Input::Start);
    }

    /// A crash: the node is gone, and its connections break; in the classic dialect they only end,
    /// as those of a killed process do.
    pub fn kill(&mut self, addr: Addr) {
        let Some(node) = self.nodes.find(addr) else { return };
        let may_reset = self.machine(addr).is_none_or(|machine| machine.dialect().may_reset());
        let cause = if may_reset { CloseCause::Error } else { CloseCause::EndOfStream };
        self.drop_unwritten(node);
        self.end(node, Stop::Killed, &cause);
    }

    /// Hands a command to a node.
    pub fn command(&mut self, addr: Addr, command: NodeCommand) {
        if let Some(node) = self.nodes.find(addr) {
            self.handle(node, Input::Command(command));
        }
    }

    /// A polite end: the node says goodbye, then its connections close.
    pub fn leave(&mut self, addr: Addr) {
        let Some(node) = self.nodes.find(addr) else { return };
        self.handle(node, Input::Command(NodeCommand::Leave));
        self.end(node, Stop::Left, &CloseCause::EndOfStream);
    }

    /// From now on the node keeps its connections, accepts new ones and does nothing.
    pub fn hang(&mut self, addr: Addr) {
        let Some(node) = self.nodes.find(addr) else { return };
        if let Some(node) = self.nodes.get_mut(node) {
            node.condition = Condition::Hung;
        }
        self.emit(addr, || NodeEvent::Hung);
    }

    fn end(&mut self, node: NodeIx, how: Stop, cause: &CloseCause) {
        let Some(gone) = self.nodes[node].node.take() else { return };
        self.emit(self.nodes[node].addr, || NodeEvent::Stopped { how });
        for (_, input) in gone.unread {
            self.tell_input_lost(&input, LossReason::LinkEnded);
        }
        for connection in gone.connections {
            let end = self.connections.end_of(connection, node);
            self.connections.at_mut(connection).places[end.side()] = DETACHED;
            self.close(end, cause.clone());
        }
    }

    pub fn run_for(&mut self, span: Duration) {
        self.run_to(self.now + span);
    }

    /// Lets virtual time pass up to this moment, unless it is over.
    pub fn run_to(&mut self, until: Time) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// The same, but at most `most` steps. Returns whether that moment has come.
    pub fn run_some(&mut self, until: Time, most: usize) -> bool {
        let has_come = (0..most).any(|_| !self.step(until));
        if has_come {
            self.now = self.now.max(until);
        }
        has_come
    }

    /// Lets time pass until `done` holds; false if `limit` passes first.
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

    /// Takes the next step no later than `until`; false if there is none.
    fn step(&mut self, until: Time) -> bool {
        if self.steps_read == 0 {
            self.steps_read = self.read_ahead();
        }
        self.steps_read -= 1;
        let Some((at, due)) = self.wheel.pop(until) else { return false };
        self.now = at;
        match due {
            Due::Wake(node) => self.wake_if_due(node),
            Due::Arrive(node, input) => {
                if let Some(input) = self.inputs.take(input) {
                    self.arrive(node, input);
                }
            }
            Due::DialArrives(dial) => {
                if let Some(dial) = self.dials.take(dial) {
                    self.dial_arrives(&dial);
                }
            }
            Due::Read(node) => self.read(node),
            Due::Resume(end) => self.read_on(end),
            Due::Write(end) => self.write(end),
            Due::Junk(node) => self.inject_junk(node),
        }
        true
    }

    fn wake_if_due(&mut self, node: NodeIx) {
        let now = self.now;
        let Some(looks) = self.nodes.get_mut(node) else { return };
        // Another look may have been planned since.
        if looks.look_at.take_if(|at| *at == now).is_none() {
            return;
        }
        if looks.wake_at.is_some_and(|at| at <= now) {
            self.tell_late(node);
            self.handle(node, Input::Wake);
        }
        self.plan_look(node);
    }

    /// Plans the next look at whether a node wants to be woken, unless there is one soon enough.
    fn plan_look(&mut self, node: NodeIx) {
        let Some(looks) = self.nodes.get_mut(node) else { return };
        let Some(at) = looks.wake_at.filter(|_| looks.condition == Condition::Up) else { return };
        if looks.look_at.is_none_or(|planned| at < planned) {
            looks.look_at = Some(at);
            self.wheel.push(at, Due::Wake(node));
        }
    }

    fn dial_arrives(&mut self, dial: &Dial) {
        let Dial { from, to, number } = *dial;
        let luck = self.luck_of_dial(from, to, number);
        let Some(acceptor) = self.nodes.find(to) else {
            let refused = Input::DialFailed { peer: to, error: DialError::REFUSED };
            return self.plan_input(self.now + latency(luck.of(1)), from, refused);
        };
        let dialer = self.nodes[from].addr;
        let pair = |one, other| self.chance.of_node(one).of_node(other);
        let pairs = BySide([pair(dialer, to), pair(to, dialer)]);
        let mut connection = Connection::new(BySide([from, acceptor]), pairs, number, self.now);
        connection.pacers = BySide([self.pacer_of(from), self.pacer_of(acceptor)]);
        let end = self.connect(connection);
        let remote = dialer.with_port(self.ephemeral_port());
        let change = LinkChange::Dialed { peer: to };
        let back = pairs[LinkSide::Acceptor].about(Topic::Connect).of(u64::from(number));
        self.deliver(self.now, end, back, |link| Input::Link { link, change });
        self.handle(acceptor, Input::Link { link: end.other().link(), change: LinkChange::Accepted { remote } });
    }

    /// What is left to chance about a dial.
    fn luck_of_dial(&self, from: NodeIx, to: Addr, number: u32) -> Chance {
        let from = self.nodes[from].addr;
        self.chance.of_node(from).of_node(to).about(Topic::Connect).of(u64::from(number))
    }

    /// The port of the dialer's end of the latest connection.
    pub(super) fn ephemeral_port(&self) -> u16 {
        let (first, count) = (u64::from(EPHEMERAL_PORTS.start), EPHEMERAL_PORTS.len() as u64);
        u16::try_from(first + self.connected % count).unwrap_or(EPHEMERAL_PORTS.start)
    }

    /// The pacer of this node for a new connection, if its dialect needs one.
    fn pacer_of(&self, node: NodeIx) -> Option<Box<Pacer>> {
        self.nodes.get(node)?.machine.dialect().writes_apart().then(|| Box::new(Pacer::new(self.now)))
    }

    /// Whether the end that this is for has closed its connection. The news of the other end's
    /// close closes it, too.
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
        let end = End::of(link);
        let Some(connection) = self.connections.get_mut(end) else { return true };
        let late = connection.closed[end.side()];
        if closes {
            connection.closed[end.side()] = true;
            self.forget_if_closed(end);
        }
        late
    }

    /// Adds a connection, and returns its dialer's end.
    pub(super) fn connect(&mut self, mut connection: Connection) -> End {
        self.connected += 1;
        connection.port = self.ephemeral_port();
        let end = self.connections.insert(connection);
        for end in [end, end.other()] {
            if let Some(node) = self.connections.node(end).and_then(|node| self.nodes.get_mut(node)) {
                let place = u32::try_from(node.connections.len()).unwrap_or(DETACHED);
                node.connections.push(end.connection());
                self.connections.at_mut(end.connection()).places[end.side()] = place;
            }
        }
        end
    }

    /// Forgets a connection once it is closed at both ends.
    pub(super) fn forget_if_closed(&mut self, end: End) {
        let Some(connection) = self.connections.get(end).filter(|connection| connection.closed.0 == [true; 2]) else {
            return;
        };
        let (nodes, places) = (connection.nodes, connection.places);
        for end in [end, end.other()] {
            self.lose_waiting(end);
            self.detach(nodes[end.side()], places[end.side()]);
        }
        self.remember_name(end);
        self.connections.remove(end);
    }

    /// Takes a connection off a node's list; the last one takes its place there.
    fn detach(&mut self, node: NodeIx, place: u32) {
        let Some(here) = self.nodes.get_mut(node).filter(|_| place != DETACHED) else { return };
        here.connections.swap_remove(place as usize);
        if let Some(moved) = here.connections.get(place as usize) {
            let end = self.connections.end_of(*moved, node);
            self.connections.at_mut(*moved).places[end.side()] = place;
        }
    }

    pub(super) fn handle(&mut self, node: NodeIx, input: Input) {
        if self.is_paused(node) {
            return self.keep(node, input);
        }
        if self.is_late(&input) {
            return self.tell_input_lost(&input, LossReason::LinkEnded);
        }
        let addr = self.nodes[node].addr;
        let Some(here) = self.nodes.get_mut(node).filter(|node| node.condition == Condition::Up) else {
            return self.tell_input_lost(&input, LossReason::Hung);
        };
        let mut requests = std::mem::take(&mut self.requests);
        let (at, connections, sink) = (self.now, &self.connections, &mut self.sink);
        let mut asked = Asked { at, node: addr, connections, requests: &mut requests, sink };
        here.machine.handle(self.now, input, &mut asked);
        here.wake_at = here.machine.next_deadline().map(|at| at.max(self.now));
        self.plan_look(node);
        for request in requests.drain(..) {
            self.carry_out(node, request);
        }
        self.requests = requests;
    }

    fn carry_out(&mut self, from: NodeIx, request: MachineRequest) {
        match request {
            MachineRequest::Send(link, message) => self.send(End::of(link), message),
            MachineRequest::Dial(to) => self.dial(from, to),
            MachineRequest::HangUp(link) => self.close(End::of(link), CloseCause::EndOfStream),
            MachineRequest::Pause(link, until) => self.rest(End::of(link), until),
        }
    }

    fn dial(&mut self, from: NodeIx, to: Addr) {
        let site = &mut self.nodes[from];
        site.dials = site.dials.wrapping_add(1);
        let (addr, number) = (site.addr, site.dials);
        if self.faults.is_cut(addr, to) {
            return self.lose_dial(from, to);
        }
        let latency = latency(self.luck_of_dial(from, to, number));
        let dial = self.dials.insert(Dial { from, to, number });
        self.wheel.push(self.now + latency, Due::DialArrives(dial));
    }

    /// One end closes the connection: the other hears of it after everything that was sent before.
    pub(super) fn close(&mut self, end: End, cause: CloseCause) {
        if self.is_withheld(end, &cause) {
            return;
        }
        let leaves = self.write_out(end, &cause);
        self.tell_closed(leaves, end, cause);
        if let Some(connection) = self.connections.get_mut(end) {
            connection.closed[end.side()] = true;
        }
    }

    /// The other end hears that this one has closed.
    pub(super) fn tell_closed(&mut self, leaves: Time, from: End, cause: CloseCause) {
        let Some(connection) = self.connections.get(from) else { return };
        let luck = connection.luck_of_close(from.side());
        let change = LinkChange::Closed { cause };
        self.deliver(leaves, from.other(), luck, |link| Input::Link { link, change });
    }

    /// Delivers to an end what the open other end sends at this time. Nothing overtakes it.
    pub(super) fn deliver(&mut self, leaves: Time, to: End, chance: Chance, input: impl FnOnce(LinkId) -> Input) {
        let Some(connection) = self.connections.open(to.other()) else { return };
        let node = connection.nodes[to.side()];
        let arrives = &mut connection.arrives[to.side()];
        let at = (leaves + latency(chance)).max(*arrives);
        *arrives = at;
        self.plan_input(at, node, input(to.link()));
    }

    pub(super) fn plan_input(&mut self, at: Time, node: NodeIx, input: Input) {
        let input = self.inputs.insert(input);
        self.wheel.push(at, Due::Arrive(node, input));
    }

    pub(super) fn plan(&mut self, at: Time, due: Due) {
        self.wheel.push(at, due);
    }
}
