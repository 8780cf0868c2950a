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

use self::check::Report;
use self::links::{SeedLink, SeedLinks};
use self::list::{PeerList, Proof};
use self::proofs::Proofs;
use self::turns::Turns;
use super::absence::{Presence, WasAway};
use super::addr::Addr;
use super::config::{HALF_OPEN_MAX, SeedConfig};
use super::event::{DelistReason, EventKind, LinkEnd, LinkEvent, LinkId, ProbeEvent, Rule, SeedEvent, Side, Violation};
use super::machine::{CloseCause, Gauge, Input, LinkChange, Machine, NodeCommand, Output};
use super::message::{Dialect, GoodbyeReason, Hello, Message, Priority, ProbeSeq, Role};
use super::offenses::Offenses;
use super::random::Choices;
use super::takeover::Takeovers;
use super::time::Time;
use super::visits::Visits;

/// Reporters whose disputed reports are counted; the count of further ones starts again.
const DISPUTES_MAX: usize = 1_024;

/// A seed as a state machine.
#[derive(Debug)]
pub struct Seed {
    config: SeedConfig,
    choices: Choices,
    links: SeedLinks,
    list: PeerList,
    /// The root that was last told that it is the root.
    root_told: Option<Addr>,
    disputes: BTreeMap<Addr, u32>,
    probes: ProbeSeq,
    /// How far its clock is ahead of the time that it is handed, in microseconds.
    skew_us: i64,
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
        Self {
            presence: Presence::new(config.liveness_interval),
            config,
            choices: Choices::new(random_seed),
            links: SeedLinks::default(),
            list: PeerList::default(),
            root_told: None,
            disputes: BTreeMap::new(),
            probes: 0,
            skew_us: 0,
            offenses: Offenses::default(),
            visits: Visits::default(),
            takeovers: Takeovers::default(),
            turns: Turns::default(),
            proofs: Proofs::default(),
        }
    }

    pub fn config(&self) -> &SeedConfig {
        &self.config
    }

    /// The addresses on the list, in order.
    pub fn listed(&self) -> impl Iterator<Item = Addr> {
        self.list.iter()
    }

    fn on_accepted(&mut self, now: Time, link: LinkId, remote: Addr, out: &mut impl Output) {
        if !self.links.half_open().admits(remote.ip()) {
            out.hang_up(link);
            return self.rejected(now, remote, Rule::TooManyLinks, out);
        }
        let hello_by = now + self.config.handshake_timeout;
        let mut open = SeedLink::new(now, remote, hello_by);
        match self.config.dialect {
            Dialect::Framed => out.send(link, &Message::Hello(self.hello())),
            Dialect::Classic => open.hello_by = hello_by + self.turns.add(link, |link| self.links.contains_key(link)),
        }
        self.links.insert(link, open);
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

    fn hello(&self) -> Hello {
        Hello { listen: self.config.listen, role: Role::Seed, priority: Priority::Low }
    }

    fn on_message(&mut self, now: Time, link: LinkId, message: Message, out: &mut impl Output) {
        if !self.is_within_budget(now, link, &message, out) {
            return;
        }
        let Some(open) = self.links.get_mut(link) else { return };
        open.heard_at = now;
        let said = message.name();
        match (open.peer(), message) {
            (None, Message::Hello(hello)) => self.on_hello(now, link, hello, out),
            (None, _) => self.protocol_violation(now, link, Rule::HelloExpected, said, out),
            (Some(_), Message::Hello(_)) => self.protocol_violation(now, link, Rule::HelloTwice, said, out),
            (Some(_), Message::ListRequest) => self.send_list_again(now, link, out),
            (Some(peer), Message::DeadReport { dead, clock, reporter, cause }) => {
                // A framed reporter is the one that its hello named; a classic one names itself in
                // each report.
                let reporter = if self.config.dialect == Dialect::Framed { peer } else { reporter };
                self.on_report(now, link, Report { dead, clock, reporter, cause }, out);
            }
            (Some(peer), Message::Probe { seq, asker, clock, extras: _ }) => {
                if !self.is_listed_by(link, peer) && !self.list_again(now, link, peer, out) {
                    return;
                }
                let extras = Some(self.attest(now, link));
                out.send(link, &Message::ProbeReply { seq, asker, clock, extras });
                out.emit(|| ProbeEvent::Received { peer, seq, clock });
            }
            (Some(peer), Message::ProbeReply { seq, clock, .. }) => self.on_answer(now, link, peer, (seq, clock), out),
            (Some(peer), Message::Goodbye { reason, .. }) => {
                out.hang_up(link);
                self.registration_ended(now, link, peer, LinkEnd::Goodbye { side: Side::Them, reason }, out);
                self.on_departure(now, link, peer, Some(DelistReason::Left), out);
                self.links.remove(link);
            }
            (Some(peer), Message::Refusal { reason, .. }) => {
                // It dialed us as a peer, and has our hello by now.
                out.hang_up(link);
                self.registration_ended(now, link, peer, LinkEnd::Refused { reason }, out);
                self.on_departure(now, link, peer, None, out);
                self.links.remove(link);
            }
            (Some(_), Message::PeerList(_) | Message::Gossip(_)) => {
                self.protocol_violation(now, link, Rule::Unexpected, said, out);
            }
        }
    }

    fn delist(&mut self, peer: Addr, reason: DelistReason, out: &mut impl Output) {
        if let Some(entry) = self.list.remove(peer) {
            if entry.proof == Proof::Wanted {
                self.proofs.forget(peer);
            }
            if entry.is_told {
                out.emit(|| SeedEvent::PeerDelisted { peer, reason });
            }
        }
    }

    /// The registration is over: a peer that is not off the list by `reason` stays for one liveness
    /// interval.
    fn on_departure(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        reason: Option<DelistReason>,
        out: &mut impl Output,
    ) {
        let Some(proof) = self.list.depart(now, peer, link) else { return };
        // A node that was reported dead, is being checked, and hangs up, has answered.
        let check = self.links.get(link).and_then(|open| open.check.as_ref());
        let reporter = check.and_then(|check| check.reporters.first().copied());
        let reason = reason.or_else(|| reporter.map(|reporter| DelistReason::Unanswered { reporter }));
        // If nobody is known to listen there, there is nothing to wait for.
        let reason = reason.or_else(|| (proof == Proof::Wanted).then_some(DelistReason::Departed));
        if let Some(reason) = reason {
            self.delist(peer, reason, out);
        }
    }

    fn protocol_violation(&mut self, now: Time, link: LinkId, rule: Rule, said: &str, out: &mut impl Output) {
        out.hang_up(link);
        self.on_closed(now, link, CloseCause::Violation(Violation::new(rule, said.as_bytes())), out);
    }

    fn drop_offender(&mut self, now: Time, link: LinkId, violation: Violation, out: &mut impl Output) {
        let Some(open) = self.links.remove(link) else { return };
        let (remote, peer) = (open.remote, open.peer());
        self.tell_violation(now, remote, peer, violation, out);
        if let Some(peer) = peer {
            self.registration_ended(now, link, peer, LinkEnd::Violation, out);
        }
    }

    fn on_closed(&mut self, now: Time, link: LinkId, cause: CloseCause, out: &mut impl Output) {
        let Some(peer) = self.links.get(link).map(SeedLink::peer) else { return };
        if let Some(peer) = peer {
            self.on_departure(now, link, peer, None, out);
        }
        let end = match cause {
            CloseCause::Violation(violation) => return self.drop_offender(now, link, violation, out),
            CloseCause::OtherDialect { speaks, named } => {
                return self.on_other_dialect(now, link, speaks, named, out);
            }
            CloseCause::TooSlow => LinkEnd::TooSlow,
            CloseCause::EndOfStream | CloseCause::Error => LinkEnd::RegistrationLost,
        };
        self.links.remove(link);
        if let Some(peer) = peer {
            self.registration_ended(now, link, peer, end, out);
        }
    }

    fn on_other_dialect(
        &mut self,
        now: Time,
        link: LinkId,
        speaks: Dialect,
        named: Option<Addr>,
        out: &mut impl Output,
    ) {
        // It has our hello or our list, and knows our dialect once it has read it.
        out.hang_up(link);
        let Some(open) = self.links.remove(link) else { return };
        let event =
            || EventKind::Link(LinkEvent::OtherDialect { remote: open.remote.to_string(), peer: named, speaks });
        self.offenses.tell(now, open.remote.ip(), event, out);
    }

    fn on_wake(&mut self, now: Time, out: &mut impl Output) {
        self.offenses.end_windows(now, out);
        self.visits.end_windows(now, out);
        self.tell_stayed(now, out);
        while let Some(link) = self.links.take_due(now) {
            self.on_due(now, link, out);
        }
        self.end_departures(now, out);
    }

    fn end_departures(&mut self, now: Time, out: &mut impl Output) {
        while let Some((departed_at, peer)) = self.list.first_departed() {
            if self.gone_at(departed_at) > now {
                return;
            }
            self.delist(peer, DelistReason::Departed, out);
        }
    }

    /// A peer has one interval to come back, and the seed must have been there to see it.
    fn gone_at(&self, departed_at: Time) -> Time {
        self.since_back(departed_at) + self.config.liveness_interval
    }

    /// This moment, or the seed's return from its last absence if that was later: whatever was due
    /// while it was away says nothing about others.
    fn since_back(&self, at: Time) -> Time {
        self.presence.back_at().map_or(at, |back_at| at.max(back_at))
    }

    fn on_absence(&mut self, now: Time, was_away: Option<WasAway>, out: &mut impl Output) {
        let Some(was_away) = was_away else { return };
        self.takeovers.postpone(now + self.takeover_patience());
        if let Some(event) = was_away.event() {
            out.emit(|| event);
        }
    }

    fn leave(&mut self, now: Time, out: &mut impl Output) {
        let reason = GoodbyeReason::Leaving;
        for (link, open) in std::mem::take(&mut self.links).into_open() {
            out.send(link, &Message::Goodbye { reason, referral: Vec::new() });
            out.hang_up(link);
            if let Some(peer) = open.peer() {
                self.registration_ended(now, link, peer, LinkEnd::Goodbye { side: Side::Us, reason }, out);
            }
        }
        self.visits.end(out);
        self.list = PeerList::default();
        self.takeovers.clear();
        self.turns.clear();
        self.proofs.clear();
    }
}

