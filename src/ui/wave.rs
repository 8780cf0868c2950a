//! The wave: the message whose spread is shown, and how much of it.
//!
//! It is the message chosen in the gossip log, or else the newest one, for long enough to be seen.
//! A message of the user is followed for longer, and any message can be replayed slowly.

use std::time::Duration;

use crate::model::node::NodeRecords;
use crate::model::rumor::ForeignCopy;
use crate::model::rumor::{Counting, MessageCopy, Rumor};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// How long a message is followed before a newer one takes its place: time for a glance.
const GLANCE: Duration = Duration::from_millis(1_500);
/// How long a message of the user is followed: time to see where it went and to ask about it.
const OWN_GLANCE: Duration = Duration::from_secs(10);
/// How long a message that a peer lacks stays the one to ask about: time to read its name and press
/// the key.
const NAMED_FOR: Duration = Duration::from_secs(5);
/// How long the user's message may take to begin.
const BEGINS_WITHIN: Duration = Duration::from_secs(3);
/// Messages among which it is searched: many more than come between two pictures.
const LATEST_MAX: usize = 256;
/// How long a replay takes: a second, and one more for each hop, within these bounds.
const HOP_TIME: Duration = Duration::from_secs(1);
const SHOWING_MIN: Duration = Duration::from_secs(3);
const SHOWING_MAX: Duration = Duration::from_secs(8);
/// How long the end of a replay stays.
const LINGER: Duration = Duration::from_millis(1_500);
/// Time between two pictures of a replay.
const PICTURE_TIME: Duration = Duration::from_millis(40);

/// Which message is shown, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WaveView {
    pub(crate) id: MessageId,
    pub(crate) kind: WaveKind,
}

/// Why it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum WaveKind {
    /// It is the newest, or was a moment ago.
    Newest,
    /// The user chose it, or sent it.
    Chosen,
    /// It is replayed, and this much of it is done, from 0 to 1.
    Again(f64),
}

impl WaveView {
    /// How much of the spread is shown, from 0 to 1.
    pub(crate) fn so_far(self) -> f64 {
        match self.kind {
            WaveKind::Newest | WaveKind::Chosen => 1.0,
            WaveKind::Again(so_far) => so_far,
        }
    }
}

/// Which message is followed, and which one is replayed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waves {
    followed: Option<FollowedMessage>,
    said: Option<SaidMessage>,
    again: Option<Again>,
    named: Option<NamedMessage>,
    /// When another message takes the place of one that is held.
    held_until: Option<Time>,
}

/// A message that the footer names because a peer lacks it.
#[derive(Debug, Clone, Copy)]
struct NamedMessage {
    id: MessageId,
    since: Time,
}

impl NamedMessage {
    /// It has not been read yet, and a peer still lacks it.
    fn is_held(&self, model: &Model, now: Time) -> bool {
        let lacks = |rumor: &Rumor| !rumor.coverage(model.nodes(), Counting::HadTime).is_full();
        let is_new = self.since <= now && now.since(self.since) < NAMED_FOR;
        is_new && model.rumors().get(self.id).is_some_and(lacks)
    }
}

/// A message that is followed.
#[derive(Debug, Clone, Copy)]
struct FollowedMessage {
    id: MessageId,
    since: Time,
    whose: Author,
}

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    User,
    Network,
}

impl FollowedMessage {
    const fn glance(&self) -> Duration {
        match self.whose {
            Author::User => OWN_GLANCE,
            Author::Network => GLANCE,
        }
    }

    /// It has not been seen yet.
    fn is_held(&self, model: &Model, now: Time) -> bool {
        now.since(self.since) < self.glance() && model.rumors().get(self.id).is_some()
    }
}

/// A message of the user, until it begins.
#[derive(Debug, Clone)]
struct SaidMessage {
    origin: Addr,
    body: Body,
    /// The network's time then.
    at: Time,
}

