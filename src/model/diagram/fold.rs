//! From events to items.

use super::item::{DiagramItem, ItemKind, ItemRoute, ItemSubject};
use super::places::place;
use super::subject::DiagramSubject;
use super::{Diagram, DiagramSpec, ITEMS_MAX, LeftOut};
use crate::event::{
    DeathEvent, Direction, Event, EventKind, FaultEvent, GossipEvent, LinkEvent, LossReason, MessageLoss, NodeEvent,
    NodeState, ProbeEvent, ProbePart, SeedEvent,
};
use crate::model::fault::FaultRef;
use crate::model::gossip::BOTH_ENDS;
use crate::model::words::{death::action_word, delisted, link::end_text, loss_text, span_text};
use crate::model::{FastHashMap, Map, Model};
use crate::proto::addr::Addr;
use crate::proto::fault::Scope;
use crate::proto::message::{MessageId, ProbeSeq};
use crate::proto::time::Time;

/// The fold, and what it still waits for.
pub(super) struct DiagramFold<'a> {
    spec: &'a DiagramSpec,
    model: &'a Model,
    items: Vec<DiagramItem>,
    left_out: LeftOut,
    /// When a node had a message: from then on it sends it.
    had: FastHashMap<(MessageId, Addr), Time>,
    /// Probes without an outcome so far: asker, asked, number.
    probes: Map<(Addr, Addr, ProbeSeq), Time>,
    /// Reports that no seed told of so far: reporter, seed, dead node.
    reports: Map<(Addr, Addr, Addr), Time>,
    /// When one end of a link told of it.
    told: FastHashMap<(Addr, Addr, ItemKind), (Addr, Time)>,
}

impl<'a> DiagramFold<'a> {
    pub(super) fn new(spec: &'a DiagramSpec, model: &'a Model) -> Self {
        Self {
            spec,
            model,
            items: Vec::new(),
            left_out: LeftOut::default(),
            had: FastHashMap::default(),
            probes: Map::default(),
            reports: Map::default(),
            told: FastHashMap::default(),
        }
    }

    fn name(&self, node: Addr) -> String {
        self.model.name_of(node).into_owned()
    }

    pub(super) fn take(&mut self, event: &Event) {
        if event.at < self.spec.from || event.at > self.spec.to || !self.spec.subject.concerns(event) {
            return;
        }
        match &event.kind {
            EventKind::Gossip(kind) => self.gossip(event, kind),
            EventKind::Probe(kind) => self.probe(event, kind),
            EventKind::Death(kind) => self.death(event, kind),
            EventKind::Link(kind) => self.link(event, kind),
            EventKind::Node(kind) => self.node(event, kind),
            EventKind::Seed(kind) => self.seed(event, kind),
            EventKind::Fault(kind) => self.fault(event, kind),
        }
    }

    /// Keeps an item, if there is room. Its text is the event's own sentence.
    fn push(&mut self, event: &Event, kind: ItemKind, route: ItemRoute, label: String, about: ItemSubject) {
        if self.items.len() >= ITEMS_MAX {
            self.left_out.items += 1;
            return;
        }
        let text = format!("{}: {}", self.model.name_of(event.node), self.model.sentence(&event.kind));
        self.items.push(DiagramItem { at: event.at, kind, route, label, text, about });
    }

    fn gossip(&mut self, event: &Event, kind: &GossipEvent) {
        let (at, node) = (event.at, event.node);
        let copy = |id: MessageId, node: Addr| ItemSubject::Copy { id, node };
        match kind {
            GossipEvent::Generated { id, .. } => {
                self.had.insert((*id, node), at);
                let label = self.model.message_name(*id);
                self.push(event, ItemKind::Origin, ItemRoute::At(node), label, copy(*id, node));
            }
            GossipEvent::Received { id, from, trace, .. } => {
                self.had.insert((*id, node), at);
                let hop = trace.map(|trace| format!("hop {}", trace.hop)).unwrap_or_default();
                self.push(
                    event,
                    ItemKind::FirstCopy,
                    between(*from, node, None),
                    self.about_copy(*id, hop),
                    copy(*id, node),
                );
            }
            GossipEvent::Duplicate { id, from, .. } if self.draws_duplicates() => {
                let label = self.about_copy(*id, "again".to_owned());
                self.push(event, ItemKind::Duplicate, between(*from, node, None), label, copy(*id, node));
            }
            GossipEvent::Duplicate { .. } => self.left_out.duplicates += 1,
            GossipEvent::Forged { id, from } => {
                let label = format!("forged {}", self.model.message_name(*id));
                self.push(event, ItemKind::Note, between(*from, node, None), label, copy(*id, node));
            }
            GossipEvent::Lost { id, loss } => {
                let label = self.about_copy(*id, format!("lost: {}", self.loss(loss)));
                self.push(event, ItemKind::LostCopy, between(loss.from, loss.to, None), label, copy(*id, loss.to));
            }
        }
    }

