//! Places nodes: linked ones attract each other, all of them repel each other, and the whole cools
//! down.
//!
//! After T. Fruchterman and E. Reingold, "Graph Drawing by Force-directed Placement" (1991),
//! <https://doi.org/10.1002/spe.4380211102>. The same job gives the same places: random numbers
//! come from a fixed seed, and no clock is read.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// The frame into which everything is placed: as wide as a pane, measured in its height.
pub(crate) const WIDTH: f64 = 2.0;
/// Its height.
pub(crate) const HEIGHT: f64 = 1.0;

/// The frame for linked nodes: the seeds stand above it, unlinked nodes below.
const TOP: f64 = 0.14;
const BOTTOM: f64 = 0.97;
const LEFT: f64 = 0.04;
const RIGHT: f64 = WIDTH - LEFT;

/// Rounds of moving everything; a guess that looks settled at 10 nodes and at 500.
const ROUNDS: u32 = 140;
/// Rounds for newcomers, which begin beside their neighbors.
const ROUNDS_ADJUST: u32 = 60;
/// The longest step of the first round; it shrinks to nothing.
const STEP: f64 = 0.2;
const STEP_ADJUST: f64 = 0.06;
/// The length of a link at rest, as a share of the free room around a node.
const SPREAD: f64 = 0.78;
/// Nodes up to which several starts are tried, and how many: the one with the fewest crossings
/// wins.
const TRIES_NODES_MAX: usize = 30;
const TRIES: u64 = 6;
/// Nodes up to which every pair repels; above, only those within [`REACH`] links.
const ALL_PAIRS_MAX: usize = 80;
const REACH: f64 = 2.5;
/// The most that a layout may be stretched to fill its frame.
const STRETCH_MAX: f64 = 3.0;

/// A place in the frame, y downward.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    pub(crate) const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    fn len(self) -> f64 {
        self.x.hypot(self.y)
    }
}

/// Whether a node may be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is new here.
    Free,
    /// It stays where a reader knows it to be.
    Pinned,
}

/// What is to be laid out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    /// Where each node is, and whether it may be moved.
    pub(crate) bodies: Vec<(Point, Hold)>,
    /// The links, as indexes into the bodies.
    pub(crate) ties: Vec<(usize, usize)>,
    pub(crate) effort: Effort,
}

/// From scratch, or from the current places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// No node has a place yet that a reader knows.
    Anew,
    /// The free ones find a better place.
    Adjust,
}

/// The places, in the order of the bodies; pinned ones stay where they were.
pub(crate) fn place(job: &Job) -> Vec<Point> {
    match job.effort {
        Effort::Adjust => {
            let mut points: Vec<Point> = job.bodies.iter().map(|(point, _)| *point).collect();
            relax(&mut points, job, ROUNDS_ADJUST, STEP_ADJUST);
            // Links draw a network together as they are made: it fills the frame again while no
            // node has a place that a reader knows.
            if job.bodies.iter().all(|(_, hold)| *hold == Hold::Free) {
                fit(&mut points);
            }
            points
        }
        Effort::Anew => anew(job),
    }
}

fn anew(job: &Job) -> Vec<Point> {
    let tries = if job.bodies.len() <= TRIES_NODES_MAX { TRIES } else { 1 };
    let mut all = (0..tries).map(|seed| try_anew(job, seed));
    // Counting crossings costs more than a layout when there are many links.
    let best = if tries == 1 { all.next() } else { all.min_by_key(|points| crossings(points, &job.ties)) };
    best.unwrap_or_default()
}

fn try_anew(job: &Job, seed: u64) -> Vec<Point> {
    let mut rng = Pcg32::seed_from_u64(seed);
    let mut points: Vec<Point> = job.bodies.iter().map(|_| anywhere(&mut rng)).collect();
    relax(&mut points, job, ROUNDS, STEP);
    fit(&mut points);
    points
}

/// A place that depends on the random numbers alone.
pub(crate) fn anywhere(rng: &mut impl Rng) -> Point {
    Point::new(rng.random_range(LEFT..RIGHT), rng.random_range(TOP..BOTTOM))
}

/// The nearest place inside the frame.
pub(crate) fn inside(point: Point) -> Point {
    Point::new(point.x.clamp(LEFT, RIGHT), point.y.clamp(TOP, BOTTOM))
}

/// The length of a link at rest among this many nodes.
#[expect(clippy::cast_precision_loss, reason = "a count of nodes")]
pub(crate) fn link_len(nodes: usize) -> f64 {
    SPREAD * ((RIGHT - LEFT) * (BOTTOM - TOP) / nodes.max(1) as f64).sqrt()
}

