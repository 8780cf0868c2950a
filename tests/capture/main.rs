//! The picture of the README: `cargo test --test capture -- --ignored` takes it anew.
//!
//! It shows the real program in a pseudo-terminal, in a lab without sockets and with fixed random choices: a message that
//! spreads, a peer that is killed, and the answer to why it is dead. It changes only when the console does (or by the
//! moments at which it was taken).
#![cfg(unix)] // The terminal of these tests is that of `tests/pty.rs`.

mod svg;
#[path = "../terminal/mod.rs"]
#[allow(dead_code, reason = "tests/pty.rs uses all of it")]
mod terminal;

use std::fs;
use std::path::Path;

use svg::Frame;
use terminal::Session;

const ROWS: u16 = 34;
const COLUMNS: u16 = 110;
/// The choices under which the overlay is easy to look at.
const RNG_SEED: &str = "5";
const PICTURE: &str = "assets/console.svg";
const TITLE: &str = "The console of gossipctl: a message spreads over the overlay, hop by hop; a peer is killed, its \
     neighbors report it, the seeds take it off their lists; and the answer to why it is dead.";
/// How long a hop, a step of the death and the answer are shown.
const HOP_MS: u32 = 900;
const STEP_MS: u32 = 1_200;
const ANSWER_MS: u32 = 6_000;
/// More hops than a message takes here.
const HOPS_MAX: usize = 12;

#[test]
#[ignore = "writes assets/console.svg: cargo test --test capture -- --ignored"]
fn the_picture_of_the_readme_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = ["lab", "--peers", "12", "--virtual", "--rng-seed", RNG_SEED];
    let mut session = Session::start(&lab, ROWS, COLUMNS);
    session.wait_until("a message of each", |screen| screen.contains("#3 reached 12/12"));
    // The overlay has changed since it was laid out.
    session.press("L");
    let mut film = wave(&mut session);
    film.extend(death(&mut session));
    film.push(answer(&mut session));
    fs::write(root.join(PICTURE), svg::film(&film, TITLE)).unwrap();
    session.press("q");
    session.press("q");
    session.end();
}

/// A wave once more, slowly, a frame a hop.
fn wave(session: &mut Session) -> Vec<Frame> {
    session.press("w");
    let mut film: Vec<Frame> = Vec::new();
    while film.len() < HOPS_MAX {
        let last = film.last().map(|frame| share(&frame.screen.contents()));
        let is_next = |screen: &str| share(screen).is_some() && Some(share(screen)) != last;
        film.push(Frame { screen: session.whole_frame_when("the next hop", is_next), milliseconds: HOP_MS });
        if film.last().is_some_and(|frame| share(&frame.screen.contents()).is_some_and(|share| share == "12/12")) {
            return film;
        }
    }
    panic!("a wave of {HOPS_MAX} hops");
}

/// How many have the message whose wave is shown: `4/12`.
fn share(screen: &str) -> Option<String> {
    let title = screen.lines().find_map(|line| line.split_once(" have it"))?.0;
    title.rsplit(' ').next().map(str::to_owned)
}

/// A peer is killed, and reported until it is off the lists.
fn death(session: &mut Session) -> Vec<Frame> {
    session.press("x");
    let armed = session.whole_frame_when("the question", |screen| screen.contains("again"));
    session.press("x");
    let killed = session.whole_frame_when("the death", |screen| screen.contains("dead"));
    let removed = session.whole_frame_when("its end on the lists", |screen| screen.contains("removed it"));
    [armed, killed, removed].map(|screen| Frame { screen, milliseconds: STEP_MS }).into()
}

/// Why it is dead.
fn answer(session: &mut Session) -> Frame {
    session.press("\r");
    let screen = session.whole_frame_when("the answer", |screen| screen.contains("Why "));
    Frame { screen, milliseconds: ANSWER_MS }
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
