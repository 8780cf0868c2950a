//! A Python-like peer and a Python-like seed that break every rule, on real sockets: bytes joined, split
//! and malformed, links that say nothing, floods, lies, hostile pickles, deaths and returns.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gossipctl::proto::addr::Addr;
use gossipctl::proto::random::Random;

/// Between two things that it does.
const TICK: Duration = Duration::from_millis(40);
/// How long a call on a socket may hold it up.
const PATIENCE: Duration = Duration::from_millis(100);
/// Links that it holds at most: the oldest goes.
const LINKS_MAX: usize = 120;

/// What it did, and how often.
pub(crate) type Deeds = BTreeMap<&'static str, u64>;

/// The two nodes, each on a thread of its own.
pub(crate) struct Rude {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What a node on a thread of its own is told, and what it tells.
pub(crate) struct Shared {
    /// It has hung up on everybody and does nothing for now.
    quiet: AtomicBool,
    stop: AtomicBool,
    deeds: Mutex<Deeds>,
}

impl Shared {
    /// Of a node that does nothing yet.
    pub(crate) fn quiet() -> Self {
        Self { quiet: AtomicBool::new(true), stop: AtomicBool::new(false), deeds: Mutex::default() }
    }

    pub(crate) fn be_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take_deeds(&self) -> Deeds {
        std::mem::take(&mut *self.deeds.lock().unwrap())
    }

    pub(crate) fn note(&self, deed: &'static str) {
        *self.deeds.lock().unwrap().entry(deed).or_default() += 1;
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Rude {
    /// A place for the seed, so that others can be told of it before it begins.
    pub(crate) fn seed_listener() -> (TcpListener, Addr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = Addr::try_from(listener.local_addr().unwrap()).unwrap();
        (listener, addr)
    }

    pub(crate) fn start(seed: TcpListener, seeds: Vec<Addr>, peers: Vec<Addr>, rng_seed: u64) -> Self {
        let shared = Arc::new(Shared::quiet());
        let (listener, own) = Self::seed_listener();
        let mut peer = RudePeer {
            own,
            listener: Some(listener),
            seeds,
            peers,
            links: Vec::new(),
            random: Random::new(rng_seed),
            said: 0,
            shared: Arc::clone(&shared),
        };
        let mut rude_seed =
            RudeSeed { listener: seed, links: Vec::new(), random: Random::new(!rng_seed), shared: Arc::clone(&shared) };
        let threads = vec![thread::spawn(move || peer.run()), thread::spawn(move || rude_seed.run())];
        Self { shared, threads }
    }

    pub(crate) fn be_quiet(&self, quiet: bool) {
        self.shared.be_quiet(quiet);
    }

    pub(crate) fn stop(self) -> Deeds {
        self.shared.stop();
        self.threads.into_iter().for_each(|thread| thread.join().expect("the rude node itself failed"));
        self.shared.take_deeds()
    }
}

struct RudePeer {
    own: Addr,
    listener: Option<TcpListener>,
    seeds: Vec<Addr>,
    peers: Vec<Addr>,
    links: Vec<TcpStream>,
    random: Random,
    said: u64,
    shared: Arc<Shared>,
}

fn connect(addr: Addr) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr.socket(), PATIENCE).ok()?;
    prepare(&stream);
    Some(stream)
}

fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let _ = stream.set_read_timeout(Some(Duration::from_millis(1)));
}

impl RudePeer {
    fn run(&mut self) {
        while !self.shared.stopped() {
            if self.shared.is_quiet() {
                self.links.clear();
                self.listener = None;
            } else {
                self.listen();
                self.act();
            }
            thread::sleep(TICK);
        }
    }

    /// Back at its old address.
    fn listen(&mut self) {
        if self.listener.is_none() {
            self.listener = TcpListener::bind(self.own.socket()).ok();
        }
        if let Some(listener) = &self.listener {
            let _ = listener.set_nonblocking(true);
        }
    }

    fn act(&mut self) {
        match self.random.below(50) {
            0..=9 => self.dial_peer(),
            10..=12 => self.dial_seed(),
            13..=17 => self.accept(),
            18..=20 => self.flood(),
            21..=23 => self.join_messages(),
            24..=26 => self.split_a_message(),
            27..=28 => self.say_garbage(),
            29..=31 => self.report_the_living(),
            32 => self.say_too_much(),
            33..=46 => self.answer(),
            47 => self.open_silent_links(),
            48 => self.hang_up_all(),
            _ => self.die_for_a_while(),
        }
        let excess = self.links.len().saturating_sub(LINKS_MAX);
        self.links.drain(..excess);
    }

