//! What a seed says about its list: samples of it, and who the root is.

use std::time::Duration;

use super::{Registry, SeedCx};
use crate::proto::addr::Addr;
use crate::proto::config::{CLASSIC_LIST_LEN, LIST_LEN_MAX, SeedConfig};
use crate::proto::event::{LinkId, SeedEvent};
use crate::proto::machine::Output;
use crate::proto::message::{Message, PeerSample, ProbeExtras, RootNews};
use crate::proto::random::Topic;

/// A request this soon after the last sample is not answered. A peer in need asks every quarter of
/// a second at most.
const LIST_PAUSE: Duration = Duration::from_millis(20);

impl Registry {
    /// A sample is hundreds of times as long as the request for it: at most a few a second are
    /// sent, and none to a flooder.
    pub(super) fn send_list_again(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId) {
        let is_due = self
            .links
            .get(link)
            .is_some_and(|open| cx.now.since(open.listed_at) >= LIST_PAUSE && !open.budget.is_exceeded());
        if is_due {
            self.send_list(cx, link);
        }
    }

    pub(super) fn send_list(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        (open.listed_at, open.told_at) = (cx.now, cx.now);
        let peer = open.peer();
        let sample = self.sample(cx, peer);
        cx.out.send(link, &Message::PeerList(sample.clone()));
        if !self.visits.is_untold(link) {
            cx.out.emit(|| SeedEvent::PeerListSent { peer, listed: Some(sample.listed), peers: sample.peers });
        }
    }

    fn sample<O>(&mut self, cx: &mut SeedCx<O>, asker: Option<Addr>) -> PeerSample {
        let len_max = if cx.config.dialect.lists_are_samples() { LIST_LEN_MAX } else { CLASSIC_LIST_LEN };
        let is_listed = asker.is_some_and(|asker| self.list.contains(asker));
        let others = self.list.len() - usize::from(is_listed);
        PeerSample {
            peers: self.list.sample(asker, len_max, &mut cx.chance.next(Topic::List)),
            listed: u32::try_from(others).unwrap_or(u32::MAX),
            lowest: self.root(cx.config),
        }
    }

    /// Sends the list to the next in turn, if anybody's turn has come (classic).
    pub(super) fn give_turns(&mut self, cx: &mut SeedCx<impl Output>) {
        loop {
            let is_nameless = |link| self.links.get(link).is_some_and(|open| open.peer().is_none());
            if self.turns.is_taken(cx.now, is_nameless) {
                return;
            }
            let Some(link) = self.turns.next() else { return };
            if self.links.contains_key(link) {
                self.send_list(cx, link);
                self.turns.give(cx.now, link);
            }
        }
    }

    /// The lowest living address, as far as this seed knows: see `proto::membership::root`. Classic
    /// peers ask for none.
    fn root(&self, config: &SeedConfig) -> Option<Addr> {
        if config.dialect.carries_extras() { self.list.lowest() } else { None }
    }

    /// What rides on a probe or an answer to this link.
    pub(super) fn attest<O>(&mut self, cx: &SeedCx<O>, link: LinkId) -> ProbeExtras {
        if let Some(open) = self.links.get_mut(link) {
            open.told_at = cx.now;
        }
        let root = self.root(cx.config).map_or(RootNews::Nothing, RootNews::Attested);
        ProbeExtras { neighbors: u16::try_from(self.list.len()).unwrap_or(u16::MAX), root }
    }

    /// Probes a node that has just become the root, so that it learns of it: only the root can tell
    /// the others that it is there.
    pub(super) fn tell_new_root(&mut self, cx: &mut SeedCx<impl Output>) {
        let root = self.root(cx.config);
        if root == self.root_told {
            return;
        }
        self.root_told = root;
        if let Some(root) = root {
            self.check_now(cx, root);
        }
    }
}
