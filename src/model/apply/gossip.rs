//! Takes events about messages in.

use super::{At, add};
use crate::event::GossipEvent;
use crate::model::Model;
use crate::model::gossip;
use crate::model::rumor::{ForeignCopy, Forgery, MessageCopy};
use crate::model::words::Receipt;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role, Trace};
use crate::proto::text::Body;

impl Model {
    pub(super) fn take_gossip(&mut self, here: At, event: &GossipEvent) {
        match *event {
            GossipEvent::Generated { id, ref body, trace, forwarded } => {
                self.generated(here, id, body, trace, forwarded);
            }
            GossipEvent::Received { id, from, ref body, trace, forwarded } => {
                self.received(here, id, from, body, trace, forwarded);
            }
            GossipEvent::Duplicate { id, from, trace } => self.duplicate(here, id, from, trace),
            GossipEvent::Lost { .. } => {}
            GossipEvent::Forged { id, from } => {
                self.links.heard(here.link(from), here.at);
                self.forgeries.push(Forgery { at: here.at, id, from });
                self.contact(from, here.node, here.at, |_| {});
            }
        }
    }

    /// Logs a line about a message.
    fn log_message(&mut self, here: At, id: MessageId, body: &Body, event: GossipEvent, hop: Option<u16>) -> u64 {
        let line = self.log(here, event.into(), Receipt { hop, duplicates: 0 });
        if self.rumors.get(id).is_none_or(|rumor| rumor.body != *body) {
            self.bodies.hold(&mut self.gossip, line, body.len());
        }
        line
    }

    fn generated(&mut self, here: At, id: MessageId, body: &Body, trace: Option<Trace>, forwarded: usize) {
        self.totals.generated += 1;
        self.messages.count(here.at);
        let counters = &mut self.nodes.at_work(here.node, here.at).counters;
        counters.generated += 1;
        add(&mut counters.forwarded, forwarded as u64);
        let body = self.rumors.body_to_keep(id, body);
        let event = GossipEvent::Generated { id, body: body.clone(), trace, forwarded };
        let entry = self.log_message(here, id, &body, event, Some(0));
        let copy = MessageCopy { from: None, hop: Some(0), hop_known: None, at: here.at, duplicates: 0, entry };
        self.rumors.first_copy(id, &body, here.node, copy);
        self.rumors.begins(id, here.at);
    }

    fn received(&mut self, here: At, id: MessageId, from: Addr, body: &Body, trace: Option<Trace>, forwarded: usize) {
        self.totals.received += 1;
        self.messages.count(here.at);
        let counters = &mut self.nodes.at_work(here.node, here.at).counters;
        counters.received += 1;
        add(&mut counters.forwarded, forwarded as u64);
        self.nodes.mention_as(id.origin, Role::Peer, here.at);
        self.links.heard(here.link(from), here.at);
        let hop = trace.map(|trace| trace.hop).or_else(|| self.rumors.hop_from(id, from));
        let body = self.rumors.body_to_keep(id, body);
        let event = GossipEvent::Received { id, from, body: body.clone(), trace, forwarded };
        let entry = self.log_message(here, id, &body, event, hop);
        let hop_known = if hop.is_none() { self.hop_known(here, id, from) } else { None };
        let copy = MessageCopy { from: Some(from), hop, hop_known, at: here.at, duplicates: 0, entry };
        if self.rumors.get(id).is_none() {
            self.with_contact(id.origin, |contact| contact.messages += 1);
        }
        self.rumors.first_copy(id, &body, here.node, copy);
        self.copy_came(here, id, from, trace);
        if let Some(trace) = trace {
            self.rumors.began(id, trace.sent);
        }
    }

    /// Links of the shortest path known here, if the message does not carry its hops.
    fn hop_known(&self, here: At, id: MessageId, from: Addr) -> Option<u16> {
        match self.passage(id, from, here.node) {
            Some(passage) => passage.hop,
            None => self.rumors.hop_known_from(id, from),
        }
    }

    /// A node elsewhere that sends a copy has the message.
    fn copy_came(&mut self, here: At, id: MessageId, from: Addr, trace: Option<Trace>) {
        if self.nodes.contact_mut(from).is_none() {
            return;
        }
        self.contact(from, here.node, here.at, |contact| contact.copies += 1);
        let perhaps_from = self.passage(id, from, here.node).and_then(|passage| passage.perhaps_from);
        // If the message carries its hops, these two agree.
        let hop_of = |node: &Addr| self.rumors.get(id)?.copies.get(node)?.hop;
        let fits =
            |node: &Addr| trace.is_none_or(|trace| hop_of(node).is_some_and(|hop| hop.saturating_add(2) == trace.hop));
        let perhaps_from = perhaps_from.filter(fits);
        self.rumors.proved(id, from, ForeignCopy { to: here.node, at: here.at, perhaps_from });
    }

    fn duplicate(&mut self, here: At, id: MessageId, from: Addr, trace: Option<Trace>) {
        self.totals.duplicates += 1;
        self.nodes.at_work(here.node, here.at).counters.duplicates += 1;
        self.links.heard(here.link(from), here.at);
        self.copy_came(here, id, from, trace);
        if let Some(first) = self.rumors.duplicate(id, here.node) {
            gossip::count_duplicate(&mut self.gossip, first.entry);
        }
    }
}
