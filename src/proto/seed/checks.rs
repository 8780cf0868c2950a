//! Is a node alive? What a seed does about a dead report (rules 2 and 3), and about a silent
//! registration (rule 5).
//!
//! It probes the node itself: the "suspicion" of SWIM (Das, Gupta, Motivala 2002, section 4.2),
//! with one witness. One answer to any of the probes is enough.

use super::check::{Check, Report, check_pause};
use super::links::SeedLink;
use super::{DISPUTES_MAX, Seed};
use crate::proto::addr::Addr;
use crate::proto::config::{CHECK_PROBES, DeadPolicy};
use crate::proto::event::{
    DeathEvent, DelistReason, EventKind, LinkEnd, LinkId, Omission, ProbeEvent, ReportAction, Rule,
};
use crate::proto::machine::Output;
use crate::proto::message::{DeathCause, Dialect, Message, ProbeSeq};
use crate::proto::time::{ClockTime, Time};

/// Liveness intervals of silence after which a registered peer is probed: as long as its neighbors
/// take to find it dead. So no peer goes longer without hearing of the root.
const SILENT_INTERVALS: u32 = 3;
/// Reporters that wait for one check.
pub(super) const REPORTERS_MAX: usize = 64;

impl Seed {
    pub(super) fn on_report(&mut self, now: Time, link: LinkId, report: Report, out: &mut impl Output) {
        let Report { dead, clock, reporter, cause } = report;
        let action = self.judge(dead);
        let event = || EventKind::Death(DeathEvent::DeadReportReceived { dead, clock, reporter, cause, action });
        match (action, self.links.get(link)) {
            (ReportAction::NotListed, Some(open)) => {
                self.visits.tell(now, open.remote.ip(), Omission::Reports, event, out);
            }
            (ReportAction::NotListed | ReportAction::Removed | ReportAction::Verifying, _) => out.emit(event),
        }
        match action {
            ReportAction::NotListed => {}
            ReportAction::Removed => self.delist(dead, DelistReason::Reported { reporter }, out),
            ReportAction::Verifying => self.verify(now, dead, reporter, out),
        }
    }

    fn judge(&self, dead: Addr) -> ReportAction {
        match self.list.get(dead) {
            None => ReportAction::NotListed,
            Some(entry) if entry.link.is_some() && self.can_verify() => ReportAction::Verifying,
            Some(_) => ReportAction::Removed,
        }
    }

    fn can_verify(&self) -> bool {
        self.config.dead_policy == DeadPolicy::Verify && self.config.dialect == Dialect::Framed
    }

    pub(super) fn verify(&mut self, now: Time, dead: Addr, reporter: Addr, out: &mut impl Output) {
        let Some(link) = self.list.link_of(dead) else { return };
        let Some(open) = self.links.get_mut(link) else { return };
        let is_asked = open.check.is_some();
        let check = open.check.get_or_insert_default();
        if check.reporters.len() < REPORTERS_MAX && !check.reporters.contains(&reporter) {
            check.reporters.push(reporter);
        }
        if !is_asked {
            self.ask(now, link, dead, out);
        }
    }

    /// A link may be due, unless a message on it or an absence of the seed has put that off.
    pub(super) fn on_due(&mut self, now: Time, link: LinkId, out: &mut impl Output) {
        let Some(open) = self.links.get_mut(link) else { return };
        let is_heard =
            |check: &Check| check.reporters.is_empty() && check.asked_at().is_some_and(|at| open.heard_at > at);
        if open.check.as_ref().is_some_and(is_heard) {
            open.check = None;
        }
        let Some(open) = self.links.get(link) else { return };
        let due_at = self.due_at(open);
        if due_at.is_none_or(|at| at > now) {
            return self.links.schedule(link, due_at);
        }
        match open.peer() {
            None => self.protocol_violation(now, link, Rule::HandshakeTimeout, "", out),
            Some(peer) => self.on_silence(now, link, peer, out),
        }
    }

    /// When a link needs attention, as far as is known now.
    pub(super) fn due_at(&self, open: &SeedLink) -> Option<Time> {
        let interval = self.config.liveness_interval;
        if open.peer().is_none() {
            let named_late = self.presence.back_at().map(|back_at| back_at + self.config.handshake_timeout);
            return Some(named_late.map_or(open.hello_by, |late| late.max(open.hello_by)));
        }
        match open.check.as_ref().and_then(Check::latest) {
            Some((_, asked_at)) => Some(self.since_back(asked_at) + check_pause(interval)),
            None if self.config.dialect == Dialect::Classic => None,
            None => Some(self.since_back(open.heard_at.min(open.told_at)) + interval * SILENT_INTERVALS),
        }
    }

