//! Stores: the contract [`Store`] that every backend implements, and [`StoreExt`], the typed calls for applications.

mod calls;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod ext;
mod forward;
pub mod memory;
pub mod meter;
pub(crate) mod record;
mod span;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;

pub use crate::capacity::{Capacity, Consistency, Units, read_units, write_units};
pub use crate::error::ServiceError;
pub use crate::request::{
    ActionHandle, Answer, AttributeChange, BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput,
    CancelCode, CancelReason, Checked, ClientToken, Comparison, Condition, Expressions, Get, GetOutput, MAX_BATCH_GETS,
    MAX_BATCH_WRITES, MAX_PAGE_BYTES, MAX_TRANSACTION_ACTIONS, Operation, Order, PageOutput, Position, Query,
    QuerySource, Request, Scan, SortRange, TransactAction, TransactOutcome, Transaction, TypedRequest, Update, Write,
    WriteAction, WriteOutcome,
};
pub(crate) use calls::send;
pub use ext::StoreExt;

/// A store: one DynamoDB table, or a backend that behaves like one.
///
/// The suite `threadline_testkit::conformance` tests the behaviors of a store.
///
/// Applications send typed requests through [`StoreExt`], which checks each request before the store receives it. The
/// store answers each request with the [`Answer`] variant of the same name: a [`Get`] with [`Answer::Get`].
///
/// A wrapper around a store implements the two methods, and forwards the requests to the store inside:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use async_trait::async_trait;
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Answer, Checked, Operation, Store, StoreExt, Write};
/// use threadline::{MemoryStore, Result};
///
/// /// Counts the writes, and forwards every request.
/// #[derive(Debug)]
/// struct CountsWrites<S> {
///     store: S,
///     writes: AtomicU64,
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
///             self.writes.fetch_add(1, Ordering::Relaxed);
///         }
///         self.store.execute(request).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = CountsWrites { store: MemoryStore::new(), writes: AtomicU64::new(0) };
/// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
/// store.write(Write::delete(key)).await?.done()?;
/// assert_eq!(store.writes.into_inner(), 1);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Returns the name of the store's table, for spans and errors.
    fn table_name(&self) -> &str;

    /// Sends one request to the table and returns its answer.
    ///
    /// The result is one of these:
    ///
    /// * `Ok`: the store has answered the request. A refused write and a canceled transaction are answers too.
    /// * `Err` of kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown): the request may have been done.
    /// * `Err` of any other kind: the request was not done.
    ///
    /// A missing item is not an error. A batch that was only partly done is not an error either: the answer lists the
    /// unprocessed parts.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the stored item does not allow the write. An example is
    ///   [`AttributeChange::Add`] on an attribute that is not a number.
    /// * `Invalid` if the token of a transaction was used for another transaction in the last 10 minutes.
    /// * [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if the answer to a write was lost.
    /// * Another [kind](crate::ErrorKind) if the store cannot do the request, such as
    ///   [`Throttled`](crate::ErrorKind::Throttled).
    async fn execute(&self, request: Checked) -> Result<Answer>;
}
