//! What the program prints: help, errors and sessions without a screen.

mod away;
mod keep;
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use gossipctl::session::journal::JournalRecord;
use gossipctl::session::replay::Recording;
use program::{Program, line_of, run, run_in, run_limited, run_unheard};
use tempfile::TempDir;

/// The transcripts in `tests/cmd`: what is typed, what is printed, and the exit code.
/// `TRYCMD=overwrite cargo test --test cli` writes them anew.
#[test]
fn the_program_answers_as_the_transcripts_say() {
    trycmd::TestCases::new()
        .env("COLUMNS", "100")
        .env("XDG_CONFIG_HOME", "/no/such/place")
        .env("XDG_STATE_HOME", "/no/such/place")
        .case("tests/cmd/*.md");
}

#[test]
fn a_peer_without_a_seed_list_says_what_to_create() {
    let (code, _, error) = run(&["peer", "--headless"], |_| {});
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: config.txt: no such file: create it with one seed per line, such as 127.0.0.1:5001, or name another with \
         --config\n"
    );
}

#[test]
fn an_error_that_nobody_can_read_is_an_error_and_no_panic() {
    assert_eq!(run_unheard(&["peer", "--headless"]), Some(2));
}

#[test]
fn a_seed_list_without_seeds_says_what_to_add() {
    let (code, _, error) = run(&["seed", "--headless"], |dir| fs::write(dir.join("config.txt"), "# none\n\n").unwrap());
    assert_eq!(code, 2);
    assert_eq!(error, "error: config.txt: names no seed: add one per line, such as 127.0.0.1:5001\n");
}

#[test]
fn a_bad_line_of_the_seed_list_is_named_with_what_was_expected() {
    let list = "127.0.0.1:5001\n\n127.0.0.1;5002\n";
    let (code, _, error) = run(&["peer", "--headless"], |dir| fs::write(dir.join("config.txt"), list).unwrap());
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: config.txt:3: '127.0.0.1;5002' is not a seed: expected ip:port or name:port, such as 127.0.0.1:5001\n"
    );
}

#[test]
fn a_host_name_in_the_seed_list_is_looked_up_and_noted() {
    let (listed, own) = (free_port(), format!("localhost:{}", free_port()));
    let list = format!("# by name\nlocalhost:{listed}\n");
    let prepare = |dir: &Path| fs::write(dir.join("config.txt"), &list).unwrap();
    let quick = ["--headless", "--format", "json", "--duration", "100ms"];
    let (code, out, error) = run(&[&["seed"], &quick[..]].concat(), prepare);
    assert_eq!((code, error.as_str()), (0, "config.txt:2: localhost is 127.0.0.1\n"));
    assert!(out.contains(&format!("\"127.0.0.1:{listed}\"")), "{out}");
    let (code, out, error) = run(&[&["peer", "--listen", &own], &quick[..]].concat(), prepare);
    assert_eq!((code, error.as_str()), (0, "config.txt:2: localhost is 127.0.0.1\n--listen: localhost is 127.0.0.1\n"));
    assert!(out.contains(&format!("\"{}\"", own.replace("localhost", "127.0.0.1"))), "{out}");
}

#[test]
fn a_seed_that_is_listed_twice_is_noted_once() {
    let list = "127.0.0.1:5001\n127.0.0.1:5001\n127.0.0.1:5001\n";
    let (code, _, error) = run(&["peer", "--headless", "--duration", "10ms"], |dir| {
        fs::write(dir.join("config.txt"), list).unwrap();
    });
    assert_eq!(code, 0);
    assert_eq!(error, "warning: config.txt: names 127.0.0.1:5001 more than once: it counts once\n");
}

