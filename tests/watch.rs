//! Sessions that run in processes of their own, watched as one network: the real programs.
#![cfg(unix)] // It sends signals and opens a pseudo-terminal.

#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod program;
#[expect(dead_code, reason = "the tests of the console use the rest")]
mod terminal;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use program::{Program, home, run_in, run_with};
use tempfile::TempDir;
use terminal::Session;

/// Much happens soon, and nobody is taken for dead because the machine is busy.
const PACE: [&str; 4] = ["--gossip-interval", "300ms", "--liveness-interval", "2s"];

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A node in a process of its own.
struct NodeProcess {
    program: Program,
    port: u16,
}

impl NodeProcess {
    fn start(home: &Arc<TempDir>, role: &str, port: u16) -> Self {
        let listen = port.to_string();
        let args = [&[role, "--headless", "--listen", &listen][..], &PACE].concat();
        Self { program: Program::start_in(home, &args), port }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// A seed, and so many peers.
fn network(home: &Arc<TempDir>, peers: usize) -> Vec<NodeProcess> {
    let seed = free_port();
    fs::write(home.path().join("config.txt"), format!("127.0.0.1:{seed}\n")).unwrap();
    let mut nodes = vec![NodeProcess::start(home, "seed", seed)];
    nodes.extend((0..peers).map(|_| NodeProcess::start(home, "peer", free_port())));
    nodes
}

/// A network of its own, in one process.
fn lab(home: &Arc<TempDir>) -> Program {
    Program::start_in(home, &[&["lab", "--headless", "--seeds", "1", "--peers", "2"][..], &PACE].concat())
}

fn is_start_of(node: &NodeProcess) -> impl FnMut(&str) -> bool {
    let address = format!("\"node\":\"{}\"", node.address());
    move |line| line.contains("\"event\":\"started\"") && line.contains(&address)
}

/// Watches the network of this node without a screen, once there is one.
fn watch_headless(home: &Arc<TempDir>, node: &NodeProcess) -> Program {
    let args = ["watch", &node.address(), "--headless", "--format", "json", "--duration", "1ms"];
    while run_in(home.path(), &args).0 != 0 {}
    Program::start_in(home, &args[..5])
}

/// Watches in a terminal, where the sessions of this directory run.
fn watch_console(home: &Path, network: &[&str]) -> Session {
    let (own, temporary) = (tempfile::tempdir().unwrap(), home.join("temporary"));
    fs::create_dir_all(&temporary).unwrap();
    let (state, temporary) = (home.join("state"), temporary.to_str().unwrap().to_owned());
    let set = [("XDG_STATE_HOME", state.to_str().unwrap()), ("TMPDIR", &temporary)];
    Session::start_with(own, &[&["watch"][..], network].concat(), 40, 120, &set)
}

fn header_says(text: &str) -> impl Fn(&str) -> bool {
    move |screen| screen.lines().next().is_some_and(|line| line.contains(text))
}

#[test]
fn processes_are_watched_as_one_network_until_they_end() {
    let home = home();
    let mut nodes = network(&home, 2);
    let mut watch = watch_headless(&home, &nodes[0]);
    let header = watch.wait_for("the header", |line| line.contains("gossipctl session"));
    assert!(header.contains("\"merged\""), "{header}");
    let late = NodeProcess::start(&home, "peer", free_port());
    watch.wait_for("the node that began later", is_start_of(&late));
    nodes.push(late);
    nodes[3].program.signal("KILL");
    let dead = format!("\"node\":\"{}\"", nodes[3].address());
    let is_end = |line: &str| line.contains("\"event\":\"stopped\"") && line.contains(&dead) && line.contains("killed");
    watch.wait_for("the end of the one that was killed", is_end);
    let ended: Vec<_> = nodes.drain(..3).map(|node| node.program.end_with("TERM").0).collect();
    assert_eq!(ended, [Some(0); 3]);
    let rest = watch.read_all();
    let left = |line: &&String| line.contains("\"event\":\"stopped\"") && line.contains("left");
    assert_eq!(rest.iter().filter(left).count(), 3, "{rest:?}");
    let (code, said) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    for expected in
        ["has joined: session", "was killed with its process", "has ended: interrupted", "all sessions have ended"]
    {
        assert!(said.contains(expected), "'{expected}' is not in\n{said}");
    }
}

#[test]
fn what_is_watched_can_be_replayed() {
    let home = home();
    let nodes = network(&home, 1);
    let watch = watch_headless(&home, &nodes[0]);
    // They begin at about the same time, in any order.
    let mut starts: Vec<_> = nodes.iter().map(is_start_of).collect();
    watch.wait_for("the start of both", |line| {
        starts.retain_mut(|is_start| !is_start(line));
        starts.is_empty()
    });
    let (code, _) = watch.end_with("INT");
    assert_eq!(code, Some(0));
    let args = ["watch", &nodes[0].address(), "--headless", "--format", "json", "--duration", "2s"];
    let (code, printed, said) = run_in(home.path(), &args);
    assert_eq!(code, 0, "{said}");
    fs::write(home.path().join("watched.jsonl"), printed).unwrap();
    let (code, exported, said) = run_in(home.path(), &["export", "watched.jsonl", "--format", "csv"]);
    assert_eq!(code, 0, "{said}");
    let has = |node: &NodeProcess| exported.contains(&format!("{},started", node.address()));
    assert!(nodes.iter().all(has), "{exported}");
}

#[test]
fn of_several_networks_one_is_chosen() {
    let home = home();
    let _labs = [lab(&home), lab(&home)];
    let mut outcome = run_in(home.path(), &["watch", "--headless", "--duration", "1ms"]);
    while outcome.0 != 2 {
        outcome = run_in(home.path(), &["watch", "--headless", "--duration", "1ms"]);
    }
    let (_, printed, said) = outcome;
    assert!(printed.is_empty() && said.contains("2 networks run here:"), "{said}");
    assert!(said.contains("lab of 1 seed, 2 peers") && said.contains("'gossipctl watch 1 --headless'"), "{said}");
    let (code, printed, _) = run_in(home.path(), &["watch", "2", "--headless", "--duration", "2s"]);
    assert!(code == 0 && printed.contains("p2"), "{printed}");
    let (code, _, said) = run_in(home.path(), &["watch", "127.0.0.1:1", "--headless"]);
    assert!(code == 2 && said.contains("no session that runs here has a node at 127.0.0.1:1"), "{said}");
}

#[test]
fn without_a_session_it_says_how_to_start_one() {
    let (code, printed, said) = run_in(home().path(), &["watch", "--headless"]);
    assert_eq!((code, printed.as_str()), (1, ""));
    assert!(said.contains("no session runs here") && said.contains("gossipctl lab"), "{said}");
}

#[test]
fn the_console_shows_all_nodes_and_commands_none() {
    let home = home();
    let nodes = network(&home, 3);
    drop(watch_headless(&home, &nodes[0]));
    let mut watch = watch_console(home.path(), &[&nodes[0].address()]);
    watch.wait_until("four sessions", header_says("WATCH 4 sessions"));
    watch.wait_until("a message that reached all", header_says("reached 3/3"));
    watch.press("2j");
    watch.press("x");
    watch.wait_for("watch only shows: run 'kill :");
    watch.press("C");
    watch.wait_for("watch only shows: give commands in the window of a session");
    watch.press(":at -1s\r");
    watch.wait_until("the past", header_says("BEHIND 00:0"));
    watch.press("f");
    watch.wait_until("now", header_says("WATCH 4 sessions"));
    nodes[2].program.signal("KILL");
    watch.wait_until("the end of one", header_says("WATCH 3 of 4 sessions"));
    nodes.iter().enumerate().filter(|(ix, _)| *ix != 2).for_each(|(_, node)| node.program.signal("TERM"));
    watch.wait_until("the end of all", header_says("WATCH ended"));
    watch.press("q");
    let (status, screen) = watch.end();
    assert!(status.success() && screen.contains("The session lasted"), "{screen}");
    let left: Vec<_> = fs::read_dir(home.path().join("temporary")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_console_asks_which_of_several_networks() {
    let home = home();
    let _labs = [lab(&home), lab(&home)];
    while run_in(home.path(), &["watch", "--headless", "--duration", "1ms"]).0 != 2 {}
    let mut watch = watch_console(home.path(), &[]);
    watch.wait_for("Watch a network 1 of 2");
    watch.press("j");
    watch.wait_for("Watch a network 2 of 2");
    watch.press("\r");
    watch.wait_until("its session", header_says("WATCH 1 session"));
    watch.wait_until("its messages", header_says("reached 2/2"));
    watch.press("q");
    assert!(watch.end().0.success());
}

/// What stands in for ssh: as the real one, it takes options, then `--`, a host, and words that it joins with spaces
/// for the shell there. There, the sessions are elsewhere.
const SSH: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -T) shift ;;
    -o) case "$2" in *=*) shift 2 ;; *) echo "command-line: no argument after keyword" >&2; exit 255 ;; esac ;;
    --) shift; break ;;
    -*) echo "unknown option -- $1" >&2; exit 255 ;;
    *) break ;;
  esac
