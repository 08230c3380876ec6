//! A request that reads one partition of the table or of the index, in the order of its sort keys.

use std::num::NonZeroU32;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::{IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix};

/// The total size of items at which a page of a [`Query`] or a [`Scan`](super::Scan) ends, in bytes: 1 MB.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// A request that reads one page of a partition, in the order of the sort keys.
///
/// A page ends at the request's [`limit`](Query::limit) or at 1 MB. Expired items count too, although the page omits
/// them. So even a short or empty page may have a [`next`](PageOutput::next) position.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Query {
    pub(crate) source: QuerySource,
    pub(crate) range: SortRange,
    pub(crate) order: Order,
    pub(crate) limit: Option<NonZeroU32>,
    pub(crate) start: Option<Position>,
}

/// The partition that a [`Query`] reads, in the table or in the index. Only a read of the table has a choice of
/// consistency, because DynamoDB's reads of the index are always eventually consistent.
#[derive(Clone, Debug, PartialEq)]
pub enum QuerySource {
    /// A partition of the table.
    Table {
        /// The key of the partition in the table.
        partition: PartitionKey,
        /// The consistency of the read.
        consistency: Consistency,
    },
    /// A partition of the index `gsi1`. The read is always eventually consistent.
    Index {
        /// The key of the partition in the index.
        partition: PartitionKey,
    },
}

/// A range of sort keys. A [`Query`] reads only the items in its range. Sort keys are ordered by their bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum SortRange {
    /// All sort keys.
    #[default]
    All,
    /// The sort keys that begin with this prefix.
    BeginsWith(SortKeyPrefix),
    /// The sort keys less than this one.
    Before(SortKey),
    /// The sort keys greater than this one.
    After(SortKey),
    /// The sort keys from the first to the second, including both.
    Between(SortKey, SortKey),
}

/// The order in which a [`Query`] returns the items of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The item with the smallest sort key is first. If sort keys begin with times, the oldest item is first.
    #[default]
    Ascending,
    /// The item with the greatest sort key is first. If sort keys begin with times, the newest item is first.
    Descending,
}

/// A position in a query or scan: the key of the last item that was read. The next page starts after this item.
///
/// Do not show a position to an application's clients, because it contains keys. The access patterns return an opaque
/// [`Cursor`](crate::Cursor) instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The item's key in the table.
    pub key: Key,
    /// The item's key in the index. `Some` only for a query of the index.
    pub index_key: Option<IndexKey>,
}

