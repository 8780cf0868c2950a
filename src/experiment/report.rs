//! A rerun as people and programs read it.

use serde::Serialize;

use super::comparison::{ComparedRun, Comparison};
use crate::session::text::printed_json;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Settings: `max-dial 3`.
    pub set: Vec<String>,
    /// Commands that were left out: `cut p7 p8`.
    pub without: Vec<String>,
}

/// A rerun, and what came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunReport {
    /// What was played again.
    pub subject: String,
    pub changes: Changes,
    /// Seed of all random choices of the runs that were played.
    pub rng_seed: u64,
    /// What the reader should know of the figures.
    pub notes: Vec<String>,
    pub comparison: Comparison,
}

/// The same for programs.
#[derive(Serialize)]
struct RerunJson<'a> {
    rerun: &'a str,
    changes: &'a Changes,
    rng_seed: u64,
    verdict: String,
    same: bool,
    notes: &'a [String],
    runs: &'a [ComparedRun],
}

impl Changes {
    pub const fn is_empty(&self) -> bool {
        self.set.is_empty() && self.without.is_empty()
    }

    /// `With max-dial 3 and without 'cut p7 p8'`.
    fn text(&self) -> String {
        let quoted = |commands: &[String]| commands.iter().map(|command| format!("'{command}'")).collect::<Vec<_>>();
        let set = (!self.set.is_empty()).then(|| format!("with {}", self.set.join(" and ")));
        let without = (!self.without.is_empty()).then(|| format!("without {}", quoted(&self.without).join(" and ")));
        let text = set.into_iter().chain(without).collect::<Vec<_>>().join(" and ");
        let text = if text.is_empty() { "again".to_owned() } else { text };
        text[..1].to_uppercase() + &text[1..]
    }
}

impl RerunReport {
    /// What came out otherwise, in a sentence.
    pub fn verdict(&self) -> String {
        format!("{}: {}.", self.changes.text(), self.comparison.verdict())
    }

    /// The table, the differences in detail, and the notes.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.comparison.lines();
        lines.push(String::new());
        lines.extend(self.notes.iter().cloned());
        lines.push(format!("Played in virtual time with random seed {}.", self.rng_seed));
        lines
    }

    /// For people: the verdict first.
    pub fn text(&self) -> String {
        let lines = self.lines().join("\n");
        format!("{}: {}\n\n{lines}\n", self.subject, self.verdict())
    }

    /// A line of JSON, with all figures.
    pub fn json(&self) -> serde_json::Result<String> {
        let json = RerunJson {
            rerun: &self.subject,
            changes: &self.changes,
            rng_seed: self.rng_seed,
            verdict: self.verdict(),
            same: self.comparison.is_same(),
            notes: &self.notes,
            runs: &self.comparison.runs,
        };
        Ok(printed_json(&json)? + "\n")
    }
}
