use super::*;
use crate::event::NodeEvent;
use crate::event::Stop;
use crate::event::samples::{event, peer, received, seed, started};

struct Run {
    logs: NodeLogs,
}

impl Run {
    fn new(dir: &Path) -> Self {
        Self { logs: NodeLogs::open(dir, 0).unwrap() }
    }

    fn start(&mut self, node: Addr, role: Role) {
        self.logs.write(&event(node, started("x", role))).unwrap();
    }

    fn hear(&mut self, node: Addr, body: &str) {
        self.logs.write(&event(node, received(body))).unwrap();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn heard(dir: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.join(name)).unwrap();
    text.lines().filter_map(|line| line.split_once(", 3002):").map(|(_, body)| body.to_owned())).collect()
}

#[test]
fn each_node_has_a_log_of_its_own_named_by_role_and_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(&dir.path().join("logs"));
    run.start(seed(), Role::Seed);
    run.start(peer(0), Role::Peer);
    run.hear(peer(0), "hello");
    assert!(run.logs.is_dirty());
    assert!(run.logs.flush().is_empty());
    assert!(!run.logs.is_dirty());
    assert_eq!(names(&dir.path().join("logs")), ["peer_log_3000.txt", "seed_log_5001.txt"]);
    let text = fs::read_to_string(dir.path().join("logs/peer_log_3000.txt")).unwrap();
    assert!(text.ends_with("\nReceived Gossip Message : 03.13.02:('127.0.0.1', 3002):hello\n"), "{text}");
}

#[test]
fn a_new_run_keeps_old_logs_under_numbered_names() {
    let dir = tempfile::tempdir().unwrap();
    for body in ["first", "second", "third"] {
        let mut run = Run::new(dir.path());
        run.start(peer(0), Role::Peer);
        run.hear(peer(0), body);
        run.logs.flush();
    }
    assert_eq!(names(dir.path()), ["peer_log_3000.1.txt", "peer_log_3000.2.txt", "peer_log_3000.txt"]);
    assert_eq!(heard(dir.path(), "peer_log_3000.1.txt"), ["first"]);
    assert_eq!(heard(dir.path(), "peer_log_3000.2.txt"), ["second"]);
    assert_eq!(heard(dir.path(), "peer_log_3000.txt"), ["third"]);
}

#[test]
fn many_runs_that_start_at_once_lose_no_file() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let path = dir.path().join("peer_log_3000.txt");
            scope.spawn(move || make_new(&path).unwrap());
        }
    });
    assert_eq!(names(dir.path()).len(), 8);
}

#[test]
fn a_node_that_starts_again_in_the_same_run_goes_on_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    run.start(peer(0), Role::Peer);
    run.hear(peer(0), "before");
    run.logs.flush();
    run.logs.write(&event(peer(0), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }))).unwrap();
    run.start(peer(0), Role::Peer);
    run.hear(peer(0), "after");
    run.logs.flush();
    assert_eq!(names(dir.path()), ["peer_log_3000.txt"]);
    assert_eq!(heard(dir.path(), "peer_log_3000.txt"), ["before", "after"]);
}

#[test]
fn two_nodes_with_one_port_at_two_addresses_have_two_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    run.start(peer(0), Role::Peer);
    run.start("127.0.0.2:3000".parse().unwrap(), Role::Peer);
    run.logs.flush();
    assert_eq!(names(dir.path()), ["peer_log_127.0.0.2_3000.txt", "peer_log_3000.txt"]);
}

#[test]
fn a_log_that_cannot_be_written_is_said_once_and_stops_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    run.start(peer(0), Role::Peer);
    run.start(peer(1), Role::Peer);
    run.logs.flush();
    let path = dir.path().join("peer_log_3000.txt");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    run.hear(peer(0), "lost");
    run.hear(peer(1), "kept");
    let errors = run.logs.flush();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("peer_log_3000.txt"), "{}", errors[0]);
    run.hear(peer(0), "lost too");
    assert!(run.logs.flush().is_empty());
    assert_eq!(heard(dir.path(), "peer_log_3001.txt"), ["kept"]);

    fs::remove_dir(&path).unwrap();
    run.hear(peer(0), "again");
    assert!(run.logs.flush().is_empty());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("(2 lines are missing here"), "{text}");
    assert_eq!(heard(dir.path(), "peer_log_3000.txt"), ["again"]);
}

#[test]
fn each_log_counts_skipped_events_before_its_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    run.start(peer(0), Role::Peer);
    run.start(peer(1), Role::Peer);
    run.logs.skip(40);
    run.logs.skip(2);
    run.hear(peer(0), "after");
    run.start(peer(2), Role::Peer);
    run.hear(peer(0), "more");
    run.logs.end();
    run.logs.flush();
    let lines = |name: &str| {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        text.lines().skip(1).map(|line| line.split("3002):").last().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let missing = "(42 events are missing here, of this node or others: they came too fast)";
    assert_eq!(lines("peer_log_3000.txt"), [missing, "after", "more"]);
    assert_eq!(lines("peer_log_3001.txt"), [missing]);
    assert_eq!(lines("peer_log_3002.txt"), <[&str; 0]>::default(), "it began after the gap");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = NodeLogs::open(&file.join("logs"), 0).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the log ") && error.contains("file/logs"), "{error}");
}

#[test]
fn a_log_that_is_full_goes_on_in_a_new_file_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    run.logs.log_len_max = 1_000;
    run.start(peer(0), Role::Peer);
    for n in 0..100 {
        run.hear(peer(0), &n.to_string());
        assert!(run.logs.flush().is_empty());
    }
    assert_eq!(names(dir.path()), ["peer_log_3000.earlier.txt", "peer_log_3000.txt"]);
    for name in names(dir.path()) {
        let len = fs::metadata(dir.path().join(&name)).unwrap().len();
        assert!((500..=1_100).contains(&len), "{name}: {len}");
    }
    let (before, now) = (heard(dir.path(), "peer_log_3000.earlier.txt"), heard(dir.path(), "peer_log_3000.txt"));
    let kept: Vec<u32> = before.iter().chain(&now).map(|line| line.parse().unwrap()).collect();
    assert_eq!(kept, (100 - u32::try_from(kept.len()).unwrap()..100).collect::<Vec<_>>(), "the newest, without a gap");
    let text = fs::read_to_string(dir.path().join("peer_log_3000.txt")).unwrap();
    assert!(text.starts_with("(the lines before these are in peer_log_3000.earlier.txt, "), "{text}");
    let note = run.logs.take_note().unwrap();
    assert!(note.contains("peer_log_3000.txt has reached its limit of 1kB"), "{note}");
    assert_eq!(run.logs.take_note(), None, "once is enough");
}

#[test]
fn a_new_run_keeps_the_earlier_part_of_an_old_log_too() {
    let dir = tempfile::tempdir().unwrap();
    for body in ["first", "second"] {
        let mut run = Run::new(dir.path());
        run.logs.log_len_max = 1;
        run.start(peer(0), Role::Peer);
        for _ in 0..2 {
            run.hear(peer(0), body);
            run.logs.flush();
        }
    }
    assert_eq!(heard(dir.path(), "peer_log_3000.earlier.1.txt"), ["first"]);
    assert_eq!(heard(dir.path(), "peer_log_3000.earlier.txt"), ["second"]);
}

#[test]
fn many_logs_share_what_all_of_them_may_take() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(dir.path());
    assert_eq!(run.logs.file_len_max(), LOG_LEN_MAX);
    for n in 0..64 {
        run.start(peer(n), Role::Peer);
    }
    assert_eq!(run.logs.file_len_max(), LOGS_LEN_MAX / 128);
}
