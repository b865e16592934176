//! Chance that can be had again.

/// A small generator (SplitMix64). What draws for itself has dice of its own, so that what one
/// thing draws does not change what another gets.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The sequence of a seed that belongs to `owner`.
    pub(super) fn new(seed: u64, owner: u64) -> Self {
        let mut dice = Self(seed ^ owner.wrapping_mul(0xd134_2543_de82_ef95));
        dice.bits();
        dice
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `sides`.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.bits() % sides as u64).unwrap()
    }

    /// A number of a range, both ends included.
    pub(super) fn range(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        range.start() + self.bits() % (range.end() - range.start() + 1)
    }

    /// A number of a range, small ones as likely as large ones of the next order.
    pub(super) fn order(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        let (low, high) = ((*range.start()).max(1), *range.end());
        let orders = high.ilog2() - low.ilog2();
        let top = low << self.range(0..=u64::from(orders));
        self.range(low..=top.saturating_mul(2).min(high).max(low))
    }

    /// True so many times of a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
