//! The connections of a seed, and which of them wants its attention next.
//!
//! A seed has thousands, and hardly any of them is due. So what is due next is kept in order, and what is heard on a
//! link does not change its place: when the place comes, it is looked whether the link is due by then.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::net::SocketAddr;

use super::checks::Check;
use crate::proto::addr::Addr;
use crate::proto::budget::Budget;
use crate::proto::event::LinkId;
use crate::proto::time::Time;

/// A connection to the seed.
#[derive(Debug)]
pub(super) struct SeedLink {
    pub(super) remote: SocketAddr,
    /// Who it is, once it has said so.
    pub(super) peer: Option<Addr>,
    /// Until when it must have said so.
    pub(super) hello_by: Time,
    /// When it was sent the list last.
    pub(super) listed_at: Time,
    /// When anything was last heard from it.
    pub(super) heard_at: Time,
    /// The question whether it lives, while that is open.
    pub(super) check: Option<Check>,
    pub(super) budget: Budget,
    /// Its place among those that will be due.
    due_at: Option<Time>,
}

impl SeedLink {
    pub(super) fn new(now: Time, remote: SocketAddr, hello_by: Time) -> Self {
        let due_at = Some(hello_by);
        Self {
            remote,
            peer: None,
            hello_by,
            listed_at: now,
            heard_at: now,
            check: None,
            budget: Budget::default(),
            due_at,
        }
    }
}

/// The connections by their ids.
#[derive(Debug, Default)]
pub(super) struct SeedLinks {
    open: BTreeMap<LinkId, SeedLink>,
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

    pub(super) fn values(&self) -> btree_map::Values<'_, LinkId, SeedLink> {
        self.open.values()
    }

    pub(super) fn insert(&mut self, link: LinkId, open: SeedLink) {
        self.remove(link);
        self.due.extend(open.due_at.map(|at| (at, link)));
        self.open.insert(link, open);
    }

    pub(super) fn remove(&mut self, link: LinkId) -> Option<SeedLink> {
        let open = self.open.remove(&link)?;
        if let Some(at) = open.due_at {
            self.due.remove(&(at, link));
        }
        Some(open)
    }

    pub(super) fn into_open(self) -> BTreeMap<LinkId, SeedLink> {
        self.open
    }

    /// The link wants attention at this time; `None`: not until something happens.
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
