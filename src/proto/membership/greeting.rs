//! How a link between two peers begins: who is accepted, who is refused, and which of two links
//! stays (rules 3 and 4).

use super::links::PeerLink;
use super::neighbors::{Neighbor, NeighborOrigin};
use super::policy::{Admission, PolicyInUse, policy};
use super::{Membership, NeighborNews};
use crate::proto::addr::Addr;
use crate::proto::config::REFERRAL_LEN;
use crate::proto::cx::Cx;
use crate::proto::event::{
    ConnectionId, Direction, EventKind, LinkEnd, LinkEvent, LinkId, Omission, Purpose, Rule, Side,
};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{GoodbyeReason, Hello, Message, Priority, RefusalReason, Role};
use crate::proto::random::Topic;

/// Links between one pair in the classic dialect: each side may have dialed, and a restarted node
/// may dial again before the end of its old link is noticed.
const LINKS_PER_PAIR_MAX: usize = 4;

impl Membership {
    pub(super) fn on_neighbor_dialed(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr) {
        let dialect = cx.config.dialect;
        if !self.candidates.end_dial(peer) || (dialect.may_close() && self.neighbors.has(peer)) {
            // It dialed us meanwhile, and that link stays.
            self.links.remove(link);
            if !dialect.may_close() {
                // A Python node takes the first bytes for an address, and dies if the connection
                // ends instead.
                cx.out.send(link, &self.hello(cx));
            }
            return cx.out.hang_up(link);
        }
        let is_bridge = self.candidates.bridge == Some(peer);
        let priority = if is_bridge { Priority::Bridge } else { self.priority() };
        cx.out.send(link, &Message::Hello(Hello { listen: cx.config.listen, role: Role::Peer, priority }));
        if !dialect.answers_hello() {
            self.await_word(cx, link, peer);
        }
    }

    /// The first message on a link between peers.
    pub(super) fn on_neighbor_greeting(&mut self, cx: &mut Cx<impl Output>, link: LinkId, message: Message) {
        let Some(open) = self.links.get(link) else { return };
        let said = message.name();
        match (open.direction, open.peer, message) {
            (Direction::Inbound, _, Message::Hello(hello)) => self.on_joiner(cx, link, hello),
            (Direction::Outbound, Some(peer), Message::Hello(hello)) => {
                self.on_accepted_by(cx, link, peer, hello);
            }
            (Direction::Outbound, Some(peer), Message::Refusal { reason, referral }) => {
                self.on_refused(cx, link, peer, reason, referral);
            }
            (Direction::Outbound, Some(peer), Message::Goodbye { reason, referral }) => {
                self.on_turned_down(cx, link, peer, reason, &referral);
            }
            (Direction::Inbound, _, Message::Goodbye { .. }) => {
                // It had dialed as we dialed it, and gives way.
                self.links.remove(link);
                cx.out.hang_up(link);
            }
            (_, _, _) => self.protocol_violation(cx, link, Rule::HelloExpected, said),
        }
    }

    /// The peer that we dialed says goodbye before it has accepted the link.
    fn on_turned_down(
        &mut self,
        cx: &mut Cx<impl Output>,
        link: LinkId,
        peer: Addr,
        reason: GoodbyeReason,
        referral: &[Addr],
    ) {
        self.links.remove(link);
        cx.out.hang_up(link);
        self.learn_referral(cx, referral);
        self.candidates.avoid(cx, peer);
        match reason {
            // Its own dial is the link that stays.
            GoodbyeReason::Duplicate => {}
            GoodbyeReason::Leaving | GoodbyeReason::MadeRoom | GoodbyeReason::Replaced => {
                self.candidates.give_up_bridge(peer);
                let connection = cx.out.connection(link, peer);
                cx.out.emit(|| LinkEvent::HandshakeFailed { remote: peer, peer: Some(peer), connection });
            }
        }
        self.repair.try_next(cx);
    }

