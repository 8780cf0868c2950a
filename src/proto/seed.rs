//! What a seed does: hands out the peer list, keeps registrations, judges dead reports.
//!
//! A seed sends samples of its list ([`lists`]), and tells its peers the lowest living address on
//! it: the root, by which they notice that the overlay is split. It believes a dead report only
//! after it has probed the node itself, if it can, and it probes nodes that have been silent for
//! long: see [`checks`]. The classic dialect cannot probe a registration.

mod check;
mod checks;
mod floods;
mod greeting;
mod links;
mod list;
mod lists;
mod proof;
mod proofs;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::BTreeMap;

pub use self::check::check_pause;
use self::check::{Check, Report};
use self::greeting::takeover_patience;
use self::links::{SeedLink, SeedLinks};
use self::list::{PeerList, Proof};
use self::proofs::Proofs;
use self::turns::Turns;
use super::absence::{Presence, WasAway};
use super::addr::Addr;
use super::config::{HALF_OPEN_MAX, SeedConfig};
use super::cx::{Cx, NodeNumbers};
use super::event::{
    ConnectionId, DelistReason, EventKind, LinkEnd, LinkEvent, LinkId, ProbeEvent, Rule, SeedEvent, Side, Verification,
    Violation,
};
use super::machine::{CloseCause, Gauge, Input, LinkChange, Machine, NodeCommand, Output};
use super::message::{Dialect, GoodbyeReason, Hello, Message, Priority, Role};
use super::offenses::Offenses;
use super::random::Choices;
use super::takeover::Takeovers;
use super::time::Time;
use super::visits::Visits;

/// Reporters whose disputed reports are counted; the count of further ones starts again.
const DISPUTES_MAX: usize = 1_024;

type SeedCx<'a, O> = Cx<'a, O, SeedConfig>;

/// A seed as a state machine.
#[derive(Debug)]
pub struct Seed {
    config: SeedConfig,
    choices: Choices,
    numbers: NodeNumbers,
    /// How far its clock is ahead of the time that it is handed, in microseconds.
    skew_us: i64,
    registry: Registry,
}

/// What a seed knows, and does.
#[derive(Debug)]
struct Registry {
    links: SeedLinks,
    list: PeerList,
    /// The root that was last told that it is the root.
    root_told: Option<Addr>,
    disputes: BTreeMap<Addr, u32>,
    offenses: Offenses,
    visits: Visits,
    takeovers: Takeovers,
    presence: Presence,
    turns: Turns,
    proofs: Proofs,
}

impl Seed {
    /// `random_seed` decides its random choices.
    pub fn new(config: SeedConfig, random_seed: u64) -> Self {
        let registry = Registry {
            presence: Presence::new(config.liveness_interval),
            links: SeedLinks::default(),
            list: PeerList::default(),
            root_told: None,
            disputes: BTreeMap::new(),
            offenses: Offenses::default(),
            visits: Visits::default(),
            takeovers: Takeovers::default(),
            turns: Turns::default(),
            proofs: Proofs::default(),
        };
        Self { config, choices: Choices::new(random_seed), numbers: NodeNumbers::default(), skew_us: 0, registry }
    }

    pub fn config(&self) -> &SeedConfig {
        &self.config
    }

    /// The addresses on the list, in order.
    pub fn listed(&self) -> impl Iterator<Item = Addr> {
        self.registry.list.iter()
    }
}

fn hello(config: &SeedConfig) -> Message {
    Message::Hello(Hello { listen: config.listen, role: Role::Seed, priority: Priority::Low })
}

impl Registry {
    fn on_accepted(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, remote: Addr) {
        if !self.links.half_open().admits(remote.ip()) {
            cx.out.hang_up(link);
            return self.rejected(cx, remote, Rule::TooManyLinks);
        }
        let hello_by = cx.now + cx.config.handshake_timeout;
        let mut open = SeedLink::new(cx.now, remote, hello_by);
        if cx.config.dialect.list_comes_first() {
            open.hello_by = hello_by + self.turns.add(link, |link| self.links.contains_key(link));
        } else {
            cx.out.send(link, &hello(cx.config));
        }
        self.links.insert(link, open);
    }

