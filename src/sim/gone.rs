//! The names of connections that are gone, for messages that are still on their way.

use std::collections::VecDeque;
use std::fmt;

use hashbrown::HashMap;

use super::connection::{BySide, Connection};
use super::ids::{End, LinkSide, NodeIx};
use crate::proto::time::Time;

/// What names a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionName {
    pub(super) nodes: BySide<NodeIx>,
    pub(super) port: u16,
    pub(super) began: Time,
}

impl From<&Connection> for ConnectionName {
    fn from(connection: &Connection) -> Self {
        Self { nodes: connection.nodes, port: connection.port, began: connection.began }
    }
}

/// Connections that both ends have closed while something was on its way: the table has forgotten
/// them, and what arrives late is lost.
#[derive(Default)]
pub(super) struct GoneConnections {
    /// By the dialer's end; the hash is fixed, and nothing depends on the order of the map.
    names: HashMap<u64, ConnectionName, foldhash::fast::FixedState>,
    /// When the last thing for each arrives.
    until: VecDeque<(Time, u64)>,
    /// When the last message arrives that others may overtake.
    held_until: Option<Time>,
}

impl GoneConnections {
    /// Something is planned that may arrive after all that is sent later on its connection.
    pub(super) fn hold_until(&mut self, at: Time) {
        self.held_until = self.held_until.max(Some(at));
    }

    /// The connection of this end will be forgotten: keeps its name until all that is on its way has
    /// arrived.
    pub(super) fn remember(&mut self, now: Time, end: End, connection: &Connection) {
        while let Some((_, over)) = self.until.front().filter(|(until, _)| *until < now) {
            self.names.remove(over);
            self.until.pop_front();
        }
        let BySide([one, other]) = connection.arrives;
        let until = one.max(other).max(self.held_until.unwrap_or(one));
        if until >= now {
            self.names.insert(key(end), connection.into());
            self.until.push_back((until, key(end)));
        }
    }

    pub(super) fn name(&self, end: End) -> Option<ConnectionName> {
        self.names.get(&key(end)).copied()
    }
}

/// It is kept for listeners alone, and is no part of what happens.
impl fmt::Debug for GoneConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GoneConnections")
    }
}

/// The same for both ends.
fn key(end: End) -> u64 {
    match end.side() {
        LinkSide::Dialer => end.link().0,
        LinkSide::Acceptor => end.other().link().0,
    }
}
