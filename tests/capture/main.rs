//! The picture of the README: `cargo test --test capture -- --ignored` takes it anew.
//!
//! It shows the real program in a pseudo-terminal, in a shipped scenario without sockets and with fixed random
//! choices, so that it changes only when the console does (or by the second in which it was taken).
#![cfg(unix)] // The terminal of these tests is that of `tests/pty.rs`.

mod svg;
#[path = "../terminal/mod.rs"]
#[allow(dead_code, reason = "tests/pty.rs uses all of it")]
mod terminal;

use std::fs;
use std::path::Path;

use terminal::Session;

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;
/// The choices under which the overlay is easy to look at.
const RNG_SEED: &str = "5";
const SCENARIO: &str = "assets/scenarios/spread.txt";
const PICTURE: &str = "assets/console.svg";
const TITLE: &str = "The console of gossipctl: a graph of the overlay with a message on its way, beside it \
     connections, liveness, dead-node reports and notices, below it the gossip log.";

#[test]
#[ignore = "writes assets/console.svg: cargo test --test capture -- --ignored"]
fn the_picture_of_the_readme_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = root.join(SCENARIO);
    let lab = ["lab", "--script", scenario.to_str().unwrap(), "--virtual", "--rng-seed", RNG_SEED];
    let mut session = Session::start(&lab, ROWS, COLUMNS);
    session.wait_until("the last message", |screen| {
        screen.contains("\"welcome p13\"") && screen.contains("reached 12/12")
    });
    // The overlay has changed since it was laid out; then the wave once more, slowly.
    session.press("L");
    session.press("w");
    let screen = session.whole_frame_when("the wave to be halfway", |screen| screen.contains(", 8/12 have it"));
    fs::write(root.join(PICTURE), svg::svg(&screen, TITLE)).unwrap();
    session.press("q");
    session.end();
}

#[test]
fn the_readme_shows_the_picture_with_a_wave_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&format!("]({PICTURE})")));
    let picture = fs::read_to_string(root.join(PICTURE)).unwrap();
    assert!(picture.contains(&format!("<title>{TITLE}</title>")));
    for sign in [">◆</text>", ">❶</text>", ">❷</text>", ">○</text>", ">✗</text>"] {
        assert!(picture.contains(sign), "the picture lacks {sign}");
    }
}