    fn rejected(&mut self, cx: &mut SeedCx<impl Output>, remote: Addr, rule: Rule) {
        self.tell_violation(cx, (remote, None), Violation::new(rule, b""), None);
    }

    fn tell_violation(
        &mut self,
        cx: &mut SeedCx<impl Output>,
        (remote, peer): (Addr, Option<Addr>),
        violation: Violation,
        connection: Option<ConnectionId>,
    ) {
        let event = || EventKind::Link(LinkEvent::Violation { remote, peer, violation, connection });
        self.offenses.tell(cx, remote.ip(), event);
    }

    fn on_message(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, message: Message) {
        if !self.is_within_budget(cx, link, &message) {
            return;
        }
        let Some(open) = self.links.get_mut(link) else { return };
        open.heard_at = cx.now;
        let said = message.name();
        match (open.peer(), message) {
            (None, Message::Hello(hello)) => self.on_hello(cx, link, hello),
            (None, _) => self.protocol_violation(cx, link, Rule::HelloExpected, said),
            (Some(_), Message::Hello(_)) => self.protocol_violation(cx, link, Rule::HelloTwice, said),
            (Some(_), Message::ListRequest) => self.send_list_again(cx, link),
            (Some(peer), Message::DeadReport { dead, clock, reporter, cause }) => {
                // A framed reporter is the one that its hello named; a classic one names itself in
                // each report.
                let reporter = if cx.config.dialect.answers_hello() { peer } else { reporter };
                self.on_report(cx, link, Report { dead, clock, reporter, cause });
            }
            (Some(peer), Message::Probe { seq, asker, clock, extras: _ }) => {
                if !self.is_listed_by(link, peer) && !self.list_again(cx, link, peer) {
                    return;
                }
                let extras = Some(self.attest(cx, link));
                cx.out.send(link, &Message::ProbeReply { seq, asker, clock, extras });
                cx.out.emit(|| ProbeEvent::Received { peer, seq, clock });
            }
            (Some(peer), Message::ProbeReply { seq, clock, .. }) => self.on_answer(cx, link, peer, (seq, clock)),
            (Some(peer), Message::Goodbye { reason, .. }) => {
                cx.out.hang_up(link);
                self.registration_ended(cx, link, peer, LinkEnd::Goodbye { side: Side::Them, reason });
                self.on_departure(cx, link, peer, Some(DelistReason::Left));
                self.links.remove(link);
            }
            (Some(peer), Message::Refusal { reason, .. }) => {
                // It dialed us as a peer, and has our hello by cx.now.
                cx.out.hang_up(link);
                self.registration_ended(cx, link, peer, LinkEnd::Refused { reason });
                self.on_departure(cx, link, peer, None);
                self.links.remove(link);
            }
            (Some(_), Message::PeerList(_) | Message::Gossip(_)) => {
                self.protocol_violation(cx, link, Rule::Unexpected, said);
            }
        }
    }

    fn delist(
        &mut self,
        cx: &mut SeedCx<impl Output>,
        peer: Addr,
        reason: DelistReason,
        verification: Option<Verification>,
    ) {
        if let Some(entry) = self.list.remove(peer) {
            if entry.proof == Proof::Wanted {
                self.proofs.forget(peer);
            }
            if entry.is_told {
                cx.out.emit(|| SeedEvent::PeerDelisted { peer, reason, verification });
            }
        }
    }