    /// A joiner wants to be our neighbor.
    pub(super) fn on_joiner(&mut self, cx: &mut Cx<impl Output>, link: LinkId, hello: Hello) {
        let peer = hello.listen;
        if !self.can_be_named(cx, link, peer) {
            return self.protocol_violation(cx, link, Rule::BadAddress, &peer.to_string());
        }
        if cx.config.dialect.answers_hello() && hello.role == Role::Seed && cx.config.has_seed(peer) {
            return self.tell_seed(cx, link);
        }
        if let Some(reason) = self.objection(cx, hello) {
            return self.refuse(cx, link, peer, reason);
        }
        let links = self.neighbors.get(peer).map_or(0, |neighbor| neighbor.links.len());
        if links >= LINKS_PER_PAIR_MAX {
            return self.protocol_violation(cx, link, Rule::TooManyLinks, &peer.to_string());
        }
        if cx.config.dialect.may_close() && !self.settle_double(cx, link, hello) {
            return;
        }
        let admission = match links {
            0 => policy!(self, it => it.admit(cx, &self.neighbors, hello.priority)),
            _ => Admission::WELCOME,
        };
        if let Some(other) = admission.in_place_of {
            self.give_up(cx, other);
        }
        let Some(entry) = admission.entry else { return self.refuse(cx, link, peer, RefusalReason::Full) };
        let answers_hello = cx.config.dialect.answers_hello();
        if answers_hello {
            cx.out.send(link, &self.hello(cx));
        }
        self.add_neighbor(cx, link, peer, entry, hello.priority);
        if !answers_hello {
            self.news.push(NeighborNews::Greeted { peer, link });
        }
    }

    /// Gives up a neighbor, so that another one has room.
    pub(super) fn give_up(&mut self, cx: &mut Cx<impl Output>, peer: Addr) {
        let reason = GoodbyeReason::MadeRoom;
        let referral = self.referral(cx, peer);
        if let Some(link) = self.link_of(peer) {
            cx.out.send(link, &Message::Goodbye { reason, referral });
        }
        self.candidates.avoid(cx, peer);
        self.part(cx, peer, LinkEnd::Goodbye { side: Side::Us, reason });
    }

    /// Some of our neighbors, for a node that looks for one; first those that said they have room.
    fn referral<O>(&self, cx: &mut Cx<O>, asker: Addr) -> Vec<Addr> {
        let is_full = |neighbor: &&Neighbor| neighbor.degree.is_none() || neighbor.has_degree(cx.config.max_neighbors);
        let others = self.neighbors.iter().filter(|neighbor| neighbor.addr != asker);
        let (full, with_room): (Vec<&Neighbor>, Vec<&Neighbor>) = others.partition(is_full);
        let [with_room, full] = [with_room, full].map(|some| some.iter().map(|one| one.addr).collect::<Vec<_>>());
        let mut random = cx.chance.next(Topic::Referral);
        let mut referral = random.sample(&with_room, REFERRAL_LEN);
        let rest = REFERRAL_LEN - referral.len();
        referral.extend(random.sample(&full, rest));
        referral
    }

    /// One of our seeds dials us to see that we listen where we say. It wants to know no more.
    fn tell_seed(&mut self, cx: &mut Cx<impl Output>, link: LinkId) {
        self.links.remove(link);
        cx.out.send(link, &self.hello(cx));
        cx.out.hang_up(link);
    }

    /// Whether the remote of this link could listen there.
    fn can_be_named<O>(&self, cx: &Cx<O>, link: LinkId, peer: Addr) -> bool {
        let from = self.links.get(link).map(|open| open.remote.ip());
        let reach = &cx.config.reach;
        peer.is_dialable() && from.is_some_and(|from| reach.can_be_named(cx.config.listen, from, peer))
    }

    fn objection<O>(&self, cx: &Cx<O>, hello: Hello) -> Option<RefusalReason> {
        if hello.listen == cx.config.listen {
            Some(RefusalReason::Myself)
        } else if hello.role == Role::Seed || cx.config.has_seed(hello.listen) {
            // As a neighbor, a seed would be reported dead when that link breaks.
            Some(RefusalReason::WrongRole)
        } else if self.candidates.cut.contains(&hello.listen) {
            Some(RefusalReason::Cut)
        } else {
            None
        }
    }

