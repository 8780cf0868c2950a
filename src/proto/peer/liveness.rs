//! Liveness: probing the neighbors, and what a death causes (rules 7 and 8).
//!
//! The probes are those of SWIM (Das, Gupta, Motivala 2002) without the indirect ones: one tick of
//! the whole node per interval; a probe that is not answered within the probe timeout is missed.

use std::time::Duration;

use super::Peer;
use super::root::TickTask;
use super::spread::next_turn;
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::event::{DeathEvent, FaultEvent, LinkEnd, LinkId, ProbeEvent};
use crate::proto::machine::Output;
use crate::proto::message::{DeathCause, Dialect, Message, ProbeSeq};
use crate::proto::random::Random;
use crate::proto::time::{ClockTime, Time};

/// A probe that is not answered yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outstanding {
    seq: ProbeSeq,
    sent_at: Time,
    /// It can become a miss. Not so once it was counted, when an answer may still follow, or if it
    /// was sent between ticks: a stranger that often names a neighbor's address must not hurry its
    /// death.
    counts: bool,
}

impl Outstanding {
    pub(super) fn excuse(&mut self) {
        self.counts = false;
    }

    /// When it is missed, with this patience.
    pub(super) fn missed_at(&self, patience: Duration) -> Option<Time> {
        self.counts.then(|| self.sent_at + patience)
    }
}

/// When a peer probes its neighbors.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "they are points in time, as their names say")]
pub(super) struct Liveness {
    pub(super) next_at: Option<Time>,
    /// When the first probe without an answer is missed; maybe too early, because answers do not change it.
    pub(super) judge_at: Option<Time>,
    /// When it asks its seeds whether they list it, after an absence.
    pub(super) ask_seeds_at: Option<Time>,
}

impl Liveness {
    pub(super) fn start(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        // Nodes that start together do not probe together.
        self.next_at = Some(now + random.jitter(config.liveness_interval, 50..=100));
    }
}

impl Peer {
    pub(super) fn probe_if_due(&mut self, now: Time, out: &mut impl Output) {
        let Some(at) = self.liveness.next_at.filter(|at| *at <= now) else { return };
        self.liveness.next_at = Some(next_turn(at, now, self.config.liveness_interval));
        let task = self.tick_task(now);
        self.trim_links(now, out);
        self.tell_eclipse(out);
        let neighbors: Vec<Addr> = self.neighbors().collect();
        for peer in neighbors {
            self.probe(now, peer, out);
            self.expect_answer(now, peer);
        }
        match task {
            TickTask::Nothing => {}
            TickTask::AskSeeds => self.ask_seeds(out),
            TickTask::Bridge => self.build_bridge(now, out),
        }
    }

    /// The last probe of this neighbor is one of a tick.
    fn expect_answer(&mut self, now: Time, peer: Addr) {
        if let Some(probe) = self.overlay.get_mut(peer).and_then(|neighbor| neighbor.unanswered.last_mut()) {
            probe.counts = true;
            self.liveness.judge_at.get_or_insert(now + self.config.answer_patience());
        }
    }

    /// Probes whose time is over are missed.
    pub(super) fn judge_probes(&mut self, now: Time, out: &mut impl Output) {
        if self.liveness.judge_at.is_none_or(|at| at > now) {
            return;
        }
        let neighbors: Vec<Addr> = self.neighbors().collect();
        for peer in neighbors {
            self.count_miss(now, peer, out);
        }
        self.liveness.judge_at = self.overlay.next_judgment(self.config.answer_patience());
    }

    fn count_miss(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        let (limit, patience) = (self.config.liveness_misses, self.config.answer_patience());
        let Some(neighbor) = self.overlay.get_mut(peer) else { return };
        let is_missed = |probe: &&mut Outstanding| probe.missed_at(patience).is_some_and(|at| at <= now);
        let Some(probe) = neighbor.unanswered.iter_mut().rev().find(is_missed) else { return };
        probe.counts = false;
        let seq = probe.seq;
        neighbor.misses += 1;
        let (misses, last_heard) = (neighbor.misses, neighbor.last_heard);
        out.emit(|| ProbeEvent::Missed { peer, seq, misses, limit, last_heard });
        if misses >= limit {
            self.bury(now, peer, DeathCause::Misses { misses }, out);
        }
    }

