//! Numbers that look like chance and are not: the same seed gives the same ones, so that a request can be made again.
//! Nothing secret comes of them.

/// A row of numbers.
#[derive(Debug, Clone)]
pub struct Keys {
    state: u64,
}

impl Keys {
    /// The row of this seed.
    pub const fn new(seed: u64) -> Keys {
        Keys { state: mixed(seed) }
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// The next number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // What is below a length is one.
        usize::try_from(self.number() % limit as u64).unwrap_or(0)
    }

    /// The next idempotency key: 16 bytes in hex.
    pub fn key(&mut self) -> String {
        format!("{:016x}{:016x}", self.number(), self.number())
    }
}

/// Spreads a number over all 64 bits (the finalizer of SplitMix64, which is in the public domain).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_has_one_row_of_keys_and_no_two_alike() {
        let row = |seed| {
            let mut keys = Keys::new(seed);
            (0..10_000).map(|_| keys.key()).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        let all: BTreeSet<String> = (0..5).flat_map(row).collect();
        assert_eq!(all.len(), 50_000);
        let mut keys = Keys::new(3);
        assert!((0..1_000).all(|_| keys.below(9) < 9));
    }
}
