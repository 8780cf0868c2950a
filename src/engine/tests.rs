//! The engine without anybody who carries out what it decides.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::*;
use crate::command::limits::SEEDS_MAX;
use crate::command::{FaultCommand, NodeSpec, Placement};
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::Model;
use crate::proto::chance::Topic;
use crate::proto::config::{Detector, Overlay};
use crate::proto::fault::{Fault, FaultClass, FaultKind, Scope};
use crate::proto::random::Random;
use crate::proto::time::Time;

const NOWHERE: Addr = Addr::loopback(0);
const FAR: Addr = Addr::loopback(9);
const S1: Addr = Addr::loopback(5001);

fn p(number: u16) -> Addr {
    Addr::loopback(2_999 + number)
}

fn engine(dialect: Dialect, limits: NetworkLimits) -> Engine {
    let mut peer = PeerConfig::new(NOWHERE, Vec::new());
    peer.dialect = dialect;
    Engine::new(Settings::of_peers(peer, 1), limits)
}

fn lab(peers: usize) -> Engine {
    let mut engine = engine(Dialect::Framed, NetworkLimits::VIRTUAL);
    done(&mut engine, Command::StartLab { seeds: 1, peers });
    engine
}

fn give(engine: &mut Engine, command: &Command) -> CommandOutcome<()> {
    engine.apply(command, &mut VirtualSites)
}

fn done(engine: &mut Engine, command: impl Borrow<Command>) -> Vec<Effect<()>> {
    let CommandOutcome { effects, result } = give(engine, command.borrow());
    result.unwrap();
    effects
}

fn refused(engine: &mut Engine, command: &Command) -> String {
    let before = format!("{engine:?}");
    let CommandOutcome { effects, result } = give(engine, command);
    assert_eq!(format!("{engine:?}"), before, "{command:?} is refused and changes something");
    let why = result.unwrap_err().to_string();
    let [Effect::Publish(told)] = &effects[..] else { panic!("{effects:?}") };
    let [Publication { kind: EventKind::Node(NodeEvent::Failed { why: told, .. }), .. }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(told.to_string(), why);
    why
}

fn set(what: FaultKind, on: Scope) -> Command {
    Command::Fault(FaultCommand::Set(Fault { what, on }))
}

/// What is done, without what is told.
fn deeds(effects: &[Effect<()>]) -> Vec<String> {
    let deed = |effect: &Effect<()>| match effect {
        Effect::Publish(_) => None,
        Effect::Faults(_) => Some("faults".to_owned()),
        other => Some(format!("{other:?}")),
    };
    effects.iter().filter_map(deed).collect()
}

fn started(effects: &[Effect<()>]) -> Vec<String> {
    let told = effects.iter().flat_map(|effect| if let Effect::Publish(told) = effect { &told[..] } else { &[] });
    let name = |told: &Publication| match &told.kind {
        EventKind::Node(NodeEvent::Started { name, .. }) => Some(name.clone()),
        _ => None,
    };
    told.filter_map(name).collect()
}

/// The start of the only peer, as an event.
fn start_event(overlay: Overlay) -> NodeEvent {
    let mut peer = PeerConfig::new(NOWHERE, Vec::new());
    peer.methods.overlay = overlay;
    let mut engine = Engine::new(Settings::of_peers(peer, 1), NetworkLimits::VIRTUAL);
    let effects = done(&mut engine, Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto }));
    let [Effect::Publish(told), ..] = &effects[..] else { panic!("{effects:?}") };
    let EventKind::Node(event) = told[0].kind.clone() else { panic!("{told:?}") };
    event
}

