//! What a node of the existing Python network does, as one table of rules for both of its doubles: the one on sockets
//! (`tests/engine/python.rs`) and the one in virtual time (`tests/protocol/python.rs`).
//!
//! A [`Process`] is handed what its blocking calls returned, and says what it calls next. It has no `except`
//! anywhere: whatever would raise an exception in Python ends it. A driver then closes all its sockets, as the kernel
//! does for a dead process.
//!
//! | what happens | what it does |
//! |---|---|
//! | `recv(1024)` returns bytes | takes them for exactly one message |
//! | the first bytes on an accepted link | takes all of them for the address, and evaluates it |
//! | anything that it cannot parse | dies: `SyntaxError`, `UnicodeDecodeError`, `UnpicklingError`, ... |
//! | `recv` or `send` fails | dies: `ConnectionResetError`, `BrokenPipeError` |
//! | a neighbor's link ends | reports `Dead Node` to its seeds, and lives on |
//! | four links | accepts nobody until one is free; its one `recv` then takes all that waits |
//! | gossip that it has not seen | forwards it to all others |
//! | every 10 s | `Gossip Message k`, up to 10 |
//! | every 13 s | probes all neighbors; one with three misses is dead |
//! | seed: a connection | sends the list, then reads nobody until the newcomer has named itself; appends the name |
//! | seed: a dead report | takes one entry off the list |
//!
//! Where the protocol's description leaves a choice, this is the stricter one:
//! - A text with a colon in it is one field too many, and a text with `('` in it is two messages: death.
//! - An answer to a probe that names another asker, or not the node that the link belongs to: `KeyError`.
//! - Whoever is on a list and refuses the connection: `ConnectionRefusedError`. A seed that refuses is skipped, as the
//!   assignment has it.
//! - A peer reads its seeds' links no more once it has the list, so that it finds out about a closed one by
//!   writing to it.
//! - A newcomer that closes before it has named itself: `eval('')` is a `SyntaxError`.
//! - A dead report about somebody who is not on the list is ignored: two neighbors report each death.
//! - Of two links with the same address the older one stays in the list when either ends, and is written to.
//! - A seed keeps whoever closes its registration on the list until somebody reports it.

mod parse;
pub(crate) mod pickle;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::event::{LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::random::Random;
use gossipctl::proto::time::Time;

use self::parse::{Said, parse};

/// What one `recv` takes.
pub(crate) const RECV_LEN: usize = 1024;

/// The figures of a process; the default ones are the assignment's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) gossip_interval: Duration,
    pub(crate) messages: u32,
    pub(crate) liveness_interval: Duration,
    pub(crate) misses: u32,
    pub(crate) links_max: usize,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            gossip_interval: Duration::from_secs(10),
            messages: 10,
            liveness_interval: Duration::from_secs(13),
            misses: 3,
            links_max: 4,
        }
    }
}

/// Whom a peer dials once it has the lists.
#[derive(Debug, Clone)]
pub(crate) enum Dials {
    These(Vec<Addr>),
    /// So many at random.
    FromLists(usize),
}

/// What a `recv` returned or raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recv<'a> {
    Bytes(&'a [u8]),
    End,
    Reset,
}

/// What the process calls next.
#[derive(Debug)]
pub(crate) enum Act {
    /// One `send`.
    Write(LinkId, Vec<u8>),
    /// `connect`; told by `dialed` or `dial_failed`.
    Dial(Addr),
    Close(LinkId),
}

/// What a connection is to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Accepted; `recv` waits for the address.
    Naming,
    /// A peer's, to a seed whose list it waits for.
    List,
    /// A peer's, to a seed whose list it has.
    Seed,
    /// A seed's, to a peer that has named itself.
    Registered,
    Neighbor(Addr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Seed,
    Peer,
}

/// A Python process.
#[derive(Debug)]
pub(crate) struct Process {
    own: Addr,
    role: Role,
    habits: Habits,
    random: Random,
    stages: BTreeMap<LinkId, Stage>,
    died: Option<String>,
    /// All that it has read, one entry a `recv`.
    heard: Vec<String>,
    /// Seed: the list. Peer: the union of the lists.
    list: Vec<Addr>,
    /// A peer's seeds that it has yet to register with, next last.
    seeds_left: Vec<Addr>,
    dials: Dials,
    /// Connects that have not returned.
    dialing: usize,
    joined: bool,
    /// In the order in which they came; an address may be there twice.
    neighbors: Vec<(Addr, LinkId)>,
    misses: BTreeMap<Addr, u32>,
    /// Gossip that it has generated or received, as it was written.
    gossip: BTreeSet<String>,
    answered_by: BTreeSet<Addr>,
    generated: u32,
    gossip_at: Option<Time>,
    probe_at: Option<Time>,
}

