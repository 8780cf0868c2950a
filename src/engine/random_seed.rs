//! Where the random choices of nodes come from.

use crate::proto::addr::Addr;

/// What a node's random choices follow from: the session's seed, who it is, and which life it
/// lives. The mixing is that of `SplitMix64`.
pub fn derive_seed(session: u64, addr: Addr, life: u64) -> u64 {
    let node = u64::from(addr.ip().to_bits()) << 16 | u64::from(addr.port());
    mix(mix(session ^ mix(node)).wrapping_add(life))
}

/// Another number, as random as this one.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_and_every_life_of_it_chooses_differently_and_the_same_in_every_run() {
        let (one, other) = (Addr::loopback(3000), Addr::loopback(3001));
        assert_eq!(derive_seed(7, one, 0), derive_seed(7, one, 0));
        let seeds = [derive_seed(7, one, 0), derive_seed(7, one, 1), derive_seed(7, other, 0), derive_seed(8, one, 0)];
        for (at, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..at].contains(seed), "{seeds:?}");
        }
    }
}
