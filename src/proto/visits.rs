//! Bounded reports of links that come and go: a stranger that floods us with complete hellos must
//! not flood the screen, the journal and the log files.
//!
//! A node announces each link that comes up and each that ends. Once many links from one machine
//! have ended within a [`WINDOW`], further ones from there are announced only when they have lasted
//! for [`STAY`]; those that end before count in one number at the window's end. So every link that
//! lasts is announced, and so is its end; a flood is a number. Whatever else a flood makes a node
//! report one by one, refusals and reports about strangers, is counted in the same way.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::cx::Cx;
use super::event::{EventKind, LinkEvent, LinkId, Omission};
use super::flat_map::FlatMap;
use super::machine::Output;
use super::time::{Time, micros};

/// Ends of links from one machine that are announced one by one in a window: as many as a peer can
/// have links.
const ENDS_TOLD_MAX: u32 = 64;
/// Refusals that are announced one by one: a lab of a thousand, whose peers share one address,
/// begins with some dozens for each peer.
const REFUSALS_TOLD_MAX: u32 = 256;
/// Reports about unlisted nodes that are announced one by one: everything that is said about sixty
/// deaths.
const REPORTS_TOLD_MAX: u32 = 512;
/// How long events are counted before their number is announced.
const WINDOW: Duration = Duration::from_secs(10);
/// How long a link from a machine whose links come and go must last to be announced.
const STAY: Duration = Duration::from_secs(2);
/// Ended links that may keep places among those that are still to be announced.
const STAYS_SLACK: usize = 64;
/// Machines that are counted apart; further ones in the same window are counted with the last of
/// them.
const HOSTS_MAX: usize = 32;

/// What came from one machine in the current window.
#[derive(Debug)]
struct VisitWindow {
    ends_at: Time,
    counts: [VisitCount; 3],
}

/// How much of one kind there was.
#[derive(Debug, Clone, Copy, Default)]
struct VisitCount {
    told: u32,
    untold: u64,
}

/// A link that another machine opened and that is up.
#[derive(Debug)]
struct Visit {
    from: Ipv4Addr,
    /// It was announced that the link is up.
    is_told: bool,
}

/// The visits: see the module.
#[derive(Debug, Default)]
pub(super) struct Visits {
    windows: FlatMap<Ipv4Addr, VisitWindow>,
    up: BTreeMap<LinkId, Visit>,
    /// When links that were not announced will be, in order; some have ended by then.
    stays: VecDeque<(Time, LinkId)>,
}

const fn place(what: Omission) -> usize {
    match what {
        Omission::Links => 0,
        Omission::Refusals => 1,
        Omission::Reports => 2,
    }
}

const fn told_max(what: Omission) -> u32 {
    match what {
        Omission::Links => ENDS_TOLD_MAX,
        Omission::Refusals => REFUSALS_TOLD_MAX,
        Omission::Reports => REPORTS_TOLD_MAX,
    }
}

impl Visits {
    /// A link that was opened from there is up. Returns whether to announce it now.
    pub(super) fn came(&mut self, now: Time, link: LinkId, from: Ipv4Addr) -> bool {
        let busy =
            |window: &VisitWindow| window.ends_at > now && window.counts[place(Omission::Links)].told >= ENDS_TOLD_MAX;
        let is_told = !self.windows.get(from).is_some_and(busy);
        self.up.insert(link, Visit { from, is_told });
        if !is_told {
            self.stays.push_back((now + STAY, link));
            self.forget_gone();
        }
        is_told
    }

    /// Removes the places of ended links beyond what a flood may take.
    fn forget_gone(&mut self) {
        if self.stays.len() > STAYS_SLACK + 2 * self.up.len() {
            let up = &self.up;
            self.stays.retain(|(_, link)| up.contains_key(link));
        }
    }

    /// Whether this link was not announced yet.
    pub(super) fn is_untold(&self, link: LinkId) -> bool {
        self.up.get(&link).is_some_and(|visit| !visit.is_told)
    }

    /// A link has ended. Returns whether to announce that; always true for a link that another
    /// machine did not open.
    pub(super) fn went(&mut self, cx: &mut Cx<impl Output, impl Sized>, link: LinkId) -> bool {
        let Some(visit) = self.up.remove(&link) else { return true };
        let is_told = visit.is_told;
        let count = self.count(cx, visit.from, Omission::Links);
        if is_told {
            count.told = count.told.saturating_add(1);
        } else {
            count.untold += 1;
        }
        is_told
    }

    /// Announces something that came from this machine, or counts it.
    pub(super) fn tell(
        &mut self,
        cx: &mut Cx<impl Output, impl Sized>,
        from: Ipv4Addr,
        what: Omission,
        event: impl FnOnce() -> EventKind,
    ) {
        let count = self.count(cx, from, what);
        if count.told < told_max(what) {
            count.told += 1;
            cx.out.emit(event);
        } else {
            count.untold += 1;
        }
    }

    fn count(&mut self, cx: &mut Cx<impl Output, impl Sized>, from: Ipv4Addr, what: Omission) -> &mut VisitCount {
        self.end_windows(cx);
        let is_known = self.windows.contains_key(from) || self.windows.len() < HOSTS_MAX;
        let last = self.windows.last_key();
        let host = if is_known { from } else { last.unwrap_or(from) };
        let window = || VisitWindow { ends_at: cx.now + WINDOW, counts: Default::default() };
        &mut self.windows.get_or_insert_with(host, window).counts[place(what)]
    }

    /// The links that have lasted long enough to be announced; each once.
    pub(super) fn take_stayed(&mut self, now: Time) -> Vec<LinkId> {
        let mut stayed = Vec::new();
        while self.stays.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, link)) = self.stays.pop_front() else { break };
            if let Some(visit) = self.up.get_mut(&link).filter(|visit| !visit.is_told) {
                visit.is_told = true;
                stayed.push(link);
            }
        }
        stayed
    }

    /// Announces how much was counted in the windows that are over.
    pub(super) fn end_windows(&mut self, cx: &mut Cx<impl Output, impl Sized>) {
        self.end_windows_by(cx.now, cx.out);
    }

    fn end_windows_by(&mut self, now: Time, out: &mut impl Output) {
        self.windows.retain(|host, window| {
            let is_over = window.ends_at <= now;
            for what in [Omission::Links, Omission::Refusals, Omission::Reports].into_iter().filter(|_| is_over) {
                let count = window.counts[place(what)].untold;
                if count > 0 {
                    out.emit(|| summary(host, what, count));
                }
            }
            !is_over
        });
    }

    /// When there is something to announce.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let stay = self.stays.front().map(|(at, _)| *at);
        let is_untold = |window: &&VisitWindow| window.counts.iter().any(|count| count.untold > 0);
        let ends = self.windows.values().filter(is_untold).map(|window| window.ends_at);
        stay.into_iter().chain(ends).min()
    }

    /// Nothing more comes: announces how much was counted.
    pub(super) fn end(&mut self, cx: &mut Cx<impl Output, impl Sized>) {
        self.end_windows_by(Time::from_micros(u64::MAX), cx.out);
        self.up.clear();
        self.stays.clear();
    }
}

fn summary(host: Ipv4Addr, what: Omission, count: u64) -> EventKind {
    let span_us = micros(WINDOW);
    EventKind::Link(LinkEvent::Omitted { what, host, count, span_us })
}
