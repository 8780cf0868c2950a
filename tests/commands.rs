//! One command, one meaning: every command, good and bad in every way, to the console, to a scenario, to nodes on
//! sockets and to nodes in virtual time. All do it, or all refuse it with the same sentence.

#[expect(dead_code, reason = "the tests of the engine use the rest")]
mod sockets;
#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use gossipctl::command::grammar::{self, COMMANDS, Names as _};
use gossipctl::command::{Command, FaultCommand};
use gossipctl::engine::NodeTable;
use gossipctl::event::{Event, EventKind, FaultEvent, NodeEvent, NodeState};
use gossipctl::model::Model;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{Fault, FaultKind, Scope};
use gossipctl::proto::message::Dialect;
use gossipctl::proto::random::Random;
use gossipctl::scenario::Script;
use gossipctl::{sim, ui};
use sockets::Session;
use virtual_time::{lab, peers_of};

/// The network of every case: enough for a partition, few enough to be started for each.
const SEEDS: usize = 2;
const PEERS: usize = 4;
const ELSEWHERE: Addr = Addr::loopback(9);

/// What was done before, and the line; `{p3}` is the address of p3, and `{x 980}` that many letters.
type Case = (&'static [&'static str], &'static str);

const CASES: &[Case] = &[
    // Nodes: unknown, in every condition, of each role, the same twice, none, and no command.
    (&[], "kill p1"),
    (&[], "kill s1"),
    (&[], "kill p1 p2"),
    (&[], "kill p1 p1"),
    (&[], "kill p9"),
    (&[], "kill 127.0.0.1:9"),
    (&[], "kill {p1}"),
    (&[], "kill"),
    (&[], "kil p1"),
    (&["kill p3"], "kill p3"),
    (&["hang p3"], "kill p3"),
    (&[], "hang p1"),
    (&[], "hang s1 p1"),
    (&[], "hang p9"),
    (&[], "hang 127.0.0.1:9"),
    (&["hang p3"], "hang p3"),
    (&["kill p3"], "hang p3"),
    (&[], "restart p1"),
    (&[], "restart p9"),
    (&[], "restart"),
    (&["kill p3"], "restart p3"),
    (&["hang p3"], "restart p3"),
    (&["kill p3"], "restart p3 p3"),
    // New nodes: where nobody is, where somebody is or was, and where nobody can be.
    (&[], "peer"),
    (&[], "peer auto"),
    (&[], "seed"),
    (&[], "peer {p1}"),
    (&[], "seed {p1}"),
    (&["kill p3"], "peer {p3}"),
    (&[], "peer 224.0.0.1:3000"),
    (&[], "seed 255.255.255.255:3000"),
    (&[], "peer 127.0.0.1:0"),
    (&[], "peer 0"),
    (&[], "peer 70000"),
    (&[], "peer 127.0.0.1"),
    (&[], "peer [::1]:3000"),
    (&[], "seed here"),
    (&[], "peer 3000 3001"),
    (&[], "lab 1 3"),
    (&[], "lab"),
    (&[], "lab 1"),
    (&[], "lab 0 3"),
    (&[], "lab 1 0"),
    (&[], "lab 65 3"),
    (&[], "lab 1 1000001"),
    (&[], "lab one 3"),
    (&[], "lab 1 3 5"),
    // Messages: of whom, how long, and what only one dialect takes.
    (&[], "say p1 hello"),
    (&[], "say s1 hello"),
    (&[], "say p9 hello"),
    (&[], "say p1"),
    (&[], "say p1 \"\""),
    (&[], "say"),
    (&["kill p3"], "say p3 hello"),
    (&["hang p3"], "say p3 hello"),
    (&[], "say p1 {x 964}"),
    (&[], "say p1 {x 965}"),
    (&[], "say p1 {x 980}"),
    (&[], "say p1 {x 61440}"),
    (&[], "say p1 {x 61441}"),
    (&["kill p3"], "say p3 {x 980}"),
    (&[], r#"say p1 "a\u0007b""#),
    (&[], "say p1 03.05.31:('127.0.0.1', 4000):hello"),
    (&[], "say p1 a Liveness Request of mine"),
    // Cuts and partitions.
    (&[], "cut p1 p2"),
    (&[], "cut p1 s1"),
    (&[], "cut p1 p1"),
    (&[], "cut p1"),
    (&[], "cut p1 p9"),
    (&[], "cut p1 127.0.0.1:9"),
    (&[], "cut p1 p2 p3"),
    (&["cut p1 p2"], "cut p2 p1"),
    (&["kill p3"], "cut p1 p3"),
    (&["hang p3"], "cut p1 p3"),
    (&[], "heal"),
    (&[], "heal p1 p2"),
    (&["cut p1 p2"], "heal p2 p1"),
    (&[], "heal partition"),
    (&["partition p1"], "heal partition"),
    (&[], "heal p1"),
    (&[], "partition p1 p2"),
    (&[], "partition p1 p1"),
    (&[], "partition"),
    (&[], "partition p9"),
    (&[], "partition s1 s2 p1 p2 p3 p4"),
    (&["kill p3"], "partition p3"),
    // Amounts: good, none, out of bounds, no figures, for whom there is none.
    (&[], "loss p1 30%"),
    (&[], "loss p1 p2 30"),
    (&[], "loss all 100%"),
    (&[], "loss all 0%"),
    (&[], "loss all 101%"),
    (&[], "loss all -1%"),
    (&[], "loss p1 p1 5%"),
    (&[], "loss p9 5%"),
    (&[], "loss"),
    (&[], "loss p1"),
    (&[], "loss p1 off"),
    (&["loss p1 30%"], "loss p1 off"),
    (&["loss p1 30%"], "loss p1 40%"),
    (&["kill p3"], "loss p3 30%"),
    (&[], "loss p1 30% 40%"),
    (&[], "delay p1 100ms"),
    (&[], "delay p1 p2 100ms 50ms"),
    (&[], "delay p1 2days"),
    (&[], "delay p1 5"),
    (&[], "delay p1 1ms 1ms 1ms"),
    (&[], "duplicate all 5%"),
    (&[], "duplicate p1 x"),
    (&[], "reorder p1 5% 1s"),
    (&[], "reorder p1 5% 30h"),
    (&[], "slow p1 5/s"),
    (&[], "slow all 5/s"),
    (&[], "slow p1 0/s"),
    (&[], "slow p1 100001/s"),
    (&["kill p3"], "slow p3 5/s"),
    (&[], "skew p1 -2s"),
    (&[], "skew p1 25h"),
    (&[], "skew p1 soon"),
    (&["kill p3"], "skew p3 +1s"),
    (&[], "junk p1"),
    (&[], "junk p1 0/s"),
    (&[], "junk p9"),
    (&["kill p3"], "junk p3"),
    (&[], "lie p1 p2"),
    (&[], "lie p1 p1"),
    (&[], "lie s1 p1"),
    (&[], "lie s1 s1"),
    (&[], "lie p1"),
    (&[], "lie p9 p1"),
    (&["kill p3"], "lie p3 p1"),
    (&["hang p3"], "lie p3 p1"),
    (&["kill p3"], "lie p1 p3"),
    (&[], "calm"),
    (&["kill p3", "hang p4", "loss all 5%"], "calm"),
    (&[], "calm now"),
];

/// It is done, or why not.
type Verdict = Result<(), String>;

/// A network that has just been started, and what its events tell.
struct Network {
    nodes: Nodes,
    model: Model,
}

enum Nodes {
    Sockets(Box<Session>),
    Virtual(Box<sim::VirtualEngine>),
}

impl Network {
    async fn on_sockets(dialect: Dialect) -> Self {
        let mut session = Box::new(Session::new(peers_of(dialect)));
        session.apply(Command::StartLab { seeds: SEEDS, peers: PEERS }).await;
        Self { nodes: Nodes::Sockets(session), model: Model::new() }.caught_up()
    }

    fn in_virtual_time(dialect: Dialect) -> Self {
        let engine = Box::new(lab(peers_of(dialect), (SEEDS, PEERS), 1, Vec::new()));
        Self { nodes: Nodes::Virtual(engine), model: Model::new() }.caught_up()
    }

    fn caught_up(mut self) -> Self {
        self.catch_up();
        self
    }

    fn catch_up(&mut self) {
        self.take_events().iter().for_each(|event| self.model.apply(event));
    }

    /// What has come since the last call.
    fn take_events(&mut self) -> Vec<Event> {
        match &mut self.nodes {
            Nodes::Sockets(session) => {
                session.catch_up();
                std::mem::take(&mut session.seen)
            }
            Nodes::Virtual(engine) => engine.take_events(),
        }
    }

    async fn apply(&mut self, command: Command) -> Verdict {
        match &mut self.nodes {
            Nodes::Sockets(session) => session.engine.apply(command).await.map_err(|error| error.to_string()),
            Nodes::Virtual(engine) => engine.apply(command).map_err(|error| error.to_string()),
        }
    }

    /// Reads a line by the nodes that are shown, and has it done: the first thing that is refused is what is told.
    async fn give(&mut self, line: &str) -> Verdict {
        let commands = grammar::parse(line, &self.model).map_err(|error| error.to_string())?;
        for command in commands {
            self.apply(command).await?;
        }
        Ok(())
    }

    /// Has a line done that comes before, until that is shown.
    async fn prepare(&mut self, line: &str) {
        self.give(line).await.unwrap();
        self.catch_up();
        let expected = match grammar::split(line) {
            ("hang", name) => Some((name, Some(NodeState::Hangs))),
            ("kill", name) => Some((name, Some(NodeState::Killed))),
            _ => None,
        };
        if let Some((name, expected)) = expected {
            let node = self.model.find(name).unwrap();
            while self.model.nodes().get(node).unwrap().life() != expected {
                let Nodes::Sockets(session) = &mut self.nodes else { panic!("{line} is not shown") };
                session.until(line, |seen| !seen.is_empty()).await;
                self.catch_up();
            }
        }
    }

    fn addr(&self, name: &str) -> Addr {
        self.model.find(name).unwrap()
    }

    /// What the console says, and what the nodes say.
    async fn judge(&mut self, (before, line): Case) -> (Verdict, Verdict) {
        for line in before {
            self.prepare(line).await;
        }
        let (p1, p3) = (self.addr("p1"), self.addr("p3"));
        let (line, named) = (written(line, p1, p3), |verdict: Verdict| verdict.map_err(|why| named(&why, p1, p3)));
        let console = ui::judge(&line, &self.model).map(|_| ());
        let nodes = self.give(&line).await;
        (named(console), named(nodes))
    }
}

/// The line with addresses and letters in it.
fn written(line: &str, p1: Addr, p3: Addr) -> String {
    let line = line.replace("{p1}", &p1.to_string()).replace("{p3}", &p3.to_string());
    match line.split_once("{x ") {
        Some((before, count)) => {
            format!("{before}{}", "x".repeat(count.strip_suffix('}').unwrap().parse::<usize>().unwrap()))
        }
        None => line,
    }
}

/// A reason with addresses as the line of the table has them, and the example of one as it is everywhere.
fn named(why: &str, p1: Addr, p3: Addr) -> String {
    let example = Addr::loopback(3000).to_string();
    why.replace(&p1.to_string(), "{p1}").replace(&p3.to_string(), "{p3}").replace(&example, "{p1}")
}

/// What a scenario says in which these lines stand one after the other.
fn in_a_scenario(dialect: Dialect, (before, line): Case) -> Verdict {
    let (p1, p3) = (Addr::loopback(3000), Addr::loopback(3002));
    let steps = before.iter().chain([&line]).map(|line| format!("+1s {}", written(line, p1, p3)));
    let top = [format!("set wire {dialect}"), format!("lab {SEEDS} {PEERS}")];
    let text = top.into_iter().chain(steps).collect::<Vec<_>>().join("\n");
    Script::parse(&text).map(|_| ()).map_err(|error| named(&error.what, p1, p3))
}

/// One says what the other says, and perhaps where or what else there is.
fn agree(one: &Verdict, whole: &Verdict) -> bool {
    match (one, whole) {
        (Ok(()), Ok(())) => true,
        (Err(why), Err(told)) => told.contains(why.as_str()),
        (Ok(()), Err(_)) | (Err(_), Ok(())) => false,
    }
}

async fn check(dialect: Dialect) -> Vec<(Case, Verdict)> {
    let (mut verdicts, mut disagree) = (Vec::new(), Vec::new());
    for case in CASES {
        let (console, sockets) = Network::on_sockets(dialect).await.judge(*case).await;
        let (virtual_console, virtual_time) = Network::in_virtual_time(dialect).judge(*case).await;
        let scenario = in_a_scenario(dialect, *case);
        // What the console does not refuse itself, the nodes judge.
        let console_agrees = |console: &Verdict| console.is_ok() || agree(&sockets, console);
        let agrees = sockets == virtual_time && agree(&sockets, &scenario);
        if !agrees || !console_agrees(&console) || !console_agrees(&virtual_console) {
            disagree.push(format!(
                "{case:?}\n  sockets {sockets:?}\n  virtual {virtual_time:?}\n  scenario {scenario:?}\n  console {console:?}"
            ));
        }
        verdicts.push((*case, sockets));
    }
    assert!(disagree.is_empty(), "{dialect}:\n{}", disagree.join("\n"));
    verdicts
}

fn verdict(verdicts: &[(Case, Verdict)], line: &str) -> Verdict {
    verdicts.iter().find(|((before, other), _)| before.is_empty() && *other == line).unwrap().1.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_say_the_same_of_every_command_in_the_framed_dialect() {
    let verdicts = check(Dialect::Framed).await;
    for help in COMMANDS {
        let of = |is_done: bool| {
            let named = verdicts.iter().filter(|((_, line), _)| grammar::split(line).0 == help.name);
            named.filter(|(_, verdict)| verdict.is_ok() == is_done).count()
        };
        assert!(of(false) > 0, "the table has no bad {}", help.name);
        // A network has one lab.
        assert!(of(true) > 0 || help.name == "lab", "the table has no good {}", help.name);
    }
    assert_eq!(verdict(&verdicts, "say p1 {x 61440}"), Ok(()));
    assert_eq!(verdict(&verdicts, "lie s1 s1"), Err("s1 is a seed, and seeds do not gossip: choose a peer".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_say_the_same_of_every_command_in_the_classic_dialect() {
    let verdicts = check(Dialect::Classic).await;
    let too_long = |len| Err(format!("the text has {len} bytes and the classic dialect takes 964: shorten it"));
    assert_eq!(verdict(&verdicts, "say p1 {x 964}"), Ok(()));
    assert_eq!(verdict(&verdicts, "say p1 {x 965}"), too_long(965));
    assert_eq!(verdict(&verdicts, "say p1 {x 980}"), too_long(980));
    assert!(verdict(&verdicts, "say p1 a Liveness Request of mine").is_err());
}

/// What a name typed by a user never leads to, and who commands nodes by address could ask for.
fn of_a_node_elsewhere(ours: Addr) -> Vec<Command> {
    let set = |what, on| Command::Fault(FaultCommand::Set(Fault { what, on }));
    vec![
        Command::Kill(ELSEWHERE),
        Command::Hang(ELSEWHERE),
        Command::Restart(ELSEWHERE),
        Command::Say { node: ELSEWHERE, body: "hello".into() },
        Command::Cut { node: ELSEWHERE, peer: ours },
        Command::Heal { node: ELSEWHERE, peer: ours },
        Command::Cut { node: ours, peer: ELSEWHERE },
        Command::Heal { node: ours, peer: ELSEWHERE },
        set(FaultKind::Cut, Scope::Node(ELSEWHERE)),
        set(FaultKind::Delay { by_us: 1, jitter_us: 0 }, Scope::Node(ELSEWHERE)),
        set(FaultKind::Slow { per_s: 1 }, Scope::Node(ELSEWHERE)),
        set(FaultKind::Cut, Scope::link(ours, ELSEWHERE)),
        set(FaultKind::Cut, Scope::border(vec![ELSEWHERE])),
        set(FaultKind::Cut, Scope::border(Vec::new())),
        Command::Fault(FaultCommand::Lie { liar: ELSEWHERE, about: ours }),
        Command::Fault(FaultCommand::Lie { liar: ours, about: ELSEWHERE }),
        Command::Say { node: ours, body: "".into() },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn all_say_the_same_of_a_node_elsewhere() {
    let mut networks = [Network::on_sockets(Dialect::Framed).await, Network::in_virtual_time(Dialect::Framed)];
    let [sockets, virtual_time] = &mut networks;
    let (p1, its_twin) = (sockets.addr("p1"), virtual_time.addr("p1"));
    for (command, twin) in of_a_node_elsewhere(p1).into_iter().zip(of_a_node_elsewhere(its_twin)) {
        let about = format!("{command:?}");
        assert_eq!(sockets.apply(command).await, virtual_time.apply(twin).await, "{about}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_is_told_as_that_by_all() {
    for line in ["kill p1", "hang p1", "say p1 hello", "lie p1 p2", "loss p1 5%", "restart p1"] {
        let mut networks = [Network::on_sockets(Dialect::Framed).await, Network::in_virtual_time(Dialect::Framed)];
        let mut told = Vec::new();
        for network in &mut networks {
            network.apply(Command::Quit).await.unwrap();
            network.catch_up();
            let (console, nodes) = network.judge((&[], line)).await;
            assert!(console.is_ok() || agree(&nodes, &console), "{line}: nodes {nodes:?}, console {console:?}");
            told.push(nodes.unwrap_err());
        }
        assert_eq!(told[0], told[1], "{line}");
    }
}

/// A line that may be good or bad.
fn any_line(random: &mut Random) -> String {
    let node = |random: &mut Random| ["p1", "p2", "p3", "p4", "p5", "p6", "s1", "s2", "s3"][random.below(9)];
    let (one, other) = (node(random), node(random));
    match random.below(20) {
        0..=2 => format!("kill {one}"),
        3..=5 => format!("hang {one}"),
        6..=8 => format!("restart {one}"),
        9 => ["peer", "seed"][random.below(2)].to_owned(),
        10 => format!("say {one} x"),
        11 => format!("lie {one} {other}"),
        12 => format!("cut {one} {other}"),
        13 => format!("cut {one} 127.0.0.1:9"),
        14 => format!("heal {one} {other}"),
        15 => ["heal", "heal partition", "calm", "junk all 1/s"][random.below(4)].to_owned(),
        16 => format!("partition {one} {other}"),
        17 => format!("delay {one} {other} 5ms"),
        18 => format!("skew {one} 1s"),
        _ => format!("loss {one} {}", ["5%", "off"][random.below(2)]),
    }
}

impl Network {
    fn table(&self) -> &NodeTable {
        match &self.nodes {
            Nodes::Sockets(session) => session.engine.nodes(),
            Nodes::Virtual(engine) => engine.nodes(),
        }
    }

    /// The text with names in the place of addresses.
    fn in_names(&self, text: &str) -> String {
        let mut nodes: Vec<(String, String)> =
            self.table().iter().map(|(addr, entry)| (addr.to_string(), entry.name.to_string())).collect();
        nodes.sort_by_key(|(addr, _)| std::cmp::Reverse(addr.len()));
        nodes.iter().fold(text.to_owned(), |text, (addr, name)| text.replace(addr, name))
    }

    /// Has each command of a line done, by the nodes as they are; what came of each.
    async fn have_done(&mut self, line: &str) -> Vec<Verdict> {
        let commands = match grammar::parse(line, self.table()) {
            Ok(commands) => commands,
            Err(error) => return vec![Err(error.to_string())],
        };
        let mut verdicts = Vec::new();
        for command in commands {
            let verdict = self.apply(command).await;
            verdicts.push(verdict.map_err(|why| self.in_names(&why)));
        }
        verdicts
    }

    /// What the engine told, and which nodes ended, in order. Faults name nodes in the order of their addresses.
    fn told(&mut self) -> Vec<String> {
        let events = self.take_events();
        let is_engines = |kind: &EventKind| {
            matches!(
                kind,
                EventKind::Node(NodeEvent::Started { .. } | NodeEvent::Stopped { .. } | NodeEvent::Failed { .. })
                    | EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. })
            )
        };
        let words = |event: &Event| {
            let text = self.in_names(&serde_json::to_string(&event.kind).unwrap());
            let mut words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            words.sort_unstable();
            words.join(" ")
        };
        events.iter().filter(|event| is_engines(&event.kind)).map(words).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_lines_come_to_the_same_everywhere() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let mut sockets = Network::on_sockets(Dialect::Framed).await;
        let mut virtual_time = Network::in_virtual_time(Dialect::Framed);
        let mut script = format!("lab {SEEDS} {PEERS}\n");
        for step in 0..80 {
            let line = any_line(&mut random);
            let about = format!("seed {seed}, step {step}: {line}\n{script}");
            let verdicts = sockets.have_done(&line).await;
            assert_eq!(verdicts, virtual_time.have_done(&line).await, "{about}");
            assert_eq!(sockets.told(), virtual_time.told(), "{about}");
            let longer = format!("{script}+1s {line}\n");
            let rehearsed = Script::parse(&longer).map_err(|error| virtual_time.in_names(&error.what));
            let worst = verdicts.into_iter().find(Result::is_err).unwrap_or(Ok(()));
            assert!(
                agree(&worst, &rehearsed.as_ref().map(drop).map_err(Clone::clone)),
                "{worst:?} {rehearsed:?} {about}"
            );
            if rehearsed.is_ok() {
                script = longer;
            }
        }
        sockets.apply(Command::Quit).await.unwrap();
        virtual_time.apply(Command::Quit).await.unwrap();
        let (mut one, mut other) = (sockets.told(), virtual_time.told());
        one.sort_unstable();
        other.sort_unstable();
        assert_eq!(one, other, "seed {seed}: who left");
    }
}
