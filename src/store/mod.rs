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
use crate::request::{Answer, Checked};

pub use ext::StoreExt;

/// One DynamoDB table, or what behaves as one: the contract of a store. The suite in `threadline_testkit::conformance` tests it.
///
/// Applications make typed requests by [`StoreExt`], which checks each before it gets here. A store answers a request with the variant
/// of its kind:
///
/// ```
/// use async_trait::async_trait;
/// use threadline::{Answer, Checked, MemoryStore, Operation, Result, Store};
///
/// /// Counts the writes, and passes everything on: a wrapper contains its one idea.
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
    /// A request has one of three outcomes: it was done (`Ok`, also for a write that its condition refused and for a transaction
    /// that was canceled), it was not done (`Err`), or nobody knows (`Err` of kind
    /// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown)).
    ///
    /// # Errors
    /// When the store cannot answer, or the write can never succeed; [`Invalid`](crate::ErrorKind::Invalid) for a transaction whose
    /// token came with another transaction in the last 10 minutes. A missing item is no error, nor are the parts of a batch that
    /// were left undone: the answer lists them.
    async fn execute(&self, request: Checked) -> Result<Answer>;
}