    /// Probes a neighbor now; returns the probe's number, if the node is a neighbor.
    pub(super) fn probe(&mut self, now: Time, peer: Addr, out: &mut impl Output) -> Option<ProbeSeq> {
        let link = self.overlay.get(peer)?.link();
        self.probe_on(now, peer, link, out)
    }

    /// The same on this one of its links.
    pub(super) fn probe_on(&mut self, now: Time, peer: Addr, link: LinkId, out: &mut impl Output) -> Option<ProbeSeq> {
        let clock = self.own_time(now).clock(self.config.utc_offset_s);
        let (asker, extras, dialect) = (self.config.listen, self.extras(now), self.config.dialect);
        let limit = self.config.liveness_misses as usize;
        let neighbor = self.overlay.get_mut(peer)?;
        neighbor.probes_sent += 1;
        let seq = match dialect {
            Dialect::Framed => neighbor.probes_sent,
            Dialect::Classic => u64::from(clock.seconds()),
        };
        if neighbor.unanswered.len() >= limit {
            neighbor.unanswered.remove(0);
        }
        neighbor.unanswered.push(Outstanding { seq, sent_at: now, counts: false });
        out.send(link, &Message::Probe { seq, asker, clock, extras });
        out.emit(|| ProbeEvent::Sent { peer, seq });
        Some(seq)
    }

    pub(super) fn on_probe_reply(
        &mut self,
        now: Time,
        peer: Addr,
        seq: ProbeSeq,
        clock: ClockTime,
        out: &mut impl Output,
    ) {
        self.refute_takeover(now, peer, seq, out);
        let Some(neighbor) = self.overlay.get_mut(peer) else { return };
        // A late answer, to a probe that was counted as missed, shows that the neighbor is alive,
        // too.
        let Some(at) = neighbor.unanswered.iter().rposition(|probe| probe.seq == seq) else { return };
        let sent_at = neighbor.unanswered[at].sent_at;
        neighbor.unanswered.drain(..=at);
        neighbor.misses = 0;
        let rtt_us = u64::try_from(now.since(sent_at).as_micros()).unwrap_or(u64::MAX);
        out.emit(|| ProbeEvent::Answered { peer, seq, clock, rtt_us });
    }

    /// A neighbor is dead: drops it and tells every seed that we are registered with.
    pub(super) fn bury(&mut self, now: Time, peer: Addr, cause: DeathCause, out: &mut impl Output) {
        let Some(neighbor) = self.overlay.get(peer) else { return };
        let (last_heard, is_told) =
            (neighbor.last_heard, !neighbor.links.iter().all(|link| self.visits.is_untold(*link)));
        if is_told {
            out.emit(|| DeathEvent::NeighborDied { peer, cause, last_heard });
        }
        self.lost_candidate(peer, now + self.cool_down());
        self.part(now, peer, LinkEnd::Dead { cause }, out);
        // A neighbor that came and went in a flood is no loss, and reporting it would flood the
        // seeds.
        if is_told {
            self.report_death(now, peer, cause, out);
        }
    }

    /// Reports a node dead without a probe.
    pub(super) fn lie(&mut self, now: Time, about: Addr, out: &mut impl Output) {
        out.emit(|| FaultEvent::Lied { about });
        self.report_death(now, about, DeathCause::Misses { misses: self.config.liveness_misses }, out);
    }

    fn report_death(&mut self, now: Time, dead: Addr, cause: DeathCause, out: &mut impl Output) {
        let clock = self.own_time(now).clock(self.config.utc_offset_s);
        let up: Vec<(Addr, LinkId)> = self.registrar.up().collect();
        for (_, link) in &up {
            let cause = self.framed().then_some(cause);
            out.send(*link, &Message::DeadReport { dead, clock, reporter: self.config.listen, cause });
        }
        out.emit(|| DeathEvent::DeadReportSent {
            dead,
            clock,
            seeds: up.iter().map(|(seed, _)| *seed).collect(),
            cause,
        });
    }
}
