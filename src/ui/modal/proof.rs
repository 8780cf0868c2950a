//! The proof of an answer, as its dialog shows it: that it runs, or what came of it.

use ratatui::text::Line;

use crate::model::why::{AskedAnswer, Explanation, why_unprovable};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::ui::host::{ProofTold, ProofVerdict};
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Commands that a line names.
const COMMANDS_MAX: usize = 4;

/// The proof of the answer that is shown.
#[derive(Debug, Default)]
pub(super) enum ShownProof {
    #[default]
    None,
    /// The user asked for it; what is to be proven is known when the answer is drawn.
    Wanted,
    /// The answer explains nothing that can be tried, and why.
    Impossible(String),
    /// The host is at it.
    Runs(AskedAnswer),
    Told(AskedAnswer, ProofTold),
}

impl ShownProof {
    /// Finds what is to be proven of this answer, if the user asked for it; `node`: if it is about a node.
    pub(super) fn ask(&mut self, why: &Explanation, node: Option<Addr>, view: &View<'_>) {
        if matches!(self, Self::Wanted) {
            let answer = why.asked(view.model, view.now, view.utc_offset_s);
            *self = answer.map_or_else(|| Self::Impossible(why_unprovable(view.model, node)), Self::Runs);
        }
    }

    /// The answer is this one now: the proof of another one is stale.
    pub(super) fn follow(&mut self, why: &Explanation, view: &View<'_>) {
        let proven = match self {
            Self::None | Self::Wanted => return,
            Self::Impossible(_) => None,
            Self::Runs(answer) | Self::Told(answer, _) => Some(&answer.questions),
        };
        let now = why.asked(view.model, view.now, view.utc_offset_s);
        if proven != now.as_ref().map(|answer| &answer.questions) {
            *self = Self::None;
        }
    }

    /// What the host is to prove.
    pub(super) const fn unproven(&self) -> Option<&AskedAnswer> {
        match self {
            Self::Runs(answer) => Some(answer),
            Self::None | Self::Wanted | Self::Impossible(_) | Self::Told(..) => None,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        self.unproven().is_some()
    }

    /// Takes the proof that is waited for.
    pub(super) fn hear(&mut self, proven: &AskedAnswer, told: &ProofTold) {
        if self.unproven() == Some(proven) {
            *self = Self::Told(proven.clone(), told.clone());
        }
    }

    /// What came of it, for the clipboard.
    pub(super) fn told(&self) -> impl Iterator<Item = &str> {
        let told = match self {
            Self::Told(_, told) => Some(told),
            Self::None | Self::Wanted | Self::Impossible(_) | Self::Runs(_) => None,
        };
        told.into_iter().flat_map(|told| [&told.text].into_iter().chain(&told.notes)).map(String::as_str)
    }

    pub(super) fn lines(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        match self {
            Self::None | Self::Wanted => Vec::new(),
            Self::Impossible(why) => view.wrapped(&format!("Cannot be proven: {why}"), Tone::Suspect, columns),
            Self::Runs(answer) => view.wrapped(&running(answer), Tone::Wave, columns),
            Self::Told(_, ProofTold { verdict, text, notes }) => {
                let tone = match verdict {
                    ProofVerdict::Holds => Tone::Up,
                    ProofVerdict::Fails => Tone::Dead,
                    ProofVerdict::Open => Tone::Suspect,
                };
                let notes = notes.iter().flat_map(|note| view.wrapped(note, Tone::Stale, columns));
                view.wrapped(text, tone, columns).into_iter().chain(notes).collect()
            }
        }
    }
}

/// `Proving: running again without 'cut p7 p8' ..`
fn running(answer: &AskedAnswer) -> String {
    let commands: Vec<String> = answer.commands().iter().map(|command| format!("'{command}'")).collect();
    let without =
        if commands.is_empty() { String::new() } else { format!(" without {}", list_text(&commands, COMMANDS_MAX)) };
    let part = answer.tried_part().map_or_else(String::new, |part| format!(" {part}"));
    format!("Proving{part}: running again{without} ..")
}
