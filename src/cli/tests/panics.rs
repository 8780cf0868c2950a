//! A panic of the console ends the console alone. The test runs itself again in a terminal of its
//! own, as the program that panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::ui::panics::{arm, assert_line_mode, is_the_one_that_panics, screen_at};

const LAB: [&str; 8] =
    ["gossipctl", "lab", "--peers", "4", "--gossip-interval", "300ms", "--liveness-interval", "300ms"];

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

#[test]
fn when_the_screen_panics_all_nodes_say_goodbye() {
    if is_the_one_that_panics() {
        arm();
        assert_eq!(super::super::main_with(LAB.map(Into::into)), ExitCode::FAILURE);
        println!("exit code 1");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (parser, modes) = screen_at(home.path(), "cli::tests::panics::when_the_screen_panics_all_nodes_say_goodbye");
    let screen = parser.screen();
    // A line that is wider than the screen continues in the next row.
    let contents = screen.contents().replace('\n', "");
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(), "{contents}");
    assert_line_mode(modes.as_deref());
    for text in ["error: internal error at src/ui/tests/panic.rs:", "struck in the middle of a session", "exit code 1"]
    {
        assert!(contents.contains(text), "no '{text}' in\n{}", screen.contents());
    }
    let state = home.path().join("state/gossipctl");
    let log = fs::read_to_string(state.join("gossipctl.log")).unwrap();
    assert!(log.contains("struck in the middle of a session") && log.contains("draw"), "{log}");
    let folder = files(&state.join("sessions"), "logs");
    let logs = files(&folder[0], "txt");
    assert_eq!(logs.len(), 6);
    for log in logs {
        assert!(fs::read_to_string(&log).unwrap().ends_with("Left the network\n"), "{}", log.display());
    }
    let journals = files(&state.join("sessions"), "zst");
    let journal = String::from_utf8(zstd::decode_all(fs::File::open(&journals[0]).unwrap()).unwrap()).unwrap();
    assert_eq!(journal.matches(r#""event":"stopped","how":"left""#).count(), 6, "all say goodbye");
    assert!(!journal.contains(r#""event":"neighbor_died""#), "and nobody takes another one for dead");
    for path in [state.join("gossipctl.log"), journals[0].clone()] {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(contents.contains(name), "no {name} in\n{}", screen.contents());
    }
}
