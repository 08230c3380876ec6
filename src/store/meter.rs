//! A store that adds up what passes through it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Store;
use crate::capacity::Capacity;
use crate::error::Result;
use crate::request::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};

/// A store that adds up the capacity of every answer, also of a write that was refused and of a transaction that was
/// cancelled. A request that ends in an error counts for nothing: nobody says what it consumed. A clone shares the sum.
///
/// ```
/// use threadline::store::Store;
/// use threadline::store::meter::Metered;
/// use threadline::{MemoryStore, Scan};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Metered::new(MemoryStore::new());
/// store.scan(Scan::new()).await?;
/// store.scan(Scan::new()).await?;
/// assert_eq!(store.take().to_string(), "1.0 RCU");
/// assert_eq!(store.total().to_string(), "nothing");
/// # Ok::<(), threadline::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Metered<S> {
    store: S,
    total: Arc<Mutex<Capacity>>,
}

impl<S: Store> Metered<S> {
    /// The store, with nothing consumed yet.
    pub fn new(store: S) -> Self {
        Self { store, total: Arc::default() }
    }

    /// What has been consumed since the start, or since the last [`take`](Self::take).
    pub fn total(&self) -> Capacity {
        *self.lock()
    }

    /// The same, and starts again from nothing.
    pub fn take(&self) -> Capacity {
        std::mem::take(&mut *self.lock())
    }

    fn count(&self, capacity: Capacity) {
        *self.lock() += capacity;
    }

    fn lock(&self) -> MutexGuard<'_, Capacity> {
        // A sum cannot be left half-written, so a poisoned lock is as good as any.
        self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: Store> Store for Metered<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn get(&self, request: Get) -> Result<GetOutput> {
        self.store.get(request).await.inspect(|answer| self.count(answer.capacity))
    }

    async fn write(&self, request: Write) -> Result<WriteOutcome> {
        self.store.write(request).await.inspect(|answer| self.count(answer.capacity()))
    }

    async fn query(&self, request: Query) -> Result<PageOutput> {
        self.store.query(request).await.inspect(|answer| self.count(answer.capacity))
    }

    async fn scan(&self, request: Scan) -> Result<PageOutput> {
        self.store.scan(request).await.inspect(|answer| self.count(answer.capacity))
    }

    async fn transact(&self, request: Transaction) -> Result<TransactOutcome> {
        self.store.transact(request).await.inspect(|answer| self.count(answer.capacity()))
    }

    async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
        self.store.batch_get(request).await.inspect(|answer| self.count(answer.capacity))
    }

    async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        self.store.batch_write(request).await.inspect(|answer| self.count(answer.capacity))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capacity::Units;
    use crate::key::{Key, PartitionKey, SortKey};
    use crate::request::{BatchAction, Condition, TransactAction};
    use crate::store::memory::MemoryStore;
    use crate::{AttributeValue, Item};

    fn key() -> Key {
        Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse("1").unwrap())
    }

    fn item() -> Item {
        let mut item = Item::new();
        for (name, value) in [("pk", "A"), ("sk", "1"), ("gsi1pk", "I"), ("gsi1sk", "1")] {
            item.insert(name, AttributeValue::S(value.to_owned()));
        }
        item
    }

    #[tokio::test]
    async fn every_kind_of_answer_is_counted() {
        let store = Metered::new(MemoryStore::new());
        let put = Write::put(item()).unwrap();
        let absent = TransactAction::check(key(), Condition::item_absent()).unwrap();
        let counted = || store.take().to_string();

        let _ = store.write(put.clone()).await.unwrap();
        assert_eq!(counted(), "2.0 WCU", "the table and the index");
        let _ = store.write(put.clone().when(Condition::item_absent()).unwrap()).await.unwrap();
        assert_eq!(counted(), "1.0 WCU", "also one that was refused");
        store.get(Get::new(key()).consistent()).await.unwrap();
        assert_eq!(counted(), "1.0 RCU");
        store.query(Query::index(PartitionKey::parse("I").unwrap())).await.unwrap();
        assert_eq!(store.take(), Capacity { index_read: Units::halves(1), ..Capacity::default() });
        store.scan(Scan::new()).await.unwrap();
        assert_eq!(counted(), "0.5 RCU");
        let _ = store.transact(Transaction::new([put]).unwrap()).await.unwrap();
        assert_eq!(counted(), "2.0 WCU");
        let _ = store.transact(Transaction::new([absent]).unwrap()).await.unwrap();
        assert_eq!(counted(), "2.0 WCU", "also one that was cancelled");
        store.batch_get(BatchGet::new(vec![key()]).unwrap()).await.unwrap();
        assert_eq!(counted(), "0.5 RCU");
        let _ = store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key())]).unwrap()).await.unwrap();
        assert_eq!(counted(), "2.0 WCU");
        assert_eq!(counted(), "nothing");
    }

    #[tokio::test]
    async fn clones_share_the_sum_and_another_meter_does_not() {
        let table = MemoryStore::new();
        let (one, other) = (Metered::new(table.clone()), Metered::new(table));
        let clone = one.clone();
        clone.get(Get::new(key())).await.unwrap();
        clone.get(Get::new(key())).await.unwrap();
        assert_eq!(one.total().to_string(), "1.0 RCU");
        assert_eq!(one.total(), clone.total(), "looking changes nothing");
        assert_eq!(other.total(), Capacity::default());
    }

    #[tokio::test]
    async fn it_wraps_any_store_and_passes_answers_on() {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new().with_table_name("messages"));
        let store = Metered::new(inner);
        assert_eq!(store.table_name(), "messages");
        store.write(Write::put(item()).unwrap()).await.unwrap().done().unwrap();
        assert_eq!(store.get(Get::new(key())).await.unwrap().item, Some(item()));
    }

    #[tokio::test]
    async fn an_error_counts_for_nothing() {
        let store = Metered::new(MemoryStore::new());
        let mut empty = BatchWrite::new(vec![BatchAction::Delete(key())]).unwrap();
        empty.writes.clear();
        assert!(store.batch_write(empty).await.is_err());
        assert_eq!(store.total(), Capacity::default());
    }
}
