//! Warnings of the field: what is wrong with the network as a whole, found in the model.
//!
//! [`Model::watch`] looks at most every [`LOOK_EVERY`], by the time that it is told, so that a
//! warning costs nothing an event, and a recording warns as the session did. What is found has to
//! last for its grace time before it becomes a warning: a network that starts, or repairs itself, is
//! no cause for alarm. A warning whose cause is gone stays in the list with the time at which it went.

mod find;
mod text;

use std::time::Duration;

use super::ring::Ring;
use super::{Map, Model};
use crate::model::link::LinkKey;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// How often the model is looked at: twice a second is at once, for a person.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Warnings that are kept, those whose cause is gone included.
pub const WARNINGS_MAX: usize = 256;
/// Warnings of one kind at a time: whoever has so many has read enough.
pub const KIND_MAX: usize = 16;

/// A peer finds a neighbor within a second of its start, after a failed dial within a few.
pub const ALONE_AFTER: Duration = Duration::from_secs(5);
/// A part of the overlay is found by the beacons that ride on probes; before that, parts that start side
/// by side need a moment to meet.
pub const PARTED_AFTER: Duration = Duration::from_secs(5);
/// Links are still being made: a weak spot is one when it stays.
pub const FRAGILE_AFTER: Duration = Duration::from_secs(10);
/// One end of a link hears of the other's within a round trip.
pub const ONE_WAY_AFTER: Duration = Duration::from_secs(5);
/// A peer that started so shortly before a message may not have been linked yet.
pub const JOINING: Duration = Duration::from_secs(5);
/// In smaller networks a single link is nothing to wonder at.
pub const FRAGILE_NODES_MIN: usize = 5;
/// A node that came back [`super::node::COMEBACKS_MAX`] times within this is flapping.
pub const FLAPPING_WITHIN: Duration = Duration::from_secs(120);
/// A message that did not reach everyone is warned of for so long.
pub const UNREACHED_FOR: Duration = Duration::from_secs(60);
/// A disputed report is held against its reporter for so long.
pub const DISPUTED_FOR: Duration = Duration::from_secs(120);

/// A forgery is warned of for so long.
pub const FORGED_FOR: Duration = Duration::from_secs(120);

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A peer has no neighbor, though there are others.
    Alone { node: Addr },
    /// The overlay is in several parts.
    Parted {
        /// The parts of two nodes and more, the largest first.
        parts: Vec<Vec<Addr>>,
    },
    /// The loss of a single node or link would part the overlay.
    Fragile {
        /// Such nodes.
        nodes: Vec<Addr>,
        /// Such links.
        links: Vec<(Addr, Addr)>,
    },
    /// A seed's list is not what is alive.
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
        /// Within this.
        within: Duration,
    },
    /// One end holds a link of which the other one knows nothing.
    OneWay {
        /// Who holds it, and to whom.
        link: LinkKey,
    },
    /// A message did not reach everyone.
    Unreached {
        /// The latest such message.
        latest: MessageId,
        /// Who lacks it.
        lacking: Vec<Addr>,
        /// Such messages of the last minute, this one included.
        messages: usize,
    },
    /// A seed had an answer from a node that was reported dead.
    Disputed {
        /// Whose report that was.
        reporter: Addr,
        /// Reports of this reporter that were disputed.
        reports: u32,
    },
    /// Somebody sends messages in the name of a node.
    Forged {
        /// The latest such message.
        latest: MessageId,
        /// The neighbor that brought it, who may only have forwarded it.
        from: Addr,
    },
    /// Most neighbors of a node joined when it was full: strangers may decide what it gets to hear.
    Eclipsed {
        node: Addr,
        /// Its neighbors that joined so.
        joiners: Vec<Addr>,
        /// All its neighbors.
        neighbors: usize,
    },
}

