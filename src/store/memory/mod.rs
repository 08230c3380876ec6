//! The in-memory store: [`MemoryStore`], and the lag of its index.

mod change;
mod condition;
mod index;
mod lag;
pub(crate) mod numbers;
mod page;
mod state;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod transact;
mod update;
mod write;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError};
#[cfg(not(all(test, shuttle)))]
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_trait::async_trait;
#[cfg(all(test, shuttle))]
use shuttle::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::page::Page;
use self::state::State;
use self::stored::Stored;
use self::token::TokenUse;
use super::Store;
use super::record::{SequenceNumber, StreamRecord};
use crate::capacity::{Capacity, Consistency, read_units};
use crate::error::Result;
use crate::request::{
    Answer, BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Get, GetOutput,
    MAX_PAGE_BYTES, PageOutput, Query, QuerySource, Request, Scan, TransactOutcome, Transaction, Write, WriteOutcome,
};
use crate::time::{Clock, SystemClock};

pub use lag::IndexLag;

/// The maximum size of the answer to a batch of reads, in bytes: 16 MB. [One partition may contribute 1
/// MB](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html), as in a page.
const MAX_BATCH_GET_BYTES: usize = 16 * 1024 * 1024;

/// A table in memory, for tests and for use without AWS. It is at least as strict as DynamoDB.
///
/// The store follows DynamoDB's rules:
///
/// * It sorts keys by their bytes, and ends a page at the limit or at 1 MB.
/// * Transactions are atomic, and their tokens make retries safe.
/// * DynamoDB's size limits apply.
/// * The index is sparse: it contains only items with both of the index's keys.
/// * Items expire, and each change has a record in the stream.
/// * Each answer has the consumed capacity.
///
/// DynamoDB also has delays and faults. This table shows the default of the store, and the way to cause each of them
/// in a test:
///
/// | on DynamoDB | by default | on demand |
/// |---|---|---|
/// | the index may lag the table | never | [`index_lag`](Self::index_lag) |
/// | records may arrive late, out of order or twice | [once, in order](Self::records_after) | `ShuffledStream` |
/// | requests may conflict or be throttled; answers may be lost | never | `FaultStore` |
/// | a batch may be done in part | only reads: over 16 MB, or over 1 MB from one partition | `FaultStore` |
/// | a page ends at 1 MB | at 1 MB | [`page_size`](Self::page_size) |
/// | expired items are deleted within some days | never | [`sweep_expired`](Self::sweep_expired) |
///
/// `ShuffledStream` and `FaultStore` are in the crate `threadline_testkit`.
///
/// One difference from DynamoDB always remains: an eventually consistent read of the table sees the latest write.
///
/// A clone shares the table. The data disappears with the last clone.
///
/// ```
/// use threadline::MemoryStore;
/// use threadline::entity::{Item, Key, PartitionKey, SortKey};
/// use threadline::store::{Get, StoreExt, Write};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let store = MemoryStore::new();
/// let mut item = Item::new();
/// item.insert("pk", "USER#1");
/// item.insert("sk", "USER");
/// store.write(Write::put(item)).await?.done()?;
///
/// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
/// let found = store.get(Get::new(key)).await?;
/// assert!(found.item.is_some());
/// assert_eq!(found.capacity.to_string(), "0.5 RCU");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct MemoryStore {
    table_name: Arc<str>,
    clock: Arc<dyn Clock>,
    state: Arc<RwLock<State>>,
    page_size: Option<NonZeroU32>,
}

impl MemoryStore {
    /// Creates an empty table with the name `threadline` and the system's clock.
    pub fn new() -> Self {
        Self {
            table_name: Arc::from("threadline"),
            clock: Arc::new(SystemClock),
            state: Arc::new(RwLock::new(State::default())),
            page_size: None,
        }
    }

    /// Sets the clock. The store uses the clock to find expired items, and for the age of stream records and of the
    /// [tokens](crate::store::ClientToken) of transactions. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the name of the table. Default: `threadline`.
    pub fn table(mut self, name: impl Into<Arc<str>>) -> Self {
        self.table_name = name.into();
        self
    }

    /// Sets the maximum number of items that a page of a query or scan reads. Default: no maximum.
    ///
    /// Without a maximum, a page ends at the request's limit or at 1 MB, as in DynamoDB.
    ///
    /// With a maximum, a page ends after this many items and has a [`next`](crate::store::PageOutput::next) position,
    /// even if the request's limit is higher. With pages of 1 to 5 items, a test with little data crosses page
    /// boundaries often.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use threadline::store::{Scan, StoreExt};
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new().page_size(NonZeroU32::MIN);
    /// Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let page = store.scan(Scan::new()).await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert!(page.next.is_some(), "the table has a second item, the claim of the handle");
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_size(mut self, items: NonZeroU32) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Returns the limit of a page: the smaller of the request's limit and the page size.
    fn page_limit(&self, limit: Option<NonZeroU32>) -> Option<NonZeroU32> {
        [limit, self.page_size].into_iter().flatten().min()
    }

