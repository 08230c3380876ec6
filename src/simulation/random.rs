//! Numbers drawn from a seed.

use crate::random::Numbers;

/// A stream of numbers that follows from its seed alone, and what is drawn by them.
#[derive(Clone, Debug)]
pub(super) struct Random(Numbers);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Numbers::seeded(seed))
    }

    /// Another stream, so that what one part of the simulation draws does not shift what another one gets.
    pub(super) fn fork(&mut self) -> Self {
        Self::seeded(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// A number from 0 to below `bound`; 0 where there is none.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// A number from `low` to `high`, both counted in.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True for so many of a thousand draws.
    pub(super) fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1000) < usize::from(per_mille)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// The place of a weight, each as often as it weighs; `None` where nothing weighs anything.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
        let sum: u32 = weights.clone().sum();
        let mut left = u32::try_from(self.below(usize::try_from(sum).ok()?)).ok()?;
        for (place, weight) in weights.enumerate() {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return Some(place),
            }
        }
        None
    }
}
