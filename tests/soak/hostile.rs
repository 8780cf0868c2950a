//! A framed peer that speaks the protocol well and means harm, on real sockets: floods, big messages, forged names and
//! origins, false roots, hellos of every priority, registrations that last a moment.
//!
//! It connects from an address of its own, so that what it did wrong is told apart from what others did.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gossipctl::proto::addr::Addr;
use gossipctl::proto::random::Random;
use socket2::{Domain, Socket, Type};

use crate::rude::{Deeds, Shared};

/// Where it connects from, on Linux any address of 127.0.0.0/8 will do.
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
/// Between two things that it does.
const TICK: Duration = Duration::from_millis(20);
/// How long a call on a socket may hold it up.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long one flood goes on.
const FLOOD: Duration = Duration::from_millis(400);
/// Links that it holds at most: the oldest goes.
const LINKS_MAX: usize = 100;
/// A root that nobody has, lower than any address that a node can have.
const FALSE_ROOT: Addr = Addr::new(Ipv4Addr::new(127, 0, 0, 0), 1);

const SEED: u8 = 0;
const PEER: u8 = 1;
const HIGH: u8 = 1;

const LIST_REQUEST: u8 = 2;
const GOSSIP: u8 = 3;
const PROBE: u8 = 4;
const REPLY: u8 = 5;
const DEAD_REPORT: u8 = 6;

/// The peer, on a thread of its own.
pub(crate) struct Hostile {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Hostile {
    pub(crate) fn start(seeds: Vec<Addr>, peers: Vec<Addr>, rng_seed: u64) -> Self {
        let shared = Arc::new(Shared::quiet());
        let listener = TcpListener::bind((HOME, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let own = Addr::try_from(listener.local_addr().unwrap()).unwrap();
        let random = Random::new(rng_seed);
        let mut peer = HostilePeer {
            own,
            listener,
            seeds,
            peers,
            links: Vec::new(),
            heard: Vec::new(),
            random,
            said: 0,
            shared: Arc::clone(&shared),
        };
        Self { shared, thread: thread::spawn(move || peer.run()) }
    }

    pub(crate) fn be_quiet(&self, quiet: bool) {
        self.shared.be_quiet(quiet);
    }

    pub(crate) fn stop(self) -> Deeds {
        self.shared.stop();
        self.thread.join().expect("the hostile node itself failed");
        self.shared.take_deeds()
    }
}

struct Link {
    stream: TcpStream,
    received: Vec<u8>,
}

/// Who said what last, as it was heard.
#[derive(Clone, Copy)]
struct Heard {
    origin: [u8; 6],
    run: [u8; 8],
    seq: u64,
}

struct HostilePeer {
    own: Addr,
    listener: TcpListener,
    seeds: Vec<Addr>,
    peers: Vec<Addr>,
    links: Vec<Link>,
    heard: Vec<Heard>,
    random: Random,
    said: u64,
    shared: Arc<Shared>,
}

fn connect(addr: Addr) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(HOME, 0)).into()).ok()?;
    socket.connect_timeout(&addr.socket().into(), PATIENCE).ok()?;
    let stream = TcpStream::from(socket);
    prepare(&stream);
    Some(stream)
}

fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let _ = stream.set_read_timeout(Some(Duration::from_millis(1)));
}

fn address(addr: Addr) -> [u8; 6] {
    let ([a, b, c, d], [high, low]) = (addr.ip().octets(), addr.port().to_be_bytes());
    [a, b, c, d, high, low]
}

fn frame(tag: u8, fields: &[&[u8]]) -> Vec<u8> {
    let len = 1 + fields.iter().map(|field| field.len()).sum::<usize>();
    let mut bytes = u32::try_from(len).unwrap().to_be_bytes().to_vec();
    bytes.push(tag);
    bytes.extend(fields.concat());
    bytes
}

fn hello(name: Addr, role: u8, priority: u8) -> Vec<u8> {
    frame(b'G', &[b"SSP\x02", &address(name), &[role, priority]])
}

fn now_us() -> [u8; 8] {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap().to_be_bytes()
}

/// It has seven neighbors, and the lowest address of all has just been heard of.
fn false_root() -> Vec<u8> {
    [&[2, 0, 7][..], &address(FALSE_ROOT), &now_us()].concat()
}

impl HostilePeer {
    fn run(&mut self) {
        while !self.shared.stopped() {
            if self.shared.is_quiet() {
                self.links.clear();
                while self.listener.accept().is_ok() {}
            } else {
                self.act();
            }
            thread::sleep(TICK);
        }
    }