impl Machine for Seed {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        let overdue = if self.presence.may_have_been_away(now) { self.next_deadline() } else { None };
        let was_away = self.presence.runs(now, overdue);
        self.on_absence(now, was_away, out);
        match input {
            Input::Message { link, message } if self.proofs.asked_on(link).is_some() => {
                self.on_proof(now, link, &message, out);
            }
            Input::Message { link, message } => self.on_message(now, link, message, out),
            Input::Link { link, change: LinkChange::Accepted { remote } } => self.on_accepted(now, link, remote, out),
            Input::Link { link, change: LinkChange::Dialed { peer } } => self.on_proof_dialed(now, link, peer, out),
            Input::Link { link, change: LinkChange::Closed { .. } } if self.proofs.asked_on(link).is_some() => {
                out.hang_up(link);
                self.on_proof_closed(now, link);
            }
            Input::Link { link, change: LinkChange::Closed { cause } } => self.on_closed(now, link, cause, out),
            Input::DialFailed { peer, .. } => self.on_proof_dial_failed(now, peer),
            Input::Rejected { remote, rule } => self.rejected(now, remote, rule, out),
            Input::Command(NodeCommand::Leave) => self.leave(now, out),
            Input::Command(NodeCommand::Skew(ahead_us)) => self.skew_us = ahead_us,
            Input::Late { by, why } => {
                let was_away = self.presence.late(now, by, why);
                self.on_absence(now, was_away, out);
            }
            Input::Wake => self.on_wake(now, out),
            // A user asks nothing else of a seed.
            Input::Start
            | Input::Command(NodeCommand::Say(_) | NodeCommand::Cut(_) | NodeCommand::Heal(_) | NodeCommand::Lie(_)) => {
            }
        }
        self.settle_takeovers(now, out);
        self.give_turns(now, out);
        self.seek_proofs(now, out);
        self.tell_new_root(now, out);
    }

    fn next_deadline(&self) -> Option<Time> {
        let departure = self.list.first_departed().map(|(departed_at, _)| self.gone_at(departed_at));
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

    fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        let waiting = self.links.half_open().len();
        tell(Gauge::new("registrations", self.list.len(), self.config.list_max));
        tell(Gauge::new("connections that have not named themselves", waiting, HALF_OPEN_MAX));
        tell(Gauge::new("connections that wait for the list", self.turns.len(), HALF_OPEN_MAX));
        self.proofs.gauges().into_iter().for_each(&mut *tell);
        tell(Gauge::new("reporters that were disputed", self.disputes.len(), DISPUTES_MAX));
    }
}
