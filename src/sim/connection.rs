//! Connections, and the table of them.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

use super::ids::{ConnIx, End, LinkSide, NodeIx};
use crate::proto::chance::Chance;
use crate::proto::machine::Input;
use crate::proto::message::Message;
use crate::proto::time::Time;

/// Two ends, by their [`LinkSide`]; each end knows the connection by a link id of its own.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) nodes: BySide<NodeIx>,
    /// Ends that have closed: they send and hear nothing more.
    pub(super) closed: BySide<bool>,
    /// When the last thing sent to each end arrives: nothing overtakes on a connection.
    pub(super) arrives: BySide<Time>,
    /// Spaces each end's writes, in the classic dialect.
    pub(super) pacers: BySide<Option<Box<Pacer>>>,
    /// What is left to chance about what each end sends.
    pub(super) chance: BySide<Chance>,
    /// How often the dialer had dialed: it identifies the connection, whatever others do.
    pub(super) dial: u32,
    /// Messages without a number of their own that each end has sent.
    pub(super) unnumbered: BySide<u32>,
    /// The index of this connection in each node's list; [`DETACHED`] once that node is gone.
    pub(super) places: BySide<u32>,
    generation: u32,
    /// The port of the dialer's end.
    pub(super) port: u16,
    pub(super) began: Time,
}

/// The index of a connection in the list of a node that is gone.
pub(super) const DETACHED: u32 = u32::MAX;

impl Connection {
    /// A new connection.
    pub(super) fn new(nodes: BySide<NodeIx>, chance: BySide<Chance>, dial: u32, now: Time) -> Self {
        Self {
            nodes,
            closed: BySide([false; 2]),
            arrives: BySide([now; 2]),
            pacers: BySide([None, None]),
            chance,
            dial,
            unnumbered: BySide([0; 2]),
            places: BySide([DETACHED; 2]),
            generation: 0,
            port: 0,
            began: now,
        }
    }
}

/// One of something for each side.
#[derive(Debug, Clone, Copy)]
pub(super) struct BySide<T>(pub(super) [T; 2]);

impl<T> Index<LinkSide> for BySide<T> {
    type Output = T;

    fn index(&self, side: LinkSide) -> &T {
        &self.0[side as usize]
    }
}

impl<T> IndexMut<LinkSide> for BySide<T> {
    fn index_mut(&mut self, side: LinkSide) -> &mut T {
        &mut self.0[side as usize]
    }
}

/// What waits at an end of a connection that is not read, and until when.
#[derive(Debug)]
pub(super) struct Pause {
    pub(super) until: Time,
    pub(super) held: VecDeque<Input>,
}

/// All connections that are not closed at both ends. The place of a gone one is reused with the
/// next generation.
#[derive(Debug, Default)]
pub(super) struct ConnTable {
    all: Vec<Connection>,
    free: Vec<u32>,
}

impl ConnTable {
    /// Adds a connection, and returns its dialer's end.
    pub(super) fn insert(&mut self, mut connection: Connection) -> End {
        let place = if let Some(place) = self.free.pop() {
            connection.generation = self.all[place as usize].generation;
            self.all[place as usize] = connection;
            place
        } else {
            self.all.push(connection);
            // Two billion connections would not fit into the memory of any machine that this runs
            // on.
            u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX / 2)
        };
        End::new(ConnIx(place), self.all[place as usize].generation, LinkSide::Dialer)
    }

    /// The connection of this end, unless it is gone.
    pub(super) fn get(&self, end: End) -> Option<&Connection> {
        let ConnIx(place) = end.connection();
        self.all.get(place as usize).filter(|connection| connection.generation == end.generation())
    }

    pub(super) fn get_mut(&mut self, end: End) -> Option<&mut Connection> {
        let ConnIx(place) = end.connection();
        self.all.get_mut(place as usize).filter(|connection| connection.generation == end.generation())
    }

    /// The same, if this end has not closed it.
    pub(super) fn open(&mut self, end: End) -> Option<&mut Connection> {
        self.get_mut(end).filter(|connection| !connection.closed[end.side()])
    }

    /// The node at this end.
    pub(super) fn node(&self, end: End) -> Option<NodeIx> {
        self.get(end).map(|connection| connection.nodes[end.side()])
    }

    /// Forgets a connection; what is late for it does not reach the next one in its place.
    pub(super) fn remove(&mut self, end: End) {
        if let Some(connection) = self.get_mut(end) {
            connection.generation = connection.generation.wrapping_add(1);
            connection.pacers = BySide([None, None]);
            self.free.push(end.connection().0);
        }
    }

    /// The end that a node of this connection has, by its place in the table.
    pub(super) fn end_of(&self, connection: ConnIx, node: NodeIx) -> End {
        let here = &self.all[connection.0 as usize];
        let side = if here.nodes[LinkSide::Acceptor] == node { LinkSide::Acceptor } else { LinkSide::Dialer };
        End::new(connection, here.generation, side)
    }

    pub(super) fn at(&self, connection: ConnIx) -> &Connection {
        &self.all[connection.0 as usize]
    }

    pub(super) fn at_mut(&mut self, connection: ConnIx) -> &mut Connection {
        &mut self.all[connection.0 as usize]
    }
}

/// What one end has not written yet, in the classic dialect.
#[derive(Debug)]
pub(super) struct Pacer {
    pub(super) next_write: Time,
    first: VecDeque<Message>,
    gossip: VecDeque<Message>,
}

impl Pacer {
    pub(super) fn new(now: Time) -> Self {
        Self { next_write: now, first: VecDeque::new(), gossip: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.gossip.len()
    }

    pub(super) fn push(&mut self, message: Message) {
        let queue = if message.goes_first() { &mut self.first } else { &mut self.gossip };
        queue.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        self.first.pop_front().or_else(|| self.gossip.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred thousand peers hold some four hundred thousand.
    #[test]
    fn a_connection_takes_no_more_than_96_bytes() {
        assert!(size_of::<Connection>() <= 96, "{}", size_of::<Connection>());
    }

    #[test]
    fn what_is_late_for_a_connection_is_not_for_the_next_one() {
        let mut connections = ConnTable::default();
        let now = Time::from_micros(1);
        let new = |dial| {
            let (nodes, chance) = (BySide([NodeIx(1), NodeIx(2)]), BySide([Chance::new(1); 2]));
            Connection::new(nodes, chance, dial, now)
        };
        let first = connections.insert(new(1));
        connections.remove(first);
        connections.remove(first);
        let second = connections.insert(new(2));
        assert_eq!(first.connection(), second.connection());
        assert!(connections.get(first).is_none() && connections.get(first.other()).is_none());
        assert_eq!(connections.get(second.other()).map(|connection| connection.dial), Some(2));
        assert_ne!(connections.insert(new(3)).connection(), second.connection());
    }
}
