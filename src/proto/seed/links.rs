//! The connections of a seed, and which of them needs attention next.
//!
//! A seed has thousands, and hardly any of them is due. So they are kept in the order in which they
//! are due, and a message on a link does not change its place: when its turn comes, the seed checks
//! whether it is still due.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::check::Check;
use crate::proto::addr::Addr;
use crate::proto::budget::Budget;
use crate::proto::event::LinkId;
use crate::proto::half_open::HalfOpen;
use crate::proto::time::Time;

/// A connection to the seed.
#[derive(Debug)]
pub(super) struct SeedLink {
    pub(super) remote: Addr,
    /// Its address, once it has named it.
    peer: Option<Addr>,
    /// By when it must have done so.
    pub(super) hello_by: Time,
    /// When it was last sent the list.
    pub(super) listed_at: Time,
    /// When it was last told of the root.
    pub(super) told_at: Time,
    /// When anything was last heard from it.
    pub(super) heard_at: Time,
    /// The check whether it is alive, while that is running.
    pub(super) check: Option<Check>,
    pub(super) budget: Budget,
    /// Its place among those that will be due.
    due_at: Option<Time>,
}

impl SeedLink {
    pub(super) fn new(now: Time, remote: Addr, hello_by: Time) -> Self {
        let due_at = Some(hello_by);
        Self {
            remote,
            peer: None,
            hello_by,
            listed_at: now,
            told_at: now,
            heard_at: now,
            check: None,
            budget: Budget::default(),
            due_at,
        }
    }

    /// Its address, once it has named it.
    pub(super) fn peer(&self) -> Option<Addr> {
        self.peer
    }
}

/// The connections by their ids.
#[derive(Debug, Default)]
pub(super) struct SeedLinks {
    open: BTreeMap<LinkId, SeedLink>,
    /// Those that have not named themselves.
    half_open: HalfOpen,
    due: BTreeSet<(Time, LinkId)>,
}

impl SeedLinks {
    pub(super) fn get(&self, link: LinkId) -> Option<&SeedLink> {
        self.open.get(&link)
    }

    pub(super) fn get_mut(&mut self, link: LinkId) -> Option<&mut SeedLink> {
        self.open.get_mut(&link)
    }

    pub(super) fn contains_key(&self, link: LinkId) -> bool {
        self.open.contains_key(&link)
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &SeedLink> {
        self.open.values()
    }

    /// Those that have not named themselves.
    pub(super) fn half_open(&self) -> &HalfOpen {
        &self.half_open
    }

    /// A new connection, which has not named itself.
    pub(super) fn insert(&mut self, link: LinkId, open: SeedLink) {
        self.remove(link);
        self.half_open.enter(open.remote.ip());
        self.due.extend(open.due_at.map(|at| (at, link)));
        self.open.insert(link, open);
    }

    /// The remote has named itself. Returns the machine that it connects from.
    pub(super) fn name(&mut self, link: LinkId, peer: Addr) -> Option<Ipv4Addr> {
        let open = self.open.get_mut(&link)?;
        let host = open.remote.ip();
        if open.peer.replace(peer).is_none() {
            self.half_open.leave(host);
        }
        Some(host)
    }

    pub(super) fn remove(&mut self, link: LinkId) -> Option<SeedLink> {
        let open = self.open.remove(&link)?;
        if open.peer.is_none() {
            self.half_open.leave(open.remote.ip());
        }
        if let Some(at) = open.due_at {
            self.due.remove(&(at, link));
        }
        Some(open)
    }

    pub(super) fn into_open(self) -> BTreeMap<LinkId, SeedLink> {
        self.open
    }

    /// The link needs attention at this time; `None`: not until something happens.
    pub(super) fn schedule(&mut self, link: LinkId, at: Option<Time>) {
        let Some(open) = self.open.get_mut(&link) else { return };
        if let Some(before) = std::mem::replace(&mut open.due_at, at) {
            self.due.remove(&(before, link));
        }
        self.due.extend(at.map(|at| (at, link)));
    }

    /// When the first link may be due.
    pub(super) fn first_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A link that may be due now. It loses its place.
    pub(super) fn take_due(&mut self, now: Time) -> Option<LinkId> {
        if self.first_due()? > now {
            return None;
        }
        let (_, link) = self.due.pop_first()?;
        if let Some(open) = self.open.get_mut(&link) {
            open.due_at = None;
        }
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_named_itself_leaves_room_for_others() {
        let (now, peer) = (Time::from_micros(1), Addr::loopback(3001));
        let mut links = SeedLinks::default();
        links.insert(LinkId(1), SeedLink::new(now, peer, now));
        assert_eq!(links.half_open().len(), 1);
        (0..2).for_each(|_| assert!(links.name(LinkId(1), peer).is_some()));
        links.insert(LinkId(2), SeedLink::new(now, peer, now));
        assert_eq!(links.half_open().len(), 1);
        links.remove(LinkId(1));
        assert_eq!(links.half_open().len(), 1, "the named one was not counted any more");
        links.remove(LinkId(2));
        assert_eq!(links.half_open().len(), 0);
    }
}
