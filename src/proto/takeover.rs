//! Strangers that name the address of a node whose link is up.
//!
//! A hello proves nothing. Whoever could take another's place by naming its address could cut any two
//! nodes apart. So the link that is there is asked first: an answer in time, and the newcomer is shown the
//! door. A node that has restarted before its end was noticed does not answer on its old link; that
//! closes, or its time runs out, and the newcomer has its place.

use std::time::Duration;

use super::addr::Addr;
use super::event::LinkId;
use super::message::{Hello, ProbeSeq};
use super::time::Time;

/// A newcomer that waits while the node whose address it named is asked.
#[derive(Debug)]
pub(super) struct Takeover {
    /// The newcomer's connection.
    pub(super) link: LinkId,
    /// What it said.
    pub(super) hello: Hello,
    /// The probe on the link that is there.
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
        self.0.iter().any(|claim| claim.hello.listen == named)
    }

    pub(super) fn add(&mut self, link: LinkId, hello: Hello, seq: ProbeSeq, decide_by: Time) {
        self.0.push(Takeover { link, hello, seq, decide_by });
    }

    /// The node that was named answers this probe: who named it falsely, if it was about that.
    pub(super) fn refuted(&mut self, named: Addr, seq: ProbeSeq) -> Option<Takeover> {
        let at = self.0.iter().position(|claim| claim.hello.listen == named && claim.seq == seq)?;
        Some(self.0.swap_remove(at))
    }

    /// A claim whose time is over, or of which `is_decided` holds.
    pub(super) fn take_decided(&mut self, now: Time, is_decided: impl Fn(&Takeover) -> bool) -> Option<Takeover> {
        let at = self.0.iter().position(|claim| claim.decide_by <= now || is_decided(claim))?;
        Some(self.0.swap_remove(at))
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|claim| claim.decide_by).min()
    }

    /// Those who were asked get their time anew: the node that asked them was away.
    pub(super) fn postpone(&mut self, decide_by: Time) {
        self.0.iter_mut().for_each(|claim| claim.decide_by = claim.decide_by.max(decide_by));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
