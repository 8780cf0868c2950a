//! Python nodes on real sockets: the rules of `python_rules`, one thread a process.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use gossipctl::clock::Clock;
use gossipctl::event::LinkId;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::pacing::CLASSIC_WRITE_GAP;
use gossipctl::proto::time::Time;
use tokio::time::timeout;

use crate::python_rules::{Act, Dials, Habits, Process, RECV_LEN, Recv};

/// How long anything may take. Reached only when a test fails.
const LIMIT: Duration = Duration::from_secs(20);
/// Between two looks at all sockets.
const TICK: Duration = Duration::from_millis(1);

/// A Python process. It ends with its last handle, as if killed.
pub(crate) struct Python {
    pub(crate) addr: Addr,
    host: Arc<Mutex<Host>>,
}

/// The process and what the kernel holds for it.
struct Host {
    process: Process,
    listener: Option<TcpListener>,
    streams: BTreeMap<LinkId, TcpStream>,
    links: u64,
    clock: Clock,
    /// What it has to say to its seeds, and when the next of it is written.
    reports: VecDeque<(LinkId, Vec<u8>)>,
    report_at: Time,
}

/// Waits until this is true, which no event of ours tells.
pub(crate) async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(TICK).await;
        }
    };
    assert!(timeout(LIMIT, waiting).await.is_ok(), "waited in vain for {what}");
}

impl Python {
    /// A seed.
    pub(crate) fn seed() -> Self {
        Self::start(Process::seed)
    }

    /// A peer that registers with the seed, then dials these peers.
    pub(crate) fn peer(seed: Addr, peers: &[Addr]) -> Self {
        Self::peer_with(seed, peers, Habits::default())
    }

    /// The same with other figures.
    pub(crate) fn peer_with(seed: Addr, peers: &[Addr], habits: Habits) -> Self {
        Self::start(|own| Process::peer(own, &[seed], Dials::These(peers.to_vec()), habits))
    }

    fn start(process: impl FnOnce(Addr) -> Process) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = Addr::try_from(listener.local_addr().unwrap()).unwrap();
        let clock = Clock::start();
        let mut host = Host {
            process: process(addr),
            listener: Some(listener),
            streams: BTreeMap::new(),
            links: 0,
            reports: VecDeque::new(),
            report_at: clock.now(),
            clock,
        };
        let acts = host.process.start(host.clock.now());
        host.carry_out(acts);
        let host = Arc::new(Mutex::new(host));
        let running = Arc::downgrade(&host);
        thread::spawn(move || {
            while let Some(host) = running.upgrade() {
                let lives = host.lock().unwrap().turn();
                drop(host);
                if !lives {
                    return;
                }
                thread::sleep(TICK);
            }
        });
        Self { addr, host }
    }

    fn host(&self) -> MutexGuard<'_, Host> {
        self.host.lock().unwrap()
    }

    /// Writes this to every neighbor, in one piece, however many messages it is.
    pub(crate) fn write_to_all(&self, text: &str) {
        let mut host = self.host();
        let acts = host.process.neighbors().map(|(_, link)| Act::Write(link, text.as_bytes().to_vec())).collect();
        host.carry_out(acts);
    }

    pub(crate) fn has_received(&self, body: &str) -> bool {
        self.host().process.has_received(body)
    }

    pub(crate) fn was_answered_by(&self, peer: Addr) -> bool {
        self.host().process.was_answered_by(peer)
    }

    /// The exception that ended it.
    pub(crate) fn died(&self) -> Option<String> {
        self.host().process.died().map(str::to_owned)
    }

    /// All that it has read, one entry a `recv`.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.host().process.heard().to_vec()
    }

    /// A seed's list.
    pub(crate) fn list(&self) -> Vec<Addr> {
        self.host().process.list().to_vec()
    }

    /// A peer's neighbors; one with two links is there twice.
    pub(crate) fn neighbors(&self) -> Vec<Addr> {
        self.host().process.neighbors().map(|(peer, _)| peer).collect()
    }

    /// Ends as a killed process does.
    pub(crate) fn kill(&self) {
        let mut host = self.host();
        host.process.kill();
        host.turn();
    }
}

impl Host {
    /// What its threads do in this moment. False once it is dead.
    fn turn(&mut self) -> bool {
        let now = self.clock.now();
        if self.process.next_deadline().is_some_and(|at| at <= now) {
            let acts = self.process.wake(now);
            self.carry_out(acts);
        }
        self.report(now);
        self.accept();
        self.read();
        let lives = self.process.died().is_none();
        if !lives {
            // The kernel closes what a dead process leaves: with a reset where something was not read, and for all
            // that it has not accepted.
            self.streams.clear();
            self.listener = None;
        }
        lives
    }

    /// Two neighbors that end at once make two reports at once, which a Python seed does not survive: that would be no
    /// fault of ours.
    fn report(&mut self, now: Time) {
        if self.report_at <= now
            && let Some((link, bytes)) = self.reports.pop_front()
        {
            self.report_at = now + CLASSIC_WRITE_GAP;
            self.write(link, &bytes);
        }
    }

    fn accept(&mut self) {
        while self.process.accepts()
            && let Some(Ok((stream, _))) = self.listener.as_ref().map(TcpListener::accept)
        {
            let link = self.keep(stream);
            let acts = self.process.accepted(link);
            self.carry_out(acts);
        }
    }

    fn keep(&mut self, stream: TcpStream) -> LinkId {
        stream.set_nonblocking(true).unwrap();
        self.links += 1;
        self.streams.insert(LinkId(self.links), stream);
        LinkId(self.links)
    }

    /// One `recv` of each thread that waits in one.
    fn read(&mut self) {
        let links: Vec<LinkId> = self.streams.keys().copied().collect();
        let mut buffer = [0; RECV_LEN];
        for link in links {
            if !self.process.reads(link) {
                continue;
            }
            let Some(stream) = self.streams.get_mut(&link) else { continue };
            let recv = match stream.read(&mut buffer) {
                Ok(0) => Recv::End,
                Ok(count) => Recv::Bytes(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
                Err(_) => Recv::Reset,
            };
            let acts = self.process.received(self.clock.now(), link, recv);
            self.carry_out(acts);
        }
    }

    fn carry_out(&mut self, acts: Vec<Act>) {
        for act in acts {
            if self.process.died().is_some() {
                return;
            }
            match act {
                Act::Write(link, bytes) if self.process.is_registration(link) => {
                    self.reports.push_back((link, bytes));
                }
                Act::Write(link, bytes) => self.write(link, &bytes),
                Act::Dial(to) => self.dial(to),
                Act::Close(link) => drop(self.streams.remove(&link)),
            }
        }
    }

    fn dial(&mut self, to: Addr) {
        let acts = match TcpStream::connect(to.socket()) {
            Ok(stream) => {
                let link = self.keep(stream);
                self.process.dialed(self.clock.now(), link, to)
            }
            Err(_) => self.process.dial_failed(self.clock.now(), to),
        };
        self.carry_out(acts);
    }

    /// One `send`, which blocks until the kernel has taken all of it.
    fn write(&mut self, link: LinkId, mut bytes: &[u8]) {
        let Some(stream) = self.streams.get_mut(&link) else { return };
        while !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TICK),
                Err(error) => return self.process.write_failed(&format!("{:?} from send", error.kind())),
            }
        }
    }
}