    /// A message's own diagram need not name it at each arrow.
    fn about_copy(&self, id: MessageId, label: String) -> String {
        match self.spec.subject {
            DiagramSubject::Message(_) => label,
            DiagramSubject::Death { .. }
            | DiagramSubject::Node(_)
            | DiagramSubject::Link(..)
            | DiagramSubject::Window(_) => format!("{} {label}", self.model.message_name(id)).trim_end().to_owned(),
        }
    }

    const fn draws_duplicates(&self) -> bool {
        match &self.spec.subject {
            DiagramSubject::Message(_) | DiagramSubject::Link(..) => true,
            DiagramSubject::Window(nodes) => !nodes.is_empty(),
            DiagramSubject::Death { .. } | DiagramSubject::Node(_) => false,
        }
    }

    /// By what a message was lost: the fault, if it was one.
    fn loss(&self, loss: &MessageLoss) -> String {
        match loss.why {
            LossReason::Fault(id) => match self.model.faults().numbered(id) {
                Some(record) => record.fault.text(&|node| self.name(node)),
                None => loss_text(loss, &|node| self.name(node)),
            },
            LossReason::QueueFull | LossReason::LinkEnded | LossReason::Hung => {
                loss_text(loss, &|node| self.name(node))
            }
        }
    }

    fn probe(&mut self, event: &Event, kind: &ProbeEvent) {
        let (at, node) = (event.at, event.node);
        match kind {
            ProbeEvent::Sent { peer, seq, .. } => {
                if self.probes.len() < ITEMS_MAX {
                    self.probes.insert((node, *peer, *seq), at);
                }
            }
            ProbeEvent::Received { .. } => {}
            ProbeEvent::Answered { peer, seq, rtt_us, .. } => {
                let span = std::time::Duration::from_micros(*rtt_us);
                let sent = self.probes.shift_remove(&(node, *peer, *seq)).unwrap_or(at - span);
                let route = between(node, *peer, Some(sent));
                self.push(event, ItemKind::Probe, route, format!("answered, {}", span_text(span)), link(node, *peer));
            }
            ProbeEvent::Missed { peer, seq, misses, limit, .. } => {
                let route = between(node, *peer, self.probes.shift_remove(&(node, *peer, *seq)));
                self.push(
                    event,
                    ItemKind::MissedProbe,
                    route,
                    format!("no answer {misses}/{limit}"),
                    link(node, *peer),
                );
            }
            ProbeEvent::Lost { part, seq, loss } => {
                let (asker, responder, what) = match part {
                    ProbePart::Question => (loss.from, loss.to, "probe"),
                    ProbePart::Answer => (loss.to, loss.from, "answer"),
                };
                let asked_at = self.probes.get(&(asker, responder, *seq)).copied();
                let sent = asked_at.filter(|_| *part == ProbePart::Question);
                let label = format!("{what} lost: {}", self.loss(loss));
                self.push(event, ItemKind::LostProbe, between(loss.from, loss.to, sent), label, link(asker, responder));
            }
        }
    }

    fn death(&mut self, event: &Event, kind: &DeathEvent) {
        let (at, node) = (event.at, event.node);
        match kind {
            DeathEvent::NeighborDied { peer, cause, .. } => {
                let label = format!("{} is dead: {cause}", self.name(*peer));
                self.push(event, ItemKind::Death, ItemRoute::At(node), label, ItemSubject::Death(*peer));
            }
            DeathEvent::DeadReportSent { dead, seeds, .. } => {
                for seed in seeds {
                    if self.reports.len() < ITEMS_MAX {
                        self.reports.insert((node, *seed, *dead), at);
                    }
                }
            }
            DeathEvent::DeadReportReceived { dead, reporter, action, .. } => {
                let sent = self.reports.shift_remove(&(*reporter, node, *dead));
                let label = self.about_death(*dead, action_word(*action));
                self.push(event, ItemKind::Report, between(*reporter, node, sent), label, ItemSubject::Death(*dead));
            }
            DeathEvent::ReportLost { dead, reporter, loss } => {
                let sent = self.reports.shift_remove(&(*reporter, loss.to, *dead));
                let label = format!("report lost: {}", self.loss(loss));
                let route = between(loss.from, loss.to, sent);
                self.push(event, ItemKind::LostReport, route, label, ItemSubject::Death(*dead));
            }
            DeathEvent::ReportDisputed { dead, reporter, .. } => {
                let label = format!("{} is alive, {} was wrong", self.name(*dead), self.name(*reporter));
                self.push(event, ItemKind::Dispute, ItemRoute::At(node), label, ItemSubject::Death(*dead));
            }
        }
    }

