//! The first line of a journal: what ran, when and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::proto::time::Time;
use crate::scenario::deeds::Deeds;
use crate::scenario::record::Precision;

/// The name of the format in the first line.
pub const FORMAT: &str = "gossipctl session";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 2;

/// Bytes of a scenario's text that are recorded: a thousand lines. With each byte escaped they are
/// well below the longest line that is read.
pub const SCENARIO_LEN_MAX: usize = 64 * 1024;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u32,
    /// When it began, by the machine's clock.
    pub started: Time,
    /// When it began by the network's own time, of which the events tell, if that is another: in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Time>,
    /// Seconds that the machine's clock was ahead of UTC.
    pub utc_offset_s: i32,
    /// The version of the program that wrote it.
    pub gossipctl: String,
    /// The lab with which the session began, if it began with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<RecordedLab>,
    /// The file name of the scenario that was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The text of that scenario; none in older journals, and of one that is longer than
    /// [`SCENARIO_LEN_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_text: Option<String>,
    /// It ran in virtual time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub virtual_time: bool,
    /// The settings of its nodes as flags have them, by name, and the seed of its random choices;
    /// none in older journals. Of a session that began on the start screen: those that a lab gets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The recordings that were merged into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<RecordedSource>,
}

/// A recording in a merged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSource {
    /// The name of its session, or of its file.
    pub session: String,
    /// Microseconds that its clock was taken to be ahead of the first one's.
    pub ahead_us: i64,
    /// How much more or less that may be; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain_us: Option<u64>,
}

/// The size of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLab {
    pub seeds: usize,
    pub peers: usize,
}

impl Header {
    /// The header of a session that starts now.
    pub fn new(started: Time, utc_offset_s: i32) -> Self {
        let gossipctl = env!("CARGO_PKG_VERSION").to_owned();
        let (format, version, settings) = (FORMAT.to_owned(), VERSION, BTreeMap::new());
        let (epoch, lab, scenario, scenario_text, virtual_time, merged) = (None, None, None, None, false, Vec::new());
        Self {
            format,
            version,
            started,
            epoch,
            utc_offset_s,
            gossipctl,
            lab,
            scenario,
            scenario_text,
            virtual_time,
            settings,
            merged,
        }
    }

    /// When it began by the time of its events.
    pub fn began(&self) -> Time {
        self.epoch.unwrap_or(self.started)
    }

    /// How exact the times of its events are.
    pub const fn precision(&self) -> Precision {
        if self.virtual_time { Precision::Microseconds } else { Precision::Milliseconds }
    }

    /// A fold that finds in the events of this session what was done in it.
    pub fn deeds(&self) -> Deeds {
        Deeds::new(self.lab.map(|lab| (lab.seeds, lab.peers)), self.precision())
    }
}
