//! Warnings: problems of the network as a whole, found in the model.
//!
//! The model is looked at every [`LOOK_EVERY`] of event time ([`ticks`]), so a warning costs nothing
//! per event. The look of a moment sees what was folded in before it, and it is held when the first
//! event of that moment or a later one comes, or when [`Model::pass`] tells that there was none; so a
//! recording warns as the session did, at the same times. A finding becomes a warning after its grace
//! time: a network that starts or repairs itself is no cause for alarm. A warning whose cause is gone
//! stays in the list, with the time at which it ended.

mod find;
mod text;
mod ticks;

use std::time::Duration;

use super::ring::Ring;
use super::{Map, Model};
use crate::model::link::LinkKey;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// How often the model is examined: to a person, twice a second is at once.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long whoever has a clock waits with [`Model::pass`] for events of a moment that is over: more
/// than they take from any node to any listener.
pub const LOOK_GRACE: Duration = Duration::from_millis(250);
/// Warnings that are kept, ended ones included.
pub const WARNINGS_MAX: usize = 256;
/// Active warnings of one kind: enough to read.
pub const KIND_MAX: usize = 16;

/// A peer finds a neighbor within a second of its start, or within a few after a failed dial.
pub const ALONE_AFTER: Duration = Duration::from_secs(5);
/// Beacons on probes find a part of the overlay; before that, parts that start side by side need a
/// moment to meet.
pub const PARTED_AFTER: Duration = Duration::from_secs(5);
/// A peer tries another seed, or the same again, within a moment.
pub const NO_SEED_AFTER: Duration = Duration::from_secs(2);
/// Links are still being made: a weak spot counts once it stays.
pub const FRAGILE_AFTER: Duration = Duration::from_secs(10);
/// One end of a link learns of the other's within a round trip.
pub const ONE_WAY_AFTER: Duration = Duration::from_secs(5);
/// A peer that started this shortly before a message may not have been linked yet.
pub const JOINING: Duration = Duration::from_secs(5);
/// In smaller networks a single link is nothing unusual.
pub const FRAGILE_NODES_MIN: usize = 5;
/// A node that came back [`super::node::COMEBACKS_MAX`] times within this is flapping.
pub const FLAPPING_WITHIN: Duration = Duration::from_secs(120);
/// How long a message that did not reach everyone is warned about.
pub const UNREACHED_FOR: Duration = Duration::from_secs(60);
/// How long a disputed report counts against its reporter.
pub const DISPUTED_FOR: Duration = Duration::from_secs(120);

/// How long a forgery is warned about.
pub const FORGED_FOR: Duration = Duration::from_secs(120);

/// A problem of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// None of our peers is registered with a seed: nobody can join, and no death is recorded.
    NoSeed {
        /// The seeds that are known.
        seeds: Vec<Addr>,
        /// Those are of this process.
        are_ours: bool,
    },
    /// A peer has no neighbor, though there are others.
    Alone { node: Addr },
    /// The overlay is in several parts.
    Parted {
        /// The parts of two or more nodes, largest first.
        parts: Vec<Vec<Addr>>,
    },
    /// The loss of a single node or link would part the overlay.
    Fragile { nodes: Vec<Addr>, links: Vec<(Addr, Addr)> },
    /// A seed's list does not match the live nodes.
    SeedList {
        seed: Addr,
        /// On the list, and not alive.
        gone: Vec<Addr>,
        /// Alive and registered with this seed, and not on the list.
        missing: Vec<Addr>,
    },
    /// A node goes and comes back again and again.
    Flapping {
        node: Addr,
        /// How often it came back.
        times: usize,
        within: Duration,
    },
    /// One end holds a link that the other does not know.
    OneWay {
        /// Its key at the end that holds it.
        link: LinkKey,
    },
    Unreached {
        /// The latest such message.
        latest: MessageId,
        lacking: Vec<Addr>,
        /// Such messages in the last minute, this one included.
        messages: usize,
    },
    /// A node that was reported dead answered a seed.
    Disputed {
        reporter: Addr,
        /// Disputed reports of this reporter.
        reports: u32,
    },
    /// Somebody sends messages in the name of a node.
    Forged {
        /// The latest such message.
        latest: MessageId,
        /// The neighbor that brought it, which may only have forwarded it.
        from: Addr,
    },
    /// Most neighbors of a node joined when it was full: strangers may decide what it gets to hear.
    Eclipsed {
        node: Addr,
        /// The neighbors that joined so.
        joiners: Vec<Addr>,
        /// All its neighbors.
        neighbors: usize,
    },
}

/// What makes two findings the same warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum WarningKey {
    NoSeed,
    Alone(Addr),
    Parted,
    Fragile,
    SeedList(Addr),
    Flapping(Addr),
    OneWay(LinkKey),
    Unreached,
    Disputed(Addr),
    Forged(Addr),
    Eclipsed(Addr),
}

