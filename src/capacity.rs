//! Capacity units, which requests consume, and the rules that compute them.
//!
//! Sources: [read and write
//! units](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html), [item
//! sizes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html), [index
//! writes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations).

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// The size to which writes are rounded up: 1 KB of 1,024 bytes.
pub(crate) const WRITE_STEP: usize = 1024;
/// The size to which reads are rounded up: 4 KB.
pub(crate) const READ_STEP: usize = 4096;

/// A number of capacity units of DynamoDB, in steps of one half. An eventually consistent read of up to 4 KB consumes
/// half a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units {
    halves: u64,
}

impl Units {
    /// No units.
    pub const ZERO: Self = Self { halves: 0 };

    /// Creates a number of units from whole units.
    pub const fn whole(units: u64) -> Self {
        Self { halves: units.saturating_mul(2) }
    }

    /// Creates a number of units from half units: 3 halves are 1.5 units.
    pub const fn halves(halves: u64) -> Self {
        Self { halves }
    }

    /// Converts the number of units in an answer of DynamoDB, rounded to the nearest half. A negative number and NaN
    /// become zero.
    pub fn from_f64(units: f64) -> Self {
        // `as` saturates, and turns NaN into zero.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self { halves: (units * 2.0).round() as u64 }
    }

    /// Returns the number of units, for metrics.
    pub fn as_f64(self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let halves = self.halves as f64;
        halves / 2.0
    }
}

/// Converts whole units, so that `1` is valid as a number of units.
impl From<u32> for Units {
    fn from(units: u32) -> Self {
        Self::whole(units.into())
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.halves / 2, if self.halves.is_multiple_of(2) { 0 } else { 5 }))
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { halves: self.halves.saturating_add(other.halves) }
    }
}

/// Capacity units that a request consumed or that a budget allows. The units of the table and of the index are
/// separate.
///
/// ```
/// use threadline::store::{Capacity, Units};
///
/// let send = Capacity::writes(1);
/// let project = Capacity::reads(1) + Capacity::writes(2) + Capacity::index_writes(4);
/// assert_eq!((send + project).write(), Units::whole(7));
/// assert_eq!(project.to_string(), "1.0 RCU + 6.0 WCU");
/// assert_eq!(Capacity::reads(Units::halves(1)).to_string(), "0.5 RCU");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capacity {
    /// Read units of the table.
    pub table_read: Units,
    /// Write units of the table.
    pub table_write: Units,
    /// Read units of the index.
    pub index_read: Units,
    /// Write units of the index.
    pub index_write: Units,
}

impl Capacity {
    /// Creates a capacity from a number of read units of the table. All other units are zero.
    pub fn reads(units: impl Into<Units>) -> Self {
        Self { table_read: units.into(), ..Self::default() }
    }

    /// Creates a capacity from a number of write units of the table. All other units are zero.
    pub fn writes(units: impl Into<Units>) -> Self {
        Self { table_write: units.into(), ..Self::default() }
    }

    /// Creates a capacity from a number of read units of the index. All other units are zero.
    pub fn index_reads(units: impl Into<Units>) -> Self {
        Self { index_read: units.into(), ..Self::default() }
    }

    /// Creates a capacity from a number of write units of the index. All other units are zero.
    pub fn index_writes(units: impl Into<Units>) -> Self {
        Self { index_write: units.into(), ..Self::default() }
    }

    /// Returns the read units of the table and of the index together.
    pub fn read(&self) -> Units {
        self.table_read + self.index_read
    }

    /// Returns the write units of the table and of the index together.
    pub fn write(&self) -> Units {
        self.table_write + self.index_write
    }
}

/// Shows the read units (RCU) and the write units (WCU), each of the table and of the index together:
/// `0.5 RCU + 7.0 WCU`.
impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.read(), self.write()) {
            (Units::ZERO, Units::ZERO) => "nothing".to_owned(),
            (read, Units::ZERO) => format!("{read} RCU"),
            (Units::ZERO, write) => format!("{write} WCU"),
            (read, write) => format!("{read} RCU + {write} WCU"),
        };
        f.pad(&text)
    }
}

impl Add for Capacity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            table_read: self.table_read + other.table_read,
            table_write: self.table_write + other.table_write,
            index_read: self.index_read + other.index_read,
            index_write: self.index_write + other.index_write,
        }
    }
}

impl AddAssign for Capacity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Capacity {
    fn sum<I: Iterator<Item = Self>>(capacities: I) -> Self {
        capacities.fold(Self::default(), Add::add)
    }
}

/// The consistency of a read: eventual or strong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// The read may miss the latest writes. It costs half as much as a strongly consistent one.
    #[default]
    Eventual,
    /// The read sees every write that was acknowledged before the read began.
    Strong,
}

/// Returns the capacity units that a read of this many bytes consumes. A read that finds nothing consumes as much as a
/// read of 4 KB.
pub fn read_units(bytes: usize, consistency: Consistency) -> Units {
    let steps = steps(bytes, READ_STEP);
    match consistency {
        Consistency::Eventual => Units::halves(steps),
        Consistency::Strong => Units::whole(steps),
    }
}

/// Returns the capacity units that a write consumes if it changes the size of an item from `before` to `after` bytes. A
/// missing item has 0 bytes.
pub fn write_units(before: usize, after: usize) -> Units {
    Units::whole(steps(before.max(after), WRITE_STEP))
}

pub(crate) fn steps(bytes: usize, step: usize) -> u64 {
    u64::try_from(bytes.div_ceil(step).max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_round_up_to_4_kb_and_eventual_ones_cost_half() {
        // Three students of the bootcamp measured these pages of 20 messages on AWS.
        assert_eq!(read_units(8171, Consistency::Eventual), Units::whole(1));
        assert_eq!(read_units(8191, Consistency::Eventual), Units::whole(1));
        assert_eq!(read_units(8251, Consistency::Eventual), Units::halves(3));
        assert_eq!(read_units(0, Consistency::Eventual), Units::halves(1));
        assert_eq!(read_units(0, Consistency::Strong), Units::whole(1));
        assert_eq!(read_units(4097, Consistency::Strong), Units::whole(2));
    }

    #[test]
    fn writes_round_the_larger_image_up_to_1_kb() {
        assert_eq!(write_units(0, 1024), Units::whole(1));
        assert_eq!(write_units(1025, 10), Units::whole(2));
        assert_eq!(write_units(0, 0), Units::whole(1));
    }

    #[test]
    fn units_print_as_a_number_with_one_fraction_digit() {
        assert_eq!(Units::halves(3).to_string(), "1.5");
        assert_eq!(Units::from_f64(1.5), Units::halves(3));
        assert_eq!(Units::from_f64(f64::NAN), Units::ZERO);
        assert_eq!(format!("{:>6}", Units::whole(2)), "   2.0");
    }
}
