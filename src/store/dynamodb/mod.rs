//! The store on Amazon DynamoDB: [`DynamoDbStore`], which uses the application's own client.
//!
//! The guide's page [DynamoDB and the client](crate::guide::dynamodb) shows how to configure the client. It also lists
//! the requests that are retried, and explains a lost answer.

mod batch;
mod convert;
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
use crate::error::Result;
use crate::id::{IdSource, RandomIds};
use crate::request::{Answer, Checked, Request};
use crate::time::{Clock, SystemClock};

pub use crate::aws::{RetryPolicy, check_region, local_client};
/// The AWS SDK for DynamoDB. [`DynamoDbStore::new`] takes a `Client` of this version.
pub use aws_sdk_dynamodb;

/// A DynamoDB table, reached through the application's own client. Clones share the client.
///
/// The guide's page [DynamoDB and the client](crate::guide::dynamodb) describes the client's configuration, the retries
/// and lost answers.
///
/// ```
/// use threadline::DynamoDbStore;
/// use threadline::store::Store;
/// use threadline::store::dynamodb::{RetryPolicy, local_client};
///
/// let client = local_client("http://127.0.0.1:8000");
/// let store = DynamoDbStore::new(client, "messages").retry(RetryPolicy::default().max_attempts(8));
/// assert_eq!(store.table_name(), "messages");
/// ```
#[derive(Clone)]
#[must_use]
pub struct DynamoDbStore {
    client: Client,
    table: Arc<str>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    backoff: Backoff,
}

impl DynamoDbStore {
    /// Creates a store on the table with this name, in the client's account and region.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            backoff: Backoff::new(&client),
            client,
            table: table.into().into(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::new()),
        }
    }

    /// Checks that the client's region is one of these. Pass the regions in which your data may live.
    ///
    /// The client's region is fixed when the client is built, so one check before the first request suffices. The
    /// guide's page [DynamoDB and the client](crate::guide::dynamodb) lists the limits of this check.
    ///
    /// ```
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::{DynamoDbStore, ErrorKind};
    ///
    /// let client = local_client("http://127.0.0.1:8000"); // in us-east-1
    /// let store = DynamoDbStore::new(client.clone(), "messages").regions(["us-east-1", "us-west-2"])?;
    ///
    /// let error = DynamoDbStore::new(client, "messages").regions(["eu-central-1"]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Misconfigured);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Misconfigured`](crate::ErrorKind::Misconfigured) if the client has another region, or none.
    pub fn regions(self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        check_region(self.client.config().region(), allowed).map_err(|error| error.with_table(&*self.table))?;
        Ok(self)
    }

    /// Sets the clock, by which the store recognizes expired items. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of [tokens](crate::store::ClientToken). A transaction that has no token gets one from this
    /// source. Default: [`RandomIds`].
    pub fn ids(mut self, ids: impl IdSource + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Sets the retry policy for the requests that the SDK does not retry. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Sets the function that picks the pause before a retry. The argument is the longest allowed pause. Default: a
    /// random pause between zero and the longest one.
    pub fn jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
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

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let answer = match request.into_request() {
            Request::Get(get) => self.send_get(get).await.map(Answer::Get),
            Request::Write(write) => self.send_write(write).await.map(Answer::Write),
            Request::Query(query) => self.send_query(query).await.map(Answer::Query),
            Request::Scan(scan) => self.send_scan(scan).await.map(Answer::Scan),
            Request::Transact(transaction) => self.send_transact(transaction).await.map(Answer::Transact),
            Request::BatchGet(batch) => self.send_batch_get(batch).await.map(Answer::BatchGet),
            Request::BatchWrite(batch) => self.send_batch_write(batch).await.map(Answer::BatchWrite),
        };
        answer.map_err(|error| error.with_operation(operation.name()).with_table(&*self.table))
    }
}
