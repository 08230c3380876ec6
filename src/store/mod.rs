//! The store: a small, dyn-safe contract that every backend keeps, and typed sugar over it.

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod ext;
mod forward;
pub mod memory;
pub mod meter;
pub(crate) mod record;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;

pub use crate::capacity::{Capacity, Consistency, IndexChange, Units, index_write_units, read_units, write_units};
pub use crate::error::ServiceError;
pub use crate::request::{
    ActionHandle, Answer, AttributeChange, BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput,
    CancelCode, CancelReason, Checked, ClientToken, Comparison, Condition, Get, GetOutput, MAX_BATCH_GETS,
    MAX_BATCH_WRITES, MAX_PAGE_BYTES, MAX_TRANSACTION_ACTIONS, Operation, Order, PageOutput, Position, Query,
    QuerySource, Request, Scan, SortRange, TransactAction, TransactOutcome, Transaction, TypedRequest, Update, Write,
    WriteAction, WriteOutcome,
};
pub use ext::StoreExt;

/// The contract of a store: one DynamoDB table, or something that behaves as one. The suite in
/// `threadline_testkit::conformance` tests it.
///
/// Applications send typed requests through [`StoreExt`], which checks each one before the store receives it. A store
/// answers each request with the [`Answer`] of its kind. A wrapper changes only what it needs to:
///
/// ```
/// use async_trait::async_trait;
/// use threadline::store::{Answer, Checked, Operation, Store};
/// use threadline::{MemoryStore, Result};
///
/// /// Counts the writes, and passes every request on.
/// #[derive(Debug)]
/// struct CountsWrites<S> {
///     store: S,
///     writes: std::sync::atomic::AtomicU64,
/// }
///
/// #[async_trait]
/// impl<S: Store> Store for CountsWrites<S> {
///     fn table_name(&self) -> &str {
///         self.store.table_name()
///     }
///
///     async fn execute(&self, request: Checked) -> Result<Answer> {
///         if request.operation().writes() {
///             self.writes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         }
///         self.store.execute(request).await
///     }
/// }
/// ```
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Returns the name of the table, for spans and errors.
    fn table_name(&self) -> &str;

    /// Sends one request.
    ///
    /// A request has one of three outcomes:
    ///
    /// * done: `Ok`, also for a write that its condition refused and for a canceled transaction;
    /// * not done: `Err`;
    /// * unknown: `Err` of kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown).
    ///
    /// # Errors
    /// If the store cannot answer, or the write will always fail; [`Invalid`](crate::ErrorKind::Invalid) for a transaction whose token
    /// came with another transaction in the last 10 minutes. A missing item is no error. A batch that is done in part is no error
    /// either: the answer lists the parts that were not done.
    async fn execute(&self, request: Checked) -> Result<Answer>;
}
