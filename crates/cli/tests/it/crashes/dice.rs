//! Draws that a seed decides: the same seed and round draw the same.

use std::ops::RangeInclusive;

/// What draws for one round.
pub(super) struct Dice(u64);

impl Dice {
    /// Of this seed, for this round.
    pub(super) fn new(seed: u64, round: u64) -> Self {
        let mut dice = Self(seed);
        let mixed = dice.next() ^ round;
        Self(mixed)
    }

    /// A number in the range.
    pub(super) fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    /// Whether something that happens so often, in percent, happens.
    pub(super) fn happens(&mut self, percent: u64) -> bool {
        self.number(1..=100) <= percent
    }

    /// One of these.
    pub(super) fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[usize::try_from(self.number(1..=these.len() as u64)).unwrap() - 1]
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
