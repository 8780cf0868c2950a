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

use super::Membership;
use super::registration::growing;
use super::unheard::UNHEARD_MAX;
use crate::proto::addr::Addr;
use crate::proto::cx::Cx;
use crate::proto::event::{LinkEvent, RepairReason};
use crate::proto::machine::Output;
use crate::proto::message::RepairId;
use crate::proto::random::Topic;
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
    /// The repair of a shortage of links that has been reported.
    told: Option<RepairId>,
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
    pub(super) fn try_next<O>(&mut self, cx: &mut Cx<O>) {
        let eager = NEXT_TRY_DELAY * (1 << self.refusals.min(DOUBLINGS_MAX));
        self.refusals = self.refusals.saturating_add(1);
        let longest = (cx.config.liveness_interval / 2).min(REPAIR_DELAY_MAX).min(eager);
        self.no_later_than(cx.now + cx.chance.next(Topic::Repair).jitter(longest, 50..=100));
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
        (self.fruitless, self.refusals, self.told) = (0, 0, None);
    }

    /// A neighbor is gone: the peer looks at its links after a short random delay, and if it has
    /// nobody to dial, asks the seeds without a further pause.
    pub(super) fn on_link_lost<O>(&mut self, cx: &mut Cx<O>) {
        self.fruitless = 1;
        let longest = (cx.config.liveness_interval / 2).min(REPAIR_DELAY_MAX);
        self.no_later_than(cx.now + cx.chance.next(Topic::Repair).jitter(longest, 10..=100));
    }
}

impl Membership {
    pub(super) fn repair_if_due(&mut self, cx: &mut Cx<impl Output>) {
        if self.repair.at.is_none_or(|at| at > cx.now) {
            return;
        }
        self.repair.at = None;
        let (have, want) = (self.neighbors.len(), cx.config.max_dial);
        let begins = have < want && self.repair.joined && self.repair.told.is_none();
        if begins {
            self.repair.told = Some(cx.numbers.next_repair());
        }
        self.fill_links(cx);
        if begins {
            let (repair, reason) = (self.repair.told, RepairReason::TooFewLinks { have, want });
            cx.out.emit(|| LinkEvent::Repairing { repair, reason });
        }
        self.repair.joined = true;
        if self.busy().len() < want && self.candidates.ready_at() <= cx.now {
            self.ask_again(cx);
        }
    }

    /// Dials random candidates until there are as many links as the peer aims for, or its budget is
    /// spent.
    pub(super) fn fill_links(&mut self, cx: &mut Cx<impl Output>) {
        let mut busy = self.busy();
        while busy.len() < cx.config.max_dial && self.unheard.len() + self.candidates.dialing.len() < UNHEARD_MAX {
            let is_free = |addr: Addr| !busy.contains(&addr) && !self.unheard.has(addr);
            let chosen = self.candidates.choose(cx.now, is_free, &mut cx.chance.next(Topic::Dial));
            let Some(peer) = chosen else { break };
            if !self.candidates.spend(cx.now) {
                self.repair.no_later_than(self.candidates.ready_at());
                break;
            }
            busy.push(peer);
            self.candidates.dial(cx, peer, self.repair.told);
        }
    }

    /// Nobody is left to dial: the seeds may know somebody by now, or an address that failed may be
    /// worth another try.
    fn ask_again(&mut self, cx: &mut Cx<impl Output>) {
        if self.repair.fruitless > 0 {
            self.registrar.ask_for_lists(cx);
        }
        self.repair.fruitless = self.repair.fruitless.saturating_add(1);
        let patience = if self.neighbors.is_empty() { 1 } else { LINKED_PATIENCE };
        let longest = cx.config.backoff_max.saturating_mul(patience);
        let random = &mut cx.chance.next(Topic::Repair);
        self.repair.no_later_than(cx.now + growing(cx.config, self.repair.fruitless, longest, random));
    }
}
