//! Which ids of its own a node has used, so that it can detect a forgery in its name.
//!
//! A node numbers its messages one by one, and a run begins when the node starts. A stranger that
//! hears one message knows the next id, and could send it first: the network would then take the
//! node's own message for a copy. A node that hears an id of its own that it has not used begins a
//! new run, which nobody can have used.

use smallvec::SmallVec;

use crate::proto::message::MessageId;

/// Runs of this life that are remembered. Older ids are treated as those of an earlier life, which
/// is what they are to everybody else. A run ends with a forgery and a message of the node after
/// it, so this is minutes under attack.
const RUNS_MAX: usize = 16;

/// How many ids were used.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    generated: u64,
    said: u64,
}

#[derive(Debug)]
struct OwnRun {
    number: u64,
    /// Ids used before it began.
    before: Given,
}

/// The node's own ids: see the module.
#[derive(Debug, Default)]
pub(super) struct OwnIds {
    /// The latest last.
    runs: SmallVec<[OwnRun; 1]>,
    given: Given,
    /// The latest run must not be used any more.
    compromised: bool,
}

/// What a framed message in this node's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnId {
    /// Sent in this life; this is a copy of it.
    Echo,
    /// Sent in an earlier life, as far as can be told.
    EarlierLife,
    /// Never sent by this node.
    Forged,
}

impl OwnIds {
    /// Begins a run named by this moment, in microseconds; later than all before it, whatever the
    /// clock does.
    pub(super) fn begin_run(&mut self, now_us: u64) {
        let number = self.runs.last().map_or(now_us, |last| now_us.max(last.number.saturating_add(1)));
        if self.runs.len() == RUNS_MAX {
            self.runs.remove(0);
        }
        self.runs.push(OwnRun { number, before: self.given });
        self.compromised = false;
    }

    /// The run of the next message.
    pub(super) fn run(&mut self, now_us: u64) -> u64 {
        if self.compromised || self.runs.is_empty() {
            self.begin_run(now_us);
        }
        self.runs.last().map_or(now_us, |run| run.number)
    }

    /// Generated messages so far.
    pub(super) const fn generated(&self) -> u64 {
        self.given.generated
    }

    /// Texts of the user so far.
    pub(super) const fn said(&self) -> u64 {
        self.given.said
    }

    pub(super) fn count_generated(&mut self) {
        self.given.generated += 1;
    }

    pub(super) fn count_said(&mut self) {
        self.given.said += 1;
    }

    /// What this message in our name is. After a forgery the next message begins a new run.
    pub(super) fn judge(&mut self, id: MessageId) -> OwnId {
        if self.runs.first().is_none_or(|oldest| id.run < oldest.number) {
            return OwnId::EarlierLife;
        }
        if self.is_given(id) {
            return OwnId::Echo;
        }
        // A number of an earlier run takes none of ours.
        self.compromised |= self.runs.last().is_some_and(|latest| id.run >= latest.number);
        OwnId::Forged
    }

    fn is_given(&self, id: MessageId) -> bool {
        let Some(at) = self.runs.iter().position(|run| run.number == id.run) else { return false };
        let (before, until) = (self.runs[at].before, self.runs.get(at + 1).map_or(self.given, |next| next.before));
        match id.number() {
            Some(number) => before.generated < number && number <= until.generated,
            None => id.text_number().is_some_and(|nth| before.said < nth && nth <= until.said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;

    fn id(run: u64, seq: u64) -> MessageId {
        MessageId { origin: Addr::loopback(1), run, seq }
    }

    #[test]
    fn an_own_id_is_an_echo_once_given_out_and_a_forgery_before() {
        let mut ids = OwnIds::default();
        ids.begin_run(1_000);
        ids.count_generated();
        ids.count_said();
        assert_eq!(ids.judge(id(1_000, 1)), OwnId::Echo);
        assert_eq!(ids.judge(id(1_000, MessageId::own_text(1))), OwnId::Echo);
        assert_eq!(ids.judge(id(999, 7)), OwnId::EarlierLife);
        assert_eq!(ids.run(2_000), 1_000, "none of these is a reason for a new run");
        for (run, seq) in [(1_000, 0), (1_000, 2), (1_000, MessageId::own_text(2)), (1_001, 1)] {
            assert_eq!(ids.judge(id(run, seq)), OwnId::Forged, "{run} {seq}");
        }
    }

    #[test]
    fn after_a_forgery_a_new_run_goes_on_with_the_next_number() {
        let mut ids = OwnIds::default();
        ids.begin_run(1_000);
        ids.count_generated();
        assert_eq!(ids.judge(id(1_000, 2)), OwnId::Forged);
        assert_eq!(ids.run(900), 1_001, "later than the run before, though the clock went back");
        ids.count_generated();
        assert_eq!(ids.judge(id(1_000, 1)), OwnId::Echo, "of the run before");
        assert_eq!(ids.judge(id(1_001, 2)), OwnId::Echo);
        assert_eq!(ids.judge(id(1_000, 2)), OwnId::Forged, "a late copy of the forgery");
        assert_eq!(ids.judge(id(1_001, 1)), OwnId::Forged, "this number belongs to the run before");
    }

    #[test]
    fn however_many_forgeries_come_a_few_runs_are_remembered() {
        let mut ids = OwnIds::default();
        for at in 0..10_000 {
            let run = ids.run(at);
            ids.count_generated();
            assert_eq!(ids.judge(id(run, u64::MAX >> 1)), OwnId::Forged);
        }
        assert_eq!(ids.runs.len(), RUNS_MAX);
    }
}
