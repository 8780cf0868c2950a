//! Newcomers that name the address of a neighbor: see [`crate::proto::takeover`].

use super::links::Stage;
use super::{Membership, NeighborNews};
use crate::proto::addr::Addr;
use crate::proto::cx::Cx;
use crate::proto::event::{LinkEnd, LinkId, Rule, Side};
use crate::proto::machine::Output;
use crate::proto::message::{GoodbyeReason, Hello, Message, ProbeSeq};
use crate::proto::takeover::{Takeover, Takeovers};

impl Membership {
    /// A newcomer that names a neighbor's address waits until that neighbor has been probed.
    pub(super) fn contest(&mut self, cx: &mut Cx<impl Output>, link: LinkId, hello: Hello) {
        let named = hello.listen;
        if self.takeovers.has(named) {
            return self.protocol_violation(cx, link, Rule::NameTaken, &named.to_string());
        }
        self.news.push(NeighborNews::Contested { link, hello });
    }

    /// The neighbor is probed: by then it must have answered.
    pub(in crate::proto) fn await_takeover<O>(&mut self, cx: &Cx<O>, link: LinkId, hello: Hello, seq: ProbeSeq) {
        let decide_by = cx.now + Takeovers::patience(cx.config.handshake_timeout, cx.config.liveness_interval);
        self.links.set_stage(link, Stage::Opening { hello_by: decide_by + cx.config.handshake_timeout });
        self.takeovers.add(link, hello, seq, decide_by);
    }

    /// The neighbor answers: a newcomer that named its address meanwhile is somebody else.
    pub(in crate::proto) fn refute_takeover(&mut self, cx: &mut Cx<impl Output>, peer: Addr, seq: ProbeSeq) {
        if let Some(takeover) = self.takeovers.refuted(peer, seq) {
            self.protocol_violation(cx, takeover.link, Rule::NameTaken, &peer.to_string());
        }
    }

    /// Newcomers take the place of a neighbor that is gone, or has not answered in time.
    pub(in crate::proto) fn settle_takeovers(&mut self, cx: &mut Cx<impl Output>) {
        loop {
            let is_decided = |takeover: &Takeover| {
                !self.links.contains_key(takeover.link) || !self.neighbors.has(takeover.hello.listen)
            };
            let Some(takeover) = self.takeovers.take_decided(cx.now, is_decided) else { return };
            self.give_place(cx, &takeover);
        }
    }

    fn give_place(&mut self, cx: &mut Cx<impl Output>, takeover: &Takeover) {
        let (link, peer) = (takeover.link, takeover.hello.listen);
        if !self.links.contains_key(link) {
            return;
        }
        if let Some(old) = self.link_of(peer) {
            // The peer has restarted before we noticed its end.
            let reason = GoodbyeReason::Duplicate;
            cx.out.send(old, &Message::Goodbye { reason, referral: Vec::new() });
            self.part(cx, peer, LinkEnd::Goodbye { side: Side::Us, reason });
        }
        self.on_joiner(cx, link, takeover.hello);
    }
}
