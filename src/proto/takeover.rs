//! Strangers that name the address of a node whose link is up.
//!
//! A hello proves nothing. A stranger that could take a node's place by naming its address could
//! cut any two nodes apart. So the existing link is probed first: if an answer comes in time, the
//! newcomer is closed. A node that restarted before its end was noticed does not answer on its old
//! link; that link closes, or its time runs out, and the newcomer takes its place.

use std::time::Duration;

use super::addr::Addr;
use super::event::LinkId;
use super::message::{Hello, ProbeSeq};
use super::time::Time;

/// A newcomer that waits while the holder of the address is probed.
#[derive(Debug)]
pub(super) struct Takeover {
    /// The newcomer's connection.
    pub(super) link: LinkId,
    pub(super) hello: Hello,
    /// The probe on the existing link.
    seq: ProbeSeq,
    decide_by: Time,
}

/// The newcomers that wait, at most one for each address.
#[derive(Debug, Default)]
pub(super) struct Takeovers(Vec<Takeover>);

impl Takeovers {
    /// How long an answer may take: well within the time that the newcomer waits for its own.
    pub(super) fn patience(handshake_timeout: Duration, liveness_interval: Duration) -> Duration {
        (handshake_timeout / 2).min(liveness_interval)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, named: Addr) -> bool {
        self.0.iter().any(|takeover| takeover.hello.listen == named)
    }

    pub(super) fn add(&mut self, link: LinkId, hello: Hello, seq: ProbeSeq, decide_by: Time) {
        self.0.push(Takeover { link, hello, seq, decide_by });
    }

    /// The holder answers this probe. Returns the newcomer that it disproves, if the probe was for
    /// one.
    pub(super) fn refuted(&mut self, named: Addr, seq: ProbeSeq) -> Option<Takeover> {
        let at = self.0.iter().position(|takeover| takeover.hello.listen == named && takeover.seq == seq)?;
        Some(self.0.swap_remove(at))
    }

    /// A newcomer whose time is over, or for which `is_decided` holds.
    pub(super) fn take_decided(&mut self, now: Time, is_decided: impl Fn(&Takeover) -> bool) -> Option<Takeover> {
        let at = self.0.iter().position(|takeover| takeover.decide_by <= now || is_decided(takeover))?;
        Some(self.0.swap_remove(at))
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|takeover| takeover.decide_by).min()
    }

    /// Gives the holders their time again: the node that probed them was away.
    pub(super) fn postpone(&mut self, decide_by: Time) {
        self.0.iter_mut().for_each(|takeover| takeover.decide_by = takeover.decide_by.max(decide_by));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