/// A message that is replayed.
#[derive(Debug, Clone, Copy)]
struct Again {
    id: MessageId,
    began: Time,
    lasts: Duration,
}

impl Waves {
    /// The user makes this peer send this: it is the message to follow when it begins. The time is
    /// the network's, which may be behind the user's.
    pub(crate) fn look_out_for(&mut self, origin: Addr, body: Body, network_now: Time) {
        self.said = Some(SaidMessage { origin, body, at: network_now });
    }

    /// Follows the user's message, else the newest one, unless the one before has not been seen
    /// yet.
    pub(crate) fn follow(&mut self, model: &Model, now: Time) {
        self.held_until = None;
        self.name(model, now);
        if let Some(id) = self.begun(model) {
            self.said = None;
            self.followed = Some(FollowedMessage { id, since: now, whose: Author::User });
        }
        let newest = model.latest_rumor().map(|rumor| rumor.id);
        if let Some(followed) = self.followed.filter(|followed| followed.is_held(model, now)) {
            self.hold(newest.filter(|newest| *newest != followed.id).map(|_| followed.since + followed.glance()));
            return;
        }
        let is_newest = |followed: &FollowedMessage| newest == Some(followed.id) && followed.whose == Author::Network;
        let anew = newest.map(|id| FollowedMessage { id, since: now, whose: Author::Network });
        self.followed = self.followed.filter(is_newest).or(anew);
    }

    /// Something is held until then.
    fn hold(&mut self, until: Option<Time>) {
        self.held_until = self.held_until.into_iter().chain(until).min();
    }

    /// While messages get lost all the time, the latest one changes every second: the one that is
    /// named stays for a while.
    fn name(&mut self, model: &Model, now: Time) {
        let latest = model.warnings().unreached();
        let held = self.named.filter(|named| latest.is_some() && named.is_held(model, now));
        self.hold(held.filter(|held| latest != Some(held.id)).map(|held| held.since + NAMED_FOR));
        self.named = held.or(latest.map(|id| NamedMessage { id, since: now }));
    }

    /// The message that the footer names because a peer lacks it.
    pub(crate) fn lacked(&self) -> Option<MessageId> {
        self.named.map(|named| named.id)
    }

    /// The user's message, if it has begun.
    fn begun(&mut self, model: &Model) -> Option<MessageId> {
        self.said.take_if(|said| model.now().since(said.at) > BEGINS_WITHIN);
        let said = self.said.as_ref()?;
        let is_it = |rumor: &&Rumor| rumor.id.origin == said.origin && rumor.body == said.body;
        let latest = model.rumors().ring().iter().rev().take(LATEST_MAX).map(|(_, rumor)| rumor);
        latest.filter(|rumor| rumor.began() + GLANCE >= said.at).find(is_it).map(|rumor| rumor.id)
    }

    /// A message is followed.
    pub(crate) fn follows(&self) -> bool {
        self.followed.is_some()
    }

    /// What is shown when this message is chosen, or none.
    pub(crate) fn current(&self, chosen: Option<MessageId>, now: Time) -> Option<WaveView> {
        if let Some(again) = self.again {
            let so_far = now.since(again.began).as_secs_f64() / again.lasts.as_secs_f64();
            return Some(WaveView { id: again.id, kind: WaveKind::Again(so_far.min(1.0)) });
        }
        let chosen = chosen.map(|id| WaveView { id, kind: WaveKind::Chosen });
        let kind = |whose| match whose {
            Author::User => WaveKind::Chosen,
            Author::Network => WaveKind::Newest,
        };
        chosen.or_else(|| self.followed.map(|followed| WaveView { id: followed.id, kind: kind(followed.whose) }))
    }

    /// Replays this message from now on.
    pub(crate) fn show_again(&mut self, rumor: &Rumor, now: Time) {
        let lasts = (HOP_TIME * u32::from(rumor.hop_max) + HOP_TIME).clamp(SHOWING_MIN, SHOWING_MAX);
        self.again = Some(Again { id: rumor.id, began: now, lasts });
    }