    fn a_peer(&mut self) -> Addr {
        self.random.pick(&self.peers).unwrap()
    }

    fn name(&self) -> String {
        self.own.python().to_string()
    }

    fn time(&mut self) -> String {
        format!("{:02}.{:02}.{:02}", self.random.below(24), self.random.below(60), self.random.below(60))
    }

    fn gossip(&mut self) -> String {
        self.said += 1;
        format!("{}:{}:Gossip Message {}", self.time(), self.name(), self.said)
    }

    fn probe(&mut self) -> String {
        format!("Liveness Request:{}:{}", self.time(), self.name())
    }

    /// Writes this on one of its links, and forgets the link when that fails.
    fn write(&mut self, bytes: &[u8]) {
        if self.links.is_empty() {
            return self.dial_peer();
        }
        let at = self.random.below(self.links.len());
        if self.links[at].write_all(bytes).is_err() {
            self.links.swap_remove(at);
        }
    }

    fn dial_peer(&mut self) {
        let peer = self.a_peer();
        let Some(mut stream) = connect(peer) else { return };
        let (name, gossip, probe) = (self.name(), self.gossip(), self.probe());
        let (deed, words) = match self.random.below(9) {
            0 => ("named itself with a message behind", format!("{name}{gossip}")),
            1 => ("named itself twice", format!("{name}{name}")),
            2 => ("spoke before its name", format!("{gossip}{name}")),
            3 => ("named nobody", "('localhost', 4000)".to_owned()),
            4 => ("named port 0", "('127.0.0.1', 0)".to_owned()),
            5 => ("named the one it dialed", peer.python().to_string()),
            6 => ("named itself in double quotes", name.replace('\'', "\"")),
            7 => ("named itself with a probe behind", format!("{name}{probe}")),
            _ => ("named itself", name),
        };
        self.shared.note(deed);
        let _ = stream.write_all(words.as_bytes());
        self.links.push(stream);
    }

    /// A seed must serve others while this one takes its time.
    fn dial_seed(&mut self) {
        let Some(mut stream) = connect(self.random.pick(&self.seeds).unwrap()) else { return };
        match self.random.below(4) {
            0 => self.shared.note("let a seed wait for its name"),
            1 => {
                self.shared.note("registered garbage");
                let _ = stream.write_all(b"__import__('os').getpid()");
            }
            2 => {
                self.shared.note("registered and reported at once");
                let dead = self.a_peer();
                let words = format!("{}Dead Node:{}:{}:{}", self.name(), dead.python(), self.time(), self.name());
                let _ = stream.write_all(words.as_bytes());
            }
            _ => {
                self.shared.note("registered");
                let _ = stream.write_all(self.name().as_bytes());
            }
        }
        self.links.push(stream);
    }