#[test]
fn a_start_tells_how_the_peer_works_if_not_as_by_default() {
    let written = |event: &NodeEvent| serde_json::to_string(event).unwrap();
    assert!(!written(&start_event(Overlay::default())).contains("methods"));
    let event = start_event(Overlay::Assignment { make_room: false });
    let line = written(&event);
    assert!(line.contains(r#""methods":{"overlay":{"assignment":{"make_room":false}}}"#), "{line}");
    let mut model = Model::new();
    model.apply(&Event { at: Time::from_micros(1), node: p(1), kind: event.into() });
    let methods = model.nodes().get(p(1)).unwrap().methods;
    assert_eq!(methods.overlay, Overlay::Assignment { make_room: false });
    assert_eq!((methods.strategy, methods.detector), (model.strategy_of(p(1)), Detector::Ping));
}

#[test]
fn every_node_topic_and_session_has_its_own_chances() {
    let session = |rng_seed| {
        let mut engine = lab(2);
        engine.settings.rng_seed = rng_seed;
        [(Topic::Node, p(1)), (Topic::Node, p(2)), (Topic::Faults, p(1))]
            .map(|(topic, node)| engine.chance_of(topic, node))
    };
    assert_eq!(session(7), session(7));
    let chances = [session(7), session(8)].concat();
    for (at, chance) in chances.iter().enumerate() {
        assert!(!chances[..at].contains(chance), "{chances:?}");
    }
}

#[test]
fn a_node_that_is_restarted_chooses_anew() {
    let mut engine = lab(2);
    let before = engine.chance_of(Topic::Node, p(1));
    done(&mut engine, Command::Kill(p(1)));
    done(&mut engine, Command::Restart(p(1)));
    assert_ne!(engine.chance_of(Topic::Node, p(1)), before);
}

#[test]
fn what_cannot_be_asked_of_a_node_is_refused_by_name() {
    let mut engine = lab(1);
    assert_eq!(refused(&mut engine, &Command::Restart(p(1))), "p1 runs: kill or hang it first");
    done(&mut engine, Command::Kill(p(1)));
    assert_eq!(refused(&mut engine, &Command::Kill(p(1))), "p1 was killed");
    let say = Command::Say { node: S1, body: "x".into() };
    assert_eq!(refused(&mut engine, &say), "s1 is a seed, and seeds do not gossip: choose a peer");
    done(&mut engine, Command::Restart(p(1)));
    assert_eq!(engine.nodes().get(p(1)).unwrap().life, 1);
}

#[test]
fn all_nodes_of_a_lab_listen_before_any_of_them_runs() {
    let mut engine = engine(Dialect::Framed, NetworkLimits::SOCKETS);
    let effects = done(&mut engine, Command::StartLab { seeds: 2, peers: 3 });
    assert_eq!(started(&effects[..1]), ["s1", "s2", "p1", "p2", "p3"]);
    let starts = effects[1..].iter().filter(|effect| matches!(effect, Effect::Start { .. })).count();
    assert_eq!((starts, effects.len()), (5, 6));
    let seed = Command::Start(NodeSpec { role: Role::Seed, listen: Placement::Auto });
    done(&mut engine, seed);
    assert_eq!(engine.lab.as_ref().unwrap().len(), 3, "a peer that starts from now on knows the third seed, too");
}

#[test]
fn a_hung_node_is_crashed_before_it_starts_again() {
    let mut engine = lab(1);
    done(&mut engine, Command::Hang(p(1)));
    let deeds = deeds(&done(&mut engine, Command::Restart(p(1))));
    assert_eq!(deeds, [format!("Crash({:?})", p(1)), format!("Start {{ node: {:?}, site: () }}", p(1))]);
}

#[test]
fn a_node_starts_with_the_wrong_clock_and_the_junk_that_are_set() {
    let mut engine = lab(2);
    for what in [FaultKind::Skew { by_us: 5 }, FaultKind::Junk { per_s: 2 }] {
        done(&mut engine, set(what, Scope::Node(p(1))));
    }
    done(&mut engine, Command::Kill(p(1)));
    let told = deeds(&done(&mut engine, Command::Restart(p(1))));
    assert!(told[1].contains("Skew(5)") && told[2].contains("pause: Some(500ms)"), "{told:?}");
    done(&mut engine, Command::Kill(p(2)));
    assert_eq!(done(&mut engine, Command::Restart(p(2))).len(), 2, "it is told and started, and nothing more");
}

#[test]
fn only_the_nodes_that_a_fault_names_get_a_wrong_clock_or_junk() {
    let mut engine = lab(3);
    let one = deeds(&done(&mut engine, set(FaultKind::Skew { by_us: 7 }, Scope::Node(p(2)))));
    assert_eq!(one, ["faults".to_owned(), format!("Tell({:?}, Skew(7))", p(2))]);
    assert_eq!(deeds(&done(&mut engine, set(FaultKind::Junk { per_s: 1 }, Scope::All))).len(), 1 + 4);
    let off = Command::Fault(FaultCommand::Clear { kind: FaultClass::Skew, on: Scope::Node(p(2)) });
    assert_eq!(deeds(&done(&mut engine, off))[1], format!("Tell({:?}, Skew(0))", p(2)));
}

#[test]
fn to_calm_is_to_restart_who_fell_and_heal_what_was_cut() {
    let mut engine = lab(6);
    let [hung, killed, cut, healed] = [1, 2, 3, 4].map(p);
    for node in [hung, cut, healed] {
        done(&mut engine, Command::Cut { node, peer: FAR });
    }
    done(&mut engine, Command::Heal { node: healed, peer: FAR });
    done(&mut engine, Command::Hang(hung));
    done(&mut engine, Command::Kill(killed));
    engine.nodes.set_state(p(5), NodeState::Left);
    let remedies = [Command::Heal { node: cut, peer: FAR }, Command::Restart(hung), Command::Restart(killed)];
    assert_eq!(engine.remedies(), remedies, "and nobody who left");
    done(&mut engine, Command::Fault(FaultCommand::Calm));
    assert_eq!(engine.remedies(), []);
    assert!(done(&mut engine, Command::Fault(FaultCommand::Calm)).is_empty(), "to calm what is calm does nothing");
}

#[test]
fn classic_nodes_leave_one_after_the_other_within_a_second() {
    for (dialect, peers) in [(Dialect::Framed, 3), (Dialect::Classic, 3), (Dialect::Classic, 99)] {
        let mut engine = engine(dialect, NetworkLimits::VIRTUAL);
        done(&mut engine, Command::StartLab { seeds: 1, peers });
        done(&mut engine, Command::Hang(p(1)));
        let effects = done(&mut engine, Command::Quit);
        let [Effect::Leave { goodbyes, crashes }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!((goodbyes.len(), &crashes[..]), (peers, &[p(1)][..]));
        let last = goodbyes.last().unwrap().after;
        match (dialect, peers) {
            (Dialect::Framed, _) => assert_eq!(last, Duration::ZERO),
            (Dialect::Classic, 3) => assert_eq!(last, CLASSIC_WRITE_GAP * 2),
            (Dialect::Classic, _) => assert!(last <= LEAVES_TIME && last > LEAVES_TIME / 2, "{last:?}"),
        }
    }
}

#[test]
fn there_are_as_many_nodes_as_the_world_has_room_for() {
    let mut sockets = engine(Dialect::Framed, NetworkLimits::SOCKETS);
    let lab = |seeds, peers| Command::StartLab { seeds, peers };
    let full = "this process has room for 1000 peers; in virtual time (--virtual) there is room for 1000000";
    assert_eq!(refused(&mut sockets, &lab(1, 1_001)), full);
    assert_eq!(refused(&mut sockets, &lab(SEEDS_MAX + 1, 1)), "this process has room for 64 seeds");
    done(&mut sockets, lab(1, 1_000));
    let peer = Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto });
    assert_eq!(refused(&mut sockets, &peer), full);
    done(&mut engine(Dialect::Framed, NetworkLimits::VIRTUAL), lab(1, 100_000));
}

#[test]
fn a_node_is_started_only_where_others_reach_it_and_nobody_is() {
    let mut engine = lab(1);
    let at = |addr: &str| Command::Start(NodeSpec { role: Role::Peer, listen: Placement::At(addr.parse().unwrap()) });
    let why = refused(&mut engine, &at("224.0.0.1:3000"));
    assert!(why.starts_with("224.0.0.1:3000 cannot be dialed"), "{why}");
    // All interfaces have the name of one.
    let why = refused(&mut engine, &at("0.0.0.0:3000"));
    assert!(why.starts_with("127.0.0.1:3000 belongs to p1, which runs"), "{why}");
}

#[test]
fn a_newcomer_meets_the_faults_that_are_set() {
    let mut engine = lab(2);
    done(&mut engine, set(FaultKind::Cut, Scope::link(p(1), p(2))));
    done(&mut engine, Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto }));
    assert!(engine.fault_view().ours.contains(&p(3)), "messages to it are dealt with at its end");
}