fn relax(points: &mut [Point], job: &Job, rounds: u32, step: f64) {
    let len = link_len(points.len());
    let mut forces = vec![Point::default(); points.len()];
    let mut field = Repulsion::default();
    for round in 0..rounds {
        forces.fill(Point::default());
        field.repel(points, len, &mut forces);
        attract(points, &job.ties, len, &mut forces);
        let longest = step * (1.0 - f64::from(round) / f64::from(rounds));
        for ((point, force), (_, hold)) in points.iter_mut().zip(&forces).zip(&job.bodies) {
            if *hold == Hold::Free {
                *point = moved(*point, *force, longest, job.effort);
            }
        }
    }
}

/// One step, with a limit. A new layout is drawn to the middle, less so sideways; an adjusted one
/// stays in the frame.
fn moved(point: Point, force: Point, longest: f64, effort: Effort) -> Point {
    let force = match effort {
        Effort::Anew => {
            let middle = Point::new(WIDTH / 2.0, f64::midpoint(TOP, BOTTOM));
            let off = middle.minus(point);
            Point::new(force.x + off.x * 0.15, force.y + off.y * 0.6)
        }
        Effort::Adjust => force,
    };
    let scale = longest.min(force.len()) / force.len().max(f64::EPSILON);
    let next = Point::new(point.x + force.x * scale, point.y + force.y * scale);
    if effort == Effort::Adjust { inside(next) } else { next }
}

fn attract(points: &[Point], ties: &[(usize, usize)], len: f64, forces: &mut [Point]) {
    for (a, b) in ties {
        let apart = points[*a].minus(points[*b]);
        let pull = apart.len() / len;
        push(forces, *a, apart, -pull);
        push(forces, *b, apart, pull);
    }
}

fn push(forces: &mut [Point], who: usize, way: Point, by: f64) {
    forces[who].x += way.x * by;
    forces[who].y += way.y * by;
}

/// Which nodes repel each other: all, or those of the squares around one's own.
#[derive(Default)]
struct Repulsion {
    squares: Vec<Vec<usize>>,
}

impl Repulsion {
    fn repel(&mut self, points: &[Point], len: f64, forces: &mut [Point]) {
        if points.len() <= ALL_PAIRS_MAX {
            for a in 0..points.len() {
                for b in 0..a {
                    repel_pair(points, a, b, len, forces);
                }
            }
            return;
        }
        self.repel_near(points, len, forces);
    }

