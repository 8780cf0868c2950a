//! Is a node alive? What a seed does about a dead report (rules 2 and 3), and about a silent
//! registration (rule 5).
//!
//! It probes the node itself: the "suspicion" of SWIM (Das, Gupta, Motivala 2002, section 4.2),
//! with one witness. One answer to any of the probes is enough.

use super::check::{Check, Report, check_pause, id_of};
use super::links::SeedLink;
use super::{DISPUTES_MAX, Registry, SeedCx};
use crate::proto::addr::Addr;
use crate::proto::config::{CHECK_PROBES, DeadPolicy, SeedConfig};
use crate::proto::event::{
    DeathEvent, DelistReason, EventKind, LinkEnd, LinkId, Omission, ProbeEvent, ReportAction, Rule,
};
use crate::proto::machine::Output;
use crate::proto::message::{DeathCause, Message, ProbeSeq, ReportId, VerificationId};
use crate::proto::time::{ClockTime, Time, micros};

/// Liveness intervals of silence after which a registered peer is probed: as long as its neighbors
/// take to find it dead. So no peer goes longer without hearing of the root.
const SILENT_INTERVALS: u32 = 3;
/// Reporters that wait for one check.
pub(super) const REPORTERS_MAX: usize = 64;

fn can_verify(config: &SeedConfig) -> bool {
    config.dead_policy == DeadPolicy::Verify && config.dialect.registrations_answer()
}

impl Registry {
    pub(super) fn on_report(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, report: Report) {
        let Report { dead, clock, reporter, cause } = report;
        let (action, number) = (self.judge(cx, dead), cx.numbers.next_report());
        let verification = if action == ReportAction::Verifying { self.verification_of(cx, dead) } else { None };
        let event = || {
            let report = Some(number);
            EventKind::Death(DeathEvent::DeadReportReceived {
                report,
                dead,
                clock,
                reporter,
                cause,
                action,
                verification,
            })
        };
        match (action, self.links.get(link)) {
            (ReportAction::NotListed, Some(open)) => {
                self.visits.tell(cx, open.remote.ip(), Omission::Reports, event);
            }
            (ReportAction::NotListed | ReportAction::Removed | ReportAction::Verifying, _) => cx.out.emit(event),
        }
        match action {
            ReportAction::NotListed => {}
            ReportAction::Removed => {
                self.delist(cx, dead, DelistReason::Reported { reporter, report: Some(number) }, None);
            }
            ReportAction::Verifying => self.verify(cx, dead, (reporter, number)),
        }
    }

    fn judge<O>(&self, cx: &SeedCx<O>, dead: Addr) -> ReportAction {
        match self.list.get(dead) {
            None => ReportAction::NotListed,
            Some(entry) if entry.link.is_some() && can_verify(cx.config) => ReportAction::Verifying,
            Some(_) => ReportAction::Removed,
        }
    }

    /// The verification of this node that runs, or that begins now.
    fn verification_of<O>(&mut self, cx: &mut SeedCx<O>, dead: Addr) -> Option<VerificationId> {
        let open = self.links.get_mut(self.list.link_of(dead)?)?;
        Some(open.check.get_or_insert_with(|| Check::new(cx.numbers.next_verification())).id)
    }

    pub(super) fn verify(&mut self, cx: &mut SeedCx<impl Output>, dead: Addr, (reporter, report): (Addr, ReportId)) {
        let Some(link) = self.list.link_of(dead) else { return };
        let Some(open) = self.links.get_mut(link) else { return };
        let check = open.check.get_or_insert_with(|| Check::new(cx.numbers.next_verification()));
        let is_asked = !check.probes.is_empty();
        let is_known = check.reporters.iter().any(|(known, _)| *known == reporter);
        if check.reporters.len() < REPORTERS_MAX && !is_known {
            check.reporters.push((reporter, report));
        }
        if !is_asked {
            self.ask(cx, link, dead);
        }
    }

    /// A link may be due, unless a message on it or an absence of the seed has put that off.
    pub(super) fn on_due(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        let is_heard =
            |check: &Check| check.reporters.is_empty() && check.asked_at().is_some_and(|at| open.heard_at > at);
        if open.check.as_ref().is_some_and(is_heard) {
            open.check = None;
        }
        let Some(open) = self.links.get(link) else { return };
        let due_at = self.due_at(cx.config, open);
        if due_at.is_none_or(|at| at > cx.now) {
            return self.links.schedule(link, due_at);
        }
        match open.peer() {
            None => self.protocol_violation(cx, link, Rule::HandshakeTimeout, ""),
            Some(peer) => self.on_silence(cx, link, peer),
        }
    }

