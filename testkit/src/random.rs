//! Numbers that look random and follow from a seed: the same in every run, on every machine.

use threadline::__private::Numbers;

/// A stream of numbers that follows from its seed alone, and what is drawn by them.
#[derive(Clone, Debug)]
pub(crate) struct Random(Numbers);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Numbers::seeded(seed))
    }

    /// Draws the next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// Draws a number below this one; 0 below 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    /// Another stream, so that what one part of the simulation draws does not shift what another one gets.
    pub(crate) fn fork(&mut self) -> Self {
        Self::seeded(self.next())
    }

    /// A number from `low` to `high`, both counted in.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True for so many of a thousand draws.
    pub(crate) fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1000) < usize::from(per_mille)
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// The place of a weight, each as often as it weighs; `None` where nothing weighs anything.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
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