    fn repel_near(&mut self, points: &[Point], len: f64, forces: &mut [Point]) {
        let side = len * REACH;
        let low = points
            .iter()
            .fold(Point::new(f64::MAX, f64::MAX), |low, point| Point::new(low.x.min(point.x), low.y.min(point.y)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below the lowest, and few")]
        let square = |point: Point| (((point.x - low.x) / side) as usize, ((point.y - low.y) / side) as usize);
        let (columns, rows) = points
            .iter()
            .map(|point| square(*point))
            .fold((1, 1), |(columns, rows), (column, row)| (columns.max(column + 1), rows.max(row + 1)));
        self.squares.iter_mut().for_each(Vec::clear);
        self.squares.resize(columns * rows, Vec::new());
        for (who, point) in points.iter().enumerate() {
            let (column, row) = square(*point);
            self.squares[row * columns + column].push(who);
        }
        for (a, point) in points.iter().enumerate() {
            let (column, row) = square(*point);
            for near_row in row.saturating_sub(1)..rows.min(row + 2) {
                for near_column in column.saturating_sub(1)..columns.min(column + 2) {
                    for b in self.squares[near_row * columns + near_column].iter().filter(|b| **b < a) {
                        repel_pair(points, a, *b, len, forces);
                    }
                }
            }
        }
    }
}

fn repel_pair(points: &[Point], a: usize, b: usize, len: f64, forces: &mut [Point]) {
    let mut apart = points[a].minus(points[b]);
    if apart.len() < 1e-6 {
        // Nodes at one place would stay together forever; their numbers part them.
        apart = Point::new(1e-4, if a.is_multiple_of(2) { 1e-4 } else { -1e-4 });
    }
    let by = (len / apart.len()).powi(2);
    push(forces, a, apart, by);
    push(forces, b, apart, -by);
}

/// Moves the whole into the frame, and stretches it if it is much smaller.
fn fit(points: &mut [Point]) {
    let (mut low, mut high) = (Point::new(f64::MAX, f64::MAX), Point::new(f64::MIN, f64::MIN));
    for point in points.iter() {
        low = Point::new(low.x.min(point.x), low.y.min(point.y));
        high = Point::new(high.x.max(point.x), high.y.max(point.y));
    }
    let scale = |low: f64, high: f64, room: f64| (room / (high - low).max(1e-6)).min(STRETCH_MAX);
    let (across, down) = (scale(low.x, high.x, RIGHT - LEFT), scale(low.y, high.y, BOTTOM - TOP));
    let middle = Point::new(f64::midpoint(low.x, high.x), f64::midpoint(low.y, high.y));
    for point in points {
        let off = point.minus(middle);
        let x = f64::midpoint(LEFT, RIGHT) + off.x * across;
        *point = inside(Point::new(x, f64::midpoint(TOP, BOTTOM) + off.y * down));
    }
}

/// Pairs of links that cross: what makes a small graph hard to read.
fn crossings(points: &[Point], ties: &[(usize, usize)]) -> usize {
    let cross = |one: &(usize, usize), other: &(usize, usize)| {
        let (a, b, c, d) = (points[one.0], points[one.1], points[other.0], points[other.1]);
        let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
        side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
    };
    let pairs = ties.iter().enumerate().flat_map(|(index, one)| ties[..index].iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| cross(one, other)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring with chords, of nodes that have no place yet.
    fn ring(nodes: usize) -> Job {
        let ties = (0..nodes).flat_map(|node| [(node, (node + 1) % nodes), (node, (node + 7) % nodes)]).collect();
        Job { bodies: vec![(Point::default(), Hold::Free); nodes], ties, effort: Effort::Anew }
    }

    fn apart_min(points: &[Point]) -> f64 {
        let pairs = points.iter().enumerate().flat_map(|(at, a)| points[..at].iter().map(|b| a.minus(*b).len()));
        pairs.fold(f64::MAX, f64::min)
    }

    #[test]
    fn the_same_graph_is_laid_out_the_same_way_every_time() {
        for nodes in [8, 60, 200] {
            assert_eq!(place(&ring(nodes)), place(&ring(nodes)));
        }
    }

    #[test]
    fn everybody_is_inside_the_frame_and_nobody_on_top_of_another() {
        for nodes in [1, 2, 10, 60, 500] {
            let points = place(&ring(nodes));
            assert!(points.iter().all(|point| inside(*point) == *point));
            assert!(apart_min(&points) > link_len(nodes) / 10.0, "{nodes}: {}", apart_min(&points));
        }
    }

    #[test]
    fn those_who_are_linked_are_nearer_than_those_who_are_not() {
        for nodes in [20, 300] {
            let job = ring(nodes);
            let points = place(&job);
            let mean = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
                let (sum, count) = pairs
                    .fold((0.0, 0.0), |(sum, count), (a, b)| (sum + points[a].minus(points[b]).len(), count + 1.0));
                sum / count
            };
            let linked = mean(&mut job.ties.iter().copied());
            let all = mean(&mut (0..nodes).flat_map(|a| (0..a).map(move |b| (a, b))));
            assert!(linked < all * 0.8, "{nodes} nodes: {linked} of {all}");
        }
    }

    #[test]
    fn who_is_pinned_stays_and_a_newcomer_ends_near_its_neighbors() {
        let mut job = ring(30);
        let before = place(&job);
        job.bodies = before.iter().map(|point| (*point, Hold::Pinned)).collect();
        job.bodies.push((Point::new(LEFT, TOP), Hold::Free));
        job.ties.extend([(30, 3), (30, 4)]);
        job.effort = Effort::Adjust;
        let after = place(&job);
        assert_eq!(after[..30], before[..]);
        let middle = Point::new(f64::midpoint(before[3].x, before[4].x), f64::midpoint(before[3].y, before[4].y));
        let far = Point::new(LEFT, TOP).minus(middle).len();
        assert!(after[30].minus(middle).len() < far.min(2.0 * link_len(31)), "{:?} and {middle:?}", after[30]);
    }

    #[test]
    fn a_network_drawn_together_by_its_links_fills_the_frame() {
        let mut job = ring(60);
        let at_first = place(&job);
        job.bodies = at_first.iter().map(|point| (*point, Hold::Free)).collect();
        job.ties.extend((0..60).flat_map(|node| [(node, (node + 17) % 60), (node, (node + 26) % 60)]));
        job.effort = Effort::Adjust;
        let after = place(&job);
        let (low, high) =
            after.iter().fold((WIDTH, 0.0_f64), |(low, high), point| (low.min(point.x), high.max(point.x)));
        assert!(low < LEFT + 0.1 && high > RIGHT - 0.1, "from {low} to {high}");
    }

    #[test]
    fn a_graph_of_no_nodes_is_no_trouble() {
        assert_eq!(place(&ring(0)), []);
    }
}
