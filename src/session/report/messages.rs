//! What became of all messages of a session: coverage over time, distributions beside what theory
//! predicts, and those that did not reach everybody, by the reason.
//!
//! The model holds the latest messages only, so each is judged once it has had its time, and only
//! counts are kept of it.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::bins::{Bins, MergeBins};
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject};
use crate::model::overlay::OverlaySnapshot;
use crate::model::rumor::{Counting, Coverage, DELIVERY_TIME, Rumor};
use crate::model::theory::Prediction;
use crate::model::wave::Wave;
use crate::model::why::why_not_each;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::{Time, micros};

/// How long after a message was first seen it is judged: twice the time in which it should have
/// arrived, so that one which a fault delays is judged late.
const JUDGED_AFTER: Duration = DELIVERY_TIME.saturating_mul(2);
/// The same of a message that everybody has, if it may be forgotten soon: its further copies have come by then.
const COMPLETE_AFTER: Duration = Duration::from_secs(1);
/// Reasons that are told apart.
pub const REASONS_MAX: usize = 60;
/// Messages of one reason that are named.
pub const EXAMPLES_MAX: usize = 8;
/// Incomplete messages for which every peer is asked why: a second of work in a network of 300.
pub const ASKED_MAX: u64 = 400;
/// Reasons of one message that are told apart: more than that read as one.
const REASONS_OF_ONE_MAX: usize = 3;
/// Hops that are told apart.
const HOPS_MAX: usize = 64;
/// Spells in which messages did not reach everybody.
const SPELLS_MAX: usize = 1_000;
/// Incomplete messages closer together than this are of one spell.
const SPELL_GAP: Duration = Duration::from_secs(30);
/// Bytes of a body that are shown.
const BODY_LEN_MAX: usize = 120;

/// All messages of a session in figures.
#[derive(Debug, Clone)]
pub struct MessageFigures {
    /// Messages that were judged.
    pub judged: u64,
    /// Of those, the ones that reached every peer that had time.
    pub full: u64,
    /// Messages that were still under way at the end.
    pub under_way: u64,
    /// Messages that the model forgot before they had had their time.
    pub unjudged: u64,
    /// From its beginning to each first copy, in microseconds.
    pub delays_us: Histogram<u64>,
    /// The same as theory has it, if each hop takes the median time of the message's hops.
    pub delays_predicted_us: Histogram<u64>,
    /// First copies by the links that they had crossed.
    pub hops: Vec<u64>,
    pub hops_predicted: Vec<u64>,
    /// Copies for each delivery, in hundredths.
    pub copies_percent: Histogram<u64>,
    pub copies_predicted_percent: Histogram<u64>,
    pub coverage: Bins<CoverageBin>,
    pub reasons: Vec<Lacked>,
    /// Incomplete messages whose reason was not asked for, or one too many.
    pub other_reasons: u64,
    pub spells: Vec<Spell>,
}

/// The messages that began in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoverageBin {
    pub messages: u64,
    pub full: u64,
    /// Peers that have them, and peers that should.
    pub have: u64,
    pub of: u64,
    /// The lowest coverage of a message, in hundredths of a percent; of no message, none.
    pub least: Option<u64>,
}

impl MergeBins for CoverageBin {
    fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.full += other.full;
        self.have += other.have;
        self.of += other.of;
        self.least = self.least.into_iter().chain(other.least).min();
    }
}

/// Messages that did not reach everybody for one reason.
#[derive(Debug, Clone)]
pub struct Lacked {
    /// Why, as clauses without the node's name.
    pub why: Vec<String>,
    pub messages: u64,
    /// Those for which each peer was asked. The others came right after them, to the same peers.
    pub asked: u64,
    pub first: Time,
    pub last: Time,
    /// How many each peer lacks.
    pub nodes: Map<Addr, u64>,
    pub examples: Vec<LackedMessage>,
}

#[derive(Debug, Clone)]
pub struct LackedMessage {
    pub name: String,
    pub id: MessageId,
    pub began: Time,
    /// From its beginning until it was lost, or should have been everywhere.
    pub span: DiagramSpan,
    pub body: String,
    pub coverage: Coverage,
    pub lacking: Vec<Addr>,
}

impl LackedMessage {
    /// What a diagram of it is about.
    pub fn subject(&self) -> DiagramSubject {
        DiagramSubject::Message(self.id)
    }
}

/// A time in which messages did not reach everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    pub from: Time,
    pub until: Time,
    pub messages: u64,
}

/// The overlay as it is, while it stays so.
#[derive(Debug)]
struct KnownOverlay {
    version: u64,
    overlay: OverlaySnapshot,
}

