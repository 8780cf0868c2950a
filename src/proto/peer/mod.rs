//! What a peer does, one concern per file:
//!
//! - [`join`]: registers with a majority of the seeds;
//! - [`overlay`]: keeps the neighbors, and dials;
//! - [`takeover`]: handles newcomers that name the address of a neighbor;
//! - [`greeting`]: begins links, refuses some, and makes room for others (HyParView);
//! - [`room`]: chooses who is given up for a joiner, and who is accepted beyond the limit;
//! - [`reserve`]: remembers addresses to dial (HyParView's passive view);
//! - [`repair`]: looks for links when some are missing;
//! - [`root`]: notices that the overlay is split, and links its parts;
//! - [`unheard`]: keeps links of the classic dialect on which nothing was heard yet;
//! - [`spread`]: generates, forwards and forgets messages;
//! - [`away`]: notices that it was away itself;
//! - [`own_ids`]: detects forgeries in its own name;
//! - [`liveness`]: probes neighbors and buries the dead (SWIM's probes, without the indirect ones).
//!
//! The rules are numbered as in the protocol's description; the tests carry the numbers.

mod away;
mod greeting;
mod join;
mod links;
mod liveness;
mod overlay;
mod own_ids;
mod repair;
mod reserve;
mod room;
mod root;
mod spread;
mod takeover;
mod unheard;

use self::join::Registrar;
use self::links::{PeerLink, PeerLinks, Stage};
use self::liveness::Liveness;
use self::overlay::Overlay;
use self::repair::Repair;
use self::room::Room;
use self::root::RootWatch;
use self::spread::Spread;
use super::absence::Presence;
use super::addr::Addr;
use super::bucket::TokenBucket;
use super::budget::Budget;
use super::config::{HALF_OPEN_MAX, PeerConfig};
use super::event::{Direction, EventKind, LinkEnd, LinkEvent, LinkId, Purpose, Rule, Side, Violation};
use super::machine::{CloseCause, Gauge, Input, LinkChange, Machine, NodeCommand, Output};
use super::message::{DeathCause, Dialect, GoodbyeReason, Hello, Message, Role};
use super::offenses::Offenses;
use super::random::{Choices, Topic};
use super::takeover::Takeovers;
use super::time::Time;
use super::visits::Visits;

/// A peer as a state machine.
#[derive(Debug)]
pub struct Peer {
    config: PeerConfig,
    choices: Choices,
    links: PeerLinks,
    registrar: Registrar,
    overlay: Overlay,
    /// What is left to dial neighbors with.
    dial_budget: TokenBucket,
    repair: Repair,
    room: Room,
    root: RootWatch,
    spread: Spread,
    liveness: Liveness,
    /// How far its clock is ahead of the time that it is handed, in microseconds.
    skew_us: i64,
    offenses: Offenses,
    visits: Visits,
    takeovers: Takeovers,
    presence: Presence,
    /// It has said goodbye and does nothing any more.
    left: bool,
    /// When it wants to be woken.
    deadline: Option<Time>,
    /// The input in hand has changed none of what the deadline follows from. Most inputs do not.
    deadline_stands: bool,
}

impl Peer {
    /// `random_seed` decides its random choices.
    pub fn new(config: PeerConfig, random_seed: u64) -> Self {
        let mut choices = Choices::new(random_seed);
        Self {
            presence: Presence::new(config.liveness_interval),
            registrar: Registrar::new(&config),
            overlay: Overlay::default(),
            dial_budget: TokenBucket::default(),
            repair: Repair::default(),
            room: Room::default(),
            root: RootWatch::default(),
            spread: Spread::new(&config, choices.next(Topic::SeenCache).number()),
            liveness: Liveness::default(),
            links: PeerLinks::default(),
            skew_us: 0,
            offenses: Offenses::default(),
            visits: Visits::default(),
            takeovers: Takeovers::default(),
            left: false,
            deadline: None,
            deadline_stands: false,
            config,
            choices,
        }
    }

    pub fn config(&self) -> &PeerConfig {
        &self.config
    }

    pub fn neighbors(&self) -> impl Iterator<Item = Addr> {
        self.overlay.neighbors.iter().map(|neighbor| neighbor.addr)
    }

    /// The seeds that it is registered with.
    pub fn registrations(&self) -> impl Iterator<Item = Addr> {
        self.registrar.up().map(|(seed, _)| seed)
    }