impl Process {
    pub(crate) fn seed(own: Addr) -> Self {
        Self::new(own, Role::Seed, Habits::default(), Dials::These(Vec::new()))
    }

    pub(crate) fn peer(own: Addr, seeds: &[Addr], dials: Dials, habits: Habits) -> Self {
        let mut peer = Self::new(own, Role::Peer, habits, dials);
        peer.seeds_left = seeds.to_vec();
        peer
    }

    fn new(own: Addr, role: Role, habits: Habits, dials: Dials) -> Self {
        Self {
            own,
            role,
            habits,
            random: Random::new(u64::from(own.port())),
            stages: BTreeMap::new(),
            died: None,
            heard: Vec::new(),
            list: Vec::new(),
            seeds_left: Vec::new(),
            dials,
            dialing: 0,
            joined: role == Role::Seed,
            neighbors: Vec::new(),
            misses: BTreeMap::new(),
            gossip: BTreeSet::new(),
            answered_by: BTreeSet::new(),
            generated: 0,
            gossip_at: None,
            probe_at: None,
        }
    }

    /// The exception that ended it.
    pub(crate) fn died(&self) -> Option<&str> {
        self.died.as_deref()
    }

    pub(crate) fn heard(&self) -> &[String] {
        &self.heard
    }

    /// A seed's list.
    pub(crate) fn list(&self) -> &[Addr] {
        &self.list
    }

    pub(crate) fn has_received(&self, body: &str) -> bool {
        self.gossip.iter().any(|text| text.ends_with(body))
    }

    pub(crate) fn was_answered_by(&self, peer: Addr) -> bool {
        self.answered_by.contains(&peer)
    }

    /// What it is dialed for.
    pub(crate) fn serves(&self) -> Purpose {
        match self.role {
            Role::Seed => Purpose::Registration,
            Role::Peer => Purpose::Neighbor,
        }
    }

    /// Its links to neighbors, in order.
    pub(crate) fn neighbors(&self) -> impl Iterator<Item = (Addr, LinkId)> {
        self.neighbors.iter().copied()
    }

    /// Is this a peer's link to a seed?
    pub(crate) fn is_registration(&self, link: LinkId) -> bool {
        self.stages.get(&link) == Some(&Stage::Seed)
    }

    /// Does a thread of it wait in `accept` now?
    pub(crate) fn accepts(&self) -> bool {
        let room = self.role == Role::Seed || self.neighbors.len() < self.habits.links_max;
        self.died.is_none() && self.joined && room && self.naming().is_none()
    }

    /// Does a thread of it wait in `recv` on this link now?
    pub(crate) fn reads(&self, link: LinkId) -> bool {
        let Some(stage) = self.stages.get(&link).filter(|_| self.died.is_none()) else { return false };
        match (self.role, stage) {
            // The whole loop waits for the newcomer.
            (Role::Seed, _) => self.naming().is_none_or(|newcomer| newcomer == link),
            (Role::Peer, Stage::List) => true,
            (Role::Peer, Stage::Seed | Stage::Registered) => false,
            (Role::Peer, Stage::Naming | Stage::Neighbor(_)) => self.joined,
        }
    }

    fn naming(&self) -> Option<LinkId> {
        self.stages.iter().find(|(_, stage)| **stage == Stage::Naming).map(|(link, _)| *link)
    }

    pub(crate) fn start(&mut self, now: Time) -> Vec<Act> {
        self.join_on(now)
    }

    /// The next seed, or if there is none the peers.
    fn join_on(&mut self, now: Time) -> Vec<Act> {
        if self.role == Role::Seed {
            return Vec::new();
        }
        if let Some(seed) = self.seeds_left.last() {
            return vec![Act::Dial(*seed)];
        }
        let peers = match self.dials.clone() {
            Dials::These(peers) => peers,
            Dials::FromLists(count) => {
                let mut listed: Vec<Addr> = self.list.iter().copied().filter(|peer| *peer != self.own).collect();
                listed.sort_unstable();
                listed.dedup();
                self.random.sample(&listed, count)
            }
        };
        self.dialing = peers.len();
        self.joined_if_done(now);
        peers.into_iter().map(Act::Dial).collect()
    }

