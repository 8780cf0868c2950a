//! What the events between two moments tell that neither moment keeps.

use std::borrow::Borrow;

use super::parts::{Apart, PartsWatch};
use crate::event::{DelistReason, Event, EventKind, LinkEvent, SeedEvent};
use crate::model::{FastHashMap, Model};
use crate::proto::addr::Addr;
use crate::proto::message::RepairId;
use crate::proto::time::Time;

/// Dials, delistings and repairs that are kept: a day of a restless lab of 200 peers.
const KEPT_MAX: usize = 262_144;

/// What the events between two moments tell.
#[derive(Debug, Default)]
pub struct Between {
    /// By dialer and dialed: the repair that the latest dial was part of.
    dials: FastHashMap<(Addr, Addr), Option<RepairId>>,
    repairs: FastHashMap<(Addr, RepairId), EventKind>,
    delistings: FastHashMap<(Addr, Addr), (Time, DelistReason)>,
    pub(super) apart: Vec<Apart>,
}

impl Between {
    /// Reads the events after the moment that `before` shows.
    pub(super) fn read(before: &Model, events: impl IntoIterator<Item: Borrow<Event>>) -> Self {
        let (mut found, mut watch) = (Self::default(), PartsWatch::from(before));
        for event in events {
            found.note(event.borrow());
            watch.take(event.borrow());
        }
        found.apart = watch.finish();
        found
    }

    fn note(&mut self, event: &Event) {
        let node = event.node;
        match &event.kind {
            EventKind::Link(LinkEvent::Dialing { peer, repair, .. }) => keep(&mut self.dials, (node, *peer), *repair),
            EventKind::Link(LinkEvent::Repairing { repair: Some(repair), .. }) => {
                keep(&mut self.repairs, (node, *repair), event.kind.clone());
            }
            EventKind::Seed(SeedEvent::PeerDelisted { peer, reason, .. }) => {
                keep(&mut self.delistings, (node, *peer), (event.at, *reason));
            }
            EventKind::Link(_)
            | EventKind::Seed(_)
            | EventKind::Node(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Fault(_) => {}
        }
    }

    /// If this node dialed that one: itself, and why it looked for links, if that is known.
    pub(super) fn dialed(&self, node: Addr, peer: Addr) -> Option<(Addr, Option<&EventKind>)> {
        let repair = self.dials.get(&(node, peer))?;
        Some((node, repair.and_then(|repair| self.repairs.get(&(node, repair)))))
    }

    /// When and why this seed last took this peer off its list.
    pub(super) fn delisted(&self, seed: Addr, peer: Addr) -> Option<(Time, DelistReason)> {
        self.delistings.get(&(seed, peer)).copied()
    }
}

fn keep<K: std::hash::Hash + Eq, V>(kept: &mut FastHashMap<K, V>, key: K, value: V) {
    if kept.len() < KEPT_MAX || kept.contains_key(&key) {
        kept.insert(key, value);
    }
}
