//! Connections that have not named themselves yet: how many there are, and whether another one may
//! come. The same for seeds and peers.

use std::net::Ipv4Addr;

use super::config::{HALF_OPEN_MAX, HALF_OPEN_PER_HOST_MAX};
use super::flat_map::FlatMap;

/// Connections that others opened and that wait to say hello, counted by machine.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    all: usize,
    hosts: FlatMap<Ipv4Addr, usize>,
}

impl HalfOpen {
    /// Whether another connection from there may wait.
    pub(super) fn admits(&self, from: Ipv4Addr) -> bool {
        // A lab, and whatever else runs on this machine, has only one address.
        let host_max = if from.is_loopback() { HALF_OPEN_MAX } else { HALF_OPEN_PER_HOST_MAX };
        self.all < HALF_OPEN_MAX && self.hosts.get(from).is_none_or(|count| *count < host_max)
    }

    /// A connection from there waits from now on.
    pub(super) fn enter(&mut self, from: Ipv4Addr) {
        self.all += 1;
        *self.hosts.get_or_insert_with(from, || 0) += 1;
    }

    /// A connection from there has named itself, or is gone.
    pub(super) fn leave(&mut self, from: Ipv4Addr) {
        let Some(count) = self.hosts.get_mut(from) else { return };
        self.all -= 1;
        *count -= 1;
        if *count == 0 {
            self.hosts.remove(from);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: [u8; 4] = [10, 0, 0, 9];
    const GOOD: [u8; 4] = [10, 0, 0, 7];
    const HERE: [u8; 4] = [127, 0, 0, 1];

    fn waiting(from: [u8; 4], count: usize) -> HalfOpen {
        let mut half_open = HalfOpen::default();
        (0..count).for_each(|_| half_open.enter(from.into()));
        half_open
    }

    #[test]
    fn one_machine_cannot_take_all_places_from_the_others() {
        let half_open = waiting(BAD, HALF_OPEN_PER_HOST_MAX);
        assert!(!half_open.admits(BAD.into()));
        assert!(half_open.admits(GOOD.into()));
        assert!(waiting(HERE, 500).admits(HERE.into()), "a lab that starts");
        assert!(!waiting(HERE, HALF_OPEN_MAX).admits(GOOD.into()));
    }

    #[test]
    fn whoever_names_itself_or_goes_makes_room() {
        let mut half_open = waiting(BAD, HALF_OPEN_PER_HOST_MAX);
        half_open.leave(BAD.into());
        half_open.leave(GOOD.into());
        assert!(half_open.admits(BAD.into()));
        (1..HALF_OPEN_PER_HOST_MAX).for_each(|_| half_open.leave(BAD.into()));
        assert_eq!((half_open.len(), half_open.hosts.len()), (0, 0));
    }
}
