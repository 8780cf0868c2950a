//! Repair: more links when some are missing (rule 9).
//!
//! The peer dials addresses of its reserve. When it has none left, it asks its seeds for a fresh
//! sample: at once when it has lost a neighbor, then after pauses that grow, with jitter. The
//! classic dialect has no such question except to register again, and a Python seed appends an
//! entry each time until its list no longer fits its readers. So a classic peer dials from the
//! lists that it has and the origins of gossip, and waits to be dialed.
//!
//! Whether its links lead everywhere is another matter: see [`super::root`].

use std::time::Duration;

use super::Peer;
use super::join::growing;
use super::overlay::DIAL_RATE;
use crate::proto::config::PeerConfig;
use crate::proto::event::{LinkEvent, RepairReason};
use crate::proto::machine::Output;
use crate::proto::random::{Random, Topic};
use crate::proto::time::Time;

/// How long a joining peer waits for the samples of the other seeds before it dials.
const JOIN_PATIENCE: Duration = Duration::from_millis(200);
/// The longest wait before a lost link is replaced: many peers lose the same neighbor at once.
const REPAIR_DELAY_MAX: Duration = Duration::from_secs(1);
/// The wait before the next dial after the first refusal; it doubles with each one in a row. In a
/// network that starts all at once, many are refused once or twice.
const NEXT_TRY_DELAY: Duration = Duration::from_millis(30);
/// Doublings after which that wait is at its longest.
const DOUBLINGS_MAX: u32 = 6;
/// A peer with neighbors lets the pauses between two questions for a sample grow this much longer
/// than one without, to five minutes: in a network smaller than `max_dial` there is nobody to find.
const LINKED_PATIENCE: u32 = 10;

/// What a peer does about missing links.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// When it looks at its links next.
    at: Option<Time>,
    /// Rounds in a row that asked the seeds and found nobody to dial.
    fruitless: u32,
    /// Dials in a row that failed.
    refusals: u32,
    /// The peer has finished its first round; a later one is a repair.
    joined: bool,
    /// A shortage of links has been reported.
    told: bool,
}

impl Repair {
    pub(super) fn next_at(&self) -> Option<Time> {
        self.at
    }

    /// The peer has dialed its first links, or had nobody to dial.
    pub(super) fn joined(&self) -> bool {
        self.joined
    }

    /// A dial failed: the next candidate is tried at once, then less and less eagerly.
    pub(super) fn try_next(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        let eager = NEXT_TRY_DELAY * (1 << self.refusals.min(DOUBLINGS_MAX));
        self.refusals = self.refusals.saturating_add(1);
        let longest = (config.liveness_interval / 2).min(REPAIR_DELAY_MAX).min(eager);
        self.no_later_than(now + random.jitter(longest, 50..=100));
    }

    /// The peer looks at its links at this time, if not before.
    pub(super) fn no_later_than(&mut self, at: Time) {
        self.at = Some(self.at.map_or(at, |before| before.min(at)));
    }

    /// A seed answered: the first lists are waited for together.
    pub(super) fn on_registered(&mut self, now: Time, complete: bool) {
        if !self.joined {
            self.no_later_than(if complete { now } else { now + JOIN_PATIENCE });
        }
    }

    pub(super) fn on_link_gained(&mut self) {
        (self.fruitless, self.refusals, self.told) = (0, 0, false);
    }

    /// A neighbor is gone: the peer looks at its links after a short random delay, and if it has
    /// nobody to dial, asks the seeds without a further pause.
    pub(super) fn on_link_lost(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        self.fruitless = 1;
        let longest = (config.liveness_interval / 2).min(REPAIR_DELAY_MAX);
        self.no_later_than(now + random.jitter(longest, 10..=100));
    }
}

impl Peer {
    pub(super) fn repair_if_due(&mut self, now: Time, out: &mut impl Output) {
        if self.repair.at.is_none_or(|at| at > now) {
            return;
        }
        self.repair.at = None;
        self.fill_links(now, out);
        let (have, want) = (self.overlay.neighbors.len(), self.config.max_dial);
        self.tell_repair(have, want, out);
        self.repair.joined = true;
        let may_dial = self.dial_budget.ready_at(DIAL_RATE) <= now;
        if self.busy().len() < want && may_dial {
            self.ask_again(now, out);
        }
    }

    fn tell_repair(&mut self, have: usize, want: usize, out: &mut impl Output) {
        if have < want && self.repair.joined && !self.repair.told {
            self.repair.told = true;
            out.emit(|| LinkEvent::Repairing { reason: RepairReason::TooFewLinks { have, want } });
        }
    }

    /// Nobody is left to dial: the seeds may know somebody by now, or an address that failed may be
    /// worth another try.
    fn ask_again(&mut self, now: Time, out: &mut impl Output) {
        if self.repair.fruitless > 0 {
            self.ask_seeds(out);
        }
        self.repair.fruitless = self.repair.fruitless.saturating_add(1);
        let patience = if self.overlay.neighbors.is_empty() { 1 } else { LINKED_PATIENCE };
        let longest = self.config.backoff_max.saturating_mul(patience);
        self.repair.no_later_than(
            now + growing(&self.config, self.repair.fruitless, longest, &mut self.choices.next(Topic::Repair)),
        );
    }
}
