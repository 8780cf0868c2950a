//! The limit on connections that have not named themselves, the same for seeds and peers.

use super::config::HALF_OPEN_MAX;
use super::event::{EventKind, LinkId, Rule, Violation};
use super::machine::Output;

/// Turns connections away while too many wait to say hello.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// The last connection was turned away.
    turned_away: bool,
}

impl Crowd {
    /// May this new connection wait beside the `half_open` that wait already? If not it is hung up, and
    /// told of once a burst: who floods us with connections shall not flood the log.
    pub(super) fn admits(&mut self, half_open: usize, link: LinkId, remote: &str, out: &mut impl Output) -> bool {
        let before = std::mem::replace(&mut self.turned_away, half_open >= HALF_OPEN_MAX);
        if self.turned_away {
            if !before {
                let violation = Violation::new(Rule::TooManyLinks, b"");
                out.emit(|| EventKind::Violation { remote: remote.to_owned(), peer: None, violation });
            }
            out.hang_up(link);
        }
        !self.turned_away
    }
}