#[test]
fn a_killed_node_forgets_its_cuts() {
    let mut engine = lab(1);
    done(&mut engine, Command::Cut { node: p(1), peer: FAR });
    done(&mut engine, Command::Kill(p(1)));
    done(&mut engine, Command::Restart(p(1)));
    assert_eq!(engine.remedies(), []);
}

#[test]
fn without_a_seed_list_only_what_needs_none_starts() {
    let mut engine = engine(Dialect::Framed, NetworkLimits::SOCKETS).without_seed_list("config.txt: none".to_owned());
    let node = |role, listen| Command::Start(NodeSpec { role, listen });
    assert_eq!(refused(&mut engine, &node(Role::Peer, Placement::At(p(1)))), "config.txt: none");
    assert_eq!(refused(&mut engine, &node(Role::Seed, Placement::Auto)), "config.txt: none");
    done(&mut engine, node(Role::Seed, Placement::At(S1)));
    done(&mut engine, Command::StartLab { seeds: 1, peers: 1 });
    done(&mut engine, node(Role::Peer, Placement::Auto));
}

/// What nodes come to by the effects alone, and what commands should come to by rules written down once more.
#[derive(Debug, Default)]
struct Oracle {
    states: BTreeMap<Addr, (Role, NodeState)>,
    has_lab: bool,
}

