//! Seeds that send what is no list. Only the classic dialect has pickles.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gossipctl::event::Rule;
use gossipctl::proto::addr::Addr;

use super::{assert_undisturbed, until_told};
use crate::sockets::{ANYWHERE, LIMIT, Session, calm, classic, peer_at, seed_at};

/// A seed that says the same to everybody, without end if `rest` is not empty.
struct FalseSeed {
    addr: Addr,
    /// Most bytes that one peer took.
    taken: Arc<AtomicUsize>,
}

impl FalseSeed {
    fn start(head: &'static [u8], rest: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = Addr::try_from(listener.local_addr().unwrap()).unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let most = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let most = Arc::clone(&most);
                thread::spawn(move || most.fetch_max(serve(stream, head, rest), Ordering::SeqCst));
            }
        });
        Self { addr, taken }
    }
}

/// How much the peer took before it hung up, or before it was more than anybody should.
fn serve(mut stream: TcpStream, head: &[u8], rest: &[u8]) -> usize {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut sent = if stream.write_all(head).is_ok() { head.len() } else { 0 };
    let chunk = rest.repeat(4_096 / rest.len().max(1));
    while !rest.is_empty() && sent < TAKEN_MAX && stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
    }
    // Whoever still listens is kept waiting.
    let _ = stream.read(&mut [0; 64]);
    sent
}

/// Nobody should take so much of an endless list: some hundred KiB and what the sockets hold.
const TAKEN_MAX: usize = 64 * 1024 * 1024;

/// Three classic peers of a good seed and of a false one, which are linked.
async fn misled(false_seed: &FalseSeed) -> (Session, Session, Vec<Addr>) {
    let mut elsewhere = Session::new(classic(calm(Vec::new())));
    let good = elsewhere.engine.start(seed_at(ANYWHERE)).await.unwrap();
    let mut config = classic(calm(vec![good, false_seed.addr]));
    config.backoff_max = Duration::from_secs(5);
    let mut session = Session::new(config);
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(session.engine.start(peer_at(ANYWHERE)).await.unwrap());
    }
    session.until_connected(&peers).await;
    (session, elsewhere, peers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_pickle_is_not_run_but_told_and_disturbs_nobody() {
    // os.system('reboot'), and a step that Python would take behind a harmless list.
    let hostile: [(&[u8], &str); 2] = [
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x06reboot\x85R.", r"\x93\x8c\x06reboot\x85R."),
        (b"\x80\x04]\x94R.", "R."),
    ];
    for (pickle, shown) in hostile {
        let seed = FalseSeed::start(pickle, b"");
        let (mut session, _elsewhere, peers) = misled(&seed).await;
        for peer in &peers {
            until_told(&mut session, *peer, Rule::HostilePickle, &seed.addr.to_string(), shown).await;
        }
        assert_undisturbed(&mut session, &peers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pickle_bomb_is_refused_before_it_grows_and_disturbs_nobody() {
    // Entries without end: one that is fetched from the memo again and again, and numbers.
    let bombs: [(&[u8], &[u8]); 2] =
        [(b"\x80\x04]\x94\x8c\t127.0.0.1M\xb9\x0b\x86q\x01a(", b"h\x01"), (b"\x80\x04]\x94(", b"K\x01")];
    for (head, rest) in bombs {
        let seed = FalseSeed::start(head, rest);
        let (mut session, _elsewhere, peers) = misled(&seed).await;
        for peer in &peers {
            until_told(&mut session, *peer, Rule::ListTooLong, &seed.addr.to_string(), "").await;
        }
        assert_undisturbed(&mut session, &peers).await;
        let taken = seed.taken.load(Ordering::SeqCst);
        assert!(taken < TAKEN_MAX, "a peer took {taken} bytes of an endless list");
    }
}
