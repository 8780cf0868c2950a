//! A peer: three parts, and how they are joined.
//!
//! - [`membership`](super::membership) owns the connections, and says who is a neighbor;
//! - [`broadcast`](super::broadcast) generates and spreads messages;
//! - [`liveness`](super::liveness) finds out which neighbors are alive.
//!
//! None of them touches another. What they have to say to each other passes through this file, which
//! also keeps the order in which things happen at one moment, and does what a user makes a node do
//! against the protocol: lie, cut, and a wrong clock.
//!
//! The rules are numbered as in the protocol's description; the tests carry the numbers.

use super::addr::Addr;
use super::broadcast::Broadcast;
use super::config::PeerConfig;
use super::cx::{Cx, NodeNumbers};
use super::event::{FaultEvent, LinkId};
use super::liveness::{Dead, Liveness, Probe, answer};
use super::machine::{Gauge, Input, LinkChange, Machine, NodeCommand, Output, Touched};
use super::membership::{Heard, Membership, NeighborNews};
use super::message::{DeathCause, Dialect, Message, ProbeSeq};
use super::random::{Choices, Topic};
use super::time::Time;

/// A peer as a state machine.
#[derive(Debug)]
pub struct Peer {
    config: PeerConfig,
    choices: Choices,
    numbers: NodeNumbers,
    /// How far its clock is ahead of the time that it is handed, in microseconds.
    skew_us: i64,
    parts: PeerParts,
    /// It has said goodbye and does nothing any more.
    left: bool,
    /// When it wants to be woken.
    deadline: Option<Time>,
}

#[derive(Debug)]
struct PeerParts {
    membership: Membership,
    broadcast: Broadcast,
    liveness: Liveness,
}

impl Peer {
    /// `random_seed` decides its random choices.
    pub fn new(config: PeerConfig, random_seed: u64) -> Self {
        let mut choices = Choices::new(random_seed);
        let parts = PeerParts {
            membership: Membership::new(&config),
            broadcast: Broadcast::new(&config, choices.next(Topic::SeenCache).number()),
            liveness: Liveness::new(&config),
        };
        Self { config, choices, numbers: NodeNumbers::default(), skew_us: 0, parts, left: false, deadline: None }
    }

    pub fn config(&self) -> &PeerConfig {
        &self.config
    }

    pub fn neighbors(&self) -> impl Iterator<Item = Addr> {
        self.parts.membership.neighbors()
    }

    /// The seeds that it is registered with.
    pub fn registrations(&self) -> impl Iterator<Item = Addr> {
        self.parts.membership.registrations()
    }

    /// Message ids that it remembers.
    pub fn seen(&self) -> usize {
        self.parts.broadcast.seen()
    }

    /// When the first of all that it waits for is due.
    fn first_deadline(&self) -> Option<Time> {
        if self.left { None } else { self.parts.next_deadline() }
    }
}

impl Machine for Peer {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        if self.left {
            return;
        }
        if let Input::Command(NodeCommand::Skew(ahead_us)) = input {
            self.skew_us = ahead_us;
        }
        self.left = matches!(input, Input::Command(NodeCommand::Leave));
        let (config, chance, numbers) = (&self.config, &mut self.choices, &mut self.numbers);
        let cx = &mut Cx { now, config, chance, numbers, skew_us: self.skew_us, out };
        if !self.parts.handle(cx, self.deadline, input) {
            self.deadline = self.first_deadline();
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        debug_assert_eq!(self.deadline, self.first_deadline(), "an input has changed a deadline");
        self.deadline
    }

    fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    fn touch(&self, what: Touched<'_>) -> u64 {
        let PeerParts { membership, broadcast, liveness } = &self.parts;
        membership.touch(what) ^ broadcast.touch(what) ^ liveness.touch(what)
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        tell(self.parts.broadcast.gauge(&self.config));
        self.parts.membership.gauges().for_each(tell);
    }
}

