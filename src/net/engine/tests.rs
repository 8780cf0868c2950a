//! What the engine decides before any node runs.

use super::*;
use crate::command::Placement;
use crate::event::{Attempt, EventKind, NodeEvent, Stop};
use crate::feed::{Feed, feed};
use crate::proto::config::PeerConfig;
use crate::proto::message::Role;
use crate::proto::reach::Reach;

fn engine(files_max: Option<u64>) -> (SocketEngine, Feed) {
    let (tap, feed) = feed(64);
    let mut settings = Settings::of_peers(PeerConfig::new(Addr::loopback(0), Vec::new()), 1);
    settings.seed.reach = Reach::new(["10.0.0.0/8".parse().unwrap()]);
    let mut engine = SocketEngine::new(settings, Clock::start(), vec![tap]);
    engine.files_max = files_max;
    (engine, feed)
}

fn drain(feed: &mut Feed) -> Vec<EventKind> {
    std::iter::from_fn(|| feed.try_recv())
        .flat_map(|delivery| delivery.batch.to_vec())
        .map(|event| event.kind)
        .collect()
}

#[tokio::test]
async fn a_node_without_descriptors_says_how_many_and_the_others_stay() {
    let (mut engine, mut feed) = engine(Some(100));
    let lab = engine.start_lab(1, 2).await.unwrap();
    let spec = NodeSpec { role: Role::Peer, listen: Placement::Auto };
    engine.apply(Command::Start(spec)).await.unwrap_err();
    let failed = drain(&mut feed).into_iter().find_map(|kind| match kind {
        EventKind::Node(NodeEvent::Failed { what, why }) => Some((what, why)),
        _ => None,
    });
    let (what, why) = failed.expect("it is told");
    assert_eq!(what, Attempt::Start(Role::Peer));
    let why = why.to_string();
    assert!(why.contains("this process may have 100: 2 too few") && why.contains("(2 peers fit)"), "{why}");
    for node in lab {
        assert_eq!(engine.nodes().get(node).unwrap().state, NodeState::Runs);
    }
}

#[tokio::test]
async fn a_hung_node_whose_address_is_lost_at_its_restart_is_down() {
    let (mut engine, mut feed) = engine(None);
    let node = engine.start(NodeSpec { role: Role::Seed, listen: Placement::At(Addr::loopback(0)) }).await.unwrap();
    engine.apply(Command::Hang(node)).await.unwrap();
    let (_somebody, taken) = bind::listen(Addr::loopback(0)).unwrap();
    engine.slots.get_mut(&node).unwrap().bind = taken;
    engine.apply(Command::Restart(node)).await.unwrap_err();
    let told = drain(&mut feed);
    let last = told
        .iter()
        .rfind(|kind| matches!(kind, EventKind::Node(NodeEvent::Started { .. } | NodeEvent::Stopped { .. })));
    assert_eq!(last, Some(&EventKind::Node(NodeEvent::Stopped { how: Stop::Killed })), "{told:?}");
    assert!(told.iter().any(|kind| matches!(kind, EventKind::Node(NodeEvent::Failed { .. }))), "{told:?}");
    assert_eq!(engine.nodes().get(node).unwrap().state, NodeState::Killed);
}

#[tokio::test]
async fn an_exposed_node_says_what_it_opens_one_on_loopback_nothing() {
    let (mut engine, mut feed) = engine(None);
    let exposed = |feed: &mut Feed| {
        let exposed = |kind: &EventKind| matches!(kind, EventKind::Node(NodeEvent::Exposed { .. }));
        drain(feed).into_iter().filter(exposed).collect::<Vec<_>>()
    };
    engine.start(NodeSpec { role: Role::Seed, listen: Placement::At(Addr::loopback(0)) }).await.unwrap();
    assert_eq!(exposed(&mut feed), []);
    let name = Addr::new([10, 9, 8, 7].into(), 0);
    let started = engine.start(NodeSpec { role: Role::Seed, listen: Placement::Everywhere(name) }).await.unwrap();
    assert_eq!((started.ip(), started.port() != 0), (name.ip(), true), "others know it by the name, and a real port");
    let told = exposed(&mut feed);
    let [EventKind::Node(NodeEvent::Exposed { bind, allow, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!((bind.to_string(), &allow[..]), (format!("0.0.0.0:{}", started.port()), &["10.0.0.0/8".to_owned()][..]));
    // It is there by any address of this machine, and comes back to all of them.
    engine.apply(Command::Kill(started)).await.unwrap();
    assert!(tokio::net::TcpStream::connect(Addr::loopback(started.port()).socket()).await.is_err());
    engine.apply(Command::Restart(started)).await.unwrap();
    tokio::net::TcpStream::connect(Addr::loopback(started.port()).socket()).await.unwrap();
    assert_eq!(exposed(&mut feed).len(), 1);
}
