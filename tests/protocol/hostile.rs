//! Nodes that keep the protocol and mean harm.

use std::time::Duration;

use gossipctl::event::{EventKind, LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::machine::{Input, LinkChange, NodeCommand};
use gossipctl::proto::message::{Gossip, Hello, Message, MessageId, Priority, Role, Trace};
use gossipctl::proto::time::Time;

use crate::network::{Double, DoubleAct, GOSSIP, LIVENESS, Network, peer_addr};

const SECOND: Duration = Duration::from_secs(1);

fn hello(listen: Addr, priority: Priority) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority })
}

/// A neighbor that answers probes and, whenever it hears a message of its victim, sends the next ones in its name.
struct Forger {
    own: Addr,
    victim: Addr,
    links: Vec<LinkId>,
}

impl Forger {
    fn forge(&self, heard: &Gossip, seq: u64) -> Vec<DoubleAct> {
        let id = MessageId { seq, ..heard.id };
        let trace = heard.trace.map(|trace| Trace { hop: 1, ..trace });
        let message = Message::Gossip(std::sync::Arc::new(Gossip { id, body: "not me".into(), trace }));
        self.links.iter().map(|link| DoubleAct::Send(*link, message.clone())).collect()
    }
}

impl Double for Forger {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<DoubleAct> {
        match input {
            Input::Start => vec![DoubleAct::Dial(self.victim, Purpose::Neighbor)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.links.push(link);
                vec![DoubleAct::Send(link, hello(self.own, Priority::High))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![DoubleAct::Send(link, Message::ProbeReply { seq, asker, clock, vitals: None })]
            }
            Input::Message { message: Message::Gossip(heard), .. } if heard.id.origin == self.victim => {
                let next = heard.id.number().map_or(1, |number| number + 1);
                let mut acts = self.forge(&heard, next);
                acts.extend(self.forge(&heard, MessageId::own_text(1)));
                acts
            }
            _ => Vec::new(),
        }
    }
}

fn generated(network: &Network, node: Addr) -> Vec<MessageId> {
    let id = |kind: &EventKind| if let EventKind::Generated { id, .. } = kind { Some(*id) } else { None };
    network.kinds(node).filter_map(id).collect()
}

#[test]
fn a_node_whose_next_messages_are_forged_speaks_on_and_says_so() {
    let mut network = Network::settled(1, 5, 201);
    let victim = peer_addr(1);
    network.start_double(peer_addr(99), Forger { own: peer_addr(99), victim, links: Vec::new() });
    network.world.run_for(GOSSIP * 2);
    let before = generated(&network, victim).len();
    network.world.run_for(GOSSIP * 6);
    network.command(victim, NodeCommand::Say("it is me".into()));
    network.world.run_for(SECOND);

    let own = generated(&network, victim);
    let ours = own.len() - before;
    assert!((6..=8).contains(&ours), "six intervals and a text of the user's own: {ours} messages");
    let holders = network.holders();
    for id in &own[before..] {
        assert_eq!(holders[id].len(), 5, "{id} reached everyone");
    }
    let failed = |kind: &EventKind| matches!(kind, EventKind::Failed { .. });
    assert_eq!(network.count(victim, failed), 0, "what the user says is sent");
    let told = network.count(victim, |kind| matches!(kind, EventKind::Forged { from, .. } if *from == peer_addr(99)));
    assert!((2..=8).contains(&told), "once in ten seconds, not for each of the copies: {told}");
    assert!(network.neighbors(victim).contains(&peer_addr(99)), "it may only have forwarded them");
    let forged = |kind: &EventKind| matches!(kind, EventKind::Received { id, .. } if id.origin == victim);
    assert_eq!(network.count(victim, forged), 0, "nothing in our own name is news");
}