impl PeerParts {
    fn next_deadline(&self) -> Option<Time> {
        let (broadcast, liveness) = (self.broadcast.next_deadline(), self.liveness.next_deadline());
        self.membership.next_deadline().into_iter().chain(broadcast).chain(liveness).min()
    }

    /// `deadline`: when the peer wanted to be woken at the latest. Returns whether that stands, as it
    /// does with most inputs.
    fn handle(&mut self, cx: &mut Cx<impl Output>, deadline: Option<Time>, input: Input) -> bool {
        let excused = self.membership.reach(cx, |cx| self.liveness.runs(cx, deadline));
        self.excuse(cx, excused);
        let mut stands = false;
        match input {
            Input::Start => {
                self.broadcast.start(cx);
                self.liveness.start(cx);
                self.membership.start(cx);
            }
            Input::Message { link, message } => stands = self.on_message(cx, link, message),
            Input::Link { link, change: LinkChange::Accepted { remote } } => {
                self.membership.on_accepted(cx, link, remote);
            }
            Input::Link { link, change: LinkChange::Dialed { peer } } => self.membership.on_dialed(cx, link, peer),
            Input::Link { link, change: LinkChange::Closed { cause } } => self.membership.on_closed(cx, link, &cause),
            Input::Rejected { remote, rule } => self.membership.on_rejected(cx, remote, rule),
            Input::DialFailed { peer, error } => self.membership.on_dial_failed(cx, peer, error),
            Input::Late { by, why } => {
                let excused = self.membership.reach(cx, |cx| self.liveness.late(cx, by, why));
                self.excuse(cx, excused);
            }
            Input::Command(command) => self.on_command(cx, command),
            Input::Wake => self.on_wake(cx),
        }
        if !stands {
            self.pass_on(cx);
            self.membership.settle_takeovers(cx);
            self.pass_on(cx);
        }
        stands && excused.is_none()
    }

    /// The node was away: others are excused up to that time.
    fn excuse(&mut self, cx: &mut Cx<impl Output>, until: Option<Time>) {
        if let Some(until) = until {
            self.membership.on_absence(cx, until);
        }
    }

    /// Returns whether all deadlines stand, and nothing waits to be settled.
    fn on_message(&mut self, cx: &mut Cx<impl Output>, link: LinkId, message: Message) -> bool {
        let (peer, is_calm) = match self.membership.hear(cx, link, &message) {
            Heard::Neighbor { peer, is_calm } => (peer, is_calm),
            Heard::Other => {
                self.membership.on_message(cx, link, message);
                return false;
            }
            Heard::Nobody => return false,
        };
        let is_routine = is_calm && self.membership.is_settled();
        if self.membership.has_news() {
            self.pass_on(cx);
        }
        self.liveness.heard(cx.now, peer);
        match message {
            Message::Gossip(gossip) => {
                let origin = gossip.id.origin;
                if self.membership.reach(cx, |cx| self.broadcast.on_gossip(cx, peer, gossip)) {
                    self.membership.learn_origin(cx, origin);
                }
            }
            Message::Probe { seq, asker, clock, extras } => {
                self.membership.on_extras(cx, peer, extras);
                let (probe, extras) = (Probe { seq, asker, clock }, self.membership.extras(cx));
                self.membership.reach_on(cx, Some(link), |cx| answer(cx, peer, probe, extras));
            }
            Message::ProbeReply { seq, asker: _, clock, extras } => {
                self.membership.on_extras(cx, peer, extras);
                self.membership.refute_takeover(cx, peer, seq);
                self.membership.reach(cx, |cx| self.liveness.on_reply(cx, peer, seq, clock));
            }
            Message::Hello(_)
            | Message::PeerList(_)
            | Message::ListRequest
            | Message::DeadReport { .. }
            | Message::Refusal { .. }
            | Message::Goodbye { .. } => {
                self.membership.on_neighbor_message(cx, link, peer, message);
                return false;
            }
        }
        is_routine
    }