impl Finding {
    fn key(&self) -> WarningKey {
        match self {
            Self::NoSeed { .. } => WarningKey::NoSeed,
            Self::Alone { node } => WarningKey::Alone(*node),
            Self::Parted { .. } => WarningKey::Parted,
            Self::Fragile { .. } => WarningKey::Fragile,
            Self::SeedList { seed, .. } => WarningKey::SeedList(*seed),
            Self::Flapping { node, .. } => WarningKey::Flapping(*node),
            Self::OneWay { link } => WarningKey::OneWay(*link),
            Self::Unreached { .. } => WarningKey::Unreached,
            Self::Disputed { reporter, .. } => WarningKey::Disputed(*reporter),
            Self::Forged { latest, .. } => WarningKey::Forged(latest.origin),
            Self::Eclipsed { node, .. } => WarningKey::Eclipsed(*node),
        }
    }

    /// How long a finding must last before it is a warning. One about the past, or one that was
    /// waited for already, needs no more.
    fn grace(&self) -> Duration {
        match self {
            Self::NoSeed { .. } => NO_SEED_AFTER,
            Self::Alone { .. } => ALONE_AFTER,
            Self::Parted { .. } => PARTED_AFTER,
            Self::Fragile { .. } => FRAGILE_AFTER,
            Self::OneWay { .. } => ONE_WAY_AFTER,
            Self::SeedList { .. }
            | Self::Flapping { .. }
            | Self::Unreached { .. }
            | Self::Disputed { .. }
            | Self::Forged { .. }
            | Self::Eclipsed { .. } => Duration::ZERO,
        }
    }

    /// The message that it is about, if any.
    pub fn message(&self) -> Option<MessageId> {
        match self {
            Self::Unreached { latest, .. } => Some(*latest),
            Self::NoSeed { .. }
            | Self::Alone { .. }
            | Self::Parted { .. }
            | Self::Fragile { .. }
            | Self::SeedList { .. }
            | Self::Flapping { .. }
            | Self::OneWay { .. }
            | Self::Disputed { .. }
            | Self::Forged { .. }
            | Self::Eclipsed { .. } => None,
        }
    }

    /// The node that it is about, if any.
    pub fn node(&self) -> Option<Addr> {
        match self {
            Self::Alone { node } | Self::Flapping { node, .. } | Self::Eclipsed { node, .. } => Some(*node),
            Self::SeedList { seed, .. } => Some(*seed),
            Self::Disputed { reporter, .. } => Some(*reporter),
            Self::Forged { latest, .. } => Some(latest.origin),
            Self::OneWay { link } => Some(link.node),
            Self::Fragile { nodes, links } => nodes.first().copied().or_else(|| Some(links.first()?.0)),
            Self::Unreached { lacking, .. } => lacking.first().copied(),
            Self::NoSeed { seeds, .. } => seeds.first().copied(),
            Self::Parted { .. } => None,
        }
    }
}

/// A finding that has lasted for its grace time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// As it was last found.
    pub finding: Finding,
    /// Since when it was found.
    pub since: Time,
    /// When it had lasted for its grace time.
    pub at: Time,
    /// When its cause was gone.
    pub gone_at: Option<Time>,
}

/// All warnings, and what may become one.
#[derive(Debug, Clone, PartialEq)]
pub struct Warnings {
    list: Ring<Warning>,
    /// Active warnings, by number.
    active: Map<WarningKey, u64>,
    /// Findings that have not lasted long enough, and since when they are found.
    pending: Map<WarningKey, Time>,
    looking: Looking,
    search: find::WarningSearch,
}

/// Whether somebody wants warnings, and how far the model was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Looking {
    #[default]
    NotYet,
    /// All looks up to this one were held.
    UpTo(u64),
    Never,
}

impl Default for Warnings {
    fn default() -> Self {
        Self {
            list: Ring::new(WARNINGS_MAX),
            active: Map::default(),
            pending: Map::default(),
            looking: Looking::default(),
            search: find::WarningSearch::default(),
        }
    }
}

impl Warnings {
    /// All that are kept, oldest first.
    pub fn list(&self) -> &Ring<Warning> {
        &self.list
    }

    /// The active ones, oldest first, with their numbers.
    pub fn active(&self) -> impl Iterator<Item = (u64, &Warning)> {
        self.list.iter().filter(|(_, warning)| warning.gone_at.is_none())
    }

    /// The number of active ones.
    pub fn count(&self) -> usize {
        self.active.len()
    }

    fn of_no_seed(&self) -> Option<&Warning> {
        self.active().map(|(_, warning)| warning).find(|warning| matches!(warning.finding, Finding::NoSeed { .. }))
    }

    /// The latest message that did not reach everybody, while that is warned about.
    pub fn unreached(&self) -> Option<MessageId> {
        self.active().find_map(|(_, warning)| warning.finding.message())
    }

