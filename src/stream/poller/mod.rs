//! The poller: reads the table's stream with the DynamoDB Streams API and projects its records.

mod api;
mod checkpoint;
mod local;
mod record;
mod run;
mod shards;
mod stop;
mod summary;
mod worker;

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;

use crate::aws::{Backoff, RetryPolicy};
use crate::error::Result;
use crate::store::Store;
use crate::stream::Projector;
use api::{Api, StreamName};
use shards::Shards;
use stop::Stop;
use worker::Worker;

pub use aws_sdk_dynamodbstreams;
pub use local::local_streams_client;
pub use shards::PollStart;
pub use summary::{PollEvent, PollSummary};

/// Reads the table's stream with the [DynamoDB Streams API] and projects its records. It replaces a Lambda function.
///
/// * **One future**: all work happens within the call of [`run_until`](Self::run_until) or [`drain`](Self::drain),
///   and nothing in the background. If the future is dropped or the process killed, the next call continues from the
///   last checkpoint.
/// * **At least once**: it reads a parent shard before its children, and writes a checkpoint to the table after each
///   batch. So a restart misses no record, and repeats at most one batch per shard, which changes nothing.
/// * **Endless retries**: after a temporary error, it pauses for 100 ms to 20 s and continues. After an operator error,
///   such as a missing table or a denied permission, it continues with the longest pause until somebody repairs the
///   deployment. It reports each error by [`PollEvent::Failed`], [`PollSummary::errors`] and a warning in the log.
/// * **Failed records**: it reads the batch again from the first failed record. The whole poller waits meanwhile.
/// * **Records are lost after 24 hours**, because the stream does not keep them longer. The poller reports the loss by
///   [`PollEvent::Trimmed`] and [`PollSummary::trimmed`], and continues from the oldest available record.
/// * **Confirmation**: a list of shards may be incomplete, and an answer may be late. The poller treats a shard or
///   stream as gone only after three refusals in a row. It still reads a shard that a list leaves out. A shard ends if
///   it has no further iterator and is listed as closed or has a child. A stream ends after three lists in a row show
///   it as disabled and completely read.
/// * **A stream that was disabled and enabled again** is a new stream to DynamoDB. The poller reads the old one to
///   its end, then the next from its oldest record. If the old stream is gone (after 24 hours) before the poller
///   starts, run `check`.
/// * **A stream without new images** is left once it is disabled and another follows. Its shards are reported as
///   trimmed.
/// * **An unreadable checkpoint** causes a warning in the log, and its shard is read from its oldest record. Other
///   programs' items among the checkpoints are skipped.
/// * **One poller per table** is enough. Two do no harm, but do the same work twice.
///
/// The cost is one request per second for each open shard, 1 WCU for a checkpoint after each batch, and the cost of
/// the [`Projector`]. The client's credentials need `dynamodb:ListStreams`, `DescribeStream`, `GetShardIterator` and
/// `GetRecords`.
///
/// [DynamoDB Streams API]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
///
/// ```no_run
/// use threadline::DynamoDbStore;
/// use threadline::store::dynamodb::local_client;
/// use threadline::stream::{Poller, Projector, local_streams_client};
///
/// # async fn example(ctrl_c: impl Future<Output = ()> + Send) -> Result<(), threadline::Error> {
/// let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
/// let streams = local_streams_client("http://localhost:8000");
/// let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
///
/// let summary = poller.run_until(ctrl_c).await?;
/// println!("{} records", summary.records);
/// # Ok(())
/// # }
/// ```
pub struct Poller {
    worker: Worker,
    start: PollStart,
    idle: Duration,
    backoff: Backoff,
    /// The ARN of the stream that the application chose.
    named: Option<String>,
    stream: Option<StreamName>,
    shards: Option<Shards>,
    summary: PollSummary,
}

impl Poller {
    /// Creates a poller of the newest stream of the store's table. The store also holds the checkpoints.
    ///
    /// ```
    /// use threadline::DynamoDbStore;
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::stream::{Poller, PollSummary, Projector, local_streams_client};
    ///
    /// let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// let streams = local_streams_client("http://localhost:8000");
    /// let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// assert_eq!(poller.summary(), PollSummary::default());
    /// ```
    pub fn new(client: Client, projector: Projector, store: impl Store + 'static) -> Self {
        let mut backoff = Backoff::sleeping_with(client.config().sleep_impl());
        backoff.policy =
            RetryPolicy::default().max_attempts(10).base(Duration::from_millis(100)).max_delay(Duration::from_secs(20));
        let table = store.table_name().to_owned();
        Self {
            worker: Worker {
                api: Api { client, table },
                projector,
                checkpoints: Arc::new(store),
                batch_size: 1000,
                observer: None,
            },
            start: PollStart::default(),
            idle: Duration::from_secs(1),
            backoff,
            named: None,
            stream: None,
            shards: None,
            summary: PollSummary::default(),
        }
    }