    fn act(&mut self) {
        match self.random.below(40) {
            0..=5 => self.link_to_a_peer(),
            6 => self.link_by_a_false_name(),
            7 => self.crowd_in(),
            8..=9 => self.register(),
            10 => self.register_for_a_moment(),
            11 => self.flood_probes(),
            12 => self.flood_answers(),
            13 => self.flood_gossip(),
            14 => self.flood_big_messages(),
            15 => self.flood_a_seed(),
            16..=18 => self.forge_gossip(),
            19..=20 => self.send_false_roots(),
            21..=36 => self.answer(),
            37 => self.accept(),
            38 => self.break_frames(),
            _ => self.hang_up_all(),
        }
        let excess = self.links.len().saturating_sub(LINKS_MAX);
        self.links.drain(..excess);
    }

    fn a_peer(&mut self) -> Addr {
        self.random.pick(&self.peers).unwrap()
    }

    fn a_seed(&mut self) -> Addr {
        self.random.pick(&self.seeds).unwrap()
    }

    /// A name at which nobody listens.
    fn nobody(&mut self) -> Addr {
        let port = 10_000 + self.random.below(50_000);
        Addr::new(HOME, u16::try_from(port).unwrap())
    }

    fn open(&mut self, to: Addr, first: &[u8]) {
        let Some(mut stream) = connect(to) else { return };
        if stream.write_all(first).is_ok() {
            self.links.push(Link { stream, received: Vec::new() });
        }
    }

    fn link_to_a_peer(&mut self) {
        self.shared.note("linked to a peer");
        let (peer, priority) = (self.a_peer(), u8::try_from(self.random.below(3)).unwrap());
        self.open(peer, &hello(self.own, PEER, priority));
    }

    fn link_by_a_false_name(&mut self) {
        self.shared.note("took another's name");
        let (peer, other, seed) = (self.a_peer(), self.a_peer(), self.a_seed());
        let (name, role) = match self.random.below(4) {
            0 => (other, PEER),
            1 => (seed, PEER),
            2 => (seed, SEED),
            _ => (peer, PEER),
        };
        self.open(peer, &hello(name, role, HIGH));
    }

    /// Many nodes that say they have no neighbor, all at one peer.
    fn crowd_in(&mut self) {
        self.shared.note("crowded in");
        let peer = self.a_peer();
        for _ in 0..60 {
            let name = self.nobody();
            self.open(peer, &hello(name, PEER, HIGH));
        }
    }

    fn register(&mut self) {
        self.shared.note("registered");
        let (seed, name) = (self.a_seed(), if self.random.below(2) == 0 { self.own } else { self.nobody() });
        self.open(seed, &hello(name, PEER, HIGH));
    }

    fn register_for_a_moment(&mut self) {
        self.shared.note("registered many for a moment");
        let seed = self.a_seed();
        let begun = Instant::now();
        while begun.elapsed() < FLOOD {
            let name = self.nobody();
            if let Some(mut stream) = connect(seed) {
                let _ = stream.write_all(&hello(name, PEER, HIGH));
            }
        }
    }

    /// Writes these over and over on one link, for as long as a flood goes on.
    fn flood(&mut self, mut next: impl FnMut(&mut Self) -> Vec<u8>) {
        let Some(mut link) = self.links.pop() else { return };
        let begun = Instant::now();
        while begun.elapsed() < FLOOD {
            let mut bytes = Vec::new();
            while bytes.len() < 64 * 1024 {
                bytes.extend(next(self));
            }
            if link.stream.write_all(&bytes).is_err() {
                // Half a frame may be out: nothing more can be said on this link.
                return;
            }
        }
        self.links.insert(0, link);
    }

    fn flood_probes(&mut self) {
        self.shared.note("flooded probes");
        let own = address(self.own);
        self.flood(|this| {
            this.said += 1;
            frame(PROBE, &[&this.said.to_be_bytes(), &own, &1_000_u32.to_be_bytes(), &[0]])
        });
    }

    fn flood_answers(&mut self) {
        self.shared.note("flooded answers that nobody asked for");
        let own = address(self.own);
        self.flood(|this| {
            this.said += 1;
            frame(REPLY, &[&this.said.to_be_bytes(), &own, &1_000_u32.to_be_bytes(), &[0]])
        });
    }

    fn gossip(&mut self, len: usize) -> Vec<u8> {
        self.said += 1;
        let origin = address(self.own);
        let seq = self.said.to_be_bytes();
        frame(GOSSIP, &[&origin, &7_u64.to_be_bytes(), &seq, &now_us(), &1_u16.to_be_bytes(), &vec![b'x'; len]])
    }

    fn flood_gossip(&mut self) {
        self.shared.note("flooded gossip");
        self.flood(|this| this.gossip(200));
    }