    /// When a link needs attention, as far as is known now.
    fn due_at(&self, config: &SeedConfig, open: &SeedLink) -> Option<Time> {
        let interval = config.liveness_interval;
        if open.peer().is_none() {
            let named_late = self.presence.back_at().map(|back_at| back_at + config.handshake_timeout);
            return Some(named_late.map_or(open.hello_by, |late| late.max(open.hello_by)));
        }
        match open.check.as_ref().and_then(Check::latest) {
            Some((_, asked_at)) => Some(self.since_back(asked_at) + check_pause(interval)),
            None if !config.dialect.registrations_answer() => None,
            None => Some(self.since_back(open.heard_at.min(open.told_at)) + interval * SILENT_INTERVALS),
        }
    }

    /// A registration has been silent for long, or does not answer.
    fn on_silence(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) {
        let back_at = self.presence.back_at();
        let Some(open) = self.links.get_mut(link) else { return };
        let last_heard = open.heard_at;
        let check = open.check.get_or_insert_with(|| Check::new(cx.numbers.next_verification()));
        if let Some((seq, asked_at)) = check.latest() {
            if back_at.is_some_and(|back_at| asked_at < back_at) {
                // Its answers came while the seed did not look: it is probed again.
                check.probes.clear();
            } else {
                let misses = u32::try_from(check.probes.len()).unwrap_or(u32::MAX);
                cx.out.emit(|| ProbeEvent::Missed {
                    peer,
                    seq,
                    probe: id_of(seq),
                    misses,
                    limit: CHECK_PROBES,
                    last_heard,
                });
                if misses >= CHECK_PROBES {
                    return self.end_unanswered(cx, link, peer);
                }
            }
        }
        self.ask(cx, link, peer);
    }

    /// Sends the next probe of the check of this link.
    fn ask(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) {
        let seq = self.probe(cx, link, peer);
        if let Some(check) = self.links.get_mut(link).and_then(|open| open.check.as_mut()) {
            check.probes.push((seq, cx.now));
        }
        self.schedule(cx.config, link);
    }

    /// Checks now whether a registered peer is alive, unless a check is running.
    pub(super) fn check_now(&mut self, cx: &mut SeedCx<impl Output>, peer: Addr) {
        let Some(link) = self.list.link_of(peer) else { return };
        let Some(open) = self.links.get_mut(link).filter(|open| open.check.is_none()) else { return };
        open.check = Some(Check::new(cx.numbers.next_verification()));
        self.ask(cx, link, peer);
    }

    /// Puts the link among those that will be due.
    pub(super) fn schedule(&mut self, config: &SeedConfig, link: LinkId) {
        let due_at = self.links.get(link).and_then(|open| self.due_at(config, open));
        self.links.schedule(link, due_at);
    }

    /// No probe was answered: the node is dead. If it is alive after all, it finds its registration
    /// closed and registers again.
    fn end_unanswered(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) {
        let Some(open) = self.links.get(link) else { return };
        let reason = open.check.as_ref().and_then(Check::unanswered).unwrap_or(DelistReason::Silent);
        self.on_departure(cx, link, peer, Some(reason));
        cx.out.hang_up(link);
        self.links.remove(link);
        let cause = DeathCause::Misses { misses: CHECK_PROBES };
        self.registration_ended(cx, link, peer, LinkEnd::Dead { cause });
    }

    pub(super) fn probe(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) -> ProbeSeq {
        let id = cx.numbers.next_probe();
        let seq = ProbeSeq::from(id.0);
        let (asker, clock) = (cx.config.listen, cx.own_time().clock(cx.config.utc_offset_s));
        let extras = Some(self.attest(cx, link));
        cx.out.send(link, &Message::Probe { seq, asker, clock, extras });
        cx.out.emit(|| ProbeEvent::Sent { peer, seq, probe: Some(id) });
        seq
    }

    pub(super) fn on_answer(
        &mut self,
        cx: &mut SeedCx<impl Output>,
        link: LinkId,
        peer: Addr,
        (seq, clock): (ProbeSeq, ClockTime),
    ) {
        if let Some(takeover) = self.takeovers.refuted(peer, seq) {
            return self.protocol_violation(cx, takeover.link, Rule::NameTaken, &peer.to_string());
        }
        let Some(open) = self.links.get_mut(link) else { return };
        let asked_at = open.check.as_ref().and_then(|check| check.sent_at(seq));
        let (Some(asked_at), Some(check)) = (asked_at, open.check.take_if(|_| asked_at.is_some())) else { return };
        let rtt_us = micros(cx.now.since(asked_at));
        let verification = check.until(seq);
        cx.out.emit(|| ProbeEvent::Answered { peer, seq, probe: id_of(seq), clock, rtt_us });
        for (reporter, report) in check.reporters {
            let disputes = self.count_dispute(reporter);
            cx.out.emit(|| DeathEvent::ReportDisputed {
                report: Some(report),
                dead: peer,
                reporter,
                disputes,
                rtt_us,
                verification,
            });
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
