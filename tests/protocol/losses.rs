//! Names and numbers that tie events together: connections, and messages that do not arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use gossipctl::event::{
    ConnectionId, EventKind, FaultEvent, GossipEvent, LinkEvent, LossReason, MessageLoss, ProbeEvent, ProbePart,
};
use gossipctl::model::Model;
use gossipctl::model::why::why_not;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{FaultId, FaultKind, Percent, Scope};
use gossipctl::proto::machine::NodeCommand;
use gossipctl::proto::message::{Dialect, MessageId};

use crate::classic::classic;
use crate::faults::{calm, set};
use crate::virtual_time::{LIVENESS, Network, peer_addr};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn network(dialect: Dialect) -> Network {
    let mut network = match dialect {
        Dialect::Framed => Network::new(2, 5),
        Dialect::Classic => classic(2, 5),
    };
    network.peer_config.gossip_interval = SECOND;
    network.start_peers(1..=9);
    network.world.run_for(SECOND * 30);
    network
}

/// Faults that swallow messages in every way, a hung node, a killed one, and one that leaves.
pub(crate) fn break_much(network: &mut Network) {
    let percent = Percent::new(30).unwrap();
    set(network, FaultKind::Loss { percent }, Scope::All);
    set(network, FaultKind::Delay { by_us: 400_000, jitter_us: 300_000 }, Scope::Node(peer_addr(2)));
    set(network, FaultKind::Reorder { percent, window_us: 900_000 }, Scope::Node(peer_addr(3)));
    network.world.run_for(SECOND * 5);
    network.world.kill(peer_addr(2));
    network.world.hang(peer_addr(3));
    network.world.run_for(SECOND * 5);
    set(network, FaultKind::Slow { per_s: 5 }, Scope::Node(peer_addr(4)));
    set(network, FaultKind::Cut, Scope::border(vec![peer_addr(5), peer_addr(6)]));
    network.world.run_for(LIVENESS * 5);
    network.world.leave(peer_addr(4));
    network.world.kill(peer_addr(3));
    calm(network);
    network.world.run_for(SECOND * 20);
    // What is still on its way arrives, and nothing new begins.
    for peer in network.peers() {
        network.world.hang(peer);
    }
    network.world.run_for(SECOND * 5);
}

fn losses(network: &Network) -> impl Iterator<Item = (Addr, MessageLoss)> {
    network.world.events().iter().filter_map(|event| match &event.kind {
        EventKind::Gossip(GossipEvent::Lost { loss, .. }) | EventKind::Probe(ProbeEvent::Lost { loss, .. }) => {
            Some((event.node, *loss))
        }
        _ => None,
    })
}

fn each_copy_arrives_or_is_lost(dialect: Dialect) {
    let mut network = network(dialect);
    break_much(&mut network);
    let mut balance: BTreeMap<MessageId, i64> = BTreeMap::new();
    for event in network.world.events() {
        let EventKind::Gossip(event) = &event.kind else { continue };
        let (id, change) = match event {
            GossipEvent::Generated { id, forwarded, .. } => (id, i64::try_from(*forwarded).unwrap()),
            GossipEvent::Received { id, forwarded, .. } => (id, i64::try_from(*forwarded).unwrap() - 1),
            GossipEvent::Duplicate { id, .. } | GossipEvent::Forged { id, .. } | GossipEvent::Lost { id, .. } => {
                (id, -1)
            }
        };
        *balance.entry(*id).or_default() += change;
    }
    assert!(balance.len() > 100, "{}", balance.len());
    let odd: Vec<_> = balance.into_iter().filter(|(_, copies)| *copies != 0).collect();
    // A copy that follows a hello that was lost arrives as an offense.
    let is_offense = |kind: &EventKind| match kind {
        EventKind::Link(LinkEvent::Violation { violation, .. }) => violation.bytes.as_bytes() == b"gossip message",
        _ => false,
    };
    let offenses = network.world.events().iter().filter(|event| is_offense(&event.kind)).count();
    assert_eq!(odd.iter().map(|(_, copies)| copies).sum::<i64>(), i64::try_from(offenses).unwrap(), "{odd:?}");
    assert!(odd.iter().all(|(_, copies)| *copies > 0), "copies that arrived and were lost: {odd:?}");
}

#[test]
fn each_framed_copy_arrives_or_is_told_as_lost() {
    each_copy_arrives_or_is_lost(Dialect::Framed);
}

#[test]
fn each_classic_copy_arrives_or_is_told_as_lost() {
    each_copy_arrives_or_is_lost(Dialect::Classic);
}

#[test]
fn each_probe_arrives_or_is_told_as_lost() {
    let mut network = network(Dialect::Framed);
    break_much(&mut network);
    let count = |fits: fn(&ProbeEvent) -> bool| {
        let kinds = network.world.events().iter().map(|event| &event.kind);
        kinds.filter(|kind| matches!(kind, EventKind::Probe(event) if fits(event))).count()
    };
    let sent = count(|event| matches!(event, ProbeEvent::Sent { .. }));
    let came = count(|event| matches!(event, ProbeEvent::Received { .. }));
    let lost = count(|event| matches!(event, ProbeEvent::Lost { part: ProbePart::Question, .. }));
    assert_eq!(sent, came + lost);
    let answered = count(|event| matches!(event, ProbeEvent::Answered { .. }));
    let unanswered = count(|event| matches!(event, ProbeEvent::Lost { part: ProbePart::Answer, .. }));
    assert!(unanswered > 20 && answered + unanswered <= came, "{came} asked, {answered} and {unanswered} answers");
}

