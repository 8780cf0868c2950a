//! The lives of a node in this process: when it ran, and how each life ended.

use crate::event::NodeState;
use crate::proto::time::Time;

/// Changes that are kept for each node: ten lives and more. For a node that is restarted more
/// often, the last ones matter.
pub const TURNS_MAX: usize = 32;

/// From this time on, the node was in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeChange {
    pub at: Time,
    pub life: NodeState,
}

/// A node's states over time, oldest first; none for a node elsewhere. A node that only ever started
/// has one, and no history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lives {
    now: Option<LifeChange>,
    /// From the second change on: all that are kept, the last one included.
    history: Option<Box<LifeLog>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct LifeLog {
    kept: Vec<LifeChange>,
    forgotten: bool,
}

impl Lives {
    /// The latest change.
    pub const fn now(&self) -> Option<LifeChange> {
        self.now
    }

    /// The changes that are kept, oldest first.
    pub fn turns(&self) -> &[LifeChange] {
        self.history.as_ref().map_or(self.now.as_slice(), |history| &history.kept)
    }

    /// The state at this time, and since when; `None` before the first start, or if it is no longer
    /// kept.
    pub fn at(&self, at: Time) -> Option<LifeChange> {
        self.turns().iter().rev().find(|turn| turn.at <= at).copied()
    }

    /// The first change after this time.
    pub fn after(&self, at: Time) -> Option<LifeChange> {
        self.turns().iter().find(|turn| turn.at > at).copied()
    }

    /// All changes since then are kept.
    pub fn reach_back_to(&self, at: Time) -> bool {
        self.history.as_ref().is_none_or(|history| !history.forgotten) || self.at(at).is_some()
    }

    /// If it ran at this time: since when, without a break.
    pub fn running_since(&self, at: Time) -> Option<Time> {
        self.at(at).filter(|turn| turn.life == NodeState::Runs).map(|turn| turn.at)
    }

    /// It ran from `from` up to, but not including, `until`.
    pub fn ran_throughout(&self, from: Time, until: Time) -> bool {
        self.running_since(from).is_some() && self.after(from).is_none_or(|next| next.at >= until)
    }

    pub(super) fn turn(&mut self, at: Time, life: NodeState) {
        let before = self.now.replace(LifeChange { at, life });
        if before.is_none() || before == self.now {
            return;
        }
        let history =
            self.history.get_or_insert_with(|| Box::new(LifeLog { kept: Vec::from_iter(before), forgotten: false }));
        if history.kept.len() == TURNS_MAX {
            history.kept.remove(0);
            history.forgotten = true;
        }
        history.kept.extend(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    #[test]
    fn an_earlier_life_is_known_after_a_restart() {
        let mut lives = Lives::default();
        for (second, life) in [(10, NodeState::Runs), (20, NodeState::Killed), (30, NodeState::Runs)] {
            lives.turn(at(second), life);
        }
        assert_eq!(lives.at(at(9)), None);
        assert_eq!(lives.running_since(at(15)), Some(at(10)));
        assert_eq!(lives.at(at(25)), Some(LifeChange { at: at(20), life: NodeState::Killed }));
        assert_eq!(lives.after(at(25)), Some(LifeChange { at: at(30), life: NodeState::Runs }));
        assert!(lives.ran_throughout(at(10), at(20)) && !lives.ran_throughout(at(10), at(21)));
        assert!(lives.ran_throughout(at(30), at(99)) && !lives.ran_throughout(at(25), at(26)));
        assert_eq!(lives.running_since(at(99)), Some(at(30)));
    }

    #[test]
    fn what_is_forgotten_is_not_before_the_first_start() {
        let mut lives = Lives::default();
        lives.turn(at(1), NodeState::Runs);
        assert!(lives.reach_back_to(at(0)), "it did not run yet, for certain");
        for second in 2..200 {
            lives.turn(at(second), if second % 2 == 0 { NodeState::Killed } else { NodeState::Runs });
        }
        assert_eq!(lives.turns().len(), TURNS_MAX);
        assert!(!lives.reach_back_to(at(1)) && lives.reach_back_to(at(199)));
    }
}
