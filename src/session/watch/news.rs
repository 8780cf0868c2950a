//! What happens to the sessions that are watched, in words.

use crate::model::notice::Severity;
use crate::session::overview::SessionEnd;

/// Something happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchNews {
    Joined {
        name: String,
        /// What runs in it.
        what: String,
    },
    Ended {
        name: String,
        what: String,
        /// How, as far as it says.
        how: Option<SessionEnd>,
    },
    /// Its process ended without a word.
    Killed { name: String, what: String },
    /// No session of the network runs any more.
    AllEnded,
}

impl WatchNews {
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Joined { .. } | Self::Ended { .. } => Severity::Info,
            Self::Killed { .. } | Self::AllEnded => Severity::Warning,
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::Joined { name, what } => format!("session {name} has joined: {what}"),
            Self::Ended { name, what, how } => {
                let how = how.map(|how| format!(": {}", how.text())).unwrap_or_default();
                format!("session {name} has ended{how} ({what})")
            }
            Self::Killed { name, what } => {
                format!("the process of session {name} was killed ({what}): nothing is known of its last second")
            }
            Self::AllEnded => "all sessions have ended".to_owned(),
        }
    }
}