    /// The diagram of a death need not name the dead node at each arrow.
    fn about_death(&self, dead: Addr, what: &str) -> String {
        match self.spec.subject {
            DiagramSubject::Death { dead: subject, .. } if subject == dead => format!("report: {what}"),
            DiagramSubject::Message(_)
            | DiagramSubject::Death { .. }
            | DiagramSubject::Node(_)
            | DiagramSubject::Link(..)
            | DiagramSubject::Window(_) => format!("report of {}: {what}", self.name(dead)),
        }
    }

    fn seed(&mut self, event: &Event, kind: &SeedEvent) {
        let node = event.node;
        match kind {
            SeedEvent::PeerDelisted { peer, reason, .. } => {
                let why = delisted(*reason, &|node| self.name(node));
                let label = format!("{} off the list: {why}", self.name(*peer));
                self.push(event, ItemKind::Verdict, ItemRoute::At(node), label, ItemSubject::Death(*peer));
            }
            SeedEvent::PeerListed { peer, .. } => {
                let label = format!("{} on the list", self.name(*peer));
                self.push(event, ItemKind::Note, ItemRoute::At(node), label, ItemSubject::Node(*peer));
            }
            SeedEvent::TooFewSeeds { .. } | SeedEvent::EnoughSeeds { .. } | SeedEvent::ListedAlready { .. } => {
                self.note(event, ItemSubject::Node(node));
            }
            SeedEvent::PeerListReceived { .. } | SeedEvent::PeerListSent { .. } => {}
        }
    }

    fn link(&mut self, event: &Event, kind: &LinkEvent) {
        let node = event.node;
        match kind {
            LinkEvent::Up { peer, direction, .. } => {
                let (dialer, acceptor) = match direction {
                    Direction::Inbound => (*peer, node),
                    Direction::Outbound => (node, *peer),
                };
                self.both_ends(event, ItemKind::LinkUp, (dialer, acceptor), "link up".to_owned());
            }
            LinkEvent::Down { peer, end, .. } => {
                self.both_ends(event, ItemKind::LinkDown, (node, *peer), format!("link down: {}", end_text(*end)));
            }
            LinkEvent::DialFailed { peer, .. } | LinkEvent::Refused { peer, .. } | LinkEvent::NotAccepted { peer } => {
                let label = self.model.sentence(&event.kind);
                self.push(event, ItemKind::NoLink, between(node, *peer, None), label, link(node, *peer));
            }
            LinkEvent::Violation { peer, .. }
            | LinkEvent::OtherDialect { peer, .. }
            | LinkEvent::HandshakeFailed { peer, .. } => {
                let about = peer.map_or(ItemSubject::Node(node), |peer| link(node, peer));
                self.note(event, about);
            }
            LinkEvent::Flooding { peer, .. } => self.note(event, link(node, *peer)),
            LinkEvent::EclipseSuspected { .. } | LinkEvent::Repairing { .. } => {
                self.note(event, ItemSubject::Node(node));
            }
            // Their outcome is drawn, or they are about strangers.
            LinkEvent::Dialing { .. } | LinkEvent::MoreOffenses { .. } | LinkEvent::Omitted { .. } => {}
        }
    }

    /// Both ends of a link tell of it; the first is drawn.
    fn both_ends(&mut self, event: &Event, kind: ItemKind, (from, to): (Addr, Addr), label: String) {
        let key = (from.min(to), from.max(to), kind);
        if let Some((teller, at)) = self.told.get(&key)
            && *teller != event.node
            && event.at.since(*at) <= BOTH_ENDS
        {
            self.told.remove(&key);
            return;
        }
        self.told.insert(key, (event.node, event.at));
        self.push(event, kind, between(from, to, None), label, link(from, to));
    }