    /// The registration is over: a peer that is not off the list by `reason` stays for one liveness
    /// interval.
    fn on_departure(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr, reason: Option<DelistReason>) {
        let Some(proof) = self.list.depart(cx.now, peer, link) else { return };
        // A node that was reported dead, is being checked, and hangs up, has answered.
        let check = self.links.get(link).and_then(|open| open.check.as_ref());
        let reason = reason.or_else(|| check.and_then(Check::unanswered));
        // If nobody is known to listen there, there is nothing to wait for.
        let reason = reason.or_else(|| (proof == Proof::Wanted).then_some(DelistReason::Departed));
        let Some(reason) = reason else { return };
        let verification = match reason {
            DelistReason::Unanswered { .. } | DelistReason::Silent => {
                check.and_then(|check| check.until(check.latest()?.0))
            }
            DelistReason::Reported { .. } | DelistReason::Departed | DelistReason::Left => None,
        };
        self.delist(cx, peer, reason, verification);
    }

    fn protocol_violation(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, rule: Rule, said: &str) {
        cx.out.hang_up(link);
        self.on_closed(cx, link, CloseCause::Violation(Violation::new(rule, said.as_bytes())));
    }

    fn drop_offender(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, violation: Violation) {
        let Some(open) = self.links.remove(link) else { return };
        let (remote, peer) = (open.remote, open.peer());
        let connection = cx.out.connection(link, remote);
        self.tell_violation(cx, (remote, peer), violation, connection);
        if let Some(peer) = peer {
            self.registration_ended(cx, link, peer, LinkEnd::Violation);
        }
    }

    fn on_closed(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, cause: CloseCause) {
        let Some(peer) = self.links.get(link).map(SeedLink::peer) else { return };
        if let Some(peer) = peer {
            self.on_departure(cx, link, peer, None);
        }
        let end = match cause {
            CloseCause::Violation(violation) => return self.drop_offender(cx, link, violation),
            CloseCause::OtherDialect { speaks, named } => {
                return self.on_other_dialect(cx, link, speaks, named);
            }
            CloseCause::TooSlow => LinkEnd::TooSlow,
            CloseCause::EndOfStream | CloseCause::Error => LinkEnd::RegistrationLost,
        };
        self.links.remove(link);
        if let Some(peer) = peer {
            self.registration_ended(cx, link, peer, end);
        }
    }

    fn on_other_dialect(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, speaks: Dialect, named: Option<Addr>) {
        // It has our hello or our list, and knows our dialect once it has read it.
        cx.out.hang_up(link);
        let Some(open) = self.links.remove(link) else { return };
        let connection = cx.out.connection(link, open.remote);
        let event =
            || EventKind::Link(LinkEvent::OtherDialect { remote: open.remote, peer: named, speaks, connection });
        self.offenses.tell(cx, open.remote.ip(), event);
    }

    fn on_wake(&mut self, cx: &mut SeedCx<impl Output>) {
        self.offenses.end_windows(cx);
        self.visits.end_windows(cx);
        self.tell_stayed(cx);
        while let Some(link) = self.links.take_due(cx.now) {
            self.on_due(cx, link);
        }
        self.end_departures(cx);
    }

    fn end_departures(&mut self, cx: &mut SeedCx<impl Output>) {
        while let Some((departed_at, peer)) = self.list.first_departed() {
            if self.gone_at(cx.config, departed_at) > cx.now {
                return;
            }
            self.delist(cx, peer, DelistReason::Departed, None);
        }
    }

    /// A peer has one interval to come back, and the seed must have been there to see it.
    fn gone_at(&self, config: &SeedConfig, departed_at: Time) -> Time {
        self.since_back(departed_at) + config.liveness_interval
    }

    /// This moment, or the seed's return from its last absence if that was later: whatever was due
    /// while it was away says nothing about others.
    fn since_back(&self, at: Time) -> Time {
        self.presence.back_at().map_or(at, |back_at| at.max(back_at))
    }

    fn on_absence(&mut self, cx: &mut SeedCx<impl Output>, was_away: Option<WasAway>) {
        let Some(was_away) = was_away else { return };
        self.takeovers.postpone(cx.now + takeover_patience(cx.config));
        if let Some(event) = was_away.event() {
            cx.out.emit(|| event);
        }
    }

