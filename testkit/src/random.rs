//! Random numbers from a seed: the same in every run, on every machine.

use threadline::__private::Numbers;

/// A generator whose numbers depend only on its seed.
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

    /// Draws a number below `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    /// Returns a new generator, so that draws of one part do not shift those of another.
    pub(crate) fn fork(&mut self) -> Self {
        Self::seeded(self.next())
    }

    /// Draws a number from `low` to `high`, inclusive.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// Returns `true` for this many of a thousand draws.
    pub(crate) fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1000) < usize::from(per_mille)
    }

    /// Draws one of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// Draws the index of a weight, in proportion to the weights; `None` if all are 0.
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
