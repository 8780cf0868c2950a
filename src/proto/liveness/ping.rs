//! The probes of SWIM (Das, Gupta, Motivala 2002) without the indirect ones: once per interval every
//! neighbor is probed; a probe that is not answered within the probe timeout is missed, and some
//! misses in a row make a neighbor dead.

use std::time::Duration;

use smallvec::SmallVec;

use super::Dead;
use crate::proto::addr::Addr;
use crate::proto::cx::{Cx, NeighborOutput};
use crate::proto::event::ProbeEvent;
use crate::proto::flat_map::grow_by_few;
use crate::proto::message::{Message, ProbeExtras, ProbeId, ProbeSeq};
use crate::proto::time::{ClockTime, Time};

/// A probe that is not answered yet.
#[derive(Debug, Clone, Copy)]
struct Outstanding {
    seq: ProbeSeq,
    id: ProbeId,
    sent_at: Time,
    /// It can become a miss. Not so once it was counted, when an answer may still follow, or if it
    /// was sent between ticks.
    counts: bool,
}

impl Outstanding {
    /// When it is missed, with this patience.
    fn missed_at(&self, patience: Duration) -> Option<Time> {
        self.counts.then(|| self.sent_at + patience)
    }
}

/// A neighbor.
#[derive(Debug)]
struct Pinged {
    addr: Addr,
    last_heard: Time,
    /// Unanswered probes in a row.
    misses: u32,
    /// The first of these probes.
    first_missed: ProbeId,
    /// Probes without an answer, the latest last; as many as make it dead.
    unanswered: SmallVec<[Outstanding; 1]>,
    probes_sent: u32,
}

/// The detector: see the module.
#[derive(Debug, Default)]
pub(super) struct PingDetector {
    neighbors: Vec<Pinged>,
    /// When the first probe without an answer is missed; maybe too early, because answers do not
    /// change it.
    judge_at: Option<Time>,
    /// How many have been judged, while that is interrupted by a death.
    judged: usize,
}

impl Pinged {
    fn probe(&mut self, cx: &mut Cx<impl NeighborOutput>, extras: Option<ProbeExtras>, counts: bool) -> ProbeSeq {
        let (peer, asker, clock) = (self.addr, cx.config.listen, cx.clock());
        self.probes_sent = self.probes_sent.wrapping_add(1);
        let seq = u64::from(if cx.config.dialect.has_numbers() { self.probes_sent } else { clock.seconds() });
        if self.unanswered.len() >= cx.config.liveness_misses as usize {
            self.unanswered.remove(0);
        }
        let id = cx.numbers.next_probe();
        self.unanswered.push(Outstanding { seq, id, sent_at: cx.now, counts });
        cx.out.send(peer, &Message::Probe { seq, asker, clock, extras });
        cx.out.emit(|| ProbeEvent::Sent { peer, seq, probe: Some(id) });
        seq
    }
}

impl PingDetector {
    fn get_mut(&mut self, addr: Addr) -> Option<&mut Pinged> {
        self.neighbors.iter_mut().find(|neighbor| neighbor.addr == addr)
    }

    pub(super) fn up(&mut self, now: Time, addr: Addr) {
        grow_by_few(&mut self.neighbors);
        let unanswered = SmallVec::new();
        self.neighbors.push(Pinged {
            addr,
            last_heard: now,
            misses: 0,
            first_missed: ProbeId(0),
            unanswered,
            probes_sent: 0,
        });
    }

    pub(super) fn down(&mut self, peer: Addr) {
        self.neighbors.retain(|neighbor| neighbor.addr != peer);
    }

    pub(super) fn heard(&mut self, now: Time, peer: Addr) {
        if let Some(neighbor) = self.get_mut(peer) {
            neighbor.last_heard = now;
        }
    }

    pub(super) fn touch_kept(&self) -> u64 {
        self.neighbors
            .iter()
            .fold(0, |all, neighbor| all ^ neighbor.last_heard.as_micros() ^ u64::from(neighbor.probes_sent))
    }

    pub(super) fn last_heard(&self, peer: Addr) -> Option<Time> {
        self.neighbors.iter().find(|neighbor| neighbor.addr == peer).map(|neighbor| neighbor.last_heard)
    }

    pub(super) fn tick(&mut self, cx: &mut Cx<impl NeighborOutput>, extras: Option<ProbeExtras>) {
        for neighbor in &mut self.neighbors {
            neighbor.probe(cx, extras, true);
            self.judge_at.get_or_insert(cx.now + cx.config.answer_patience());
        }
    }

    pub(super) fn probe(
        &mut self,
        cx: &mut Cx<impl NeighborOutput>,
        peer: Addr,
        extras: Option<ProbeExtras>,
    ) -> Option<ProbeSeq> {
        Some(self.get_mut(peer)?.probe(cx, extras, false))
    }

    pub(super) fn on_reply(&mut self, cx: &mut Cx<impl NeighborOutput>, peer: Addr, seq: ProbeSeq, clock: ClockTime) {
        let Some(neighbor) = self.get_mut(peer) else { return };
        // A late answer, to a probe that was counted as missed, shows that the neighbor is alive,
        // too.
        let Some(at) = neighbor.unanswered.iter().rposition(|probe| probe.seq == seq) else { return };
        let Outstanding { id, sent_at, .. } = neighbor.unanswered[at];
        let (rtt_us, probe) = (cx.now.micros_since(sent_at), Some(id));
        neighbor.unanswered.drain(..=at);
        neighbor.misses = 0;
        cx.out.emit(|| ProbeEvent::Answered { peer, seq, probe, clock, rtt_us });
    }

    /// One miss each at most, however late it is.
    pub(super) fn judge(&mut self, cx: &mut Cx<impl NeighborOutput>) -> Option<Dead> {
        let (limit, patience) = (cx.config.liveness_misses, cx.config.answer_patience());
        if self.judge_at.is_none_or(|at| at > cx.now) {
            return None;
        }
        for (at, neighbor) in self.neighbors.iter_mut().enumerate().skip(self.judged) {
            let is_missed = |probe: &&mut Outstanding| probe.missed_at(patience).is_some_and(|at| at <= cx.now);
            let Some(probe) = neighbor.unanswered.iter_mut().rev().find(is_missed) else { continue };
            probe.counts = false;
            let Outstanding { seq, id, .. } = *probe;
            if neighbor.misses == 0 {
                neighbor.first_missed = id;
            }
            neighbor.misses += 1;
            let (peer, misses, last_heard) = (neighbor.addr, neighbor.misses, neighbor.last_heard);
            cx.out.emit(|| ProbeEvent::Missed { peer, seq, probe: Some(id), misses, limit, last_heard });
            if misses >= limit {
                self.judged = at;
                return Some(Dead { peer, misses, last_heard, missed: [neighbor.first_missed, id] });
            }
        }
        self.judged = 0;
        let unanswered = self.neighbors.iter().flat_map(|neighbor| &neighbor.unanswered);
        self.judge_at = unanswered.filter_map(|probe| probe.missed_at(patience)).min();
        None
    }

    /// This node was away: what has not been answered so far counts against nobody.
    pub(super) fn excuse_all(&mut self) {
        for neighbor in &mut self.neighbors {
            neighbor.misses = 0;
            neighbor.unanswered.iter_mut().for_each(|probe| probe.counts = false);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.judge_at
    }
}
