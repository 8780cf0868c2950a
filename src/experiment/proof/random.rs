//! Random scenarios: a number gives a network, what is done to it, and what is said meanwhile.
//!
//! Causes are to mix: deeds choose the same few victims again and again, and follow each other
//! closely. Each stands alone at its millisecond, so that it can be told from the others by its time.

mod draw;
mod nodes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::engine::Settings;
use crate::experiment::run::Experiment;
use crate::proto::fault::span_word;
use crate::scenario::{Script, ScriptError};
use draw::DeedDraw;
use nodes::{NetworkChoice, one_of};

/// Draws of a deed until one can be done where it stands.
const DRAWS_MAX: usize = 20;
/// The network has formed, and the first messages went around.
const FIRST_DEED_MS: std::ops::Range<u64> = 4_000..9_000;
/// What is said before or after a deed: from a message that is on its way to one that meets only
/// what is left of the fault.
const SAID_AROUND_MS: i64 = 2_500;
const SAYS: std::ops::RangeInclusive<usize> = 1..=5;
/// Nothing is said before the peers are linked.
const SAID_FROM_MS: u64 = 2_500;
/// After the last deed: a death is found after some liveness intervals and a message has reached all
/// or some lack it for good after five seconds.
const TAIL: Duration = Duration::from_secs(7);
const TAIL_INTERVALS: u32 = 6;

/// How large scenarios become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub peers_max: usize,
    pub deeds_max: usize,
}

impl Sizes {
    pub const PEERS_MIN: usize = 4;
    /// As large as a network gets in which what is done to a few still shows everywhere.
    pub const FULL: Self = Self { peers_max: 40, deeds_max: 5 };
}

/// A scenario, with the settings that its text gives its nodes.
#[derive(Debug, Clone)]
pub struct RandomScenario {
    /// What it was drawn from.
    pub number: u64,
    pub text: String,
    pub settings: Settings,
}

impl RandomScenario {
    /// The scenario of this number: always the same.
    pub fn draw(number: u64, sizes: Sizes) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(number);
        let nodes = NetworkChoice::draw(&mut rng, sizes);
        let mut lines = deeds(&mut rng, &nodes, sizes);
        says(&mut rng, &nodes, &mut lines);
        let mut text = written(&nodes, &lines);
        let last = lines.keys().next_back().copied().unwrap_or(0);
        let end = Duration::from_millis(last) + TAIL + nodes.liveness_interval * TAIL_INTERVALS;
        let _ = writeln!(text, "{} end", span_word(end));
        Self { number, text, settings: nodes.settings() }
    }

    /// As it is played.
    pub fn experiment(&self) -> Result<Experiment, ScriptError> {
        Ok(Experiment::of_script(Script::parse(&self.text)?, self.settings.clone()))
    }
}

/// Lines by their milliseconds.
type TimedLines = BTreeMap<u64, String>;

fn deeds(rng: &mut Pcg64Mcg, nodes: &NetworkChoice, sizes: Sizes) -> TimedLines {
    let (mut lines, mut at_ms) = (TimedLines::new(), rng.random_range(FIRST_DEED_MS));
    let mut draw = DeedDraw::new(rng, nodes);
    for _ in 0..rng.random_range(1..=sizes.deeds_max) {
        for _ in 0..DRAWS_MAX {
            let deed = draw.deed(rng);
            if add(nodes, &mut lines, at_ms, &deed.line) {
                draw.done(deed);
                break;
            }
        }
        at_ms += pause_ms(rng, nodes.liveness_interval);
    }
    lines
}

/// Adds this line, if the rehearsal of the scenario finds that it can be done there.
fn add(nodes: &NetworkChoice, lines: &mut TimedLines, at_ms: u64, line: &str) -> bool {
    lines.insert(at_ms, line.to_owned());
    let is_possible = Script::parse(&written(nodes, lines)).is_ok();
    if !is_possible {
        lines.remove(&at_ms);
    }
    is_possible
}

fn written(nodes: &NetworkChoice, lines: &TimedLines) -> String {
    let mut text = nodes.text();
    for (at_ms, line) in lines {
        let _ = writeln!(text, "{} {line}", span_word(Duration::from_millis(*at_ms)));
    }
    text
}

/// From one deed to the next: within the time of a message, of a probe, or of a death.
fn pause_ms(rng: &mut Pcg64Mcg, liveness_interval: Duration) -> u64 {
    let interval = u64::try_from(liveness_interval.as_millis()).unwrap_or(u64::MAX);
    let most = one_of(rng, &[interval / 3, interval * 2, interval * 2, interval * 8]);
    rng.random_range(1..=most)
}

/// Says something around the deeds; a line that a killed peer would say is left out.
fn says(rng: &mut Pcg64Mcg, nodes: &NetworkChoice, lines: &mut TimedLines) {
    let deeds: Vec<u64> = lines.keys().copied().collect();
    for number in 1..=rng.random_range(SAYS) {
        let around = deeds.choose(rng).copied().unwrap_or(FIRST_DEED_MS.end);
        let at_ms = around.saturating_add_signed(rng.random_range(-SAID_AROUND_MS..=SAID_AROUND_MS)).max(SAID_FROM_MS);
        let at_ms = (at_ms..=u64::MAX).find(|at_ms| !lines.contains_key(at_ms)).unwrap_or(at_ms);
        let line = format!("say p{} m{number}", rng.random_range(1..=nodes.peers));
        add(nodes, lines, at_ms, &line);
    }
}