    fn joined_if_done(&mut self, now: Time) {
        if self.dialing == 0 {
            self.joined = true;
            self.gossip_at = Some(now + self.habits.gossip_interval);
            self.probe_at = Some(now + self.habits.liveness_interval);
        }
    }

    /// `connect` returned.
    pub(crate) fn dialed(&mut self, now: Time, link: LinkId, to: Addr) -> Vec<Act> {
        if self.seeds_left.last() == Some(&to) {
            self.seeds_left.pop();
            self.stages.insert(link, Stage::List);
            return Vec::new();
        }
        self.stages.insert(link, Stage::Neighbor(to));
        self.neighbors.push((to, link));
        self.dialing -= 1;
        self.joined_if_done(now);
        vec![Act::Write(link, self.name())]
    }

    pub(crate) fn dial_failed(&mut self, now: Time, to: Addr) -> Vec<Act> {
        if self.seeds_left.last() == Some(&to) {
            self.seeds_left.pop();
            return self.join_on(now);
        }
        self.die(&format!("ConnectionRefusedError: {to}"))
    }

    /// `accept` returned.
    pub(crate) fn accepted(&mut self, link: LinkId) -> Vec<Act> {
        self.stages.insert(link, Stage::Naming);
        match self.role {
            Role::Seed => vec![Act::Write(link, pickle::dumps(&self.list))],
            Role::Peer => Vec::new(),
        }
    }

    /// A `recv` returned, or raised.
    pub(crate) fn received(&mut self, now: Time, link: LinkId, recv: Recv<'_>) -> Vec<Act> {
        let Some(stage) = self.stages.get(&link).copied() else { return Vec::new() };
        match recv {
            Recv::Reset => self.die("ConnectionResetError"),
            Recv::End => match stage {
                Stage::Naming => self.die("SyntaxError: eval('')"),
                Stage::List => self.die("EOFError: Ran out of input"),
                Stage::Seed | Stage::Registered => self.close(link),
                Stage::Neighbor(peer) => self.neighbor_ended(now, peer, link),
            },
            Recv::Bytes(bytes) => self.heard_bytes(now, link, stage, bytes),
        }
    }

    fn heard_bytes(&mut self, now: Time, link: LinkId, stage: Stage, bytes: &[u8]) -> Vec<Act> {
        if stage == Stage::List {
            return match pickle::loads(bytes) {
                Ok(list) => self.registered(now, link, &list),
                Err(why) => self.die(&format!("UnpicklingError: {why}")),
            };
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.die(&format!("UnicodeDecodeError: {}", bytes.escape_ascii()));
        };
        self.heard.push(text.to_owned());
        match (stage, parse(text)) {
            (Stage::Naming, Ok(Said::Address(peer))) => self.named(link, peer),
            (Stage::Registered, Ok(Said::Dead(peer))) => {
                if let Some(at) = self.list.iter().position(|listed| *listed == peer) {
                    self.list.remove(at);
                }
                Vec::new()
            }
            (Stage::Neighbor(_), Ok(Said::Gossip)) => self.on_gossip(link, text),
            (Stage::Neighbor(_), Ok(Said::Request { time, sender })) => {
                let own = self.own.python();
                vec![Act::Write(link, format!("Liveness Reply:{time}:{sender}:{own}").into_bytes())]
            }
            (Stage::Neighbor(peer), Ok(Said::Reply { asker, answerer })) if asker == self.own && answerer == peer => {
                self.misses.insert(peer, 0);
                self.answered_by.insert(peer);
                Vec::new()
            }
            (Stage::Neighbor(_), Ok(Said::Reply { .. })) => self.die(&format!("KeyError: {text}")),
            (_, Ok(_)) => self.die(&format!("IndexError: not expected here: {text}")),
            (_, Err(why)) => self.die(&format!("{why}: {text}")),
        }
    }

    /// Names itself to the seed as soon as the list is in.
    fn registered(&mut self, now: Time, link: LinkId, list: &[Addr]) -> Vec<Act> {
        self.stages.insert(link, Stage::Seed);
        self.list.extend_from_slice(list);
        let mut acts = vec![Act::Write(link, self.name())];
        acts.extend(self.join_on(now));
        acts
    }