    /// Some of those that wait; the others are never accepted.
    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        if let Ok((stream, _)) = listener.accept() {
            let _ = stream.set_nonblocking(false);
            prepare(&stream);
            self.shared.note("accepted");
            self.links.push(stream);
        }
    }

    fn flood(&mut self) {
        self.shared.note("flooded");
        let all: String = (0..200).map(|_| self.gossip()).collect();
        self.write(all.as_bytes());
    }

    fn join_messages(&mut self) {
        self.shared.note("joined messages");
        let all = [self.gossip(), self.probe(), self.gossip(), self.probe()].concat();
        self.write(all.as_bytes());
    }

    fn split_a_message(&mut self) {
        self.shared.note("split a message");
        let Some(mut stream) = self.links.pop() else { return };
        let text = self.gossip();
        let (first, rest) = text.split_at(self.random.below(text.len()));
        let _ = stream.write_all(first.as_bytes());
        thread::sleep(Duration::from_millis(self.random.below(60) as u64));
        let _ = stream.write_all(rest.as_bytes());
        self.links.push(stream);
    }

    fn say_garbage(&mut self) {
        self.shared.note("said garbage");
        let garbage: [&[u8]; 8] = [
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0",
            b"\x80\x04cos\nsystem\n.",
            b"03.05.31:('127.0.0.1', 4000:x",
            b"Liveness Reply:25.61.61:('127.0.0.1', 3000):('127.0.0.1', 3000)",
            b"Dead Node:nobody",
            b"03.05.31:('127.0.0.1', 4000):\xff\xfe\x1b[2J",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        let words = self.random.pick(&garbage).unwrap();
        self.write(words);
    }

    fn report_the_living(&mut self) {
        self.shared.note("reported the living");
        let dead = self.a_peer();
        let report = format!("Dead Node:{}:{}:{}", dead.python(), self.time(), self.name());
        self.write(report.as_bytes());
    }

    fn say_too_much(&mut self) {
        self.shared.note("said too much");
        let text = format!("{}:{}:{}", self.time(), self.name(), "x".repeat(100_000));
        self.write(text.as_bytes());
    }

    /// Reads a little, mostly not, and answers what it reads, right and wrong.
    fn answer(&mut self) {
        let mut buffer = [0; 1024];
        for at in (0..self.links.len()).rev() {
            let Ok(count) = self.links[at].read(&mut buffer) else { continue };
            if count == 0 {
                self.links.swap_remove(at);
                continue;
            }
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let Some(request) = text.strip_prefix("Liveness Request:").filter(|request| request.is_ascii()) else {
                continue;
            };
            let reply = format!("Liveness Reply:{}:{}", request, self.name());
            self.shared.note("answered");
            let words = match self.random.below(4) {
                0 => reply.repeat(3),
                1 => format!("Liveness Reply:{}:{}:{}", self.time(), self.name(), self.name()),
                _ => reply,
            };
            let _ = self.links[at].write_all(words.as_bytes());
        }
    }

    fn open_silent_links(&mut self) {
        self.shared.note("opened links that say nothing");
        let peer = self.a_peer();
        let silent: Vec<TcpStream> = (0..20).filter_map(|_| connect(peer)).collect();
        self.links.extend(silent);
    }

    fn hang_up_all(&mut self) {
        self.shared.note("hung up on all");
        self.links.clear();
    }

    fn die_for_a_while(&mut self) {
        self.shared.note("died and came back");
        self.links.clear();
        self.listener = None;
        thread::sleep(Duration::from_millis(self.random.below(1_500) as u64));
    }
}

struct RudeSeed {
    listener: TcpListener,
    links: Vec<TcpStream>,
    random: Random,
    shared: Arc<Shared>,
}

impl RudeSeed {
    fn run(&mut self) {
        let _ = self.listener.set_nonblocking(true);
        while !self.shared.stopped() {
            match self.listener.accept() {
                // While it is quiet, whoever comes is sent away.
                Ok((stream, _)) if !self.shared.is_quiet() => self.serve(stream),
                Ok(_) | Err(_) => thread::sleep(TICK),
            }
            if self.shared.is_quiet() || self.random.below(200) == 0 {
                self.links.clear();
            }
        }
    }

    fn serve(&mut self, mut stream: TcpStream) {
        let _ = stream.set_nonblocking(false);
        prepare(&stream);
        let (deed, bytes) = match self.random.below(8) {
            0 => ("sent a pickle that runs code", b"\x80\x04cos\nsystem\n\x8c\x02id\x85R.".to_vec()),
            1 => ("sent an endless pickle", [b"\x80\x04]\x94".to_vec(), b"K\x01q\0".repeat(100_000)].concat()),
            2 => ("sent half a pickle", b"\x80\x04\x95\x25\0\0\0\0\0\0\0]\x94(".to_vec()),
            3 => ("sent no list", Vec::new()),
            4 => ("sent a huge list", list(2_000, "localhost")),
            5 => ("sent a list of the dead", list(60, "127.0.0.1")),
            6 => ("sent a list and text", [list(2, "127.0.0.1"), b"03.05.31:('127.0.0.1', 4000):x".to_vec()].concat()),
            _ => ("sent an empty list", b"\x80\x04]\x94.".to_vec()),
        };
        self.shared.note(deed);
        let _ = stream.write_all(&bytes);
        let excess = self.links.len().saturating_sub(LINKS_MAX);
        self.links.drain(..excess);
        self.links.push(stream);
    }
}

/// A pickle of so many entries at ports where nobody listens.
fn list(count: u16, host: &str) -> Vec<u8> {
    let mut pickle = b"\x80\x04]\x94(".to_vec();
    for port in 1..=count {
        pickle.extend([0x8c, u8::try_from(host.len()).unwrap()]);
        pickle.extend(host.as_bytes());
        pickle.extend([b'M']);
        pickle.extend(port.to_le_bytes());
        pickle.push(0x86);
    }
    pickle.extend(b"e.");
    pickle
}
