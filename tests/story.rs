//! What real nodes emit, in virtual time, and what the model makes of it.

mod merging;
#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::collections::BTreeSet;
use std::time::Duration;

use gossipctl::event::{EventKind, NodeEvent, NodeState, Purpose, Stop};
use gossipctl::model::Model;
use gossipctl::model::link::LinkHistory;
use gossipctl::model::node::ObservedState;
use gossipctl::model::why::{about_message, why_dead, why_link};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::NodeCommand;
use gossipctl::proto::node::Node;

use virtual_time::{Anyone, LIVENESS, Network, peer_addr as p};

/// A network, and a model that is told all that happens in it.
struct Story {
    network: Network,
    model: Model,
    told: usize,
}

impl Story {
    /// Two seeds and some peers, settled.
    fn new(peers: u16) -> Self {
        let mut story = Self { network: Network::new(2, 7), model: Model::new(), told: 0 };
        story.network.start_peers(1..=peers);
        story.pass(LIVENESS * 10);
        story
    }

    fn start(&mut self, number: u16) {
        self.network.start_peer(number);
        self.listen();
    }

    fn listen(&mut self) {
        for event in &self.network.world.events()[self.told..] {
            self.model.apply(event);
        }
        self.told = self.network.world.events().len();
    }

    fn pass(&mut self, span: Duration) {
        self.network.world.run_for(span);
        self.listen();
    }

    fn kill(&mut self, node: Addr) {
        self.network.world.kill(node);
        self.listen();
    }

    fn hang(&mut self, node: Addr) {
        self.network.world.hang(node);
        self.listen();
    }

    fn neighbors_by_model(&self, node: Addr) -> BTreeSet<Addr> {
        let is_neighbor = |link: &&LinkHistory| link.is_up() && link.purpose == Purpose::Neighbor;
        self.model.links().open_of(node).filter(is_neighbor).map(|link| link.key.peer).collect()
    }

    /// A machine that hangs does not know who dropped it.
    fn neighbors_in_truth(&self, node: Addr) -> BTreeSet<Addr> {
        let Some(Anyone::Ours(Node::Peer(_))) = self.network.world.machine(node) else { return BTreeSet::new() };
        let mut neighbors = self.network.neighbors(node);
        if self.model.nodes().get(node).is_some_and(|node| node.life() == Some(NodeState::Hangs)) {
            neighbors.retain(|neighbor| self.network.neighbors(*neighbor).contains(&node));
        }
        neighbors
    }

    /// The model and the machines agree about links and lists.
    fn assert_true(&self) {
        for node in self.network.world.addrs() {
            let neighbors = self.neighbors_in_truth(node);
            assert_eq!(self.neighbors_by_model(node), neighbors, "neighbors of {node}");
            let counted = self.model.nodes().get(node).unwrap().neighbors as usize;
            assert_eq!(counted, neighbors.len(), "count of neighbors of {node}");
            if let Some(Anyone::Ours(Node::Seed(seed))) = self.network.world.machine(node) {
                let listed: BTreeSet<_> = self.model.seeds().get(node).unwrap().listed.keys().copied().collect();
                assert_eq!(listed, seed.listed().collect(), "list of {node}");
            }
        }
    }

    fn state(&self, node: Addr) -> ObservedState {
        self.model.nodes().get(node).unwrap().state()
    }
}

#[test]
fn a_settled_network_is_shown_as_it_is() {
    let story = Story::new(8);
    story.assert_true();
    let counts = story.model.nodes().counts();
    assert_eq!((counts.up, counts.suspect, counts.dead, counts.seeds), (10, 0, 0, 2));
    assert_eq!(story.model.liveness().answered_percent(story.network.world.now()), Some(100));
    let rumor = story.model.latest_rumor().unwrap();
    assert_eq!(rumor.reached(), 8, "{}", about_message(&story.model, rumor.id, 0).verdict);
    assert!(rumor.hop_max >= 1);
    let deepest = rumor.copies.values().filter_map(|copy| copy.hop).max();
    assert_eq!(deepest, Some(rumor.hop_max));
}