    /// A registration has been silent for long, or does not answer.
    fn on_silence(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let back_at = self.presence.back_at();
        let Some(open) = self.links.get_mut(link) else { return };
        let last_heard = open.heard_at;
        let check = open.check.get_or_insert_default();
        if let Some((seq, asked_at)) = check.latest() {
            if back_at.is_some_and(|back_at| asked_at < back_at) {
                // Its answers came while the seed did not look: it is probed again.
                check.probes.clear();
            } else {
                let misses = u32::try_from(check.probes.len()).unwrap_or(u32::MAX);
                out.emit(|| ProbeEvent::Missed { peer, seq, misses, limit: CHECK_PROBES, last_heard });
                if misses >= CHECK_PROBES {
                    return self.end_unanswered(now, link, peer, out);
                }
            }
        }
        self.ask(now, link, peer, out);
    }

    /// Sends the next probe of the check of this link.
    fn ask(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let seq = self.probe(now, link, peer, out);
        if let Some(check) = self.links.get_mut(link).and_then(|open| open.check.as_mut()) {
            check.probes.push((seq, now));
        }
        self.schedule(link);
    }

    /// Checks now whether a registered peer is alive, unless a check is running.
    pub(super) fn check_now(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        let Some(link) = self.list.link_of(peer) else { return };
        let Some(open) = self.links.get_mut(link).filter(|open| open.check.is_none()) else { return };
        open.check = Some(Check::default());
        self.ask(now, link, peer, out);
    }

    /// Puts the link among those that will be due.
    pub(super) fn schedule(&mut self, link: LinkId) {
        let due_at = self.links.get(link).and_then(|open| self.due_at(open));
        self.links.schedule(link, due_at);
    }

    /// No probe was answered: the node is dead. If it is alive after all, it finds its registration
    /// closed and registers again.
    fn end_unanswered(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let Some(open) = self.links.get(link) else { return };
        let reporter = open.check.as_ref().and_then(|check| check.reporters.first().copied());
        let reason = reporter.map_or(DelistReason::Silent, |reporter| DelistReason::Unanswered { reporter });
        self.on_departure(now, link, peer, Some(reason), out);
        out.hang_up(link);
        self.links.remove(link);
        let cause = DeathCause::Misses { misses: CHECK_PROBES };
        self.registration_ended(now, link, peer, LinkEnd::Dead { cause }, out);
    }

    pub(super) fn probe(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) -> ProbeSeq {
        self.probes += 1;
        let seq = self.probes;
        let (asker, clock) = (self.config.listen, now.skewed(self.skew_us).clock(self.config.utc_offset_s));
        let extras = Some(self.attest(now, link));
        out.send(link, &Message::Probe { seq, asker, clock, extras });
        out.emit(|| ProbeEvent::Sent { peer, seq });
        seq
    }

    pub(super) fn on_answer(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        (seq, clock): (ProbeSeq, ClockTime),
        out: &mut impl Output,
    ) {
        if let Some(takeover) = self.takeovers.refuted(peer, seq) {
            return self.protocol_violation(now, takeover.link, Rule::NameTaken, &peer.to_string(), out);
        }
        let Some(open) = self.links.get_mut(link) else { return };
        let asked_at = open.check.as_ref().and_then(|check| check.sent_at(seq));
        let (Some(asked_at), Some(check)) = (asked_at, open.check.take_if(|_| asked_at.is_some())) else { return };
        let rtt_us = u64::try_from(now.since(asked_at).as_micros()).unwrap_or(u64::MAX);
        out.emit(|| ProbeEvent::Answered { peer, seq, clock, rtt_us });
        for reporter in check.reporters {
            let disputes = self.count_dispute(reporter);
            out.emit(|| DeathEvent::ReportDisputed { dead: peer, reporter, disputes, rtt_us });
        }
    }

    pub(super) fn count_dispute(&mut self, reporter: Addr) -> u32 {
        if self.disputes.len() >= DISPUTES_MAX && !self.disputes.contains_key(&reporter) {
            self.disputes.pop_first();
        }
        let count = self.disputes.entry(reporter).or_default();
        *count = count.saturating_add(1);
        *count
    }
}