    /// Which message is replayed, for how long already, and how long it takes.
    pub(crate) fn again(&self, now: Time) -> Option<(MessageId, Duration, Duration)> {
        self.again.map(|again| (again.id, now.since(again.began).min(again.lasts), again.lasts))
    }

    /// Ends the replay. Returns whether there was one.
    pub(crate) fn stop(&mut self) -> bool {
        self.again.take().is_some()
    }

    /// Time has passed. Returns whether the picture has changed.
    pub(crate) fn tick(&mut self, now: Time) -> bool {
        let is_shown = self.again.is_some();
        self.again = self.again.filter(|again| now.since(again.began) < again.lasts + LINGER);
        self.held_until.take_if(|until| *until <= now).is_some() || is_shown
    }

    /// When the picture changes with time: a replay goes on, or a message that was held gives way.
    pub(crate) fn next_tick(&self, now: Time) -> Option<Time> {
        let replay = self.again.map(|again| {
            let end = again.began + again.lasts;
            // The last picture stays as it is until it goes.
            if now < end { now + PICTURE_TIME } else { end + LINGER }
        });
        replay.into_iter().chain(self.held_until).min()
    }
}

/// Which message to ask about, and what there is to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaveQuestion {
    /// Who has it.
    Has(MessageId),
    /// Who lacks it: it should have reached everybody by now, and did not.
    Lacks(MessageId),
}

impl WaveQuestion {
    pub(crate) const fn id(self) -> MessageId {
        match self {
            Self::Has(id) | Self::Lacks(id) => id,
        }
    }
}

/// The path of a message: who has it, from whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct MessagePath {
    arrivals: Map<Addr, NodeArrival>,
}

/// How a message came to one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NodeArrival {
    /// Links that it had crossed; unknown if the dialect does not carry it.
    pub(crate) hop: Option<u16>,
    /// The neighbor that sent it; `None` at the origin, and unknown for a node elsewhere.
    pub(crate) from: Option<Addr>,
    /// When, from 0 at the first node to 1 at the last.
    pub(crate) when: f64,
}

impl MessagePath {
    /// In order of arrival. A node of another process has the messages that it sent to one of ours.
    ///
    /// Half of `when` is time and half is order: a straggler does not squeeze all others together,
    /// and a later arrival is still shown later.
    pub(crate) fn of(rumor: &Rumor, nodes: &NodeRecords) -> Self {
        let mut copies: Vec<(Addr, MessageCopy)> = rumor.copies.iter().map(|(addr, copy)| (*addr, *copy)).collect();
        copies.sort_by_key(|(_, copy)| copy.at);
        let (Some((_, first)), Some((_, last))) = (copies.first(), copies.last()) else { return Self::default() };
        let (begin, span) = (first.at, last.at.since(first.at).as_secs_f64());
        let whole = f64::from(u32::try_from(copies.len() - 1).unwrap_or(u32::MAX)).max(1.0);
        let mut way = Self::default();
        for (order, (addr, copy)) in (0_u32..).zip(&copies) {
            let time = if span > 0.0 { copy.at.since(begin).as_secs_f64() / span } else { f64::from(order) / whole };
            let when = f64::midpoint(time, f64::from(order) / whole);
            if let Some(from) = copy.from.filter(|from| !rumor.copies.contains_key(from)) {
                let hop = copy.hops().and_then(|hop| hop.checked_sub(1));
                way.arrivals.entry(from).or_insert(NodeArrival { hop, from: None, when });
            }
            way.arrivals.insert(*addr, NodeArrival { hop: copy.hops(), from: copy.from, when });
        }
        rumor.elsewhere(nodes).for_each(|(node, proof)| way.leads_over(node, proof, begin, span));
        way
    }

