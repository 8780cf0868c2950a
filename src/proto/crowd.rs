//! The limits on connections that have not named themselves, the same for seeds and peers.

use std::net::{IpAddr, SocketAddr};

use super::config::{HALF_OPEN_MAX, HALF_OPEN_PER_HOST_MAX};

/// May a connection from there wait beside these, which wait to say hello already?
pub(super) fn admits(from: IpAddr, waiting: impl Iterator<Item = SocketAddr>) -> bool {
    let (mut all, mut same) = (0, 0);
    for remote in waiting {
        all += 1;
        same += usize::from(remote.ip() == from);
    }
    // A lab, and whatever else runs on this machine, has but one address.
    let same_max = if from.is_loopback() { HALF_OPEN_MAX } else { HALF_OPEN_PER_HOST_MAX };
    all < HALF_OPEN_MAX && same < same_max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_cannot_take_all_places_from_the_others() {
        let remotes = |ip: [u8; 4], count: u16| (0..count).map(move |port| SocketAddr::from((ip, port)));
        let (bad, good) = ([10, 0, 0, 9], [10, 0, 0, 7]);
        let waiting = || remotes(bad, u16::try_from(HALF_OPEN_PER_HOST_MAX).unwrap());
        assert!(!admits(bad.into(), waiting()));
        assert!(admits(good.into(), waiting()));
        assert!(admits([127, 0, 0, 1].into(), remotes([127, 0, 0, 1], 500)), "a lab that starts");
        assert!(!admits(good.into(), remotes([127, 0, 0, 1], u16::try_from(HALF_OPEN_MAX).unwrap())));
    }
}
