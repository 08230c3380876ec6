//! Reading one partition, of the table or of the index, in the order of its sort keys.

use std::num::NonZeroU32;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::{IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix};

/// The most that a page may have read, in bytes: 1 MB.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// Reads one partition. One request is one page: the limit counts the items read, expired ones too, and a page also ends at
/// 1 MB, so a page may be short, or empty, and still have a [`next`](PageOutput::next).
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(crate) source: QuerySource,
    pub(crate) range: SortRange,
    pub(crate) order: Order,
    pub(crate) limit: Option<NonZeroU32>,
    pub(crate) start: Option<Position>,
}

/// The partition that a [`Query`] reads. A consistent read of the index cannot be written down: DynamoDB has none.
#[derive(Clone, Debug, PartialEq)]
pub enum QuerySource {
    /// A partition of the table.
    Table {
        /// Its partition key.
        partition: PartitionKey,
        /// Whether the latest writes must be seen.
        consistency: Consistency,
    },
    /// A partition of the index `gsi1`, always eventually consistent.
    Index {
        /// Its partition key.
        partition: PartitionKey,
    },
}

/// Which sort keys a [`Query`] reads. They compare by their bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum SortRange {
    /// All.
    #[default]
    All,
    /// Those with these leading segments.
    BeginsWith(SortKeyPrefix),
    /// Those before this one.
    Before(SortKey),
    /// Those after this one.
    After(SortKey),
    /// Those from the first to the second, both counted in.
    Between(SortKey, SortKey),
}

/// The order of a [`Query`]'s items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The least sort key first: for times, oldest first.
    #[default]
    Ascending,
    /// The greatest sort key first: for times, newest first.
    Descending,
}

/// A place in a page by page read, as the store knows it: the key of the last item read. Not for an application's callers:
/// it shows keys. The access patterns hand out opaque cursors instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The item's key in the table.
    pub key: Key,
    /// The item's key in the index, for a read of the index.
    pub index_key: Option<IndexKey>,
}

impl Query {
    /// Reads a partition of the table, eventually consistent.
    pub fn table(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Table { partition, consistency: Consistency::Eventual })
    }

    /// Reads a partition of the table, seeing every write acknowledged before.
    pub fn table_consistent(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Table { partition, consistency: Consistency::Strong })
    }

    /// Reads a partition of the index.
    pub fn index(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Index { partition })
    }

    /// Reads this partition.
    pub fn of(source: QuerySource) -> Self {
        Self { source, range: SortRange::All, order: Order::Ascending, limit: None, start: None }
    }

    /// Reads these sort keys only.
    #[must_use]
    pub fn range(mut self, range: SortRange) -> Self {
        self.range = range;
        self
    }

    /// Reads in this order.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Reads at most this many items.
    #[must_use]
    pub fn limit(mut self, limit: NonZeroU32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Goes on behind this position.
    #[must_use]
    pub fn start(mut self, start: Option<Position>) -> Self {
        self.start = start;
        self
    }

    /// Returns the partition of the table or of the index, with the consistency of a read of the table.
    pub fn source(&self) -> &QuerySource {
        &self.source
    }

    /// Returns the range of sort keys.
    pub fn get_range(&self) -> &SortRange {
        &self.range
    }

    /// Returns the order.
    pub fn get_order(&self) -> Order {
        self.order
    }

    /// Returns the limit on the items that the page reads, if any.
    pub fn get_limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// Returns the position after which the page starts, if any.
    pub fn get_start(&self) -> Option<&Position> {
        self.start.as_ref()
    }

    /// Returns `true` if the query reads the index.
    pub fn reads_index(&self) -> bool {
        matches!(self.source, QuerySource::Index { .. })
    }

    /// Returns the key of the partition.
    pub fn partition(&self) -> &PartitionKey {
        match &self.source {
            QuerySource::Table { partition, .. } | QuerySource::Index { partition } => partition,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if let SortRange::Between(low, high) = &self.range
            && low > high
        {
            return Err(Error::invalid("the lower end of a range of sort keys lies behind its upper end"));
        }
        self.start.as_ref().map_or(Ok(()), |start| self.check_start(start))
    }

    /// Checks that a page can start at this position.
    pub(crate) fn check_start(&self, start: &Position) -> Result<()> {
        let (partition, sk) = match (&self.source, &start.index_key) {
            (QuerySource::Table { .. }, None) => (&start.key.pk, &start.key.sk),
            (QuerySource::Index { .. }, Some(index_key)) => (&index_key.pk, &index_key.sk),
            (QuerySource::Table { .. }, Some(_)) => {
                return Err(Error::invalid("a position in the index cannot start a read of the table"));
            }
            (QuerySource::Index { .. }, None) => {
                return Err(Error::invalid("a position in the table cannot start a read of the index"));
            }
        };
        if partition != self.partition() {
            return Err(Error::invalid("a read cannot start at a position of another partition"));
        }
        if !self.range.contains(sk) {
            return Err(Error::invalid("a read cannot start at a position outside its range of sort keys"));
        }
        Ok(())
    }
}

impl SortRange {
    /// Whether the sort key lies in the range.
    pub fn contains(&self, sk: &SortKey) -> bool {
        match self {
            Self::All => true,
            Self::BeginsWith(prefix) => sk.as_str().starts_with(prefix.as_str()),
            Self::Before(end) => sk < end,
            Self::After(start) => sk > start,
            Self::Between(low, high) => low <= sk && sk <= high,
        }
    }
}

/// One page of items: the answer to a [`Query`] or a [`Scan`](super::Scan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageOutput {
    /// The items, without those that have expired.
    pub items: Vec<Item>,
    /// Where the next page starts. `None` alone means the end; with `Some`, the next page may still be empty.
    pub next: Option<Position>,
    /// What the page consumed.
    pub capacity: Capacity,
}
