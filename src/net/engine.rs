//! All nodes of this process, and what a user commands them to do.

mod faults;
mod junk;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use self::junk::JunkSource;
use super::bind;
use super::failure::{CommandError, StartError};
use super::files::{self, Demand};
use super::interfaces;
use super::links::Identity;
use super::node::{self, Handle, Setup};
use super::node_faults::NodeFaults;
use super::sources::Control;
use crate::clock::{Clock, utc_offset_s};
use crate::command::{Command, NodeSpec, Placement};
use crate::engine::fault::{FaultTable, Nodes as _};
use crate::engine::{NodeEntry, NodeState, NodeTable, Refusal, derive_seed, describe, mix, subject};
use crate::event::{Batch, Event};
use crate::feed::Tap;
use crate::proto::addr::Addr;
use crate::proto::config::{PeerConfig, SeedConfig};
use crate::proto::event::{EventKind, Pace};
use crate::proto::machine::NodeCommand;
use crate::proto::message::{Dialect, Role};
use crate::proto::node::Node;
use crate::proto::pacing::CLASSIC_WRITE_GAP;
use crate::proto::peer::Peer;
use crate::proto::reach::Reach;
use crate::proto::seed::Seed;
use crate::request::Request;

/// What the nodes of this process are like.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Every peer's settings; `listen` is ignored, `seeds` is where a seed without a place of its
    /// own listens, too.
    pub peer: PeerConfig,
    /// Every seed's settings; `listen` is ignored.
    pub seed: SeedConfig,
    /// What all random choices of this session follow from.
    pub rng_seed: u64,
    /// The session's clock.
    pub clock: Clock,
}

/// Owns all nodes of this process. Dropping it ends them at once, as a crash would.
pub struct Engine {
    defaults: Defaults,
    taps: Arc<[Tap]>,
    /// What the nodes are called, and how they are.
    table: NodeTable,
    /// What each of them is made of.
    slots: BTreeMap<Addr, Slot>,
    /// The seeds of the lab, if this is one.
    lab: Option<Vec<Addr>>,
    files_max: Option<u64>,
    faults: FaultTable,
    /// Who sends nonsense to a node of ours.
    junk_sources: BTreeMap<Addr, JunkSource>,
}

/// How long a quitting engine waits for its nodes, each of which has a bound of its own: longer only
/// if the machine is overloaded.
const QUIT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the nodes of a quitting classic network take to leave one after the other: what a person waits without wondering.
const LEAVES_TIME: Duration = Duration::from_secs(1);

/// What a node of the table is made of.
struct Slot {
    /// Where it listens: its address, or all interfaces.
    bind: Addr,
    /// A peer's seeds.
    seeds: Vec<Addr>,
    /// The node, while it runs or hangs.
    task: Option<Handle>,
    /// Its address is kept for one that was killed.
    reserved: Option<TcpSocket>,
}

impl Engine {
    /// An engine without nodes. Raises this process's limit of open files as far as it goes.
    pub fn new(defaults: Defaults, taps: Vec<Tap>) -> Self {
        let files_max = files::raise_limit();
        Self {
            table: NodeTable::new(defaults.peer.dialect),
            defaults,
            taps: taps.into(),
            slots: BTreeMap::new(),
            lab: None,
            files_max,
            faults: FaultTable::default(),
            junk_sources: BTreeMap::new(),
        }
    }

    /// Starts one node, and tells where it listens.
    pub async fn start(&mut self, spec: NodeSpec) -> Result<Addr, StartError> {
        let (seeds, peers) = match spec.role {
            Role::Seed => (1, 0),
            Role::Peer => (0, 1),
        };
        self.check_files(seeds, peers)?;
        let Site { listener, bind, addr } = self.place(&spec)?;
        let seeds = match (spec.role, &mut self.lab) {
            (Role::Seed, Some(lab)) => {
                lab.push(addr);
                Vec::new()
            }
            (Role::Seed, None) => Vec::new(),
            (Role::Peer, Some(lab)) => lab.clone(),
            (Role::Peer, None) => self.defaults.peer.seeds.clone(),
        };
        self.begin(vec![Place { role: spec.role, listener, bind, addr, seeds }])?;
        self.tell_of_newcomers().await;
        Ok(addr)
    }