    fn node(&mut self, event: &Event, kind: &NodeEvent) {
        let (node, about) = (event.node, ItemSubject::Node(event.node));
        let (kind, label) = match kind {
            NodeEvent::Started { .. } => (ItemKind::Start, "starts".to_owned()),
            NodeEvent::Stopped { how } => (ItemKind::Stop, NodeState::from(*how).to_string()),
            NodeEvent::Hung => (ItemKind::Hang, NodeState::Hangs.to_string()),
            NodeEvent::WasAway { span_us, .. } => {
                let span = span_text(std::time::Duration::from_micros(*span_us));
                (ItemKind::Away, format!("was away for {span}"))
            }
            NodeEvent::Exposed { .. } | NodeEvent::Failed { .. } => return,
        };
        self.push(event, kind, ItemRoute::At(node), label, about);
    }

    fn fault(&mut self, event: &Event, kind: &FaultEvent) {
        let name = |node: Addr| self.name(node);
        let (kind, id, fault, label) = match kind {
            FaultEvent::Set { id, fault } => (ItemKind::Fault, id, fault, fault.text(&name)),
            FaultEvent::Cleared { id, fault } => {
                (ItemKind::FaultCleared, id, fault, format!("no longer: {}", fault.text(&name)))
            }
            FaultEvent::Lied { about } => {
                return self.note(event, ItemSubject::Death(*about));
            }
        };
        let itself = ItemSubject::Fault(FaultRef { id: *id, at: event.at });
        let (route, about) = match &fault.on {
            Scope::All => (ItemRoute::Everywhere, itself),
            Scope::Link(one, other) => (ItemRoute::Across(vec![*one, *other]), link(*one, *other)),
            Scope::Node(node) => (ItemRoute::At(*node), ItemSubject::Node(*node)),
            Scope::Border(nodes) => (ItemRoute::Across(nodes.clone()), itself),
        };
        self.push(event, kind, route, label, about);
    }

    fn note(&mut self, event: &Event, about: ItemSubject) {
        let label = self.model.sentence(&event.kind);
        self.push(event, ItemKind::Note, ItemRoute::At(event.node), label, about);
    }

    pub(super) fn finish(mut self) -> Diagram {
        self.add_unsettled();
        self.add_flights();
        self.items.sort_by_key(|item| item.at);
        place(self.spec, self.model, self.items, self.left_out)
    }

    /// What was begun and has no end within the span.
    fn add_unsettled(&mut self) {
        for ((asker, asked, seq), sent) in std::mem::take(&mut self.probes) {
            let text = format!("{}: Probe {seq} to {}, nothing known yet", self.name(asker), self.name(asked));
            self.push_begun(DiagramItem {
                at: sent,
                kind: ItemKind::OpenProbe,
                route: between(asker, asked, Some(sent)),
                label: "asked".to_owned(),
                text,
                about: link(asker, asked),
            });
        }
        for ((reporter, seed, dead), sent) in std::mem::take(&mut self.reports) {
            let text =
                format!("{}: Reported to {} that {} is dead", self.name(reporter), self.name(seed), self.name(dead));
            self.push_begun(DiagramItem {
                at: sent,
                kind: ItemKind::Report,
                route: between(reporter, seed, Some(sent)),
                label: self.about_death(dead, "sent"),
                text,
                about: ItemSubject::Death(dead),
            });
        }
    }

    fn push_begun(&mut self, item: DiagramItem) {
        if self.items.len() < ITEMS_MAX {
            self.items.push(item);
        } else {
            self.left_out.items += 1;
        }
    }

    /// When copies were sent: as soon as their sender had the message. Its own event may come later.
    fn add_flights(&mut self) {
        let (had, rumors) = (&self.had, self.model.rumors());
        for item in &mut self.items {
            let ItemSubject::Copy { id, .. } = item.about else { continue };
            let ItemRoute::Between { from, sent: sent @ None, .. } = &mut item.route else { continue };
            let known = || rumors.get(id)?.copies.get(from).map(|copy| copy.at);
            *sent = had.get(&(id, *from)).copied().or_else(known).filter(|sent| *sent <= item.at);
            if let Some(flight) = item.flight().filter(|_| item.kind == ItemKind::FirstCopy) {
                let gap = if item.label.is_empty() { "" } else { ", " };
                item.label = format!("{}{gap}{}", item.label, span_text(flight));
            }
        }
    }
}

const fn between(from: Addr, to: Addr, sent: Option<Time>) -> ItemRoute {
    ItemRoute::Between { from, to, sent }
}

const fn link(node: Addr, peer: Addr) -> ItemSubject {
    ItemSubject::Link { node, peer }
}
