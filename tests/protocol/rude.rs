//! A Python-like node that keeps none of the habits that the existing ones have. It dials anybody at
//! any time, names itself late, twice, wrongly or never, floods, repeats, answers what nobody asked and not
//! what was asked, reports the living dead, and closes without a word.
//!
//! What is wrong with its bytes rather than with its manners is the soak's business: here are no bytes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use gossipctl::event::{LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::{Input, LinkChange};
use gossipctl::proto::message::{Gossip, Hello, Message, MessageId, Priority, Role};
use gossipctl::proto::random::Random;
use gossipctl::proto::time::{ClockTime, Time};
use gossipctl::sim::EPOCH;

use crate::virtual_time::Double;
use crate::virtual_time::alone::Ask;

/// It is rude for so long, then behaves until the round is over, so that what it left behind can be looked at.
pub(crate) const ROUND: Duration = Duration::from_secs(300);
const RUDE_FOR: Duration = Duration::from_secs(200);
/// Messages that it sends in one go.
const FLOOD: usize = 100;
/// Gossip that it remembers, to repeat it. All of it is younger than a seen-cache forgets.
const HEARD_MAX: usize = 30;
/// Longest list that it sends.
const LIST_LEN: u16 = 5_000;

/// A link of its own, and how it treats it.
struct Open {
    peer: Option<Addr>,
    /// It will never say anything here: it is "full".
    deaf: bool,
}

pub(crate) struct Rude {
    own: Addr,
    seeds: Vec<Addr>,
    peers: Vec<Addr>,
    random: Random,
    next_at: Option<Time>,
    links: BTreeMap<LinkId, Open>,
    heard: VecDeque<Message>,
    said: u64,
    /// It answers no probe before this.
    hung_until: Time,
}

impl Rude {
    pub(crate) fn new(own: Addr, seeds: &[Addr], peers: &[Addr], rng_seed: u64) -> Self {
        Self {
            own,
            seeds: seeds.to_vec(),
            peers: peers.to_vec(),
            random: Random::new(rng_seed),
            next_at: None,
            links: BTreeMap::new(),
            heard: VecDeque::new(),
            // No number of another life of it, so that each message is a new one.
            said: rng_seed * 1_000_000,
            hung_until: EPOCH,
        }
    }

    fn a_peer(&mut self) -> Addr {
        self.random.pick(&self.peers).unwrap()
    }

    fn a_seed(&mut self) -> Addr {
        self.random.pick(&self.seeds).unwrap()
    }

    fn a_link(&mut self) -> Option<LinkId> {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        self.random.pick(&links)
    }

    fn a_clock(&mut self) -> ClockTime {
        ClockTime::from_seconds(u32::try_from(self.random.below(86_400)).unwrap()).unwrap()
    }

    /// What it says on a link that it has dialed.
    fn first_words(&mut self, link: LinkId) -> Vec<Ask> {
        let words = match self.random.below(10) {
            0 => Vec::new(),
            1 => vec![self.gossip(), name(self.own)],
            2 => vec![name(self.own), name(self.own)],
            3 => vec![name(Addr::loopback(0))],
            4 => vec![name(self.a_peer())],
            5 => vec![name(self.a_seed())],
            6 => vec![name(self.own), self.gossip(), self.gossip()],
            _ => vec![name(self.own)],
        };
        words.into_iter().map(|message| Ask::Send(link, message)).collect()
    }

    fn gossip(&mut self) -> Message {
        self.said += 1;
        let body = format!("Gossip Message {}", self.said);
        let id = MessageId::classic(self.own, self.a_clock(), body.as_bytes());
        Message::Gossip(Arc::new(Gossip { id, body: body.into(), trace: None }))
    }

    /// One thing that nobody should do.
    fn misbehave(&mut self, now: Time) -> Vec<Ask> {
        match self.random.below(12) {
            0 | 1 => vec![Ask::Dial(self.a_peer(), Purpose::Neighbor)],
            2 => vec![Ask::Dial(self.a_seed(), Purpose::Registration)],
            3 => (0..6).map(|_| Ask::Dial(self.peers[0], Purpose::Neighbor)).collect(),
            4 => self.hang_up_all(),
            5 => self.repeat_all(),
            6 => {
                self.hung_until = now + Duration::from_secs(60);
                Vec::new()
            }
            _ => self.a_link().map_or_else(Vec::new, |link| self.say_wrongly(link)),
        }
    }