    /// Messages that did not reach everybody, by number, with when that was found.
    pub(super) fn incomplete(&self) -> &Ring<(MessageId, Time)> {
        self.search.incomplete()
    }

    fn take(&mut self, found: Vec<Finding>, now: Time) {
        let keys: super::Set<WarningKey> = found.iter().map(Finding::key).collect();
        self.pending.retain(|key, _| keys.contains(key));
        let gone: Vec<(WarningKey, u64)> =
            self.active.iter().filter(|(key, _)| !keys.contains(*key)).map(|(key, number)| (*key, *number)).collect();
        for (key, number) in gone {
            self.active.swap_remove(&key);
            if let Some(warning) = self.list.get_mut(number) {
                warning.gone_at = Some(now);
            }
        }
        for finding in found {
            self.found(finding, now);
        }
    }

    fn found(&mut self, finding: Finding, now: Time) {
        let key = finding.key();
        if let Some(warning) = self.active.get(&key).and_then(|number| self.list.get_mut(*number)) {
            warning.finding = finding;
            return;
        }
        let since = *self.pending.entry(key).or_insert(now);
        if now.since(since) < finding.grace() {
            return;
        }
        self.pending.swap_remove(&key);
        let (number, gone) = self.list.push(Warning { finding, since, at: now, gone_at: None });
        // An ended warning has left its key to the next of its kind.
        if let Some(gone) = gone.filter(|gone| gone.gone_at.is_none()) {
            self.active.swap_remove(&gone.finding.key());
        }
        self.active.insert(key, number);
    }
}

impl Model {
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// No seed is reachable, and that is warned about. The warning itself ends at the next look for
    /// problems; this ends as soon as a peer has registered.
    pub fn no_seed(&self) -> Option<&Warning> {
        self.warnings.of_no_seed().filter(|_| find::is_without_seed(self))
    }

    /// Nobody will ask this model for warnings: it is never looked at.
    #[must_use]
    pub fn without_warnings(mut self) -> Self {
        self.warnings.looking = Looking::Never;
        self
    }

    /// Nothing happened before this time that was not folded in. A caller with a clock tells that
    /// [`LOOK_GRACE`] late; one that gave the model an event need not.
    pub fn pass(&mut self, now: Time) {
        if self.started.is_some() {
            self.passed = self.passed.max(now);
            self.look_until(now);
        }
    }

    /// Holds the looks up to this time that are still to come.
    pub(super) fn look_until(&mut self, until: Time) {
        let end = ticks::grid(until);
        match self.warnings.looking {
            Looking::NotYet => self.warnings.looking = Looking::UpTo(end),
            Looking::UpTo(last) if last < end => {
                self.look_between(last, end);
                self.warnings.looking = Looking::UpTo(end);
            }
            Looking::Never | Looking::UpTo(_) => {}
        }
    }

    fn look_between(&mut self, last: u64, end: u64) {
        let looks = ticks::LookTimes { quiet_since: self.now, settles_after: find::settling_time(self) };
        let mut next = looks.after(last);
        while let Some(look) = next.filter(|look| *look <= end) {
            self.look(ticks::time_of(look));
            next = looks.after(look);
        }
    }

    fn look(&mut self, now: Time) {
        let mut search = std::mem::take(&mut self.warnings.search);
        let found = search.look(self, now);
        self.warnings.search = search;
        self.warnings.take(found, now);
    }

    /// That a message did not reach everybody, in words.
    pub(super) fn incomplete_text(&self, id: MessageId) -> String {
        let lacking = self.rumors.get(id).map(|rumor| find::lacking_nodes(self, rumor)).unwrap_or_default();
        self.warning_text(&Finding::Unreached { latest: id, lacking, messages: 1 })
    }

    /// A warning as a sentence without its period: `p7 has no live neighbor`.
    pub fn warning_text(&self, finding: &Finding) -> String {
        let text = text::text(finding, &|addr| self.name_of(addr).into_owned());
        match self.doubt().filter(|_| self.is_in_doubt(finding)) {
            Some(doubt) => format!("{text}; {doubt}"),
            None => text,
        }
    }

    /// It rests on the absence of an event, which may have been skipped.
    fn is_in_doubt(&self, finding: &Finding) -> bool {
        match finding {
            Finding::Unreached { latest, .. } => self.rumors.get(*latest).is_none_or(|rumor| !self.is_complete(rumor)),
            Finding::NoSeed { .. }
            | Finding::Alone { .. }
            | Finding::Parted { .. }
            | Finding::Fragile { .. }
            | Finding::SeedList { .. }
            | Finding::OneWay { .. } => self.may_lack_links,
            Finding::Flapping { .. } | Finding::Disputed { .. } | Finding::Forged { .. } | Finding::Eclipsed { .. } => {
                false
            }
        }
    }
}