    fn named(&mut self, link: LinkId, peer: Addr) -> Vec<Act> {
        match self.role {
            Role::Seed => {
                self.list.push(peer);
                self.stages.insert(link, Stage::Registered);
            }
            Role::Peer => {
                self.neighbors.push((peer, link));
                self.stages.insert(link, Stage::Neighbor(peer));
            }
        }
        Vec::new()
    }

    fn on_gossip(&mut self, from: LinkId, text: &str) -> Vec<Act> {
        if !self.gossip.insert(text.to_owned()) {
            return Vec::new();
        }
        let others = self.neighbors().filter(|(_, link)| *link != from);
        others.map(|(_, link)| Act::Write(link, text.as_bytes().to_vec())).collect()
    }

    fn neighbor_ended(&mut self, now: Time, peer: Addr, link: LinkId) -> Vec<Act> {
        let mut acts = self.bury(now, peer);
        self.stages.remove(&link);
        if !self.neighbors.iter().any(|(_, other)| *other == link) {
            acts.push(Act::Close(link));
        }
        acts
    }

    /// Takes the address off its list, the newest entry of it, and tells the seeds.
    fn bury(&mut self, now: Time, peer: Addr) -> Vec<Act> {
        if let Some(at) = self.neighbors.iter().rposition(|(addr, _)| *addr == peer) {
            self.neighbors.remove(at);
        }
        self.misses.remove(&peer);
        let report = format!("Dead Node:{}:{}:{}", peer.python(), now.clock(0), self.own.python());
        let seeds = self.stages.iter().filter(|(_, stage)| **stage == Stage::Seed);
        seeds.map(|(link, _)| Act::Write(*link, report.clone().into_bytes())).collect()
    }

    fn close(&mut self, link: LinkId) -> Vec<Act> {
        self.stages.remove(&link);
        vec![Act::Close(link)]
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.gossip_at.into_iter().chain(self.probe_at).min().filter(|_| self.died.is_none())
    }

    /// The time of its timers has come.
    pub(crate) fn wake(&mut self, now: Time) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.gossip_at.is_some_and(|at| at <= now) {
            acts.extend(self.generate(now));
        }
        if self.probe_at.is_some_and(|at| at <= now) {
            acts.extend(self.probe(now));
        }
        acts
    }

    fn generate(&mut self, now: Time) -> Vec<Act> {
        self.generated += 1;
        let more = self.generated < self.habits.messages;
        self.gossip_at = more.then(|| now + self.habits.gossip_interval);
        if self.generated > self.habits.messages {
            return Vec::new();
        }
        let text = format!("{}:{}:Gossip Message {}", now.clock(0), self.own.python(), self.generated);
        self.gossip.insert(text.clone());
        self.neighbors().map(|(_, link)| Act::Write(link, text.clone().into_bytes())).collect()
    }

    fn probe(&mut self, now: Time) -> Vec<Act> {
        self.probe_at = Some(now + self.habits.liveness_interval);
        let mut acts = Vec::new();
        let limit = self.habits.misses;
        let silent = |peer: &Addr| self.misses.get(peer).is_some_and(|misses| *misses >= limit);
        let dead: BTreeSet<Addr> = self.neighbors.iter().map(|(peer, _)| *peer).filter(silent).collect();
        for peer in dead {
            let link = self.neighbors.iter().rfind(|(addr, _)| *addr == peer).map(|(_, link)| *link);
            acts.extend(self.bury(now, peer));
            acts.extend(link.into_iter().flat_map(|link| self.close(link)));
        }
        let request = format!("Liveness Request:{}:{}", now.clock(0), self.own.python());
        for (peer, link) in self.neighbors.clone() {
            *self.misses.entry(peer).or_default() += 1;
            acts.push(Act::Write(link, request.clone().into_bytes()));
        }
        acts
    }

    /// A `send` raised this.
    pub(crate) fn write_failed(&mut self, exception: &str) {
        self.die(exception);
    }

    /// Somebody killed it.
    pub(crate) fn kill(&mut self) {
        self.die("killed");
    }

    fn name(&self) -> Vec<u8> {
        self.own.python().to_string().into_bytes()
    }

    fn die(&mut self, why: &str) -> Vec<Act> {
        self.died.get_or_insert_with(|| why.to_owned());
        Vec::new()
    }
}