/// Messages on their way into [`MessageFigures`].
#[derive(Debug)]
pub(super) struct MessageFold {
    figures: MessageFigures,
    /// Messages before this number were seen.
    seen: u64,
    /// Those that were seen and are not judged yet: no more than the model holds.
    waiting: Vec<u64>,
    overlay: Option<KnownOverlay>,
    asked: u64,
    utc_offset_s: i32,
}

impl MessageFold {
    pub(super) fn new(utc_offset_s: i32) -> Self {
        let figures = MessageFigures {
            judged: 0,
            full: 0,
            under_way: 0,
            unjudged: 0,
            delays_us: figures(),
            delays_predicted_us: figures(),
            hops: Vec::new(),
            hops_predicted: Vec::new(),
            copies_percent: figures(),
            copies_predicted_percent: figures(),
            coverage: Bins::new(),
            reasons: Vec::new(),
            other_reasons: 0,
            spells: Vec::new(),
        };
        Self { figures, seen: 0, waiting: Vec::new(), overlay: None, asked: 0, utc_offset_s }
    }

    /// Judges the messages that have had their time.
    pub(super) fn look(&mut self, model: &Model, now: Time) {
        let is_crowded = model.rumors().is_crowded();
        let is_done = |rumor: &Rumor, age: Duration| {
            age >= DELIVERY_TIME
                || (age >= COMPLETE_AFTER && rumor.coverage(model.nodes(), Counting::HadTime).is_full())
        };
        self.judge(model, |rumor| {
            let age = now.since(rumor.first_seen);
            age >= JUDGED_AFTER || (is_crowded && is_done(rumor, age))
        });
    }

    /// Judges the others, except for those that are still under way.
    pub(super) fn finish(mut self, model: &Model) -> MessageFigures {
        self.judge(model, |_| true);
        self.figures
    }

    fn judge(&mut self, model: &Model, is_due: impl Fn(&Rumor) -> bool) {
        let ring = model.rumors().ring();
        self.figures.unjudged += ring.first().saturating_sub(self.seen);
        self.waiting.extend(self.seen.max(ring.first())..ring.end());
        self.seen = ring.end();
        for number in std::mem::take(&mut self.waiting) {
            match ring.get(number) {
                None => self.figures.unjudged += 1,
                Some(rumor) if is_due(rumor) => self.judge_one(model, rumor),
                Some(_) => self.waiting.push(number),
            }
        }
    }

    fn judge_one(&mut self, model: &Model, rumor: &Rumor) {
        let wave = self.wave(model, rumor);
        if wave.is_under_way {
            self.figures.under_way += 1;
            return;
        }
        self.figures.count(rumor, rumor.coverage(model.nodes(), Counting::HadTime));
        self.figures.measure(&wave);
        if !wave.lacking.is_empty() {
            self.lacked(model, rumor, &wave);
        }
    }

    fn wave(&mut self, model: &Model, rumor: &Rumor) -> Wave {
        let began = rumor.began();
        if model.overlay_changed_since(began) {
            return model.wave_on(rumor, &model.overlay_at(began));
        }
        let version = model.overlay_version();
        let known = self.overlay.take().filter(|known| known.version == version);
        let known = known.unwrap_or_else(|| KnownOverlay { version, overlay: model.overlay_at(began) });
        let wave = model.wave_on(rumor, &known.overlay);
        self.overlay = Some(known);
        wave
    }

    fn lacked(&mut self, model: &Model, rumor: &Rumor, wave: &Wave) {
        self.figures.spell(wave.began);
        let is_asked = self.asked < ASKED_MAX;
        let why = if is_asked {
            Some(reasons(model, rumor, wave, self.utc_offset_s))
        } else {
            self.figures.same_as_before(wave).map(|lacked| lacked.why.clone())
        };
        let Some(why) = why else {
            self.figures.other_reasons += 1;
            return;
        };
        self.asked += u64::from(is_asked);
        let Some(lacked) = self.figures.reason(why, wave.began) else { return };
        lacked.messages += 1;
        lacked.asked += u64::from(is_asked);
        lacked.first = lacked.first.min(wave.began);
        lacked.last = lacked.last.max(wave.began);
        wave.lacking.iter().for_each(|node| *lacked.nodes.entry(*node).or_default() += 1);
        if lacked.examples.len() < EXAMPLES_MAX {
            lacked.examples.push(example(model, rumor, wave));
        }
    }
}

/// Up to three significant figures of any number.
pub(super) fn figures() -> Histogram<u64> {
    // Three is one of the five numbers that it takes.
    Histogram::new(3).unwrap_or_else(|_| unreachable!("3 is between 0 and 5"))
}

/// Counts a value so many times; the histogram grows to hold it.
pub(super) fn record(values: &mut Histogram<u64>, value: u64, times: u64) {
    // It holds all that a `u64` can be but the last few, which are no time and no ratio.
    let _ = values.record_n(value, times);
}