    /// Sets the time for which the stream keeps its records, for all clones. With zero, the stream keeps no records.
    /// Default: 24 hours.
    ///
    /// Each record contains the item before and after the change. A shorter time saves memory in a process that runs
    /// for hours.
    pub fn change_retention(self, retention: Duration) -> Self {
        self.state_mut().log.keep_for(retention);
        self
    }

    /// Sets the lag of the index, for all clones. Queries of the index then miss the latest changes, as on DynamoDB.
    /// Default: [`IndexLag::none`].
    ///
    /// The new lag replaces the earlier one. If the new lag allows fewer pending changes, the surplus changes reach the
    /// index at once.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{GSI1PK, GSI1SK, Item, PK, PartitionKey, SK};
    /// use threadline::store::memory::IndexLag;
    /// use threadline::store::{Query, StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new().index_lag(IndexLag::writes(1));
    /// let mut item = Item::new();
    /// for name in [PK, SK, GSI1PK, GSI1SK] {
    ///     item.insert(name, "A");
    /// }
    /// store.write(Write::put(item)).await?.done()?;
    ///
    /// let query = Query::index(PartitionKey::parse("A")?);
    /// assert!(store.query(query.clone()).await?.items.is_empty());
    /// assert_eq!(store.catch_up_index(usize::MAX), 0);
    /// assert_eq!(store.query(query).await?.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn index_lag(self, lag: IndexLag) -> Self {
        self.state_mut().set_index_lag(lag);
        self
    }

    /// Sets the lag [`IndexLag::held`], for all clones: pending and later changes stay out of the index.
    ///
    /// [`catch_up_index`](Self::catch_up_index) applies the pending changes. To end the lag, pass [`IndexLag::none`] to
    /// [`index_lag`](Self::index_lag) on a clone.
    pub fn hold_index(&self) {
        self.state_mut().set_index_lag(IndexLag::held());
    }

    /// Applies up to `changes` pending changes to the index; `usize::MAX` applies all. Returns the number of changes
    /// that remain pending.
    ///
    /// The [lag](Self::index_lag) stays the same for later writes.
    pub fn catch_up_index(&self, changes: usize) -> usize {
        self.state_mut().catch_up_index(changes)
    }

    /// Deletes the expired items at once, and returns the number of deleted items. DynamoDB deletes them within some
    /// days. The deletion consumes no capacity.
    ///
    /// No read returns an expired item. Until the deletion, conditions and writes still see the item ([time to
    /// live](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html)).
    ///
    /// An item that expired more than five years ago stays in the table. DynamoDB does not delete such an item either
    /// ([the attribute's value][value]).
    ///
    /// [value]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    pub fn sweep_expired(&self) -> usize {
        let now = self.clock.now();
        self.state_mut().sweep(now)
    }

    /// Returns up to `limit` records of the table's stream, in the order of the writes.
    ///
    /// The answer starts with the record after `sequence`. If `sequence` is `None`, the answer starts with the oldest
    /// kept record.
    ///
    /// Sequence numbers start at 1. By default, the store keeps records for 24 hours, as [DynamoDB
    /// Streams](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html) does.
    /// [`Projector::catch_up`](crate::stream::Projector::catch_up) applies all kept records to the inboxes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// let store = MemoryStore::new();
    /// Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let first = store.records_after(None, 1)?;
    /// let rest = store.records_after(first[0].sequence.as_ref(), usize::MAX)?;
    /// assert_eq!((first.len(), rest.len()), (1, 1), "the user, and the claim of the handle");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound), with the service's code `TrimmedDataAccessException`, if the store
    ///   no longer keeps the record after `sequence`.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if `sequence` is greater than the number of the newest record.
    pub fn records_after(&self, sequence: Option<&SequenceNumber>, limit: usize) -> Result<Vec<StreamRecord>> {
        let now = self.clock.now();
        self.named("records_after", self.state().log.after(sequence, limit, now))
    }

    // A poisoned lock means a bug here or a lack of memory. It must not cause panics in other threads.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the answer for a page. It runs without the lock.
    fn shown(&self, page: &Page, in_index: bool, capacity: Capacity) -> Result<PageOutput> {
        let next = page.read.last().filter(|_| page.more).map(|last| last.position(in_index)).transpose()?;
        let now = self.clock.now();
        let items = page.read.iter().filter_map(|stored| stored.shown(now)).collect();
        Ok(PageOutput { items, next, capacity })
    }

    fn named<T>(&self, operation: &'static str, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with_operation(operation).with_table(self.table_name()))
    }

    fn page_of_query(&self, mut request: Query) -> Result<PageOutput> {
        request.limit = self.page_limit(request.limit);
        let consistency = match &request.source {
            QuerySource::Table { consistency, .. } => Some(*consistency),
            QuerySource::Index { .. } => None,
        };
        let page = self.state().query_page(request);
        let capacity = match consistency {
            Some(consistency) => Capacity::reads(read_units(page.bytes, consistency)),
            None => Capacity { index_read: read_units(page.bytes, Consistency::Eventual), ..Capacity::default() },
        };
        self.shown(&page, consistency.is_none(), capacity)
    }

    fn page_of_scan(&self, mut request: Scan) -> Result<PageOutput> {
        request.limit = self.page_limit(request.limit);
        let page = self.state().table.scan_page(&request);
        let capacity = Capacity::reads(read_units(page.bytes, Consistency::Eventual));
        self.shown(&page, false, capacity)
    }

    fn get_one(&self, request: &Get) -> GetOutput {
        let stored = self.state().table.get(&request.key).cloned();
        let size = stored.as_ref().map_or(0, |stored| stored.size);
        let capacity = Capacity::reads(read_units(size, request.consistency));
        let item = stored.and_then(|stored| stored.shown(self.clock.now()));
        GetOutput { item, capacity }
    }

    fn write_one(&self, request: Write) -> Result<WriteOutcome> {
        let now = self.clock.now();
        self.state_mut().write(request, now)
    }

    fn transact_all(&self, request: Transaction) -> Result<TransactOutcome> {
        let Transaction { actions, token } = request;
        let used = token.map(|token| TokenUse { token, actions: actions.clone() });
        let now = self.clock.now();
        self.state_mut().transact(actions, used, now)
    }

    fn get_batch(&self, request: BatchGet) -> BatchGetOutput {
        let BatchGet { keys, consistency } = request;
        let mut answer = BatchGetOutput::default();
        let mut read: Vec<Stored> = Vec::new();
        let mut bytes = 0;
        let state = self.state();
        let mut keys = keys.into_iter();
        while let Some(key) = keys.next() {
            let stored = state.table.get(&key);
            let size = stored.map_or(0, |stored| stored.size);
            if bytes + size > MAX_BATCH_GET_BYTES {
                answer.unprocessed.push(key);
                answer.unprocessed.extend(keys);
                break;
            }
            let is_of_partition = |other: &&Stored| other.key.pk == key.pk;
            let of_partition = || read.iter().filter(is_of_partition).map(|stored| stored.size).sum::<usize>();
            if bytes + size > MAX_PAGE_BYTES && of_partition() + size > MAX_PAGE_BYTES {
                answer.unprocessed.push(key);
                continue;
            }
            bytes += size;
            answer.capacity += Capacity::reads(read_units(size, consistency));
            read.extend(stored.cloned());
        }
        drop(state);
        let now = self.clock.now();
        answer.items = read.iter().filter_map(|stored| stored.shown(now)).collect();
        answer
    }

    fn write_batch(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        let now = self.clock.now();
        let mut answer = BatchWriteOutput::default();
        for action in request.writes {
            let write = match action {
                BatchAction::Put(item) => Write::put(item),
                BatchAction::Delete(key) => Write::delete(key),
            };
            // One lock for each write, because a batch is not atomic.
            answer.capacity += self.state_mut().write(write, now)?.capacity();
        }
        Ok(answer)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

// Not derived, because items are content.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

// No method awaits, so no lock is held across an await.
#[async_trait]
impl Store for MemoryStore {
    fn table_name(&self) -> &str {
        &self.table_name
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let answer = match request.into_request() {
            Request::Get(get) => Ok(Answer::Get(self.get_one(&get))),
            Request::Write(write) => self.write_one(write).map(Answer::Write),
            Request::Query(query) => self.page_of_query(query).map(Answer::Query),
            Request::Scan(scan) => self.page_of_scan(scan).map(Answer::Scan),
            Request::Transact(transaction) => self.transact_all(transaction).map(Answer::Transact),
            Request::BatchGet(batch) => Ok(Answer::BatchGet(self.get_batch(batch))),
            Request::BatchWrite(batch) => self.write_batch(batch).map(Answer::BatchWrite),
        };
        self.named(operation.name(), answer)
    }
}