impl Query {
    /// Creates an eventually consistent query of this partition of the table.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Item, PartitionKey};
    /// use threadline::store::{Query, StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let mut item = Item::new();
    /// item.insert("pk", "USER#1");
    /// item.insert("sk", "USER");
    /// store.write(Write::put(item)).await?.done()?;
    ///
    /// let page = store.query(Query::table(PartitionKey::parse("USER#1")?)).await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert_eq!(page.capacity.to_string(), "0.5 RCU");
    /// # Ok(())
    /// # }
    /// ```
    pub fn table(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Table { partition, consistency: Consistency::Eventual })
    }

    /// Creates a strongly consistent query of this partition of the table, at twice the cost.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Query, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let query = Query::table_consistent(PartitionKey::parse("USER#1")?);
    /// let page = MemoryStore::new().query(query).await?;
    /// assert_eq!(page.capacity.to_string(), "1.0 RCU");
    /// # Ok(())
    /// # }
    /// ```
    pub fn table_consistent(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Table { partition, consistency: Consistency::Strong })
    }

    /// Creates a query that reads this partition of the index. The read is always eventually consistent.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{GSI1PK, GSI1SK, Item, PK, PartitionKey, SK};
    /// use threadline::store::{Query, StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let mut item = Item::new();
    /// for (name, value) in [(PK, "GRP#1"), (SK, "USER#1"), (GSI1PK, "USER#1"), (GSI1SK, "GRP#2026")] {
    ///     item.insert(name, value);
    /// }
    /// store.write(Write::put(item)).await?.done()?;
    ///
    /// let page = store.query(Query::index(PartitionKey::parse("USER#1")?)).await?;
    /// assert_eq!(page.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn index(partition: PartitionKey) -> Self {
        Self::of(QuerySource::Index { partition })
    }

    /// Creates a query that reads from this source.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Query, QuerySource};
    ///
    /// let partition = PartitionKey::parse("USER#1")?;
    /// let query = Query::of(QuerySource::Index { partition: partition.clone() });
    /// assert_eq!(query, Query::index(partition));
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn of(source: QuerySource) -> Self {
        Self { source, range: SortRange::All, order: Order::Ascending, limit: None, start: None }
    }

    /// Sets the range of sort keys to read. Default: [`SortRange::All`].
    ///
    /// ```
    /// use threadline::entity::{PartitionKey, SortKeyPrefix, tag};
    /// use threadline::store::{Query, SortRange};
    ///
    /// let members = SortRange::BeginsWith(SortKeyPrefix::new((tag!("USER"),)));
    /// let query = Query::table(PartitionKey::parse("GRP#1")?).range(members.clone());
    /// assert_eq!(query.get_range(), &members);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn range(mut self, range: SortRange) -> Self {
        self.range = range;
        self
    }

    /// Sets the order of the items in the page. Default: [`Order::Ascending`].
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Order, Query};
    ///
    /// let query = Query::table(PartitionKey::parse("MSG#1")?).order(Order::Descending);
    /// assert_eq!(query.get_order(), Order::Descending);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets the maximum number of items to read for the page, including expired ones. Default: no maximum, so the page
    /// ends at 1 MB.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::Query;
    ///
    /// let query = Query::table(PartitionKey::parse("MSG#1")?).limit(NonZeroU32::MIN);
    /// assert_eq!(query.get_limit(), Some(NonZeroU32::MIN));
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn limit(mut self, limit: NonZeroU32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the position after which the page starts. Default: none, so the page starts with the first item of the
    /// [range](Self::range) in the query's [order](Self::order).
    ///
    /// Pass the previous page's [`next`](PageOutput::next) position:
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Item, PartitionKey};
    /// use threadline::store::{Query, StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// for sk in ["1", "2"] {
    ///     let mut item = Item::new();
    ///     item.insert("pk", "MSG#1");
    ///     item.insert("sk", sk);
    ///     store.write(Write::put(item)).await?.done()?;
    /// }
    /// let query = Query::table(PartitionKey::parse("MSG#1")?).limit(NonZeroU32::MIN);
    /// let first = store.query(query.clone()).await?;
    /// let second = store.query(query.start(first.next)).await?;
    /// assert_eq!(second.items[0].get_s("sk"), Some("2"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(mut self, start: impl Into<Option<Position>>) -> Self {
        self.start = start.into();
        self
    }

    /// Returns the source of the query: its partition and, for the table, the consistency of the read.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Consistency, Query, QuerySource};
    ///
    /// let partition = PartitionKey::parse("USER#1")?;
    /// let query = Query::table(partition.clone());
    /// assert_eq!(query.source(), &QuerySource::Table { partition, consistency: Consistency::Eventual });
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn source(&self) -> &QuerySource {
        &self.source
    }

    /// Returns the range of sort keys to read.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Query, SortRange};
    ///
    /// let query = Query::table(PartitionKey::parse("USER#1")?);
    /// assert_eq!(query.get_range(), &SortRange::All);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn get_range(&self) -> &SortRange {
        &self.range
    }

    /// Returns the order of the items in the page.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Order, Query};
    ///
    /// let query = Query::table(PartitionKey::parse("USER#1")?);
    /// assert_eq!(query.get_order(), Order::Ascending);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn get_order(&self) -> Order {
        self.order
    }

    /// Returns the maximum number of items to read for the page, if one is set.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::Query;
    ///
    /// let query = Query::table(PartitionKey::parse("USER#1")?);
    /// assert_eq!(query.get_limit(), None);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn get_limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// Returns the position after which the page starts, if any.
    ///
    /// ```
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Position, Query};
    ///
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("1")?);
    /// let position = Position { key: key.clone(), index_key: None };
    /// let query = Query::table(key.pk).start(position.clone());
    /// assert_eq!(query.get_start(), Some(&position));
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn get_start(&self) -> Option<&Position> {
        self.start.as_ref()
    }

    /// Returns `true` if the query reads the index, not the table.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::Query;
    ///
    /// let partition = PartitionKey::parse("USER#1")?;
    /// assert!(Query::index(partition.clone()).reads_index());
    /// assert!(!Query::table(partition).reads_index());
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn reads_index(&self) -> bool {
        matches!(self.source, QuerySource::Index { .. })
    }

    /// Returns the key of the partition that the query reads, in the table or in the index.
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::Query;
    ///
    /// let partition = PartitionKey::parse("USER#1")?;
    /// assert_eq!(Query::index(partition.clone()).partition(), &partition);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn partition(&self) -> &PartitionKey {
        match &self.source {
            QuerySource::Table { partition, .. } | QuerySource::Index { partition } => partition,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if let SortRange::Between(low, high) = &self.range
            && low > high
        {
            return Err(Error::invalid("the range of sort keys is empty: its lower end is after its upper end"));
        }
        self.start.as_ref().map_or(Ok(()), |start| self.check_start(start))
    }

    /// Checks that a page can start at this position.
    pub(crate) fn check_start(&self, start: &Position) -> Result<()> {
        let (partition, sk) = match (&self.source, &start.index_key) {
            (QuerySource::Table { .. }, None) => (&start.key.pk, &start.key.sk),
            (QuerySource::Index { .. }, Some(index_key)) => (&index_key.pk, &index_key.sk),
            (QuerySource::Table { .. }, Some(_)) => {
                return Err(Error::invalid("a query of the table cannot start at a position of the index"));
            }
            (QuerySource::Index { .. }, None) => {
                return Err(Error::invalid("a query of the index cannot start at a position of the table"));
            }
        };
        if partition != self.partition() {
            return Err(Error::invalid("a query cannot start at a position of another partition"));
        }
        if !self.range.contains(sk) {
            return Err(Error::invalid("a query cannot start at a position outside its range of sort keys"));
        }
        Ok(())
    }
}

impl SortRange {
    /// Returns `true` if the sort key is in the range.
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

/// One page of items: the answer of a store to a [`Query`] or a [`Scan`](super::Scan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageOutput {
    /// The items of the page, without expired ones.
    pub items: Vec<Item>,
    /// The position after which the next page starts. `None` on the last page. Any page may be empty, not only the last
    /// one.
    pub next: Option<Position>,
    /// The capacity that the read of the page consumed.
    pub capacity: Capacity,
}
