//! How much a remote may send on one link besides gossip.
//!
//! Back-pressure limits gossip: TCP slows a remote that sends more than a node handles. Probes,
//! answers, reports and requests are answered, reported and logged one by one, and an honest node
//! has few to send. So each link has a budget for them. A link that exceeds it is not read until
//! the budget allows it, then reported, then dropped. A driver does the first
//! ([`super::machine::Output::pause`]), on sockets and in virtual time; the machines do the rest.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::addr::Addr;
use super::cx::Cx;
use super::event::{EventKind, LinkEvent, LinkId};
use super::machine::Output;
use super::message::Message;
use super::offenses::Offenses;
use super::time::Time;

/// Such messages that a link may bring, on average. An honest neighbor sends a probe and an answer
/// each liveness interval, and the shortest that can be set is 10 ms: 200 a second. This is twice
/// that.
pub const MESSAGES_A_SECOND: u32 = 400;
/// Such messages that may come at once: ten seconds' worth, which may wait for a node that was
/// stopped for a moment.
pub const BURST: u32 = 4_000;
/// How long a link must exceed its budget to be reported.
pub const TOLD_AFTER: Duration = Duration::from_secs(1);
/// How long a link may exceed its budget although it is read slowly, before it is dropped: no queue
/// of an honest node lasts as long.
pub const DROPPED_AFTER: Duration = Duration::from_secs(5);
/// A link that is not read rests for at least this long, so that a flood does not wake its node for
/// each message.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// What one message costs.
const COST_US: u64 = 1_000_000 / MESSAGES_A_SECOND as u64;
/// What may be spent in advance.
const CREDIT_US: u64 = COST_US * BURST as u64;

/// Reports that a link brings too much, and this message last.
fn told(peer: Addr, message: &Message) -> EventKind {
    EventKind::Link(LinkEvent::Flooding { peer, said: message.kind(), limit: MESSAGES_A_SECOND })
}

/// What becomes of a link that has brought one more message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may go on.
    Within,
    /// It is not read before this.
    Slowed {
        /// When it is read again.
        until: Time,
        /// It has been so for long enough to be reported, and was not reported yet.
        is_news: bool,
    },
    /// It is dropped.
    Exceeded,
}

/// The budget of one link.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    /// When all that was spent is paid for (the generic cell rate algorithm's theoretical arrival
    /// time).
    paid_at: Option<Time>,
    /// Since when it has been exceeded.
    over_since: Option<Time>,
    is_told: bool,
}

/// The owner of a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer {
    pub(super) link: LinkId,
    pub(super) remote: Ipv4Addr,
    /// Once it has named itself.
    pub(super) peer: Option<Addr>,
}

impl Budget {
    /// Whether this link may bring such a message; gossip always. A link that brings too many is read slowly, then
    /// reported; at last it may not.
    pub(super) fn admits(
        &mut self,
        cx: &mut Cx<impl Output, impl Sized>,
        message: &Message,
        bearer: Bearer,
        offenses: &mut Offenses,
    ) -> bool {
        if !message.goes_first() {
            return true;
        }
        match self.spend(cx.now) {
            Verdict::Within => true,
            Verdict::Slowed { until, is_news } => {
                cx.out.pause(bearer.link, until);
                if let Some(peer) = bearer.peer.filter(|_| is_news) {
                    offenses.tell(cx, bearer.remote, || told(peer, message));
                }
                true
            }
            Verdict::Exceeded => false,
        }
    }

    /// More came lately than allowed.
    pub(super) fn is_exceeded(&self) -> bool {
        self.over_since.is_some()
    }

    /// A message came that counts.
    fn spend(&mut self, now: Time) -> Verdict {
        let paid_at = self.paid_at.map_or(now, |at| at.max(now)) + Duration::from_micros(COST_US);
        self.paid_at = Some(paid_at);
        let debt_us = paid_at.micros_since(now);
        if debt_us <= CREDIT_US {
            if debt_us <= CREDIT_US / 2 {
                (self.over_since, self.is_told) = (None, false);
            }
            return Verdict::Within;
        }
        let over_for = now.since(*self.over_since.get_or_insert(now));
        if over_for >= DROPPED_AFTER {
            return Verdict::Exceeded;
        }
        let is_news = over_for >= TOLD_AFTER && !std::mem::replace(&mut self.is_told, true);
        Verdict::Slowed { until: now + Duration::from_micros(debt_us - CREDIT_US).max(PAUSE_MIN), is_news }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spends as fast as the link is read for this long: how many messages got through, and how it
    /// ended.
    fn flood(budget: &mut Budget, mut now: Time, span: Duration) -> (u32, u32, Verdict) {
        let (until, mut count, mut news) = (now + span, 0, 0);
        loop {
            let verdict = budget.spend(now);
            count += 1;
            match verdict {
                Verdict::Within => {}
                Verdict::Slowed { until, is_news } => {
                    news += u32::from(is_news);
                    now = until;
                }
                Verdict::Exceeded => return (count, news, verdict),
            }
            if now >= until {
                return (count, news, verdict);
            }
        }
    }

    #[test]
    fn a_flood_is_slowed_then_told_once_then_dropped() {
        let (count, news, last) = flood(&mut Budget::default(), Time::from_micros(7), Duration::from_secs(60));
        assert_eq!((news, last), (1, Verdict::Exceeded));
        let most = BURST + MESSAGES_A_SECOND * u32::try_from(DROPPED_AFTER.as_secs()).unwrap() + 50;
        assert!((BURST..=most).contains(&count), "{count}");
    }

    #[test]
    fn two_hundred_messages_a_second_are_within_the_budget_for_ever() {
        let mut budget = Budget::default();
        let at = |n: u64| Time::from_micros(n * 5_000);
        assert!((0..100_000).all(|n| budget.spend(at(n)) == Verdict::Within));
    }

    #[test]
    fn who_slows_down_in_time_begins_anew() {
        let mut budget = Budget::default();
        for round in 0..10 {
            let begin = Time::from_micros(round * 60_000_000);
            let (_, news, last) = flood(&mut budget, begin, Duration::from_secs(2));
            assert!(matches!(last, Verdict::Slowed { .. } | Verdict::Within), "{last:?} in round {round}");
            assert_eq!(news, 1);
        }
    }
}