/// What makes two findings the same warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum WarningKey {
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

    /// How long it has to last before it is a warning. What is told of the past, or has been waited
    /// for already, needs no more.
    fn grace(&self) -> Duration {
        match self {
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

    /// The node that it is about, if it is about one.
    pub fn node(&self) -> Option<Addr> {
        match self {
            Self::Alone { node } | Self::Flapping { node, .. } | Self::Eclipsed { node, .. } => Some(*node),
            Self::SeedList { seed, .. } => Some(*seed),
            Self::Disputed { reporter, .. } => Some(*reporter),
            Self::Forged { latest, .. } => Some(latest.origin),
            Self::OneWay { link } => Some(link.node),
            Self::Fragile { nodes, links } => nodes.first().copied().or_else(|| Some(links.first()?.0)),
            Self::Unreached { lacking, .. } => lacking.first().copied(),
            Self::Parted { .. } => None,
        }
    }
}

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong, as it was last seen.
    pub finding: Finding,
    /// Since when.
    pub since: Time,
    /// Since when it is no longer so.
    pub gone_at: Option<Time>,
}

/// All warnings, and what may become one.
#[derive(Debug, Clone)]
pub struct Warnings {
    list: Ring<Warning>,
    /// Warnings whose cause is there, by number.
    active: Map<WarningKey, u64>,
    /// What was found and has not lasted long enough yet, and since when it is found.
    pending: Map<WarningKey, Time>,
    looked: Option<Time>,
    search: find::WarningSearch,
}

impl Default for Warnings {
    fn default() -> Self {
        Self {
            list: Ring::new(WARNINGS_MAX),
            active: Map::default(),
            pending: Map::default(),
            looked: None,
            search: find::WarningSearch::default(),
        }
    }
}

impl Warnings {
    /// All that are kept, oldest first.
    pub fn list(&self) -> &Ring<Warning> {
        &self.list
    }

    /// Those whose cause is there, oldest first, with their numbers.
    pub fn active(&self) -> impl Iterator<Item = (u64, &Warning)> {
        self.list.iter().filter(|(_, warning)| warning.gone_at.is_none())
    }

    /// How many of those there are.
    pub fn count(&self) -> usize {
        self.active.len()
    }

    /// The latest message that did not reach everybody, while that is warned of.
    pub fn unreached(&self) -> Option<MessageId> {
        self.active().find_map(|(_, warning)| match &warning.finding {
            Finding::Unreached { latest, .. } => Some(*latest),
            Finding::Alone { .. }
            | Finding::Parted { .. }
            | Finding::Fragile { .. }
            | Finding::SeedList { .. }
            | Finding::Flapping { .. }
            | Finding::OneWay { .. }
            | Finding::Disputed { .. }
            | Finding::Forged { .. }
            | Finding::Eclipsed { .. } => None,
        })
    }

    fn is_due(&self, now: Time) -> bool {
        self.looked.is_none_or(|looked| now.since(looked) >= LOOK_EVERY)
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
        let (number, gone) = self.list.push(Warning { finding, since, gone_at: None });
        // One that ended has left its key to the next of its kind.
        if let Some(gone) = gone.filter(|gone| gone.gone_at.is_none()) {
            self.active.swap_remove(&gone.finding.key());
        }
        self.active.insert(key, number);
    }
}

impl Model {
    /// The warnings.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// Looks for what is wrong, if that was not done lately. `now`: the time that is shown.
    pub fn watch(&mut self, now: Time) {
        if !self.warnings.is_due(now) {
            return;
        }
        let mut search = std::mem::take(&mut self.warnings.search);
        let found = search.look(self, now);
        self.warnings.search = search;
        self.warnings.looked = Some(now);
        self.warnings.take(found, now);
    }

    /// A warning in a sentence without an end: `p7 has no live neighbor`.
    pub fn warning_text(&self, finding: &Finding) -> String {
        let text = text::text(finding, &|addr| self.name_of(addr).into_owned());
        match self.doubt().filter(|_| self.is_in_doubt(finding)) {
            Some(doubt) => format!("{text}; {doubt}"),
            None => text,
        }
    }

    /// It rests on something that was not told, and may have been among what was skipped.
    fn is_in_doubt(&self, finding: &Finding) -> bool {
        match finding {
            Finding::Unreached { latest, .. } => self.rumors.get(*latest).is_none_or(|rumor| !self.is_complete(rumor)),
            Finding::Alone { .. }
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
