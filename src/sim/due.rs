//! What is planned, in order.

use super::What;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Something that will happen; ordered by time, then by when it was planned.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) at: Time,
    pub(super) order: u64,
    pub(super) node: Addr,
    pub(super) what: What,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