    /// A node elsewhere that forwarded the message is part of its path: it got it at some time
    /// between the node that sent it there, as far as known, and its own copy to one of ours.
    fn leads_over(&mut self, node: Addr, proof: ForeignCopy, begin: Time, span: f64) {
        let at = if span > 0.0 { (proof.at.since(begin).as_secs_f64() / span).min(1.0) } else { 1.0 };
        let begins = proof.perhaps_from.and_then(|from| self.arrivals.get(&from)).copied();
        let arrival = self.arrivals.entry(node).or_insert(NodeArrival { hop: None, from: None, when: at });
        let Some(sender) = begins else { return };
        arrival.from = proof.perhaps_from;
        arrival.when = f64::midpoint(sender.when, arrival.when);
        arrival.hop = arrival.hop.or(sender.hop.and_then(|hop| hop.checked_add(1)));
    }

    /// How the message came to this node, if it had it by then.
    pub(crate) fn arrival(&self, addr: Addr, so_far: f64) -> Option<NodeArrival> {
        self.arrivals.get(&addr).copied().filter(|arrival| arrival.when <= so_far)
    }

    /// Each hop: from whom to whom, and how much of it is done, from 0 to 1.
    pub(crate) fn hops(&self, so_far: f64) -> impl Iterator<Item = (Addr, Addr, f64)> {
        self.arrivals.iter().filter_map(move |(to, arrival)| {
            let from = arrival.from?;
            let begins = self.arrivals.get(&from).map_or(0.0, |sender| sender.when);
            let takes = (arrival.when - begins).max(f64::EPSILON);
            let done = if arrival.when <= so_far { 1.0 } else { ((so_far - begins) / takes).clamp(0.0, 1.0) };
            (done > 0.0).then_some((from, *to, done))
        })
    }

