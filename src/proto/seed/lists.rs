//! What a seed says about its list: samples of it, and who the root is.

use std::time::Duration;

use super::Seed;
use crate::proto::addr::Addr;
use crate::proto::config::{CLASSIC_LIST_LEN, LIST_LEN_MAX};
use crate::proto::event::{LinkId, SeedEvent};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, Message, PeerSample, ProbeExtras, RootNews};
use crate::proto::random::Topic;
use crate::proto::time::Time;

/// A request this soon after the last sample is not answered. A peer in need asks every quarter of
/// a second at most.
const LIST_PAUSE: Duration = Duration::from_millis(20);

impl Seed {
    /// A sample is hundreds of times as long as the request for it: at most a few a second are
    /// sent, and none to a flooder.
    pub(super) fn send_list_again(&mut self, now: Time, link: LinkId, out: &mut impl Output) {
        let is_due = self
            .links
            .get(link)
            .is_some_and(|open| now.since(open.listed_at) >= LIST_PAUSE && !open.budget.is_exceeded());
        if is_due {
            self.send_list(now, link, out);
        }
    }

    pub(super) fn send_list(&mut self, now: Time, link: LinkId, out: &mut impl Output) {
        let Some(open) = self.links.get_mut(link) else { return };
        (open.listed_at, open.told_at) = (now, now);
        let peer = open.peer();
        let sample = self.sample(peer);
        out.send(link, &Message::PeerList(sample.clone()));
        if !self.visits.is_untold(link) {
            out.emit(|| SeedEvent::PeerListSent { peer, listed: Some(sample.listed), peers: sample.peers });
        }
    }

    fn sample(&mut self, asker: Option<Addr>) -> PeerSample {
        let len_max = match self.config.dialect {
            Dialect::Framed => LIST_LEN_MAX,
            Dialect::Classic => CLASSIC_LIST_LEN,
        };
        let is_listed = asker.is_some_and(|asker| self.list.contains(asker));
        let others = self.list.len() - usize::from(is_listed);
        PeerSample {
            peers: self.list.sample(asker, len_max, &mut self.choices.next(Topic::List)),
            listed: u32::try_from(others).unwrap_or(u32::MAX),
            lowest: self.root(),
        }
    }

    /// Sends the list to the next in turn, if anybody's turn has come (classic).
    pub(super) fn give_turns(&mut self, now: Time, out: &mut impl Output) {
        loop {
            let is_nameless = |link| self.links.get(link).is_some_and(|open| open.peer().is_none());
            if self.turns.is_taken(now, is_nameless) {
                return;
            }
            let Some(link) = self.turns.next() else { return };
            if self.links.contains_key(link) {
                self.send_list(now, link, out);
                self.turns.give(now, link);
            }
        }
    }

    /// The lowest living address, as far as this seed knows: see [`crate::proto::peer`]. Classic
    /// peers ask for none.
    fn root(&self) -> Option<Addr> {
        match self.config.dialect {
            Dialect::Framed => self.list.lowest(),
            Dialect::Classic => None,
        }
    }

    /// What rides on a probe or an answer to this link.
    pub(super) fn attest(&mut self, now: Time, link: LinkId) -> ProbeExtras {
        if let Some(open) = self.links.get_mut(link) {
            open.told_at = now;
        }
        let root = self.root().map_or(RootNews::Nothing, RootNews::Attested);
        ProbeExtras { neighbors: u16::try_from(self.list.len()).unwrap_or(u16::MAX), root }
    }

    /// Probes a node that has just become the root, so that it learns of it: only the root can tell
    /// the others that it is there.
    pub(super) fn tell_new_root(&mut self, now: Time, out: &mut impl Output) {
        let root = self.root();
        if root == self.root_told {
            return;
        }
        self.root_told = root;
        if let Some(root) = root {
            self.check_now(now, root, out);
        }
    }
}
