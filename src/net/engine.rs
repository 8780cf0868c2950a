//! All nodes of this process on sockets: carries out what the engine decides.

mod junk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

use self::junk::JunkSource;
use super::bind;
use super::links::Identity;
use super::node::{self, Handle, Setup};
use super::node_faults::NodeFaults;
use super::sites::{SocketSite, SocketSites};
use super::sources::Control;
use crate::clock::{Clock, utc_offset_s};
use crate::command::limits::NetworkLimits;
use crate::command::{Command, NodeSpec};
use crate::engine::fault::FaultView;
use crate::engine::{self, CommandOutcome, Effect, Goodbye, NodeTable, Publication, Refusal, Settings, SiteError};
use crate::event::{Batch, Event, NodeState};
use crate::feed::Tap;
use crate::platform::raise_descriptor_limit;
use crate::proto::addr::Addr;
use crate::proto::chance::Topic;
use crate::request::Request;

/// Owns all nodes of this process. Dropping it ends them at once, as a crash would.
pub struct SocketEngine {
    engine: engine::Engine,
    clock: Clock,
    taps: Arc<[Tap]>,
    /// The task and sockets of each node.
    slots: BTreeMap<Addr, Slot>,
    files_max: Option<u64>,
    /// Sources of junk, by the node that gets it.
    junk_sources: BTreeMap<Addr, JunkSource>,
}

/// How long a quitting engine waits for its nodes. Each has a limit of its own, so this is reached
/// only if the machine is overloaded.
const QUIT_TIMEOUT: Duration = Duration::from_secs(3);

/// The task and sockets of a node in the table.
struct Slot {
    /// Where it listens: its address, or all interfaces.
    bind: Addr,
    /// Present while it runs or hangs.
    task: Option<Handle>,
    /// Reserves the address of a killed node.
    reserved: Option<TcpSocket>,
}

impl SocketEngine {
    /// An engine without nodes. Raises this process's limit of open files as far as it goes.
    pub fn new(settings: Settings, clock: Clock, taps: Vec<Tap>) -> Self {
        Self {
            engine: engine::Engine::new(settings, NetworkLimits::SOCKETS).by_address(),
            clock,
            taps: taps.into(),
            slots: BTreeMap::new(),
            files_max: raise_descriptor_limit(),
            junk_sources: BTreeMap::new(),
        }
    }

    /// There is no seed list, for this reason: nodes that need one are refused until there is a
    /// lab.
    #[must_use]
    pub fn without_seed_list(self, why: String) -> Self {
        Self { engine: self.engine.without_seed_list(why), ..self }
    }

    pub const fn nodes(&self) -> &NodeTable {
        self.engine.nodes()
    }

    /// Starts one node, and returns its address.
    pub async fn start(&mut self, spec: NodeSpec) -> Result<Addr, Refusal> {
        let started = self.start_all(Command::Start(spec)).await?;
        started.first().copied().ok_or(Refusal::Unknown(Addr::loopback(0)))
    }

    /// Starts a lab on free ports of loopback; seeds come first. All nodes listen before any runs.
    pub async fn start_lab(&mut self, seeds: usize, peers: usize) -> Result<Vec<Addr>, Refusal> {
        self.start_all(Command::StartLab { seeds, peers }).await
    }

    /// The new nodes.
    async fn start_all(&mut self, command: Command) -> Result<Vec<Addr>, Refusal> {
        let before = self.nodes().len();
        self.apply(command).await?;
        Ok(self.nodes().addrs_from(before).collect())
    }

    /// Carries out a command. A refusal is also published, as a `Failed` event.
    pub async fn apply(&mut self, command: Command) -> Result<(), Refusal> {
        self.settle();
        let CommandOutcome { effects, result } = self.decide(&command);
        let carried_out = self.carry_out(effects).await;
        result.and(carried_out)
    }

