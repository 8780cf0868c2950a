//! Nodes that behave as the existing Python ones do: blocking threads, no framing, one
//! `recv(1024)` taken for one message, and every violated expectation noted as a crash.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use gossipctl::proto::addr::Addr;

/// What a Python node's threads share.
#[derive(Default)]
struct Shared {
    /// What would have been an exception in Python.
    crashes: Vec<String>,
    /// Gossip as received, first receipts only.
    gossip: BTreeSet<String>,
    /// Who answered a probe of ours.
    answers: BTreeSet<String>,
    links: Vec<TcpStream>,
}

pub(crate) struct PythonPeer {
    pub(crate) addr: Addr,
    shared: Arc<Mutex<Shared>>,
    stopped: Arc<AtomicBool>,
}

fn listen() -> (TcpListener, Addr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = Addr::try_from(listener.local_addr().unwrap()).unwrap();
    (listener, addr)
}

/// What one `recv(1024)` returns; nothing at the end.
fn recv(stream: &mut TcpStream) -> Vec<u8> {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).unwrap_or(0);
    buffer[..count].to_vec()
}

/// `eval` of a printed tuple: the whole text and nothing else.
fn eval_address(text: &str) -> Option<Addr> {
    let (ip, port) = text.strip_prefix("('")?.strip_suffix(')')?.split_once("', ")?;
    Some(Addr::new(ip.parse().ok()?, port.parse().ok()?))
}

impl PythonPeer {
    /// Registers with the seed, then dials these peers.
    pub(crate) fn start(seed: Addr, peers: &[Addr]) -> Self {
        let (listener, addr) = listen();
        let peer = Self { addr, shared: Arc::default(), stopped: Arc::default() };
        peer.register(seed);
        peer.accept(listener);
        for remote in peers {
            let mut stream = TcpStream::connect(remote.socket()).unwrap();
            stream.write_all(addr.python().to_string().as_bytes()).unwrap();
            peer.serve(stream);
        }
        peer
    }

    fn register(&self, seed: Addr) {
        let mut stream = TcpStream::connect(seed.socket()).unwrap();
        let list = recv(&mut stream);
        if !(list.starts_with(b"\x80") && list.ends_with(b".")) {
            self.crash(&format!("UnpicklingError: {list:?}"));
        }
        stream.write_all(self.addr.python().to_string().as_bytes()).unwrap();
        self.lock().links.push(stream);
    }

    fn accept(&self, listener: TcpListener) {
        let (peer, stopped) = (self.shared_clone(), Arc::clone(&self.stopped));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let first = String::from_utf8(recv(&mut stream)).unwrap_or_default();
                if eval_address(&first).is_none() {
                    peer.crash(&format!("an address was expected: {first}"));
                }
                peer.serve(stream);
            }
        });
    }

    fn serve(&self, mut stream: TcpStream) {
        self.lock().links.push(stream.try_clone().unwrap());
        let peer = self.shared_clone();
        thread::spawn(move || {
            loop {
                let bytes = recv(&mut stream);
                if bytes.is_empty() {
                    return;
                }
                match String::from_utf8(bytes) {
                    Ok(text) => peer.on_message(&mut stream, &text),
                    Err(error) => peer.crash(&format!("UnicodeDecodeError: {error}")),
                }
            }
        });
    }

    fn on_message(&self, stream: &mut TcpStream, text: &str) {
        let fields: Vec<&str> = text.split(':').collect();
        match fields[..] {
            ["Liveness Request", time, sender] if eval_address(sender).is_some() => {
                let reply = format!("Liveness Reply:{time}:{sender}:{}", self.addr.python());
                let _ = stream.write_all(reply.as_bytes());
            }
            ["Liveness Reply", _, asker, answerer] if eval_address(asker) == Some(self.addr) => {
                self.lock().answers.insert(answerer.to_owned());
            }
            [time, origin, body] if time.len() == 8 && eval_address(origin).is_some() && !body.contains("('") => {
                self.on_gossip(stream, text);
            }
            _ => self.crash(&format!("cannot parse: {text}")),
        }
    }

    /// Forwards what is new to all others, with no gap to whatever else it writes.
    fn on_gossip(&self, from: &TcpStream, text: &str) {
        let mut shared = self.lock();
        if shared.gossip.insert(text.to_owned()) {
            let source = from.peer_addr().ok();
            // The first link is the one to the seed.
            for link in shared.links.iter_mut().skip(1).filter(|link| link.peer_addr().ok() != source) {
                let _ = link.write_all(text.as_bytes());
            }
        }
    }

    /// Writes this to every peer, in one piece, however many messages it is.
    pub(crate) fn write_to_all(&self, text: &str) {
        for link in self.lock().links.iter_mut().skip(1) {
            let _ = link.write_all(text.as_bytes());
        }
    }

    pub(crate) fn has_received(&self, body: &str) -> bool {
        self.lock().gossip.iter().any(|text| text.ends_with(body))
    }

    pub(crate) fn was_answered_by(&self, peer: Addr) -> bool {
        self.lock().answers.contains(&peer.python().to_string())
    }

    pub(crate) fn crashes(&self) -> Vec<String> {
        self.lock().crashes.clone()
    }

    /// Ends as a killed process does.
    pub(crate) fn kill(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        for link in self.lock().links.drain(..) {
            let _ = link.shutdown(Shutdown::Both);
        }
        // Wakes the accepting thread, so that the listener closes.
        let _ = TcpStream::connect(self.addr.socket());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    fn crash(&self, why: &str) {
        self.lock().crashes.push(why.to_owned());
    }

    fn shared_clone(&self) -> Self {
        Self { addr: self.addr, shared: Arc::clone(&self.shared), stopped: Arc::clone(&self.stopped) }
    }
}

/// A Python seed: one thread that, after each accept, sends the list and then blocks until the
/// address has come.
pub(crate) struct PythonSeed {
    pub(crate) addr: Addr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl PythonSeed {
    pub(crate) fn start() -> Self {
        let (listener, addr) = listen();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let notes = Arc::clone(&heard);
        thread::spawn(move || {
            let mut list = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let _ = stream.write_all(&pickle(&list));
                let first = String::from_utf8(recv(&mut stream)).unwrap_or_default();
                match eval_address(&first) {
                    Some(addr) if !list.contains(&addr) => list.push(addr),
                    Some(_) => {}
                    None => notes.lock().unwrap().push(format!("crash: {first}")),
                }
                notes.lock().unwrap().push(first);
                let notes = Arc::clone(&notes);
                thread::spawn(move || {
                    loop {
                        let bytes = recv(&mut stream);
                        if bytes.is_empty() {
                            return;
                        }
                        notes.lock().unwrap().push(String::from_utf8_lossy(&bytes).into_owned());
                    }
                });
            }
        });
        Self { addr, heard }
    }

    /// All that it has read, one entry a `recv`.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// `pickle.dumps` of a list of address tuples, protocol 4, as `CPython` writes it.
fn pickle(list: &[Addr]) -> Vec<u8> {
    let mut body = b"]\x94".to_vec();
    if !list.is_empty() {
        body.push(b'(');
        for addr in list {
            let ip = addr.ip().to_string();
            body.extend([0x8c, u8::try_from(ip.len()).unwrap()]);
            body.extend(ip.as_bytes());
            body.extend(b"\x94M");
            body.extend(addr.port().to_le_bytes());
            body.extend(b"\x86\x94");
        }
        body.push(b'e');
    }
    body.push(b'.');
    let mut bytes = b"\x80\x04\x95".to_vec();
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    bytes
}
