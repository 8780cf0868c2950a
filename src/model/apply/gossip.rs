//! Takes events about messages in.

use super::{HappenedAt, add};
use crate::event::{GossipEvent, MessageLoss};
use crate::model::Model;
use crate::model::fault::Swallowed;
use crate::model::gossip::{Folded, Spread};
use crate::model::link::CopyOrder;
use crate::model::loss::LostCopy;
use crate::model::rumor::{Began, ForeignCopy, Forgery, MessageCopy, Rumor};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role, Trace};
use crate::proto::text::Body;

impl Model {
    pub(super) fn take_gossip(&mut self, here: HappenedAt, event: &GossipEvent) {
        match *event {
            GossipEvent::Generated { id, ref body, trace, forwarded } => {
                self.generated(here, id, body, trace, forwarded);
            }
            GossipEvent::Received { id, from, ref body, trace, forwarded } => {
                self.received(here, id, from, body, trace, forwarded);
            }
            GossipEvent::Duplicate { id, from, trace } => self.duplicate(here, id, from, trace),
            GossipEvent::Lost { id, loss: MessageLoss { from, to, why, .. } } => {
                self.faults.lost(why, Swallowed::Copy);
                self.lost.push(LostCopy { at: here.at, id, from, to, why });
            }
            GossipEvent::Forged { id, from } => {
                self.links.heard(here.link(from), here.at);
                self.forgeries.push(Forgery { at: here.at, id, from });
                self.contact(from, here.node, here.at, |_| {});
            }
        }
    }

    fn generated(&mut self, here: HappenedAt, id: MessageId, body: &Body, trace: Option<Trace>, forwarded: usize) {
        self.totals.generated += 1;
        let counters = &mut self.nodes.at_mut(here.ix).counters;
        counters.generated += 1;
        add(&mut counters.forwarded, forwarded as u64);
        let number = self.rumors.number(id);
        let event = |body| GossipEvent::Generated { id, body, trace, forwarded };
        let copy = MessageCopy {
            from: None,
            hop: Some(0),
            hop_known: None,
            at: here.at,
            duplicates: 0,
            forwarded: count(forwarded),
        };
        self.first_copy(here, id, (number, body), event, copy, Some(Began::Here));
    }

    fn received(
        &mut self,
        here: HappenedAt,
        id: MessageId,
        from: Addr,
        body: &Body,
        trace: Option<Trace>,
        forwarded: usize,
    ) {
        self.totals.received += 1;
        let counters = &mut self.nodes.at_mut(here.ix).counters;
        counters.received += 1;
        add(&mut counters.forwarded, forwarded as u64);
        self.links.copy_came(here.link(from), here.at, CopyOrder::First);
        let number = self.rumors.number(id);
        if number.is_none() {
            self.nodes.mention_as(id.origin, Role::Peer, here.at);
            self.nodes.contact(id.origin, |contact| contact.messages += 1);
        }
        let (hop, hop_known) = self.hops(here, id, (number, from), trace);
        let event = |body| GossipEvent::Received { id, from, body, trace, forwarded };
        let copy =
            MessageCopy { from: Some(from), hop, hop_known, at: here.at, duplicates: 0, forwarded: count(forwarded) };
        self.first_copy(here, id, (number, body), event, copy, trace.map(|trace| Began::Trace(trace.sent)));
        self.copy_came(here, id, from, trace);
    }

    /// Keeps the first copy of a message at a node; the first of all gets a line, and so does one
    /// with another text. The body that is kept is the one already kept for this message if it is
    /// the same, or one in memory of its own.
    fn first_copy(
        &mut self,
        here: HappenedAt,
        id: MessageId,
        (number, body): (Option<u64>, &Body),
        event: impl FnOnce(Body) -> GossipEvent,
        copy: MessageCopy,
        began: Option<Began>,
    ) {
        self.messages.count(here.at);
        self.rates.message(here.at);
        let known = self.rumors.at(number).map(|rumor| &rumor.body).filter(|known| *known == body).cloned();
        let line = match (&known, number) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(Folded::Nothing),
            (None, None) => Some(Folded::Message(None)),
        };
        let body = known.unwrap_or_else(|| body.detached());
        let line = line.map(|folded| {
            let line = self.log(here.at, here.node, event(body.clone()).into(), folded);
            self.bodies.hold(&mut self.gossip, line, body.len());
            line
        });
        let gone = self.rumors.first_copy(number, (id, &body, line), (here.node, copy), began);
        self.keep_spreads(&gone);
    }

    /// The line of a message that is forgotten says for itself how far it came.
    fn keep_spreads(&mut self, gone: &[Rumor]) {
        for gone in gone {
            if let Some(line) = self.gossip.get_mut(gone.line) {
                line.folded = Folded::Message(Some(Box::new(Spread::of(gone, &self.nodes))));
            }
        }
    }

    /// Links that a message crossed: those that it names or that its path shows, else those of the
    /// shortest path known here.
    fn hops(
        &self,
        here: HappenedAt,
        id: MessageId,
        (number, from): (Option<u64>, Addr),
        trace: Option<Trace>,
    ) -> (Option<u16>, Option<u16>) {
        let rumor = self.rumors.at(number);
        let shown = || if id.origin == from { Some(1) } else { rumor?.hop_from(from) };
        let hop = trace.map(|trace| trace.hop).or_else(shown);
        if hop.is_some() {
            return (hop, None);
        }
        let known = match self.passage(id, from, here.node) {
            Some(passage) => passage.hop,
            None => rumor.and_then(|rumor| rumor.hop_known_from(from)),
        };
        (None, known)
    }

    /// A node elsewhere that sends a copy has the message.
    fn copy_came(&mut self, here: HappenedAt, id: MessageId, from: Addr, trace: Option<Trace>) {
        if !self.nodes.is_elsewhere(from) {
            return;
        }
        self.contact(from, here.node, here.at, |contact| contact.copies += 1);
        let perhaps_from = self.passage(id, from, here.node).and_then(|passage| passage.perhaps_from);
        // If the message carries its hops, these two agree.
        let hop_of = |node: &Addr| self.rumors.get(id)?.copies.get(node)?.hop;
        let fits =
            |node: &Addr| trace.is_none_or(|trace| hop_of(node).is_some_and(|hop| hop.saturating_add(2) == trace.hop));
        let perhaps_from = perhaps_from.filter(fits);
        let gone = self.rumors.proved(id, from, ForeignCopy { to: here.node, at: here.at, perhaps_from });
        self.keep_spreads(&gone);
    }

    fn duplicate(&mut self, here: HappenedAt, id: MessageId, from: Addr, trace: Option<Trace>) {
        self.totals.duplicates += 1;
        self.nodes.at_mut(here.ix).counters.duplicates += 1;
        self.links.copy_came(here.link(from), here.at, CopyOrder::Further);
        self.copy_came(here, id, from, trace);
        self.rumors.duplicate(id, here.node);
    }
}

fn count(forwarded: usize) -> u32 {
    u32::try_from(forwarded).unwrap_or(u32::MAX)
}
