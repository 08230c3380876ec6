//! A request that reads one partition of the table or of the index, in the order of its sort keys.

use std::num::NonZeroU32;

use crate::capacity::{Capacity, Consistency};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::{IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix};

/// The size at which a page ends, in bytes: 1 MB.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// A request that reads one page of a partition.
///
/// The limit counts all items that are read, also expired ones. A page also ends at 1 MB. So a page may be short or
/// empty and still have a [`next`](PageOutput::next) position.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(crate) source: QuerySource,
    pub(crate) range: SortRange,
    pub(crate) order: Order,
    pub(crate) limit: Option<NonZeroU32>,
    pub(crate) start: Option<Position>,
}

/// The partition that a [`Query`] reads. DynamoDB has no consistent reads of an index, so none can be expressed.
#[derive(Clone, Debug, PartialEq)]
pub enum QuerySource {
    /// A partition of the table.
    Table {
        /// The partition key.
        partition: PartitionKey,
        /// The consistency of the read.
        consistency: Consistency,
    },
    /// A partition of the index `gsi1`, always eventually consistent.
    Index {
        /// The partition key.
        partition: PartitionKey,
    },
}

/// A range of sort keys that a [`Query`] reads. Sort keys compare by their bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum SortRange {
    /// All sort keys.
    #[default]
    All,
    /// The sort keys with these leading segments.
    BeginsWith(SortKeyPrefix),
    /// The sort keys before this one.
    Before(SortKey),
    /// The sort keys after this one.
    After(SortKey),
    /// The sort keys from the first to the second, including both.
    Between(SortKey, SortKey),
}

/// The order of a [`Query`]'s items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest sort key first: for times, oldest first.
    #[default]
    Ascending,
    /// Greatest sort key first: for times, newest first.
    Descending,
}

/// The position of an item in a query or scan: the key of the last item read.
///
/// Do not show it to an application's clients, because it contains keys. The access patterns return opaque cursors
/// instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The item's key in the table.
    pub key: Key,
    /// The item's key in the index, for a query of the index.
    pub index_key: Option<IndexKey>,
}

impl Query {
    /// Creates an eventually consistent read of a partition of the table.
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

    /// Creates a strongly consistent read of a partition of the table, at twice the cost.
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

    /// Creates a read of a partition of the index. It is always eventually consistent.
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

    /// Creates a read of this source.
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

    /// Sets the range of sort keys. Default: [`SortRange::All`].
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
    #[must_use]
    pub fn range(mut self, range: SortRange) -> Self {
        self.range = range;
        self
    }

    /// Sets the order of the items. Default: [`Order::Ascending`].
    ///
    /// ```
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Order, Query};
    ///
    /// let query = Query::table(PartitionKey::parse("MSG#1")?).order(Order::Descending);
    /// assert_eq!(query.get_order(), Order::Descending);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets the maximum number of items to read. Default: no limit.
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
    #[must_use]
    pub fn limit(mut self, limit: NonZeroU32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the position after which the page starts. Default: the start of the range.
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
    #[must_use]
    pub fn start(mut self, start: impl Into<Option<Position>>) -> Self {
        self.start = start.into();
        self
    }

    /// Returns the partition, and the consistency if it is a partition of the table.
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

    /// Returns the range of sort keys.
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

    /// Returns the order of the items.
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

    /// Returns the maximum number of items to read, if any.
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

    /// Returns `true` if the query reads the index.
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

    /// Returns the partition key.
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

/// One page of items: the answer to a [`Query`] or a [`Scan`](super::Scan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageOutput {
    /// The items, without expired ones.
    pub items: Vec<Item>,
    /// The start of the next page. `None` is the only sign of the end: the next page may be empty.
    pub next: Option<Position>,
    /// The consumed capacity.
    pub capacity: Capacity,
}