    /// Starts a network of its own, on free ports of loopback; seeds first. Nobody runs before
    /// everybody listens.
    pub async fn start_lab(&mut self, seeds: usize, peers: usize) -> Result<Vec<Addr>, StartError> {
        self.check_files(seeds, peers)?;
        let bind_all = |count| (0..count).map(|_| bind::listen(Addr::loopback(0))).collect::<Result<Vec<_>, _>>();
        let (bound_seeds, bound_peers) = (bind_all(seeds)?, bind_all(peers)?);
        let lab: Vec<Addr> = bound_seeds.iter().map(|(_, addr)| *addr).collect();
        let place =
            |role, seeds: &[Addr], (listener, addr)| Place { role, listener, bind: addr, addr, seeds: seeds.to_vec() };
        let places: Vec<Place> = (bound_seeds.into_iter().map(|bound| place(Role::Seed, &[], bound)))
            .chain(bound_peers.into_iter().map(|bound| place(Role::Peer, &lab, bound)))
            .collect();
        let addrs = places.iter().map(|place| place.addr).collect();
        self.lab = Some(lab);
        self.table.note_lab();
        self.begin(places)?;
        self.tell_of_newcomers().await;
        Ok(addrs)
    }

    /// Does what a user wants. What cannot be done is also told to all listeners, as a `Failed`
    /// event: of the node that it was about, or where there is none, of the address that was asked
    /// for (`127.0.0.1:0` when none was).
    pub async fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        let (node, what) = (subject(&command), describe(&command, &|node| self.table.name(node)));
        self.settle();
        let result = self.carry_out(command).await;
        if let Err(error) = &result {
            self.publish(node, EventKind::Failed { what, why: error.to_string() });
        }
        result
    }

    /// Does what users want until one of them says [`Command::Quit`] or all are gone; then all
    /// nodes leave.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.recv().await {
            let (command, responder) = request.split();
            let last = command == Command::Quit;
            responder.answer(self.apply(command).await);
            if last {
                return;
            }
        }
        self.leave().await;
    }

    async fn carry_out(&mut self, command: Command) -> Result<(), CommandError> {
        self.table.judge(&command, &self.faults)?;
        match command {
            Command::Start(spec) => self.start(spec).await.map(drop).map_err(CommandError::from),
            Command::StartLab { seeds, peers } => {
                self.start_lab(seeds, peers).await.map(drop).map_err(CommandError::from)
            }
            Command::Kill(node) => self.kill(node).await,
            Command::Hang(node) => self.hang(node).await,
            Command::Restart(node) => self.restart(node).await,
            Command::Cut { node, peer } => {
                self.table.cut(node, peer)?;
                self.tell_peer(node, NodeCommand::Cut(peer)).await
            }
            Command::Heal { node, peer } => {
                self.table.heal(node, peer)?;
                self.tell_peer(node, NodeCommand::Heal(peer)).await
            }
            Command::Say { node, body } => self.tell_peer(node, NodeCommand::Say(body)).await,
            Command::Fault(command) => self.fault(command).await,
            Command::Quit => {
                self.leave().await;
                Ok(())
            }
        }
    }

    fn dialect(&self, role: Role) -> Dialect {
        match role {
            Role::Peer => self.defaults.peer.dialect,
            Role::Seed => self.defaults.seed.dialect,
        }
    }

    fn reach(&self, role: Role) -> &Reach {
        match role {
            Role::Peer => &self.defaults.peer.reach,
            Role::Seed => &self.defaults.seed.reach,
        }
    }

    fn pace(&self, role: Role) -> Pace {
        match role {
            Role::Peer => self.defaults.peer.pace(),
            Role::Seed => self.defaults.seed.pace(),
        }
    }

    fn count(&self, role: Role) -> usize {
        self.table.iter().filter(|(_, entry)| entry.role == role).count()
    }

    fn check_files(&self, seeds: usize, peers: usize) -> Result<(), StartError> {
        let seeds_known = self.lab.as_ref().map_or(self.defaults.peer.seeds.len(), Vec::len).max(seeds);
        let demand = Demand {
            new: seeds + peers,
            seeds: seeds + self.count(Role::Seed),
            peers: peers + self.count(Role::Peer),
            registrations: seeds_known / 2 + 1,
            config: &self.defaults.peer,
        };
        files::check(self.files_max, &demand)
    }

    /// Binds a new node's listener.
    fn place(&self, spec: &NodeSpec) -> Result<Site, StartError> {
        let ours = |addr: &Addr| self.table.get(*addr).is_some();
        match (spec.listen, spec.role) {
            (Placement::At(addr), _) if addr.ip().is_unspecified() => {
                self.site(interfaces::name_everywhere(addr.port(), None)?, addr)
            }
            (Placement::At(addr), _) => self.site(addr, addr),
            (Placement::Everywhere(addr), _) => self.site(addr, Addr::new(Ipv4Addr::UNSPECIFIED, addr.port())),
            (Placement::Auto, _) if self.lab.is_some() => bind::listen(Addr::loopback(0)).map(Site::at),
            (Placement::Auto, Role::Seed) => {
                let seeds = &self.defaults.peer.seeds;
                let free = bind::first_of(seeds.iter().copied().filter(|addr| !ours(addr)));
                free.map(Site::at).ok_or_else(|| StartError::NoSeedAddress(seeds.clone()))
            }
            (Placement::Auto, Role::Peer) => {
                let first = Addr::loopback(Placement::FIRST_PEER_PORT);
                let free = bind::first_of(bind::ports_from(first).filter(|addr| !ours(addr)));
                free.map(Site::at).ok_or(StartError::NoFreePort(first))
            }
        }
    }

    /// A place for a node of this name, unless a node of this process has it.
    fn site(&self, addr: Addr, bind: Addr) -> Result<Site, StartError> {
        self.table.check_free(addr)?;
        let (listener, bound) = bind::listen(bind)?;
        // Port 0 is any; an address that others know this machine by keeps its own name.
        Ok(Site { listener, bind: bound, addr: addr.with_port(bound.port()) })
    }

    /// Names new nodes, tells everybody that they listen, and lets them run.
    fn begin(&mut self, places: Vec<Place>) -> Result<(), Refusal> {
        places.iter().try_for_each(|place| self.table.check_free(place.addr))?;
        for place in &places {
            self.table.enter(place.addr, place.role)?;
        }
        self.publish_all(places.iter().flat_map(|place| self.started(place.addr, place.bind)).collect());
        for Place { listener, bind, addr, seeds, .. } in places {
            self.slots.insert(addr, Slot { bind, seeds, task: None, reserved: None });
            self.run_node(addr, listener);
        }
        Ok(())
    }

    /// Lets a node of the table run.
    fn run_node(&mut self, addr: Addr, listener: TcpListener) {
        let (Some(entry), Some(slot)) = (self.table.get(addr), self.slots.get(&addr)) else { return };
        let task = self.spawn(addr, entry, &slot.seeds, listener);
        if let Some(slot) = self.slots.get_mut(&addr) {
            slot.task = Some(task);
        }
    }

    fn spawn(&self, addr: Addr, entry: &NodeEntry, seeds: &[Addr], listener: TcpListener) -> Handle {
        let NodeEntry { role, life, .. } = *entry;
        let random_seed = derive_seed(self.defaults.rng_seed, addr, life);
        let machine: Node = match role {
            Role::Peer => Peer::new(self.peer_config(addr, seeds.to_vec()), random_seed).into(),
            Role::Seed => Seed::new(self.seed_config(addr), random_seed).into(),
        };
        let me = Identity { addr, role, dialect: self.dialect(role) };
        let faults = NodeFaults::new(addr, mix(random_seed), self.view());
        let (clock, taps) = (self.defaults.clock, Arc::clone(&self.taps));
        let reach = self.reach(role).clone();
        let handle = node::spawn(machine, Setup { me, listener, reach, clock, taps, faults });
        self.set_clock(addr, &handle);
        handle
    }

    fn peer_config(&self, listen: Addr, seeds: Vec<Addr>) -> PeerConfig {
        PeerConfig { listen, seeds, utc_offset_s: utc_offset_s(), ..self.defaults.peer.clone() }
    }

    fn seed_config(&self, listen: Addr) -> SeedConfig {
        SeedConfig { listen, utc_offset_s: utc_offset_s(), ..self.defaults.seed.clone() }
    }

    /// Nodes whose task has ended by itself (only a fault in this program does that) have crashed.
    fn settle(&mut self) {
        for (addr, slot) in &mut self.slots {
            if slot.task.take_if(|task| task.has_ended()).is_some() {
                // It ran or hung until now.
                let _ = self.table.kill(*addr);
            }
        }
    }

    async fn kill(&mut self, addr: Addr) -> Result<(), CommandError> {
        self.table.kill(addr)?;
        if let Some(slot) = self.slots.get_mut(&addr)
            && let Some(task) = slot.task.take()
        {
            task.crash().await;
            slot.reserved = bind::reserve(slot.bind).ok();
        }
        Ok(())
    }

    async fn hang(&mut self, addr: Addr) -> Result<(), CommandError> {
        self.table.hang(addr)?;
        // The node tells that it hangs. One whose task has just died is beyond that.
        self.control(addr, Control::Hang).await;
        Ok(())
    }

    async fn restart(&mut self, addr: Addr) -> Result<(), CommandError> {
        if self.table.check_restart(addr)? == NodeState::Hangs {
            self.kill(addr).await?;
        }
        let slot = self.slots.get_mut(&addr).ok_or(Refusal::Unknown(addr))?;
        let bind = slot.bind;
        let (listener, _) = bind::listen_again(slot.reserved.take(), bind)?;
        self.table.restart(addr)?;
        self.publish_all(self.started(addr, bind));
        self.run_node(addr, listener);
        Ok(())
    }

    async fn tell_peer(&mut self, addr: Addr, command: NodeCommand) -> Result<(), CommandError> {
        self.table.running_peer(addr)?;
        self.control(addr, Control::Command(command)).await;
        Ok(())
    }

    /// Tells a node something; one whose task has just died needs to know nothing.
    async fn control(&self, addr: Addr, control: Control) {
        if let Some(task) = self.slots.get(&addr).and_then(|slot| slot.task.as_ref()) {
            let _ = task.control.send(control).await;
        }
    }

    /// The nodes that run.
    fn running(&self) -> impl Iterator<Item = Addr> {
        let running = self.table.iter().filter(|(_, entry)| entry.state == NodeState::Runs);
        running.map(|(addr, _)| addr)
    }

    /// All nodes say goodbye; hung ones are crashed.
    async fn leave(&mut self) {
        let running: Vec<Addr> = self.running().collect();
        let pause = self.pause_between_leaves(running.len());
        let mut after = Duration::ZERO;
        for addr in &running {
            self.control(*addr, Control::Leave { after }).await;
            after += pause;
        }
        let mut leaving = Vec::new();
        for (addr, slot) in &mut self.slots {
            // A killed one has left already, and says so no more.
            let has_left = self.table.leave(*addr).is_ok();
            match slot.task.take() {
                Some(task) if has_left => leaving.push(task),
                Some(task) => task.crash().await,
                None => {}
            }
        }
        let all_left = async {
            for handle in &mut leaving {
                handle.ended().await;
            }
        };
        // Whoever is not done by then is crashed when its handle is dropped.
        let _ = timeout(QUIT_TIMEOUT, all_left).await;
    }

    /// A Python node that loses two neighbors at once reports both in one piece, and the Python seed that reads it dies. So in
    /// the classic dialect nodes leave one after the other, as far as there is time.
    fn pause_between_leaves(&self, nodes: usize) -> Duration {
        match self.dialect(Role::Peer) {
            Dialect::Framed => Duration::ZERO,
            Dialect::Classic => CLASSIC_WRITE_GAP.min(LEAVES_TIME / u32::try_from(nodes.max(1)).unwrap_or(u32::MAX)),
        }
    }

    /// What is told of a node that begins: that it runs, and what it opens to other machines.
    fn started(&self, addr: Addr, bind: Addr) -> Vec<Event> {
        let Some(NodeEntry { name, role, .. }) = self.table.get(addr).cloned() else { return Vec::new() };
        let (dialect, pace) = (self.dialect(role), self.pace(role));
        let mut told = vec![self.event(addr, EventKind::Started { name, role, dialect, pace })];
        let opened = interfaces::opened(bind, addr);
        if !opened.is_empty() {
            let allow = self.reach(role).allowed().iter().map(ToString::to_string).collect();
            told.push(self.event(addr, EventKind::Exposed { bind, opened, allow }));
        }
        told
    }

    fn event(&self, node: Addr, kind: EventKind) -> Event {
        Event { at: self.defaults.clock.now(), node, kind }
    }

    fn publish(&self, node: Addr, kind: EventKind) {
        self.publish_all(vec![self.event(node, kind)]);
    }

    fn publish_all(&self, events: Vec<Event>) {
        let batch: Batch = events.into();
        for tap in &*self.taps {
            tap.publish(&batch);
        }
    }
}

/// Where a node listens, and the name that it has there.
struct Site {
    listener: TcpListener,
    bind: Addr,
    addr: Addr,
}

impl Site {
    fn at((listener, addr): (TcpListener, Addr)) -> Self {
        Self { listener, bind: addr, addr }
    }
}

/// A node that listens and does not run yet.
struct Place {
    role: Role,
    listener: TcpListener,
    bind: Addr,
    addr: Addr,
    seeds: Vec<Addr>,
}

#[cfg(test)]
mod tests;
