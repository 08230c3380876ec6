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
