//! Dense numbers in place of addresses, inside a world.

use crate::event::LinkId;

/// A node, in the order of the first start at its address. An address keeps its number for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeIx(pub(super) u32);

impl NodeIx {
    /// No node of the world: the sender of junk.
    pub(super) const NOBODY: Self = Self(u32::MAX);
}

/// A connection, by its place in the table. Places are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConnIx(pub(super) u32);

/// One end of a connection: the dialer's, which is side 0, or the acceptor's. Machines know it as a
/// [`LinkId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    /// Twice the connection's place, plus the side.
    place: u32,
    /// How many connections had that place before this one.
    generation: u32,
}

impl End {
    pub(super) const fn new(connection: ConnIx, generation: u32, side: LinkSide) -> Self {
        let ConnIx(place) = connection;
        Self { place: place * 2 + side as u32, generation }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each takes its half")]
    pub(super) const fn of(link: LinkId) -> Self {
        Self { place: link.0 as u32, generation: (link.0 >> u32::BITS) as u32 }
    }

    pub(super) const fn link(self) -> LinkId {
        LinkId((self.generation as u64) << u32::BITS | self.place as u64)
    }

    pub(super) const fn connection(self) -> ConnIx {
        ConnIx(self.place / 2)
    }

    pub(super) const fn generation(self) -> u32 {
        self.generation
    }

    pub(super) const fn side(self) -> LinkSide {
        if self.place.is_multiple_of(2) { LinkSide::Dialer } else { LinkSide::Acceptor }
    }

    /// The end at the other side.
    pub(super) const fn other(self) -> Self {
        Self { place: self.place ^ 1, ..self }
    }
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkSide {
    Dialer,
    Acceptor,
}

impl LinkSide {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Dialer => Self::Acceptor,
            Self::Acceptor => Self::Dialer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_id_names_a_place_a_side_and_a_generation() {
        let end = End::new(ConnIx(7), 3, LinkSide::Acceptor);
        assert_eq!(End::of(end.link()), end);
        assert_eq!((end.connection(), end.generation(), end.side()), (ConnIx(7), 3, LinkSide::Acceptor));
        assert_eq!(end.other(), End::new(ConnIx(7), 3, LinkSide::Dialer));
        assert_eq!(End::new(ConnIx(7), 0, LinkSide::Dialer).link(), LinkId(14));
    }
}
