//! Newcomers that name the address of a neighbor: see [`crate::proto::takeover`].

use super::{Peer, Stage};
use crate::proto::addr::Addr;
use crate::proto::event::{LinkEnd, LinkId, Rule, Side};
use crate::proto::machine::Output;
use crate::proto::message::{GoodbyeReason, Hello, Message, ProbeSeq};
use crate::proto::takeover::{Takeover, Takeovers};
use crate::proto::time::Time;

impl Peer {
    /// Makes a newcomer that names a neighbor's address wait, and probes that neighbor.
    pub(super) fn await_takeover(&mut self, now: Time, link: LinkId, hello: Hello, out: &mut impl Output) {
        let named = hello.listen;
        if self.takeovers.has(named) {
            return self.protocol_violation(now, link, Rule::NameTaken, &named.to_string(), out);
        }
        let Some(seq) = self.probe(now, named, out) else { return };
        let decide_by = now + Takeovers::patience(self.config.handshake_timeout, self.config.liveness_interval);
        self.links.set_stage(link, Stage::Opening { hello_by: decide_by + self.config.handshake_timeout });
        self.takeovers.add(link, hello, seq, decide_by);
    }

    /// The neighbor answers: a newcomer that named its address meanwhile is somebody else.
    pub(super) fn refute_takeover(&mut self, now: Time, peer: Addr, seq: ProbeSeq, out: &mut impl Output) {
        if let Some(takeover) = self.takeovers.refuted(peer, seq) {
            self.protocol_violation(now, takeover.link, Rule::NameTaken, &peer.to_string(), out);
        }
    }

    /// Newcomers take the place of a neighbor that is gone, or has not answered in time.
    pub(super) fn settle_takeovers(&mut self, now: Time, out: &mut impl Output) {
        loop {
            let is_decided = |takeover: &Takeover| {
                !self.links.contains_key(takeover.link) || self.overlay.get(takeover.hello.listen).is_none()
            };
            let Some(takeover) = self.takeovers.take_decided(now, is_decided) else { return };
            self.give_place(now, &takeover, out);
        }
    }

    fn give_place(&mut self, now: Time, takeover: &Takeover, out: &mut impl Output) {
        let (link, peer) = (takeover.link, takeover.hello.listen);
        if !self.links.contains_key(link) {
            return;
        }
        if let Some(old) = self.overlay.get(peer).map(super::overlay::Neighbor::link) {
            // The peer has restarted before we noticed its end.
            let reason = GoodbyeReason::Duplicate;
            out.send(old, &Message::Goodbye { reason, referral: Vec::new() });
            self.part(now, peer, LinkEnd::Goodbye { side: Side::Us, reason }, out);
        }
        self.on_joiner(now, link, takeover.hello, out);
    }
}