    fn say_wrongly(&mut self, link: LinkId) -> Vec<Ask> {
        let clock = self.a_clock();
        let (seq, peer) = (u64::from(clock.seconds()), self.a_peer());
        let says = match self.random.below(8) {
            0 | 1 => (0..FLOOD).map(|_| self.gossip()).collect(),
            2 => vec![Message::PeerList((1..=LIST_LEN).map(Addr::loopback).collect::<Vec<_>>().into())],
            3 => vec![Message::DeadReport { dead: peer, clock, reporter: self.own, cause: None }],
            4 => vec![Message::Probe { seq, asker: peer, clock, extras: None }; 20],
            5 => vec![Message::ProbeReply { seq, asker: peer, clock, extras: None }; 20],
            6 => vec![name(peer)],
            _ => {
                self.links.remove(&link);
                return vec![Ask::HangUp(link)];
            }
        };
        says.into_iter().map(|message| Ask::Send(link, message)).collect()
    }

    fn hang_up_all(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.links).into_keys().map(Ask::HangUp).collect()
    }

    fn repeat_all(&self) -> Vec<Ask> {
        let all = self.links.keys().flat_map(|link| self.heard.iter().map(|message| (*link, message.clone())));
        all.map(|(link, message)| Ask::Send(link, message)).collect()
    }

    fn on_message(&mut self, now: Time, link: LinkId, message: Message) -> Vec<Ask> {
        if self.links.get(&link).is_none_or(|open| open.deaf) {
            return Vec::new();
        }
        match message {
            Message::Probe { seq, asker, clock, .. } if now >= self.hung_until => {
                let times = if is_rude(now) { self.random.below(4) } else { 1 };
                let reply = Message::ProbeReply { seq, asker, clock, extras: None };
                vec![reply; times].into_iter().map(|reply| Ask::Send(link, reply)).collect()
            }
            message @ Message::Gossip(_) => {
                self.heard.push_back(message);
                self.heard.drain(..self.heard.len().saturating_sub(HEARD_MAX));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// A Python node takes a closed link for a death.
    fn report(&mut self, dead: Addr) -> Vec<Ask> {
        let clock = self.a_clock();
        let to_seed = |open: &Open| open.peer.is_some_and(|peer| self.seeds.contains(&peer));
        let seeds = self.links.iter().filter(|(_, open)| to_seed(open)).map(|(link, _)| *link);
        let report = Message::DeadReport { dead, clock, reporter: self.own, cause: None };
        seeds.map(|link| Ask::Send(link, report.clone())).collect()
    }
}

fn name(listen: Addr) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::Low })
}

fn is_rude(now: Time) -> bool {
    now.since(EPOCH).as_micros() % ROUND.as_micros() < RUDE_FOR.as_micros()
}

impl Double for Rude {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => {
                self.next_at = Some(now);
                Vec::new()
            }
            Input::Link { link, change: LinkChange::Accepted { .. } } => {
                let deaf = self.random.below(2) == 0;
                self.links.insert(link, Open { peer: None, deaf });
                Vec::new()
            }
            Input::Link { link, change: LinkChange::Dialed { peer } } => {
                self.links.insert(link, Open { peer: Some(peer), deaf: false });
                self.first_words(link)
            }
            Input::Link { link, change: LinkChange::Closed { .. } } => {
                let dead = self.links.remove(&link).and_then(|open| open.peer);
                dead.map_or_else(Vec::new, |dead| self.report(dead))
            }
            Input::Message { link, message } => self.on_message(now, link, message),
            Input::Wake => {
                self.next_at = Some(now + Duration::from_millis(100 + self.random.below(1_500) as u64));
                if is_rude(now) { self.misbehave(now) } else { Vec::new() }
            }
            Input::Rejected { .. } | Input::DialFailed { .. } | Input::Late { .. } | Input::Command(_) => Vec::new(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }
}