    /// Sets the ARN of the stream. Default: the newest stream of the table.
    ///
    /// It may be an older stream, or that of another table than the one with the checkpoints.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline/stream/2026-01-02T03:04:05.678";
    /// let poller = poller.stream(arn);
    /// ```
    #[must_use]
    pub fn stream(mut self, arn: impl Into<String>) -> Self {
        self.named = Some(arn.into());
        self
    }

    /// Sets the start in a table without a checkpoint. Default: [`PollStart::Oldest`].
    ///
    /// A stream that follows another is always read from its oldest record.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::stream::PollStart;
    ///
    /// let poller = poller.start_at(PollStart::Latest);
    /// ```
    #[must_use]
    pub fn start_at(mut self, start: PollStart) -> Self {
        self.start = start;
        self
    }

    /// Sets the maximum number of records in a batch, from 1 to 1,000. Default: 1,000. The service limits a batch to
    /// 1 MB.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let poller = poller.batch_size(100);
    /// ```
    #[must_use]
    pub fn batch_size(mut self, records: u16) -> Self {
        self.worker.batch_size = i32::from(records.clamp(1, 1000));
        self
    }

    /// Sets the pause after a round without records. Default: 1 s.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use std::time::Duration;
    ///
    /// let poller = poller.idle_pause(Duration::from_millis(200));
    /// ```
    #[must_use]
    pub fn idle_pause(mut self, pause: Duration) -> Self {
        self.idle = pause;
        self
    }

    /// Sets the retry policy. Default: 10 attempts, 100 ms to 20 s apart.
    ///
    /// The number of attempts only limits [`drain`](Self::drain).
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::store::dynamodb::RetryPolicy;
    ///
    /// let poller = poller.retry(RetryPolicy::default().max_attempts(3));
    /// ```
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Sets the function that picks the pause before a retry, from zero to the given maximum. Default: random.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// // Always pauses for the maximum.
    /// let poller = poller.jitter(|max| max);
    /// ```
    #[must_use]
    pub fn jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
    }

    /// Sets a function that receives each event. Default: none. It must not block.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::stream::PollEvent;
    ///
    /// let poller = poller.observer(|event| {
    ///     if let PollEvent::Failed { error, .. } = event {
    ///         eprintln!("{error}");
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&PollEvent<'_>) + Send + Sync + 'static) -> Self {
        self.worker.observer = Some(Arc::new(observer));
        self
    }

    /// Reads and projects records until `stop` completes, or until the table's last stream is disabled and read to
    /// its end.
    ///
    /// It projects and checkpoints the current batches before it returns. After an error it pauses and continues,
    /// without a limit of attempts.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use std::time::Duration;
    ///
    /// let deadline = tokio::time::sleep(Duration::from_secs(60));
    /// let summary = poller.run_until(deadline).await?;
    /// println!("{} records", summary.records);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None at present: every error is retried.
    pub async fn run_until(&mut self, stop: impl Future<Output = ()> + Send) -> Result<PollSummary> {
        self.work(Stop::when(stop), false).await
    }

    /// Reads and projects the current records of the stream, then returns.
    ///
    /// A record that is written during the call, or just before, may remain for the next call. The call returns after
    /// five reads in a row of each open shard without a record. If the table is written to all the time, use
    /// [`run_until`](Self::run_until) with a deadline.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let summary = poller.drain().await?;
    /// println!("{} records", summary.records);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// An operator error at once: for example [`Misconfigured`](crate::ErrorKind::Misconfigured) for a table without
    /// a stream, or a stream without new images. Any other error after the attempts of the [retry
    /// policy](Self::retry). Finished work is not lost: call `drain` again.
    pub async fn drain(&mut self) -> Result<PollSummary> {
        self.work(Stop::when(pending()), true).await
    }

    /// Returns the summary of the last call of [`run_until`](Self::run_until) or [`drain`](Self::drain).
    ///
    /// It is also available after an error. After a dropped call, it may lack the last round.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// if let Err(error) = poller.drain().await {
    ///     eprintln!("{error} after {} records", poller.summary().records);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn summary(&self) -> PollSummary {
        self.summary
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("table", &self.worker.api.table)
            .field("stream", &self.stream)
            .field("start", &self.start)
            .field("retry", &self.backoff)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}
