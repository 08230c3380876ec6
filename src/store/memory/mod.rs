//! The in-memory twin of the table.

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
use self::token::Named;
use self::write::{Action, Prepared};
use super::Store;
use super::record::{SequenceNumber, StreamRecord};
use crate::capacity::{Capacity, Consistency, read_units};
use crate::error::Result;
use crate::request::{
    Answer, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Get, GetOutput, MAX_PAGE_BYTES,
    PageOutput, Query, QuerySource, Request, Scan, TransactOutcome, Transaction, Write, WriteOutcome,
};
use crate::time::{Clock, SystemClock};

pub use lag::IndexLag;

/// The most that the answer to a batch of reads may weigh, in bytes: 16 MB. [Of one partition it may be 1
/// MB](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html), as in a page.
const MAX_BATCH_GET_BYTES: usize = 16 * 1024 * 1024;

/// The table in memory: a twin of DynamoDB that is at least as strict, for tests and for running without AWS.
///
/// It keeps DynamoDB's rules: the order of keys by their bytes, pages cut by limit and by 1 MB, atomic transactions with
/// their tokens, the limits on sizes, a sparse index, expiry, a stream of changes, and the capacity that each request
/// consumes.
///
/// By itself it is kinder than DynamoDB, and troubles a test only where the test asks for it:
///
/// | on DynamoDB | by itself | on demand |
/// |---|---|---|
/// | a query of the index may be behind the table | never | [`index_lag`](Self::index_lag), [`hold_index`](Self::hold_index) |
/// | the stream's records come late, mixed, cut and repeated | [in order, once](Self::records_after) | `threadline_testkit::ShuffledStream` |
/// | requests conflict, are throttled and get lost | never, each is done by itself | `threadline_testkit::fault::FaultStore` |
/// | a batch leaves something undone at any time | over 16 MB, or 1 MB of a partition | `threadline_testkit::fault::FaultStore` |
/// | a page ends at 1 MB | at 1 MB | [`page_size`](Self::page_size) |
/// | expired items are deleted within some days | never | [`sweep_expired`](Self::sweep_expired) |
///
/// One kindness is always there: a read of the table that may be eventually consistent sees the latest write, too.
///
/// A clone is the same table. Nothing is kept when the last clone is dropped.
///
/// ```
/// use threadline::store::StoreExt;
/// use threadline::entity::{Item, Key, PartitionKey, SortKey};
/// use threadline::store::{Get, Write};
/// use threadline::MemoryStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
/// # Ok::<(), threadline::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    table_name: Arc<str>,
    clock: Arc<dyn Clock>,
    state: Arc<RwLock<State>>,
    page_size: Option<NonZeroU32>,
}

impl MemoryStore {
    /// An empty table named `threadline`, by the machine's clock.
    pub fn new() -> Self {
        Self {
            table_name: Arc::from("threadline"),
            clock: Arc::new(SystemClock),
            state: Arc::new(RwLock::new(State::default())),
            page_size: None,
        }
    }

    /// The same table by another clock, which says what has expired, how old a change is and when a token is forgotten.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same table under another name.
    #[must_use]
    pub fn table(mut self, name: impl Into<Arc<str>>) -> Self {
        self.table_name = name.into();
        self
    }

    /// Sets the most items that a query or a scan reads at once, as if they filled the 1 MB of a page. A page ends there and has
    /// a continuation, also if the request's limit is higher. Default: no such limit. With pages of 1 to 5 items, a test with
    /// little data crosses page boundaries all the time.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use threadline::store::{Scan, StoreExt};
    /// use threadline::MemoryStore;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = MemoryStore::new().page_size(NonZeroU32::MIN);
    /// let page = store.scan(Scan::new()).await?;
    /// assert!(page.next.is_none(), "the table is empty");
    /// # Ok::<(), threadline::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn page_size(mut self, items: NonZeroU32) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Returns the limit of a request's page.
    fn page_limit(&self, limit: Option<NonZeroU32>) -> Option<NonZeroU32> {
        [limit, self.page_size].into_iter().flatten().min()
    }