#[test]
fn a_hung_peer_turns_suspect_then_dead_with_all_the_evidence() {
    let mut story = Story::new(6);
    // The seeds have just asked it of their own accord.
    story.pass(Duration::from_secs(30));
    let witnesses = story.network.neighbors(p(3));
    story.hang(p(3));
    assert_eq!(story.state(p(3)), ObservedState::Hung);
    let mut seen = BTreeSet::new();
    while story.state(p(3)) != ObservedState::Dead {
        story.pass(Duration::from_secs(1));
        if let ObservedState::Suspect { misses, limit } = story.state(p(3)) {
            seen.insert((misses, limit));
        }
    }
    assert!(seen.contains(&(1, 3)) && seen.contains(&(2, 3)), "{seen:?}");
    story.pass(LIVENESS * 5);
    story.assert_true();
    let case = story.model.deaths().latest_of(p(3)).unwrap();
    assert_eq!(case.evidence.iter().map(|evidence| evidence.reporter).collect::<BTreeSet<_>>(), witnesses);
    assert!(case.evidence.iter().all(|evidence| {
        evidence.missed().len() == 3 && evidence.missed().iter().all(|miss| miss.sent_at.is_some())
    }));
    let verdict = why_dead(&story.model, p(3), 0).verdict;
    assert!(verdict.contains("had no answer to 3 probes in a row; it was reported to "), "{verdict}");
    assert!(verdict.contains("s1 and s2 asked it, got no answer and took it off their lists at "), "{verdict}");
    assert!(!verdict.contains("not certain"), "{verdict}");
}

#[test]
fn a_killed_peer_is_noticed_at_once_and_returns_restarted() {
    let mut story = Story::new(6);
    story.kill(p(2));
    story.pass(Duration::from_secs(1));
    assert_eq!(story.state(p(2)), ObservedState::Killed);
    let verdict = why_dead(&story.model, p(2), 0).verdict;
    assert!(
        verdict.starts_with("p2 was killed at 00:02:10, and its neighbors noticed: the connection of "),
        "{verdict}"
    );
    story.pass(LIVENESS * 3);
    story.assert_true();
    story.start(2);
    story.pass(LIVENESS * 3);
    story.assert_true();
    assert_eq!(story.state(p(2)), ObservedState::Up);
    let verdict = why_dead(&story.model, p(2), 0).verdict;
    assert!(verdict.starts_with("p2 was killed at 00:02:10, was taken for dead, and is back since "), "{verdict}");
    assert_eq!(story.model.nodes().counts().up, 8);
}

#[test]
fn a_cut_link_tells_who_cut_it_and_comes_back_when_it_is_healed() {
    let mut story = Story::new(4);
    let neighbor = *story.network.neighbors(p(1)).first().unwrap();
    story.network.world.command(p(1), NodeCommand::Cut(neighbor));
    story.pass(LIVENESS);
    let verdict = why_dead(&story.model, neighbor, 0).verdict;
    assert!(verdict.contains("our link to it was cut by you"), "{verdict}");
    let history = why_link(&story.model, p(1), neighbor, 0);
    assert!(history.evidence.iter().any(|line| line.text.contains("link cut by the user")), "{history:#?}");
    story.network.world.command(p(1), NodeCommand::Heal(neighbor));
    story.pass(LIVENESS);
    story.assert_true();
    assert!(story.neighbors_by_model(p(1)).contains(&neighbor));
    assert_eq!(story.state(neighbor), ObservedState::Up);
}

#[test]
fn a_peer_that_leaves_is_told_as_a_departure_and_not_as_a_death() {
    let mut story = Story::new(5);
    story.network.world.leave(p(4));
    story.network.world.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    story.pass(LIVENESS * 2);
    story.assert_true();
    assert_eq!(story.state(p(4)), ObservedState::Left);
    assert!(story.model.deaths().cases().is_empty());
    assert!(why_dead(&story.model, p(4), 0).verdict.starts_with("p4 is not dead: it left politely at "));
}

#[test]
fn after_many_crashes_the_model_agrees_with_the_machines() {
    let mut story = Story::new(12);
    for round in 1..=6_u16 {
        story.kill(p(round * 2));
        story.hang(p(round));
        story.pass(LIVENESS * 6);
        story.kill(p(round));
        story.start(round);
        story.start(round * 2);
        story.pass(LIVENESS * 2);
        story.assert_true();
    }
    story.pass(LIVENESS * 10);
    story.assert_true();
    assert_eq!(story.model.nodes().counts().up, 14);
}