#[test]
fn a_loss_names_its_way_its_reason_and_its_fault() {
    let mut network = network(Dialect::Framed);
    break_much(&mut network);
    let told = |event: &EventKind| match event {
        EventKind::Fault(FaultEvent::Set { id, fault }) => Some((id.unwrap(), fault.clone())),
        _ => None,
    };
    let faults: BTreeMap<_, _> = network.world.events().iter().filter_map(|event| told(&event.kind)).collect();
    let (mut reasons, mut swallowed) = (BTreeMap::<&str, u32>::new(), BTreeMap::<FaultId, u32>::new());
    for (node, loss) in losses(&network) {
        assert_eq!(node, loss.to, "it is told at the receiver");
        let ConnectionId { dialer, acceptor, .. } = loss.connection.unwrap();
        assert!(acceptor == loss.to || acceptor == loss.from, "{loss:?}");
        assert!([loss.to, loss.from].iter().any(|end| end.ip() == dialer.ip()), "{loss:?}");
        let reason = match loss.why {
            LossReason::Fault(id) => {
                let fault = &faults[&id];
                assert!(fault.on.is_between(loss.from, loss.to), "{fault:?}");
                *swallowed.entry(id).or_default() += 1;
                "fault"
            }
            LossReason::QueueFull => "queue",
            LossReason::LinkEnded => "link",
            LossReason::Hung => "hung",
        };
        *reasons.entry(reason).or_default() += 1;
    }
    assert_eq!(swallowed.len(), 2, "the loss and the partition: {swallowed:?}");
    assert!(reasons["fault"] > 100 && reasons["link"] > 5 && reasons["hung"] > 5, "{reasons:?}");
}

fn both_ends_name_it_alike(dialect: Dialect) {
    let mut network = network(dialect);
    break_much(&mut network);
    let mut ends: BTreeMap<(Addr, Addr, u64), Vec<(Addr, Addr)>> = BTreeMap::new();
    for event in network.world.events() {
        if let EventKind::Link(LinkEvent::Up { connection, peer, .. }) = event.kind {
            let ConnectionId { dialer, acceptor, began } = connection.unwrap();
            ends.entry((dialer, acceptor, began.as_micros())).or_default().push((event.node, peer));
        }
    }
    let pairs = ends.values().filter(|ends| ends.len() == 2).count();
    for (name, ends) in &ends {
        match ends[..] {
            [(_, _)] => {}
            [(one, its_peer), (other, others_peer)] => {
                assert_eq!((one, its_peer), (others_peer, other), "{name:?}");
            }
            _ => panic!("{name:?} names several connections: {ends:?}"),
        }
    }
    assert!(pairs > 20 && pairs * 10 > ends.len() * 8, "{pairs} pairs of {} connections", ends.len());
}

#[test]
fn both_ends_of_a_framed_connection_name_it_alike() {
    both_ends_name_it_alike(Dialect::Framed);
}

#[test]
fn both_ends_of_a_classic_connection_name_it_alike() {
    both_ends_name_it_alike(Dialect::Classic);
}

/// What is said of each message that a peer lacks.
fn lacking(network: &Network) -> Vec<String> {
    let mut model = Model::new();
    network.world.events().iter().for_each(|event| model.apply(event));
    let generated = |event: &EventKind| match event {
        EventKind::Gossip(GossipEvent::Generated { id, .. }) => Some(*id),
        _ => None,
    };
    let ids = network.world.events().iter().filter_map(|event| generated(&event.kind));
    let of = |id| network.peers().into_iter().map(move |peer| (peer, id));
    let verdicts = ids.flat_map(of).map(|(peer, id)| why_not(&model, peer, id, 0).verdict);
    verdicts.filter(|verdict| verdict.contains("does not have")).collect()
}

#[test]
fn a_lack_names_the_fault_that_swallowed_the_copy() {
    let mut network = network(Dialect::Framed);
    set(&mut network, FaultKind::Loss { percent: Percent::new(70).unwrap() }, Scope::All);
    network.world.run_for(SECOND * 8);
    calm(&mut network);
    network.peers().into_iter().for_each(|peer| network.world.hang(peer));
    network.world.run_for(SECOND * 10);
    let told = lacking(&network);
    let lost = told.iter().filter(|told| told.contains(" was lost: dropped by 'loss all 70%' from ")).count();
    assert!(lost >= 10 && told.iter().all(|told| !told.contains("may have kept it")), "{lost} of {told:#?}");
}

#[test]
fn a_lack_tells_that_a_link_ended_with_the_copy_in_it() {
    let mut network = Network::new(1, 5);
    network.peer_config.messages = Some(0);
    network.start_peers(1..=2);
    network.world.run_for(SECOND * 5);
    let [one, other] = [1, 2].map(peer_addr);
    set(&mut network, FaultKind::Delay { by_us: 3_000_000, jitter_us: 0 }, Scope::link(one, other));
    network.world.command(one, NodeCommand::Say("hello".into()));
    network.world.run_for(SECOND);
    network.world.command(other, NodeCommand::Cut(one));
    network.world.run_for(SECOND * 10);
    let told = lacking(&network);
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("because of 'delay p1 p2 3s' since 00:00:05; p1 had it at 00:00:05"), "{told}");
    let ends = "the link that carried it ended at 00:00:06: ";
    assert!(told.contains(ends) && told.contains("link cut by the user") && !told.contains("certain"), "{told}");
}
