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
            Self::Joined { name, what } => format!("{what} has joined: session {name}"),
            Self::Ended { name, what, how } => {
                let how = how.map(|how| format!(": {}", how.text())).unwrap_or_default();
                format!("{what} has ended{how} (session {name})")
            }
            Self::Killed { name, what } => {
                format!("{what} was killed with its process: session {name} lacks its last second")
            }
            Self::AllEnded => "all sessions have ended".to_owned(),
        }
    }
}
