//! Costs: formulas that print as text and evaluate to capacity units.

use std::fmt;

use crate::capacity::{Capacity, READ_STEP, Units, WRITE_STEP, steps};

/// The cost of one [`Case`](crate::card::Case): a formula that adds up [terms](Term).
///
/// ```
/// use threadline::card::{Cost, Per, Sizes, Term};
/// use threadline::store::Capacity;
///
/// const COST: Cost = Cost::of(&[
///     Term::writes(2),
///     Term::writes(2).per(Per::Member),
///     Term::writes(2).per(Per::WrittenKb),
///     Term::index_writes(1).per(Per::Member),
/// ]);
/// assert_eq!(COST.to_string(), "2 + 2n WCU + 2 WCU per KB + n index WCU");
///
/// let sizes = Sizes::new().members(3).written(5000);
/// assert_eq!(COST.capacity(&sizes), Capacity::writes(2 + 2 * 3 + 2 * 5) + Capacity::index_writes(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// The terms of the sum.
    pub terms: &'static [Term],
}

impl Cost {
    /// Creates the sum of these terms.
    pub const fn of(terms: &'static [Term]) -> Self {
        Self { terms }
    }

    /// Returns the value of the formula for these sizes, in capacity units.
    pub fn capacity(&self, sizes: &Sizes) -> Capacity {
        let capacity = |term: &Term| {
            let units = Units::halves(u64::from(term.halves).saturating_mul(sizes.times(term)));
            match term.unit {
                Unit::Read => Capacity::reads(units),
                Unit::Write => Capacity::writes(units),
                Unit::IndexRead => Capacity::index_reads(units),
                Unit::IndexWrite => Capacity::index_writes(units),
            }
        };
        self.terms.iter().map(capacity).sum()
    }
}

/// Shows the formula, with `n` for the number of members: `4 + 2n WCU + n index WCU`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut rest = self.terms;
        while let Some((term, tail)) = rest.split_first() {
            rest = tail;
            let mut amounts = vec![term.amount()];
            // Adjacent terms that count only the call or its members print their unit once: `4 + 2n WCU`.
            while let Some((next, tail)) = rest.split_first()
                && term.is_in_sum()
                && next.is_in_sum()
                && next.unit == term.unit
            {
                amounts.push(next.amount());
                rest = tail;
            }
            parts.push(format!("{} {}{}", amounts.join(" + "), term.unit, term.suffix()));
        }
        f.pad(&parts.join(" + "))
    }
}

/// A term of a [`Cost`]: a number of capacity units, multiplied by a count such as the number of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Term {
    /// The number of half capacity units: 3 halves are 1.5 units.
    pub halves: u32,
    /// The kind of capacity unit.
    pub unit: Unit,
    /// The objects whose number multiplies the units, such as the members.
    pub per: Per,
}

impl Term {
    const fn new(halves: u32, unit: Unit) -> Self {
        Self { halves, unit, per: Per::Call }
    }

    /// Creates a term for read units of the table.
    pub const fn reads(units: u32) -> Self {
        Self::new(units.saturating_mul(2), Unit::Read)
    }

    /// Creates a term for read units of the table, as a number of halves. 3 halves are 1.5 units. An eventually
    /// consistent read of up to 4 KB consumes one half.
    pub const fn half_reads(halves: u32) -> Self {
        Self::new(halves, Unit::Read)
    }

    /// Creates a term for read units of the index, as a number of halves. 3 halves are 1.5 units. All reads of
    /// the index are eventually consistent, so a read of up to 4 KB consumes one half.
    pub const fn half_index_reads(halves: u32) -> Self {
        Self::new(halves, Unit::IndexRead)
    }

    /// Creates a term for write units of the table.
    pub const fn writes(units: u32) -> Self {
        Self::new(units.saturating_mul(2), Unit::Write)
    }

    /// Creates a term for write units of the index.
    pub const fn index_writes(units: u32) -> Self {
        Self::new(units.saturating_mul(2), Unit::IndexWrite)
    }

    /// Sets the count by which the term is multiplied. Default: [`Per::Call`], so the term counts once.
    pub const fn per(mut self, per: Per) -> Self {
        self.per = per;
        self
    }

    fn is_in_sum(&self) -> bool {
        matches!(self.per, Per::Call | Per::Member)
    }

    fn amount(&self) -> String {
        let number = match (self.halves / 2, self.halves % 2) {
            (whole, 0) => whole.to_string(),
            (whole, _) => format!("{whole}.5"),
        };
        match self.per {
            Per::Member if self.halves == 2 => "n".to_owned(),
            Per::Member => number + "n",
            _ => number,
        }
    }

    fn suffix(&self) -> String {
        match self.per {
            Per::Call | Per::Member => String::new(),
            Per::WrittenKb => " per KB".to_owned(),
            Per::ReadBlock => " per 4 KB".to_owned(),
            Per::Each(item) => format!(" per {item}"),
        }
    }
}

/// The kind of capacity unit of a [`Term`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Read units of the table: 1 per 4 KB, or half of that if the read is eventually consistent.
    Read,
    /// Write units of the table: 1 per KB, or 2 in a transaction.
    Write,
    /// Read units of the index: 0.5 per 4 KB.
    IndexRead,
    /// Write units of the index: 1 per KB.
    IndexWrite,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "RCU",
            Self::Write => "WCU",
            Self::IndexRead => "index RCU",
            Self::IndexWrite => "index WCU",
        })
    }
}

