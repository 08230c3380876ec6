//! Pseudorandom numbers from a seed. They are equal in every run and on every machine.

/// The pseudorandom numbers of [splitmix64](https://prng.di.unimi.it/splitmix64.c).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Creates a generator with this seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`, or 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.draw().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_equal_those_of_the_reference() {
        let mut numbers = Numbers::seeded(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| numbers.draw()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_number_below_an_end_reaches_all_and_no_more() {
        let mut numbers = Numbers::seeded(7);
        let drawn: std::collections::BTreeSet<usize> = (0..100).map(|_| numbers.below(3)).collect();
        assert_eq!(drawn, [0, 1, 2].into());
        assert_eq!(numbers.below(0), 0);
    }
}