    /// Message ids that it remembers.
    pub fn seen(&self) -> usize {
        self.spread.seen.len()
    }

    fn framed(&self) -> bool {
        self.config.dialect == Dialect::Framed
    }

    /// The time by its own clock, which it writes in messages.
    const fn own_time(&self, now: Time) -> Time {
        now.skewed(self.skew_us)
    }

    fn start(&mut self, now: Time, out: &mut impl Output) {
        self.spread.start(now, &self.config, &mut self.choices.next(Topic::FirstGossip));
        self.liveness.start(now, &self.config, &mut self.choices.next(Topic::FirstProbe));
        self.root.is_whole(now);
        self.pursue_seeds(now, out);
    }

    fn on_accepted(&mut self, now: Time, link: LinkId, remote: Addr, out: &mut impl Output) {
        if !self.links.half_open().admits(remote.ip()) {
            out.hang_up(link);
            return self.rejected(now, remote, Rule::TooManyLinks, out);
        }
        let stage = Stage::Opening { hello_by: now + self.config.handshake_timeout };
        let (direction, purpose) = (Direction::Inbound, Purpose::Neighbor);
        self.links.insert(link, PeerLink { remote, peer: None, direction, purpose, stage, budget: Budget::default() });
    }

    fn rejected(&mut self, now: Time, remote: Addr, rule: Rule, out: &mut impl Output) {
        self.tell_violation(now, remote, None, Violation::new(rule, b""), out);
    }

    fn tell_violation(
        &mut self,
        now: Time,
        remote: Addr,
        peer: Option<Addr>,
        violation: Violation,
        out: &mut impl Output,
    ) {
        let event = || EventKind::Link(LinkEvent::Violation { remote: remote.to_string(), peer, violation });
        self.offenses.tell(now, remote.ip(), event, out);
    }

    fn on_dialed(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let purpose = if self.registrar.knows(peer) { Purpose::Registration } else { Purpose::Neighbor };
        let stage = Stage::Opening { hello_by: now + self.config.handshake_timeout };
        let (direction, budget) = (Direction::Outbound, Budget::default());
        let open = PeerLink { remote: peer, peer: Some(peer), direction, purpose, stage, budget };
        self.links.insert(link, open);
        match purpose {
            Purpose::Registration => self.on_seed_dialed(link, out),
            Purpose::Neighbor => self.on_neighbor_dialed(now, link, peer, out),
        }
    }

    fn on_dial_failed(&mut self, now: Time, peer: Addr, error: String, out: &mut impl Output) {
        if self.registrar.knows(peer) {
            self.on_seed_unreachable(now, peer, error, out);
        } else {
            self.on_neighbor_unreachable(now, peer, error, out);
        }
    }

    fn on_message(&mut self, now: Time, link: LinkId, message: Message, out: &mut impl Output) {
        let Some((from, budget)) = self.links.hear(link) else { return };
        // A link that brings too many is read slowly, then told of, then dropped.
        let is_within = budget.admits(now, &message, from.bearer(link), &mut self.offenses, out);
        let is_calm = !budget.is_exceeded();
        let said = message.name();
        if !is_within {
            return self.protocol_violation(now, link, Rule::TooManyMessages, said, out);
        }
        match (from.purpose, from.stage, from.peer) {
            (Purpose::Neighbor, Stage::Up, Some(peer)) => {
                self.deadline_stands = is_calm && is_routine(&message) && self.takeovers.is_empty();
                self.on_neighbor_message(now, link, peer, message, out);
            }
            (Purpose::Neighbor, Stage::Unheard, Some(peer)) => self.on_first_word(now, link, peer, message, out),
            (Purpose::Neighbor, _, _) => self.on_neighbor_greeting(now, link, message, out),
            (Purpose::Registration, _, Some(seed)) => self.on_seed_message(now, link, seed, message, out),
            (Purpose::Registration, _, None) => self.protocol_violation(now, link, Rule::HelloExpected, said, out),
        }
    }

    fn hello(&self) -> Message {
        Message::Hello(Hello { listen: self.config.listen, role: Role::Peer, priority: self.priority() })
    }

    /// Marks a link as in use.
    fn link_up(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let Some(open) = self.links.up(link, peer) else { return };
        let (direction, purpose) = (open.direction, open.purpose);
        let is_told = direction == Direction::Outbound || self.visits.came(now, link, open.remote.ip());
        if is_told {
            out.emit(|| LinkEvent::Up { link, peer, direction, purpose });
        }
    }

