//! Why nodes do what they do, in their events.

use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::message::ReportId;

/// Why a seed took a peer off its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum DelistReason {
    /// A report was believed.
    Reported {
        reporter: Addr,
        /// The number of the report at the seed; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<ReportId>,
    },
    /// A report was checked, and the node did not answer.
    Unanswered {
        reporter: Addr,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<ReportId>,
    },
    /// It was silent for long, and did not answer a check.
    Silent,
    /// Its registration closed, and no new one came in time.
    Departed,
    /// It said goodbye.
    Left,
}

/// Why a peer looks for more links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum RepairReason {
    /// It has fewer than it aims for.
    TooFewLinks {
        have: usize,
        /// Links that it aims for.
        want: usize,
    },
    /// It hears nothing of the root, so the overlay may be split.
    #[serde(alias = "false_root")]
    SplitOverlay {
        /// The lowest living address, as the seeds attest it.
        root: Addr,
        /// The node that is dialed, in case it is in another part.
        other: Addr,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_root_of_an_old_journal_is_a_split_overlay() {
        let [root, other] = [1000, 3001].map(Addr::loopback);
        let old = r#"{"why":"false_root","root":"127.0.0.1:1000","other":"127.0.0.1:3001"}"#;
        let read: RepairReason = serde_json::from_str(old).unwrap();
        assert_eq!(read, RepairReason::SplitOverlay { root, other });
        assert_eq!(serde_json::to_string(&read).unwrap(), old.replace("false_root", "split_overlay"));
    }
}
