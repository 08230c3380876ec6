//! The store: a small, dyn-safe contract that every backend keeps, and typed sugar over it.

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod ext;
mod forward;
pub mod memory;
pub mod meter;
#[cfg(feature = "mock")]
mod mock;
mod operation;
pub(crate) mod record;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;
use crate::request::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};

pub use ext::StoreExt;
#[cfg(feature = "mock")]
pub use mock::MockStore;
pub use operation::Operation;

/// One DynamoDB table, or what behaves as one. The contract for those who write a store: no method has a default, and the
/// suite in `threadline_testkit::conformance` holds every behaviour. Users call it through [`StoreExt`] and the access patterns.
///
/// Each method is one request. A request has one of three outcomes: it was done (`Ok`, which includes a write refused by its
/// condition), it was not done (`Err`), or nobody knows (`Err` of kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown)).
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// The name of the table, for spans and errors.
    fn table_name(&self) -> &str;

    /// Reads one item.
    ///
    /// # Errors
    /// When the store cannot answer. An item that is missing is no error.
    async fn get(&self, request: Get) -> Result<GetOutput>;

    /// Puts, updates or deletes one item.
    ///
    /// # Errors
    /// When the store cannot answer, or the write can never succeed. A condition that is not met is no error.
    async fn write(&self, request: Write) -> Result<WriteOutcome>;

    /// Reads a page of one partition.
    ///
    /// # Errors
    /// When the store cannot answer, or for what [`Query::check`] refuses.
    async fn query(&self, request: Query) -> Result<PageOutput>;

    /// Reads a page of the whole table.
    ///
    /// # Errors
    /// When the store cannot answer, or for what [`Scan::check`] refuses.
    async fn scan(&self, request: Scan) -> Result<PageOutput>;

    /// Writes several items, all or none.
    ///
    /// # Errors
    /// When the store cannot answer, when a put makes the request invalid as a whole, or
    /// [`Invalid`](crate::ErrorKind::Invalid) for a token that came with another transaction before. A transaction that is
    /// cancelled is no error.
    async fn transact(&self, request: Transaction) -> Result<TransactOutcome>;

    /// Reads up to 100 items.
    ///
    /// # Errors
    /// When the store cannot answer at all. Keys that it could not read are in the answer.
    async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput>;

    /// Puts and deletes up to 25 items, each on its own.
    ///
    /// # Errors
    /// When the store cannot answer at all. Writes that it could not do are in the answer.
    async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput>;
}
