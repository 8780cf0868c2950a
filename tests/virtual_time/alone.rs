//! A machine on its own: inputs in, and all that it asks for out.

use std::time::Duration;

use gossipctl::event::{EventKind, LinkEvent, LinkId, Omission, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::{CloseCause, Input, LinkChange, Machine, Output};
use gossipctl::proto::message::{Hello, Message, Priority, Role};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::Time;
use gossipctl::sim::EPOCH;

/// What a machine asks for.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Send(LinkId, Message),
    Dial(Addr, Purpose),
    HangUp(LinkId),
    Emit(EventKind),
}

/// All that a machine asked for, in order.
#[derive(Debug, Default)]
pub(crate) struct Asks(pub(crate) Vec<Ask>);

impl Output for Asks {
    fn send(&mut self, link: LinkId, message: &Message) {
        self.0.push(Ask::Send(link, message.clone()));
    }

    fn dial(&mut self, peer: Addr, purpose: Purpose) {
        self.0.push(Ask::Dial(peer, purpose));
    }

    fn pause(&mut self, _link: LinkId, _until: Time) {}

    fn hang_up(&mut self, link: LinkId) {
        self.0.push(Ask::HangUp(link));
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.0.push(Ask::Emit(event().into()));
    }
}

impl Asks {
    pub(crate) fn told(&self) -> impl Iterator<Item = &EventKind> {
        self.0.iter().filter_map(|ask| if let Ask::Emit(kind) = ask { Some(kind) } else { None })
    }

    pub(crate) fn count(&self, fits: impl Fn(&EventKind) -> bool) -> u64 {
        self.told().filter(|kind| fits(kind)).count() as u64
    }

    pub(crate) fn omitted(&self, of: Omission) -> u64 {
        let count = |kind: &EventKind| match kind {
            EventKind::Link(LinkEvent::Omitted { what, count, .. }) if *what == of => *count,
            _ => 0,
        };
        self.told().map(count).sum()
    }

    pub(crate) fn dialed(&self) -> Vec<Addr> {
        self.0.iter().filter_map(|ask| if let Ask::Dial(peer, _) = ask { Some(*peer) } else { None }).collect()
    }

    pub(crate) fn hung_up(&self) -> Vec<LinkId> {
        self.0.iter().filter_map(|ask| if let Ask::HangUp(link) = ask { Some(*link) } else { None }).collect()
    }
}

/// A machine, the time, and links that are never used twice.
pub(crate) struct Alone<M> {
    pub(crate) machine: M,
    pub(crate) now: Time,
    pub(crate) asks: Asks,
    /// What passes before each input.
    pub(crate) step: Duration,
    links: u64,
}

impl Alone<Node> {
    /// A peer and a seed, each on its own at this address.
    pub(crate) fn peer_and_seed(own: Addr) -> [Self; 2] {
        let (peer, seed) = (PeerConfig::new(own, Vec::new()), SeedConfig::new(own));
        [Self::new(Peer::new(peer, 1).into()), Self::new(Seed::new(seed, 1).into())]
    }
}

impl<M: Machine> Alone<M> {
    pub(crate) fn new(machine: M) -> Self {
        let mut alone = Self { machine, now: EPOCH, asks: Asks::default(), step: Duration::ZERO, links: 0 };
        alone.input(Input::Start);
        alone
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.now = self.now + self.step;
        self.machine.handle(self.now, input, &mut self.asks);
    }

    /// Wakes it whenever it wants to be woken.
    pub(crate) fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.input(Input::Wake);
        }
        self.now = until;
    }

    fn link(&mut self, change: LinkChange) -> LinkId {
        self.links += 1;
        let link = LinkId(self.links);
        self.input(Input::Link { link, change });
        link
    }

    /// Somebody connects from this address.
    pub(crate) fn accept(&mut self, remote: impl Into<Addr>) -> LinkId {
        self.link(LinkChange::Accepted { remote: remote.into() })
    }

    /// A dial of its own comes through.
    pub(crate) fn dials(&mut self, peer: Addr) -> LinkId {
        self.link(LinkChange::Dialed { peer })
    }

    pub(crate) fn say(&mut self, link: LinkId, message: Message) {
        self.input(Input::Message { link, message });
    }

    /// Somebody connects from this address and names another one as its own.
    pub(crate) fn joins(&mut self, remote: impl Into<Addr>, listen: Addr, priority: Priority) -> LinkId {
        let link = self.accept(remote);
        self.say(link, Message::Hello(Hello { listen, role: Role::Peer, priority }));
        link
    }

    pub(crate) fn ends(&mut self, link: LinkId, cause: CloseCause) {
        self.input(Input::Link { link, change: LinkChange::Closed { cause } });
    }
}
