//! Numbers that look random and are the same in every run.

/// A small generator (SplitMix64): equal seeds give equal numbers, on every machine.
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// The generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "no number is below zero");
        (self.number() % end as u64) as usize
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.number() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_the_published_numbers() {
        let mut seed = Seed::new(1234567);
        assert_eq!([seed.number(), seed.number()], [6457827717110365317, 3203168211198807973]);
    }

    #[test]
    fn numbers_stay_below_their_end() {
        let mut seed = Seed::new(1);
        assert!((1..1000).all(|end| seed.below(end) < end));
    }
}