impl Oracle {
    fn state(&self, node: Addr) -> Option<NodeState> {
        self.states.get(&node).map(|(_, state)| *state)
    }

    fn is_running_peer(&self, node: Addr) -> bool {
        self.states.get(&node) == Some(&(Role::Peer, NodeState::Runs))
    }

    fn allows(&self, command: &Command) -> bool {
        match command {
            Command::StartLab { .. } => !self.has_lab,
            Command::Start(NodeSpec { listen: Placement::At(addr), .. }) => self.state(*addr).is_none(),
            Command::Kill(node) => matches!(self.state(*node), Some(NodeState::Runs | NodeState::Hangs)),
            Command::Hang(node) => self.state(*node) == Some(NodeState::Runs),
            Command::Restart(node) => matches!(self.state(*node), Some(NodeState::Hangs | NodeState::Killed)),
            Command::Cut { node, .. } | Command::Heal { node, .. } | Command::Say { node, .. } => {
                self.is_running_peer(*node)
            }
            Command::Fault(FaultCommand::Lie { liar, about }) => self.is_running_peer(*liar) && liar != about,
            // Also of a node elsewhere.
            Command::Fault(FaultCommand::Set(Fault { on: Scope::Node(node), .. })) => {
                !matches!(self.state(*node), Some(NodeState::Killed | NodeState::Left))
            }
            Command::Start(_) | Command::Fault(_) | Command::Quit => true,
        }
    }