    /// Carries out commands until [`Command::Quit`] comes or nobody can send more; then all nodes
    /// leave.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.recv().await {
            let (command, responder) = request.split();
            let last = command == Command::Quit;
            responder.answer(self.apply(command).await);
            if last {
                return;
            }
        }
        // Nothing keeps a node from leaving.
        let _ = self.apply(Command::Quit).await;
    }

    fn decide(&mut self, command: &Command) -> CommandOutcome<SocketSite> {
        let slots = &mut self.slots;
        let mut take_former = |node| slots.get_mut(&node).map(|slot| (slot.bind, slot.reserved.take()));
        self.engine.apply(command, &mut SocketSites { files_max: self.files_max, take_former: &mut take_former })
    }

    /// Fails if a node that was to restart has lost its address to somebody else meanwhile.
    async fn carry_out(&mut self, effects: Vec<Effect<SocketSite>>) -> Result<(), Refusal> {
        let mut result = Ok(());
        for effect in effects {
            match effect {
                Effect::Publish(told) => self.publish(told),
                Effect::Start { node, site } => {
                    if let Err(error) = self.run_node(node, site) {
                        result = Err(self.lose(node, error));
                    }
                }
                Effect::Crash(node) => self.crash(node).await,
                Effect::Hang(node) => self.control(node, Control::Hang).await,
                Effect::Tell(node, command) => self.control(node, Control::Command(command)).await,
                Effect::Faults(view) => self.set_faults(&view).await,
                Effect::Junk { node, pause } => self.set_junk_source(node, pause),
                Effect::Leave { goodbyes, crashes } => self.leave(goodbyes, crashes).await,
            }
        }
        result
    }

    /// Runs a node of the table.
    fn run_node(&mut self, addr: Addr, site: SocketSite) -> Result<(), SiteError> {
        let SocketSite { bind, listener } = site;
        let listener = if let Some(listener) = listener {
            listener
        } else {
            let reserved = self.slots.get_mut(&addr).and_then(|slot| slot.reserved.take());
            bind::listen_again(reserved, bind)?.0
        };
        let Some(machine) = self.engine.machine(addr, utc_offset_s()) else { return Ok(()) };
        let engine = &self.engine;
        let Some(entry) = engine.nodes().get(addr) else { return Ok(()) };
        let role = entry.role;
        let me = Identity { addr, role, dialect: engine.dialect(role) };
        let faults = NodeFaults::new(addr, engine.chance_of(Topic::Faults, addr), Arc::clone(engine.fault_view()));
        let (reach, clock, taps) = (engine.reach(role).clone(), self.clock, Arc::clone(&self.taps));
        let task = Some(node::spawn(machine, Setup { me, listener, reach, clock, taps, faults }));
        self.slots.insert(addr, Slot { bind, task, reserved: None });
        Ok(())
    }

    /// A node that was to restart has lost its address: it stays down.
    fn lose(&mut self, node: Addr, error: SiteError) -> Refusal {
        let refusal = Refusal::Site(error);
        let told = self.engine.lose(node, &refusal);
        self.publish(told);
        refusal
    }

    /// A node whose task ended by itself has crashed; only a fault in this program does that.
    fn settle(&mut self) {
        for (addr, slot) in &mut self.slots {
            if slot.task.take_if(|task| task.has_ended()).is_some() {
                self.engine.note_crash(*addr);
            }
        }
    }

    async fn crash(&mut self, addr: Addr) {
        if let Some(slot) = self.slots.get_mut(&addr)
            && let Some(task) = slot.task.take()
        {
            task.crash().await;
            slot.reserved = bind::reserve(slot.bind).ok();
        }
    }

    /// Tells a node something; a task that has just died needs to know nothing.
    async fn control(&self, addr: Addr, control: Control) {
        if let Some(task) = self.slots.get(&addr).and_then(|slot| slot.task.as_ref()) {
            let _ = task.control.send(control).await;
        }
    }

    /// A hung node reads nothing any more, and gets the faults when it restarts.
    async fn set_faults(&self, view: &Arc<FaultView>) {
        for (addr, _) in self.nodes().iter().filter(|(_, entry)| entry.state == NodeState::Runs) {
            self.control(addr, Control::Faults(Arc::clone(view))).await;
        }
    }

    fn set_junk_source(&mut self, node: Addr, pause: Option<Duration>) {
        if self.junk_sources.get(&node).map(JunkSource::pause) == pause {
            return;
        }
        self.junk_sources.remove(&node);
        if let Some(pause) = pause {
            self.junk_sources.insert(node, JunkSource::new(node, pause, self.engine.chance_of(Topic::Junk, node)));
        }
    }

    /// Waits until all have left. A node that is not done in time is crashed when its handle is
    /// dropped.
    async fn leave(&mut self, goodbyes: Vec<Goodbye>, crashes: Vec<Addr>) {
        for Goodbye { node, after } in &goodbyes {
            self.control(*node, Control::Leave { after: *after }).await;
        }
        for node in crashes {
            self.crash(node).await;
        }
        let slots = &mut self.slots;
        let mut leaving: Vec<Handle> = Vec::new();
        leaving.extend(goodbyes.iter().filter_map(|goodbye| slots.get_mut(&goodbye.node)?.task.take()));
        let all_left = async {
            for handle in &mut leaving {
                handle.ended().await;
            }
        };
        let _ = timeout(QUIT_TIMEOUT, all_left).await;
    }

    fn publish(&self, told: Vec<Publication>) {
        let at = self.clock.now();
        let batch: Batch =
            told.into_iter().map(|Publication { node, kind }| Event { at, node, kind }).collect::<Vec<_>>().into();
        for tap in &*self.taps {
            tap.publish(&batch);
        }
    }
}

#[cfg(test)]
mod tests;
