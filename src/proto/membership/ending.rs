//! How links end: closed by the other side, for breaking a rule, by a death, or because we part.

use super::links::{PeerLink, Stage};
use super::reserve::AddressSource;
use super::{Membership, NeighborNews};
use crate::proto::addr::Addr;
use crate::proto::cx::Cx;
use crate::proto::event::{
    ConnectionId, DeathEvent, Direction, EventKind, LinkEnd, LinkEvent, LinkId, Purpose, Rule, Side, Violation,
};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{DeathCause, Dialect, GoodbyeReason, ProbeId};
use crate::proto::time::Time;

impl Membership {
    /// The remote broke a rule: reports it and closes the link.
    pub(super) fn protocol_violation(&mut self, cx: &mut Cx<impl Output>, link: LinkId, rule: Rule, said: &str) {
        cx.out.hang_up(link);
        self.on_closed(cx, link, &CloseCause::Violation(Violation::new(rule, said.as_bytes())));
    }

    /// The driver closed a connection at once.
    pub(in crate::proto) fn on_rejected(&mut self, cx: &mut Cx<impl Output>, remote: Addr, rule: Rule) {
        self.tell_violation(cx, (remote, None), Violation::new(rule, b""), None);
    }

    fn tell_violation(
        &mut self,
        cx: &mut Cx<impl Output>,
        (remote, peer): (Addr, Option<Addr>),
        violation: Violation,
        connection: Option<ConnectionId>,
    ) {
        let event = || EventKind::Link(LinkEvent::Violation { remote, peer, violation, connection });
        self.offenses.tell(cx, remote.ip(), event);
    }

    pub(in crate::proto) fn on_closed(&mut self, cx: &mut Cx<impl Output>, link: LinkId, cause: &CloseCause) {
        let Some(open) = self.links.remove(link) else { return };
        let connection = open.connection(cx.out, link);
        if cause.is_answered() {
            self.answer_stranger(cx, link, &open);
        }
        match cause {
            CloseCause::Violation(violation) => {
                self.tell_violation(cx, (open.remote, open.peer), violation.clone(), connection);
            }
            CloseCause::OtherDialect { speaks, named } => {
                self.tell_other_dialect(cx, &open, (*speaks, *named), connection);
            }
            CloseCause::EndOfStream | CloseCause::Error | CloseCause::TooSlow => {}
        }
        let Some(peer) = open.peer else { return };
        match (open.purpose, open.stage) {
            (Purpose::Registration, _) => self.on_registration_closed(cx, link, (peer, connection), &open, cause),
            (Purpose::Neighbor, Stage::Up) => self.on_neighbor_closed(cx, link, peer, cause),
            (Purpose::Neighbor, Stage::Unheard) => self.on_unheard_closed(cx, link, &open, cause),
            (Purpose::Neighbor, Stage::Opening { .. } | Stage::Greeted { .. }) => {
                self.on_opening_closed(cx, (peer, connection), &open, cause);
            }
        }
    }

    /// Shows a remote of another dialect or version what we speak, so that its user learns of it,
    /// too.
    fn answer_stranger(&self, cx: &mut Cx<impl Output>, link: LinkId, open: &PeerLink) {
        let spoke_first = open.direction == Direction::Outbound && !cx.config.dialect.list_comes_first();
        if matches!(open.stage, Stage::Opening { .. }) && !spoke_first {
            cx.out.send(link, &self.hello(cx));
        }
        cx.out.hang_up(link);
    }

    fn tell_other_dialect(
        &mut self,
        cx: &mut Cx<impl Output>,
        open: &PeerLink,
        (speaks, named): (Dialect, Option<Addr>),
        connection: Option<ConnectionId>,
    ) {
        let remote = open.remote;
        let event =
            || EventKind::Link(LinkEvent::OtherDialect { remote, peer: open.peer.or(named), speaks, connection });
        self.offenses.tell(cx, remote.ip(), event);
    }

    fn on_neighbor_closed(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr, cause: &CloseCause) {
        let Some(neighbor) = self.neighbors.get_mut(peer) else { return };
        if neighbor.links.len() > 1 {
            // The other link of the pair carries on.
            neighbor.links.retain(|other| *other != link);
            let end = LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Duplicate };
            return self.tell_down(cx, link, peer, end);
        }
        let cause = match cause {
            CloseCause::TooSlow => return self.part_coldly(cx, peer, LinkEnd::TooSlow),
            CloseCause::Violation(_) | CloseCause::OtherDialect { .. } => {
                return self.part_coldly(cx, peer, LinkEnd::Violation);
            }
            CloseCause::EndOfStream | CloseCause::Error if self.excused_until.is_some_and(|until| cx.now <= until) => {
                return self.part_while_away(cx, peer);
            }
            CloseCause::EndOfStream => DeathCause::Closed,
            CloseCause::Error => DeathCause::LinkError,
        };
        self.news.push(NeighborNews::Died { peer, cause });
    }

    /// A neighbor closed the link while we were away, as it had every reason to: it is dialed again,
    /// even if there are enough links. It may have declared all its neighbors dead, and know nobody
    /// to dial.
    fn part_while_away(&mut self, cx: &mut Cx<impl Output>, peer: Addr) {
        self.part(cx, peer, LinkEnd::WhileAway);
        self.learn(cx, &[peer], AddressSource::Peer);
        if self.may_dial(cx, peer) {
            self.candidates.dial(cx, peer, None);
        }
    }

    /// Parts for a while from a neighbor that is not dead but not wanted either.
    pub(super) fn part_coldly(&mut self, cx: &mut Cx<impl Output>, peer: Addr, end: LinkEnd) {
        self.candidates.lose(cx, peer);
        self.part(cx, peer, end);
    }

    /// A neighbor is dead: drops it and tells every seed that we are registered with.
    pub(in crate::proto) fn bury(
        &mut self,
        cx: &mut Cx<impl Output>,
        peer: Addr,
        cause: DeathCause,
        last_heard: Time,
        missed: Option<[ProbeId; 2]>,
    ) {
        let Some(neighbor) = self.neighbors.get(peer) else { return };
        let is_told = !neighbor.links.iter().all(|link| self.visits.is_untold(*link));
        if is_told {
            cx.out.emit(|| DeathEvent::NeighborDied { peer, cause, last_heard, missed });
        }
        self.part_coldly(cx, peer, LinkEnd::Dead { cause });
        // A neighbor that came and went in a flood is no loss, and reporting it would flood the
        // seeds.
        if is_told {
            self.report_death(cx, peer, cause);
        }
    }

    /// Hangs up on a neighbor, for this reason, and looks for another.
    pub(super) fn part(&mut self, cx: &mut Cx<impl Output>, peer: Addr, end: LinkEnd) {
        let Some(neighbor) = self.neighbors.remove(peer) else { return };
        self.candidates.on_parted(cx.config, peer);
        for link in neighbor.links {
            if self.links.remove(link).is_some() {
                cx.out.hang_up(link);
            }
            self.tell_down(cx, link, peer, end);
        }
        self.repair.on_link_lost(cx);
        self.news.push(NeighborNews::Down(peer));
    }

    /// Announces that a link is gone, if it was announced that it was up.
    fn tell_down(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr, end: LinkEnd) {
        if self.visits.went(cx, link) {
            cx.out.emit(|| LinkEvent::Down { link, peer, purpose: Purpose::Neighbor, end });
        }
    }
}
