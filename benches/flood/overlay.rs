//! The links that the references have, too: the same random graph, and a seed that brings it about.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use gossipctl::net::wire::{LinkContext, LinkDecoder, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::event::{Direction, Purpose};
use gossipctl::proto::message::{Dialect, Hello, Message, Priority, Role};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::codec::{FramedRead, FramedWrite};

/// What each node is told of the others.
type Lists = Arc<HashMap<Addr, Vec<Addr>>>;

/// Who is linked to whom, by number.
pub(crate) type Graph = Vec<Vec<usize>>;

/// `SplitMix64`, as the references use it: the same graph for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % end as u64).unwrap()
    }
}

/// A connected random graph: a random tree, then random edges as long as both ends have fewer links than
/// `degree`.
pub(crate) fn graph(nodes: usize, degree: usize, seed: u64) -> Graph {
    let mut random = Random(seed);
    let mut graph = vec![Vec::new(); nodes];
    for node in 1..nodes {
        let other = loop {
            let other = random.below(node);
            if graph[other].len() < degree.max(2) {
                break other;
            }
        };
        graph[node].push(other);
        graph[other].push(node);
    }
    for _ in 0..nodes * degree * 20 {
        let (one, other) = (random.below(nodes), random.below(nodes));
        let room = graph[one].len() < degree && graph[other].len() < degree;
        if one != other && room && !graph[one].contains(&other) {
            graph[one].push(other);
            graph[other].push(one);
        }
    }
    graph
}

/// A seed that lists, to each peer, those that it shall dial.
pub(crate) struct Seed {
    pub(crate) addr: Addr,
    lists: watch::Sender<Option<Lists>>,
}

impl Seed {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let addr = Addr::try_from(listener.local_addr().unwrap()).unwrap();
        let (lists, asked) = watch::channel(None);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(addr, stream, asked.clone()));
            }
        });
        Self { addr, lists }
    }

    /// Lets the peers have the links of this graph: the later one of two dials.
    pub(crate) fn link(&self, peers: &[Addr], graph: &Graph) {
        let list = |node: usize| graph[node].iter().filter(|other| **other < node).map(|other| peers[*other]).collect();
        let lists = peers.iter().enumerate().map(|(node, addr)| (*addr, list(node))).collect();
        self.lists.send_replace(Some(Arc::new(lists)));
    }
}

/// One registration. Whatever goes wrong shows as a network that does not settle.
async fn serve(local: Addr, stream: TcpStream, mut lists: watch::Receiver<Option<Lists>>) {
    let context = LinkContext {
        dialect: Dialect::Framed,
        local,
        role: Role::Seed,
        purpose: Purpose::Registration,
        direction: Direction::Inbound,
    };
    let (read, write) = stream.into_split();
    let mut read = FramedRead::new(read, LinkDecoder::new(context));
    let mut write = FramedWrite::new(write, LinkEncoder::new(context));
    let hello = Message::Hello(Hello { listen: local, role: Role::Seed, priority: Priority::Low });
    if write.send(&hello).await.is_err() {
        return;
    }
    let mut peer = None;
    while let Some(Ok(message)) = read.next().await {
        match message {
            Message::Hello(hello) => peer = Some(hello.listen),
            Message::ListRequest => {}
            _ => continue,
        }
        let Ok(known) = lists.wait_for(Option::is_some).await.map(|lists| lists.clone()) else { return };
        let list = peer.and_then(|peer| known?.get(&peer).cloned()).unwrap_or_default();
        if write.send(&Message::PeerList(list.into())).await.is_err() {
            return;
        }
    }
}