    fn leave(&mut self, cx: &mut SeedCx<impl Output>) {
        let reason = GoodbyeReason::Leaving;
        for (link, open) in std::mem::take(&mut self.links).into_open() {
            cx.out.send(link, &Message::Goodbye { reason, referral: Vec::new() });
            cx.out.hang_up(link);
            if let Some(peer) = open.peer() {
                self.registration_ended(cx, link, peer, LinkEnd::Goodbye { side: Side::Us, reason });
            }
        }
        self.visits.end(cx);
        self.list = PeerList::default();
        self.takeovers.clear();
        self.turns.clear();
        self.proofs.clear();
    }
}

impl Registry {
    fn handle(&mut self, cx: &mut SeedCx<impl Output>, input: Input) {
        let overdue = if self.presence.may_have_been_away(cx.now) { self.next_deadline(cx.config) } else { None };
        let was_away = self.presence.runs(cx.now, overdue);
        self.on_absence(cx, was_away);
        match input {
            Input::Message { link, message } if self.proofs.asked_on(link).is_some() => {
                self.on_proof(cx, link, &message);
            }
            Input::Message { link, message } => self.on_message(cx, link, message),
            Input::Link { link, change: LinkChange::Accepted { remote } } => self.on_accepted(cx, link, remote),
            Input::Link { link, change: LinkChange::Dialed { peer } } => self.on_proof_dialed(cx, link, peer),
            Input::Link { link, change: LinkChange::Closed { .. } } if self.proofs.asked_on(link).is_some() => {
                cx.out.hang_up(link);
                self.on_proof_closed(cx, link);
            }
            Input::Link { link, change: LinkChange::Closed { cause } } => self.on_closed(cx, link, cause),
            Input::DialFailed { peer, .. } => self.on_proof_dial_failed(cx, peer),
            Input::Rejected { remote, rule } => self.rejected(cx, remote, rule),
            Input::Command(NodeCommand::Leave) => self.leave(cx),
            Input::Late { by, why } => {
                let was_away = self.presence.late(cx.now, by, why);
                self.on_absence(cx, was_away);
            }
            Input::Wake => self.on_wake(cx),
            // A user asks nothing else of a seed; a wrong clock is set already.
            Input::Start
            | Input::Command(
                NodeCommand::Skew(_)
                | NodeCommand::Say(_)
                | NodeCommand::Cut(_)
                | NodeCommand::Heal(_)
                | NodeCommand::Lie(_),
            ) => {}
        }
        self.settle_takeovers(cx);
        self.give_turns(cx);
        self.seek_proofs(cx);
        self.tell_new_root(cx);
    }

    fn next_deadline(&self, config: &SeedConfig) -> Option<Time> {
        let departure = self.list.first_departed().map(|(departed_at, _)| self.gone_at(config, departed_at));
        let deadlines = [
            self.links.first_due(),
            departure,
            self.turns.next_deadline(),
            self.takeovers.next_deadline(),
            self.offenses.next_deadline(),
            self.proofs.next_deadline(),
            self.visits.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }
}

impl Machine for Seed {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        if let Input::Command(NodeCommand::Skew(ahead_us)) = input {
            self.skew_us = ahead_us;
        }
        let (config, chance, numbers) = (&self.config, &mut self.choices, &mut self.numbers);
        self.registry.handle(&mut Cx { now, config, chance, numbers, skew_us: self.skew_us, out }, input);
    }

    fn next_deadline(&self) -> Option<Time> {
        self.registry.next_deadline(&self.config)
    }

    fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        let waiting = self.registry.links.half_open().len();
        tell(Gauge::new("registrations", self.registry.list.len(), self.config.list_max));
        tell(Gauge::new("connections that have not named themselves", waiting, HALF_OPEN_MAX));
        tell(Gauge::new("connections that wait for the list", self.registry.turns.len(), HALF_OPEN_MAX));
        self.registry.proofs.gauges().into_iter().for_each(&mut *tell);
        tell(Gauge::new("reporters that were disputed", self.registry.disputes.len(), DISPUTES_MAX));
    }
}