    fn on_command(&mut self, cx: &mut Cx<impl Output>, command: NodeCommand) {
        match command {
            NodeCommand::Say(body) => self.membership.reach(cx, |cx| self.broadcast.say(cx, body)),
            NodeCommand::Cut(peer) => {
                self.membership.cut(peer);
                self.pass_on(cx);
                self.membership.give_up_dial(cx, peer);
            }
            NodeCommand::Heal(peer) => self.membership.heal(cx, peer),
            NodeCommand::Lie(about) => {
                cx.out.emit(|| FaultEvent::Lied { about });
                let misses = cx.config.liveness_misses;
                self.membership.report_death(cx, about, DeathCause::Misses { misses });
            }
            // The next times that it writes are ahead.
            NodeCommand::Skew(_) => {}
            NodeCommand::Leave => self.membership.leave(cx),
        }
    }

    fn on_wake(&mut self, cx: &mut Cx<impl Output>) {
        self.membership.on_wake(cx);
        self.pass_on(cx);
        self.membership.reach(cx, |cx| self.broadcast.generate_if_due(cx));
        self.membership.get_listed_if_due(cx);
        while let Some(dead) = self.membership.reach(cx, |cx| self.liveness.judge(cx)) {
            let Dead { peer, misses, last_heard, missed } = dead;
            self.membership.bury(cx, peer, DeathCause::Misses { misses }, last_heard, Some(missed));
            self.pass_on(cx);
        }
        if self.liveness.is_due(cx) {
            self.tick(cx);
        }
        self.membership.mend(cx);
    }

    /// Once per liveness interval, in this order: what was missed has been judged by now.
    fn tick(&mut self, cx: &mut Cx<impl Output>) {
        let task = self.membership.on_tick(cx);
        self.pass_on(cx);
        let extras = self.membership.extras(cx);
        self.membership.reach(cx, |cx| self.liveness.tick(cx, extras));
        self.membership.carry_out(cx, task);
    }

    /// Tells the other parts what membership has to say.
    fn pass_on(&mut self, cx: &mut Cx<impl Output>) {
        for news in self.membership.take_news() {
            self.on_news(cx, news);
        }
    }

    fn on_news(&mut self, cx: &mut Cx<impl Output>, news: NeighborNews) {
        match news {
            NeighborNews::Up(peer) => {
                self.liveness.neighbor_up(cx.now, peer);
                self.broadcast.neighbor_up(peer);
            }
            NeighborNews::Down(peer) => {
                self.liveness.neighbor_down(peer);
                self.broadcast.neighbor_down(peer);
            }
            NeighborNews::Died { peer, cause } => {
                let last_heard = self.liveness.last_heard(peer).unwrap_or(cx.now);
                self.membership.bury(cx, peer, cause, last_heard, None);
                self.pass_on(cx);
            }
            NeighborNews::Awaited(peer) => self.broadcast.hold_back_for(peer),
            NeighborNews::Heard(peer) => self.membership.reach(cx, |cx| self.broadcast.release(cx, peer)),
            NeighborNews::GivenUp(peer) => self.broadcast.discard_held(peer),
            NeighborNews::Greeted { peer, link } => {
                self.liveness.heard(cx.now, peer);
                self.probe(cx, peer, Some(link));
            }
            NeighborNews::Contested { link, hello } => {
                if let Some(seq) = self.probe(cx, hello.listen, None) {
                    self.membership.await_takeover(cx, link, hello, seq);
                }
            }
        }
    }

    /// Probes a neighbor out of turn, on this one of its links if it matters.
    fn probe(&mut self, cx: &mut Cx<impl Output>, peer: Addr, link: Option<LinkId>) -> Option<ProbeSeq> {
        let extras = self.membership.extras(cx);
        self.membership.reach_on(cx, link, |cx| self.liveness.probe(cx, peer, extras))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a lab of a hundred thousand each byte is a hundred kilobytes and more.
    #[test]
    fn a_peer_stays_small() {
        assert!(size_of::<Peer>() <= 1_200, "{}", size_of::<Peer>());
    }
}
