//! Networks of ours and Python nodes, in virtual time. No Python node ever dies of us.

use std::time::Duration;

use gossipctl::event::EventKind;

use crate::classic::classic;
use crate::network::{LIVENESS, Network, peer_addr, seed_addr};
use crate::python::Python;
use crate::python_rules::{Dials, Habits};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn python_nodes_and_ours_form_one_network() {
    let mut network = classic(0, 51);
    let seed = Python::seed(&mut network, seed_addr(1));
    network.seeds = vec![seed.addr];
    network.start_peers(1..=2);
    network.world.run_for(SECOND * 5);
    let pythons = [50, 51].map(|number| {
        let dials = Dials::FromLists(2);
        Python::peer(&mut network, peer_addr(number), &[seed_addr(1)], dials, Habits::default())
    });
    network.world.run_for(LIVENESS * 10);
    for python in [&seed, &pythons[0], &pythons[1]] {
        assert_eq!(python.process().died(), None, "{}", python.addr);
    }
    for python in &pythons {
        assert!(python.process().neighbors().count() >= 2);
        assert!(python.process().has_received("Gossip Message 7"));
        assert!(network.neighbors(peer_addr(1)).contains(&python.addr));
        let answered = |kind: &EventKind| matches!(kind, EventKind::ProbeAnswered { peer, .. } if *peer == python.addr);
        assert!(network.count(peer_addr(1), answered) >= 5);
        assert!(python.process().was_answered_by(peer_addr(1)));
    }
    let whole = network.holders().values().filter(|holders| holders.len() == 2).count();
    assert!(whole >= 20, "{whole} messages reached both of ours");
}

#[test]
fn a_peer_whose_address_a_python_seed_knows_says_so() {
    let mut network = classic(0, 52);
    let seed = Python::seed(&mut network, seed_addr(1));
    network.seeds = vec![seed.addr];
    let told = |network: &Network| network.count(peer_addr(1), |kind| matches!(kind, EventKind::ListedAlready { .. }));
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    assert_eq!(told(&network), 0);
    network.world.kill(peer_addr(1));
    network.world.run_for(SECOND * 5);
    network.start_peer(1);
    network.world.run_for(SECOND * 5);
    assert_eq!(told(&network), 1);
    network.start_peer(2);
    network.world.run_for(SECOND * 5);
    assert!(!network.kinds(peer_addr(2)).any(|kind| matches!(kind, EventKind::ListedAlready { .. })));
}