    /// The remote broke a rule: reports it and closes the link.
    fn protocol_violation(&mut self, now: Time, link: LinkId, rule: Rule, said: &str, out: &mut impl Output) {
        self.deadline_stands = false;
        out.hang_up(link);
        self.on_closed(now, link, &CloseCause::Violation(Violation::new(rule, said.as_bytes())), out);
    }

    fn on_closed(&mut self, now: Time, link: LinkId, cause: &CloseCause, out: &mut impl Output) {
        let Some(open) = self.links.remove(link) else { return };
        if cause.is_answered() {
            self.answer_stranger(link, &open, out);
        }
        match cause {
            CloseCause::Violation(violation) => {
                self.tell_violation(now, open.remote, open.peer, violation.clone(), out);
            }
            CloseCause::OtherDialect { speaks, named } => {
                self.tell_other_dialect(now, &open, (*speaks, *named), out);
            }
            CloseCause::EndOfStream | CloseCause::Error | CloseCause::TooSlow => {}
        }
        let Some(peer) = open.peer else { return };
        match (open.purpose, open.stage) {
            (Purpose::Registration, _) => self.on_registration_closed(now, link, peer, &open, cause, out),
            (Purpose::Neighbor, Stage::Up) => self.on_neighbor_closed(now, link, peer, cause, out),
            (Purpose::Neighbor, Stage::Unheard) => self.on_unheard_closed(now, link, &open, cause, out),
            (Purpose::Neighbor, Stage::Opening { .. } | Stage::Greeted { .. }) => {
                self.on_opening_closed(now, peer, &open, cause, out);
            }
        }
    }

    /// Shows a remote of another dialect or version what we speak, so that its user learns of it,
    /// too.
    fn answer_stranger(&self, link: LinkId, open: &PeerLink, out: &mut impl Output) {
        let spoke_first = open.direction == Direction::Outbound && self.framed();
        if matches!(open.stage, Stage::Opening { .. }) && !spoke_first {
            out.send(link, &self.hello());
        }
        out.hang_up(link);
    }

    fn tell_other_dialect(
        &mut self,
        now: Time,
        open: &PeerLink,
        (speaks, named): (Dialect, Option<Addr>),
        out: &mut impl Output,
    ) {
        let remote = open.remote;
        let event = || {
            EventKind::Link(LinkEvent::OtherDialect { remote: remote.to_string(), peer: open.peer.or(named), speaks })
        };
        self.offenses.tell(now, remote.ip(), event, out);
    }

    fn on_command(&mut self, now: Time, command: NodeCommand, out: &mut impl Output) {
        match command {
            NodeCommand::Say(body) => self.say(now, body, out),
            NodeCommand::Cut(peer) => self.cut(now, peer, out),
            NodeCommand::Heal(peer) => self.heal(now, peer, out),
            NodeCommand::Lie(about) => self.lie(now, about, out),
            NodeCommand::Skew(ahead_us) => self.skew_us = ahead_us,
            NodeCommand::Leave => self.leave(now, out),
        }
    }

    fn leave(&mut self, now: Time, out: &mut impl Output) {
        self.left = true;
        let reason = GoodbyeReason::Leaving;
        for (link, open) in std::mem::take(&mut self.links).into_open() {
            out.send(link, &Message::Goodbye { reason, referral: Vec::new() });
            out.hang_up(link);
            let (Stage::Up, Some(peer), true) = (open.stage, open.peer, self.visits.went(now, link, out)) else {
                continue;
            };
            let (purpose, end) = (open.purpose, LinkEnd::Goodbye { side: Side::Us, reason });
            out.emit(|| LinkEvent::Down { link, peer, purpose, end });
        }
        self.visits.end(out);
        self.overlay.neighbors.clear();
        self.overlay.unheard.clear();
        self.takeovers.clear();
    }

