//! One deed after another.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_pcg::Pcg64Mcg;

use super::nodes::{NetworkChoice, of_ten, one_of};

/// Nodes that most deeds are about.
const VICTIMS: std::ops::RangeInclusive<usize> = 1..=3;
/// Of ten deeds, those that end an earlier one, if there is one to end.
const ENDS_OF_TEN: u32 = 3;
/// Of ten nodes, those that are victims, and of ten victims, those that are seeds.
const VICTIMS_OF_TEN: u32 = 8;
const SEEDS_OF_TEN: u32 = 1;
/// The most nodes on one side of a partition besides a victim.
const BESIDE_MAX: usize = 4;

/// What is done to the network. The likelier ones are there more often.
#[derive(Debug, Clone, Copy)]
enum DeedWord {
    Cut,
    Partition,
    /// A fault that meets messages: with these amounts.
    Messages(&'static str, &'static [&'static str]),
    /// A fault of a node.
    Node(&'static str, &'static [&'static str]),
    Kill,
    Hang,
    Lie,
    /// One more peer.
    Start,
    /// All cuts are healed, or all is.
    EndAll(&'static str),
}

const LOSS: DeedWord = DeedWord::Messages("loss", &["10%", "30%", "60%", "90%", "95%", "100%"]);
const DELAY: DeedWord =
    DeedWord::Messages("delay", &["1ms", "50ms 20ms", "400ms", "1200ms 600ms", "3s", "10s 5s", "30s"]);
const DUPLICATE: DeedWord = DeedWord::Messages("duplicate", &["20%", "100%"]);
const REORDER: DeedWord = DeedWord::Messages("reorder", &["30%", "80% 2s", "100% 5s"]);
const SLOW: DeedWord = DeedWord::Node("slow", &["1/s", "2/s", "5/s", "50/s"]);
const SKEW: DeedWord = DeedWord::Node("skew", &["+5s", "-5s", "+1h", "-30s"]);
const JUNK: DeedWord = DeedWord::Node("junk", &["1/s", "20/s"]);

const DEEDS: [DeedWord; 28] = [
    DeedWord::Cut,
    DeedWord::Cut,
    DeedWord::Cut,
    DeedWord::Cut,
    DeedWord::Partition,
    DeedWord::Partition,
    DeedWord::Partition,
    LOSS,
    LOSS,
    LOSS,
    DELAY,
    DELAY,
    DELAY,
    DUPLICATE,
    REORDER,
    REORDER,
    SLOW,
    SLOW,
    SKEW,
    JUNK,
    DeedWord::Kill,
    DeedWord::Kill,
    DeedWord::Hang,
    DeedWord::Hang,
    DeedWord::Lie,
    DeedWord::Start,
    DeedWord::EndAll("heal"),
    DeedWord::EndAll("calm"),
];

/// A deed as a line of a scenario, and the line that ends it.
#[derive(Debug, Clone)]
pub(super) struct DrawnDeed {
    pub(super) line: String,
    end: Option<String>,
}

/// Draws deeds about the nodes of one network.
#[derive(Debug)]
pub(super) struct DeedDraw {
    seeds: usize,
    peers: usize,
    victims: Vec<String>,
    /// Lines that end what was done so far.
    ends: Vec<String>,
}

impl DeedDraw {
    pub(super) fn new(rng: &mut Pcg64Mcg, nodes: &NetworkChoice) -> Self {
        let mut draw = Self { seeds: nodes.seeds, peers: nodes.peers, victims: Vec::new(), ends: Vec::new() };
        draw.victims = (0..rng.random_range(VICTIMS)).map(|_| draw.anybody(rng)).collect();
        draw
    }

    /// The next deed, which may not be possible.
    pub(super) fn deed(&self, rng: &mut Pcg64Mcg) -> DrawnDeed {
        if of_ten(rng, ENDS_OF_TEN)
            && let Some(line) = self.ends.choose(rng)
        {
            return DrawnDeed { line: line.clone(), end: None };
        }
        let node = self.node(rng);
        let ended = |line: String, end: String| DrawnDeed { line, end: Some(end) };
        match one_of(rng, &DEEDS) {
            DeedWord::Cut => {
                let pair = format!("{node} {}", self.other(rng, &node));
                ended(format!("cut {pair}"), format!("heal {pair}"))
            }
            DeedWord::Partition => ended(self.partition(rng, &node), "heal partition".to_owned()),
            DeedWord::Messages(word, amounts) => {
                let place = self.place(rng, node);
                ended(format!("{word} {place} {}", amount(rng, amounts)), format!("{word} {place} off"))
            }
            DeedWord::Node(word, amounts) => {
                ended(format!("{word} {node} {}", amount(rng, amounts)), format!("{word} {node} off"))
            }
            DeedWord::Kill => ended(format!("kill {node}"), format!("restart {node}")),
            DeedWord::Hang => ended(format!("hang {node}"), format!("restart {node}")),
            DeedWord::Lie => DrawnDeed { line: format!("lie {} {node}", self.peer(rng)), end: None },
            DeedWord::Start => DrawnDeed { line: "peer".to_owned(), end: None },
            DeedWord::EndAll(word) => DrawnDeed { line: word.to_owned(), end: None },
        }
    }

    /// It could be done.
    pub(super) fn done(&mut self, deed: DrawnDeed) {
        self.ends.retain(|end| *end != deed.line);
        self.ends.extend(deed.end);
    }

    fn partition(&self, rng: &mut Pcg64Mcg, node: &str) -> String {
        let mut nodes = vec![node.to_owned()];
        for _ in 0..rng.random_range(0..=BESIDE_MAX.min(self.peers - 1)) {
            let other = self.node(rng);
            if !nodes.contains(&other) {
                nodes.push(other);
            }
        }
        format!("partition {}", nodes.join(" "))
    }

    /// Where messages are met: at a node, on a link, or everywhere.
    fn place(&self, rng: &mut Pcg64Mcg, node: String) -> String {
        match rng.random_range(0..10_u32) {
            0..2 => "all".to_owned(),
            2..5 => {
                let other = self.other(rng, &node);
                format!("{node} {other}")
            }
            5.. => node,
        }
    }

    /// A victim, or anybody.
    fn node(&self, rng: &mut Pcg64Mcg) -> String {
        let victim = self.victims.choose(rng).filter(|_| of_ten(rng, VICTIMS_OF_TEN)).cloned();
        victim.unwrap_or_else(|| self.anybody(rng))
    }

    fn other(&self, rng: &mut Pcg64Mcg, node: &str) -> String {
        let other = if of_ten(rng, VICTIMS_OF_TEN / 2) { self.node(rng) } else { self.anybody(rng) };
        if other == node { self.peer(rng) } else { other }
    }

    fn anybody(&self, rng: &mut Pcg64Mcg) -> String {
        if of_ten(rng, SEEDS_OF_TEN) { format!("s{}", rng.random_range(1..=self.seeds)) } else { self.peer(rng) }
    }

    fn peer(&self, rng: &mut Pcg64Mcg) -> String {
        format!("p{}", rng.random_range(1..=self.peers))
    }
}

fn amount(rng: &mut Pcg64Mcg, amounts: &[&'static str]) -> &'static str {
    amounts.choose(rng).copied().unwrap_or_default()
}