    /// Nobody starts twice, hangs twice, or is told something while it is down.
    fn carry_out(&mut self, effects: &[Effect<()>], role_of: impl Fn(Addr) -> Role) {
        for effect in effects {
            match effect {
                Effect::Publish(_) | Effect::Faults(_) | Effect::Junk { .. } => {}
                Effect::Start { node, site: () } => {
                    assert_eq!(self.state(*node).filter(|state| state.is_up()), None, "{node} starts twice");
                    self.states.insert(*node, (role_of(*node), NodeState::Runs));
                }
                Effect::Crash(node) => {
                    assert!(self.state(*node).unwrap().is_up(), "{node} is down");
                    self.set(*node, NodeState::Killed);
                }
                Effect::Hang(node) => {
                    assert_eq!(self.state(*node), Some(NodeState::Runs), "{node}");
                    self.set(*node, NodeState::Hangs);
                }
                Effect::Tell(node, _) => assert_eq!(self.state(*node), Some(NodeState::Runs), "{node}"),
                Effect::Leave { goodbyes, crashes } => {
                    for goodbye in goodbyes {
                        self.set(goodbye.node, NodeState::Left);
                    }
                    for node in crashes {
                        self.set(*node, NodeState::Killed);
                    }
                }
            }
        }
    }

    fn set(&mut self, node: Addr, state: NodeState) {
        self.states.get_mut(&node).unwrap().1 = state;
    }

    /// After a calm nobody is down but those who left.
    fn check_calm(&self) {
        let wrong = |state: &NodeState| matches!(state, NodeState::Hangs | NodeState::Killed);
        assert!(!self.states.values().any(|(_, state)| wrong(state)), "{self:?}");
    }
}

fn any_command(random: &mut Random) -> Command {
    let nodes = [S1, Addr::loopback(5002), p(1), p(2), p(3), p(4), p(5), FAR];
    let (node, other) = (nodes[random.below(nodes.len())], nodes[random.below(nodes.len())]);
    let role = if random.below(4) == 0 { Role::Seed } else { Role::Peer };
    let loss = FaultKind::Delay { by_us: 1, jitter_us: 0 };
    match random.below(26) {
        0 => Command::StartLab { seeds: 1, peers: 2 },
        1 => Command::Start(NodeSpec { role, listen: Placement::Auto }),
        2 => Command::Start(NodeSpec { role, listen: Placement::At(node) }),
        3..=6 => Command::Kill(node),
        7..=10 => Command::Hang(node),
        11..=15 => Command::Restart(node),
        16 => Command::Cut { node, peer: FAR },
        17 => Command::Heal { node, peer: FAR },
        18 => Command::Say { node, body: "x".into() },
        19 => Command::Fault(FaultCommand::Lie { liar: node, about: other }),
        20 | 21 => set(loss, Scope::Node(node)),
        22 => set(FaultKind::Skew { by_us: 1 }, Scope::All),
        23 => set(FaultKind::Junk { per_s: 1 }, Scope::All),
        24 => Command::Fault(FaultCommand::Calm),
        _ if random.below(20) == 0 => Command::Quit,
        _ => Command::Fault(FaultCommand::HealAll),
    }
}

#[test]
fn random_commands_come_to_what_an_oracle_says() {
    for seed in 0..100 {
        let (mut random, mut oracle) = (Random::new(seed), Oracle::default());
        let mut engine = engine(Dialect::Framed, NetworkLimits::SOCKETS);
        for step in 0..150 {
            let command = any_command(&mut random);
            let about = format!("seed {seed}, step {step}: {command:?}");
            if !oracle.allows(&command) {
                refused(&mut engine, &command);
                continue;
            }
            let CommandOutcome { effects, result } = give(&mut engine, &command);
            assert_eq!(result, Ok(()), "{about}");
            oracle.carry_out(&effects, |node| engine.nodes().get(node).unwrap().role);
            oracle.has_lab |= matches!(command, Command::StartLab { .. });
            let table: BTreeMap<Addr, (Role, NodeState)> =
                engine.nodes().iter().map(|(addr, entry)| (addr, (entry.role, entry.state))).collect();
            assert_eq!(table, oracle.states, "{about}");
            if command == Command::Fault(FaultCommand::Calm) {
                oracle.check_calm();
            }
        }
    }
}
