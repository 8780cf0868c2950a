//! The surroundings of one part of a node: a time, settings, luck, and a list of what it wants.

use super::addr::Addr;
use super::config::PeerConfig;
use super::cx::{Cx, NeighborOutput, NodeNumbers};
use super::event::{EventKind, LinkId, Purpose};
use super::machine::Output;
use super::message::Message;
use super::random::Choices;
use super::time::Time;

/// What a part wanted since it was last looked at, in order.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) sent_on: Vec<(LinkId, Message)>,
    pub(super) sent_to: Vec<(Addr, Message)>,
    pub(super) dialed: Vec<Addr>,
    pub(super) hung_up: Vec<LinkId>,
    pub(super) events: Vec<EventKind>,
}

impl Output for Wishes {
    fn send(&mut self, link: LinkId, message: &Message) {
        self.sent_on.push((link, message.clone()));
    }

    fn dial(&mut self, peer: Addr, _purpose: Purpose) {
        self.dialed.push(peer);
    }

    fn hang_up(&mut self, link: LinkId) {
        self.hung_up.push(link);
    }

    fn pause(&mut self, _link: LinkId, _until: Time) {}

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.events.push(event().into());
    }
}

impl NeighborOutput for Wishes {
    fn send(&mut self, peer: Addr, message: &Message) {
        self.sent_to.push((peer, message.clone()));
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        self.events.push(event().into());
    }
}

/// The surroundings of a part of a peer.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) now: Time,
    pub(super) config: PeerConfig,
    choices: Choices,
    numbers: NodeNumbers,
    wishes: Wishes,
}

impl Surroundings {
    /// Of a peer that listens at this port, with these seeds.
    pub(super) fn new(port: u16, seeds: &[u16]) -> Self {
        let seeds = seeds.iter().copied().map(Addr::loopback).collect();
        Self {
            now: Time::from_micros(1_000_000_000),
            config: PeerConfig::new(Addr::loopback(port), seeds),
            choices: Choices::new(7),
            numbers: NodeNumbers::default(),
            wishes: Wishes::default(),
        }
    }

    pub(super) fn cx(&mut self) -> Cx<'_, Wishes> {
        let Self { now, config, choices, numbers, wishes } = self;
        Cx { now: *now, config, chance: choices, numbers, skew_us: 0, out: wishes }
    }

    /// What was wanted so far; it starts anew.
    pub(super) fn take(&mut self) -> Wishes {
        std::mem::take(&mut self.wishes)
    }
}