/// Each reason once, in the order of the peers.
fn reasons(model: &Model, rumor: &Rumor, wave: &Wave, utc_offset_s: i32) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for lack in why_not_each(model, rumor, &wave.lacking, utc_offset_s) {
        if !reasons.contains(&lack.why) {
            reasons.push(lack.why);
        }
    }
    reasons.sort();
    if reasons.len() > REASONS_OF_ONE_MAX {
        let more = reasons.len() - (REASONS_OF_ONE_MAX - 1);
        reasons.truncate(REASONS_OF_ONE_MAX - 1);
        reasons.push(format!("{more} more reasons, each for some of the peers"));
    }
    reasons
}

fn example(model: &Model, rumor: &Rumor, wave: &Wave) -> LackedMessage {
    LackedMessage {
        name: model.message_name(rumor.id),
        id: rumor.id,
        began: wave.began,
        span: DiagramSubject::Message(rumor.id).span(model, None),
        body: shortened(&rumor.body.to_string()),
        coverage: wave.coverage(),
        lacking: wave.lacking.clone(),
    }
}

/// A text of others, as much of it as fits a line.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().map(|(place, _)| place).find(|place| *place >= BODY_LEN_MAX) {
        Some(end) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl MessageFigures {
    fn count(&mut self, rumor: &Rumor, coverage: Coverage) {
        let full = u64::from(coverage.is_full());
        self.judged += 1;
        self.full += full;
        let (have, of) = (coverage.have as u64, coverage.of as u64);
        let least = (have * 10_000).checked_div(of);
        self.coverage.at(rumor.began()).merge(&CoverageBin { messages: 1, full, have, of, least });
    }

    fn measure(&mut self, wave: &Wave) {
        for row in wave.rows.iter().filter(|row| row.from.is_some()) {
            record(&mut self.delays_us, micros(row.delay).max(1), 1);
            if let Some(hop) = row.hop {
                count_hop(&mut self.hops, usize::from(hop), 1);
            }
        }
        record_redundancy(&mut self.copies_percent, wave.redundancy);
        if let Some(prediction) = &wave.prediction {
            self.predict(prediction, wave);
        }
    }

    fn predict(&mut self, prediction: &Prediction, wave: &Wave) {
        record_redundancy(&mut self.copies_predicted_percent, prediction.redundancy);
        let arriving = prediction.after_hops.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as u64);
        let delays = wave.predicted_curve();
        for (hop, nodes) in (1..).zip(arriving) {
            count_hop(&mut self.hops_predicted, hop, nodes);
            if let Some((delay, _)) = delays.get(hop) {
                record(&mut self.delays_predicted_us, micros(*delay).max(1), nodes);
            }
        }
    }

    /// The latest reason, if it is of a moment ago and of the same peers.
    fn same_as_before(&self, wave: &Wave) -> Option<&Lacked> {
        let latest = self.reasons.iter().max_by_key(|lacked| lacked.last)?;
        let is_same = wave.lacking.iter().all(|node| latest.nodes.contains_key(node));
        (is_same && wave.began.since(latest.last) <= SPELL_GAP).then_some(latest)
    }

    /// The messages of this reason; `None` if there are too many reasons.
    fn reason(&mut self, why: Vec<String>, began: Time) -> Option<&mut Lacked> {
        let known = self.reasons.iter().position(|lacked| lacked.why == why);
        if known.is_none() && self.reasons.len() == REASONS_MAX {
            self.other_reasons += 1;
            return None;
        }
        let place = known.unwrap_or(self.reasons.len());
        if known.is_none() {
            let (nodes, examples) = (Map::default(), Vec::new());
            self.reasons.push(Lacked { why, messages: 0, asked: 0, first: began, last: began, nodes, examples });
        }
        self.reasons.get_mut(place)
    }

    fn spell(&mut self, at: Time) {
        let is_full = self.spells.len() == SPELLS_MAX;
        match self.spells.last_mut() {
            Some(spell) if at.since(spell.until) <= SPELL_GAP || is_full => {
                spell.until = spell.until.max(at);
                spell.messages += 1;
            }
            Some(_) | None => self.spells.push(Spell { from: at, until: at, messages: 1 }),
        }
    }

    /// Messages that did not reach every peer.
    pub fn incomplete(&self) -> u64 {
        self.judged - self.full
    }
}

fn count_hop(hops: &mut Vec<u64>, hop: usize, nodes: u64) {
    let hop = hop.min(HOPS_MAX);
    if hops.len() <= hop {
        hops.resize(hop + 1, 0);
    }
    hops[hop] += nodes;
}

/// Copies for each delivery are one more than the redundancy.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ratio of counts, rounded")]
fn record_redundancy(percents: &mut Histogram<u64>, redundancy: Option<f64>) {
    if let Some(redundancy) = redundancy {
        record(percents, ((redundancy + 1.0) * 100.0).round() as u64, 1);
    }
}