done
host="$1"
shift
if [ "$host" != max@lab ]; then
  echo "ssh: Could not resolve hostname $host: Name or service not known" >&2
  exit 255
fi
XDG_STATE_HOME="$STATE_THERE" exec sh -c "$*"
"#;

/// Another machine, as far as ssh knows.
struct Elsewhere {
    path: String,
    state: String,
    /// Where gossipctl is there: a path that a shell must not take apart.
    program: String,
}

impl Elsewhere {
    fn new(home: &Path) -> Self {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (bin, odd) = (home.join("bin"), home.join("max's $(id) place"));
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&odd).unwrap();
        fs::write(bin.join("ssh"), SSH).unwrap();
        fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink(env!("CARGO_BIN_EXE_gossipctl"), odd.join("gossipctl")).unwrap();
        Self {
            path: format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()),
            state: home.join("there").display().to_string(),
            program: odd.join("gossipctl").display().to_string(),
        }
    }

    fn variables(&self) -> [(&str, &str); 2] {
        [("PATH", &self.path), ("STATE_THERE", &self.state)]
    }
}

#[test]
fn sessions_of_another_machine_are_watched_through_ssh() {
    let home = home();
    let elsewhere = Elsewhere::new(home.path());
    let nodes = network(&home, 1);
    let (port, config) = (free_port(), home.path().join("config.txt"));
    let (listen, config) = (port.to_string(), config.to_str().unwrap());
    let args = [&["peer", "--headless", "--listen", &listen, "--config", config][..], &PACE].concat();
    let far = NodeProcess { program: Program::start_with(&args, &[("XDG_STATE_HOME", &elsewhere.state)]), port };
    let seed = nodes[0].address();
    let args = ["watch", &seed, "--ssh", "max@lab", "--remote-program", &elsewhere.program, "--headless"];
    let args = [&args[..], &["--format", "json"]].concat();
    let once = [&args[..], &["--duration", "1ms"]].concat();
    while run_with(home.path(), &once, &elsewhere.variables()).0 != 0 {}
    let state = home.path().join("state").display().to_string();
    let set = [&elsewhere.variables()[..], &[("XDG_STATE_HOME", state.as_str())]].concat();
    let mut watch = Program::start_with(&args, &set);
    watch.wait_for("the node of the other machine", is_start_of(&far));
    far.program.signal("KILL");
    let dead = format!("\"node\":\"{}\"", far.address());
    let is_end = |line: &str| line.contains("\"event\":\"stopped\"") && line.contains(&dead) && line.contains("killed");
    watch.wait_for("its end", is_end);
    for node in &nodes {
        node.program.signal("TERM");
    }
    watch.read_all();
    let (code, said) = watch.end();
    assert!(
        code == Some(0) && said.contains("session max@lab-20") && said.contains("all sessions have ended"),
        "{said}"
    );
}

#[test]
fn what_ssh_says_is_told() {
    let home = home();
    let elsewhere = Elsewhere::new(home.path());
    let watch = |host: &str, program: &str| {
        let args = ["watch", "--headless", &format!("--ssh={host}"), "--remote-program", program];
        run_with(home.path(), &args, &elsewhere.variables())
    };
    let (code, _, said) = watch("nowhere", "gossipctl");
    assert!(code == 1 && said.contains("nowhere: ssh: Could not resolve hostname nowhere"), "{said}");
    let (code, _, said) = watch("max@lab", "/no/such/program");
    assert!(code == 1 && said.contains("not found") && said.contains("--remote-program says where"), "{said}");
    let (code, _, said) = watch("max@lab", "echo");
    assert!(code == 1 && said.contains("expected what 'gossipctl watch --relay' tells"), "{said}");
    let (code, _, said) = watch("-oProxyCommand=id", "gossipctl");
    assert!(code == 2 && said.contains("no option"), "{said}");
}