    /// The number of nodes that have it, and the most links that it had crossed to one of them.
    pub(crate) fn reached(&self, rumor: &Rumor, so_far: f64) -> (usize, u16) {
        let have = |addr: &&Addr| self.arrival(**addr, so_far).is_some();
        let hop =
            self.arrivals.values().filter(|arrival| arrival.when <= so_far).filter_map(|arrival| arrival.hop).max();
        (rumor.copies.keys().filter(have).count(), hop.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventKind, GossipEvent};
    use crate::proto::message::Trace;

    fn addr(number: u16) -> Addr {
        Addr::loopback(3000 + number)
    }

    fn at(millis: u64) -> Time {
        Time::from_micros(1_000_000 + millis * 1_000)
    }

    /// Node 0 sends it; 1 gets it from 0 after 2 ms, 2 from 1 after 10 ms, 3 from elsewhere after
    /// 10 s.
    fn told() -> Model {
        let mut model = Model::new();
        let id = MessageId { origin: addr(0), run: 1, seq: 1 };
        let trace = |hop| Some(Trace { sent: at(0), hop });
        let begins = EventKind::Gossip(GossipEvent::Generated { id, body: "hi".into(), trace: trace(0), forwarded: 1 });
        model.apply(&Event { at: at(0), node: addr(0), kind: begins });
        for (millis, from, to, hop) in [(2, 0, 1, 1), (10, 1, 2, 2), (10_000, 9, 3, 7)] {
            let from = addr(from);
            let kind = EventKind::Gossip(GossipEvent::Received {
                id,
                from,
                body: "hi".into(),
                trace: trace(hop),
                forwarded: 1,
            });
            model.apply(&Event { at: at(millis), node: addr(to), kind });
        }
        model
    }

    fn has(way: &MessagePath, so_far: f64) -> Vec<u16> {
        (0..10).filter(|number| way.arrival(addr(*number), so_far).is_some()).collect()
    }

    #[test]
    fn arrivals_show_in_order_and_a_straggler_squeezes_nobody() {
        let model = told();
        let rumor = model.latest_rumor().unwrap();
        let way = MessagePath::of(rumor, model.nodes());
        assert_eq!(has(&way, 0.0), [0]);
        assert_eq!(has(&way, 0.2), [0, 1]);
        assert_eq!(has(&way, 0.5), [0, 1, 2]);
        assert_eq!(has(&way, 1.0), [0, 1, 2, 3, 9], "node 9 has what it sent");
        assert_eq!([way.reached(rumor, 0.2), way.reached(rumor, 1.0)], [(2, 1), (4, 7)]);
    }

    #[test]
    fn a_hop_is_under_way_before_it_arrives() {
        let model = told();
        let way = MessagePath::of(model.latest_rumor().unwrap(), model.nodes());
        let hops: Vec<_> = way.hops(0.1).collect();
        assert_eq!(hops.len(), 1);
        assert_eq!((hops[0].0, hops[0].1), (addr(0), addr(1)));
        assert!(hops[0].2 > 0.1 && hops[0].2 < 1.0, "{hops:?}");
        assert!(way.hops(1.0).all(|(.., done)| done >= 1.0));
    }

    #[test]
    fn a_newer_message_waits_until_the_one_before_was_seen() {
        let mut model = told();
        let mut waves = Waves::default();
        waves.follow(&model, at(0));
        let first = waves.current(None, at(0)).unwrap();
        let id = MessageId { origin: addr(1), run: 1, seq: 1 };
        let kind = EventKind::Gossip(GossipEvent::Generated { id, body: "new".into(), trace: None, forwarded: 1 });
        model.apply(&Event { at: at(20_000), node: addr(1), kind });
        waves.follow(&model, at(1_000));
        assert_eq!(waves.current(None, at(1_000)), Some(first));
        waves.follow(&model, at(1_600));
        assert_eq!(waves.current(None, at(1_600)).map(|wave| wave.id), Some(id));
        assert_eq!(waves.current(Some(first.id), at(1_600)).map(|wave| wave.kind), Some(WaveKind::Chosen));
    }

    #[test]
    fn what_the_user_says_is_followed_for_longer_than_the_rest() {
        let mut model = told();
        let mut waves = Waves::default();
        let say = |model: &mut Model, number: u16, body: &str, millis| {
            let id = MessageId { origin: addr(number), run: 1, seq: millis };
            let kind = EventKind::Gossip(GossipEvent::Generated { id, body: body.into(), trace: None, forwarded: 1 });
            model.apply(&Event { at: at(millis), node: addr(number), kind });
            id
        };
        waves.look_out_for(addr(2), "mine".into(), at(20_000));
        say(&mut model, 1, "another", 20_010);
        waves.follow(&model, at(20_020));
        let mine = say(&mut model, 2, "mine", 20_030);
        say(&mut model, 3, "another", 20_040);
        for millis in [20_050, 25_000, 30_000] {
            say(&mut model, 4, "another", millis);
            waves.follow(&model, at(millis));
            let wave = WaveView { id: mine, kind: WaveKind::Chosen };
            assert_eq!(waves.current(None, at(millis)), Some(wave), "{millis}");
        }
        waves.follow(&model, at(30_060));
        assert_eq!(waves.current(None, at(30_060)).map(|wave| wave.kind), Some(WaveKind::Newest));
    }

    #[test]
    fn a_replay_moves_on_ends_by_itself_and_then_costs_nothing() {
        let model = told();
        let mut waves = Waves::default();
        assert_eq!(waves.next_tick(at(0)), None);
        waves.show_again(model.latest_rumor().unwrap(), at(0));
        assert!(waves.tick(at(2_000)) && waves.next_tick(at(2_000)).is_some());
        let middle = waves.current(None, at(2_000)).unwrap().so_far();
        assert!(middle > 0.2 && middle < 0.3, "{middle}");
        assert!(waves.tick(at(60_000)), "the last picture goes");
        assert!(!waves.tick(at(60_001)));
        assert_eq!((waves.next_tick(at(60_001)), waves.stop()), (None, false));
    }
}
