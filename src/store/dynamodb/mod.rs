#![doc = include_str!("../../docs/dynamodb.md")]

mod batch;
mod convert;
mod expression;
mod read;
mod transact;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;

use super::Store;
use crate::aws::Backoff;
use crate::error::{Error, Result};
use crate::id::{IdSource, RandomIds};
use crate::request::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};
use crate::time::{Clock, SystemClock};

pub use crate::aws::{RetryPolicy, local_client};

/// A DynamoDB table, reached as the application's own client is configured. Clones share the client. The [module](self) says how
/// to build a client, what it shares with the store, what is tried again, and what becomes of lost answers.
#[derive(Clone)]
pub struct DynamoDbStore {
    client: Client,
    table: Arc<str>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    backoff: Backoff,
}

impl DynamoDbStore {
    /// The table of this name, in the account and region of the client.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            backoff: Backoff::new(&client),
            client,
            table: table.into().into(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::new()),
        }
    }

    /// Takes the time from this clock, which says what has expired; the machine's unless told otherwise.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes the tokens of transactions that come without one from here; random ones unless told otherwise.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Tries again so, what the SDK does not.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Picks the pause before a retry with this function, from zero to the ceiling that it is given; at random unless told
    /// otherwise.
    #[must_use]
    pub fn with_jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
    }

    /// Says in an error, wherever it comes from, what was being done to which table.
    fn named(&self, operation: &'static str, error: Error) -> Error {
        error.with_operation(operation).with_table(&*self.table)
    }
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore")
            .field("table", &self.table)
            .field("retry", &self.backoff)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for DynamoDbStore {
    fn table_name(&self) -> &str {
        &self.table
    }

    async fn get(&self, request: Get) -> Result<GetOutput> {
        self.send_get(request).await.map_err(|error| self.named("get", error))
    }

    async fn write(&self, request: Write) -> Result<WriteOutcome> {
        self.send_write(request).await.map_err(|error| self.named("write", error))
    }

    async fn query(&self, request: Query) -> Result<PageOutput> {
        self.send_query(request).await.map_err(|error| self.named("query", error))
    }

    async fn scan(&self, request: Scan) -> Result<PageOutput> {
        self.send_scan(request).await.map_err(|error| self.named("scan", error))
    }

    async fn transact(&self, request: Transaction) -> Result<TransactOutcome> {
        self.send_transact(request).await.map_err(|error| self.named("transact", error))
    }

    async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
        self.send_batch_get(request).await.map_err(|error| self.named("batch_get", error))
    }

    async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        self.send_batch_write(request).await.map_err(|error| self.named("batch_write", error))
    }
}