    /// When the first of all that it waits for is due.
    fn first_deadline(&self) -> Option<Time> {
        if self.left {
            return None;
        }
        let deadlines = [
            self.links.handshake_deadline(),
            self.registrar.next_retry(),
            self.spread.next_at,
            self.liveness.next_at,
            self.liveness.ask_seeds_at,
            self.liveness.judge_at,
            self.repair.next_at(),
            self.offenses.next_deadline(),
            self.visits.next_deadline(),
            self.takeovers.next_deadline(),
            self.overlay.unheard.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn on_wake(&mut self, now: Time, out: &mut impl Output) {
        self.end_handshakes(now, out);
        self.offenses.end_windows(now, out);
        self.visits.end_windows(now, out);
        self.tell_stayed(now, out);
        self.pursue_seeds(now, out);
        self.generate_if_due(now, out);
        self.get_listed_if_due(now, out);
        self.judge_probes(now, out);
        self.probe_if_due(now, out);
        self.park_if_due(now, out);
        self.repair_if_due(now, out);
    }

    /// Announces links that have lasted although many from the same machine come and go.
    fn tell_stayed(&mut self, now: Time, out: &mut impl Output) {
        for link in self.visits.take_stayed(now) {
            if let Some(PeerLink { peer: Some(peer), direction, purpose, .. }) = self.links.get(link) {
                let (peer, direction, purpose) = (*peer, *direction, *purpose);
                out.emit(|| LinkEvent::Up { link, peer, direction, purpose });
            }
        }
    }

    fn end_handshakes(&mut self, now: Time, out: &mut impl Output) {
        if self.links.handshake_deadline().is_none_or(|at| at > now) {
            return;
        }
        let late = |open: &PeerLink| open.stage.ends_at().is_some_and(|at| at <= now);
        let silent: Vec<LinkId> = self.links.iter().filter(|(_, open)| late(open)).map(|(link, _)| link).collect();
        for link in silent {
            self.protocol_violation(now, link, Rule::HandshakeTimeout, "", out);
        }
    }
}

/// What neighbors say all the time.
const fn is_routine(message: &Message) -> bool {
    match message {
        Message::Gossip(_) | Message::Probe { .. } | Message::ProbeReply { .. } => true,
        Message::Hello(_)
        | Message::PeerList(_)
        | Message::ListRequest
        | Message::DeadReport { .. }
        | Message::Refusal { .. }
        | Message::Goodbye { .. } => false,
    }
}

/// What the close of a link says about the node at its other end.
fn death_cause(cause: &CloseCause) -> DeathCause {
    match cause {
        CloseCause::Error => DeathCause::LinkError,
        CloseCause::EndOfStream | CloseCause::TooSlow | CloseCause::Violation(_) | CloseCause::OtherDialect { .. } => {
            DeathCause::Closed
        }
    }
}

impl Machine for Peer {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        if self.left {
            return;
        }
        let overdue = self.deadline.filter(|_| self.presence.may_have_been_away(now));
        let was_away = self.presence.runs(now, overdue);
        self.deadline_stands = false;
        self.on_absence(now, was_away, out);
        match input {
            Input::Start => self.start(now, out),
            Input::Message { link, message } => self.on_message(now, link, message, out),
            Input::Link { link, change } => match change {
                LinkChange::Accepted { remote } => self.on_accepted(now, link, remote, out),
                LinkChange::Dialed { peer } => self.on_dialed(now, link, peer, out),
                LinkChange::Closed { cause } => self.on_closed(now, link, &cause, out),
            },
            Input::Rejected { remote, rule } => self.rejected(now, remote, rule, out),
            Input::DialFailed { peer, error } => self.on_dial_failed(now, peer, error, out),
            Input::Command(command) => self.on_command(now, command, out),
            Input::Late { by, why } => {
                let was_away = self.presence.late(now, by, why);
                self.on_absence(now, was_away, out);
            }
            Input::Wake => self.on_wake(now, out),
        }
        self.settle_takeovers(now, out);
        if !self.deadline_stands || was_away.is_some() {
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

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        let waiting = self.links.half_open().len();
        // Two generations of ids, see the cache.
        tell(Gauge::new("message ids", self.seen(), 2 * self.config.seen_max.max(1)));
        tell(Gauge::new("connections that have not named themselves", waiting, HALF_OPEN_MAX));
        self.overlay.gauges().into_iter().for_each(tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::peer::overlay::Neighbor;

    /// In a lab of a hundred thousand each byte of these is a hundred kilobytes and more.
    #[test]
    fn a_peer_and_what_it_keeps_of_others_stay_small() {
        let sizes = [size_of::<Peer>(), size_of::<PeerLink>(), size_of::<Neighbor>()];
        assert!(sizes.into_iter().zip([1_200, 56, 96]).all(|(size, most)| size <= most), "{sizes:?}");
    }
}