/// The count by which a [`Term`] of a cost is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Per {
    /// One: the term counts once for the call.
    Call,
    /// The number of members of the conversation.
    Member,
    /// The size of the written message in KB, rounded up.
    WrittenKb,
    /// The number of blocks of 4 KB that are read. Each request is rounded up separately.
    ReadBlock,
    /// The number of objects of this kind, such as `user`. [`Sizes::items`] sets the number. A cost may name at most
    /// one such kind.
    Each(&'static str),
}

/// The sizes of a call, such as its number of members and the bytes that it reads and writes. [`Cost::capacity`]
/// computes the capacity units for these sizes.
///
/// A test sets the sizes, makes the call, and compares the consumed capacity with the computed one.
///
/// ```
/// use threadline::card::Sizes;
///
/// let sizes = Sizes::new().members(3).written(700).read(5000).read(100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Sizes {
    members: u64,
    written_kb: u64,
    blocks: u64,
    index_blocks: u64,
    items: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self::new()
    }
}

impl Sizes {
    /// Creates the sizes from which a cost is computed: 1 KB is written, and all other sizes are zero.
    pub const fn new() -> Self {
        Self { members: 0, written_kb: 1, blocks: 0, index_blocks: 0, items: 0 }
    }

    /// Sets the number of members of the conversation. Default: 0.
    pub fn members(mut self, members: u32) -> Self {
        self.members = members.into();
        self
    }

    /// Sets the size of the written message's item, in bytes. Without this call, the item costs 1 KB.
    ///
    /// An update has two sizes: the item's size before the update and its size after it. Pass the larger one.
    pub fn written(mut self, bytes: usize) -> Self {
        self.written_kb = steps(bytes, WRITE_STEP);
        self
    }

    /// Adds one read request, which reads this many bytes of items from the table.
    pub fn read(mut self, bytes: usize) -> Self {
        self.blocks = self.blocks.saturating_add(steps(bytes, READ_STEP));
        self
    }

    /// Adds one read request, which reads this many bytes of items from the index.
    pub fn read_index(mut self, bytes: usize) -> Self {
        self.index_blocks = self.index_blocks.saturating_add(steps(bytes, READ_STEP));
        self
    }

    /// Sets the number of objects that [`Per::Each`] counts. Default: 0.
    pub fn items(mut self, items: u32) -> Self {
        self.items = items.into();
        self
    }

    fn times(&self, term: &Term) -> u64 {
        match (term.per, term.unit) {
            (Per::Call, _) => 1,
            (Per::Member, _) => self.members,
            (Per::WrittenKb, _) => self.written_kb,
            (Per::ReadBlock, Unit::IndexRead | Unit::IndexWrite) => self.index_blocks,
            (Per::ReadBlock, Unit::Read | Unit::Write) => self.blocks,
            (Per::Each(_), _) => self.items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: &[(Cost, &str)] = &[
        (Cost::of(&[Term::writes(4), Term::writes(2).per(Per::Member)]), "4 + 2n WCU"),
        (Cost::of(&[Term::reads(1), Term::writes(6), Term::index_writes(1)]), "1 RCU + 6 WCU + 1 index WCU"),
        (Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]), "0.5 RCU per 4 KB"),
        (Cost::of(&[Term::half_reads(3)]), "1.5 RCU"),
        (Cost::of(&[Term::half_index_reads(1).per(Per::ReadBlock)]), "0.5 index RCU per 4 KB"),
        (Cost::of(&[Term::writes(1).per(Per::Each("user")), Term::writes(1)]), "1 WCU per user + 1 WCU"),
        (Cost::of(&[Term::writes(1), Term::writes(1).per(Per::WrittenKb)]), "1 WCU + 1 WCU per KB"),
        (Cost::of(&[Term::writes(1).per(Per::Member), Term::index_writes(2).per(Per::Member)]), "n WCU + 2n index WCU"),
    ];

    #[test]
    fn cost_prints_its_terms_by_unit() {
        for (cost, text) in COSTS {
            assert_eq!(cost.to_string(), *text);
        }
    }

    #[test]
    fn cost_saturates_at_the_largest_number() {
        const HUGE: u32 = u32::MAX;
        for term in [Term::reads(HUGE), Term::writes(HUGE), Term::index_writes(HUGE)] {
            assert_eq!(term.halves, HUGE);
        }
        let sizes = (0..4100).fold(Sizes::new(), |sizes, _| sizes.read(usize::MAX).read_index(usize::MAX));
        assert_eq!((sizes.blocks, sizes.index_blocks), (u64::MAX, u64::MAX));
        const COST: Cost = Cost::of(&[Term::reads(HUGE).per(Per::ReadBlock)]);
        assert_eq!(COST.capacity(&sizes), Capacity::reads(Units::halves(u64::MAX)));
    }

    #[test]
    fn cost_rounds_each_read_and_the_message_up() {
        const COST: Cost = Cost::of(&[Term::half_reads(1).per(Per::ReadBlock), Term::writes(1).per(Per::WrittenKb)]);
        let sizes = Sizes::new().read(4096).read(4097).read(0).written(1025);
        assert_eq!(COST.capacity(&sizes), Capacity::reads(Units::halves(4)) + Capacity::writes(2));
        assert_eq!(COST.capacity(&Sizes::new()), Capacity::writes(1));
    }
}