#[test]
fn a_port_in_use_names_the_next_free_one() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let port = taken.port().to_string();
    let (code, _, error) = run(&["seed", "--headless", "--listen", &port], |_| {});
    assert_eq!(code, 1);
    assert!(error.starts_with(&format!("error: {taken} is in use; the next free address is 127.0.0.1:")), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_lab_that_needs_too_many_files_says_how_many_fit() {
    let lab = ["lab", "--peers", "30", "--headless", "--duration", "100ms"];
    let (code, _, error) = run_limited(program::home().path(), "-n 200", &lab);
    assert_eq!(code, 1);
    assert!(
        error.starts_with("error: 32 more nodes need about ") && error.contains("this process may have 200"),
        "{error}"
    );
    assert!(error.contains(" too few; start fewer (") && error.contains("'ulimit -n "), "{error}");
    // A low limit that the process may raise itself is nothing to talk about.
    let (code, _, error) = run_limited(program::home().path(), "-S -n 64", &lab);
    assert_eq!((code, error.as_str()), (0, ""));
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_node_for_other_machines_says_what_it_opens_and_to_whom() {
    let listen = format!("0.0.0.0:{}", free_port());
    let seed = ["seed", "--headless", "--duration", "100ms", "--listen", &listen, "--advertise", "192.0.2.7"];
    let (code, out, error) = run(&seed, |_| {});
    assert_eq!((code, error.as_str()), (0, ""));
    let opens = |out: &str, words: &str| {
        let line = out.lines().find(|line| line.contains(" Listens on all interfaces of this machine: "));
        assert!(line.is_some_and(|line| line.ends_with(words)), "{out}");
    };
    opens(&out, "; anyone who can reach that may link; --allow CIDR limits it");
    let allowed = [&seed[..], &["--allow", "192.0.2.0/24", "--allow", "10.0.0.7"]].concat();
    let (code, out, _) = run(&allowed, |_| {});
    assert_eq!(code, 0);
    opens(&out, "; 192.0.2.0/24 and 10.0.0.7/32 may link, and this machine");
}

#[test]
fn a_loopback_peer_with_seeds_elsewhere_is_warned() {
    let port = free_port().to_string();
    let peer = ["peer", "--headless", "--duration", "100ms", "--listen", &port];
    let (code, out, error) = run(&peer, |dir| fs::write(dir.join("config.txt"), "192.0.2.1:5001\n").unwrap());
    assert_eq!(code, 0);
    assert!(!out.contains("Listens on"), "{out}");
    let said = format!(
        "warning: 192.0.2.1:5001 is not on 127.0.0.1, and this peer listens there only: machines elsewhere cannot link \
         to it; --listen 0.0.0.0:{port} makes it one of theirs\n"
    );
    assert_eq!(error, said);
}

#[test]
fn a_console_without_a_terminal_says_what_to_use() {
    let (code, out, error) = run(&["lab"], |_| {});
    assert_eq!((code, out.as_str(), error.as_str()), (2, "", "error: stdout is not a terminal: use --headless\n"));
    let (code, _, error) = run(&[], |_| {});
    assert_eq!(code, 2);
    assert!(error.starts_with("error: stdout is not a terminal: ") && error.contains("lab --headless"), "{error}");
}

#[test]
fn an_unknown_key_in_the_config_file_is_named_with_its_line() {
    let (code, _, error) = run(&["lab", "--headless"], |dir| {
        fs::create_dir_all(dir.join("config/gossipctl")).unwrap();
        fs::write(dir.join("config/gossipctl/config.toml"), "[node]\ngosip-interval = \"1s\"\n").unwrap();
    });
    assert_eq!(code, 2);
    assert!(error.contains("config/gossipctl/config.toml:2: unknown key 'gosip-interval'"), "{error}");
    assert!(error.contains("'gossip-interval'"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn the_config_file_sets_defaults_and_a_flag_wins() {
    let write = |dir: &std::path::Path| {
        fs::create_dir_all(dir.join("config/gossipctl")).unwrap();
        fs::write(dir.join("config/gossipctl/config.toml"), "[lab]\nseeds = 1\npeers = 2\n").unwrap();
    };
    let args = ["lab", "--headless", "--duration", "10ms", "--peers", "1"];
    let (code, out, _) = run(&args, write);
    let names: Vec<_> = out.lines().filter(|line| line.contains("Started")).map(|line| line[..2].to_owned()).collect();
    assert_eq!((code, names), (0, vec!["s1".to_owned(), "p1".to_owned()]));
}

#[test]
fn headless_prints_log_lines_with_the_nodes_name() {
    let lab = Program::start(&["lab", "--peers", "3", "--headless", "--gossip-interval", "100ms"]);
    lab.wait_for("a message at p2", |line| line.starts_with("p2 Received Gossip Message : "));
    lab.wait_for("a probe at p1", |line| line.starts_with("p1 Liveness Request:"));
    let (code, rest) = lab.end_with("TERM");
    assert_eq!(code, Some(0));
    for name in ["s1", "s2", "p1", "p2", "p3"] {
        assert!(rest.iter().any(|line| line == &format!("{name} Left the network")), "{name} in {rest:#?}");
    }
}

#[test]
fn as_json_every_line_after_the_header_is_an_event() {
    let (code, out, error) = run(&["lab", "--headless", "--format", "json", "--duration", "1s"], |_| {});
    assert_eq!((code, error.as_str()), (0, ""));
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (header, events) = lines.split_first().unwrap();
    assert_eq!(header["format"], "gossipctl session", "the header of a recording comes first");
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("started"), count("stopped")), (10, 10));
    assert!(count("link_up") > 0 && events.iter().all(|event| event["at"].is_u64() && event["node"].is_string()));
}

#[test]
fn a_session_is_printed_as_one_document_at_its_end() {
    let lab = |format| {
        let args = ["lab", "--headless", "--virtual", "--rng-seed", "7", "--duration", "30s", "--format", format];
        let (code, out, _) = run(&args, |_| {});
        assert_eq!(code, 0, "{out}");
        out
    };
    let totals = lab("prometheus");
    for line in ["# TYPE gossipctl_messages_received_total counter", "gossipctl_node_up{node=\"p8\",role=\"peer\"} 1"] {
        assert!(totals.lines().any(|told| told == line), "{line} in {totals}");
    }
    let overlay = lab("dot");
    assert!(overlay.starts_with("graph overlay {") && overlay.ends_with("}\n"), "{overlay}");
    assert!(overlay.contains("\"p1\" -- ") && overlay.contains("[style=dashed, purpose=registration]"), "{overlay}");
    assert!(overlay.contains("\"p8\" [label=\"p8\", ") && overlay.contains("state=\"up\", degree="), "{overlay}");
    let overlay = lab("graphml");
    assert!(overlay.starts_with("<?xml ") && overlay.contains("<node id=\"p8\">"), "{overlay}");
    let tables = lab("markdown");
    assert!(tables.contains("| p8 | peer | up | ") && tables.contains("| 8/8 | "), "{tables}");
    assert!(lab("csv").lines().nth(1).is_some_and(|row| row.contains(",started,")), "a row an event");
}

#[test]
fn what_is_printed_as_json_can_be_opened_as_a_recording() {
    let (_, out, _) = run(&["lab", "--headless", "--format", "json", "--duration", "1s"], |_| {});
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.jsonl");
    fs::write(&file, &out).unwrap();
    let records: Result<Vec<_>, _> = Recording::open(&file).unwrap().collect();
    let events = records.unwrap();
    assert_eq!(events.len(), out.lines().count() - 1);
    assert!(events.iter().all(|record| matches!(record, JournalRecord::Event { .. })));
}

#[test]
fn peers_with_no_messages_to_generate_stay_silent() {
    let args =
        ["lab", "--headless", "--format", "json", "--messages", "0", "--duration", "1s", "--gossip-interval", "50ms"];
    let (code, out, _) = run(&args, |_| {});
    assert_eq!(code, 0);
    assert!(out.contains("\"link_up\"") && !out.contains("\"generated\""), "{out}");
}

/// The scenarios that the project ships.
const SCENARIOS: [&str; 5] = ["spread", "death", "partition", "lie", "cap-of-4"];

fn shipped(name: &str) -> String {
    format!("{}/assets/scenarios/{name}.txt", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_five_scenarios_hold_in_virtual_time() {
    for name in SCENARIOS {
        let (code, out, told) = run(&["lab", "--script", &shipped(name), "--headless", "--virtual"], |_| {});
        assert_eq!(code, 0, "{name}\n{told}");
        assert!(
            out.contains("p1 Received Gossip Message : ") && told.contains("expectations held\n"),
            "{name}\n{told}"
        );
    }
}

#[test]
fn the_five_scenarios_hold_on_sockets() {
    let play = |name: &str| run(&["lab", "--script", &shipped(name), "--headless"], |_| {});
    let came_of_it: Vec<_> = std::thread::scope(|scope| {
        let played = SCENARIOS.map(|name| (name, scope.spawn(move || play(name))));
        played.into_iter().map(|(name, play)| (name, play.join().unwrap())).collect()
    });
    for (name, (code, _, told)) in came_of_it {
        assert_eq!(code, 0, "{name}\n{told}");
    }
}

#[test]
fn virtual_runs_with_one_seed_are_the_same_to_the_byte() {
    let play = |rng_seed| {
        let script = shipped("partition");
        let args = ["lab", "--script", &script, "--headless", "--virtual", "--format", "json", "--rng-seed", rng_seed];
        let (code, out, told) = run(&args, |_| {});
        assert_eq!(code, 0, "{told}");
        out
    };
    let first = play("7");
    assert!(first.lines().count() > 1_000);
    assert!(first == play("7"), "two runs with one seed differ");
    assert!(first != play("8"), "another seed makes another run");
}

#[test]
fn a_recorded_session_is_played_again_beside_its_figures() {
    let text = "lab 1 4\nset gossip-interval 200ms\nset liveness-interval 200ms\n500ms kill p4\n2s end\n";
    let home = program::home();
    fs::write(home.path().join("a.txt"), text).unwrap();
    let (code, _, told) = run_in(home.path(), &["lab", "--script", "a.txt", "--headless", "--rng-seed", "5"]);
    assert_eq!(code, 0, "{told}");
    let rerun = |args: &[&str]| {
        let (code, out, told) = run_in(home.path(), &[&["rerun", "last", "--format", "json"], args].concat());
        assert_eq!(code, 0, "{told}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()
    };
    let json = rerun(&["--without", "kill p4"]);
    let deaths = |run: &serde_json::Value| run["deaths"].as_array().unwrap().len();
    let runs: Vec<_> = json["runs"].as_array().unwrap().iter().collect();
    let names: Vec<_> = runs.iter().map(|run| (run["run"].as_str().unwrap(), deaths(run))).collect();
    assert_eq!(names, [("recorded", 1), ("as it was", 1), ("otherwise", 0)], "{json:#}");
    assert_eq!(json["rng_seed"], 5, "the recording holds it");
    assert!(json["notes"][0].as_str().unwrap().contains("not the same packets"), "{json:#}");
    let messages = runs[1]["messages"].as_u64().unwrap();
    assert!((20..=45).contains(&messages), "{messages} in two seconds: the recording's intervals, not the defaults");
    let again = rerun(&[]);
    let names: Vec<_> = again["runs"].as_array().unwrap().iter().map(|run| run["run"].clone()).collect();
    assert_eq!(names, ["recorded", "again"]);
}

#[test]
fn an_answer_is_proven_by_running_again_without_its_cause() {
    let text = "lab 1 4\nset messages 0\nset liveness-interval 200ms\n1s hang p4\n1500ms say p1 hello\n3s end\n";
    for (world, note) in [(&[][..], Some("not the same packets")), (&["--virtual"][..], None)] {
        let home = program::home();
        fs::write(home.path().join("a.txt"), text).unwrap();
        let args = [&["lab", "--script", "a.txt", "--headless", "--rng-seed", "5"], world].concat();
        let (code, _, told) = run_in(home.path(), &args);
        assert_eq!(code, 0, "{told}");
        let why = |subject: &[&str]| {
            let args = [&["why", "last"], subject, &["--prove", "--format", "json"]].concat();
            let (code, out, told) = run_in(home.path(), &args);
            assert_eq!(code, 0, "{told}");
            serde_json::from_str::<serde_json::Value>(&out).unwrap()["proof"].clone()
        };
        let death = why(&["p4"]);
        assert_eq!(death["outcome"], "proven", "{death:#}");
        assert_eq!(death["text"], "Proven: without 'hang p4', none of p1, p2 and p3 declares p4 dead");
        let notes = death["notes"].as_array().unwrap();
        assert_eq!(notes.len(), usize::from(note.is_some()), "{death:#}");
        assert!(note.is_none_or(|note| notes[0].as_str().unwrap().contains(note)), "{death:#}");
        let lack = why(&["p4", "p1#~0001"]);
        let told = "Proven: without 'hang p4', p4 gets p1#~0001 at hop 1 after ";
        assert!(lack["text"].as_str().unwrap().starts_with(told), "{lack:#}");
        assert_eq!(why(&["p1"])["outcome"], "open");
    }
}

#[test]
fn a_session_without_a_lab_cannot_be_played_again() {
    let home = program::home();
    let (code, _, told) = run_in(home.path(), &["seed", "--listen", "127.0.0.1:0", "--headless", "--duration", "1s"]);
    assert_eq!(code, 2, "{told}");
    let port = free_port().to_string();
    let (code, _, told) = run_in(home.path(), &["seed", "--listen", &port, "--headless", "--duration", "1s"]);
    assert_eq!(code, 0, "{told}");
    let (code, _, told) = run_in(home.path(), &["rerun", "last", "--set", "max-dial 3"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("a scenario begins with a lab, and this session did not"), "{told}");
}

#[test]
fn a_failed_expectation_is_explained_and_exits_with_1() {
    let text = "lab 1 4\nset messages 0\n1s partition p4\nsay p1 hello\nexpect coverage 100% within 500ms\n";
    for world in [&[][..], &["--virtual"]] {
        let args = [&["lab", "--script", "a.txt", "--headless"], world].concat();
        let (code, _, told) = run(&args, |dir| fs::write(dir.join("a.txt"), text).unwrap());
        assert_eq!(code, 1, "{told}");
        let failed = "a.txt: line 5: expect coverage 100% within 500ms: after 5";
        let line = told.lines().find(|line| line.starts_with(failed)).unwrap_or_else(|| panic!("{told}"));
        assert!(line.ends_with(" had reached 3 of 4 peers; p4 lacked it"), "{line}");
        assert!(told.contains("a.txt: 0 of 1 expectation held, 1 failed\n"), "{told}");
    }
}

#[test]
fn an_error_in_a_scenario_is_named_before_anything_starts() {
    let error = |text: &str| {
        let (code, out, told) = run(&["lab", "--script", "a.txt", "--headless"], |dir| {
            fs::write(dir.join("a.txt"), text).unwrap();
        });
        assert_eq!((code, out.as_str()), (2, ""), "{told}");
        told
    };
    assert!(error("lab 2 8\n1s kil p1\n").starts_with("error: a.txt:2: no command 'kil': expected expect, end, seed"));
    assert_eq!(error("lab 2 8\nset gossip-interval 0s\n"), "error: a.txt:2: 0s is too short: expected at least 1ms\n");
    assert_eq!(error("lab 2 8\n1s kill p1\n+1s hang p1\n"), "error: a.txt:3: 'hang p1': p1 was killed in line 2\n");
    assert_eq!(
        error("lab 2 2\n1s partition s1 s2 p1 p2\n"),
        "error: a.txt:2: 'partition s1 s2 p1 p2': these are all nodes of this process: leave at least one for the other side\n"
    );
    // On sockets there is room for fewer peers than in virtual time.
    let room = "this process has room for 1000 peers; in virtual time (--virtual) there is room for 1000000\n";
    assert_eq!(error("\nlab 2 1001\n1s kill p1\n"), format!("error: a.txt:2: {room}"));
    assert_eq!(error("lab 2 999\n1s peer\n2s peer\n"), format!("error: a.txt:3: 'peer': {room}"));
    let (code, _, told) = run(&["lab", "--script", "none.txt", "--headless"], |_| {});
    assert_eq!(code, 2);
    assert!(told.starts_with("error: none.txt: cannot be read: "), "{told}");
}

#[test]
fn a_reader_that_has_had_enough_ends_the_session_quietly() {
    let mut lab = Program::start(&["lab", "--headless", "--gossip-interval", "20ms"]);
    lab.wait_for("the first line", |line| line == "s1 Started as seed s1, framed dialect");
    lab.close_stdout();
    let (code, error) = lab.end();
    assert_eq!((code, error.as_str()), (Some(0), ""));
}

#[test]
fn sigint_leaves_politely_and_log_files_are_left_behind() {
    let lab = Program::start(&["lab", "--peers", "2", "--headless", "--log-dir", "kept"]);
    let mut awaited = vec!["p1 List of Peers : [", "p2 List of Peers : [", "p1 Registered with ('127.0.0.1', "];
    lab.wait_for("both lists", |line| {
        awaited.retain(|begin| !line.starts_with(begin));
        awaited.is_empty()
    });
    let dir = lab.dir().to_owned();
    let (code, _) = lab.end_with("INT");
    assert_eq!(code, Some(0));
    let mut names: Vec<_> = fs::read_dir(dir.path().join("kept"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let kinds: Vec<_> = names.iter().map(|name| &name[..9]).collect();
    assert_eq!(kinds, ["peer_log_", "peer_log_", "seed_log_", "seed_log_"]);
    let log = fs::read_to_string(dir.path().join("kept").join(&names[0])).unwrap();
    assert!(log.contains("List of Peers : [") && log.ends_with("Left the network\n"), "{log}");
}

#[test]
fn a_session_goes_on_where_no_log_files_can_be_written() {
    let args = ["lab", "--headless", "--duration", "200ms", "--log-dir", "/dev/null/logs"];
    let (code, out, error) = run(&args, |_| {});
    assert_eq!(code, 0);
    assert!(error.starts_with("warning: ") && error.contains("/dev/null/logs"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(out.contains("s1 Left the network"), "{out}");
}

/// Two seeds and two peers, each in a process of its own, until both peers have heard each other.
fn separate_processes(home: &Arc<TempDir>) -> [Program; 4] {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (free(), free());
    let list = [&one, &other].map(|listener| listener.local_addr().unwrap().to_string());
    fs::write(home.path().join("config.txt"), list.join("\n")).unwrap();
    drop((one, other));
    let quick = |role| vec![role, "--headless", "--gossip-interval", "200ms", "--liveness-interval", "500ms"];
    let [one, other] = [quick("seed"), quick("seed")].map(|args| Program::start_in(home, &args));
    for seed in [&one, &other] {
        seed.wait_for("a seed", |line| line.contains(" Started"));
    }
    let peers = [quick("peer"), quick("peer")].map(|args| Program::start_in(home, &args));
    for peer in &peers {
        peer.wait_for("a message of the other peer", |line| {
            line.starts_with(':') && line.contains(" Received Gossip Message : ")
        });
    }
    let [first, second] = peers;
    [one, other, first, second]
}

#[test]
fn separate_processes_form_one_network_through_the_seed_list() {
    let programs = separate_processes(&program::home());
    for seed in &programs[..2] {
        seed.wait_for("both peers on the list", |line| line_of(line, "Connection accepted from  ").is_some());
    }
    for program in programs {
        assert_eq!(program.end_with("TERM").0, Some(0));
    }
}

#[test]
fn recordings_of_separate_processes_are_read_as_one() {
    let home = program::home();
    for program in separate_processes(&home) {
        assert_eq!(program.end_with("TERM").0, Some(0));
    }
    let (_, list, _) = run_in(home.path(), &["sessions", "--format", "json"]);
    let sessions = list.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let names: Vec<_> = sessions.map(|session| session["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 4, "{list}");
    let mut args = vec!["export", "--format", "csv", names[0].as_str()];
    args.extend(names[1..].iter().flat_map(|name| ["--with", name]));
    let (code, table, told) = run_in(home.path(), &args);
    assert_eq!((code, told.matches(": its clock agrees, to within ").count()), (0, 3), "{told}");
    let nodes: BTreeSet<_> = table.lines().skip(1).filter_map(|row| row.split(',').nth(2)).collect();
    assert_eq!(nodes.len(), 4, "{nodes:?}");
    let times: Vec<_> = table.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert!(times.is_sorted());
    let twice = run_in(home.path(), &["export", &names[0], "--with", &names[0]]);
    assert!(twice.0 == 2 && twice.2.contains(" is given twice"), "{twice:?}");
}

#[test]
fn the_page_of_the_console_tells_of_every_key() {
    let page = include_str!("../docs/CONSOLE.md");
    for line in gossipctl::ui::key_table() {
        let keys = line.keys.split(" or ").map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ");
        let row = format!("| {keys} | {} | {} |", line.name, line.help);
        assert!(page.contains(&row), "docs/CONSOLE.md lacks\n{row}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_goodbyes() {
    let home = program::home();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    fs::write(home.path().join("config.txt"), &addr).unwrap();
    drop(listener);
    let seed = Program::start_in(&home, &["seed", "--headless"]);
    seed.wait_for("the seed", |line| line.contains(" Started"));
    let peer = Program::start_in(&home, &["peer", "--headless"]);
    peer.wait_for("its registration", |line| line.contains(" Registered with"));
    // A seed that stands still never answers the goodbye.
    seed.signal("STOP");
    peer.signal("INT");
    let (code, _) = peer.end_with("TERM");
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
    seed.signal("CONT");
    assert_eq!(seed.end_with("TERM").0, Some(0));
}

#[test]
fn diagnostics_go_to_a_file_and_only_if_asked_for() {
    let mut with_log =
        Program::start_with(&["lab", "--headless", "--duration", "100ms"], &[("GOSSIPCTL_LOG", "debug")]);
    let dir = with_log.dir().clone();
    with_log.read_all();
    assert_eq!(with_log.end(), (Some(0), String::new()));
    assert!(dir.path().join("state/gossipctl/gossipctl.log").exists());
    let (code, _, error) = run(&["lab", "--headless", "--duration", "10ms"], |_| {});
    assert_eq!((code, error.as_str()), (0, ""));
}

#[test]
fn what_is_printed_for_shells_and_manuals_may_be_cut_off() {
    for args in [&["man"][..], &["completions", "bash"], &["config"], &["--help"]] {
        let mut program = Program::start(args);
        program.close_stdout();
        let (code, error) = program.end();
        assert_eq!((code, error.as_str()), (Some(0), ""), "{args:?}");
    }
}
