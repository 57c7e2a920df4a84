//! Numbers that look drawn, the same in every run (splitmix64).

/// Draws numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The numbers that belong to these values: others for other values.
    pub fn of(values: &[f64]) -> Random {
        const START: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mix = |seed: u64, value: &f64| (seed ^ value.to_bits()).wrapping_mul(PRIME);
        let mut random = Random(values.iter().fold(START, mix));
        random.bits();
        random
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One below `count`, each as likely but for less than one in 2^32; 0 where `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.bits()) * count as u128;
        (wide >> 64) as usize
    }

    /// One from 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        const BITS: u32 = 53;
        (self.bits() >> (64 - BITS)) as f64 / (1_u64 << BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly_and_stay_below() {
        let mut random = Random::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        let mean = (0..10_000).map(|_| random.unit()).sum::<f64>() / 10_000.0;
        assert!((0.49..0.51).contains(&mean), "{mean}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_same_values_give_the_same_numbers() {
        let first = |values: &[f64]| Random::of(values).bits();
        assert_eq!(first(&[1.0, 2.0]), first(&[1.0, 2.0]));
        assert_ne!(first(&[1.0, 2.0]), first(&[2.0, 1.0]));
    }
}