    /// Keeps changes for this long instead of 24 hours; none at all for a duration of zero. Every change holds what it
    /// replaced, so a process that writes for long saves memory by this. It goes for all clones.
    #[must_use]
    pub fn change_retention(self, retention: Duration) -> Self {
        self.state_mut().log.keep_for(retention);
        self
    }

    /// Lets queries of the index be behind the table, as they may be on DynamoDB. It goes for all clones, and takes the place of
    /// an earlier lag: what that has kept from the index is still kept, as far as this one allows.
    ///
    /// ```
    /// use threadline::store::StoreExt;
    /// use threadline::store::memory::IndexLag;
    /// use threadline::entity::{GSI1PK, GSI1SK, Item, PK, PartitionKey, SK};
    /// use threadline::store::{Query, Write};
    /// use threadline::MemoryStore;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
    /// # Ok::<(), threadline::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn index_lag(self, lag: IndexLag) -> Self {
        self.state_mut().lag_index(lag);
        self
    }

    /// From now on no change reaches the index, until [`catch_up_index`](Self::catch_up_index): the same as
    /// [`IndexLag::held`]. [`IndexLag::none`] ends it.
    pub fn hold_index(&self) {
        self.state_mut().lag_index(IndexLag::held());
    }

    /// Lets at most `changes` more of those that the index waits for reach it, all with `usize::MAX`, and says how many are left.
    /// The lag stays what it is for the writes that follow.
    pub fn catch_up_index(&self, changes: usize) -> usize {
        self.state_mut().catch_up_index(changes)
    }

    /// Deletes the items that have expired, as DynamoDB does by itself within some days, and says how many there were. It
    /// consumes no capacity. Until then they are never returned, but conditions and writes still meet them ([time to
    /// live](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html)). What expired more than five
    /// years ago stays for ever
    /// ([the attribute's value](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html)).
    pub fn sweep_expired(&self) -> usize {
        let now = self.clock.now();
        self.state_mut().sweep(now)
    }

    /// Returns the stream's records behind this sequence number, or from the oldest that is left, at most `limit` of them, in the
    /// order of the writes. They are numbered from 1, and can be read for 24 hours, as in [DynamoDB
    /// Streams](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html).
    /// [`Projector::catch_up`](crate::stream::Projector::catch_up) projects all of them.
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
    /// [`NotFound`](crate::ErrorKind::NotFound), with the service's code `TrimmedDataAccessException`, when the record that
    /// follows is older than that. [`Invalid`](crate::ErrorKind::Invalid) for a number that no record has had yet.
    pub fn records_after(&self, sequence: Option<&SequenceNumber>, limit: usize) -> Result<Vec<StreamRecord>> {
        let now = self.clock.now();
        self.named("records_after", self.state().log.after(sequence, limit, now))
    }

    // A panic while the lock is held is a bug here or out of memory. A poisoned lock must not turn it into panics elsewhere.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the page shows, once the lock is free again.
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
        let Prepared { action, condition, return_old } = Prepared::write(request)?;
        let now = self.clock.now();
        self.state_mut().write(action, condition.as_ref(), return_old, now)
    }

    fn transact_all(&self, request: Transaction) -> Result<TransactOutcome> {
        let Transaction { actions, token } = request;
        let named = token.map(|token| Named { token, actions: actions.clone() });
        let prepared = actions.into_iter().map(Prepared::transact).collect::<Result<_>>()?;
        let now = self.clock.now();
        self.state_mut().transact(prepared, named, now)
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
        let actions = request.writes.into_iter().map(Action::of_batch).collect::<Result<Vec<_>>>()?;
        let now = self.clock.now();
        let mut answer = BatchWriteOutput::default();
        for action in actions {
            // One lock for each: a batch is not atomic, and others may see it half done.
            answer.capacity += self.state_mut().write(action, None, false, now)?.capacity();
        }
        Ok(answer)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

// Hand-written: what the table holds is content.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

// No method waits for anything, so no lock is ever held across an await.
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