    fn refuse(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr, reason: RefusalReason) {
        let referral = match reason {
            RefusalReason::Full => self.referral(cx, peer),
            RefusalReason::Cut | RefusalReason::Myself | RefusalReason::WrongRole => Vec::new(),
        };
        let open = self.links.remove(link);
        cx.out.send(link, &Message::Refusal { reason, referral: referral.clone() });
        cx.out.hang_up(link);
        let connection = cx.out.connection(link, peer);
        let event = || EventKind::Link(LinkEvent::Refused { peer, by: Side::Us, reason, referral, connection });
        match (reason, open.filter(|open| open.direction == Direction::Inbound)) {
            (RefusalReason::Myself | RefusalReason::WrongRole, Some(open)) => {
                self.offenses.tell(cx, open.remote.ip(), event);
            }
            // These are part of the protocol, and of the overlay's story.
            (RefusalReason::Full | RefusalReason::Cut, Some(open)) => {
                self.visits.tell(cx, open.remote.ip(), Omission::Refusals, event);
            }
            (_, None) => cx.out.emit(event),
        }
    }

    /// Two links between one pair become one: the one that the lower address dialed. True if the
    /// new one stays; one that would replace a link that is up must wait.
    fn settle_double(&mut self, cx: &mut Cx<impl Output>, link: LinkId, hello: Hello) -> bool {
        let peer = hello.listen;
        let ours = |open: &PeerLink| {
            open.peer == Some(peer) && open.direction == Direction::Outbound && open.purpose == Purpose::Neighbor
        };
        let dialed = self.links.iter().find(|(_, open)| ours(open)).map(|(link, _)| link);
        let ours_stands = dialed.is_some() && cx.config.listen < peer;
        if ours_stands {
            self.dismiss(cx, link);
        } else if self.neighbors.has(peer) {
            self.contest(cx, link, hello);
            return false;
        } else if let Some(dialed) = dialed {
            self.dismiss(cx, dialed);
        }
        !ours_stands
    }

    /// Closes a connection that another one between the same two nodes makes superfluous.
    fn dismiss(&mut self, cx: &mut Cx<impl Output>, link: LinkId) {
        self.links.remove(link);
        cx.out.send(link, &Message::Goodbye { reason: GoodbyeReason::Duplicate, referral: Vec::new() });
        cx.out.hang_up(link);
    }

    /// The peer that we dialed has accepted the link.
    fn on_accepted_by(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr, hello: Hello) {
        // Except for its priority, a hello that comes back is judged like one that comes in.
        if let Some(reason) = self.objection(cx, hello) {
            self.candidates.lose(cx, peer);
            return self.refuse(cx, link, peer, reason);
        }
        if self.neighbors.has(peer) {
            return self.dismiss(cx, link);
        }
        self.add_neighbor(cx, link, peer, NeighborOrigin::Dialed, hello.priority);
    }

    fn on_refused(
        &mut self,
        cx: &mut Cx<impl Output>,
        link: LinkId,
        peer: Addr,
        reason: RefusalReason,
        referral: Vec<Addr>,
    ) {
        self.links.remove(link);
        cx.out.hang_up(link);
        self.candidates.avoid(cx, peer);
        self.candidates.give_up_bridge(peer);
        if reason != RefusalReason::Full {
            self.candidates.lose(cx, peer);
        }
        self.learn_referral(cx, &referral);
        let connection = cx.out.connection(link, peer);
        cx.out.emit(|| LinkEvent::Refused { peer, by: Side::Them, reason, referral, connection });
        self.repair.try_next(cx);
    }

    /// A connection closed before it became a link.
    pub(super) fn on_opening_closed(
        &mut self,
        cx: &mut Cx<impl Output>,
        (peer, connection): (Addr, Option<ConnectionId>),
        open: &PeerLink,
        cause: &CloseCause,
    ) {
        self.candidates.lose(cx, peer);
        if cause.is_plain_end() {
            let remote = open.remote;
            cx.out.emit(|| LinkEvent::HandshakeFailed { remote, peer: Some(peer), connection });
        }
        self.repair.try_next(cx);
    }
}