    fn flood_big_messages(&mut self) {
        self.shared.note("flooded big messages");
        self.flood(|this| this.gossip(60_000));
    }

    fn flood_a_seed(&mut self) {
        self.shared.note("flooded a seed");
        let seed = self.a_seed();
        self.open(seed, &hello(self.own, PEER, 0));
        let (dead, own) = (address(self.a_peer()), address(self.own));
        let reports = self.random.below(2) == 0;
        self.flood(|_| {
            if reports {
                frame(DEAD_REPORT, &[&dead, &1_000_u32.to_be_bytes(), &own, &[2]])
            } else {
                frame(LIST_REQUEST, &[])
            }
        });
    }

    /// The next messages of another, before it has said them.
    fn forge_gossip(&mut self) {
        if self.heard.is_empty() || self.links.is_empty() {
            return self.answer();
        }
        self.shared.note("forged gossip");
        let of = self.random.pick(&self.heard).unwrap();
        let forged = (1..=5).map(|ahead: u64| {
            let seq = (of.seq + ahead).to_be_bytes();
            frame(GOSSIP, &[&of.origin, &of.run, &seq, &now_us(), &3_u16.to_be_bytes(), b"forged"])
        });
        self.write(&forged.collect::<Vec<_>>().concat());
    }

    fn send_false_roots(&mut self) {
        self.shared.note("told of a false root");
        let own = address(self.own);
        self.said += 1;
        let probe = frame(PROBE, &[&self.said.to_be_bytes(), &own, &1_000_u32.to_be_bytes(), &false_root()]);
        self.links.retain_mut(|link| link.stream.write_all(&probe).is_ok());
    }

    fn break_frames(&mut self) {
        self.shared.note("sent broken frames");
        let broken: [&[u8]; 4] =
            [b"\xff\xff\xff\xff\xff\xff", b"\0\0\0\x05\x01\xff\xff\0\0", b"\0\0\0\x01\x63", b"\0\0\0\x16\x04\0\0"];
        let words = self.random.pick(&broken).unwrap();
        self.write(words);
    }

    /// Writes this on one of its links, and forgets the link when that fails.
    fn write(&mut self, bytes: &[u8]) {
        if self.links.is_empty() {
            return self.link_to_a_peer();
        }
        let at = self.random.below(self.links.len());
        if self.links[at].stream.write_all(bytes).is_err() {
            self.links.swap_remove(at);
        }
    }

    fn accept(&mut self) {
        if let Ok((mut stream, _)) = self.listener.accept() {
            let _ = stream.set_nonblocking(false);
            prepare(&stream);
            self.shared.note("accepted");
            let _ = stream.write_all(&hello(self.own, PEER, HIGH));
            self.links.push(Link { stream, received: Vec::new() });
        }
    }

    /// Reads some of its links, never all, and answers probes with a false root.
    fn answer(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        for at in (0..self.links.len()).rev().filter(|at| at % 4 != 3) {
            match self.links[at].stream.read(&mut buffer) {
                Ok(0) => drop(self.links.swap_remove(at)),
                Ok(count) => {
                    self.links[at].received.extend_from_slice(&buffer[..count]);
                    self.take_frames(at);
                }
                Err(_) => {}
            }
        }
    }

    fn take_frames(&mut self, at: usize) {
        let mut received = std::mem::take(&mut self.links[at].received);
        let mut replies = Vec::new();
        while let Some((len, rest)) = received.split_first_chunk::<4>() {
            let len = u32::from_be_bytes(*len) as usize;
            let Some(message) = rest.get(..len) else { break };
            match message.split_first() {
                Some((&GOSSIP, fields)) if fields.len() >= 22 => self.listen(fields),
                Some((&PROBE, fields)) if fields.len() >= 18 => {
                    replies.extend(frame(REPLY, &[&fields[..18], &false_root()]));
                }
                Some(_) | None => {}
            }
            received.drain(..4 + len);
        }
        self.links[at].received = received;
        let _ = self.links[at].stream.write_all(&replies);
    }

    fn listen(&mut self, fields: &[u8]) {
        let (origin, run) = (fields[..6].try_into().unwrap(), fields[6..14].try_into().unwrap());
        let seq = u64::from_be_bytes(fields[14..22].try_into().unwrap());
        self.heard.retain(|heard| heard.origin != origin);
        self.heard.push(Heard { origin, run, seq });
        let excess = self.heard.len().saturating_sub(LINKS_MAX);
        self.heard.drain(..excess);
    }

    fn hang_up_all(&mut self) {
        self.shared.note("hung up on all");
        self.links.clear();
    }
}
